/* The work of every layer that slides a window over a map: conv2d; dense, whose window covers the
 * whole map; depthwise_conv2d, whose window sees one channel at a time. */
#ifndef NAS_CONVOLVE_H
#define NAS_CONVOLVE_H

#include <nas/layer.h>
#include "kernel.h"

/* Pairs are height and width. */
typedef struct nas_convolution {
  int in[2], out[2];        /* pixels of the map and of the output */
  int kernel[2], stride[2]; /* the window */
  int pad[2];               /* zeros above and to the left of the map */
  int channels, filters;
  int source_count;           /* maps whose channels lie side by side in the window; 0: one */
  int source[NAS_INPUTS_MAX]; /* channels of each of them */
  int bias;                   /* parameter set 1 is a bias */
  int depthwise;              /* filter o sees channel o alone; as many filters as channels */
} nas_convolution;

/* Parameter sets: 0 the kernel, [kernel height][kernel width][channels][filters], or, depthwise,
 * [kernel height][kernel width][channels]; 1 the bias. */
nas_status nas_convolve_compile(nas_layer *layer, const nas_convolution *convolution,
                                nas_error *err);
void nas_convolve_release(nas_layer *layer);
void nas_convolve_forward(const nas_layer *layer, const nas_pass *pass);
void nas_convolve_backward(const nas_layer *layer, const nas_pass *pass);

/* After the last image of a group. */
void nas_convolve_finish(const nas_layer *layer, const nas_pass *pass);

/* What a compiled layer convolves; and how, as nas_layer_kind has it (work.c). */
const nas_convolution *nas_convolve_of(const nas_layer *layer);
void nas_convolve_work(const nas_layer *layer, nas_layer_work *work);

/* Derived data: the kernel with channels and filters exchanged, [kh][kw][filters][columns], or,
 * for Winograd's algorithm, transformed. A depthwise window needs none. Room and what is kept: for
 * that algorithm. */
size_t nas_convolve_derived(const nas_layer *layer, const nas_convolution *convolution);
size_t nas_convolve_room(const nas_layer *layer, const nas_convolution *convolution);
size_t nas_convolve_kept(const nas_layer *layer, const nas_convolution *convolution);
void nas_convolve_derive(const nas_layer *layer, const float *params, float *derived, int part,
                         int parts);

/* Sources and their channels; where each begins in rows of all channels in which each source is
 * padded to whole vectors, and how long these are. */
static inline int nas_convolution_sources(const nas_convolution *c) {
  return c->source_count ? c->source_count : 1;
}
static inline int nas_convolution_source(const nas_convolution *c, int k) {
  return c->source_count ? c->source[k] : c->channels;
}
static inline int nas_convolution_column(const nas_convolution *c, int k) {
  int column = 0;
  for (int s = 0; s < k; s++) column += nas_row(nas_convolution_source(c, s));
  return column;
}
static inline int nas_convolution_columns(const nas_convolution *c) {
  return nas_convolution_column(c, nas_convolution_sources(c));
}

/* Whether the gradient of an input is asked for. */
int nas_convolve_gives(const nas_layer *layer);

/* Widens the borders to what the window needs around its input and, to run backwards, around the
 * gradient of its output. */
void nas_convolve_borders(const nas_convolution *convolution, nas_border *in, nas_border *d_out);

/* Outputs along one dimension, without padding or with TensorFlow's 'same' padding, and in *pad the
 * zeros before the map: the smaller half. 0 when the kernel is larger than an unpadded map. */
int nas_window_count(int size, int kernel, int stride, int same, int *pad);

/* Half the width of the uniform distribution that a layer's weights begin with:
 *   glorot_uniform  sqrt(6 / (fan_in + fan_out))   Glorot & Bengio 2010, eq. 16
 *   he_uniform      sqrt(6 / fan_in)               He et al. 2015, eq. 10
 *   uniform         uniform_range */
extern const char *const nas_init_words[];
float nas_init_range(int word, double uniform_range, double fan_in, double fan_out);

#endif
