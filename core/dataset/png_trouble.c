#include "png_trouble.h"
#include <setjmp.h>
#include <stdio.h>
#include <nas/memory.h>

void nas_png_on_error(png_structp png, png_const_charp reason) {
  nas_png_trouble *trouble = png_get_error_ptr(png);
  snprintf(trouble->reason, sizeof trouble->reason, "%s", reason);
  png_longjmp(png, 1);
}

void nas_png_on_warning(png_structp png, png_const_charp reason) {
  (void)png, (void)reason;
}

png_voidp nas_png_on_allocate(png_structp png, png_alloc_size_t size) {
  nas_png_trouble *trouble = png_get_mem_ptr(png);
  void *block = nas_alloc(size, 1);
  if (!block) trouble->starved = 1;
  return block;
}

void nas_png_on_free(png_structp png, png_voidp block) {
  (void)png;
  nas_free(block);
}
