/* core.schedule_factor(): what a schedule makes of the rate. */
#include "schedule.h"
#include <lauxlib.h>
#include "check.h"
#include "types.h"

const nas_schedule_kind *nas_settings_schedule(const nas_settings *settings,
                                               nas_option_value *values) {
  nas_error err;
  nas_settings own = *settings;
  const char *name = nas_settings_string(settings, "name", "constant");
  const nas_schedule_kind *kind = nas_schedule_find(name, &err);
  if (!kind) luaL_error(settings->L, "%s: %s", settings->owner, err.text);
  own.owner = kind->name;
  nas_settings_known(&own, (const char *const[]){"name", NULL}, &kind->options);
  nas_options_default(&kind->options, values);
  nas_settings_options(&own, &kind->options, values);
  return kind;
}

/* core.schedule_factor(schedule, step, steps_per_epoch) */
static int core_schedule_factor(lua_State *L) {
  nas_option_value values[NAS_OPTIONS_MAX];
  nas_settings settings = nas_settings_open(L, 1, "schedule");
  const nas_schedule_kind *kind = nas_settings_schedule(&settings, values);
  lua_Integer step = nas_check_integer(L, 2, "step", 1, LUA_MAXINTEGER);
  lua_Integer steps = nas_check_integer(L, 3, "steps_per_epoch", 1, LUA_MAXINTEGER);
  lua_pushnumber(L, nas_schedule_factor(kind, values, (uint64_t)step - 1, steps));
  return 1;
}

void nas_open_schedule(lua_State *L) {
  lua_pushcfunction(L, core_schedule_factor);
  lua_setfield(L, -2, "schedule_factor");
}
