/* Compiled with the flags of the oldest processor: it must run everywhere to choose. */
#include "tables.h"
#include <stdlib.h>
#include <string.h>
#include <nas/cpu.h>

const nas_kernels *nas_kernels_best(void) {
  unsigned flags = nas_cpu_flags();
  const char *isa = getenv("LUANAS_ISA");
  const nas_kernels *best = &nas_kernels_baseline;
  if (isa && strcmp(isa, "scalar") == 0) return &nas_kernels_scalar;
#ifdef NAS_HAVE_AVX2
  if (!(flags & NAS_CPU_AVX2)) return best;
  best = &nas_kernels_avx2;
#endif
#ifdef NAS_HAVE_AVX512
  if (!(flags & NAS_CPU_AVX512)) return best;
  best = &nas_kernels_avx512;
#endif
  (void)flags;
  return best;
}

const nas_kernels *nas_kernels_named(const char *name) {
  unsigned flags = nas_cpu_flags();
  (void)flags;
  if (strcmp(name, "scalar") == 0) return &nas_kernels_scalar;
  if (strcmp(name, "baseline") == 0) return &nas_kernels_baseline;
#ifdef NAS_HAVE_AVX2
  if (strcmp(name, "avx2") == 0 && (flags & NAS_CPU_AVX2)) return &nas_kernels_avx2;
#endif
#ifdef NAS_HAVE_AVX512
  if (strcmp(name, "avx512") == 0 && (flags & NAS_CPU_AVX512)) return &nas_kernels_avx512;
#endif
  return NULL;
}
