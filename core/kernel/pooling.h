/* Pooling. Included by each table, with what winograd_transforms.h asks for and
 *   lane_mask    what comparing two lanes gives
 *   lane_choose  the second where the first is set, else the third */
#ifndef NAS_POOLING_KERNEL_H
#define NAS_POOLING_KERNEL_H

#include "winograd_transforms.h"

/* Floats from the first pixel of a window to that of row i and column j. */
static inline ptrdiff_t in_window(const nas_pooling_maps *maps, int i, int j) {
  return ((ptrdiff_t)i * maps->pitch + j) * maps->stride;
}

static inline ptrdiff_t pool_input(const nas_pooling_maps *maps, const nas_tile *window) {
  return (ptrdiff_t)window->in * maps->stride;
}

static inline ptrdiff_t pool_output(const nas_pooling_maps *maps, const nas_tile *window) {
  return (ptrdiff_t)window->out * maps->out_stride;
}

LANE_INLINE lane largest_of(const nas_pooling_maps *maps, const nas_tile *window, const float *x) {
  lane most = lane_load(x);
  for (int i = 0; i < window->rows; i++)
    for (int j = 0; j < window->columns; j++) {
      lane here = lane_load(x + in_window(maps, i, j));
      most = lane_choose((here > most) | (here != here), here, most);
    }
  return most;
}

static void max_pool(const nas_pooling_maps *maps, const nas_tile *windows, size_t count,
                     int width) {
  for (size_t w = 0; w < count; w++) {
    const float *x = maps->x + pool_input(maps, &windows[w]);
    float *y = maps->y + pool_output(maps, &windows[w]);
    for (int o = 0; o < width; o += LANES) lane_store(y + o, largest_of(maps, &windows[w], x + o));
  }
}

/* One vector of channels: g to the first pixel whose x is y. */
LANE_INLINE void give_to_largest(const nas_pooling_maps *maps, const nas_tile *window,
                                 const float *x, lane y, lane g, float *d_x) {
  lane_mask open = y == y; /* until the gradient was given */
  for (int i = 0; i < window->rows; i++)
    for (int j = 0; j < window->columns; j++) {
      ptrdiff_t at = in_window(maps, i, j);
      lane before = lane_load(d_x + at);
      lane_mask takes = open & (lane_load(x + at) == y);
      lane_store(d_x + at, lane_choose(takes, before + g, before));
      open &= ~takes;
    }
}

static void max_pool_gradient(const nas_pooling_maps *maps, const nas_tile *windows, size_t count,
                              int width) {
  for (size_t w = 0; w < count; w++) {
    ptrdiff_t in = pool_input(maps, &windows[w]), out = pool_output(maps, &windows[w]);
    for (int o = 0; o < width; o += LANES)
      give_to_largest(maps, &windows[w], maps->x + in + o, lane_load(maps->y + out + o),
                      lane_load(maps->d_y + out + o), maps->d_x + in + o);
  }
}

static lane pixels_of(const nas_tile *window) {
  return LANE((float)(window->rows * window->columns));
}

static void avg_pool(const nas_pooling_maps *maps, const nas_tile *windows, size_t count,
                     int width) {
  for (size_t w = 0; w < count; w++) {
    const float *x = maps->x + pool_input(maps, &windows[w]);
    float *y = maps->y + pool_output(maps, &windows[w]);
    for (int o = 0; o < width; o += LANES) {
      lane sum = LANE(0.0f);
      for (int i = 0; i < windows[w].rows; i++)
        for (int j = 0; j < windows[w].columns; j++)
          sum += lane_load(x + in_window(maps, i, j) + o);
      lane_store(y + o, sum / pixels_of(&windows[w]));
    }
  }
}

static void avg_pool_gradient(const nas_pooling_maps *maps, const nas_tile *windows, size_t count,
                              int width) {
  for (size_t w = 0; w < count; w++) {
    const float *d_y = maps->d_y + pool_output(maps, &windows[w]);
    float *d_x = maps->d_x + pool_input(maps, &windows[w]);
    for (int o = 0; o < width; o += LANES) {
      lane part = lane_load(d_y + o) / pixels_of(&windows[w]);
      for (int i = 0; i < windows[w].rows; i++)
        for (int j = 0; j < windows[w].columns; j++) {
          float *to = d_x + in_window(maps, i, j) + o;
          lane_store(to, lane_load(to) + part);
        }
    }
  }
}

#endif
