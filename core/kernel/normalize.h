/* Batch normalisation's loops over pixels, in plain C: they do the same operations in the same
 * order in every table, and compilers turn them into vectors. */
#ifndef NAS_NORMALIZE_H
#define NAS_NORMALIZE_H

#include "kernel.h"

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

static void normalize(const nas_pixel_rows *x, const nas_pixel_rows *y, size_t pixels, int width,
                      const float *mean, const float *scale, const float *offset, int relu) {
  for (size_t p = 0; p < pixels; p++) {
    const float *from = nas_pixel_row(x, p);
    float *to = nas_pixel_row(y, p);
    for (int c = 0; c < width; c++) {
      float v = (from[c] - mean[c]) * scale[c] + offset[c];
      to[c] = relu && v < 0.0f ? 0.0f : v;
    }
  }
}

static void normalize_sums(const nas_pixel_rows *x, const nas_pixel_rows *d_y, size_t pixels,
                           int width, const float *mean, const float *inverse, double *sum,
                           double *product) {
  for (size_t p = 0; p < pixels; p++) {
    const float *value = nas_pixel_row(x, p), *d = nas_pixel_row(d_y, p);
    for (int c = 0; c < width; c++) {
      float normal = (value[c] - mean[c]) * inverse[c];
      sum[c] += (double)d[c];
      product[c] += (double)d[c] * (double)normal;
    }
  }
}

static void normalize_gradient(const nas_pixel_rows *x, const nas_pixel_rows *d_y,
                               const nas_pixel_rows *d_x, size_t pixels, int width,
                               const float *mean, const float *inverse, const float *scale,
                               const float *d_mean, const float *d_product, int accumulate) {
  for (size_t p = 0; p < pixels; p++) {
    const float *value = nas_pixel_row(x, p), *d = nas_pixel_row(d_y, p);
    float *to = nas_pixel_row(d_x, p);
    for (int c = 0; c < width; c++) {
      float normal = (value[c] - mean[c]) * inverse[c];
      float g = scale[c] * ((d[c] - d_mean[c]) - normal * d_product[c]);
      to[c] = accumulate ? to[c] + g : g;
    }
  }
}

#endif
