/* The transforms of Winograd's algorithm: every table against the scalar one, bit for bit, and the
 * scalar ones against their definition in double. */
#include "boards.h"

enum { ELEMENTS = 36, TILES_MAX = 20, WIDTH_MAX = 40, CASES = 300 };

/* Tiles somewhere on a map, none overlapping. */
typedef struct problem {
  mood mood;
  nas_winograd_form form;
  int elements;
  int taps[2]; /* of a part of the kernel */
  int width, stride, pitch;
  size_t count, plane;
  nas_tile *tiles;
  float *block; /* the pixels of the map from the first that a tile reads to the last */
  size_t first, pixel_count;
  ptrdiff_t rows[ELEMENTS * TILES_MAX]; /* of the transformed tiles */
} problem;

/* Half of them 3x3 taps, as for most kernels; never one tap in both dimensions. */
static nas_winograd_form draw_form(void) {
  int rows = between(1, 5), columns = between(rows == 1 ? 2 : 1, 5);
  return one_in(2) ? nas_winograd_form_of(3, 3) : nas_winograd_form_of(rows, columns);
}

static void draw_tile(problem *p, nas_tile *tile, int32_t at) {
  *tile = (nas_tile){at, at, between(1, p->form.outputs[0]), between(1, p->form.outputs[1])};
  if (one_in(2)) return;
  tile->rows = p->form.outputs[0];
  tile->columns = p->form.outputs[1];
}

/* The last pixel that a tile sees, as many more than its outputs. */
static size_t end_of(const problem *p, const nas_tile *tile, const int more[2]) {
  return (size_t)(tile->in + (tile->rows - 1 + more[0]) * p->pitch + tile->columns - 1 + more[1]);
}

/* Tiles read `seen` more rows and columns of pixels than they have outputs: all or none. */
static problem problem_of(int number, int seen) {
  problem p = {.mood = (mood)(number % MOODS), .width = between(1, WIDTH_MAX)};
  p.form = draw_form();
  p.elements = nas_winograd_elements(&p.form);
  int more[2];
  for (int d = 0; d < 2; d++) {
    p.taps[d] = one_in(2) ? p.form.taps[d] : between(1, p.form.taps[d]);
    more[d] = seen ? p.taps[d] - 1 : 0;
  }
  p.stride = nas_row(p.width) + NAS_LANES * between(0, 2);
  p.pitch = between(6, 9);
  p.count = (size_t)between(1, TILES_MAX);
  p.plane = p.count * (size_t)nas_row(p.width) + (size_t)(NAS_LANES * between(0, 2));
  p.tiles = fence_alloc(p.count * sizeof *p.tiles, fence_any_side());
  for (size_t t = 0; t < p.count; t++)
    draw_tile(&p, &p.tiles[t], (int32_t)t * 6 * p.pitch + between(0, p.pitch - 6));
  p.first = (size_t)p.tiles[0].in;
  p.pixel_count = end_of(&p, &p.tiles[p.count - 1], more) + 1 - p.first;
  p.block = numbers((p.pixel_count - 1) * (size_t)p.stride + (size_t)nas_row(p.width), p.mood);
  for (size_t i = 0; i < p.pixel_count; i++)
    clean_row(p.block + i * (size_t)p.stride, p.width, p.mood);
  for (size_t r = 0; r < (size_t)p.elements * p.count; r++)
    p.rows[r] = (ptrdiff_t)(r / p.count * p.plane + r % p.count * (size_t)nas_row(p.width));
  return p;
}

static void problem_free(problem *p) {
  fence_free(p->tiles);
  fence_free(p->block);
}

static nas_tile_map map_of(const problem *p, float *data) {
  return (nas_tile_map){data, p->stride, p->pitch};
}

/* A transform from pixels to tiles. */
typedef void transform(const nas_kernels *table, const problem *p, float *to);

static void input(const nas_kernels *table, const problem *p, float *to) {
  nas_tile_map map = map_of(p, p->block - p->first * (size_t)p->stride);
  nas_tile_planes planes = {to, p->plane, nas_row(p->width)};
  table->winograd_input(&p->form, p->taps, &map, p->tiles, p->count, p->width, &planes);
}

static void d_output(const nas_kernels *table, const problem *p, float *to) {
  nas_tile_map map = map_of(p, p->block - p->first * (size_t)p->stride);
  nas_tile_planes planes = {to, p->plane, nas_row(p->width)};
  table->winograd_d_output(&p->form, &map, p->tiles, p->count, p->width, &planes);
}

/* Where taps lie that are `tap` floats apart, rows of taps with a gap. */
static nas_winograd_taps taps_of(const problem *p, size_t tap) {
  return (nas_winograd_taps){{p->taps[0], p->taps[1]},
                             {(ptrdiff_t)tap * (p->taps[1] + 1), (ptrdiff_t)tap}};
}

/* The map's pixels as taps. */
static void kernel(const nas_kernels *table, const problem *p, float *to) {
  size_t row = (size_t)nas_row(p->width), tap = p->count * row;
  nas_winograd_taps taps = taps_of(p, tap);
  size_t rows = p->count * (size_t)((p->taps[0] - 1) * (p->taps[1] + 1) + p->taps[1]);
  float *w = fence_alloc(rows * row * sizeof *w, fence_any_side());
  for (size_t r = 0; r < rows; r++)
    memcpy(w + r * row, p->block + r % p->pixel_count * (size_t)p->stride, row * sizeof *w);
  table->winograd_kernel(&p->form, &taps, w, (int)p->count, p->width, to, p->plane);
  fence_free(w);
}

static void check_transform(transform *run, const char *purpose, int more) {
  dice = nas_stream_open(1, purpose, NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number, more);
    board b = board_of(p.rows, (size_t)p.elements * p.count, p.width, p.mood);
    run(nas_kernels_named("scalar"), &p, b.expected + b.zero);
    EACH_TABLE(table) {
      memcpy(b.got, b.before, b.size * sizeof(float));
      run(table, &p, b.got + b.zero);
      board_compare(&b, table->name, number, p.mood);
    }
    board_free(&b);
    problem_free(&p);
  }
}

static void input_equals_scalar(void **state) {
  (void)state;
  check_transform(input, "input", 1);
}

static void d_output_equals_scalar(void **state) {
  (void)state;
  check_transform(d_output, "d_output", 0);
}

static void kernel_equals_scalar(void **state) {
  (void)state;
  check_transform(kernel, "kernel", 0);
}

/* Transformed tiles: their rows, as many as in the problem. */
static float *transformed(const problem *p) {
  size_t rows = (size_t)p->elements * p->count;
  float *from = numbers((size_t)(p->rows[rows - 1] + nas_row(p->width)), p->mood);
  for (size_t r = 0; r < rows; r++) clean_row(from + p->rows[r], p->width, p->mood);
  return from;
}

static void output_equals_scalar(void **state) {
  (void)state;
  dice = nas_stream_open(1, "output", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number, 0);
    ptrdiff_t rows[25 * TILES_MAX];
    size_t count = 0;
    for (size_t t = 0; t < p.count; t++)
      for (int i = 0; i < p.tiles[t].rows; i++)
        for (int j = 0; j < p.tiles[t].columns; j++)
          rows[count++] = (ptrdiff_t)(p.tiles[t].out + i * p.pitch + j) * p.stride;
    float *from = transformed(&p), *bias = numbers((size_t)nas_row(p.width), p.mood);
    clean_row(bias, p.width, p.mood);
    const float *added = one_in(2) ? bias : NULL;
    unsigned flags = (one_in(2) ? NAS_CONV_RELU : 0u) | (one_in(2) ? NAS_CONV_ACCUMULATE : 0u);
    board b = board_of(rows, count, p.width, p.mood);
    nas_tile_map map = map_of(&p, b.expected + b.zero);
    nas_tile_planes planes = {from, p.plane, nas_row(p.width)};
    nas_kernels_named("scalar")->winograd_output(&p.form, &planes, p.tiles, p.count, p.width, added,
                                                 &map, flags);
    EACH_TABLE(table) {
      memcpy(b.got, b.before, b.size * sizeof(float));
      map.data = b.got + b.zero;
      table->winograd_output(&p.form, &planes, p.tiles, p.count, p.width, added, &map, flags);
      board_compare(&b, table->name, number, p.mood);
    }
    board_free(&b);
    fence_free(from);
    fence_free(bias);
    problem_free(&p);
  }
}

static void d_kernel_equals_scalar(void **state) {
  (void)state;
  dice = nas_stream_open(1, "d_kernel", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number, 0);
    ptrdiff_t rows[25 * TILES_MAX];
    size_t row = (size_t)nas_row(p.width), count = 0;
    nas_winograd_taps taps = taps_of(&p, p.count * row + (size_t)(NAS_LANES * between(0, 2)));
    for (int i = 0; i < p.taps[0]; i++)
      for (int j = 0; j < p.taps[1]; j++)
        for (size_t r = 0; r < p.count; r++)
          rows[count++] = i * taps.apart[0] + j * taps.apart[1] + (ptrdiff_t)(r * row);
    float *from = transformed(&p);
    board b = board_of(rows, count, p.width, p.mood);
    nas_kernels_named("scalar")->winograd_d_kernel(&p.form, &taps, from, p.plane, (int)p.count,
                                                   p.width, b.expected + b.zero);
    EACH_TABLE(table) {
      memcpy(b.got, b.before, b.size * sizeof(float));
      table->winograd_d_kernel(&p.form, &taps, from, p.plane, (int)p.count, p.width,
                               b.got + b.zero);
      board_compare(&b, table->name, number, p.mood);
    }
    board_free(&b);
    fence_free(from);
    problem_free(&p);
  }
}

/* -- the definition --------------------------------------------------------------------------- */

/* The points but infinity, and B of Lavin & Gray 2016, section 4.3. */
static const double points[] = {0, 1, -1, 2, -2};
static const double B[6][6] = {{4, 0, 0, 0, 0, 0},    {0, -4, 4, -2, 2, 4}, {-5, -4, -4, -1, -1, 0},
                               {0, 1, -1, 2, -2, -5}, {1, 1, 1, 1, 1, 0},   {0, 0, 0, 0, 0, 1}};

/* The i-th point to the power j, of `count`; divided by its distances from the others for G. */
static double power(char matrix, int i, int j, int count) {
  double value = 1;
  if (i == 5) return j == count - 1;
  for (int k = 0; k < j; k++) value *= points[i];
  for (int k = 0; k < 5; k++)
    if (matrix == 'G' && k != i) value /= points[i] - points[k];
  return value;
}

/* Element (row, column) of B, or of A or G for that many outputs or taps. */
static double element(char matrix, int row, int column, int count) {
  if (count == 1) return row == column;
  return matrix == 'B' ? B[row][column] : power(matrix, row, column, count);
}

typedef struct transformation {
  char matrix;
  int transposed;
  int count[2], in[2], out[2];
} transformation;

/* What an element i of the result takes of an element k along a dimension. */
static double coefficient(const transformation *t, int d, int i, int k) {
  return t->transposed ? element(t->matrix, k, i, t->count[d])
                       : element(t->matrix, i, k, t->count[d]);
}

/* from [in][in] -> M from M' of [out][out] in double against the float result, to a few roundings
 * of the sum of magnitudes. */
static void check_definition(const transformation *t, const float *from, const float *got) {
  for (int i = 0; i < t->out[0]; i++)
    for (int j = 0; j < t->out[1]; j++) {
      double sum = 0, size = 0, result = (double)got[i * t->out[1] + j];
      for (int k = 0; k < t->in[0]; k++)
        for (int l = 0; l < t->in[1]; l++) {
          double term =
              coefficient(t, 0, i, k) * (double)from[k * t->in[1] + l] * coefficient(t, 1, j, l);
          sum += term;
          size += fabs(term);
        }
      if (fabs(result - sum) <= 12 * 0x1p-24 * size) continue;
      fail_msg("%c, element %d, %d: %.9g, expected %.9g", t->matrix, i, j, result, sum);
    }
}

static void check_form(const nas_winograd_form *form) {
  const nas_kernels *scalar = nas_kernels_named("scalar");
  const int *taps = form->taps, *outputs = form->outputs, *points_of = form->points;
  const nas_tile tile = {0, 0, outputs[0], outputs[1]};
  int elements = nas_winograd_elements(form), width = points_of[1];
  float from[ELEMENTS], to[ELEMENTS * NAS_LANES] = {0}, dense[ELEMENTS];
  float wide[ELEMENTS * NAS_LANES];
  for (int k = 0; k < ELEMENTS; k++) from[k] = wide[k * NAS_LANES] = plain_number();
  nas_tile_map pixels = {from, 1, width}, small = {from, 1, outputs[1]};
  nas_tile_planes to_planes = {to, NAS_LANES, NAS_LANES},
                  wide_planes = {wide, NAS_LANES, NAS_LANES};
  transformation t = {'B', 1, {taps[0], taps[1]}, {points_of[0], width}, {points_of[0], width}};
  scalar->winograd_input(form, taps, &pixels, &tile, 1, 1, &to_planes);
  for (int k = 0; k < elements; k++) dense[k] = to[k * NAS_LANES];
  check_definition(&t, from, dense);

  t = (transformation){
      'A', 0, {outputs[0], outputs[1]}, {outputs[0], outputs[1]}, {points_of[0], width}};
  scalar->winograd_d_output(form, &small, &tile, 1, 1, &to_planes);
  for (int k = 0; k < elements; k++) dense[k] = to[k * NAS_LANES];
  check_definition(&t, from, dense);
  t = (transformation){
      'A', 1, {outputs[0], outputs[1]}, {points_of[0], width}, {outputs[0], outputs[1]}};
  small.data = dense;
  scalar->winograd_output(form, &wide_planes, &tile, 1, 1, NULL, &small, 0);
  check_definition(&t, from, dense);

  nas_winograd_taps lie = {{taps[0], taps[1]}, {taps[1] * NAS_LANES, NAS_LANES}};
  t = (transformation){'G', 0, {taps[0], taps[1]}, {taps[0], taps[1]}, {points_of[0], width}};
  scalar->winograd_kernel(form, &lie, wide, 1, 1, to, NAS_LANES);
  for (int k = 0; k < elements; k++) dense[k] = to[k * NAS_LANES];
  check_definition(&t, from, dense);
  t = (transformation){'G', 1, {taps[0], taps[1]}, {points_of[0], width}, {taps[0], taps[1]}};
  memset(to, 0, sizeof to);
  scalar->winograd_d_kernel(form, &lie, wide, NAS_LANES, 1, 1, to);
  for (int k = 0; k < taps[0] * taps[1]; k++) dense[k] = to[k * NAS_LANES];
  check_definition(&t, from, dense);
}

static void scalar_by_definition(void **state) {
  (void)state;
  dice = nas_stream_open(1, "definition", NULL, 0);
  for (int rows = 1; rows <= 5; rows++)
    for (int columns = rows == 1 ? 2 : 1; columns <= 5; columns++)
      for (int number = 0; number < 10; number++) {
        nas_winograd_form form = nas_winograd_form_of(rows, columns);
        check_form(&form);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(scalar_by_definition), TEST(input_equals_scalar),  TEST(d_output_equals_scalar),
      TEST(output_equals_scalar), TEST(kernel_equals_scalar), TEST(d_kernel_equals_scalar),
  };
  return cmocka_run_group_tests_name("winograd", tests, NULL, NULL);
}
