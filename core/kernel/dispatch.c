/* Compiled with the flags of the oldest processor: it must run everywhere to choose. */
#include "tables.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <nas/cpu.h>

/* -- the ladder ------------------------------------------------------------------------------- */

static const struct {
  const nas_kernels *table;
  unsigned needs;
} ladder[] = {
    {&nas_kernels_scalar, 0},
    {&nas_kernels_baseline, 0},
#ifdef NAS_HAVE_AVX2
    {&nas_kernels_avx2, NAS_CPU_AVX2},
#endif
#ifdef NAS_HAVE_AVX512
    {&nas_kernels_avx512, NAS_CPU_AVX2 | NAS_CPU_AVX512},
#endif
};

const nas_kernels *nas_kernels_numbered(int number) {
  unsigned flags = nas_cpu_flags();
  for (size_t i = 0; i < sizeof ladder / sizeof *ladder; i++)
    if ((ladder[i].needs & ~flags) == 0 && number-- == 0) return ladder[i].table;
  return NULL;
}

const nas_kernels *nas_kernels_named(const char *name) {
  const nas_kernels *table;
  for (int i = 0; (table = nas_kernels_numbered(i)) != NULL; i++)
    if (strcmp(name, table->name) == 0) return table;
  return NULL;
}

nas_status nas_kernels_find(const nas_kernels **kernels, const char *name, const char *what,
                            nas_error *err) {
  char names[64] = "", limit[64] = "";
  const char *isa = getenv("LUANAS_ISA");
  const nas_kernels *table;
  if ((*kernels = nas_kernels_named(name))) return NAS_OK;
  for (int i = 0; (table = nas_kernels_numbered(i)) != NULL; i++) {
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", table->name);
  }
  if (isa && nas_kernels_named(isa)) snprintf(limit, sizeof limit, "with LUANAS_ISA=%s, ", isa);
  return nas_fail(err, NAS_ARGUMENT, "%s is \"%.64s\"; %sthis machine has %s", what, name, limit,
                  names);
}

/* -- the choice ------------------------------------------------------------------------------- */

static _Atomic(const nas_kernels *) chosen; /* NULL: what the environment says */

const nas_kernels *nas_kernels_best(void) {
  const nas_kernels *table = atomic_load(&chosen), *next;
  const char *isa = getenv("LUANAS_ISA");
  if (table || (isa && (table = nas_kernels_named(isa)))) return table;
  for (int i = 0; (next = nas_kernels_numbered(i)) != NULL; i++) table = next;
  return table;
}

nas_status nas_kernels_default(const nas_kernels **kernels, nas_error *err) {
  const char *isa = getenv("LUANAS_ISA");
  if (isa && *isa && !atomic_load(&chosen))
    return nas_kernels_find(kernels, isa, "LUANAS_ISA", err);
  *kernels = nas_kernels_best();
  return NAS_OK;
}

nas_status nas_kernels_use(const char *name, nas_error *err) {
  const nas_kernels *table = NULL;
  nas_status status = name ? nas_kernels_find(&table, name, "isa", err) : NAS_OK;
  if (status == NAS_OK) atomic_store(&chosen, table);
  return status;
}
