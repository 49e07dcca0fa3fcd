/* The tables that a build may contain; dispatch.c alone chooses among them. */
#ifndef NAS_TABLES_H
#define NAS_TABLES_H

#include "kernel.h"

extern const nas_kernels nas_kernels_baseline;
extern const nas_kernels nas_kernels_avx2;
extern const nas_kernels nas_kernels_avx512;

#endif
