#include "winograd.h"
#include <nas/compiled.h>
#include <nas/memory.h>
#include <string.h>
#include "kernel.h"

/* Floats of V or M that lie in the cache at once, about. */
enum { BLOCK_FLOATS = 36 * 48 * 64 };

/* -- a kernel in parts ------------------------------------------------------------------------ */

/* Up to five taps along a dimension are one part, six to ten are cut in two: part p begins at tap
 * p * taps, and the last may have fewer. */
enum { TAPS_MAX = 5, PARTS_MAX = 2 };

typedef struct cut {
  nas_winograd_form form;
  int along[2], count; /* parts along each dimension, and of both, row by row */
} cut;

static cut cut_of(const nas_convolution *c) {
  cut k = {.count = 1};
  int taps[2];
  for (int d = 0; d < 2; d++) {
    k.along[d] = (c->kernel[d] + TAPS_MAX - 1) / TAPS_MAX;
    taps[d] = (c->kernel[d] + k.along[d] - 1) / k.along[d];
    k.count *= k.along[d];
  }
  k.form = nas_winograd_form_of(taps[0], taps[1]);
  return k;
}

/* The part's first tap, down and to the right, and how many it has. */
typedef struct kernel_part {
  int base[2], taps[2];
} kernel_part;

static int least(int a, int b) {
  return a < b ? a : b;
}

static kernel_part part_of(const nas_convolution *c, const cut *k, int number) {
  const int index[2] = {number / k->along[1], number % k->along[1]};
  kernel_part p;
  for (int d = 0; d < 2; d++) {
    p.base[d] = index[d] * k->form.taps[d];
    p.taps[d] = least(k->form.taps[d], c->kernel[d] - p.base[d]);
  }
  return p;
}

/* -- tiles ------------------------------------------------------------------------------------ */

/* The tiles of the images of a micro-batch, image after image. */
typedef struct tiling {
  nas_tile *tiles;
  size_t of_image;
} tiling;

struct nas_winograd_plan {
  const nas_kernels *kernels;
  nas_convolution is;
  cut cut;
  int elements;         /* of a transformed tile */
  int32_t row, columns; /* of rows of filters; of channels of all parts, each source padded */
  size_t block;         /* tiles at a time */
  tiling forward;       /* whose outputs are those of the layer */
  tiling *backwards;    /* of each part: whose outputs are its inputs. NULL: not needed */
  int32_t *numbers;     /* 0, 1, 2, ... block - 1 */
  nas_tap *taps, tap;   /* of parts and sources in V; of d_y */
  nas_window along_channels, along_filters;
};

/* -- the elements of an image ------------------------------------------------------------------ */

static int64_t tiles_along(int pixels, int outputs) {
  return (pixels + outputs - 1) / outputs;
}

nas_winograd_size nas_winograd_size_of(const nas_convolution *c) {
  cut k = cut_of(c);
  int elements = nas_winograd_elements(&k.form);
  const int *outputs = k.form.outputs;
  nas_winograd_size size = {.form = k.form, .parts = k.count};
  size.forward = elements * tiles_along(c->out[0], outputs[0]) * tiles_along(c->out[1], outputs[1]);
  size.back = elements * tiles_along(c->in[0], outputs[0]) * tiles_along(c->in[1], outputs[1]);
  return size;
}

/* -- the rule --------------------------------------------------------------------------------- */

/* Whether it can be computed this way, with fewer multiplications. With a stride, each phase of the
 * kernel would be a convolution of its own, by few taps: half as fast in the mean. */
static int possible(const nas_convolution *c, const cut *k) {
  return !c->depthwise && c->stride[0] == 1 && c->stride[1] == 1 && k->along[0] <= PARTS_MAX &&
         k->along[1] <= PARTS_MAX && nas_winograd_elements(&k->form) > 1;
}

/* Transforms cost about ten multiplications for each element of each channel and filter, and the
 * products of matrices are slower than a window. Measured from 7x7 to 28x28 pixels, 16 to 96
 * channels, and kernels from 2x1 to 7x7: where the rule says yes it is 0.7 to 2.8 times as fast,
 * 1.5 times in the mean; where it says no, 0.4 to 1.2 times. */
int nas_winograd_applies(const nas_convolution *c, int wish) {
  cut k = cut_of(c);
  if (wish == NAS_WINOGRAD_NONE || !possible(c, &k)) return 0;
  if (wish == NAS_WINOGRAD_ALL) return 1;
  nas_winograd_size size = nas_winograd_size_of(c);
  int64_t sliding = (int64_t)c->kernel[0] * c->kernel[1] * c->out[0] * c->out[1];
  int64_t tiled = size.forward * size.parts;
  int64_t products = (int64_t)c->channels * c->filters, rows = c->channels + c->filters;
  int slower = k.form.points[0] > 1 && k.form.points[1] > 1 ? 16 : 12; /* tenths */
  return c->channels >= 16 && c->filters >= 16 &&
         10 * sliding * products >= tiled * (slower * products + 100 * rows);
}

/* -- sizes ------------------------------------------------------------------------------------ */

static size_t block_of(const nas_convolution *c, const cut *k) {
  int columns = k->count * nas_convolution_columns(c), row = nas_row(c->filters);
  size_t widest = (size_t)(columns > row ? columns : row);
  size_t tiles = BLOCK_FLOATS / ((size_t)nas_winograd_elements(&k->form) * widest);
  return tiles < 12 ? 12 : tiles > 96 ? 96 : tiles / 12 * 12;
}

/* Planes of so many rows. Those that begin a power of two apart would share the same few sets of
 * the cache. */
static size_t plane_of(size_t rows, int row) {
  return rows * (size_t)row + NAS_LANES;
}

/* Of U, which has the channels of all parts; and of the U of each part turned about. */
static size_t u_plane(const nas_convolution *c, const cut *k) {
  return plane_of((size_t)k->count * (size_t)c->channels, nas_row(c->filters));
}

static size_t turned_plane(const nas_convolution *c) {
  return plane_of((size_t)c->filters, nas_convolution_columns(c));
}

static size_t elements_of(const cut *k) {
  return (size_t)nas_winograd_elements(&k->form);
}

size_t nas_winograd_room(const nas_convolution *c) {
  cut k = cut_of(c);
  size_t block = block_of(c, &k);
  return elements_of(&k) * (plane_of(block, k.count * nas_convolution_columns(c)) +
                            plane_of(block, nas_row(c->filters)));
}

size_t nas_winograd_kept(const nas_convolution *c) {
  cut k = cut_of(c);
  return elements_of(&k) * u_plane(c, &k);
}

/* U, and behind it those of the parts turned about. */
size_t nas_winograd_derived(const nas_convolution *c, int inference) {
  cut k = cut_of(c);
  return elements_of(&k) * (u_plane(c, &k) + (inference ? 0 : (size_t)k.count * turned_plane(c)));
}

/* -- the plan --------------------------------------------------------------------------------- */

/* Tiles over the pixels of map `out`; what an output comes from begins `pad` above and to the left
 * of its pixel in map `in`. */
static nas_status create_tiling(tiling *to, const nas_map *in, const nas_map *out, const int pad[2],
                                const nas_winograd_form *form, int images, nas_error *err) {
  to->of_image = (size_t)(tiles_along(out->height, form->outputs[0]) *
                          tiles_along(out->width, form->outputs[1]));
  size_t count = to->of_image * (size_t)images;
  nas_tile *tile = to->tiles = nas_alloc(count, sizeof *to->tiles);
  if (!tile) return nas_fail_memory(err, "the tiles of a convolution", count * sizeof *tile);
  for (int n = 0; n < images; n++)
    for (int y = 0; y < out->height; y += form->outputs[0])
      for (int x = 0; x < out->width; x += form->outputs[1])
        *tile++ = (nas_tile){.in = n * in->image + (y - pad[0]) * in->pitch + x - pad[1],
                             .out = n * out->image + y * out->pitch + x,
                             .rows = least(form->outputs[0], out->height - y),
                             .columns = least(form->outputs[1], out->width - x)};
  return NAS_OK;
}

/* Input j meets output j + pad - t by tap t; of a part turned about, its last tap comes first. */
static nas_status tile_backwards(nas_winograd_plan *plan, const nas_layer *layer, int number,
                                 nas_error *err) {
  const kernel_part p = part_of(&plan->is, &plan->cut, number);
  int turned[2];
  for (int d = 0; d < 2; d++) turned[d] = p.base[d] + p.taps[d] - 1 - plan->is.pad[d];
  return create_tiling(&plan->backwards[number], layer->d_output, layer->inputs[0], turned,
                       &plan->cut.form, layer->micro_batch, err);
}

/* What the products walk along, by windows of one pixel over the tiles: the channels of each part
 * and source; the filters. */
static void set_windows(nas_winograd_plan *plan) {
  const nas_convolution *c = &plan->is;
  int64_t channel = 0;
  int sources = nas_convolution_sources(c);
  for (int part = 0; part < plan->cut.count; part++)
    for (int k = 0; k < sources; k++) {
      int channels = nas_convolution_source(c, k);
      plan->taps[part * sources + k] =
          (nas_tap){.channels = channels,
                    .offset = part * nas_convolution_columns(c) + nas_convolution_column(c, k),
                    .weights = channel * plan->row};
      channel += channels;
    }
  plan->tap = (nas_tap){.channels = c->filters};
  plan->along_channels = (nas_window){.taps = plan->taps,
                                      .tap_count = plan->cut.count * sources,
                                      .weight_stride = plan->row,
                                      .width = c->filters,
                                      .source_stride = &plan->columns,
                                      .out_stride = plan->row};
  plan->along_filters = (nas_window){.taps = &plan->tap,
                                     .tap_count = 1,
                                     .weight_stride = nas_convolution_columns(c),
                                     .width = nas_convolution_columns(c),
                                     .source_stride = &plan->row,
                                     .out_stride = plan->columns};
}

static nas_status fill_plan(nas_winograd_plan *plan, const nas_layer *layer, nas_error *err) {
  size_t parts = (size_t)plan->cut.count;
  size_t taps = parts * (size_t)nas_convolution_sources(&plan->is);
  plan->numbers = nas_alloc(plan->block, sizeof *plan->numbers);
  plan->taps = nas_alloc(taps, sizeof *plan->taps);
  if (!plan->numbers || !plan->taps)
    return nas_fail_memory(err, "a convolution",
                           plan->block * sizeof *plan->numbers + taps * sizeof *plan->taps);
  for (size_t i = 0; i < plan->block; i++) plan->numbers[i] = (int32_t)i;
  set_windows(plan);
  nas_status status = create_tiling(&plan->forward, layer->inputs[0], layer->output, plan->is.pad,
                                    &plan->cut.form, layer->micro_batch, err);
  if (status != NAS_OK || !nas_convolve_gives(layer)) return status;
  plan->backwards = nas_alloc_zero(parts, sizeof *plan->backwards);
  if (!plan->backwards)
    return nas_fail_memory(err, "a convolution", parts * sizeof *plan->backwards);
  for (int part = 0; part < plan->cut.count && status == NAS_OK; part++)
    status = tile_backwards(plan, layer, part, err);
  return status;
}

nas_status nas_winograd_create(nas_winograd_plan **out, const nas_layer *layer,
                               const nas_convolution *c, nas_error *err) {
  nas_winograd_plan *plan = nas_alloc_zero(1, sizeof *plan);
  *out = NULL;
  if (!plan) return nas_fail_memory(err, "a convolution", sizeof *plan);
  plan->kernels = layer->kernels;
  plan->is = *c;
  plan->cut = cut_of(c);
  plan->elements = nas_winograd_elements(&plan->cut.form);
  plan->row = nas_row(c->filters);
  plan->columns = plan->cut.count * nas_convolution_columns(c);
  plan->block = block_of(c, &plan->cut);
  nas_status status = fill_plan(plan, layer, err);
  if (status != NAS_OK) nas_winograd_destroy(&plan);
  *out = plan;
  return status;
}

void nas_winograd_destroy(nas_winograd_plan **handle) {
  nas_winograd_plan *plan = *handle;
  if (!plan) return;
  for (int part = 0; plan->backwards && part < plan->cut.count; part++)
    nas_free(plan->backwards[part].tiles);
  nas_free(plan->backwards);
  nas_free(plan->forward.tiles);
  nas_free(plan->numbers);
  nas_free(plan->taps);
  nas_free(plan);
  *handle = NULL;
}

/* -- running ---------------------------------------------------------------------------------- */

static nas_tile_map tile_map(const nas_map *map, const nas_pass *pass) {
  return (nas_tile_map){nas_map_data(map, pass->arena), map->stride, map->pitch};
}

/* Each plane of `from` times one of u gives one of `to`. */
static void multiply(const nas_winograd_plan *plan, const nas_window *window,
                     const nas_tile_planes *from, const float *u, size_t plane,
                     const nas_tile_planes *to, size_t tiles) {
  const float *source = from->data;
  float *out = to->data;
  for (int k = 0; k < plan->elements; k++, source += from->plane, u += plane, out += to->plane)
    plan->kernels->conv(window, &source, plan->numbers, u, NULL, out, plan->numbers, tiles, 0);
}

/* V or, backwards, M of the inputs; M or Z of the output. */
static nas_tile_planes columns_of(const nas_winograd_plan *plan, const nas_pass *pass) {
  return (nas_tile_planes){pass->room, plane_of(plan->block, plan->columns), plan->columns};
}

static nas_tile_planes rows_of(const nas_winograd_plan *plan, const nas_pass *pass) {
  nas_tile_planes columns = columns_of(plan, pass);
  return (nas_tile_planes){columns.data + (size_t)plan->elements * columns.plane,
                           plane_of(plan->block, plan->row), plan->row};
}

static nas_tile_planes source_at(const nas_winograd_plan *plan, nas_tile_planes columns, int part,
                                 int k) {
  columns.data += part * nas_convolution_columns(&plan->is) + nas_convolution_column(&plan->is, k);
  return columns;
}

/* V of all parts and sources. */
static void transform_inputs(const nas_winograd_plan *plan, const nas_layer *layer,
                             const nas_pass *pass, const nas_tile *tiles, size_t count,
                             nas_tile_planes v) {
  for (int number = 0; number < plan->cut.count; number++) {
    const kernel_part p = part_of(&plan->is, &plan->cut, number);
    for (int k = 0; k < layer->input_count; k++) {
      const nas_map *in = layer->inputs[k];
      const nas_tile_planes to = source_at(plan, v, number, k);
      nas_tile_map x = tile_map(in, pass);
      x.data += nas_map_at(in, 0, p.base[0], p.base[1]);
      nas_kernels_for(plan->kernels, in->stride)
          ->winograd_input(&plan->cut.form, p.taps, &x, tiles, count, in->channels, &to);
    }
  }
}

/* How many tiles from `at` on are taken at once. */
static size_t block_at(const nas_winograd_plan *plan, const tiling *over, const nas_pass *pass,
                       size_t at) {
  size_t count = over->of_image * (size_t)pass->images;
  if (at >= count) return 0;
  return count - at < plan->block ? count - at : plan->block;
}

void nas_winograd_forward(const nas_winograd_plan *plan, const nas_layer *layer, const float *bias,
                          const nas_pass *pass) {
  const nas_tile_planes v = columns_of(plan, pass), m = rows_of(plan, pass);
  const nas_tile_map y = tile_map(layer->output, pass);
  const float *u = pass->derived + layer->derived;
  for (size_t at = 0, n; (n = block_at(plan, &plan->forward, pass, at)) > 0; at += n) {
    const nas_tile *tiles = plan->forward.tiles + at;
    transform_inputs(plan, layer, pass, tiles, n, v);
    multiply(plan, &plan->along_channels, &v, u, u_plane(&plan->is, &plan->cut), &m, n);
    plan->kernels->winograd_output(&plan->cut.form, &m, tiles, n, plan->is.filters, bias, &y,
                                   layer->relu ? NAS_CONV_RELU : 0);
  }
}

/* The parts after the first add to what it gave. */
static void backward_part(const nas_winograd_plan *plan, const nas_layer *layer,
                          const nas_pass *pass, int number) {
  const nas_tile_planes m = columns_of(plan, pass), v = rows_of(plan, pass);
  const nas_tile_map d_y = tile_map(layer->d_output, pass);
  const kernel_part p = part_of(&plan->is, &plan->cut, number);
  const tiling *over = &plan->backwards[number];
  size_t plane = turned_plane(&plan->is), elements = (size_t)plan->elements;
  const float *turned = pass->derived + layer->derived +
                        elements * (u_plane(&plan->is, &plan->cut) + (size_t)number * plane);
  for (size_t at = 0, n; (n = block_at(plan, over, pass, at)) > 0; at += n) {
    const nas_tile *tiles = over->tiles + at;
    plan->kernels->winograd_input(&plan->cut.form, p.taps, &d_y, tiles, n, plan->is.filters, &v);
    multiply(plan, &plan->along_filters, &v, turned, plane, &m, n);
    for (int k = 0; k < layer->input_count; k++) {
      if (!layer->d_inputs[k]) continue;
      const nas_tile_map d_x = tile_map(layer->d_inputs[k], pass);
      const nas_tile_planes from = source_at(plan, m, 0, k);
      plan->kernels->winograd_output(&plan->cut.form, &from, tiles, n, layer->d_inputs[k]->channels,
                                     NULL, &d_x,
                                     layer->accumulate[k] || number > 0 ? NAS_CONV_ACCUMULATE : 0);
    }
  }
}

/* A forward pass of d_y for each part, through it turned about, into all columns. */
void nas_winograd_backward_input(const nas_winograd_plan *plan, const nas_layer *layer,
                                 const nas_pass *pass) {
  for (int part = 0; part < plan->cut.count; part++) backward_part(plan, layer, pass, part);
}

/* dU[k] += V[k]' Z[k] */
void nas_winograd_backward_kernel(const nas_winograd_plan *plan, const nas_layer *layer,
                                  const nas_pass *pass) {
  const nas_tile_planes v = columns_of(plan, pass), z = rows_of(plan, pass);
  const nas_tile_map d_y = tile_map(layer->d_output, pass);
  size_t plane = u_plane(&plan->is, &plan->cut);
  float *d_u = pass->kept + layer->kept;
  for (size_t at = 0, n; (n = block_at(plan, &plan->forward, pass, at)) > 0; at += n) {
    const nas_tile *tiles = plan->forward.tiles + at;
    transform_inputs(plan, layer, pass, tiles, n, v);
    plan->kernels->winograd_d_output(&plan->cut.form, &d_y, tiles, n, plan->is.filters, &z);
    for (size_t k = 0; k < (size_t)plan->elements; k++) {
      const float *source = v.data + k * v.plane;
      plan->kernels->conv_weights(&plan->along_channels, &source, plan->numbers,
                                  z.data + k * z.plane, plan->numbers, d_u + k * plane, n);
    }
  }
}

/* Where the taps of a part lie in a kernel, from its first on. */
static nas_winograd_taps taps_in(const nas_winograd_plan *plan, int number, size_t *first) {
  const nas_convolution *c = &plan->is;
  const kernel_part p = part_of(c, &plan->cut, number);
  ptrdiff_t tap = (ptrdiff_t)c->channels * plan->row;
  *first = (size_t)(p.base[0] * c->kernel[1] + p.base[1]) * (size_t)tap;
  return (nas_winograd_taps){{p.taps[0], p.taps[1]}, {c->kernel[1] * tap, tap}};
}

void nas_winograd_finish(const nas_winograd_plan *plan, const nas_layer *layer,
                         const nas_pass *pass) {
  const nas_convolution *c = &plan->is;
  size_t plane = u_plane(c, &plan->cut), of_part = (size_t)c->channels * (size_t)plan->row, first;
  float *d_u = pass->kept + layer->kept, *d_w = pass->d_params + layer->params[0];
  for (int part = 0; part < plan->cut.count; part++) {
    nas_winograd_taps taps = taps_in(plan, part, &first);
    plan->kernels->winograd_d_kernel(&plan->cut.form, &taps, d_u + (size_t)part * of_part, plane,
                                     c->channels, c->filters, d_w + first);
  }
  memset(d_u, 0, (size_t)plan->elements * plane * sizeof *d_u);
}

/* -- derived data ----------------------------------------------------------------------------- */

static int share(int count, int part, int parts) {
  return (int)((int64_t)count * part / parts);
}

/* Filter o's row of a part turned about, those channels of it that a source has: taps in reverse
 * order, channels side by side. A block of channels at a time is gathered and transformed. */
static void derive_turned(const nas_winograd_plan *plan, const nas_winograd_taps *taps,
                          const float *w, int channels, float *u) {
  enum { BLOCK = 64, TAPS = TAPS_MAX * TAPS_MAX };
  float turned[TAPS][BLOCK];
  int rows = taps->count[0], columns = taps->count[1], last = rows * columns - 1;
  const nas_winograd_taps gathered = {{rows, columns}, {columns * BLOCK, BLOCK}};
  for (int from = 0; from < channels; from += BLOCK) {
    int width = least(BLOCK, channels - from);
    memset(turned, 0, sizeof turned);
    for (int t = 0; t <= last; t++) {
      const float *tap = w + t / columns * taps->apart[0] + t % columns * taps->apart[1];
      for (int c = 0; c < width; c++)
        turned[last - t][c] = tap[(size_t)(from + c) * (size_t)plan->row];
    }
    plan->kernels->winograd_kernel(&plan->cut.form, &gathered, turned[0], 1, width, u + from,
                                   turned_plane(&plan->is));
  }
}

/* Rows `from` to `end` of all sources of a part turned about. */
static void derive_turned_rows(const nas_winograd_plan *plan, const nas_winograd_taps *taps,
                               const float *w, int from, int end, float *u) {
  const nas_convolution *c = &plan->is;
  for (int o = from; o < end; o++)
    for (int k = 0, channel = 0; k < nas_convolution_sources(c); k++) {
      int channels = nas_convolution_source(c, k);
      derive_turned(plan, taps, w + (size_t)channel * (size_t)plan->row + o, channels,
                    u + (size_t)o * (size_t)nas_convolution_columns(c) +
                        nas_convolution_column(c, k));
      channel += channels;
    }
}

void nas_winograd_derive(const nas_winograd_plan *plan, const nas_layer *layer, const float *params,
                         float *derived, int part, int parts) {
  const nas_convolution *c = &plan->is;
  size_t row = (size_t)plan->row, plane = u_plane(c, &plan->cut), first;
  size_t elements = (size_t)plan->elements;
  int from = share(c->channels, part, parts), end = share(c->channels, part + 1, parts);
  float *u = derived + layer->derived;
  for (int p = 0; p < plan->cut.count; p++) {
    nas_winograd_taps taps = taps_in(plan, p, &first);
    const float *w = params + layer->params[0] + first;
    plan->kernels->winograd_kernel(&plan->cut.form, &taps, w + (size_t)from * row, end - from,
                                   c->filters, u + (size_t)(p * c->channels + from) * row, plane);
    if (plan->backwards)
      derive_turned_rows(plan, &taps, w, share(c->filters, part, parts),
                         share(c->filters, part + 1, parts),
                         u + elements * (plane + (size_t)p * turned_plane(c)));
  }
}
