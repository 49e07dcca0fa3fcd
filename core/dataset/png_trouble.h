/* What goes wrong within libpng, for reading and writing. */
#ifndef NAS_DATASET_PNG_TROUBLE_H
#define NAS_DATASET_PNG_TROUBLE_H

#include <png.h>

typedef struct nas_png_trouble {
  int starved;      /* an allocation of libpng failed */
  char reason[128]; /* what libpng says */
} nas_png_trouble;

/* Functions for png_create_*_struct_2, whose pointers of errors and memory are a nas_png_trouble.
 * An error notes its reason and jumps to png_jmpbuf. */
void nas_png_on_error(png_structp png, png_const_charp reason);
void nas_png_on_warning(png_structp png, png_const_charp reason);
png_voidp nas_png_on_allocate(png_structp png, png_alloc_size_t size);
void nas_png_on_free(png_structp png, png_voidp block);

#endif
