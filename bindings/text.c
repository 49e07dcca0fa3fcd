#include "text.h"
#include "box.h"

static const char TYPE[] = "luanas.Text";

nas_text *nas_text_new(lua_State *L) {
  return nas_box_new(L, TYPE, sizeof(nas_text), 0);
}

int nas_text_to_string(lua_State *L) {
  nas_text *text = nas_box_peek(L, -1, TYPE);
  if (text->failed) return luaL_error(L, "not enough memory");
  lua_pushlstring(L, text->data ? text->data : "", text->size);
  nas_text_clear(text);
  lua_remove(L, -2);
  return 1;
}

static int text_close(lua_State *L) {
  nas_text_clear(nas_box_peek(L, 1, TYPE));
  return 0;
}

void nas_text_open(lua_State *L) {
  nas_box_type(L, TYPE, (const luaL_Reg[]){{NULL, NULL}}, NULL, text_close);
}
