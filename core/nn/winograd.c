#include "winograd.h"
#include <nas/compiled.h>
#include <nas/memory.h>
#include <string.h>
#include "kernel.h"

enum { TILE = 4, WINDOW = 3, ELEMENTS = 36 };

/* Floats of V or M that lie in the cache at once, about. */
enum { BLOCK_FLOATS = ELEMENTS * 48 * 64 };

/* The tiles of the images of a micro-batch, image after image. */
typedef struct tiling {
  nas_tile *tiles;
  size_t of_image;
} tiling;

struct nas_winograd_plan {
  const nas_kernels *kernels;
  nas_convolution is;
  int32_t row, columns; /* of rows of filters; of channels, each source padded */
  size_t block;         /* tiles at a time */
  tiling forward,
      backwards;    /* outputs are those of the layer; its inputs. NULL tiles: not needed */
  int32_t *numbers; /* 0, 1, 2, ... block - 1 */
  nas_tap taps[NAS_INPUTS_MAX], tap; /* of the sources in V; of d_y */
  nas_window along_channels, along_filters;
};

/* -- the rule --------------------------------------------------------------------------------- */

static int tiles_along(int pixels) {
  return (pixels + TILE - 1) / TILE;
}

/* A full tile takes 4 times fewer multiplications than a sliding window, but transforms and tiles
 * that the map fills in part eat that up. Measured from 3x3 to 28x28 pixels and from 16 to 64
 * channels: where tiles have at least 10 outputs on average it is 1.1 to 2 times faster, below that
 * 0.7 to 1.2 times as fast. */
int nas_winograd_applies(const nas_convolution *c, int wish) {
  if (wish == NAS_WINOGRAD_NONE || c->depthwise) return 0;
  for (int d = 0; d < 2; d++)
    if (c->kernel[d] != WINDOW || c->stride[d] != 1) return 0;
  if (wish == NAS_WINOGRAD_ALL) return 1;
  int64_t tiles = (int64_t)tiles_along(c->out[0]) * tiles_along(c->out[1]);
  return c->channels >= 16 && c->filters >= 16 && (int64_t)c->out[0] * c->out[1] >= 10 * tiles;
}

/* -- sizes ------------------------------------------------------------------------------------ */

static size_t block_of(const nas_convolution *c) {
  int columns = nas_convolution_columns(c), row = nas_row(c->filters);
  size_t widest = (size_t)(columns > row ? columns : row);
  size_t tiles = BLOCK_FLOATS / (ELEMENTS * widest);
  return tiles < 12 ? 12 : tiles > 96 ? 96 : tiles / 12 * 12;
}

/* Planes of so many rows. Those that begin a power of two apart would share the same few sets of
 * the cache. */
static size_t plane_of(size_t rows, int row) {
  return rows * (size_t)row + NAS_LANES;
}

/* Of U, and of the U of the kernel turned about. */
static size_t u_plane(const nas_convolution *c) {
  return plane_of((size_t)c->channels, nas_row(c->filters));
}

static size_t turned_plane(const nas_convolution *c) {
  return plane_of((size_t)c->filters, nas_convolution_columns(c));
}

size_t nas_winograd_room(const nas_convolution *c) {
  size_t block = block_of(c);
  return ELEMENTS *
         (plane_of(block, nas_convolution_columns(c)) + plane_of(block, nas_row(c->filters)));
}

size_t nas_winograd_kept(const nas_convolution *c) {
  return ELEMENTS * u_plane(c);
}

/* U, and behind it that of the kernel turned about. */
size_t nas_winograd_derived(const nas_convolution *c, int inference) {
  return ELEMENTS * (u_plane(c) + (inference ? 0 : turned_plane(c)));
}

/* -- tiles ------------------------------------------------------------------------------------ */

static int least(int a, int b) {
  return a < b ? a : b;
}

/* Tiles of height x width outputs in map `out`, whose windows begin `pad` above and to the left of
 * the output's pixel in map `in`. */
static nas_status create_tiling(tiling *to, const nas_map *in, const nas_map *out, const int pad[2],
                                int images, nas_error *err) {
  to->of_image = (size_t)tiles_along(out->height) * (size_t)tiles_along(out->width);
  size_t count = to->of_image * (size_t)images;
  nas_tile *tile = to->tiles = nas_alloc(count, sizeof *to->tiles);
  if (!tile) return nas_fail_memory(err, "the tiles of a convolution", count * sizeof *tile);
  for (int n = 0; n < images; n++)
    for (int y = 0; y < out->height; y += TILE)
      for (int x = 0; x < out->width; x += TILE)
        *tile++ = (nas_tile){.in = n * in->image + (y - pad[0]) * in->pitch + x - pad[1],
                             .out = n * out->image + y * out->pitch + x,
                             .rows = least(TILE, out->height - y),
                             .columns = least(TILE, out->width - x)};
  return NAS_OK;
}

/* What the products walk along, by windows of one pixel over the tiles: the channels of each
 * source; the filters. */
static void set_windows(nas_winograd_plan *plan) {
  const nas_convolution *c = &plan->is;
  int64_t channel = 0;
  for (int k = 0; k < nas_convolution_sources(c); k++) {
    int channels = nas_convolution_source(c, k);
    plan->taps[k] = (nas_tap){.channels = channels,
                              .offset = nas_convolution_column(c, k),
                              .weights = channel * plan->row};
    channel += channels;
  }
  plan->tap = (nas_tap){.channels = c->filters};
  plan->along_channels = (nas_window){.taps = plan->taps,
                                      .tap_count = nas_convolution_sources(c),
                                      .weight_stride = plan->row,
                                      .width = c->filters,
                                      .source_stride = &plan->columns,
                                      .out_stride = plan->row};
  plan->along_filters = (nas_window){.taps = &plan->tap,
                                     .tap_count = 1,
                                     .weight_stride = plan->columns,
                                     .width = plan->columns,
                                     .source_stride = &plan->row,
                                     .out_stride = plan->columns};
}

nas_status nas_winograd_create(nas_winograd_plan **out, const nas_layer *layer,
                               const nas_convolution *c, nas_error *err) {
  nas_winograd_plan *plan = nas_alloc_zero(1, sizeof *plan);
  *out = NULL;
  if (!plan) return nas_fail_memory(err, "a convolution", sizeof *plan);
  plan->kernels = layer->kernels;
  plan->is = *c;
  plan->row = nas_row(c->filters);
  plan->columns = nas_convolution_columns(c);
  plan->block = block_of(c);
  set_windows(plan);
  plan->numbers = nas_alloc(plan->block, sizeof *plan->numbers);
  nas_status status = plan->numbers ? NAS_OK : nas_fail_memory(err, "a convolution", plan->block);
  for (size_t i = 0; plan->numbers && i < plan->block; i++) plan->numbers[i] = (int32_t)i;
  if (status == NAS_OK)
    status = create_tiling(&plan->forward, layer->inputs[0], layer->output, c->pad,
                           layer->micro_batch, err);
  const int turned[2] = {WINDOW - 1 - c->pad[0], WINDOW - 1 - c->pad[1]};
  if (status == NAS_OK && nas_convolve_gives(layer))
    status = create_tiling(&plan->backwards, layer->d_output, layer->inputs[0], turned,
                           layer->micro_batch, err);
  if (status != NAS_OK) nas_winograd_destroy(&plan);
  *out = plan;
  return status;
}

void nas_winograd_destroy(nas_winograd_plan **handle) {
  if (!*handle) return;
  nas_free((*handle)->forward.tiles);
  nas_free((*handle)->backwards.tiles);
  nas_free((*handle)->numbers);
  nas_free(*handle);
  *handle = NULL;
}

/* -- running ---------------------------------------------------------------------------------- */

/* The network's images may lie in rows without padding, which only the scalar table reads. */
static const nas_kernels *for_map(const nas_winograd_plan *plan, const nas_map *map) {
  return map->stride % NAS_LANES ? nas_kernels_named("scalar") : plan->kernels;
}

static nas_tile_map tile_map(const nas_map *map, const nas_pass *pass) {
  return (nas_tile_map){nas_map_data(map, pass->arena), map->stride, map->pitch};
}

/* Each plane of `from` times one of u gives one of `to`. */
static void multiply(const nas_winograd_plan *plan, const nas_window *window,
                     const nas_tile_planes *from, const float *u, size_t u_plane,
                     const nas_tile_planes *to, size_t tiles) {
  const float *source = from->data;
  float *out = to->data;
  for (int k = 0; k < ELEMENTS; k++, source += from->plane, u += u_plane, out += to->plane)
    plan->kernels->conv(window, &source, plan->numbers, u, NULL, out, plan->numbers, tiles, 0);
}

/* V or, backwards, M of the inputs; M or Z of the output. */
static nas_tile_planes columns_of(const nas_winograd_plan *plan, const nas_pass *pass) {
  return (nas_tile_planes){pass->room, plane_of(plan->block, plan->columns), plan->columns};
}

static nas_tile_planes rows_of(const nas_winograd_plan *plan, const nas_pass *pass) {
  nas_tile_planes columns = columns_of(plan, pass);
  return (nas_tile_planes){columns.data + ELEMENTS * columns.plane,
                           plane_of(plan->block, plan->row), plan->row};
}

static nas_tile_planes source_at(const nas_winograd_plan *plan, nas_tile_planes columns, int k) {
  columns.data += nas_convolution_column(&plan->is, k);
  return columns;
}

/* V of all sources. */
static void transform_inputs(const nas_winograd_plan *plan, const nas_layer *layer,
                             const nas_pass *pass, const nas_tile *tiles, size_t count,
                             nas_tile_planes v) {
  for (int k = 0; k < layer->input_count; k++) {
    const nas_map *in = layer->inputs[k];
    const nas_tile_map x = tile_map(in, pass);
    const nas_tile_planes to = source_at(plan, v, k);
    for_map(plan, in)->winograd_input(&x, tiles, count, in->channels, &to);
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
    multiply(plan, &plan->along_channels, &v, u, u_plane(&plan->is), &m, n);
    plan->kernels->winograd_output(&m, tiles, n, plan->is.filters, bias, &y,
                                   layer->relu ? NAS_CONV_RELU : 0);
  }
}

/* A forward pass of d_y, through the kernel turned about, into all columns. */
void nas_winograd_backward_input(const nas_winograd_plan *plan, const nas_layer *layer,
                                 const nas_pass *pass) {
  const nas_tile_planes m = columns_of(plan, pass), v = rows_of(plan, pass);
  const nas_tile_map d_y = tile_map(layer->d_output, pass);
  const float *turned = pass->derived + layer->derived + ELEMENTS * u_plane(&plan->is);
  for (size_t at = 0, n; (n = block_at(plan, &plan->backwards, pass, at)) > 0; at += n) {
    const nas_tile *tiles = plan->backwards.tiles + at;
    plan->kernels->winograd_input(&d_y, tiles, n, plan->is.filters, &v);
    multiply(plan, &plan->along_filters, &v, turned, turned_plane(&plan->is), &m, n);
    for (int k = 0; k < layer->input_count; k++) {
      if (!layer->d_inputs[k]) continue;
      const nas_tile_map d_x = tile_map(layer->d_inputs[k], pass);
      const nas_tile_planes from = source_at(plan, m, k);
      plan->kernels->winograd_output(&from, tiles, n, layer->d_inputs[k]->channels, NULL, &d_x,
                                     layer->accumulate[k] ? NAS_CONV_ACCUMULATE : 0);
    }
  }
}

/* dU[k] += V[k]' Z[k] */
void nas_winograd_backward_kernel(const nas_winograd_plan *plan, const nas_layer *layer,
                                  const nas_pass *pass) {
  const nas_tile_planes v = columns_of(plan, pass), z = rows_of(plan, pass);
  const nas_tile_map d_y = tile_map(layer->d_output, pass);
  size_t plane = u_plane(&plan->is);
  float *d_u = pass->kept + layer->kept;
  for (size_t at = 0, n; (n = block_at(plan, &plan->forward, pass, at)) > 0; at += n) {
    const nas_tile *tiles = plan->forward.tiles + at;
    transform_inputs(plan, layer, pass, tiles, n, v);
    plan->kernels->winograd_d_output(&d_y, tiles, n, plan->is.filters, &z);
    for (size_t k = 0; k < ELEMENTS; k++) {
      const float *source = v.data + k * v.plane;
      plan->kernels->conv_weights(&plan->along_channels, &source, plan->numbers,
                                  z.data + k * z.plane, plan->numbers, d_u + k * plane, n);
    }
  }
}

void nas_winograd_finish(const nas_winograd_plan *plan, const nas_layer *layer,
                         const nas_pass *pass) {
  const nas_convolution *c = &plan->is;
  float *d_u = pass->kept + layer->kept;
  plan->kernels->winograd_d_kernel(d_u, u_plane(c), c->channels, c->filters,
                                   pass->d_params + layer->params[0],
                                   (size_t)c->channels * (size_t)plan->row);
  memset(d_u, 0, ELEMENTS * u_plane(c) * sizeof *d_u);
}

/* -- derived data ----------------------------------------------------------------------------- */

static int share(int count, int part, int parts) {
  return (int)((int64_t)count * part / parts);
}

/* Filter o's row of the kernel turned about, those channels of it that a source has: taps in
 * reverse order, channels side by side. A block of channels at a time is gathered and transformed.
 */
static void derive_turned(const nas_winograd_plan *plan, const float *w, size_t tap, int channels,
                          int o, float *u) {
  enum { BLOCK = 64, TAPS = WINDOW * WINDOW };
  float taps[TAPS][BLOCK];
  for (int from = 0; from < channels; from += BLOCK) {
    int width = least(BLOCK, channels - from);
    memset(taps, 0, sizeof taps);
    for (int t = 0; t < TAPS; t++)
      for (int c = 0; c < width; c++)
        taps[TAPS - 1 - t][c] =
            w[(size_t)t * tap + (size_t)(from + c) * (size_t)plan->row + (size_t)o];
    plan->kernels->winograd_kernel(taps[0], BLOCK, 1, width, u + from, turned_plane(&plan->is));
  }
}

void nas_winograd_derive(const nas_winograd_plan *plan, const nas_layer *layer, const float *params,
                         float *derived, int part, int parts) {
  const nas_convolution *c = &plan->is;
  const float *w = params + layer->params[0];
  size_t row = (size_t)plan->row, tap = (size_t)c->channels * row;
  int from = share(c->channels, part, parts), end = share(c->channels, part + 1, parts);
  float *u = derived + layer->derived, *turned = u + ELEMENTS * u_plane(c);
  plan->kernels->winograd_kernel(w + (size_t)from * row, tap, end - from, c->filters,
                                 u + (size_t)from * row, u_plane(c));
  if (!plan->backwards.tiles) return;
  for (int o = share(c->filters, part, parts); o < share(c->filters, part + 1, parts); o++)
    for (int k = 0, channel = 0; k < nas_convolution_sources(c); k++) {
      int channels = nas_convolution_source(c, k);
      derive_turned(plan, w + (size_t)channel * row, tap, channels, o,
                    turned + (size_t)o * (size_t)plan->columns + nas_convolution_column(c, k));
      channel += channels;
    }
}
