/* The encoding of a policy (FORMAT.md). */
#ifndef NAS_FORMAT_H
#define NAS_FORMAT_H

enum { NAS_FORMAT_VERSION = 2, NAS_FORMAT_MAGIC_SIZE = 8 };

extern const unsigned char nas_format_magic[NAS_FORMAT_MAGIC_SIZE];

#endif
