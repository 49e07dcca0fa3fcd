/* PNG images, by libpng: one, or a folder with a sub-folder for each class. What is read:
 *
 *   grey                 becomes one channel
 *   colours, a palette   become three channels: red, green, blue
 *   1, 2 or 4 bits       are scaled to 0..255
 *   16 bits              are reduced to the high byte
 *   transparency         is dropped where every pixel is opaque; else it needs a background
 *
 * Pixels are taken as they are stored: gamma, colour profiles, texts and all else that a PNG may
 * tell is ignored. Declared dimensions are believed only as far as the bytes that follow could hold
 * them. Messages name the file. All functions may be called from any thread. */
#ifndef NAS_PNG_H
#define NAS_PNG_H

#include <stddef.h>
#include <stdint.h>
#include <nas/status.h>
#include <nas/tensor.h>

typedef struct nas_png_settings {
  int background; /* 0 (black) to 255 (white): seen through transparent pixels; -1, the default: an
                     image that has any is refused */
  int rgb;        /* 1: grey becomes three equal channels, too; default 0 */

  /* Of folders only. */
  int distinct; /* 1: of images with equal pixels the first counts, whatever its class; default 0 */
  const char *const *folders; /* the sub-folders to read; NULL, the default: all */
  int64_t folder_count;
} nas_png_settings;

NAS_API void nas_png_settings_default(nas_png_settings *settings);

/* Reads an image as uint8 [height, width, channels]. settings may be NULL: the defaults. On success
 * the caller owns *out; on failure *out is NULL. NAS_IO: the file could not be opened or read.
 * NAS_FORMAT: damaged, cut off, no PNG, transparent without a background. NAS_LIMIT: a side of more
 * than 65,535 pixels, more than 2^26 pixels, or more than 2^28 bytes in the file. NAS_ARGUMENT: a
 * setting out of range. NAS_MEMORY. */
NAS_API nas_status nas_png_read(nas_tensor **out, const char *path,
                                const nas_png_settings *settings, nas_error *err);

/* The same from `size` bytes of the file's content, with `name` for the messages. bytes may be NULL
 * when size is 0. */
NAS_API nas_status nas_png_read_memory(nas_tensor **out, const void *bytes, size_t size,
                                       const char *name, const nas_png_settings *settings,
                                       nas_error *err);

/* Writes an image, uint8 [height, width] or [height, width, 1 or 3], as a whole or not at all.
 * NAS_ARGUMENT: no such image, or a side of more than 65,535 pixels. NAS_IO: the file cannot be
 * written. NAS_MEMORY. */
NAS_API nas_status nas_png_write(const char *path, const nas_tensor *image, nas_error *err);

/* The names of the sub-folders, in order. */
typedef struct nas_png_classes {
  int64_t count;
  char **names;
} nas_png_classes;

/* Reads all images of a folder: *images uint8 [n, height, width, channels], *labels int32 [n]. Each
 * sub-folder is a class from 0, in the order of the settings or else of the bytes of their names;
 * in it, the files *.png (in small or capital letters) are its images, in the latter order. Links
 * count as what they point to. What begins with a dot, and all else, is skipped. On success the
 * caller owns *images, *labels and *classes (nas_png_classes_clear); on failure both are NULL and
 * *classes zero. Fails like nas_png_read; NAS_IO also for a folder that cannot be read; NAS_FORMAT
 * also for fewer than two sub-folders, one without images, and images that differ in size or
 * channels. */
NAS_API nas_status nas_png_folder_read(nas_tensor **images, nas_tensor **labels,
                                       nas_png_classes *classes, const char *path,
                                       const nas_png_settings *settings, nas_error *err);

/* Frees and zeroes. */
NAS_API void nas_png_classes_clear(nas_png_classes *classes);

#endif
