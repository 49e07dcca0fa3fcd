/* The program luanas: runs Lua scripts that have the package inside. */
#include <lauxlib.h>
#include <lualib.h>
#include <nas/cpu.h>
#include <nas/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "embedded.h"
#include "interrupt.h"
#include "kernel.h"
#include "module.h"
#include "running.h"
#include "session.h"
#include "terminal.h"

enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_INTERRUPT = 130 };

/* math.random gives the same numbers in every run. */
enum { RANDOM_SEED = 1 };

static const char usage[] =
    "usage: luanas [options] [script [arguments]]\n"
    "       luanas COMMAND FILE [options]\n"
    "  -e CODE     run CODE\n"
    "  -i          open the prompt afterwards, however the script ended\n"
    "  -           run standard input as one script\n"
    "  --version   print the versions of engine and numbers, the instruction set and the threads\n"
    "  --help      print this\n"
    "\n"
    "Commands look at the file of a study and take care of it: studies, runs, trials, show, "
    "script,\n"
    "rewards, curves, plot, draw, export, check, verify, backup, vacuum; or train what a study "
    "asks\n"
    "for: worker.\n"
    "`luanas COMMAND --help` tells more.\n"
    "\n"
    "Without a script, and with -i, what is typed runs line by line, and the values of expressions "
    "are\n"
    "printed. Where standard input is no terminal, that is all, and the status is 1 if a line "
    "failed.\n"
    "\n"
    "Scripts begin with: local nas = require \"luanas\"\n"
    "math.random gives the same numbers in every run, until a script calls math.randomseed.\n"
    "Ctrl-C ends a script after its last finished step, with status 130; twice, at once. With a "
    "prompt,\n"
    "it leads back there; twice within a second, it ends the program.\n"
    "\n"
    "Environment: LUANAS_THREADS, 1 to 256 (default: the processors that it may use); LUANAS_ISA,\n"
    "scalar, baseline, avx2 or avx512 (default: the best that the machine has). Neither changes a\n"
    "bit of the results. LUANAS_HISTORY, the file that keeps what was typed at the prompt, but for "
    "lines\n"
    "that begin with a blank; empty: nothing is kept (default: luanas/history in\n"
    "$XDG_STATE_HOME, or in ~/.local/state). NO_COLOR: no colours.\n"
    "LUANAS_SIXEL, 1 or 0: whether images and plots in the terminal are sixel graphics (default: "
    "what\n"
    "the terminal answers; 0 with NO_COLOR).\n";

/* -- packages --------------------------------------------------------------------------------- */

/* A loader of package.preload: compiles the embedded script of its upvalue when it is required. */
static int load_embedded(lua_State *L) {
  const nas_embedded *script = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 2);
  if (luaL_loadbufferx(L, script->text, script->size, script->chunk, "t")) return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, 2, 1);
  return 1;
}

/* The module luanas.stub_texts: a table of the texts of the stubs, from which help is made. */
static int load_stub_texts(lua_State *L) {
  lua_newtable(L);
  for (const nas_embedded *stub = nas_embedded_stubs; stub->name; stub++) {
    lua_pushlstring(L, stub->text, stub->size);
    lua_setfield(L, -2, stub->name);
  }
  return 1;
}

static void preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_luanas_core);
  lua_setfield(L, -2, "luanas.core");
  lua_pushcfunction(L, load_stub_texts);
  lua_setfield(L, -2, "luanas.stub_texts");
  for (const nas_embedded *script = nas_embedded_scripts; script->name; script++) {
    lua_pushlightuserdata(L, (void *)script);
    lua_pushcclosure(L, load_embedded, 1);
    lua_setfield(L, -2, script->name);
  }
  lua_pop(L, 1);
}

static void seed_random(lua_State *L) {
  lua_getglobal(L, "math");
  lua_getfield(L, -1, "randomseed");
  lua_pushinteger(L, RANDOM_SEED);
  lua_call(L, 1, 0);
  lua_pop(L, 1);
}

/* -- errors ----------------------------------------------------------------------------------- */

static int begins_with(const char *text, const char *beginning) {
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Whether a line of a traceback tells nothing of the script: it is the package's, or of how an
 * error left that. `is_after`: whether the line before it is such a line. */
static int is_of_package(const char *line, int is_after) {
  return begins_with(line, "\tluanas/") || begins_with(line, "\t[C]: in function 'error'\n") ||
         (is_after && begins_with(line, "\t(...tail calls...)\n"));
}

/* Leaves out the lines of the package: errors of its own begin with one of its places, those of
 * scripts do not. */
static void drop_package_lines(lua_State *L) {
  const char *line = lua_tostring(L, -1), *end;
  if (begins_with(line, "luanas/")) return;
  luaL_Buffer kept;
  luaL_buffinit(L, &kept);
  for (int drops = 0; *line; line = end) {
    end = strchr(line, '\n') ? strchr(line, '\n') + 1 : line + strlen(line);
    drops = is_of_package(line, drops);
    if (!drops) luaL_addlstring(&kept, line, (size_t)(end - line));
  }
  luaL_pushresult(&kept);
}

/* Message handler: adds a traceback, except to an interrupt. */
static int explain(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (!message) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  if (nas_interrupt_pending()) return 1;
  luaL_traceback(L, L, message, 1);
  drop_package_lines(L);
  return 1;
}

/* Has luanas.detached tell how the script ended, where this process is one that was started so. Of
 * "finished", "failed" or "stopped", and a message or nil. */
static int tell_end(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "luanas.detached") != LUA_TTABLE) return 0;
  if (lua_getfield(L, -1, "ended") != LUA_TFUNCTION) return 0;
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 0);
  return 0;
}

/* The same with the message on top of the stack; who can't be told is not. */
static void note_end(lua_State *L, const char *how) {
  lua_pushcfunction(L, tell_end);
  lua_pushstring(L, how);
  lua_pushvalue(L, -3);
  if (lua_pcall(L, 2, 0, 0)) lua_pop(L, 1);
}

/* Calls a function of luanas.study, where the script has loaded that. */
static void call_study(lua_State *L, const char *name) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "luanas.study") != LUA_TTABLE) return;
  if (lua_getfield(L, -1, name) == LUA_TFUNCTION) lua_call(L, 0, 0);
}

/* Lets the studies of the package print the table so far. */
static int show_studies(lua_State *L) {
  call_study(L, "interrupted");
  return 0;
}

/* The script has come to its end: what its studies have not written yet is written. */
static int close_studies(lua_State *L) {
  call_study(L, "close_all");
  return 0;
}

static void print_error(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "luanas: %s\n", message ? message : "(error object is not a string)");
}

static void end_failed(lua_State *L) {
  print_error(L);
  note_end(L, "failed");
}

/* After Ctrl-C, with the error object on top of the stack. */
static int end_interrupted(lua_State *L) {
  nas_interrupt_clear();
  lua_sethook(L, NULL, 0, 0);
  lua_pushcfunction(L, show_studies);
  if (lua_pcall(L, 0, 0, 0)) {
    print_error(L);
    lua_pop(L, 1);
  }
  fflush(stdout);
  fprintf(stderr, "luanas: interrupted!\n");
  note_end(L, "stopped");
  return EXIT_INTERRUPT;
}

/* Calls the function below `count` arguments on the stack. Returns an exit status; what went wrong
 * has been told. */
static int call(lua_State *L, int count) {
  int handler = lua_gettop(L) - count;
  lua_pushcfunction(L, explain);
  lua_insert(L, handler);
  nas_running_begin(L);
  int status = lua_pcall(L, count, 0, handler);
  nas_running_end();
  if (nas_interrupt_pending()) {
    if (status == LUA_OK) lua_pushliteral(L, "interrupted!");
    return end_interrupted(L);
  }
  if (status != LUA_OK) end_failed(L);
  lua_settop(L, handler - 1);
  return status == LUA_OK ? EXIT_OK : EXIT_ERROR;
}

/* -- the command line ------------------------------------------------------------------------- */

/* An exit status; what is wrong with LUANAS_ISA has been told. */
static int check_isa(void) {
  nas_error err;
  const nas_kernels *kernels;
  if (nas_kernels_default(&kernels, &err) == NAS_OK) return EXIT_OK;
  fprintf(stderr, "luanas: %s\n", err.text);
  return EXIT_ERROR;
}

static int check_threads(void) {
  if (nas_cpu_wish() >= 0) return EXIT_OK;
  fprintf(stderr, "luanas: LUANAS_THREADS is \"%s\"; expected a number from 1 to 256\n",
          getenv("LUANAS_THREADS"));
  return EXIT_ERROR;
}

static int check_sixel(void) {
  nas_error err;
  int wish;
  if (nas_terminal_wish(&wish, &err) == NAS_OK) return EXIT_OK;
  fprintf(stderr, "luanas: %s\n", err.text);
  return EXIT_ERROR;
}

static void print_version(void) {
  printf("luanas %s (numeric version %d, %s, %d thread%s)\n", nas_version(), nas_numeric_version(),
         nas_kernels_best()->name, nas_cpu_count(), nas_cpu_count() == 1 ? "" : "s");
}

static int wrong_usage(const char *what, const char *option) {
  fprintf(stderr, "luanas: %s%s\n%s", what, option, usage);
  return EXIT_USAGE;
}

typedef struct command {
  int argc;
  char **argv;
  int script;     /* its place in argv; argc: none */
  int is_session; /* whether there is a prompt afterwards */
  int exit_status;
} command;

/* Checks the options and prints what those ask for that end the program. Returns whether it goes
 * on; otherwise the exit status is set. */
static int read_options(command *given) {
  int i, argc = given->argc, has_code = 0;
  char **argv = given->argv;
  int *exit_status = &given->exit_status;
  *exit_status = EXIT_OK;
  for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != 0; i++) {
    if (strcmp(argv[i], "--version") == 0) {
      if ((*exit_status = check_isa()) == EXIT_OK) print_version();
      return 0;
    }
    if (strcmp(argv[i], "--help") == 0) {
      fputs(usage, stdout);
      return 0;
    }
    if (strcmp(argv[i], "--") == 0) {
      i++;
      break;
    }
    if (strcmp(argv[i], "-i") == 0) {
      given->is_session = 1;
      continue;
    }
    has_code = 1;
    if (strcmp(argv[i], "-e") != 0) {
      *exit_status = wrong_usage("unknown option ", argv[i]);
      return 0;
    }
    if (++i == argc) {
      *exit_status = wrong_usage("-e needs code", "");
      return 0;
    }
  }
  given->script = i;
  if (i == argc && !has_code) given->is_session = 1;
  return 1;
}

/* The global arg, as Lua's own program sets it: the script is arg[0]. */
static void set_arguments(lua_State *L, int argc, char **argv, int script) {
  int zero = script < argc ? script : 0;
  lua_createtable(L, argc - zero - 1, zero + 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - zero);
  }
  lua_setglobal(L, "arg");
}

/* Runs the function that a load left on the stack, or tells why there is none. */
static int run_loaded(lua_State *L, int load_status, int argc, char **argv) {
  if (load_status != LUA_OK) {
    end_failed(L);
    lua_pop(L, 1);
    return EXIT_ERROR;
  }
  luaL_checkstack(L, argc, "too many arguments to script");
  for (int i = 0; i < argc; i++) lua_pushstring(L, argv[i]);
  return call(L, argc);
}

static int run_options(lua_State *L, char **argv, int script) {
  int status = EXIT_OK;
  for (int i = 1; i + 1 < script && status == EXIT_OK; i++) {
    if (strcmp(argv[i], "-e") != 0) continue;
    i++;
    status =
        run_loaded(L, luaL_loadbuffer(L, argv[i], strlen(argv[i]), "=(command line)"), 0, NULL);
  }
  return status;
}

static int run_script(lua_State *L, int argc, char **argv, int script) {
  const char *path = strcmp(argv[script], "-") == 0 ? NULL : argv[script];
  int first = script + 1;
  return run_loaded(L, luaL_loadfile(L, path), argc - first, argv + first);
}

/* The store's commands: a word in the place of a script. Pushes the function that runs it, or
 * nothing where there is no such command. */
static int push_command(lua_State *L, const char *name) {
  if (strpbrk(name, "./-")) return 0; /* a path */
  lua_getglobal(L, "require");
  lua_pushliteral(L, "luanas.commands");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "find");
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
  lua_remove(L, -2);
  if (lua_isfunction(L, -1)) return 1;
  lua_pop(L, 1);
  return 0;
}

static int run_command_or_script(lua_State *L, const command *given) {
  int first = given->script + 1;
  const char *name = given->argv[given->script];
  if (!push_command(L, name)) {
    if (strpbrk(name, "./-") || access(name, F_OK) == 0)
      return run_script(L, given->argc, given->argv, given->script);
    fprintf(stderr,
            "luanas: \"%s\" is no command, and there is no such script; see luanas --help\n", name);
    return EXIT_USAGE;
  }
  return run_loaded(L, LUA_OK, given->argc - first, given->argv + first);
}

static int run_session(lua_State *L) {
  int exit_status = EXIT_ERROR;
  lua_pushcfunction(L, nas_session);
  lua_pushlightuserdata(L, &exit_status);
  int status = call(L, 1);
  return status == EXIT_OK ? exit_status : status;
}

/* In protected mode: all that may lack memory. */
static int run(lua_State *L) {
  command *given = lua_touserdata(L, 1);
  luaL_openlibs(L);
  preload(L);
  seed_random(L);
  set_arguments(L, given->argc, given->argv, given->script);
  lua_settop(L, 0);
  given->exit_status = run_options(L, given->argv, given->script);
  if (given->exit_status == EXIT_OK && given->script < given->argc)
    given->exit_status = run_command_or_script(L, given);
  if (given->is_session) given->exit_status = run_session(L);
  if (given->exit_status != EXIT_OK) return 0;
  lua_pushcfunction(L, close_studies);
  given->exit_status = call(L, 0);
  if (given->exit_status == EXIT_OK) {
    lua_pushnil(L);
    note_end(L, "finished");
  }
  return 0;
}

/* What has been written must be where it belongs, or else the program has failed. */
static int end(int exit_status) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return exit_status;
  fprintf(stderr, "luanas: standard output can't be written\n");
  return exit_status == EXIT_OK ? EXIT_ERROR : exit_status;
}

int main(int argc, char **argv) {
  command given = {.argc = argc, .argv = argv};
  if (!read_options(&given)) return end(given.exit_status);
  if (check_isa() != EXIT_OK || check_threads() != EXIT_OK || check_sixel() != EXIT_OK)
    return EXIT_ERROR;
  lua_State *L = luaL_newstate();
  if (!L) {
    fprintf(stderr, "luanas: not enough memory\n");
    return EXIT_ERROR;
  }
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, &given);
  if (lua_pcall(L, 1, 0, 0)) {
    print_error(L);
    given.exit_status = EXIT_ERROR;
  }
  lua_close(L);
  return end(given.exit_status);
}
