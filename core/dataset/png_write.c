#include <nas/png.h>
#include <setjmp.h>
#include "file.h"
#include "png_trouble.h"

#define SIDE_MAX 65535

/* What must outlive a jump out of libpng. */
typedef struct encoder {
  nas_png_trouble trouble;
  const char *path;
  nas_replacement file;
  png_structp png;
  png_infop info;
  nas_status status; /* of what failed outside libpng */
  nas_error *err;
} encoder;

static void on_write(png_structp png, png_bytep bytes, size_t size) {
  encoder *e = png_get_io_ptr(png);
  e->status = nas_replacement_write(&e->file, bytes, size, e->err);
  if (e->status != NAS_OK) png_error(png, "the file cannot be written");
}

static void on_flush(png_structp png) {
  (void)png;
}

/* [height, width] or [height, width, 1 or 3]. */
static nas_status check_image(const nas_tensor *image, nas_error *err) {
  const int64_t *dims = nas_tensor_dims(image);
  int rank = nas_tensor_rank(image);
  if (nas_tensor_dtype(image) != NAS_UINT8)
    return nas_fail(err, NAS_ARGUMENT, "png: the image is %s; expected uint8",
                    nas_dtype_name(nas_tensor_dtype(image)));
  if (rank != 2 && (rank != 3 || (dims[2] != 1 && dims[2] != 3))) {
    char shape[NAS_DIMS_TEXT];
    nas_tensor_dims_text(image, shape);
    return nas_fail(err, NAS_ARGUMENT,
                    "png: the image is %s; expected [height, width] or [height, width, 1 or 3]",
                    shape);
  }
  if (dims[0] > SIDE_MAX || dims[1] > SIDE_MAX)
    return nas_fail(err, NAS_ARGUMENT, "png: a side has more than %d pixels", SIDE_MAX);
  return NAS_OK;
}

/* Jumps out for whatever libpng notices. The image is contiguous. */
static void encode_or_jump(encoder *e, const nas_tensor *image) {
  const int64_t *dims = nas_tensor_dims(image);
  int channels = nas_tensor_rank(image) == 3 ? (int)dims[2] : 1;
  const unsigned char *rows = nas_tensor_data(image);
  e->info = png_create_info_struct(e->png);
  if (!e->info) png_error(e->png, "no memory");
  png_set_write_fn(e->png, e, on_write, on_flush);
  png_set_IHDR(e->png, e->info, (png_uint_32)dims[1], (png_uint_32)dims[0], 8,
               channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
  png_write_info(e->png, e->info);
  for (int64_t y = 0; y < dims[0]; y++) png_write_row(e->png, rows + y * dims[1] * channels);
  png_write_end(e->png, NULL);
}

static nas_status encode(encoder *e, const nas_tensor *image) {
  e->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &e->trouble, nas_png_on_error,
                                     nas_png_on_warning, &e->trouble, nas_png_on_allocate,
                                     nas_png_on_free);
  if (!e->png) return nas_fail(e->err, NAS_MEMORY, "no memory to write %s", e->path);
  if (setjmp(png_jmpbuf(e->png)) == 0)
    encode_or_jump(e, image);
  else if (e->trouble.starved)
    e->status = nas_fail(e->err, NAS_MEMORY, "no memory to write %s", e->path);
  else if (e->status == NAS_OK)
    e->status = nas_fail(e->err, NAS_IO, "%s cannot be written: %s", e->path, e->trouble.reason);
  png_destroy_write_struct(&e->png, &e->info);
  return e->status;
}

nas_status nas_png_write(const char *path, const nas_tensor *image, nas_error *err) {
  nas_tensor *copy;
  encoder e = {.path = path, .err = err};
  nas_status status = check_image(image, err);
  if (status == NAS_OK) status = nas_tensor_clone(&copy, image, err);
  if (status != NAS_OK) return status;
  status = nas_replacement_begin(&e.file, path, err);
  if (status == NAS_OK) status = nas_replacement_end(&e.file, encode(&e, copy), err);
  nas_tensor_destroy(&copy);
  return status;
}
