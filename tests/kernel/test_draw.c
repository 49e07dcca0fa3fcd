/* Every table draws the numbers of nas_stream_u32, also where the count of blocks passes 2^32. */
#include "boards.h"

static void check(const nas_kernels *table, uint64_t position) {
  nas_stream stream = nas_stream_open(5, "draw", NULL, 0), other = stream;
  nas_stream_seek(&stream, position);
  nas_stream_seek(&other, position);
  uint32_t *numbers = fence_alloc(NAS_DRAWN * sizeof *numbers, fence_any_side());
  for (int run = 0; run < 3; run++) {
    table->draw(&stream, numbers);
    for (int i = 0; i < NAS_DRAWN; i++) assert_int_equal(numbers[i], nas_stream_u32(&other));
  }
  assert_int_equal(nas_stream_u32(&stream), nas_stream_u32(&other));
  fence_free(numbers);
}

static void draws_the_stream(void **state) {
  (void)state;
  static const uint64_t positions[] = {0, 4, 400, 0x3fffffff0, 0x3ffffffb0, (uint64_t)1 << 62};
  for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
    check(nas_kernels_named("scalar"), positions[i]);
    EACH_TABLE(table) check(table, positions[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(draws_the_stream)};
  return cmocka_run_group_tests_name("draw", tests, NULL, NULL);
}
