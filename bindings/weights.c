#include "weights.h"
#include <string.h>
#include "box.h"
#include "failure.h"
#include "kernel.h"
#include "types.h"

/* Pushes a copy of one parameter set without its padding. */
static void push_values(lua_State *L, nas_weights_of *of, const float *gradient, int i) {
  nas_error err;
  int64_t dims[NAS_RANK_MAX];
  nas_tensor **values = nas_push_tensor(L);
  nas_weights weights = of(L);
  nas_param_place place = nas_compiled_param(weights.compiled, i);
  for (int d = 0; d < place.is.rank; d++) dims[d] = place.is.dim[d];
  if (nas_tensor_create(values, NAS_FLOAT32, place.is.rank, dims, &err)) nas_raise(L, &err);
  const float *from = (gradient ? gradient : weights.params) + place.at;
  float *to = nas_tensor_data(*values);
  size_t width = (size_t)place.width;
  for (size_t row = 0; row < place.rows; row++)
    memcpy(to + row * width, from + row * (size_t)nas_row(place.width), width * sizeof(float));
  nas_box_pressure(L, place.rows * width * sizeof(float));
}

void nas_push_weights(lua_State *L, nas_weights_of *of, const float *gradient) {
  int count = nas_compiled_param_count(of(L).compiled), pushed = 0;
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    nas_param_place place = nas_compiled_param(of(L).compiled, i);
    if (gradient && place.is.use == NAS_PARAM_STATE) continue;
    lua_pushstring(L, place.is.role);
    lua_createtable(L, 0, 3);
    lua_insert(L, -2);
    lua_setfield(L, -2, "role");
    lua_pushinteger(L, place.node + 1);
    lua_setfield(L, -2, "layer");
    push_values(L, of, gradient, i);
    lua_setfield(L, -2, "values");
    lua_rawseti(L, -2, ++pushed);
  }
}

void nas_set_metrics(lua_State *L, nas_task task, int top_k, const nas_metrics *metrics,
                     const char *prefix) {
  int classes = task == NAS_TASK_CLASSES;
  const struct {
    const char *name;
    double value;
    int there;
  } fields[] = {{"loss", metrics->loss, 1},
                {"accuracy", metrics->accuracy, classes},
                {"top_k", metrics->top_k, classes && top_k},
                {"mean_absolute_error", metrics->mean_absolute_error, !classes}};
  for (int i = 0; i < 4; i++) {
    if (!fields[i].there) continue;
    lua_pushfstring(L, "%s%s", prefix, fields[i].name);
    lua_pushnumber(L, fields[i].value);
    lua_rawset(L, -3);
  }
}
