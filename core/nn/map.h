/* Lists of pixel numbers of a map: what kernels walk. */
#ifndef NAS_MAP_H
#define NAS_MAP_H

#include <nas/layer.h>

/* Fills list with the numbers of the pixels (y, x) of `images` images, in raster order, for
 * y = y0, y0 + y_step, ... below y_end and x likewise; returns how many. A map's own border is
 * not consulted: numbers may lie outside it. */
size_t nas_map_pixels(const nas_map *map, int images, const int first[2], const int step[2],
                      const int end[2], int32_t *list);

/* Writes zeros to the values of image n of the map at data. */
void nas_map_clear(const nas_map *map, float *data, int n);

/* Writes zeros around the values of the first `images` images of the map at data: to the border and
 * to the padding of rows. */
void nas_map_clear_around(const nas_map *map, float *data, int images);

/* Lays out a map of the shape with the border: fills all fields but scratch and offset; returns the
 * floats from its first border pixel to its end, and in *before those that lie before pixel 0. */
size_t nas_map_layout(nas_map *map, nas_shape shape, nas_border border, int stride, int images,
                      size_t *before);

/* Widens both to what either needs; returns whether that changed one. */
int nas_border_match(nas_border *a, nas_border *b);

#endif
