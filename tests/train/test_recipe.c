#include "datasets.h"

static void check_text(const nas_recipe *recipe, const char *expected) {
  nas_text text = {0};
  nas_recipe_text(recipe, &text);
  assert_false(text.failed);
  assert_string_equal(text.data, expected);
  nas_text_clear(&text);
}

static void defaults(void **state) {
  (void)state;
  nas_recipe recipe;
  memset(&recipe, 0xa5, sizeof recipe);
  nas_recipe_default(&recipe);
  assert_int_equal(recipe.batch, 250);
  assert_string_equal(recipe.optimizer->name, "adam");
  assert_string_equal(recipe.loss->name, "softmax_cross_entropy");
  check_text(&recipe, "batch=250 loss=softmax_cross_entropy optimizer=adam rate=0.001 beta1=0.9 "
                      "beta2=0.999 epsilon=1e-07");
}

/* Everything that a training depends on, and nothing else: no number of epochs. */
static void text(void **state) {
  (void)state;
  nas_recipe recipe = recipe_of(65536, "sgd", 0.1);
  check_text(&recipe, "batch=65536 loss=softmax_cross_entropy optimizer=sgd rate=0.1 momentum=0");
  recipe.loss = &test_probe;
  check_text(&recipe, "batch=65536 loss=test_probe optimizer=sgd rate=0.1 momentum=0");
}

static void without_memory(void **state) {
  (void)state;
  nas_recipe recipe = recipe_of(65536, "sgd", 0.1);
  for (long allowed = 0; allowed < 2; allowed++) {
    nas_text text = {0};
    nas_memory_fail_after(allowed);
    nas_recipe_text(&recipe, &text);
    nas_memory_fail_after(-1);
    assert_true(text.failed);
    nas_text_clear(&text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(defaults), TEST(text), TEST(without_memory)};
  return cmocka_run_group_tests_name("recipe", tests, register_test_layers, NULL);
}
