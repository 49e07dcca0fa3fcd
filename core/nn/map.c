#include "map.h"
#include <string.h>

size_t nas_map_pixels(const nas_map *map, int images, const int first[2], const int step[2],
                      const int end[2], int32_t *list) {
  size_t count = 0;
  for (int n = 0; n < images; n++)
    for (int y = first[0]; y < end[0]; y += step[0])
      for (int x = first[1]; x < end[1]; x += step[1])
        list[count++] = n * map->image + y * map->pitch + x;
  return count;
}

void nas_map_clear(const nas_map *map, float *data, int n) {
  for (int y = 0; y < map->height; y++)
    for (int x = 0; x < map->width; x++)
      memset(data + nas_map_at(map, n, y, x), 0, (size_t)map->channels * sizeof *data);
}

static void clear_pixels(const nas_map *map, float *data, ptrdiff_t from, int count) {
  if (count > 0) memset(data + from * map->stride, 0, sizeof(float) * (size_t)count * map->stride);
}

static void clear_padding(const nas_map *map, float *row) {
  size_t padding = (size_t)(map->stride - map->channels);
  if (padding == 0) return;
  for (int x = 0; x < map->width; x++, row += map->stride)
    memset(row + map->channels, 0, sizeof(float) * padding);
}

void nas_map_clear_around(const nas_map *map, float *data, int images) {
  const nas_border *b = &map->border;
  for (int n = 0; n < images; n++) {
    ptrdiff_t image = (ptrdiff_t)n * map->image;
    clear_pixels(map, data, image - b->top * map->pitch - b->left, b->top * map->pitch);
    for (int y = 0; y < map->height; y++) {
      ptrdiff_t row = image + y * map->pitch;
      clear_pixels(map, data, row - b->left, b->left);
      clear_padding(map, data + row * map->stride);
      clear_pixels(map, data, row + map->width, b->right);
    }
    clear_pixels(map, data, image + map->height * map->pitch - b->left, b->bottom * map->pitch);
  }
}

size_t nas_map_layout(nas_map *map, nas_shape shape, nas_border border, int stride, int images,
                      size_t *before) {
  map->height = shape.rank == 3 ? shape.dim[0] : 1;
  map->width = shape.rank == 3 ? shape.dim[1] : 1;
  map->channels = shape.rank == 3 ? shape.dim[2] : shape.rank == 1 ? shape.dim[0] : 1;
  map->border = border;
  map->stride = stride;
  map->pitch = border.left + map->width + border.right;
  map->image = (border.top + map->height + border.bottom) * map->pitch;
  *before = (size_t)(border.top * map->pitch + border.left) * (size_t)stride;
  return (size_t)images * (size_t)map->image * (size_t)stride;
}

/* Widens a to b; returns whether it was narrower. */
static int widen(nas_border *a, const nas_border *b) {
  nas_border before = *a;
  if (b->top > a->top) a->top = b->top;
  if (b->left > a->left) a->left = b->left;
  if (b->bottom > a->bottom) a->bottom = b->bottom;
  if (b->right > a->right) a->right = b->right;
  return memcmp(&before, a, sizeof before) != 0;
}

int nas_border_match(nas_border *a, nas_border *b) {
  int widened = widen(a, b);
  return widen(b, a) | widened;
}
