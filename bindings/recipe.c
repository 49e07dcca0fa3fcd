/* luanas.Recipe: how a network is trained. A plain value that holds nothing. */
#include <nas/augment.h>
#include <nas/trainer.h>
#include <string.h>
#include "box.h"
#include "schedule.h"
#include "settings.h"
#include "text.h"
#include "types.h"

static const char TYPE[] = "luanas.Recipe";

const nas_recipe *nas_check_recipe(lua_State *L, int arg) {
  return nas_box_peek(L, arg, TYPE);
}

/* The kind's options, from the table on top of the stack, which has a field `name` beside them. */
static void check_options(const nas_settings *inner, const nas_option_table *table,
                          nas_option_value *values) {
  nas_settings own = *inner;
  own.owner = table->owner;
  nas_settings_known(&own, (const char *const[]){"name", NULL}, table);
  nas_options_default(table, values);
  nas_settings_options(&own, table, values);
}

/* loss = "huber", or { name = "huber", its options }; "composed": whoever trains brings it. */
static void check_loss(const nas_settings *settings, nas_recipe *recipe) {
  nas_error err;
  nas_settings inner = {settings->L, 0, settings->owner};
  const char *name = nas_settings_word(settings, "loss", recipe->loss->name);
  if (!name) {
    inner = nas_settings_inner(settings, "loss");
    name = nas_settings_string(&inner, "name", recipe->loss->name);
  } else {
    lua_pushnil(settings->L);
  }
  if (strcmp(name, "composed") == 0) {
    recipe->loss = NULL;
  } else {
    recipe->loss = nas_layer_kind_find(name, &err);
    if (!recipe->loss) luaL_error(settings->L, "recipe: loss: %s", err.text);
    if (!recipe->loss->is_loss)
      luaL_error(settings->L,
                 "recipe: loss is \"%s\", a layer; expected a loss such as "
                 "\"softmax_cross_entropy\"",
                 name);
    check_options(&inner, &recipe->loss->options, recipe->loss_options);
  }
  lua_pop(settings->L, 1);
}

/* optimizer = { name = "adam", its options } */
static void check_optimizer(const nas_settings *settings, nas_recipe *recipe) {
  nas_error err;
  nas_settings inner = nas_settings_inner(settings, "optimizer");
  const char *name = nas_settings_string(&inner, "name", recipe->optimizer->name);
  recipe->optimizer = nas_optimizer_find(name, &err);
  if (!recipe->optimizer) luaL_error(settings->L, "recipe: optimizer: %s", err.text);
  check_options(&inner, &recipe->optimizer->options, recipe->optimizer_options);
  lua_pop(settings->L, 1);
}

static void check_schedule(const nas_settings *settings, nas_recipe *recipe) {
  nas_settings inner = nas_settings_inner(settings, "schedule");
  recipe->schedule = nas_settings_schedule(&inner, recipe->schedule_options);
  lua_pop(settings->L, 1);
}

static void check_augment(const nas_settings *settings, nas_recipe *recipe) {
  nas_settings inner = nas_settings_inner(settings, "augment");
  inner.owner = nas_augment_table.owner;
  nas_settings_known(&inner, NULL, &nas_augment_table);
  nas_settings_options(&inner, &nas_augment_table, recipe->augment);
  lua_pop(settings->L, 1);
}

/* core.recipe { batch and the other plain numbers, optimizer, schedule, loss, augment } */
static int core_recipe(lua_State *L) {
  static const char *const names[] = {"optimizer", "schedule", "loss", "augment", NULL};
  nas_option_value values[NAS_RECIPE_OPTIONS];
  nas_recipe recipe;
  nas_recipe_default(&recipe);
  nas_settings settings = nas_settings_open(L, 1, "recipe");
  nas_settings_known(&settings, names, &nas_recipe_table);
  nas_recipe_to_values(&recipe, values);
  nas_settings_options(&settings, &nas_recipe_table, values);
  nas_recipe_from_values(&recipe, values);
  check_optimizer(&settings, &recipe);
  check_schedule(&settings, &recipe);
  check_loss(&settings, &recipe);
  check_augment(&settings, &recipe);
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
