/* How long a program takes to start and to end with nothing to do, and how long until its prompt
 * stands on a terminal, without and with a history of a thousand lines: the medians over warm runs,
 * beside stock Lua's, which has no history.
 * usage: bench_startup LUANAS LUA [RUNS] */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 50, RUNS_MAX = 1000, PATIENCE = 10000 /* milliseconds */ };

extern char **environ;

static double milliseconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* One run of `program -e ''`; negative when it did not end well. */
static double run(char *program) {
  char option[] = "-e", nothing[] = "";
  char *arguments[] = {program, option, nothing, NULL};
  pid_t child;
  int status;
  double start = milliseconds_now();
  if (posix_spawn(&child, program, NULL, NULL, arguments, environ)) return -1;
  if (waitpid(child, &status, 0) != child || status != 0) return -1;
  return milliseconds_now() - start;
}

/* Reads what comes from a terminal until "> " has come (or, with `end`, until the program is gone).
 * Returns whether it has. */
static int await(int terminal, int end) {
  char text[4096] = "";
  size_t used = 0;
  struct pollfd waited = {terminal, POLLIN, 0};
  while (poll(&waited, 1, PATIENCE) > 0) {
    ssize_t size = read(terminal, text + used, sizeof text - 1 - used);
    if (size <= 0) return end;
    used = end ? 0 : used + (size_t)size;
    text[used] = 0;
    if (!end && strstr(text, "> ")) return 1;
  }
  return 0;
}

/* Starts `program -i` on a terminal of its own; negative when that fails. */
static pid_t start_at(const char *terminal, char *program) {
  char option[] = "-i";
  char *arguments[] = {program, option, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  pid_t child = -1;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  for (int fd = 0; fd < 3; fd++)
    posix_spawn_file_actions_addopen(&actions, fd, terminal, O_RDWR, 0);
  if (posix_spawn(&child, program, &actions, &attributes, arguments, environ)) child = -1;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

/* From the start of `program -i` to its prompt, then Ctrl-D; negative when it did not go so. */
static double run_to_prompt(char *program) {
  char name[128];
  double time = -1;
  int status, terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return -1;
  if (grantpt(terminal) || unlockpt(terminal) || ptsname_r(terminal, name, sizeof name)) goto done;
  double start = milliseconds_now();
  pid_t child = start_at(name, program);
  if (child < 0) goto done;
  if (await(terminal, 0)) time = milliseconds_now() - start;
  if (write(terminal, "\4", 1) != 1 || !await(terminal, 1)) kill(child, SIGKILL);
  if (waitpid(child, &status, 0) != child || status != 0) time = -1;
done:
  close(terminal);
  return time;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The median of `runs` runs after one that is not counted; negative when one failed. */
static double median(double (*timed)(char *program), char *program, int runs) {
  double times[RUNS_MAX];
  if (timed(program) < 0) return -1;
  for (int i = 0; i < runs; i++)
    if ((times[i] = timed(program)) < 0) return -1;
  qsort(times, (size_t)runs, sizeof *times, ascending);
  return times[runs / 2];
}

/* Prints a line of the table. Returns whether all runs went well. */
static int compare(const char *what, double (*timed)(char *program), char **programs, int runs) {
  double ours = median(timed, programs[0], runs), stock = median(timed, programs[1], runs);
  if (ours < 0 || stock < 0) {
    fprintf(stderr, "%s: a program did not run\n", what);
    return 0;
  }
  printf("start-up, median of %d: luanas %s %.1f ms, lua5.4 %s %.1f ms, ratio %.1f\n", runs, what,
         ours, what, stock, ours / stock);
  return 1;
}

/* Has the programs read a history of a thousand lines. The path, which is to be removed. */
static const char *give_history(void) {
  static char path[] = "/tmp/luanas_history_XXXXXX";
  int fd = mkstemp(path);
  FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
  if (!file) return NULL;
  for (int i = 0; i < 1000; i++)
    fprintf(file, "print(nas.space.size(space), policy:sample(space), study:best(%d))\n", i);
  fclose(file);
  setenv("LUANAS_HISTORY", path, 1);
  return path;
}

int main(int count, char **arguments) {
  int runs = count > 3 ? atoi(arguments[3]) : RUNS;
  if (count < 3 || runs < 1 || runs > RUNS_MAX) {
    fprintf(stderr, "usage: %s LUANAS LUA [RUNS]\n", arguments[0]);
    return 2;
  }
  setenv("TERM", "xterm", 1);
  setenv("NO_COLOR", "1", 1);      /* the prompt is "> " */
  setenv("LUANAS_HISTORY", "", 1); /* nothing is written */
  int went_well = compare("-e ''", run, arguments + 1, runs);
  went_well &= compare("-i (to the prompt)", run_to_prompt, arguments + 1, runs);
  const char *history = give_history();
  if (!history) return 1;
  went_well &= compare("-i (with a history)", run_to_prompt, arguments + 1, runs);
  unlink(history);
  return went_well ? 0 : 1;
}
