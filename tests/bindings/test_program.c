/* The program luanas, from outside: its command line, what it prints, its exit status, Ctrl-C.
 * usage: test_program PROGRAM [LUA]; with stock Lua, also Ctrl-C there. */
#include "check.h"
#include <fcntl.h>
#include <nas/version.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 12, OUTPUT_MAX = 16384, PATIENCE = 60 /* seconds */ };

static const char *program;   /* luanas */
static const char *stock_lua; /* may be NULL */

/* -- running it ------------------------------------------------------------------------------- */

typedef struct request {
  const char *program;             /* NULL: luanas */
  const char *args[ARGUMENTS_MAX]; /* after the program's name; NULL-terminated */
  const char *input;               /* of standard input, which then ends; NULL: it stays open */
  int interrupts;                  /* SIGINTs, each sent when a line "ready" has come */
  int ignored;                     /* whether SIGINT is ignored from the start */
} request;

typedef struct result {
  int status; /* exit status, or minus the signal that ended it */
  char out[OUTPUT_MAX], err[OUTPUT_MAX];
  double seconds; /* from the last SIGINT to the end */
} result;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void execute(const request *asked, const int in[2], const int out[2], const int err[2]) {
  const char *path = asked->program ? asked->program : program;
  const char *argv[ARGUMENTS_MAX + 1] = {path};
  memcpy(argv + 1, asked->args, sizeof asked->args);
  signal(SIGINT, asked->ignored ? SIG_IGN : SIG_DFL);
  dup2(in[0], STDIN_FILENO);
  dup2(out[1], STDOUT_FILENO);
  dup2(err[1], STDERR_FILENO);
  close(in[1]);
  close(out[0]);
  close(err[0]);
  execv(path, (char **)argv);
  _exit(127);
}

/* Appends what can be read; 0 at the end. */
static int drain(int fd, char *text) {
  size_t used = strlen(text);
  ssize_t size = read(fd, text + used, OUTPUT_MAX - 1 - used);
  if (size > 0) text[used + (size_t)size] = 0;
  return size > 0;
}

static int count_ready(const char *text) {
  int count = 0;
  for (const char *at = text; (at = strstr(at, "ready\n")) != NULL; at++) count++;
  return count;
}

/* Reads both outputs until they end, and sends the interrupts meanwhile. */
static void attend(const request *asked, pid_t child, int out, int err, result *given) {
  int open_out = 1, open_err = 1, sent = 0;
  double began = now();
  given->seconds = began;
  while (open_out || open_err) {
    struct pollfd fds[] = {{open_out ? out : -1, POLLIN, 0}, {open_err ? err : -1, POLLIN, 0}};
    poll(fds, 2, 100);
    if (fds[0].revents) open_out = drain(out, given->out);
    if (fds[1].revents) open_err = drain(err, given->err);
    if (sent < asked->interrupts && count_ready(given->out) > sent) {
      usleep(20000); /* into the work that follows the line */
      kill(child, SIGINT);
      given->seconds = now();
      sent++;
    }
    if (now() - began > PATIENCE) kill(child, SIGKILL);
  }
  given->seconds = now() - given->seconds;
}

static result run(request asked) {
  result given = {0};
  int in[2], out[2], err[2], status;
  assert_int_equal(pipe2(in, O_CLOEXEC), 0);
  assert_int_equal(pipe2(out, O_CLOEXEC), 0);
  assert_int_equal(pipe2(err, O_CLOEXEC), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) execute(&asked, in, out, err);
  close(in[0]);
  close(out[1]);
  close(err[1]);
  if (asked.input) {
    assert_int_equal(write(in[1], asked.input, strlen(asked.input)), strlen(asked.input));
    close(in[1]);
  }
  attend(&asked, child, out[0], err[0], &given);
  assert_int_equal(waitpid(child, &status, 0), child);
  given.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  if (!asked.input) close(in[1]);
  close(out[0]);
  close(err[0]);
  return given;
}

/* With standard input and arguments. */
#define RUN(text, ...) run((request){.args = {__VA_ARGS__}, .input = (text)})

static void check_result(const result *given, int status, const char *out, const char *err) {
  if (given->status != status) print_error("out: %s\nerr: %s\n", given->out, given->err);
  assert_int_equal(given->status, status);
  check_contains(given->out, out);
  check_contains(given->err, err);
}

/* The path of a script with that text, until the next call. */
static const char *script(const char *text) {
  static char path[] = "/tmp/luanas_test_XXXXXX";
  static int fd = -1;
  if (fd < 0) fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(ftruncate(fd, 0), 0);
  assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
  return path;
}

static int remove_script(void **state) {
  (void)state;
  unlink(script(""));
  return 0;
}

/* -- the command line ------------------------------------------------------------------------- */

static void test_version(void **state) {
  (void)state;
  char expected[64];
  snprintf(expected, sizeof expected, "luanas %s (numeric version %d, ", nas_version(),
           NAS_NUMERIC_VERSION);
  result given = RUN("", "--version");
  check_result(&given, 0, expected, "");
}

static void test_help(void **state) {
  (void)state;
  result given = RUN("", "--help");
  check_result(&given, 0, "usage: luanas", "");
}

static void test_wrong_usage(void **state) {
  (void)state;
  result given = RUN("", "--fast");
  check_result(&given, 2, "", "luanas: unknown option --fast\nusage: luanas");
  given = RUN("", "-e");
  check_result(&given, 2, "", "luanas: -e needs code");
}

static void test_code(void **state) {
  (void)state;
  result given = RUN("", "-e", "x = 1", "-e", "print(x + 1, arg[1])");
  check_result(&given, 0, "2\t-e\n", "");
  given = RUN("", "-e", "error 'one'", "-e", "print 'two'");
  check_result(&given, 1, "", "luanas: (command line):1: one\nstack traceback:");
  assert_string_equal(given.out, "");
}

static void test_script_arguments(void **state) {
  (void)state;
  const char *path = script("print(arg[0], arg[1], arg[2], arg[-1], ...)");
  char expected[128];
  snprintf(expected, sizeof expected, "%s\ta\t-e\tglobal = 5\ta\t-e\n", path);
  result given = RUN("", "-e", "global = 5", path, "a", "-e");
  check_result(&given, 0, expected, "");
  given = RUN("", "--", path, "a");
  check_result(&given, 0, "\ta\tnil\t--\ta\n", "");
}

static void test_standard_input(void **state) {
  (void)state;
  result given = RUN("print('read', ...)", "-", "a");
  check_result(&given, 0, "read\ta\n", "");
  given = RUN("\n\nerror 'here'", "-");
  check_result(&given, 1, "", "stdin:3: here");
}

/* -- errors ----------------------------------------------------------------------------------- */

static void test_missing_script(void **state) {
  (void)state;
  result given = RUN("", "/nowhere/x.lua");
  check_result(&given, 1, "", "luanas: cannot open /nowhere/x.lua");
  given = RUN("", "trails", "a.db");
  check_result(&given, 2, "", "luanas: \"trails\" is no command, and there is no such script");
}

static void test_traceback(void **state) {
  (void)state;
  const char *path = script("local function f()\n  error 'oops'\nend\n\nf()\n");
  char place[128], caller[128];
  snprintf(place, sizeof place, "luanas: %s:2: oops\nstack traceback:", path);
  snprintf(caller, sizeof caller, "%s:5: in main chunk", path);
  result given = RUN("", path);
  check_result(&given, 1, "", place);
  check_contains(given.err, caller);
  /* What is wrong in a script is not told in lines of the package. */
  given = RUN("", script("local nas = require 'luanas'\nnas.study { space = 3 }\n"));
  check_result(&given, 1, "", ":2: study: space is 3; expected a function");
  check_contains(given.err, ":2: in main chunk");
  assert_null(strstr(given.err, "luanas/"));
  /* Nor in those of how an error left it. */
  const char *const raising[] = {"require('luanas').stduy()",
                                 "require('luanas').watch('/nowhere')"};
  for (int i = 0; i < 2; i++) {
    given = RUN("", script(raising[i]));
    const char *trace = strstr(given.err, "stack traceback:\n");
    assert_non_null(trace);
    assert_null(strstr(trace, "'error'"));
    assert_null(strstr(trace, "tail calls"));
  }
  given = RUN(
      "",
      script(
          "local function f()\n  return (nil)()\nend\nlocal function g()\n  return f()\nend\ng()"));
  check_contains(given.err,
                 "\t(...tail calls...)\n"); /* a script's own tell where lines are missing */
}

static void test_syntax_error(void **state) {
  (void)state;
  result given = RUN("", script("x = = 2"));
  check_result(&given, 1, "", ":1: unexpected symbol near '='");
}

static void test_error_objects(void **state) {
  (void)state;
  result given = RUN("", "-e", "error({})");
  check_result(&given, 1, "", "luanas: (error object is a table value)");
  given =
      RUN("", "-e", "error(setmetatable({}, { __tostring = function() return 'own text' end }))");
  check_result(&given, 1, "", "luanas: own text\n");
}

static void test_core_errors_have_a_position(void **state) {
  (void)state;
  const char *path = script("local core = require 'luanas.core'\n"
                            "core.node('conv2d', {}, { kernel = 3, filters = 0 })");
  result given = RUN("", path);
  check_result(&given, 1, "", ":2: conv2d: filters is 0; expected an integer from 1 to 65536");
}

static void test_exit_status(void **state) {
  (void)state;
  result given = RUN("", "-e", "os.exit(7)");
  check_result(&given, 7, "", "");
}

/* -- the environment -------------------------------------------------------------------------- */

static void test_wrong_threads(void **state) {
  (void)state;
  static const char *const wrong[] = {"0", "257", "abc", "1x", "-1"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    setenv("LUANAS_THREADS", wrong[i], 1);
    result given = RUN("", "-e", "");
    check_result(&given, 1, "", "expected a number from 1 to 256");
    check_contains(given.err, wrong[i]);
  }
  setenv("LUANAS_THREADS", "", 1);
  result empty = RUN("", "-e", "");
  check_result(&empty, 0, "", "");
  unsetenv("LUANAS_THREADS");
}

static void test_wrong_sixel(void **state) {
  (void)state;
  setenv("LUANAS_SIXEL", "2", 1);
  result given = RUN("", "-e", "");
  check_result(&given, 1, "", "LUANAS_SIXEL is \"2\"; expected 0 or 1");
  unsetenv("LUANAS_SIXEL");
}

/* LUANAS_ISA stays set for the calls in between. */
static void test_unknown_isa(void **state) {
  (void)state;
  static const char message[] = "LUANAS_ISA is \"avx9\"; this machine has scalar, baseline";
  setenv("LUANAS_ISA", "avx9", 1);
  result version = RUN("", "--version"), help = RUN("", "--help"), code = RUN("", "-e", "print(1)");
  result stock = {1, "", "", 0};
  if (stock_lua)
    stock = run((request){.program = stock_lua, .args = {"-e", "require 'luanas.core'"}});
  setenv("LUANAS_ISA", "scalar", 1);
  result scalar = RUN("", "--version");
  unsetenv("LUANAS_ISA");
  check_result(&version, 1, "", message);
  check_result(&help, 0, "LUANAS_ISA", "");
  check_result(&code, 1, "", message);
  assert_string_equal(version.out, "");
  assert_string_equal(code.out, "");
  check_result(&stock, 1, "", stock_lua ? message : "");
  check_result(&scalar, 0, ", scalar, ", "");
}

/* -- what scripts find ------------------------------------------------------------------------ */

static void test_package_is_inside(void **state) {
  (void)state;
  result given =
      RUN("", "-e", "package.path, package.cpath = '', ''; print(require('luanas').version)");
  check_result(&given, 0, nas_version(), "");
}

static void test_random_is_seeded(void **state) {
  (void)state;
  result first = RUN("", "-e", "print(math.random(1 << 40))");
  result second = RUN("", "-e", "print(math.random(1 << 40))");
  assert_int_equal(first.status, 0);
  assert_string_equal(first.out, second.out);
}

/* LUA_CPATH leads to a module that takes Lua from its host. */
static void test_c_modules(void **state) {
  (void)state;
  result given = RUN("", "-e", "print(require('probe').answer())");
  check_result(&given, 0, "42\n", "");
}

/* -- Ctrl-C ----------------------------------------------------------------------------------- */

#define READY "io.stdout:write 'ready\\n' io.stdout:flush() "

static void check_interrupted(const char *text, const char *out) {
  result given = run((request){.args = {script(text)}, .interrupts = 1});
  check_result(&given, 130, out, "interrupted!");
  if (given.seconds > 20) print_error("took %g seconds\n", given.seconds);
  assert_true(given.seconds <= 20);
}

static void test_interrupt_loop(void **state) {
  (void)state;
  check_interrupted(READY "while true do end", "");
}

static void test_interrupt_coroutine(void **state) {
  (void)state;
  check_interrupted("coroutine.wrap(function() " READY "while true do end end)()", "");
  check_interrupted("print(coroutine.resume(coroutine.create(function()\n"
                    "  coroutine.wrap(function() " READY "while true do end end)()\n"
                    "end))) print 'went on'",
                    "");
}

static void test_interrupt_switching_coroutines(void **state) {
  (void)state;
  check_interrupted("local f = coroutine.wrap(function() while true do coroutine.yield() end end)\n"
                    "local g = coroutine.wrap(function() while true do f() coroutine.yield() end "
                    "end)\n" READY "while true do g() end",
                    "");
}

static void test_interrupt_after_coroutines(void **state) {
  (void)state;
  check_interrupted("local f = coroutine.create(function() coroutine.yield() end)\n"
                    "coroutine.resume(f)\n"
                    "coroutine.resume(f)\n"
                    "coroutine.resume(f) -- it is dead\n" READY "while true do end",
                    "");
}

static void test_interrupt_passes_pcall(void **state) {
  (void)state;
  check_interrupted(READY "while true do pcall(function() while true do end end) end", "");
  check_interrupted(READY "while true do xpcall(function() while true do end end, print) end", "");
  check_interrupted(READY "while true do pcall(pcall, pcall, error) end", "");
  check_interrupted(READY "while true do\n"
                          "  coroutine.resume(coroutine.create(function() while true do end end))\n"
                          "end",
                    "");
}

static void test_interrupt_runs_handlers(void **state) {
  (void)state;
  check_interrupted("local function finish()\n"
                    "  for i = 1, 1e6 do end\n"
                    "  local ok, message = pcall(error, 'own')\n"
                    "  print('finished', ok, message)\n"
                    "end\n"
                    "local last <close> = setmetatable({}, { __close = finish })\n"
                    "pcall(function()\n"
                    "  local first <close> = setmetatable({}, { __close = finish })\n"
                    "  " READY "while true do end\n"
                    "end)\n"
                    "print 'went on'",
                    "finished\tfalse\town\nfinished\tfalse\town\n");
}

/* What closes on the way out may wait, or train. */
static void test_interrupt_lets_handlers_wait(void **state) {
  (void)state;
  check_interrupted("local core = require 'luanas.core'\n"
                    "local function finish() core.sleep(0.01) print 'finished' end\n"
                    "local last <close> = setmetatable({}, { __close = finish })\n" READY
                    "while true do end",
                    "finished\n");
  check_interrupted("local core = require 'luanas.core'\n"
                    "local function finish() core.check_interrupt() print 'finished' end\n"
                    "local last <close> = setmetatable({}, { __close = finish })\n" READY
                    "while true do core.sleep(60) end",
                    "finished\n");
}

/* An error there would be swallowed, and what follows would go on. */
static void test_interrupt_waits_for_finalizers(void **state) {
  (void)state;
  check_interrupted("local core = require 'luanas.core'\n"
                    "local function wait()\n"
                    "  " READY "core.sleep(60) core.check_interrupt() print 'finished'\n"
                    "end\n"
                    "setmetatable({}, { __gc = function() return coroutine.wrap(wait)() end })\n"
                    "collectgarbage() while true do end",
                    "finished\n");
}

static void test_interrupt_passes_coroutine_close(void **state) {
  (void)state;
  check_interrupted("local co = coroutine.create(function()\n"
                    "  local endless <close> = setmetatable({}, { __close = function()\n"
                    "    " READY "while true do end end })\n"
                    "  coroutine.yield()\n"
                    "end)\n"
                    "coroutine.resume(co) print(coroutine.close(co)) print 'went on'",
                    "ready\n");
}

static void test_interrupt_prints_tables(void **state) {
  (void)state;
  check_interrupted("package.loaded['luanas.study'] = {\n"
                    "  interrupted = function() print(pcall(error, 'the table')) end }\n" READY
                    "while true do end",
                    "false\tthe table\n");
}

/* Trains for longer than any test. */
#define TRAINING                                                                                   \
  "local core = require 'luanas.core'\n"                                                           \
  "local images = core.tensor({ 200000, 8, 8, 1 }, 'uint8')\n"                                     \
  "local labels = core.tensor({ 200000 }, 'int32'):fill(1)\n"                                      \
  "labels[1] = 2\n"                                                                                \
  "local parts = { inputs = images, targets = labels, classes = 2 }\n"                             \
  "local data = core.dataset('test', parts):split { validation = 10 }\n"                           \
  "local x = core.node('input', {}, { size = 8, channels = 1 })\n"                                 \
  "x = core.node('conv2d', { x }, { kernel = 7, filters = 64 })\n"                                 \
  "x = core.node('dense', { core.node('global_avg_pool', { x }) }, { units = 2 })\n"               \
  "local trainer = core.trainer(x, data, core.recipe { batch = 1 }, 0)\n" READY

static void test_interrupt_training(void **state) {
  (void)state;
  check_interrupted(TRAINING "while true do pcall(trainer.epoch, trainer) end", "");
}

/* Its handler sets a hook, which raises once the epoch has returned. */
static void test_interrupt_training_in_stock_lua(void **state) {
  (void)state;
  if (!stock_lua) check_skip("stock Lua cannot load a module with a sanitizer");
  result given = run((request){.program = stock_lua,
                               .args = {script(TRAINING "trainer:epoch() print 'went on'")},
                               .interrupts = 1});
  check_result(&given, 1, "ready\n", "interrupted!\nstack traceback:");
  assert_null(strstr(given.out, "went on"));
  assert_true(given.seconds <= 20);
}

static void test_interrupt_reading(void **state) {
  (void)state;
  check_interrupted(READY "io.read()", "");
}

static void test_second_interrupt_ends_at_once(void **state) {
  (void)state;
  const char *path = script("local _ <close> = setmetatable({}, { __close = function()\n"
                            "  " READY "while true do end\n"
                            "end })\n" READY "while true do end");
  result given = run((request){.args = {path}, .interrupts = 2});
  assert_int_equal(given.status, -SIGINT);
}

/* Lines from a pipe are a script: there is no prompt to come back to. */
static void test_interrupt_lines(void **state) {
  (void)state;
  result given = run((request){
      .args = {"-i"}, .input = READY "while true do end\nprint 'went on'\n", .interrupts = 1});
  check_result(&given, 130, "ready\n", "interrupted!");
  assert_null(strstr(given.out, "went on"));
}

static void test_ignored_interrupt_stays_ignored(void **state) {
  (void)state;
  const char *path = script("print 'ready' io.stdout:flush()\n"
                            "local t = os.clock() while os.clock() < t + 0.3 do end print 'done'");
  result given = run((request){.args = {path}, .interrupts = 1, .ignored = 1});
  check_result(&given, 0, "done\n", "");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_version),
      cmocka_unit_test(test_help),
      cmocka_unit_test(test_wrong_usage),
      cmocka_unit_test(test_code),
      cmocka_unit_test(test_script_arguments),
      cmocka_unit_test(test_standard_input),
      cmocka_unit_test(test_missing_script),
      cmocka_unit_test(test_traceback),
      cmocka_unit_test(test_syntax_error),
      cmocka_unit_test(test_error_objects),
      cmocka_unit_test(test_core_errors_have_a_position),
      cmocka_unit_test(test_exit_status),
      cmocka_unit_test(test_wrong_threads),
      cmocka_unit_test(test_wrong_sixel),
      cmocka_unit_test(test_unknown_isa),
      cmocka_unit_test(test_package_is_inside),
      cmocka_unit_test(test_random_is_seeded),
      cmocka_unit_test(test_c_modules),
      cmocka_unit_test(test_interrupt_loop),
      cmocka_unit_test(test_interrupt_coroutine),
      cmocka_unit_test(test_interrupt_switching_coroutines),
      cmocka_unit_test(test_interrupt_after_coroutines),
      cmocka_unit_test(test_interrupt_passes_pcall),
      cmocka_unit_test(test_interrupt_runs_handlers),
      cmocka_unit_test(test_interrupt_lets_handlers_wait),
      cmocka_unit_test(test_interrupt_waits_for_finalizers),
      cmocka_unit_test(test_interrupt_passes_coroutine_close),
      cmocka_unit_test(test_interrupt_prints_tables),
      cmocka_unit_test(test_interrupt_training),
      cmocka_unit_test(test_interrupt_training_in_stock_lua),
      cmocka_unit_test(test_interrupt_reading),
      cmocka_unit_test(test_second_interrupt_ends_at_once),
      cmocka_unit_test(test_interrupt_lines),
      cmocka_unit_test(test_ignored_interrupt_stays_ignored),
  };
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "usage: test_program PROGRAM [LUA]\n");
    return 2;
  }
  program = argv[1];
  stock_lua = argv[2];
  return cmocka_run_group_tests(tests, NULL, remove_script) != 0;
}
