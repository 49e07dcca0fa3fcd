/* luanas.CoreGradient: a sum of gradients of a policy. Its user value is the policy. */
#include <nas/policy.h>
#include "box.h"
#include "failure.h"
#include "policy.h"

static const char TYPE[] = "luanas.CoreGradient";

typedef struct gradient_box {
  nas_policy_gradient *gradient;
} gradient_box;

const nas_policy_gradient *nas_check_gradient(lua_State *L, int arg) {
  gradient_box *box = nas_box_check(L, arg, TYPE);
  return box->gradient;
}

nas_policy_gradient **nas_push_gradient(lua_State *L, int policy) {
  gradient_box *box = nas_box_new(L, TYPE, sizeof *box, 1);
  lua_pushvalue(L, policy);
  lua_setiuservalue(L, -2, 1);
  return &box->gradient;
}

static int gradient_close(lua_State *L) {
  gradient_box *box = nas_box_peek(L, 1, TYPE);
  nas_policy_gradient_destroy(&box->gradient);
  return 0;
}

static nas_status get_values(lua_State *L, const nas_policy_block *block, float *values,
                             nas_error *err) {
  return nas_policy_gradient_get(nas_check_policy(L, 2), nas_check_gradient(L, 1), block->first,
                                 (size_t)block->rows * (size_t)block->width, values, err);
}

static int gradient_blocks(lua_State *L) {
  nas_check_gradient(L, 1);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  return nas_push_blocks(L, 2, get_values);
}

/* gradient:dot(other) */
static int gradient_dot(lua_State *L) {
  nas_error err;
  double dot;
  const nas_policy_gradient *gradient = nas_check_gradient(L, 1);
  const nas_policy_gradient *other = nas_check_gradient(L, 2);
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, 1);
  if (nas_policy_gradient_dot(nas_check_policy(L, 3), gradient, other, &dot, &err))
    return nas_raise(L, &err);
  lua_pushnumber(L, dot);
  return 1;
}

static int gradient_tostring(lua_State *L) {
  gradient_box *box = nas_box_peek(L, 1, TYPE);
  lua_pushfstring(L, "%s%s", TYPE, box->gradient ? "" : " (closed)");
  return 1;
}

static const luaL_Reg methods[] = {
    {"blocks", gradient_blocks},
    {"dot", gradient_dot},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", gradient_tostring},
    {NULL, NULL},
};

void nas_open_gradient(lua_State *L) {
  nas_box_type(L, TYPE, methods, meta, gradient_close);
}
