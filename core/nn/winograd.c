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
  int channels, filters;
  size_t block; /* tiles at a time */
  tiling forward,
      backwards;    /* outputs are those of the layer; its inputs. NULL tiles: not needed */
  int32_t *numbers; /* 0, 1, 2, ... block - 1 */
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

static size_t block_of(int channels, int filters) {
  size_t widest = (size_t)nas_row(channels > filters ? channels : filters);
  size_t tiles = BLOCK_FLOATS / (ELEMENTS * widest);
  return tiles < 12 ? 12 : tiles > 96 ? 96 : tiles / 12 * 12;
}

/* Planes that begin a power of two apart would share the same few sets of the cache. */
static size_t plane_of(size_t rows, int width) {
  return rows * (size_t)nas_row(width) + NAS_LANES;
}

size_t nas_winograd_room(const nas_convolution *c) {
  size_t block = block_of(c->channels, c->filters);
  return ELEMENTS * (plane_of(block, c->channels) + plane_of(block, c->filters));
}

size_t nas_winograd_kept(const nas_convolution *c) {
  return ELEMENTS * plane_of((size_t)c->channels, c->filters);
}

/* U, and behind it that of the kernel turned about. */
size_t nas_winograd_derived(const nas_convolution *c, int inference) {
  size_t forward = ELEMENTS * plane_of((size_t)c->channels, c->filters);
  return inference ? forward : forward + ELEMENTS * plane_of((size_t)c->filters, c->channels);
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

nas_status nas_winograd_create(nas_winograd_plan **out, const nas_layer *layer,
                               const nas_convolution *c, nas_error *err) {
  nas_winograd_plan *plan = nas_alloc_zero(1, sizeof *plan);
  *out = NULL;
  if (!plan) return nas_fail_memory(err, "a convolution", sizeof *plan);
  plan->kernels = layer->kernels;
  plan->channels = c->channels;
  plan->filters = c->filters;
  plan->block = block_of(c->channels, c->filters);
  plan->numbers = nas_alloc(plan->block, sizeof *plan->numbers);
  nas_status status = plan->numbers ? NAS_OK : nas_fail_memory(err, "a convolution", plan->block);
  for (size_t i = 0; plan->numbers && i < plan->block; i++) plan->numbers[i] = (int32_t)i;
  if (status == NAS_OK)
    status = create_tiling(&plan->forward, layer->inputs[0], layer->output, c->pad,
                           layer->micro_batch, err);
  const int turned[2] = {WINDOW - 1 - c->pad[0], WINDOW - 1 - c->pad[1]};
  if (status == NAS_OK && layer->d_inputs[0])
    status = create_tiling(&plan->backwards, layer->d_output, layer->d_inputs[0], turned,
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

/* from[k] [tiles][inputs] times u[k] [inputs][outputs] gives to[k] [tiles][outputs]: a window of
 * one pixel slides over the tiles. */
static void multiply(const nas_winograd_plan *plan, const float *from, int inputs, const float *u,
                     float *to, int outputs, size_t tiles) {
  nas_tap tap = {.channels = inputs};
  int32_t stride = nas_row(inputs);
  nas_window window = {&tap, 1, nas_row(outputs), outputs, &stride, nas_row(outputs)};
  size_t from_plane = plane_of(plan->block, inputs), to_plane = plane_of(plan->block, outputs);
  size_t u_plane = plane_of((size_t)inputs, outputs);
  for (int k = 0; k < ELEMENTS; k++, from += from_plane, u += u_plane, to += to_plane)
    plan->kernels->conv(&window, &from, plan->numbers, u, NULL, to, plan->numbers, tiles, 0);
}

/* A whole convolution of map `in` into map `out`. */
static void convolve(const nas_winograd_plan *plan, const nas_pass *pass, const tiling *over,
                     const nas_map *in, const float *u, const float *bias, const nas_map *out,
                     unsigned flags) {
  size_t count = over->of_image * (size_t)pass->images, n;
  size_t in_plane = plane_of(plan->block, in->channels);
  size_t out_plane = plane_of(plan->block, out->channels);
  float *v = pass->room, *m = v + ELEMENTS * in_plane;
  const nas_tile_map x = tile_map(in, pass), y = tile_map(out, pass);
  for (size_t at = 0; at < count; at += n) {
    n = count - at < plan->block ? count - at : plan->block;
    for_map(plan, in)->winograd_input(&x, over->tiles + at, n, in->channels, v, in_plane);
    multiply(plan, v, in->channels, u, m, out->channels, n);
    plan->kernels->winograd_output(m, out_plane, over->tiles + at, n, out->channels, bias, &y,
                                   flags);
  }
}

void nas_winograd_forward(const nas_winograd_plan *plan, const nas_layer *layer, const float *bias,
                          const nas_pass *pass) {
  convolve(plan, pass, &plan->forward, layer->inputs[0], pass->derived + layer->derived, bias,
           layer->output, layer->relu ? NAS_CONV_RELU : 0);
}

void nas_winograd_backward_input(const nas_winograd_plan *plan, const nas_layer *layer,
                                 const nas_pass *pass) {
  size_t forward = ELEMENTS * plane_of((size_t)plan->channels, plan->filters);
  convolve(plan, pass, &plan->backwards, layer->d_output, pass->derived + layer->derived + forward,
           NULL, layer->d_inputs[0], layer->accumulate[0] ? NAS_CONV_ACCUMULATE : 0);
}

/* dU[k] += V[k]' Z[k] */
void nas_winograd_backward_kernel(const nas_winograd_plan *plan, const nas_layer *layer,
                                  const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *d_out = layer->d_output;
  size_t count = plan->forward.of_image * (size_t)pass->images, n;
  size_t v_plane = plane_of(plan->block, plan->channels);
  size_t z_plane = plane_of(plan->block, plan->filters);
  size_t u_plane = plane_of((size_t)plan->channels, plan->filters);
  float *v = pass->room, *z = v + ELEMENTS * v_plane, *d_u = pass->kept + layer->kept;
  const nas_tile_map x = tile_map(in, pass), d_y = tile_map(d_out, pass);
  nas_tap tap = {.channels = plan->channels};
  int32_t stride = nas_row(plan->channels);
  int row = nas_row(plan->filters);
  nas_window window = {&tap, 1, row, plan->filters, &stride, row};
  for (size_t at = 0; at < count; at += n) {
    const nas_tile *tiles = plan->forward.tiles + at;
    n = count - at < plan->block ? count - at : plan->block;
    for_map(plan, in)->winograd_input(&x, tiles, n, plan->channels, v, v_plane);
    plan->kernels->winograd_d_output(&d_y, tiles, n, plan->filters, z, z_plane);
    for (size_t k = 0; k < ELEMENTS; k++) {
      const float *source = v + k * v_plane;
      plan->kernels->conv_weights(&window, &source, plan->numbers, z + k * z_plane, plan->numbers,
                                  d_u + k * u_plane, n);
    }
  }
}

void nas_winograd_finish(const nas_winograd_plan *plan, const nas_layer *layer,
                         const nas_pass *pass) {
  size_t plane = plane_of((size_t)plan->channels, plan->filters);
  size_t tap = (size_t)plan->channels * (size_t)nas_row(plan->filters);
  float *d_u = pass->kept + layer->kept;
  plan->kernels->winograd_d_kernel(d_u, plane, plan->channels, plan->filters,
                                   pass->d_params + layer->params[0], tap);
  memset(d_u, 0, ELEMENTS * plane * sizeof *d_u);
}

/* -- derived data ----------------------------------------------------------------------------- */

static int share(int count, int part, int parts) {
  return (int)((int64_t)count * part / parts);
}

/* Filter o's row of the kernel turned about: taps in reverse order, channels side by side. A block
 * of channels at a time is gathered and transformed. */
static void derive_turned(const nas_winograd_plan *plan, const float *w, size_t tap, int o,
                          float *u) {
  enum { BLOCK = 64, TAPS = WINDOW * WINDOW };
  float taps[TAPS][BLOCK];
  size_t row = (size_t)nas_row(plan->filters);
  for (int from = 0; from < plan->channels; from += BLOCK) {
    int width = least(BLOCK, plan->channels - from);
    memset(taps, 0, sizeof taps);
    for (int t = 0; t < TAPS; t++)
      for (int c = 0; c < width; c++)
        taps[TAPS - 1 - t][c] = w[(size_t)t * tap + (size_t)(from + c) * row + (size_t)o];
    plan->kernels->winograd_kernel(taps[0], BLOCK, 1, width, u + from,
                                   plane_of((size_t)plan->filters, plan->channels));
  }
}

void nas_winograd_derive(const nas_winograd_plan *plan, const nas_layer *layer, const float *params,
                         float *derived, int part, int parts) {
  const float *w = params + layer->params[0];
  size_t row = (size_t)nas_row(plan->filters), tap = (size_t)plan->channels * row;
  size_t plane = plane_of((size_t)plan->channels, plan->filters);
  int from = share(plan->channels, part, parts), end = share(plan->channels, part + 1, parts);
  float *u = derived + layer->derived, *turned = u + ELEMENTS * plane;
  plan->kernels->winograd_kernel(w + (size_t)from * row, tap, end - from, plan->filters,
                                 u + (size_t)from * row, plane);
  if (!plan->backwards.tiles) return;
  for (int o = share(plan->filters, part, parts); o < share(plan->filters, part + 1, parts); o++)
    derive_turned(plan, w, tap, o, turned + (size_t)o * (size_t)nas_row(plan->channels));
}
