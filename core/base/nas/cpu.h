/* What this process may use of the processor. */
#ifndef NAS_CPU_H
#define NAS_CPU_H

#include <stddef.h>
#include <nas/api.h>

/* Instruction sets in the order of the ladder; each bit asks processor and operating system. */
enum {
  NAS_CPU_AVX2 = 1 << 0,   /* AVX2 and FMA */
  NAS_CPU_AVX512 = 1 << 1, /* AVX-512 F, BW, DQ, VL */
};

/* The bits that are there, and not switched off by nas_cpu_mask or by the environment variable
 * LUANAS_ISA, which is read at every call: avx512 leaves all, avx2 leaves AVX2, baseline and scalar
 * leave none; another value leaves all, and functions that make what computes (networks, trainers,
 * policies) fail, unless it is empty. 0 on processors other than x86. */
NAS_API unsigned nas_cpu_flags(void);

/* Switches off every bit that is not in mask, for tests; ~0u switches all on again. Affects kernel
 * tables that are looked up afterwards. */
NAS_API void nas_cpu_mask(unsigned mask);

/* Processors this process may run on at once, 1 to 256 (as many as a pool takes): the affinity mask
 * of the calling thread, cut to the quota of the cgroups, which is rounded up. The environment
 * variable LUANAS_THREADS overrides it; anything there but a decimal number from 1 to 256 counts as
 * not set. */
NAS_API int nas_cpu_count(void);

/* What LUANAS_THREADS says: 0 where it is not set, -1 where it is no number from 1 to 256. */
NAS_API int nas_cpu_wish(void);

/* Bytes of second-level cache of one core; 512 KiB where the system does not tell. */
NAS_API size_t nas_cpu_cache(void);

#endif
