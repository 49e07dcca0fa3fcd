/* Batch normalisation's loops over pixels. Included by each table, with what winograd_transforms.h
 * asks for and its constants. What was computed in another phase of the batch comes from far away,
 * so pixels are visited in the order in which they lie. */
#ifndef NAS_NORMALIZE_H
#define NAS_NORMALIZE_H

#include "winograd_transforms.h"

/* Sums are in double, in plain C: they do the same operations in the same order in every table. A
 * product of two floats is exact in double. */
static void moments(const float *x, int stride, const int32_t *pixel, size_t pixels, int width,
                    double *sum, double *square) {
  int o = 0;
  for (; o + NAS_LANES <= width; o += NAS_LANES) {
    double s[NAS_LANES], q[NAS_LANES];
    for (int l = 0; l < NAS_LANES; l++) s[l] = sum[o + l];
    for (int l = 0; l < NAS_LANES; l++) q[l] = square[o + l];
    for (size_t p = 0; p < pixels; p++) {
      const float *row = x + (ptrdiff_t)pixel[p] * stride + o;
      for (int l = 0; l < NAS_LANES; l++) {
        double v = (double)row[l];
        s[l] += v;
        q[l] += v * v;
      }
    }
    for (int l = 0; l < NAS_LANES; l++) sum[o + l] = s[l];
    for (int l = 0; l < NAS_LANES; l++) square[o + l] = q[l];
  }
  for (size_t p = 0; p < pixels; p++)
    for (int c = o; c < width; c++) {
      double v = (double)x[(ptrdiff_t)pixel[p] * stride + c];
      sum[c] += v;
      square[c] += v * v;
    }
}

/* No output is below NaN. */
static float relu_limit(int relu) {
  return relu ? 0.0f : NAN;
}

static void add_products(const float *d, const float *v, int count, double *restrict sum,
                         double *restrict product) {
  for (int l = 0; l < count; l++) {
    sum[l] += (double)d[l];
    product[l] += (double)d[l] * (double)v[l];
  }
}

static void normalize_sums(const nas_pixel_rows *x, const nas_pixel_rows *d_y, size_t pixels,
                           int width, const nas_normalization *n, double *sum, double *product) {
  enum { CHUNK = 4 * NAS_LANES };
  lane most = LANE(relu_limit(n->relu));
  for (size_t p = 0; p < pixels; p++)
    for (int from = 0; from < width; from += CHUNK) {
      const float *value = nas_pixel_row(x, p), *d = nas_pixel_row(d_y, p);
      int end = width - from < CHUNK ? width : from + CHUNK;
      float values[CHUNK], ds[CHUNK];
      for (int o = from; o < end; o += LANES) {
        lane v = lane_load(value + o) - lane_load(n->mean + o);
        lane y = lane_fma(v, lane_load(n->scale + o), lane_load(n->offset + o));
        lane_store(values + o - from, v);
        lane_store(ds + o - from, lane_gate(lane_load(d + o), y, most));
      }
      add_products(ds, values, end - from, sum + from, product + from);
    }
}

static void normalize(const nas_pixel_rows *x, const nas_pixel_rows *y, size_t pixels, int width,
                      const nas_normalization *n) {
  lane least = LANE(n->relu ? 0.0f : -INFINITY);
  for (size_t p = 0; p < pixels; p++) {
    const float *from = nas_pixel_row(x, p);
    float *to = nas_pixel_row(y, p);
    for (int o = 0; o < width; o += LANES) {
      lane v = lane_load(from + o) - lane_load(n->mean + o);
      v = lane_fma(v, lane_load(n->scale + o), lane_load(n->offset + o));
      lane_store(to + o, lane_clip(v, least));
    }
  }
}

static void normalize_gradient(const nas_pixel_rows *x, const nas_pixel_rows *d_y,
                               const nas_pixel_rows *d_x, size_t pixels, int width,
                               const nas_normalization *n, const float *of_x, const float *constant,
                               int accumulate) {
  lane most = LANE(relu_limit(n->relu));
  for (size_t p = 0; p < pixels; p++) {
    const float *value = nas_pixel_row(x, p), *d = nas_pixel_row(d_y, p);
    float *to = nas_pixel_row(d_x, p);
    for (int o = 0; o < width; o += LANES) {
      lane v = lane_load(value + o) - lane_load(n->mean + o), scale = lane_load(n->scale + o);
      lane g = lane_gate(lane_load(d + o), lane_fma(v, scale, lane_load(n->offset + o)), most);
      g = lane_fma(g, scale, lane_load(constant + o));
      g = lane_fma(v, lane_load(of_x + o), g);
      lane_store(to + o, lane_load(accumulate ? to + o : no_lanes) + g);
    }
  }
}

#endif
