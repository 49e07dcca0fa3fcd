/* core.options(): the option tables of layers, optimisers, schedules, recipes, augmentation and the
 * policy, as Lua tables. */
#include <nas/layer.h>
#include <nas/optimizer.h>
#include <nas/augment.h>
#include <nas/policy.h>
#include <nas/recipe.h>
#include <nas/schedule.h>
#include "types.h"

static const char *const type_names[] = {
    [NAS_OPTION_INTEGER] = "integer", [NAS_OPTION_PAIR] = "pair",
    [NAS_OPTION_NUMBER] = "number",   [NAS_OPTION_BOOLEAN] = "boolean",
    [NAS_OPTION_CHOICE] = "choice",
};

/* Pushes a value as a script would give it. */
static void push_value(lua_State *L, const nas_option *option, nas_option_value value) {
  switch (option->type) {
  case NAS_OPTION_NUMBER: lua_pushnumber(L, value.number); break;
  case NAS_OPTION_BOOLEAN: lua_pushboolean(L, value.integer); break;
  case NAS_OPTION_CHOICE: lua_pushstring(L, option->choices[value.integer]); break;
  case NAS_OPTION_PAIR: lua_pushinteger(L, value.pair[0]); break; /* both halves alike */
  case NAS_OPTION_INTEGER: lua_pushinteger(L, value.integer); break;
  }
}

static void push_choices(lua_State *L, const char *const *choices) {
  lua_newtable(L);
  for (int i = 0; choices[i]; i++) {
    lua_pushstring(L, choices[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_range(lua_State *L, const nas_option *option) {
  int is_number = option->type == NAS_OPTION_NUMBER;
  const double ends[] = {option->low, option->high};
  static const char *const names[] = {"low", "high"};
  for (int i = 0; i < 2; i++) {
    if (is_number)
      lua_pushnumber(L, ends[i]);
    else
      lua_pushinteger(L, (lua_Integer)ends[i]);
    lua_setfield(L, -2, names[i]);
  }
}

static void push_option(lua_State *L, const nas_option *option, nas_option_value preset) {
  lua_createtable(L, 0, 7);
  lua_pushstring(L, option->name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, type_names[option->type]);
  lua_setfield(L, -2, "type");
  lua_pushboolean(L, option->required);
  lua_setfield(L, -2, "required");
  lua_pushstring(L, option->help);
  lua_setfield(L, -2, "help");
  if (!option->required) {
    push_value(L, option, preset);
    lua_setfield(L, -2, "default");
  }
  if (option->type == NAS_OPTION_CHOICE) {
    push_choices(L, option->choices);
    lua_setfield(L, -2, "choices");
  } else if (option->type != NAS_OPTION_BOOLEAN) {
    push_range(L, option);
  }
}

static void push_table(lua_State *L, const nas_option_table *table) {
  nas_option_value presets[NAS_OPTIONS_MAX];
  nas_options_default(table, presets);
  lua_createtable(L, table->count, 0);
  for (int i = 0; i < table->count; i++) {
    push_option(L, &table->options[i], presets[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_layers(lua_State *L) {
  const nas_layer_kind *kind;
  lua_newtable(L);
  for (int i = 0; (kind = nas_layer_kind_at(i)) != NULL; i++) {
    push_table(L, &kind->options);
    lua_pushinteger(L, kind->min_inputs);
    lua_setfield(L, -2, "min_inputs");
    lua_pushinteger(L, kind->max_inputs);
    lua_setfield(L, -2, "max_inputs");
    lua_pushboolean(L, kind->is_loss);
    lua_setfield(L, -2, "is_loss");
    lua_setfield(L, -2, kind->name);
  }
}

static void push_optimizers(lua_State *L) {
  const nas_optimizer_kind *kind;
  lua_newtable(L);
  for (int i = 0; (kind = nas_optimizer_at(i)) != NULL; i++) {
    push_table(L, &kind->options);
    lua_setfield(L, -2, kind->name);
  }
}

static void push_schedules(lua_State *L) {
  const nas_schedule_kind *kind;
  lua_newtable(L);
  for (int i = 0; (kind = nas_schedule_at(i)) != NULL; i++) {
    push_table(L, &kind->options);
    lua_setfield(L, -2, kind->name);
  }
}

/* Preset name to option name to value. */
static void push_presets(lua_State *L) {
  const nas_option_table *table = &nas_policy_option_table;
  lua_newtable(L);
  for (int i = 0; nas_policy_presets[i]; i++) {
    nas_policy_options options;
    nas_option_value values[NAS_POLICY_OPTIONS];
    if (nas_policy_options_preset(&options, nas_policy_presets[i], NULL)) continue;
    nas_policy_options_to_values(&options, values);
    lua_createtable(L, 0, table->count);
    for (int k = 0; k < table->count; k++) {
      push_value(L, &table->options[k], values[k]);
      lua_setfield(L, -2, table->options[k].name);
    }
    lua_setfield(L, -2, nas_policy_presets[i]);
  }
}

static int core_options(lua_State *L) {
  lua_createtable(L, 0, 7);
  push_layers(L);
  lua_setfield(L, -2, "layers");
  push_optimizers(L);
  lua_setfield(L, -2, "optimizers");
  push_schedules(L);
  lua_setfield(L, -2, "schedules");
  push_table(L, &nas_recipe_table);
  lua_setfield(L, -2, "recipe");
  push_table(L, &nas_augment_table);
  lua_setfield(L, -2, "augment");
  push_table(L, &nas_policy_option_table);
  lua_setfield(L, -2, "policy");
  push_presets(L);
  lua_setfield(L, -2, "policy_presets");
  return 1;
}

void nas_open_options(lua_State *L) {
  lua_pushcfunction(L, core_options);
  lua_setfield(L, -2, "options");
}
