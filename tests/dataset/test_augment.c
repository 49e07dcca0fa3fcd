#include "../tensor/tensors.h"
#include <math.h>
#include <nas/augment.h>
#include <nas/elementary.h>
#include <nas/hash.h>
#include <nas/random.h>

typedef struct settings {
  nas_option_value values[NAS_AUGMENT_OPTIONS];
} settings;

static void set(settings *s, const char *name, double first, double second) {
  nas_error err = {0};
  int i = nas_options_find(&nas_augment_table, name, &err);
  assert_true(i >= 0);
  nas_status status =
      nas_augment_table.options[i].type == NAS_OPTION_PAIR
          ? nas_options_set_pair(&nas_augment_table, s->values, i, first, second, &err)
          : nas_options_set_number(&nas_augment_table, s->values, i, first, &err);
  check_ok(status, &err);
}

static settings off(void) {
  settings s;
  nas_options_default(&nas_augment_table, s.values);
  return s;
}

static settings everything(void) {
  settings s = off();
  set(&s, "pad_crop", 4, 0);
  set(&s, "shift", 2, 3);
  set(&s, "flip", 0.5, 0);
  set(&s, "erase", 0.75, 0);
  return s;
}

static void everything_is_off_by_default(void **state) {
  (void)state;
  settings s = off();
  nas_text text = {0};
  assert_int_equal(nas_augment_table.count, NAS_AUGMENT_OPTIONS);
  nas_options_text(&nas_augment_table, s.values, &text);
  assert_string_equal(text.data,
                      " pad_crop=0 shift=0,0 flip=0 erase=0 erase_min=0.02 erase_max=0.33");
  nas_text_clear(&text);
  const nas_view plain = {0};
  for (int64_t image = 0; image < 1000; image++) {
    nas_view view = nas_augment_view(s.values, 1, 2, image, 28, 28);
    assert_memory_equal(&view, &plain, sizeof view);
  }
}

/* ---- The numbers ---- */

/* The header's list, read again. */
static nas_view view_by_the_header(const settings *s, uint64_t seed, int epoch, int64_t image,
                                   int height, int width) {
  nas_stream dice =
      nas_stream_open(seed, "augment", (uint64_t[]){(uint64_t)epoch, (uint64_t)image}, 2);
  nas_view view = {0};
  uint32_t pad = (uint32_t)s->values[0].integer;
  view.crop[0] = (int)nas_stream_below(&dice, 2 * pad + 1) - (int)pad;
  view.crop[1] = (int)nas_stream_below(&dice, 2 * pad + 1) - (int)pad;
  uint32_t rows = (uint32_t)s->values[1].pair[0], columns = (uint32_t)s->values[1].pair[1];
  view.shift[0] = (int)nas_stream_below(&dice, 2 * rows + 1) - (int)rows;
  view.shift[1] = (int)nas_stream_below(&dice, 2 * columns + 1) - (int)columns;
  view.flip = nas_stream_double(&dice) < s->values[2].number;
  if (!(nas_stream_double(&dice) < s->values[3].number)) return view;
  for (int trial = 0; trial < 10; trial++) {
    double share = s->values[4].number +
                   nas_stream_double(&dice) * (s->values[5].number - s->values[4].number);
    double area = height * width * share;
    double aspect = nas_exp((2 * nas_stream_double(&dice) - 1) * nas_log(1 / 0.3));
    double h = floor(sqrt(area * aspect) + 0.5), w = floor(sqrt(area / aspect) + 0.5);
    if (h >= 1 && w >= 1 && h <= height && w <= width) {
      view.erase[0] = (int)nas_stream_below(&dice, (uint32_t)(height - h + 1));
      view.erase[1] = (int)nas_stream_below(&dice, (uint32_t)(width - w + 1));
      view.erase[2] = (int)h;
      view.erase[3] = (int)w;
      break;
    }
  }
  return view;
}

static void the_numbers_are_drawn_as_the_header_says(void **state) {
  (void)state;
  settings s = everything();
  set(&s, "erase_max", 0.9, 0); /* so that some do not fit at first */
  for (int64_t image = 0; image < 2000; image++) {
    int height = 1 + (int)(image % 31), width = 1 + (int)(image % 17), epoch = (int)(image % 5);
    nas_view view = nas_augment_view(s.values, 77, epoch, image, height, width);
    nas_view expected = view_by_the_header(&s, 77, epoch, image, height, width);
    assert_memory_equal(&view, &expected, sizeof view);
  }
}

/* Stored evaluations depend on the views: they must never change. */
static void the_views_are_the_same_for_ever(void **state) {
  (void)state;
  settings s = everything();
  nas_view view = nas_augment_view(s.values, 5, 3, 1234, 28, 28);
  const nas_view golden = {{0, -4}, {-1, 3}, 0, {0, 9, 16, 10}};
  assert_memory_equal(&view, &golden, sizeof view);
  unsigned char bytes[1000 * 9];
  char digest[NAS_HASH_HEX];
  size_t used = 0;
  for (int64_t image = 0; image < 1000; image++) {
    view = nas_augment_view(s.values, 5, 3, image, 28, 28);
    const int numbers[] = {view.crop[0],  view.crop[1],  view.shift[0], view.shift[1], view.flip,
                           view.erase[0], view.erase[1], view.erase[2], view.erase[3]};
    for (int i = 0; i < 9; i++) bytes[used++] = (unsigned char)(numbers[i] & 255);
  }
  nas_hash_hex(nas_hash_bytes(bytes, sizeof bytes), digest);
  assert_string_equal(digest, "aba08c4bae49d739e3c5d83de3c59292");
}

static void seed_epoch_and_image_decide(void **state) {
  (void)state;
  settings s = everything();
  int same[3] = {0};
  for (int64_t image = 0; image < 200; image++) {
    nas_view view = nas_augment_view(s.values, 5, 3, image, 28, 28);
    const nas_view others[] = {nas_augment_view(s.values, 6, 3, image, 28, 28),
                               nas_augment_view(s.values, 5, 4, image, 28, 28),
                               nas_augment_view(s.values, 5, 3, image + 1, 28, 28)};
    for (int i = 0; i < 3; i++) same[i] += memcmp(&view, &others[i], sizeof view) == 0;
  }
  for (int i = 0; i < 3; i++) assert_true(same[i] < 5);
}

static void one_option_changes_no_other(void **state) {
  (void)state;
  settings all = everything(), flip = off(), erase = off();
  set(&flip, "flip", 0.5, 0);
  set(&erase, "erase", 0.75, 0);
  for (int64_t image = 0; image < 500; image++) {
    nas_view a = nas_augment_view(all.values, 5, 3, image, 28, 28);
    nas_view f = nas_augment_view(flip.values, 5, 3, image, 28, 28);
    nas_view e = nas_augment_view(erase.values, 5, 3, image, 28, 28);
    assert_int_equal(a.flip, f.flip);
    assert_memory_equal(a.erase, e.erase, sizeof a.erase);
    assert_int_equal(e.flip + f.erase[2] + f.crop[0] + e.shift[1], 0);
  }
}

/* ---- Statistics ---- */

enum { VIEWS = 20000 };

static void moves_are_uniform(void **state) {
  (void)state;
  settings s = off();
  set(&s, "pad_crop", 2, 0);
  set(&s, "shift", 1, 3);
  int crop[2][5] = {{0}}, shift[2][7] = {{0}};
  for (int64_t image = 0; image < VIEWS; image++) {
    nas_view view = nas_augment_view(s.values, 9, 0, image, 28, 28);
    for (int d = 0; d < 2; d++) {
      assert_in_range(view.crop[d] + 2, 0, 4);
      assert_in_range(view.shift[d] + 3, d ? 0 : 2, d ? 6 : 4);
      crop[d][view.crop[d] + 2]++;
      shift[d][view.shift[d] + 3]++;
    }
  }
  for (int k = 0; k < 5; k++) { /* five standard deviations are 283, 333 and 247 */
    check_near(crop[0][k], VIEWS / 5.0, 283);
    check_near(crop[1][k], VIEWS / 5.0, 283);
  }
  for (int k = 2; k < 5; k++) check_near(shift[0][k], VIEWS / 3.0, 333);
  for (int k = 0; k < 7; k++) check_near(shift[1][k], VIEWS / 7.0, 247);
}

static void probabilities_are_kept(void **state) {
  (void)state;
  settings s = off();
  set(&s, "flip", 0.25, 0);
  set(&s, "erase", 0.5, 0);
  int flipped = 0, erased = 0, both = 0;
  for (int64_t image = 0; image < VIEWS; image++) {
    nas_view view = nas_augment_view(s.values, 9, 0, image, 28, 28);
    flipped += view.flip;
    erased += view.erase[2] > 0;
    both += view.flip && view.erase[2] > 0;
  }
  check_near(flipped, VIEWS * 0.25, 306);
  check_near(erased, VIEWS * 0.5, 354);
  check_near(both, VIEWS * 0.125, 234);
  set(&s, "flip", 1, 0);
  set(&s, "erase", 1, 0);
  for (int64_t image = 0; image < VIEWS; image++) {
    nas_view view = nas_augment_view(s.values, 9, 0, image, 28, 28);
    assert_int_equal(view.flip, 1);
    assert_true(view.erase[2] > 0);
  }
}

static void rectangles_have_area_and_aspect(void **state) {
  (void)state;
  settings s = off();
  set(&s, "erase", 1, 0);
  const int height = 200, width = 300;
  double area_sum = 0, tall = 0, top = 0, left = 0;
  for (int64_t image = 0; image < VIEWS; image++) {
    nas_view view = nas_augment_view(s.values, 9, 0, image, height, width);
    double rows = view.erase[2], columns = view.erase[3], area = rows * columns / height / width;
    assert_true(view.erase[0] >= 0 && view.erase[0] + view.erase[2] <= height);
    assert_true(view.erase[1] >= 0 && view.erase[1] + view.erase[3] <= width);
    assert_true(area > 0.0195 && area < 0.335);
    assert_true(rows / columns > 0.29 && rows / columns < 3.45);
    area_sum += area;
    tall += rows > columns;
    top += view.erase[0] / (double)(height - rows + 1e-9);
    left += view.erase[1] / (double)(width - columns + 1e-9);
  }
  check_near(top / VIEWS, 0.5, 0.012);
  check_near(left / VIEWS, 0.5, 0.012);
  /* Tall ones that are too high for the image are drawn again, so fewer than half are left. */
  check_near(tall / VIEWS, 0.47, 0.03);
  check_near(area_sum / VIEWS, 0.17, 0.006);
}

static void what_does_not_fit_is_not_erased(void **state) {
  (void)state;
  settings s = off();
  set(&s, "erase", 1, 0);
  for (int64_t image = 0; image < 100; image++) { /* a third of a pixel at most, times 3.4 */
    nas_view view = nas_augment_view(s.values, 9, 0, image, 1, 1);
    if (view.erase[2]) assert_int_equal(view.erase[3], 1);
  }
  set(&s, "erase_min", 0, 0);
  set(&s, "erase_max", 0, 0);
  const nas_view plain = {0};
  for (int64_t image = 0; image < 100; image++) {
    nas_view view = nas_augment_view(s.values, 9, 0, image, 28, 28);
    assert_memory_equal(&view, &plain, sizeof view);
  }
}

/* ---- Checks ---- */

#define check_fails(s, rank, part, ...)                                                            \
  do {                                                                                             \
    nas_error err = {0};                                                                           \
    assert_int_equal(nas_augment_check((s).values, (int[]){__VA_ARGS__}, rank, &err),              \
                     NAS_ARGUMENT);                                                                \
    check_contains(err.text, part);                                                                \
  } while (0)

static void what_does_not_suit_the_inputs_is_refused(void **state) {
  (void)state;
  settings s = off();
  check_ok(nas_augment_check(s.values, (int[]){5}, 1, NULL), NULL);
  s = everything();
  check_ok(nas_augment_check(s.values, (int[]){5, 5, 1}, 3, NULL), NULL);
  check_fails(s, 3,
              "augment: pad_crop moves images by up to 4 pixels; expected less than their "
              "height of 4",
              4, 28, 1);
  check_fails(s, 3, "pad_crop moves images by up to 4 pixels; expected less than their width of 3",
              28, 3, 1);
  check_fails(s, 1, "augment: the inputs are rows of 7 features; expected images", 7);
  s = off();
  set(&s, "shift", 2, 3);
  check_ok(nas_augment_check(s.values, (int[]){3, 4, 1}, 3, NULL), NULL);
  check_fails(s, 3, "shift moves images by up to 2 pixels; expected less than their height of 2", 2,
              4, 1);
  check_fails(s, 3, "shift moves images by up to 3 pixels; expected less than their width of 3", 3,
              3, 1);
  const char *names[] = {"pad_crop", "shift", "flip", "erase"};
  for (int i = 0; i < 4; i++) {
    s = off();
    set(&s, names[i], 1, 0);
    check_fails(s, 1, "expected images", 7);
  }
  s = off();
  set(&s, "erase_min", 0.5, 0);
  check_fails(s, 3, "augment: erase_min is 0.5; expected at most erase_max, 0.33", 28, 28, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(everything_is_off_by_default),    TEST(the_numbers_are_drawn_as_the_header_says),
      TEST(the_views_are_the_same_for_ever), TEST(seed_epoch_and_image_decide),
      TEST(one_option_changes_no_other),     TEST(moves_are_uniform),
      TEST(probabilities_are_kept),          TEST(rectangles_have_area_and_aspect),
      TEST(what_does_not_fit_is_not_erased), TEST(what_does_not_suit_the_inputs_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
