/* luanas.Recipe: how a network is trained. A plain value that holds nothing. */
#include <nas/trainer.h>
#include "box.h"
#include "settings.h"
#include "text.h"
#include "types.h"

static const char TYPE[] = "luanas.Recipe";

const nas_recipe *nas_check_recipe(lua_State *L, int arg) {
  return nas_box_peek(L, arg, TYPE);
}

static void check_loss(const nas_settings *settings, nas_recipe *recipe) {
  nas_error err;
  const char *name = nas_settings_string(settings, "loss", recipe->loss->name);
  recipe->loss = nas_layer_kind_find(name, &err);
  if (!recipe->loss) luaL_error(settings->L, "recipe: loss: %s", err.text);
  if (!recipe->loss->is_loss)
    luaL_error(settings->L,
               "recipe: loss is \"%s\", a layer; expected a loss such as "
               "\"softmax_cross_entropy\"",
               name);
}

/* optimizer = { name = "adam", its options } */
static void check_optimizer(const nas_settings *settings, nas_recipe *recipe) {
  nas_error err;
  nas_settings inner = nas_settings_inner(settings, "optimizer");
  const char *name = nas_settings_string(&inner, "name", recipe->optimizer->name);
  recipe->optimizer = nas_optimizer_find(name, &err);
  if (!recipe->optimizer) luaL_error(settings->L, "recipe: optimizer: %s", err.text);
  inner.owner = recipe->optimizer->name;
  nas_settings_known(&inner, (const char *const[]){"name", NULL}, &recipe->optimizer->options);
  nas_options_default(&recipe->optimizer->options, recipe->optimizer_options);
  nas_settings_options(&inner, &recipe->optimizer->options, recipe->optimizer_options);
  lua_pop(settings->L, 1);
}

/* core.recipe { batch, optimizer, loss } */
static int core_recipe(lua_State *L) {
  static const char *const names[] = {"batch", "optimizer", "loss", NULL};
  nas_recipe recipe;
  nas_recipe_default(&recipe);
  nas_settings settings = nas_settings_open(L, 1, "recipe");
  nas_settings_known(&settings, names, NULL);
  recipe.batch = (int)nas_settings_integer(&settings, "batch", recipe.batch, 1, 65536);
  check_optimizer(&settings, &recipe);
  check_loss(&settings, &recipe);
  nas_recipe *box = nas_box_new(L, TYPE, sizeof *box, 0);
  *box = recipe;
  return 1;
}

static int recipe_text(lua_State *L) {
  const nas_recipe *recipe = nas_check_recipe(L, 1);
  nas_recipe_text(recipe, nas_text_new(L));
  return nas_text_to_string(L);
}

static int recipe_tostring(lua_State *L) {
  recipe_text(L);
  lua_pushfstring(L, "%s: %s", TYPE, lua_tostring(L, -1));
  return 1;
}

static const luaL_Reg methods[] = {
    {"text", recipe_text},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", recipe_tostring},
    {NULL, NULL},
};

void nas_open_recipe(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, NULL);
  lua_pushcfunction(L, core_recipe);
  lua_setfield(L, -2, "recipe");
}
