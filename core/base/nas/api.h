/* What every public header needs: the export mark and attributes that compilers check. */
#ifndef NAS_API_H
#define NAS_API_H

#if defined(__GNUC__)
#define NAS_API                __attribute__((visibility("default")))
#define NAS_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define NAS_API
#define NAS_PRINTF(fmt, first)
#endif

#endif
