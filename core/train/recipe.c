#include <nas/trainer.h>

void nas_recipe_default(nas_recipe *recipe) {
  *recipe = (nas_recipe){.batch = 250,
                         .optimizer = nas_optimizer_find("adam", NULL),
                         .loss = nas_layer_kind_find("softmax_cross_entropy", NULL)};
  nas_options_default(&recipe->optimizer->options, recipe->optimizer_options);
}

void nas_recipe_text(const nas_recipe *recipe, nas_text *text) {
  nas_text_add(text, "batch=");
  nas_text_add_integer(text, recipe->batch);
  nas_text_add(text, " loss=");
  nas_text_add(text, recipe->loss->name);
  nas_text_add(text, " optimizer=");
  nas_text_add(text, recipe->optimizer->name);
  nas_options_text(&recipe->optimizer->options, recipe->optimizer_options, text);
}
