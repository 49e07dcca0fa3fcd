#include <nas/recipe.h>
#include <nas/augment.h>

enum { BATCH, CLIP_NORM, AVERAGE, WINOGRAD, TOP_K, KEEP, PATIENCE, MIN_DELTA };

static const char *const keeps[] = {"last", "best", NULL};

static const nas_option options[NAS_RECIPE_OPTIONS] = {
    [BATCH] = {"batch", NAS_OPTION_INTEGER, 0, 250, 1, 65536, NULL, "Images in a step."},
    [CLIP_NORM] = {"clip_norm", NAS_OPTION_NUMBER, 0, 0, 0, 1e9, NULL,
                   "Largest norm of the gradient of a batch; 0: no clipping."},
    [AVERAGE] = {"average", NAS_OPTION_NUMBER, 0, 0, 0, 1, NULL,
                 "Decay of an exponential average of the weights; 0: none."},
    [WINOGRAD] = {"winograd", NAS_OPTION_BOOLEAN, 0, 1, 0, 1, NULL,
                  "Whether Winograd's algorithm computes convolutions where it is faster."},
    [TOP_K] = {"top_k", NAS_OPTION_INTEGER, 0, 0, 0, NAS_DIM_MAX, NULL,
               "Count images whose class is among so many largest outputs; 0: don't."},
    [KEEP] = {"keep", NAS_OPTION_CHOICE, 0, NAS_KEEP_LAST, 0, 0, keeps,
              "Which epoch's weights are kept: the last one's or the best one's."},
    [PATIENCE] = {"patience", NAS_OPTION_INTEGER, 0, 0, 0, 1000000, NULL,
                  "Epochs without a better result after which training stops; 0: never."},
    [MIN_DELTA] = {"min_delta", NAS_OPTION_NUMBER, 0, 0, 0, 1e9, NULL,
                   "By how much a result must be better to count."},
};

const nas_option_table nas_recipe_table = {"recipe", options, NAS_RECIPE_OPTIONS};

/* Those before this one change what an epoch gives. */
enum { FIRST_RULE = KEEP };

void nas_recipe_to_values(const nas_recipe *recipe, nas_option_value *values) {
  values[BATCH].integer = recipe->batch;
  values[CLIP_NORM].number = recipe->clip_norm;
  values[AVERAGE].number = recipe->average;
  values[WINOGRAD].integer = recipe->winograd;
  values[TOP_K].integer = recipe->top_k;
  values[KEEP].integer = (int)recipe->keep;
  values[PATIENCE].integer = recipe->patience;
  values[MIN_DELTA].number = recipe->min_delta;
}

void nas_recipe_from_values(nas_recipe *recipe, const nas_option_value *values) {
  recipe->batch = values[BATCH].integer;
  recipe->clip_norm = values[CLIP_NORM].number;
  recipe->average = values[AVERAGE].number;
  recipe->winograd = values[WINOGRAD].integer;
  recipe->top_k = values[TOP_K].integer;
  recipe->keep = (nas_keep)values[KEEP].integer;
  recipe->patience = values[PATIENCE].integer;
  recipe->min_delta = values[MIN_DELTA].number;
}

void nas_recipe_default(nas_recipe *recipe) {
  nas_option_value values[NAS_RECIPE_OPTIONS];
  *recipe = (nas_recipe){.optimizer = nas_optimizer_find("adam", NULL),
                         .schedule = nas_schedule_find("constant", NULL),
                         .loss = nas_layer_kind_find("softmax_cross_entropy", NULL)};
  nas_options_default(&nas_recipe_table, values);
  nas_recipe_from_values(recipe, values);
  nas_options_default(&recipe->optimizer->options, recipe->optimizer_options);
  nas_options_default(&recipe->schedule->options, recipe->schedule_options);
  nas_options_default(&recipe->loss->options, recipe->loss_options);
  nas_options_default(&nas_augment_table, recipe->augment);
}

nas_status nas_recipe_check(const nas_recipe *recipe, nas_error *err) {
  nas_option_value values[NAS_RECIPE_OPTIONS], checked[NAS_RECIPE_OPTIONS];
  nas_recipe_to_values(recipe, values);
  for (int i = 0; i < NAS_RECIPE_OPTIONS; i++) {
    double value =
        options[i].type == NAS_OPTION_NUMBER ? values[i].number : (double)values[i].integer;
    if (options[i].type == NAS_OPTION_CHOICE || options[i].type == NAS_OPTION_BOOLEAN) continue;
    nas_status status = nas_options_set_number(&nas_recipe_table, checked, i, value, err);
    if (status != NAS_OK) return status;
  }
  if (recipe->winograd != 0 && recipe->winograd != 1)
    return nas_fail(err, NAS_ARGUMENT, "recipe: winograd is %d; expected 0 or 1", recipe->winograd);
  if (recipe->keep != NAS_KEEP_LAST && recipe->keep != NAS_KEEP_BEST)
    return nas_fail(err, NAS_ARGUMENT, "recipe: keep is %d; expected last or best",
                    (int)recipe->keep);
  if (!recipe->optimizer || !recipe->schedule || (recipe->loss && !recipe->loss->is_loss))
    return nas_fail(err, NAS_ARGUMENT, "recipe: an optimizer, a schedule and a loss are needed");
  return NAS_OK;
}

void nas_recipe_text(const nas_recipe *recipe, nas_text *text) {
  nas_option_value values[NAS_RECIPE_OPTIONS];
  nas_option_table epochs = {nas_recipe_table.owner, options, FIRST_RULE};
  nas_recipe_to_values(recipe, values);
  nas_text_add(text, "recipe");
  nas_options_text(&epochs, values, text);
  nas_text_add(text, " loss=");
  nas_text_add(text, recipe->loss ? recipe->loss->name : "composed");
  if (recipe->loss) nas_options_text(&recipe->loss->options, recipe->loss_options, text);
  nas_text_add(text, " optimizer=");
  nas_text_add(text, recipe->optimizer->name);
  nas_options_text(&recipe->optimizer->options, recipe->optimizer_options, text);
  nas_text_add(text, " schedule=");
  nas_text_add(text, recipe->schedule->name);
  nas_options_text(&recipe->schedule->options, recipe->schedule_options, text);
  nas_text_add(text, " augment");
  nas_options_text(&nas_augment_table, recipe->augment, text);
}
