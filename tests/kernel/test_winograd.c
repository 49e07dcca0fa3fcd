/* The transforms of Winograd's algorithm: every table against the scalar one, bit for bit, and the
 * scalar ones against their definition in double. */
#include "boards.h"

enum { ELEMENTS = 36, TILES_MAX = 20, WIDTH_MAX = 40, CASES = 300 };

/* Tiles somewhere on a map, none overlapping. */
typedef struct problem {
  mood mood;
  int width, stride, pitch;
  size_t count, plane;
  nas_tile *tiles;
  float *block; /* the pixels of the map from the first that a tile reads to the last */
  size_t first, pixel_count;
  ptrdiff_t rows[ELEMENTS * TILES_MAX]; /* of the transformed tiles */
} problem;

/* Tiles read `more` rows and columns of pixels than they have outputs. */
static problem problem_of(int number, int more) {
  problem p = {.mood = (mood)(number % MOODS), .width = between(1, WIDTH_MAX)};
  p.stride = nas_row(p.width) + NAS_LANES * between(0, 2);
  p.pitch = between(6, 9);
  p.count = (size_t)between(1, TILES_MAX);
  p.plane = p.count * (size_t)nas_row(p.width) + (size_t)(NAS_LANES * between(0, 2));
  p.tiles = fence_alloc(p.count * sizeof *p.tiles, fence_any_side());
  for (size_t t = 0; t < p.count; t++) {
    int32_t at = (int32_t)t * 6 * p.pitch + between(0, p.pitch - 6);
    p.tiles[t] = (nas_tile){at, at, between(1, 4), between(1, 4)};
    if (one_in(2)) p.tiles[t].rows = p.tiles[t].columns = 4;
  }
  const nas_tile *last = &p.tiles[p.count - 1];
  p.first = (size_t)p.tiles[0].in;
  p.pixel_count =
      (size_t)(last->in + (last->rows - 1 + more) * p.pitch + last->columns + more) - p.first;
  p.block = numbers((p.pixel_count - 1) * (size_t)p.stride + (size_t)nas_row(p.width), p.mood);
  for (size_t i = 0; i < p.pixel_count; i++)
    clean_row(p.block + i * (size_t)p.stride, p.width, p.mood);
  for (size_t r = 0; r < ELEMENTS * p.count; r++)
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
  table->winograd_input(&map, p->tiles, p->count, p->width, &planes);
}

static void d_output(const nas_kernels *table, const problem *p, float *to) {
  nas_tile_map map = map_of(p, p->block - p->first * (size_t)p->stride);
  nas_tile_planes planes = {to, p->plane, nas_row(p->width)};
  table->winograd_d_output(&map, p->tiles, p->count, p->width, &planes);
}

/* The map's pixels as taps. */
static void kernel(const nas_kernels *table, const problem *p, float *to) {
  size_t tap = p->count * (size_t)nas_row(p->width);
  float *w = fence_alloc(9 * tap * sizeof *w, fence_any_side());
  for (size_t r = 0; r < 9 * p->count; r++)
    memcpy(w + r * (size_t)nas_row(p->width), p->block + r % p->pixel_count * (size_t)p->stride,
           (size_t)nas_row(p->width) * sizeof *w);
  table->winograd_kernel(w, tap, (int)p->count, p->width, to, p->plane);
  fence_free(w);
}

static void check_transform(transform *run, const char *purpose, int more) {
  dice = nas_stream_open(1, purpose, NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number, more);
    board b = board_of(p.rows, ELEMENTS * p.count, p.width, p.mood);
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
  check_transform(input, "input", 2);
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
  size_t rows = ELEMENTS * p->count;
  float *from = numbers((size_t)(p->rows[rows - 1] + nas_row(p->width)), p->mood);
  for (size_t r = 0; r < rows; r++) clean_row(from + p->rows[r], p->width, p->mood);
  return from;
}

static void output_equals_scalar(void **state) {
  (void)state;
  dice = nas_stream_open(1, "output", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number, 0);
    ptrdiff_t rows[16 * TILES_MAX];
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
    nas_kernels_named("scalar")->winograd_output(&planes, p.tiles, p.count, p.width, added, &map,
                                                 flags);
    EACH_TABLE(table) {
      memcpy(b.got, b.before, b.size * sizeof(float));
      map.data = b.got + b.zero;
      table->winograd_output(&planes, p.tiles, p.count, p.width, added, &map, flags);
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
    ptrdiff_t rows[9 * TILES_MAX];
    size_t row = (size_t)nas_row(p.width),
           tap = p.count * row + (size_t)(NAS_LANES * between(0, 2));
    for (size_t r = 0; r < 9 * p.count; r++)
      rows[r] = (ptrdiff_t)(r / p.count * tap + r % p.count * row);
    float *from = transformed(&p);
    board b = board_of(rows, 9 * p.count, p.width, p.mood);
    nas_kernels_named("scalar")->winograd_d_kernel(from, p.plane, (int)p.count, p.width,
                                                   b.expected + b.zero, tap);
    EACH_TABLE(table) {
      memcpy(b.got, b.before, b.size * sizeof(float));
      table->winograd_d_kernel(from, p.plane, (int)p.count, p.width, b.got + b.zero, tap);
      board_compare(&b, table->name, number, p.mood);
    }
    board_free(&b);
    fence_free(from);
    problem_free(&p);
  }
}

/* -- the definition --------------------------------------------------------------------------- */

/* The matrices of Lavin & Gray 2016, section 4.3. */
static const double B[6][6] = {{4, 0, 0, 0, 0, 0},    {0, -4, 4, -2, 2, 4}, {-5, -4, -4, -1, -1, 0},
                               {0, 1, -1, 2, -2, -5}, {1, 1, 1, 1, 1, 0},   {0, 0, 0, 0, 0, 1}};
static const double G[6][3] = {{1. / 4, 0, 0},
                               {-1. / 6, -1. / 6, -1. / 6},
                               {-1. / 6, 1. / 6, -1. / 6},
                               {1. / 24, 1. / 12, 1. / 6},
                               {1. / 24, -1. / 12, 1. / 6},
                               {0, 0, 1}};
static const double A[6][4] = {{1, 0, 0, 0}, {1, 1, 1, 1},   {1, -1, 1, -1},
                               {1, 2, 4, 8}, {1, -2, 4, -8}, {0, 0, 0, 1}};

/* What an element (i, j) of the result takes of an element (k, l): left[i][k] * left[j][l]. */
static double coefficient(char matrix, int transposed, int i, int k) {
  int row = transposed ? k : i, column = transposed ? i : k;
  return matrix == 'A' ? A[row][column] : matrix == 'B' ? B[row][column] : G[row][column];
}

/* from [in][in] -> M from M' of [out][out] in double against the float result, to a few roundings
 * of the sum of magnitudes. */
static void check_definition(char matrix, int transposed, int in, int out, const float *from,
                             const float *got) {
  for (int i = 0; i < out; i++)
    for (int j = 0; j < out; j++) {
      double sum = 0, size = 0;
      for (int k = 0; k < in; k++)
        for (int l = 0; l < in; l++) {
          double term = coefficient(matrix, transposed, i, k) * (double)from[k * in + l] *
                        coefficient(matrix, transposed, j, l);
          sum += term;
          size += fabs(term);
        }
      double error = fabs((double)got[i * out + j] - sum);
      if (error <= 12 * 0x1p-24 * size) continue;
      fail_msg("%c, element %d, %d: %.9g, expected %.9g", matrix, i, j, (double)got[i * out + j],
               sum);
    }
}

static void scalar_by_definition(void **state) {
  (void)state;
  const nas_kernels *scalar = nas_kernels_named("scalar");
  const nas_tile tile = {0, 0, 4, 4};
  dice = nas_stream_open(1, "definition", NULL, 0);
  for (int number = 0; number < 50; number++) {
    float from[ELEMENTS], to[ELEMENTS * NAS_LANES], dense[ELEMENTS], wide[ELEMENTS * NAS_LANES];
    for (int k = 0; k < ELEMENTS; k++) from[k] = wide[k * NAS_LANES] = plain_number();
    nas_tile_map six = {from, 1, 6}, four = {from, 1, 4};
    nas_tile_planes to_planes = {to, NAS_LANES, NAS_LANES};
    nas_tile_planes wide_planes = {wide, NAS_LANES, NAS_LANES};
    scalar->winograd_input(&six, &tile, 1, 1, &to_planes);
    for (int k = 0; k < ELEMENTS; k++) dense[k] = to[k * NAS_LANES];
    check_definition('B', 1, 6, 6, from, dense);
    scalar->winograd_d_output(&four, &tile, 1, 1, &to_planes);
    for (int k = 0; k < ELEMENTS; k++) dense[k] = to[k * NAS_LANES];
    check_definition('A', 0, 4, 6, from, dense);
    four.data = dense;
    scalar->winograd_output(&wide_planes, &tile, 1, 1, NULL, &four, 0);
    check_definition('A', 1, 6, 4, from, dense);
    scalar->winograd_kernel(wide, NAS_LANES, 1, 1, to, NAS_LANES);
    for (int k = 0; k < ELEMENTS; k++) dense[k] = to[k * NAS_LANES];
    check_definition('G', 0, 3, 6, from, dense);
    memset(to, 0, sizeof to);
    scalar->winograd_d_kernel(wide, NAS_LANES, 1, 1, to, NAS_LANES);
    for (int k = 0; k < 9; k++) dense[k] = to[k * NAS_LANES];
    check_definition('G', 1, 6, 3, from, dense);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(scalar_by_definition), TEST(input_equals_scalar),  TEST(d_output_equals_scalar),
      TEST(output_equals_scalar), TEST(kernel_equals_scalar), TEST(d_kernel_equals_scalar),
  };
  return cmocka_run_group_tests_name("winograd", tests, NULL, NULL);
}
