/* Readers of files: NPY, CSV, PNG, CIFAR; and a writer of PNG. Classes count from 1 in Lua, from 0
 * in libnas. */
#include <nas/cifar.h>
#include <nas/csv.h>
#include <nas/npy.h>
#include <nas/png.h>
#include "box.h"
#include "check.h"
#include "failure.h"
#include "settings.h"
#include "types.h"

static const char CSV[] = "luanas.Csv";
static const char CSV_CLASSES[] = "luanas.CsvClasses";
static const char PNG_CLASSES[] = "luanas.PngClasses";

/* Pushes the classes that a box holds, counted from 1. */
static void push_from_one(lua_State *L, nas_tensor **from_zero) {
  nas_tensor **out = nas_push_tensor(L);
  *out = *from_zero;
  *from_zero = NULL;
  int32_t *classes = nas_tensor_data(*out);
  for (int64_t i = 0; i < nas_tensor_size(*out); i++) classes[i]++;
  nas_weigh_tensor(L, *out);
}

static void push_names(lua_State *L, const char *const *names, int64_t count) {
  lua_newtable(L);
  for (int64_t i = 0; i < count; i++) {
    lua_pushstring(L, names[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

/* The strings of the list at an argument, each of which is `what`. */
static const char **check_list(lua_State *L, int arg, const char *what, int *count) {
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Unsigned length = lua_rawlen(L, arg);
  if (length < 1 || length > 1000)
    nas_check_failed(L, arg, "%I %ss; expected 1 to 1000", (lua_Integer)length, what);
  lua_createtable(L, (int)length, 0); /* keeps the strings, whatever happens to the list */
  lua_newtable(L);
  int scratch = lua_gettop(L);
  const char **list = nas_box_scratch(L, scratch, length, sizeof *list);
  for (lua_Unsigned i = 0; i < length; i++) {
    if (lua_rawgeti(L, arg, (lua_Integer)i + 1) != LUA_TSTRING)
      nas_check_failed(L, arg, "%s %I is %s; expected a string", what, (lua_Integer)i + 1,
                       nas_check_shown(L, -1));
    list[i] = nas_check_name(L, lua_gettop(L), what);
    lua_rawseti(L, scratch - 1, (lua_Integer)i + 1);
  }
  *count = (int)length;
  return list;
}

/* -- NPY -------------------------------------------------------------------------------------- */

/* core.read_npy(path) */
static int core_read_npy(lua_State *L) {
  nas_error err;
  const char *path = nas_check_name(L, 1, "path");
  nas_tensor **out = nas_push_tensor(L);
  if (nas_npy_read(out, path, &err)) return nas_fail_or_raise(L, &err);
  nas_weigh_tensor(L, *out);
  return 1;
}

/* core.write_npy(tensor, path) */
static int core_write_npy(lua_State *L) {
  nas_error err;
  nas_check_tensor(L, 1);
  const char *path = nas_check_name(L, 2, "path");
  const nas_tensor *tensor = nas_check_tensor(L, 1);
  if (nas_npy_write(tensor, path, &err)) return nas_fail_or_raise(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

/* -- PNG -------------------------------------------------------------------------------------- */

/* What one image and a folder have in common. */
static nas_png_settings png_settings(const nas_settings *given) {
  nas_png_settings settings;
  nas_png_settings_default(&settings);
  settings.background =
      (int)nas_settings_integer(given, "background", settings.background, 0, UINT8_MAX);
  settings.rgb = nas_settings_boolean(given, "rgb", settings.rgb);
  return settings;
}

/* core.read_png(path, { background, rgb }) */
static int core_read_png(lua_State *L) {
  static const char *const names[] = {"background", "rgb", NULL};
  nas_error err;
  const char *path = nas_check_name(L, 1, "path");
  nas_settings given = nas_settings_open(L, 2, "png");
  nas_settings_known(&given, names, NULL);
  nas_png_settings settings = png_settings(&given);
  nas_tensor **out = nas_push_tensor(L);
  if (nas_png_read(out, path, &settings, &err)) return nas_fail_or_raise(L, &err);
  nas_weigh_tensor(L, *out);
  return 1;
}

/* core.write_png(path, image) */
static int core_write_png(lua_State *L) {
  nas_error err;
  const char *path = nas_check_name(L, 1, "path");
  if (nas_png_write(path, nas_check_tensor(L, 2), &err)) return nas_fail_or_raise(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int png_classes_close(lua_State *L) {
  nas_png_classes_clear(nas_box_peek(L, 1, PNG_CLASSES));
  return 0;
}

/* core.read_png_folder(path, { background, rgb, distinct }, folders): images, labels, names */
static int core_read_png_folder(lua_State *L) {
  static const char *const names[] = {"background", "distinct", "rgb", NULL};
  nas_error err;
  int count = 0;
  const char *path = nas_check_name(L, 1, "path");
  nas_settings given = nas_settings_open(L, 2, "png");
  nas_settings_known(&given, names, NULL);
  nas_png_settings settings = png_settings(&given);
  settings.distinct = nas_settings_boolean(&given, "distinct", settings.distinct);
  if (!lua_isnoneornil(L, 3)) settings.folders = check_list(L, 3, "folder", &count);
  settings.folder_count = count;
  nas_png_classes *classes = nas_box_new(L, PNG_CLASSES, sizeof *classes, 0);
  nas_tensor **labels = nas_push_tensor(L);
  nas_tensor **images = nas_push_tensor(L);
  if (nas_png_folder_read(images, labels, classes, path, &settings, &err))
    return nas_fail_or_raise(L, &err);
  nas_weigh_tensor(L, *images);
  push_from_one(L, labels);
  push_names(L, (const char *const *)classes->names, classes->count);
  nas_png_classes_clear(classes);
  return 3;
}

/* -- CIFAR ------------------------------------------------------------------------------------ */

/* core.read_cifar(paths, kind): images, labels */
static int core_read_cifar(lua_State *L) {
  static const char *const kinds[] = {[NAS_CIFAR_10] = "cifar10",
                                      [NAS_CIFAR_100] = "cifar100",
                                      [NAS_CIFAR_100_COARSE] = "cifar100-coarse",
                                      NULL};
  nas_error err;
  int count;
  const char **paths = check_list(L, 1, "path", &count);
  nas_cifar_kind kind = (nas_cifar_kind)luaL_checkoption(L, 2, NULL, kinds);
  nas_tensor **labels = nas_push_tensor(L);
  nas_tensor **images = nas_push_tensor(L);
  if (nas_cifar_read(images, labels, paths, count, kind, &err)) return nas_fail_or_raise(L, &err);
  nas_weigh_tensor(L, *images);
  push_from_one(L, labels);
  return 2;
}

/* -- CSV -------------------------------------------------------------------------------------- */

typedef struct csv_box {
  nas_csv *table;
} csv_box;

static const nas_csv *check_csv(lua_State *L, int arg) {
  csv_box *box = nas_box_check(L, arg, CSV);
  return box->table;
}

static int csv_close(lua_State *L) {
  csv_box *box = nas_box_peek(L, 1, CSV);
  nas_csv_destroy(&box->table);
  return 0;
}

static int csv_classes_close(lua_State *L) {
  nas_csv_classes_clear(nas_box_peek(L, 1, CSV_CLASSES));
  return 0;
}

static void set_delimiter(lua_State *L, const nas_settings *given, nas_csv_settings *settings) {
  const char *delimiter = nas_settings_string(given, "delimiter", NULL);
  if (!delimiter) return;
  if (!delimiter[0] || delimiter[1])
    luaL_error(L, "csv: delimiter is \"%s\"; expected one of , ; | : and tab", delimiter);
  settings->delimiter = delimiter[0];
}

/* core.read_csv(path, { delimiter, header }) */
static int core_read_csv(lua_State *L) {
  static const char *const names[] = {"delimiter", "header", NULL};
  nas_error err;
  nas_csv_settings settings;
  const char *path = nas_check_name(L, 1, "path");
  nas_settings given = nas_settings_open(L, 2, "csv");
  nas_settings_known(&given, names, NULL);
  nas_csv_settings_default(&settings);
  set_delimiter(L, &given, &settings);
  settings.header = nas_settings_boolean(&given, "header", settings.header);
  csv_box *box = nas_box_new(L, CSV, sizeof *box, 0);
  if (nas_csv_read(&box->table, path, &settings, &err)) return nas_fail_or_raise(L, &err);
  nas_box_pressure(L, (size_t)(nas_csv_rows(box->table) * nas_csv_columns(box->table)) * 8);
  return 1;
}

static int no_column(lua_State *L, int64_t count, int arg, const char *name) {
  enum { NAMED = 20 };
  luaL_Buffer known;
  luaL_buffinit(L, &known);
  for (int64_t k = 0; k < count && k < NAMED; k++) {
    if (k > 0) luaL_addstring(&known, ", ");
    luaL_addstring(&known, nas_csv_name(check_csv(L, 1), k));
  }
  if (count > NAMED) luaL_addstring(&known, ", ...");
  luaL_pushresult(&known);
  return nas_check_failed(L, arg, "csv: there is no column \"%s\"; columns: %s", name,
                          lua_tostring(L, -1));
}

/* A column by name or position, at a stack index; argument `arg` is or has it. */
static int64_t check_column(lua_State *L, const nas_csv *table, int index, int arg) {
  int64_t count = nas_csv_columns(table), column;
  luaL_checkany(L, arg);
  if (lua_type(L, index) == LUA_TSTRING) {
    const char *name = lua_tostring(L, index);
    column = nas_csv_find(table, name);
    if (column < 0) no_column(L, count, arg, name);
    return column;
  }
  int is_integer;
  column = lua_tointegerx(L, index, &is_integer);
  if (!is_integer || column < 1 || column > count)
    nas_check_failed(L, arg, "csv: column is %s; expected a name, or an integer from 1 to %I",
                     nas_check_shown(L, index), (lua_Integer)count);
  return column - 1;
}

/* csv:names() */
static int csv_names(lua_State *L) {
  int64_t count = nas_csv_columns(check_csv(L, 1));
  lua_newtable(L);
  for (int64_t k = 0; k < count; k++) {
    lua_pushstring(L, nas_csv_name(check_csv(L, 1), k));
    lua_rawseti(L, -2, (lua_Integer)k + 1);
  }
  return 1;
}

/* csv:is_numeric(column) */
static int csv_is_numeric(lua_State *L) {
  const nas_csv *table = check_csv(L, 1);
  lua_pushboolean(L, nas_csv_is_numeric(table, check_column(L, table, 2, 2)));
  return 1;
}

/* csv:numbers(columns) */
static int csv_numbers(lua_State *L) {
  nas_error err;
  const nas_csv *table = check_csv(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Unsigned count = lua_rawlen(L, 2);
  if (count < 1) nas_check_failed(L, 2, "no columns; expected at least 1");
  lua_newtable(L);
  int64_t *columns = nas_box_scratch(L, lua_gettop(L), count, sizeof *columns);
  table = check_csv(L, 1);
  for (lua_Unsigned i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i + 1);
    columns[i] = check_column(L, table, lua_gettop(L), 2);
    lua_pop(L, 1);
  }
  nas_tensor **out = nas_push_tensor(L);
  table = check_csv(L, 1);
  if (nas_csv_numbers(table, columns, (int64_t)count, out, &err)) return nas_fail_or_raise(L, &err);
  nas_weigh_tensor(L, *out);
  return 1;
}

/* csv:labels(column): labels, names */
static int csv_labels(lua_State *L) {
  nas_error err;
  const nas_csv *table = check_csv(L, 1);
  int64_t column = check_column(L, table, 2, 2);
  nas_csv_classes *classes = nas_box_new(L, CSV_CLASSES, sizeof *classes, 0);
  nas_tensor **labels = nas_push_tensor(L);
  table = check_csv(L, 1);
  if (nas_csv_labels(table, column, labels, classes, &err)) return nas_fail_or_raise(L, &err);
  push_from_one(L, labels);
  lua_newtable(L);
  for (int64_t i = 0; i < classes->count; i++) {
    check_csv(L, 1); /* the names are its cells */
    lua_pushstring(L, classes->names[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  nas_csv_classes_clear(classes);
  return 2;
}

/* csv:cell(row, column) */
static int csv_cell(lua_State *L) {
  const nas_csv *table = check_csv(L, 1);
  int64_t row = nas_check_index(L, 2, "row", nas_csv_rows(table));
  lua_pushstring(L, nas_csv_cell(table, row, check_column(L, table, 3, 3)));
  return 1;
}

static int csv_len(lua_State *L) {
  lua_pushinteger(L, nas_csv_rows(check_csv(L, 1)));
  return 1;
}

static int csv_tostring(lua_State *L) {
  csv_box *box = nas_box_peek(L, 1, CSV);
  if (box->table)
    lua_pushfstring(L, "%s: %I rows of %I columns", CSV, (lua_Integer)nas_csv_rows(box->table),
                    (lua_Integer)nas_csv_columns(box->table));
  else
    lua_pushfstring(L, "%s (closed)", CSV);
  return 1;
}

static const luaL_Reg csv_methods[] = {
    {"names", csv_names},     {"is_numeric", csv_is_numeric},
    {"numbers", csv_numbers}, {"labels", csv_labels},
    {"cell", csv_cell},       {NULL, NULL},
};

static const luaL_Reg csv_meta[] = {
    {"__len", csv_len},
    {"__tostring", csv_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"read_npy", core_read_npy},   {"write_npy", core_write_npy},
    {"read_png", core_read_png},   {"read_png_folder", core_read_png_folder},
    {"write_png", core_write_png}, {"read_cifar", core_read_cifar},
    {"read_csv", core_read_csv},   {NULL, NULL},
};

void nas_open_files(lua_State *L) {
  const luaL_Reg none[] = {{NULL, NULL}};
  nas_box_type(L, CSV, csv_methods, csv_meta, csv_close);
  nas_box_type(L, CSV_CLASSES, none, NULL, csv_classes_close);
  nas_box_type(L, PNG_CLASSES, none, NULL, png_classes_close);
  luaL_setfuncs(L, functions, 0);
}
