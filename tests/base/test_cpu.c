#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <check.h>
#include <nas/cpu.h>
#include "cpu_limits.h"

/* Instruction sets */

static void known_bits_only(void **state) {
  (void)state;
  unsigned flags = nas_cpu_flags();
  assert_int_equal(flags & ~(unsigned)(NAS_CPU_AVX2 | NAS_CPU_AVX512), 0);
#if !defined(__x86_64__) && !defined(__i386__)
  assert_int_equal(flags, 0);
#endif
}

static void masks(void **state) {
  (void)state;
  unsigned all = nas_cpu_flags();
  for (unsigned mask = 0; mask < 4; mask++) {
    nas_cpu_mask(mask);
    assert_int_equal(nas_cpu_flags(), all & mask);
  }
  nas_cpu_mask(~0u);
  assert_int_equal(nas_cpu_flags(), all);
}

static void isa_from_the_environment(void **state) {
  (void)state;
  static const struct {
    const char *name;
    unsigned left;
  } cases[] = {{"scalar", 0},   {"baseline", 0}, {"avx2", NAS_CPU_AVX2},
               {"avx512", ~0u}, {"AVX2", ~0u},   {"", ~0u}};
  unsigned all = nas_cpu_flags();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    setenv("LUANAS_ISA", cases[i].name, 1);
    assert_int_equal(nas_cpu_flags(), all & cases[i].left);
  }
  unsetenv("LUANAS_ISA");
}

/* Processors */

static void threads_from_the_environment(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int count; /* 0: not set */
  } cases[] = {{"1", 1},   {"7", 7},   {"256", 256},
               {"007", 7}, {"257", 0}, {"0", 0},
               {"", 0},    {"-1", 0},  {"+2", 0},
               {" 2", 0},  {"2 ", 0},  {"2x", 0},
               {"0x2", 0}, {"2.0", 0}, {"99999999999999999999", 0},
               {"two", 0}, {"1e1", 0}, {"00000000000000000000000000003", 3}};
  unsetenv("LUANAS_THREADS");
  int available = nas_cpu_count();
  assert_in_range(available, 1, 256);
  assert_int_equal(available, nas_cpu_available());
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    setenv("LUANAS_THREADS", cases[i].text, 1);
    assert_int_equal(nas_cpu_count(), cases[i].count ? cases[i].count : available);
    assert_int_equal(nas_cpu_available(), available);
  }
  unsetenv("LUANAS_THREADS");
}

static void affinity_is_obeyed(void **state) {
  (void)state;
#if defined(CPU_COUNT)
  cpu_set_t before, one;
  if (sched_getaffinity(0, sizeof before, &before)) check_skip("no affinity");
  int cpu = 0;
  while (!CPU_ISSET(cpu, &before)) cpu++;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  if (sched_setaffinity(0, sizeof one, &one)) check_skip("no affinity");
  int count = nas_cpu_available();
  sched_setaffinity(0, sizeof before, &before);
  assert_int_equal(count, 1);
#else
  check_skip("no affinity");
#endif
}

static void cache_size(void **state) {
  (void)state;
  assert_in_range(nas_cpu_cache(), 64 << 10, 1 << 30);
}

/* Quotas, in an imitation of the folder where cgroups are mounted */

static char root[64];

static void put(const char *path, const char *content) {
  char full[512];
  snprintf(full, sizeof full, "%s/%s", root, path);
  for (char *slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(full, 0700);
    *slash = '/';
  }
  FILE *file = fopen(full, "w");
  assert_non_null(file);
  fputs(content, file);
  fclose(file);
}

static int quota(const char *list) {
  char path[512];
  put("list", list);
  snprintf(path, sizeof path, "%s/list", root);
  return nas_cpu_quota(path, root);
}

static int make_root(void **state) {
  (void)state;
  snprintf(root, sizeof root, "/tmp/test_cpu_XXXXXX");
  return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", root);
  return system(command);
}

static void quota_of_version_2(void **state) {
  (void)state;
  put("a/b/cpu.max", "max 100000\n");
  assert_int_equal(quota("0::/a/b\n"), 0);
  put("a/b/cpu.max", "350000 100000\n");
  assert_int_equal(quota("0::/a/b\n"), 4);
  put("a/b/cpu.max", "400000 100000\n");
  assert_int_equal(quota("0::/a/b\n"), 4);
  put("a/b/cpu.max", "1000 100000\n");
  assert_int_equal(quota("0::/a/b\n"), 1);
}

static void the_smallest_quota_on_the_way_counts(void **state) {
  (void)state;
  put("a/b/c/cpu.max", "800000 100000\n");
  put("a/b/cpu.max", "250000 100000\n");
  put("a/cpu.max", "max 100000\n");
  assert_int_equal(quota("0::/a/b/c\n"), 3);
  put("cpu.max", "150000 100000\n"); /* as a container sees its own group */
  assert_int_equal(quota("0::/a/b/c\n"), 2);
  assert_int_equal(quota("0::/\n"), 2);
  assert_int_equal(quota("0::/on/the/host/only\n"), 2);
  assert_int_equal(quota("0::/../outside\n"), 2);
}

static void quota_of_version_1(void **state) {
  (void)state;
  put("cpu/x/cpu.cfs_quota_us", "150000\n");
  put("cpu/x/cpu.cfs_period_us", "50000\n");
  assert_int_equal(quota("9:memory:/x\n3:cpuacct,cpu:/x\n0::/\n"), 3);
  assert_int_equal(quota("3:cpu:/x/inner\n"), 3);
  assert_int_equal(quota("3:cpu:/other\n"), 0);
  assert_int_equal(quota("3:cpuset:/x\n"), 0);
  put("cpu/x/cpu.cfs_quota_us", "-1\n");
  assert_int_equal(quota("3:cpu:/x\n"), 0);
}

static void nonsense_is_no_limit(void **state) {
  (void)state;
  static const char *const contents[] = {"",           "\n",    "x y\n",  "100000\n",
                                         "0 100000\n", "5 0\n", "-5 -5\n"};
  for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
    put("a/cpu.max", contents[i]);
    assert_int_equal(quota("0::/a\n"), 0);
  }
  put("a/cpu.max", "9223372036854775807 1\n");
  assert_int_equal(quota("0::/a\n"), 256);
  assert_int_equal(quota("nonsense\n::\n:\n0:\n"), 0);
  assert_int_equal(nas_cpu_quota("/nowhere", root), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_bits_only),
      cmocka_unit_test(masks),
      cmocka_unit_test(isa_from_the_environment),
      cmocka_unit_test(threads_from_the_environment),
      cmocka_unit_test(affinity_is_obeyed),
      cmocka_unit_test(cache_size),
      cmocka_unit_test_setup_teardown(quota_of_version_2, make_root, remove_root),
      cmocka_unit_test_setup_teardown(the_smallest_quota_on_the_way_counts, make_root, remove_root),
      cmocka_unit_test_setup_teardown(quota_of_version_1, make_root, remove_root),
      cmocka_unit_test_setup_teardown(nonsense_is_no_limit, make_root, remove_root),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
