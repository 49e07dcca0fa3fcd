/* Every operation goes through walks, so these compare walks over awkward views with plain loops
 * over indices. */
#include "tensors.h"
#include "walk.h"
#include <nas/random.h>

/* A random view: narrowed, transposed, of up to four dimensions. */
static nas_tensor *random_view(nas_stream *stream, nas_dtype dtype) {
  int rank = 1 + (int)nas_stream_below(stream, 4);
  int64_t dims[4];
  nas_tensor *view, *next;
  for (int d = 0; d < rank; d++) dims[d] = 1 + nas_stream_below(stream, 7);
  if (nas_stream_below(stream, 3) == 0) dims[rank - 1] += 600;
  check_ok(nas_tensor_create(&view, dtype, rank, dims, NULL), NULL);
  for (int64_t i = 0; i < nas_tensor_size(view); i++)
    set_element(view, i, nas_stream_below(stream, 256));
  for (int step = 0; step < 3; step++) {
    int d = (int)nas_stream_below(stream, (uint32_t)rank);
    int64_t size = nas_tensor_dims(view)[d];
    int64_t start = nas_stream_below(stream, (uint32_t)size);
    int64_t count = 1 + nas_stream_below(stream, (uint32_t)(size - start));
    if (nas_stream_below(stream, 2))
      check_ok(nas_tensor_narrow(&next, view, d, start, count, NULL), NULL);
    else
      check_ok(
          nas_tensor_transpose(&next, view, d, (int)nas_stream_below(stream, (uint32_t)rank), NULL),
          NULL);
    nas_tensor_destroy(&view);
    view = next;
  }
  return view;
}

static void walks_visit_every_element_in_index_order(void **state) {
  (void)state;
  nas_stream stream = nas_stream_open(1, "test walk", NULL, 0);
  for (int round = 0; round < 200; round++) {
    nas_tensor *view = random_view(&stream, (nas_dtype)(round % 3));
    double row[NAS_WALK_ROW];
    int64_t visited = 0;
    nas_walk walk = nas_walk_begin(1, (const nas_tensor *[]){view});
    while (nas_walk_next(&walk)) {
      assert_int_equal(walk.position, visited);
      assert_in_range(walk.length, 1, NAS_WALK_ROW);
      nas_walk_load(&walk, 0, row);
      for (int64_t i = 0; i < walk.length; i++) assert_true(row[i] == element_at(view, visited++));
    }
    assert_int_equal(visited, nas_tensor_size(view));
    nas_tensor_destroy(&view);
  }
}

static void operands_with_other_strides_stay_in_step(void **state) {
  (void)state;
  nas_stream stream = nas_stream_open(2, "test walk", NULL, 0);
  for (int round = 0; round < 200; round++) {
    nas_tensor *view = random_view(&stream, NAS_INT32), *copy, *sum;
    check_ok(nas_tensor_clone(&copy, view, NULL), NULL);
    assert_true(nas_tensor_is_contiguous(copy));
    assert_true(nas_tensor_equal(copy, view));
    check_ok(nas_tensor_binary(&sum, NAS_BINARY_ADD, view, copy, NULL), NULL);
    for (int64_t i = 0; i < nas_tensor_size(sum); i++)
      assert_true(element_at(sum, i) == 2 * element_at(view, i));
    nas_tensor_destroy(&sum);
    nas_tensor_destroy(&copy);
    nas_tensor_destroy(&view);
  }
}

static void contiguous_tensors_are_one_row(void **state) {
  (void)state;
  nas_tensor *tensor = counting(NAS_UINT8, DIMS(2, 1, 3, 4, 1));
  nas_walk walk = nas_walk_begin(1, (const nas_tensor *[]){tensor});
  assert_true(nas_walk_next(&walk));
  assert_int_equal(walk.length, 24);
  assert_false(nas_walk_next(&walk));
  nas_tensor_destroy(&tensor);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(walks_visit_every_element_in_index_order),
      TEST(operands_with_other_strides_stay_in_step),
      TEST(contiguous_tensors_are_one_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
