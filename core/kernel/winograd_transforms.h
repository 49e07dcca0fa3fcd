/* Winograd's minimal filtering F(m x n, r x s): Lavin & Gray 2016 (arXiv 1509.09308), section 4,
 * with the six points 0, 1, -1, 2, -2 and infinity, which serve 2 to 5 taps and 7 - taps outputs
 * alike.
 *
 *   y = A' [ (G w G') . (B' x B) ] A         x 6x6, w r x s, y m x n, "." element by element
 *
 * For 3x3 taps 36 multiplications in place of 144. The gradients follow from that line:
 *   of the kernel   G' [ (A d_y A') . (B' x B) ] G
 *   of the input    a forward pass of d_y with the kernel turned about and transposed
 *
 * Each table includes this with
 *   lane        a float or a vector of floats
 *   LANES       how many
 *   lane_load, lane_store, lane_fma
 *   lane_clip   0 where the first is below the second, else the first
 *   lane_gate   0 where the second is at most the third, else the first
 * Options choose numbers and addresses, never between vectors: gcc 12 turns (option ? a + b : b)
 * into a sum whose mask has one bit, for all lanes but the first.
 *
 * The order of operations below is that of the number rules: first along rows, then along columns.
 * Element (i, j) of a transformed tile of W points along its width lies i * W + j planes from its
 * beginning. */
#ifndef NAS_WINOGRAD_TRANSFORMS_H
#define NAS_WINOGRAD_TRANSFORMS_H

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

/* -- one dimension: elements lie `s` apart ---------------------------------------------------- */

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

/* d[0..M-1] = A' d: y_j is the sum of a^j d over the points a = 0, 1, -1, 2, -2; the last takes
 * that of infinity, too. */
LANE_INLINE void output_1d(const int M, lane *d, int s) {
  lane p = d[s] + d[2 * s], q = d[s] - d[2 * s], last = d[5 * s];
  lane r = d[3 * s] + d[4 * s], t = d[3 * s] - d[4 * s];
  d[0] = (d[0] + p) + r;
  d[s] = lane_fma(LANE(2.0f), t, q);
  d[2 * s] = lane_fma(LANE(4.0f), r, p);
  d[3 * s] = lane_fma(LANE(8.0f), t, q);
  d[4 * s] = lane_fma(LANE(16.0f), r, p);
  d[(M - 1) * s] += last;
}

/* d = A d[0..M-1], of which up to MOST there are zeros, of 4 or 5. */
LANE_INLINE void d_output_1d(const int MOST, const int M, lane *d, int s) {
  lane y0 = d[0], y1 = d[s], y2 = d[2 * s], y3 = d[3 * s], last = d[(M - 1) * s];
  lane even = y0 + y2, odd = y1 + y3;
  lane even2 = lane_fma(LANE(4.0f), y2, y0), odd2 = lane_fma(LANE(8.0f), y3, y1 * 2.0f);
  if (MOST > 4) {
    even += d[4 * s];
    even2 = lane_fma(LANE(16.0f), d[4 * s], even2);
  }
  d[s] = even + odd;
  d[2 * s] = even - odd;
  d[3 * s] = even2 + odd2;
  d[4 * s] = even2 - odd2;
  d[5 * s] = last;
}

/* d = G d[0..R-1]: of each point a the sum of a^k g over the taps k, divided by the product of its
 * distances from the other points, 4, -6, -6, 24, 24; of infinity the last tap. Up to MOST, 3 or 5,
 * there are zeros. */
LANE_INLINE void kernel_1d(const int MOST, const int R, lane *d, int s) {
  lane last = d[(R - 1) * s], even = d[0] + d[2 * s], odd = d[s], odd2 = d[s];
  lane even2 = lane_fma(LANE(4.0f), d[2 * s], d[0]);
  if (MOST > 3) {
    even += d[4 * s];
    even2 = lane_fma(LANE(16.0f), d[4 * s], even2);
    odd += d[3 * s];
    odd2 = lane_fma(LANE(4.0f), d[3 * s], odd2);
  }
  lane sum = even * (1.0f / 6), middle = odd * (1.0f / 6);
  lane sum2 = even2 * (1.0f / 24), middle2 = odd2 * (1.0f / 12);
  d[0] = d[0] * 0.25f;
  d[s] = LANE(0.0f) - (sum + middle);
  d[2 * s] = middle - sum;
  d[3 * s] = sum2 + middle2;
  d[4 * s] = sum2 - middle2;
  d[5 * s] = last;
}

/* d[0..R-1] = G' d; the last takes that of infinity, too. */
LANE_INLINE void d_kernel_1d(const int R, lane *d, int s) {
  lane p = d[s] + d[2 * s], q = d[2 * s] - d[s];
  lane r = d[3 * s] + d[4 * s], t = d[3 * s] - d[4 * s];
  lane zero = LANE(0.0f), last[5] = {zero, zero, zero, zero, zero};
  last[R - 1] = d[5 * s];
  d[0] = lane_fma(LANE(0.25f), d[0], lane_fma(LANE(-1.0f / 6), p, r * (1.0f / 24)));
  d[s] = lane_fma(LANE(1.0f / 6), q, t * (1.0f / 12)) + last[1];
  d[2 * s] = lane_fma(LANE(1.0f / 6), r - p, last[2]);
  d[3 * s] = lane_fma(LANE(1.0f / 6), q, t * (1.0f / 3)) + last[3];
  d[4 * s] = lane_fma(LANE(-1.0f / 6), p, r * (2.0f / 3)) + last[4];
}

/* -- tiles ------------------------------------------------------------------------------------ */

/* Every function is made for the forms whose sizes the compiler shall know, as H x W points, at
 * most MOST0 x MOST1 outputs or taps, and N0 x N1 of them: for 3x3 taps, for any in both
 * dimensions, and for any in one of them, where the other has one. */
#define EACH_FORM(form, size, of_three, function, ...)                                             \
  if ((form)->points[0] == 1)                                                                      \
    function(1, 6, 1, 5, 1, (form)->size[1], __VA_ARGS__);                                         \
  else if ((form)->points[1] == 1)                                                                 \
    function(6, 1, 5, 1, (form)->size[0], 1, __VA_ARGS__);                                         \
  else if ((form)->taps[0] == 3 && (form)->taps[1] == 3)                                           \
    function(6, 6, of_three, of_three, of_three, of_three, __VA_ARGS__);                           \
  else                                                                                             \
    function(6, 6, 5, 5, (form)->size[0], (form)->size[1], __VA_ARGS__)

/* rows x columns of what lies `down` and `right` floats apart as HEIGHT x WIDTH elements, zeros
 * beyond. */
LANE_INLINE void load_tile(const int HEIGHT, const int WIDTH, lane *d, const float *x,
                           ptrdiff_t down, ptrdiff_t right, int rows, int columns) {
  if (rows == HEIGHT && columns == WIDTH) {
    LANE_UNROLL for (int i = 0; i < HEIGHT; i++) LANE_UNROLL for (int j = 0; j < WIDTH; j++)
        d[6 * i + j] = lane_load(x + i * down + j * right);
    return;
  }
  LANE_UNROLL for (int i = 0; i < HEIGHT; i++) LANE_UNROLL for (int j = 0; j < WIDTH; j++)
      d[6 * i + j] = i < rows && j < columns ? lane_load(x + i * down + j * right) : LANE(0.0f);
}

/* Of an element i and j of a transformed tile with W points along its width. */
#define ELEMENT(i, j, W) ((size_t)(i) * (W) + (size_t)(j))

LANE_INLINE void store_planes(const int H, const int W, const lane *d, float *to, size_t plane) {
  LANE_UNROLL for (int i = 0; i < H; i++) LANE_UNROLL for (int j = 0; j < W; j++)
      lane_store(to + ELEMENT(i, j, W) * plane, d[6 * i + j]);
}

LANE_INLINE void load_planes(const int H, const int W, lane *d, const float *from, size_t plane) {
  LANE_UNROLL for (int i = 0; i < H; i++) LANE_UNROLL for (int j = 0; j < W; j++) d[6 * i + j] =
      lane_load(from + ELEMENT(i, j, W) * plane);
}

LANE_INLINE void input_tiles(const int H, const int W, const int MOST0, const int MOST1,
                             const int N0, const int N1, const int count[2],
                             const nas_tile_map *map, const nas_tile *tiles, size_t tile_count,
                             int width, const nas_tile_planes *to) {
  float *data = to->data;
  ptrdiff_t right = map->stride, down = right * map->pitch;
  (void)MOST0, (void)MOST1, (void)N0, (void)N1;
  for (size_t t = 0; t < tile_count; t++, data += to->row) {
    const float *x = map->data + (ptrdiff_t)tiles[t].in * map->stride;
    for (int c = 0; c < width; c += LANES) {
      lane d[36];
      load_tile(H, W, d, x + c, down, right, tiles[t].rows + count[0] - 1,
                tiles[t].columns + count[1] - 1);
      if (W > 1) LANE_UNROLL for (int i = 0; i < H; i++) input_1d(d + 6 * i, 1);
      if (H > 1) LANE_UNROLL for (int j = 0; j < W; j++) input_1d(d + j, 6);
      store_planes(H, W, d, data + c, to->plane);
    }
  }
}

static void winograd_input(const nas_winograd_form *form, const int count[2],
                           const nas_tile_map *map, const nas_tile *tiles, size_t tile_count,
                           int width, const nas_tile_planes *to) {
  EACH_FORM(form, outputs, 4, input_tiles, count, map, tiles, tile_count, width, to);
}

LANE_INLINE void d_output_tiles(const int H, const int W, const int MOST0, const int MOST1,
                                const int N0, const int N1, const nas_tile_map *map,
                                const nas_tile *tiles, size_t tile_count, int width,
                                const nas_tile_planes *to) {
  float *data = to->data;
  ptrdiff_t right = map->stride, down = right * map->pitch;
  for (size_t t = 0; t < tile_count; t++, data += to->row) {
    const float *x = map->data + (ptrdiff_t)tiles[t].out * map->stride;
    for (int c = 0; c < width; c += LANES) {
      lane d[36];
      load_tile(MOST0, MOST1, d, x + c, down, right, tiles[t].rows, tiles[t].columns);
      if (W > 1) LANE_UNROLL for (int i = 0; i < MOST0; i++) d_output_1d(MOST1, N1, d + 6 * i, 1);
      if (H > 1) LANE_UNROLL for (int j = 0; j < W; j++) d_output_1d(MOST0, N0, d + j, 6);
      store_planes(H, W, d, data + c, to->plane);
    }
  }
}

static void winograd_d_output(const nas_winograd_form *form, const nas_tile_map *map,
                              const nas_tile *tiles, size_t tile_count, int width,
                              const nas_tile_planes *to) {
  EACH_FORM(form, outputs, 4, d_output_tiles, map, tiles, tile_count, width, to);
}

LANE_INLINE void output_tiles(const int H, const int W, const int MOST0, const int MOST1,
                              const int N0, const int N1, const nas_tile_planes *from,
                              const nas_tile *tiles, size_t tile_count, int width,
                              const float *bias, const nas_tile_map *map, unsigned flags) {
  const float *data = from->data;
  ptrdiff_t right = map->stride, down = right * map->pitch;
  lane least = LANE(flags & NAS_CONV_RELU ? 0.0f : -INFINITY);
  for (size_t t = 0; t < tile_count; t++, data += from->row) {
    float *y = map->data + (ptrdiff_t)tiles[t].out * map->stride;
    int rows = tiles[t].rows, columns = tiles[t].columns;
    for (int o = 0; o < width; o += LANES) {
      lane d[36], b = lane_load(bias ? bias + o : no_lanes);
      load_planes(H, W, d, data + o, from->plane);
      if (W > 1) LANE_UNROLL for (int i = 0; i < H; i++) output_1d(N1, d + 6 * i, 1);
      if (H > 1) LANE_UNROLL for (int j = 0; j < MOST1; j++) output_1d(N0, d + j, 6);
      LANE_UNROLL for (int i = 0; i < MOST0; i++) LANE_UNROLL for (int j = 0; j < MOST1; j++) {
        if (i >= rows || j >= columns) continue;
        float *at = y + i * down + j * right + o;
        lane before = lane_load(flags & NAS_CONV_ACCUMULATE ? at : no_lanes);
        lane_store(at, lane_clip((before + d[6 * i + j]) + b, least));
      }
    }
  }
}

static void winograd_output(const nas_winograd_form *form, const nas_tile_planes *from,
                            const nas_tile *tiles, size_t tile_count, int width, const float *bias,
                            const nas_tile_map *map, unsigned flags) {
  EACH_FORM(form, outputs, 4, output_tiles, from, tiles, tile_count, width, bias, map, flags);
}

/* -- kernels ---------------------------------------------------------------------------------- */

LANE_INLINE void kernel_rows(const int H, const int W, const int MOST0, const int MOST1,
                             const int N0, const int N1, const nas_winograd_taps *taps,
                             const float *w, int rows, int width, float *to, size_t plane) {
  for (int r = 0; r < rows; r++, w += nas_row(width), to += nas_row(width))
    for (int o = 0; o < width; o += LANES) {
      lane d[36];
      load_tile(MOST0, MOST1, d, w + o, taps->apart[0], taps->apart[1], taps->count[0],
                taps->count[1]);
      if (W > 1) LANE_UNROLL for (int i = 0; i < MOST0; i++) kernel_1d(MOST1, N1, d + 6 * i, 1);
      if (H > 1) LANE_UNROLL for (int j = 0; j < W; j++) kernel_1d(MOST0, N0, d + j, 6);
      store_planes(H, W, d, to + o, plane);
    }
}

static void winograd_kernel(const nas_winograd_form *form, const nas_winograd_taps *taps,
                            const float *w, int rows, int width, float *to, size_t plane) {
  EACH_FORM(form, taps, 3, kernel_rows, taps, w, rows, width, to, plane);
}

LANE_INLINE void d_kernel_rows(const int H, const int W, const int MOST0, const int MOST1,
                               const int N0, const int N1, const nas_winograd_taps *taps,
                               const float *from, size_t plane, int rows, int width, float *d_w) {
  for (int r = 0; r < rows; r++, d_w += nas_row(width), from += nas_row(width))
    for (int o = 0; o < width; o += LANES) {
      lane d[36];
      load_planes(H, W, d, from + o, plane);
      if (W > 1) LANE_UNROLL for (int i = 0; i < H; i++) d_kernel_1d(N1, d + 6 * i, 1);
      if (H > 1) LANE_UNROLL for (int j = 0; j < MOST1; j++) d_kernel_1d(N0, d + j, 6);
      LANE_UNROLL for (int i = 0; i < MOST0; i++) LANE_UNROLL for (int j = 0; j < MOST1; j++) {
        if (i >= taps->count[0] || j >= taps->count[1]) continue;
        float *at = d_w + i * taps->apart[0] + j * taps->apart[1] + o;
        lane_store(at, lane_load(at) + d[6 * i + j]);
      }
    }
}

static void winograd_d_kernel(const nas_winograd_form *form, const nas_winograd_taps *taps,
                              const float *from, size_t plane, int rows, int width, float *d_w) {
  EACH_FORM(form, taps, 3, d_kernel_rows, taps, from, plane, rows, width, d_w);
}

#endif
