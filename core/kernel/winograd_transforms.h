/* Winograd's minimal filtering F(4x4, 3x3): Lavin & Gray 2016 (arXiv 1509.09308), section 4.3.
 *
 *   y = A' [ (G w G') . (B' x B) ] A         x 6x6, w 3x3, y 4x4, "." element by element
 *
 * 36 multiplications in place of 144. The gradients follow from that line:
 *   of the kernel   G' [ (A d_y A') . (B' x B) ] G
 *   of the input    a forward pass of d_y with the kernel turned about and transposed
 *
 * Each table includes this with
 *   lane        a float or a vector of floats
 *   LANES       how many
 *   lane_load, lane_store, lane_fma
 *   lane_clip    0 where the first is below the second, else the first
 *   lane_gate    0 where the second is at most the third, else the first
 * Options choose numbers and addresses, never between vectors: gcc 12 turns (option ? a + b : b)
 * into a sum whose mask has one bit, for all lanes but the first. The order of operations below is
 * that of the number rules: first along rows, then along columns. Element 6 i + j of a transformed
 * tile lies i * 6 + j planes from its beginning. */
#ifndef NAS_WINOGRAD_KERNEL_H
#define NAS_WINOGRAD_KERNEL_H

#include <math.h>
#include "kernel.h"

#define LANE_INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define LANE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LANE_UNROLL _Pragma("GCC unroll 36")
#endif

/* x - 0 and not x + 0, which would turn -0 into +0 */
#define LANE(x) ((x) - (lane){0})

static const float no_lanes[NAS_LANES]; /* zeros, for what is not to be added */

/* -- one dimension: elements lie `s` apart ------------------------------------------------------
 */

/* d = B' d */
LANE_INLINE void input_1d(lane *d, int s) {
  lane d0 = d[0], d1 = d[s], d2 = d[2 * s], d3 = d[3 * s], d4 = d[4 * s], d5 = d[5 * s];
  lane even = lane_fma(LANE(-4.0f), d2, d4), odd = lane_fma(LANE(-4.0f), d1, d3);
  lane far = d4 - d2, near = (d3 - d1) * 2.0f;
  d[0] = lane_fma(LANE(4.0f), d0, lane_fma(LANE(-5.0f), d2, d4));
  d[s] = even + odd;
  d[2 * s] = even - odd;
  d[3 * s] = far + near;
  d[4 * s] = far - near;
  d[5 * s] = lane_fma(LANE(4.0f), d1, lane_fma(LANE(-5.0f), d3, d5));
}

/* d[0..3] = A' d */
LANE_INLINE void output_1d(lane *d, int s) {
  lane p = d[s] + d[2 * s], q = d[s] - d[2 * s];
  lane r = d[3 * s] + d[4 * s], t = d[3 * s] - d[4 * s];
  d[0] = (d[0] + p) + r;
  d[s] = lane_fma(LANE(2.0f), t, q);
  d[2 * s] = lane_fma(LANE(4.0f), r, p);
  d[3 * s] = lane_fma(LANE(8.0f), t, q) + d[5 * s];
}

/* d = A d[0..3] */
LANE_INLINE void d_output_1d(lane *d, int s) {
  lane y0 = d[0], y1 = d[s], y2 = d[2 * s], y3 = d[3 * s];
  lane even = y0 + y2, odd = y1 + y3;
  lane even2 = lane_fma(LANE(4.0f), y2, y0), odd2 = lane_fma(LANE(8.0f), y3, y1 * 2.0f);
  d[s] = even + odd;
  d[2 * s] = even - odd;
  d[3 * s] = even2 + odd2;
  d[4 * s] = even2 - odd2;
  d[5 * s] = y3;
}

/* d = G d[0..2] */
LANE_INLINE void kernel_1d(lane *d, int s) {
  lane g0 = d[0], g1 = d[s], g2 = d[2 * s];
  lane sum = (g0 + g2) * (1.0f / 6), middle = g1 * (1.0f / 6);
  lane sum2 = lane_fma(LANE(4.0f), g2, g0) * (1.0f / 24), middle2 = g1 * (1.0f / 12);
  d[0] = g0 * 0.25f;
  d[s] = LANE(0.0f) - (sum + middle);
  d[2 * s] = middle - sum;
  d[3 * s] = sum2 + middle2;
  d[4 * s] = sum2 - middle2;
  d[5 * s] = g2;
}

/* d[0..2] = G' d */
LANE_INLINE void d_kernel_1d(lane *d, int s) {
  lane p = d[s] + d[2 * s], q = d[2 * s] - d[s];
  lane r = d[3 * s] + d[4 * s], t = d[3 * s] - d[4 * s];
  d[0] = lane_fma(LANE(0.25f), d[0], lane_fma(LANE(-1.0f / 6), p, r * (1.0f / 24)));
  d[s] = lane_fma(LANE(1.0f / 6), q, t * (1.0f / 12));
  d[2 * s] = lane_fma(LANE(1.0f / 6), r - p, d[5 * s]);
}

/* -- tiles ------------------------------------------------------------------------------------ */

/* rows x columns pixels of a map as a SIZE x SIZE tile, zeros beyond. */
LANE_INLINE void load_tile(const int SIZE, lane *d, const float *x, int stride, int pitch, int rows,
                           int columns) {
  if (rows == SIZE && columns == SIZE) {
    LANE_UNROLL for (int i = 0; i < SIZE; i++) LANE_UNROLL for (int j = 0; j < SIZE; j++)
        d[6 * i + j] = lane_load(x + (ptrdiff_t)(i * pitch + j) * stride);
    return;
  }
  LANE_UNROLL for (int i = 0; i < SIZE; i++) LANE_UNROLL for (int j = 0; j < SIZE; j++)
      d[6 * i + j] =
          i < rows && j < columns ? lane_load(x + (ptrdiff_t)(i * pitch + j) * stride) : LANE(0.0f);
}

static void winograd_input(const nas_tile_map *map, const nas_tile *tiles, size_t count, int width,
                           const nas_tile_planes *to) {
  float *data = to->data;
  for (size_t t = 0; t < count; t++, data += to->row) {
    const float *x = map->data + (ptrdiff_t)tiles[t].in * map->stride;
    for (int c = 0; c < width; c += LANES) {
      lane d[36];
      load_tile(6, d, x + c, map->stride, map->pitch, tiles[t].rows + 2, tiles[t].columns + 2);
      LANE_UNROLL for (int i = 0; i < 6; i++) input_1d(d + 6 * i, 1);
      LANE_UNROLL for (int j = 0; j < 6; j++) input_1d(d + j, 6);
      LANE_UNROLL for (int k = 0; k < 36; k++) lane_store(data + (size_t)k * to->plane + c, d[k]);
    }
  }
}

static void winograd_d_output(const nas_tile_map *map, const nas_tile *tiles, size_t count,
                              int width, const nas_tile_planes *to) {
  float *data = to->data;
  for (size_t t = 0; t < count; t++, data += to->row) {
    const float *x = map->data + (ptrdiff_t)tiles[t].out * map->stride;
    for (int c = 0; c < width; c += LANES) {
      lane d[36];
      load_tile(4, d, x + c, map->stride, map->pitch, tiles[t].rows, tiles[t].columns);
      LANE_UNROLL for (int i = 0; i < 4; i++) d_output_1d(d + 6 * i, 1);
      LANE_UNROLL for (int j = 0; j < 6; j++) d_output_1d(d + j, 6);
      LANE_UNROLL for (int k = 0; k < 36; k++) lane_store(data + (size_t)k * to->plane + c, d[k]);
    }
  }
}

static void winograd_output(const nas_tile_planes *from, const nas_tile *tiles, size_t count,
                            int width, const float *bias, const nas_tile_map *map, unsigned flags) {
  const float *data = from->data;
  lane least = LANE(flags & NAS_CONV_RELU ? 0.0f : -INFINITY);
  for (size_t t = 0; t < count; t++, data += from->row) {
    float *y = map->data + (ptrdiff_t)tiles[t].out * map->stride;
    int rows = tiles[t].rows, columns = tiles[t].columns;
    for (int o = 0; o < width; o += LANES) {
      lane d[36], b = lane_load(bias ? bias + o : no_lanes);
      LANE_UNROLL for (int k = 0; k < 36; k++) d[k] = lane_load(data + (size_t)k * from->plane + o);
      LANE_UNROLL for (int i = 0; i < 6; i++) output_1d(d + 6 * i, 1);
      LANE_UNROLL for (int j = 0; j < 4; j++) output_1d(d + j, 6);
      LANE_UNROLL for (int i = 0; i < 4; i++) LANE_UNROLL for (int j = 0; j < 4; j++) {
        if (i >= rows || j >= columns) continue;
        float *at = y + (ptrdiff_t)(i * map->pitch + j) * map->stride + o;
        lane before = lane_load(flags & NAS_CONV_ACCUMULATE ? at : no_lanes);
        lane_store(at, lane_clip((before + d[6 * i + j]) + b, least));
      }
    }
  }
}

/* -- kernels ---------------------------------------------------------------------------------- */

static void winograd_kernel(const float *w, size_t tap, int rows, int width, float *to,
                            size_t plane) {
  for (int r = 0; r < rows; r++, w += nas_row(width), to += nas_row(width))
    for (int o = 0; o < width; o += LANES) {
      lane d[36];
      LANE_UNROLL for (int i = 0; i < 3; i++) LANE_UNROLL for (int j = 0; j < 3; j++) d[6 * i + j] =
          lane_load(w + (size_t)(3 * i + j) * tap + o);
      LANE_UNROLL for (int i = 0; i < 3; i++) kernel_1d(d + 6 * i, 1);
      LANE_UNROLL for (int j = 0; j < 6; j++) kernel_1d(d + j, 6);
      LANE_UNROLL for (int k = 0; k < 36; k++) lane_store(to + (size_t)k * plane + o, d[k]);
    }
}

static void winograd_d_kernel(const float *from, size_t plane, int rows, int width, float *d_w,
                              size_t tap) {
  for (int r = 0; r < rows; r++, d_w += nas_row(width), from += nas_row(width))
    for (int o = 0; o < width; o += LANES) {
      lane d[36];
      LANE_UNROLL for (int k = 0; k < 36; k++) d[k] = lane_load(from + (size_t)k * plane + o);
      LANE_UNROLL for (int i = 0; i < 6; i++) d_kernel_1d(d + 6 * i, 1);
      LANE_UNROLL for (int j = 0; j < 3; j++) d_kernel_1d(d + j, 6);
      LANE_UNROLL for (int i = 0; i < 3; i++) LANE_UNROLL for (int j = 0; j < 3; j++) {
        float *at = d_w + (size_t)(3 * i + j) * tap + o;
        lane_store(at, lane_load(at) + d[6 * i + j]);
      }
    }
}

#endif
