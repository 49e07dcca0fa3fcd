#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <nas/cpu.h>
#include "cpu_limits.h"

#define CPU_MOST  256 /* as many as a pool takes */
#define PATH_SIZE 4096

/* Instruction sets */

static atomic_uint enabled = ~0u;

static unsigned detect(void) {
#if defined(__x86_64__) || defined(__i386__)
  unsigned flags = 0;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) flags |= NAS_CPU_AVX2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    flags |= NAS_CPU_AVX512;
  return flags;
#else
  return 0;
#endif
}

/* What LUANAS_ISA leaves on. */
static unsigned allowed_by_environment(void) {
  static const struct {
    const char *name;
    unsigned flags;
  } ladder[] = {{"scalar", 0}, {"baseline", 0}, {"avx2", NAS_CPU_AVX2}};
  const char *isa = getenv("LUANAS_ISA");
  for (size_t i = 0; isa && i < sizeof ladder / sizeof *ladder; i++) {
    if (strcmp(isa, ladder[i].name) == 0) return ladder[i].flags;
  }
  return ~0u;
}

unsigned nas_cpu_flags(void) {
  return detect() & allowed_by_environment() & atomic_load(&enabled);
}

void nas_cpu_mask(unsigned mask) {
  atomic_store(&enabled, mask);
}

/* Processors */

static int smaller_limit(int a, int b) {
  if (a == 0 || b == 0) return a + b;
  return a < b ? a : b;
}

static int read_line(const char *folder, const char *name, char *line, int size) {
  char path[PATH_SIZE + 64];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  int found = fgets(line, size, file) != NULL;
  fclose(file);
  return found;
}

/* The limit of one group, or 0. */
static int group_quota(const char *folder) {
  char line[64];
  long long quota = 0, period = 0;
  if (read_line(folder, "cpu.max", line, sizeof line)) {
    if (sscanf(line, "%lld %lld", &quota, &period) != 2) return 0; /* "max 100000" */
  } else {
    if (read_line(folder, "cpu.cfs_quota_us", line, sizeof line)) quota = atoll(line);
    if (read_line(folder, "cpu.cfs_period_us", line, sizeof line)) period = atoll(line);
  }
  if (quota <= 0 || period <= 0) return 0;
  long long processors = quota / period + (quota % period != 0);
  return processors < CPU_MOST ? (int)processors : CPU_MOST;
}

/* The smallest limit of root/group and of the groups above it. In a container the path may be the
 * host's, of which only an upper part, or nothing but the root, is to be seen. */
static int path_quota(const char *root, const char *group) {
  char path[PATH_SIZE];
  int length = snprintf(path, sizeof path, "%s%s", root, group);
  if (length < 0 || (size_t)length >= sizeof path) return 0;
  int limit = 0;
  for (;;) {
    limit = smaller_limit(limit, group_quota(path));
    char *slash = strrchr(path, '/');
    if (!slash || slash < path + strlen(root)) return limit;
    *slash = 0;
  }
}

/* Is cpu one of the names in a list such as "cpu,cpuacct"? */
static int lists_cpu(char *controllers) {
  char *rest;
  for (char *name = strtok_r(controllers, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
    if (strcmp(name, "cpu") == 0) return 1;
  }
  return 0;
}

int nas_cpu_quota(const char *list, const char *root) {
  char line[PATH_SIZE], mount[PATH_SIZE];
  FILE *file = fopen(list, "re");
  if (!file) return 0;
  int limit = 0;
  while (fgets(line, sizeof line, file)) { /* id:controllers:path; no controllers in version 2 */
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) continue;
    *group++ = 0;
    group[strcspn(group, "\n")] = 0;
    if (strncmp(line, "0:", 2) == 0) {
      limit = smaller_limit(limit, path_quota(root, group));
    } else if (lists_cpu(controllers + 1)) {
      snprintf(mount, sizeof mount, "%s/cpu", root);
      limit = smaller_limit(limit, path_quota(mount, group));
    }
  }
  fclose(file);
  return limit;
}

static int affinity(void) {
#if defined(CPU_COUNT_S)
  cpu_set_t sets[16]; /* 16,384 processors; the call fails when the system has more */
  if (sched_getaffinity(0, sizeof sets, sets) == 0) return CPU_COUNT_S(sizeof sets, sets);
#endif
  return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int nas_cpu_available(void) {
  int count = affinity();
  if (count < 1) count = 1;
  if (count > CPU_MOST) count = CPU_MOST;
  return smaller_limit(count, nas_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
}

int nas_cpu_wish(void) {
  const char *text = getenv("LUANAS_THREADS");
  int count = 0;
  if (!text || !*text) return 0;
  for (const char *digit = text; *digit; digit++) {
    if (*digit < '0' || *digit > '9' || count > CPU_MOST) return -1;
    count = count * 10 + (*digit - '0');
  }
  return count >= 1 && count <= CPU_MOST ? count : -1;
}

int nas_cpu_count(void) {
  int wish = nas_cpu_wish();
  return wish > 0 ? wish : nas_cpu_available();
}

size_t nas_cpu_cache(void) {
  long bytes = -1;
#if defined(_SC_LEVEL2_CACHE_SIZE)
  bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
  return bytes > 0 ? (size_t)bytes : (size_t)512 << 10;
}
