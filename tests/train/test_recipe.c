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
  check_text(&recipe,
             "recipe batch=250 clip_norm=0 average=0 winograd=1 top_k=0 loss=softmax_cross_entropy "
             "label_smoothing=0 optimizer=adam rate=0.001 beta1=0.9 beta2=0.999 "
             "epsilon=1e-07 l2=0 weight_decay=0 schedule=constant warmup=0 augment "
             "pad_crop=0 shift=0,0 flip=0 erase=0 erase_min=0.02 erase_max=0.33");
  assert_int_equal(recipe.keep, NAS_KEEP_LAST);
  assert_int_equal(recipe.patience, 0);
}

/* Everything that an epoch depends on, and nothing else: no number of epochs, no rule that ends
 * training or keeps weights. */
static void text(void **state) {
  (void)state;
  static const char augment[] = " augment pad_crop=0 shift=0,0 flip=0 erase=0 erase_min=0.02 "
                                "erase_max=0.33";
  char expected[500];
  nas_recipe recipe = recipe_of(65536, "sgd", 0.1);
  recipe.clip_norm = 2;
  recipe.average = 0.99;
  recipe.winograd = 0;
  recipe.top_k = 5;
  recipe.keep = NAS_KEEP_BEST;
  recipe.patience = 3;
  recipe.min_delta = 0.1;
  snprintf(
      expected, sizeof expected,
      "recipe batch=65536 clip_norm=2 average=0.99 winograd=0 top_k=5 loss=softmax_cross_entropy "
      "label_smoothing=0 optimizer=sgd rate=0.1 momentum=0 nesterov=0 l2=0 weight_decay=0 "
      "schedule=constant warmup=0%s",
      augment);
  check_text(&recipe, expected);
  recipe.loss = NULL;
  snprintf(
      expected, sizeof expected,
      "recipe batch=65536 clip_norm=2 average=0.99 winograd=0 top_k=5 loss=composed optimizer=sgd "
      "rate=0.1 momentum=0 nesterov=0 l2=0 weight_decay=0 schedule=constant warmup=0%s",
      augment);
  check_text(&recipe, expected);
}

/* What is set through the table arrives, and what is out of range is refused. */
static void values(void **state) {
  (void)state;
  nas_option_value values[NAS_RECIPE_OPTIONS] = {0}, back[NAS_RECIPE_OPTIONS] = {0};
  nas_recipe recipe;
  nas_error err;
  nas_recipe_default(&recipe);
  for (int i = 0; i < NAS_RECIPE_OPTIONS; i++)
    if (nas_recipe_table.options[i].type == NAS_OPTION_NUMBER)
      values[i].number = 0.25 * i;
    else
      values[i].integer = nas_recipe_table.options[i].type == NAS_OPTION_INTEGER ? i + 3 : 1;
  nas_recipe_from_values(&recipe, values);
  nas_recipe_to_values(&recipe, back);
  assert_memory_equal(values, back, sizeof values);
  check_ok(nas_recipe_check(&recipe, &err), &err);
  recipe.clip_norm = -1;
  assert_int_equal(nas_recipe_check(&recipe, &err), NAS_ARGUMENT);
  assert_string_equal(err.text, "recipe: clip_norm is -1; expected a number from 0 to 1e+09");
  recipe.clip_norm = NAN;
  assert_int_equal(nas_recipe_check(&recipe, &err), NAS_ARGUMENT);
  recipe.clip_norm = 0;
  recipe.winograd = 2;
  assert_int_equal(nas_recipe_check(&recipe, &err), NAS_ARGUMENT);
  assert_string_equal(err.text, "recipe: winograd is 2; expected 0 or 1");
  recipe.winograd = 1;
  recipe.keep = (nas_keep)7;
  assert_int_equal(nas_recipe_check(&recipe, &err), NAS_ARGUMENT);
  assert_string_equal(err.text, "recipe: keep is 7; expected last or best");
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
  const struct CMUnitTest tests[] = {TEST(defaults), TEST(text), TEST(values),
                                     TEST(without_memory)};
  return cmocka_run_group_tests_name("recipe", tests, register_test_layers, NULL);
}
