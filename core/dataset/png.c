#include <nas/png.h>
#include "png_trouble.h"
#include "source.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <nas/hash.h>
#include <nas/memory.h>
#include <nas/text.h>

#define SIDE_MAX    65535
#define BYTES_MAX   ((size_t)1 << 28)
#define EXPANSION   1032 /* deflate makes no more than so many bytes of one */
#define CHANNEL_MAX 4    /* red, green, blue, alpha */

/* ---- Settings ---- */

void nas_png_settings_default(nas_png_settings *settings) {
  *settings = (nas_png_settings){.background = -1};
}

static nas_status check_folders(const nas_png_settings *settings, nas_error *err) {
  if (settings->folder_count < 2)
    return nas_fail(err, NAS_ARGUMENT, "png: %" PRId64 " folders; expected at least 2, one a class",
                    settings->folder_count);
  for (int64_t i = 0; i < settings->folder_count; i++) {
    const char *name = settings->folders[i];
    if (!name[0])
      return nas_fail(err, NAS_ARGUMENT, "png: folder %" PRId64 " has an empty name", i + 1);
    for (int64_t j = 0; j < i; j++)
      if (strcmp(settings->folders[j], name) == 0)
        return nas_fail(err, NAS_ARGUMENT, "png: folder \"%s\" is listed twice", name);
  }
  return NAS_OK;
}

static nas_status check_settings(const nas_png_settings *settings, nas_error *err) {
  if (settings->background < -1 || settings->background > 255)
    return nas_fail(err, NAS_ARGUMENT, "png: background is %d; expected 0 to 255, or -1 for none",
                    settings->background);
  if (settings->rgb != 0 && settings->rgb != 1)
    return nas_fail(err, NAS_ARGUMENT, "png: rgb is %d; expected 0 or 1", settings->rgb);
  if (settings->distinct != 0 && settings->distinct != 1)
    return nas_fail(err, NAS_ARGUMENT, "png: distinct is %d; expected 0 or 1", settings->distinct);
  return settings->folders ? check_folders(settings, err) : NAS_OK;
}

/* ---- One image ---- */

typedef struct image {
  int height, width, channels;
} image;

/* What must outlive a jump out of libpng. */
typedef struct decoder {
  nas_png_trouble trouble;
  const char *name;
  const unsigned char *bytes;
  size_t size, offset;
  const nas_png_settings *settings;
  nas_block *pixels; /* gets the rows behind what it has */
  image image;
  png_structp png;
  png_infop info;
  nas_error *err;
} decoder;

static void on_read(png_structp png, png_bytep bytes, size_t size) {
  decoder *d = png_get_io_ptr(png);
  if (size > d->size - d->offset) png_error(png, "the file ends");
  memcpy(bytes, d->bytes + d->offset, size);
  d->offset += size;
}

/* The declared dimensions, before anything is allocated for them. */
static nas_status check_dims(decoder *d) {
  size_t height = png_get_image_height(d->png, d->info);
  size_t width = png_get_image_width(d->png, d->info);
  if (height > SIDE_MAX || width > SIDE_MAX || height * width > BYTES_MAX / CHANNEL_MAX)
    return nas_fail(d->err, NAS_LIMIT,
                    "%s: %zux%zu pixels (height x width); expected sides of at most %d and at most "
                    "%zu pixels",
                    d->name, height, width, SIDE_MAX, BYTES_MAX / CHANNEL_MAX);
  if (height * png_get_rowbytes(d->png, d->info) / EXPANSION > d->size)
    return nas_fail(d->err, NAS_FORMAT,
                    "%s: %zux%zu pixels (height x width) are declared, but the %zu bytes of the "
                    "file cannot hold them",
                    d->name, height, width, d->size);
  d->image.height = (int)height;
  d->image.width = (int)width;
  return NAS_OK;
}

/* Asks for 8 bits a channel and no palette. Returns the number of passes over the rows. */
static int set_transforms(decoder *d) {
  int depth = png_get_bit_depth(d->png, d->info), type = png_get_color_type(d->png, d->info);
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(d->png);
  if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(d->png);
  if (png_get_valid(d->png, d->info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(d->png);
  if (depth == 16) png_set_strip_16(d->png);
  if (d->settings->rgb) png_set_gray_to_rgb(d->png);
  int passes = png_set_interlace_handling(d->png);
  png_read_update_info(d->png, d->info);
  d->image.channels = png_get_channels(d->png, d->info);
  return passes;
}

/* Memory grows row by row; only an interlaced image, whose passes touch every row, needs all. */
static nas_status read_rows(decoder *d, int passes) {
  nas_block *pixels = d->pixels;
  size_t row = (size_t)d->image.width * (size_t)d->image.channels;
  size_t first = pixels->size, all = row * (size_t)d->image.height;
  size_t step = passes > 1 ? all : row;
  size_t most = first > 0 ? SIZE_MAX : all; /* one image: what it needs */
  for (int pass = 0; pass < passes; pass++) {
    for (size_t at = 0; at < all; at += row) {
      if (pixels->size == first + at) {
        nas_status status = nas_block_reserve(pixels, step, most, "the pixels", d->err);
        if (status != NAS_OK) return status;
        pixels->size += step;
      }
      png_read_row(d->png, pixels->bytes + first + at, NULL);
    }
  }
  png_read_end(d->png, NULL);
  return NAS_OK;
}

/* A value and what it leaves to be seen of the background. */
static unsigned char lay_over(unsigned value, unsigned alpha, unsigned background) {
  return (unsigned char)((value * alpha + background * (255 - alpha) + 127) / 255);
}

/* Takes the last of the channels away. */
static nas_status drop_alpha(decoder *d) {
  const int background = d->settings->background;
  size_t count = (size_t)d->image.height * (size_t)d->image.width;
  size_t channels = (size_t)d->image.channels;
  unsigned char *from = d->pixels->bytes + d->pixels->size - count * channels, *to = from;
  for (size_t p = 0; p < count; p++, from += channels) {
    unsigned alpha = from[channels - 1];
    if (alpha != 255 && background < 0)
      return nas_fail(d->err, NAS_FORMAT,
                      "%s: row %zu, column %zu is transparent; expected an image without "
                      "transparency, or a background",
                      d->name, p / (size_t)d->image.width, p % (size_t)d->image.width);
    for (size_t c = 0; c + 1 < channels; c++)
      *to++ = alpha == 255 ? from[c] : lay_over(from[c], alpha, (unsigned)background);
  }
  d->pixels->size -= count;
  d->image.channels--;
  return NAS_OK;
}

/* Jumps out for whatever libpng notices. */
static nas_status decode_or_jump(decoder *d) {
  d->info = png_create_info_struct(d->png);
  if (!d->info) png_error(d->png, "no memory");
  png_set_read_fn(d->png, d, on_read);
  png_set_user_limits(d->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* known ones too */
  png_read_info(d->png, d->info);
  nas_status status = check_dims(d);
  if (status == NAS_OK) status = read_rows(d, set_transforms(d));
  if (status == NAS_OK && d->image.channels % 2 == 0) status = drop_alpha(d);
  return status;
}

static nas_status decode(decoder *d) {
  if (setjmp(png_jmpbuf(d->png)) == 0) return decode_or_jump(d);
  if (d->trouble.starved) return nas_fail(d->err, NAS_MEMORY, "no memory to read %s", d->name);
  return nas_fail(d->err, NAS_FORMAT, "%s, at or before byte %zu: the PNG file is damaged: %s",
                  d->name, d->offset, d->trouble.reason);
}

/* Appends the pixels, whose shape *out gets. On failure some may be there. */
static nas_status decode_bytes(nas_block *pixels, image *out, const unsigned char *bytes,
                               size_t size, const char *name, const nas_png_settings *settings,
                               nas_error *err) {
  decoder d = {.name = name, .bytes = bytes, .size = size, .settings = settings, .pixels = pixels};
  d.err = err;
  if (size < 8 || png_sig_cmp(bytes, 0, 8) != 0)
    return nas_fail(err, NAS_FORMAT, "%s: not a PNG file; expected 89 50 4E 47 0D 0A 1A 0A first",
                    name);
  d.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &d.trouble, nas_png_on_error,
                                   nas_png_on_warning, &d.trouble, nas_png_on_allocate,
                                   nas_png_on_free);
  if (!d.png) return nas_fail(err, NAS_MEMORY, "no memory to read %s", name);
  nas_status status = decode(&d);
  png_destroy_read_struct(&d.png, &d.info, NULL);
  *out = d.image;
  return status;
}

static nas_status decode_source(nas_block *pixels, image *out, nas_source *source,
                                const nas_png_settings *settings, nas_error *err) {
  nas_block content = {0};
  nas_status status = nas_source_read_rest(source, BYTES_MAX, &content, err);
  if (status == NAS_OK)
    status = decode_bytes(pixels, out, content.bytes, content.size, source->name, settings, err);
  nas_block_clear(&content);
  return status;
}

static nas_status decode_file(nas_block *pixels, image *out, const char *path,
                              const nas_png_settings *settings, nas_error *err) {
  nas_source source;
  nas_status status = nas_source_open_file(&source, path, 0, err);
  if (status == NAS_OK) status = decode_source(pixels, out, &source, settings, err);
  nas_source_close(&source);
  return status;
}

static nas_status make_image(nas_block *pixels, const image *shape, nas_status status,
                             nas_tensor **out, nas_error *err) {
  const int64_t dims[3] = {shape->height, shape->width, shape->channels};
  if (status == NAS_OK) status = nas_block_to_tensor(pixels, out, NAS_UINT8, 3, dims, err);
  nas_block_clear(pixels);
  return status;
}

/* NULL stands for the defaults. */
static nas_status choose_settings(const nas_png_settings **settings, nas_png_settings *preset,
                                  nas_error *err) {
  nas_png_settings_default(preset);
  if (!*settings) *settings = preset;
  return check_settings(*settings, err);
}

nas_status nas_png_read(nas_tensor **out, const char *path, const nas_png_settings *settings,
                        nas_error *err) {
  nas_block pixels = {0};
  image shape = {0};
  nas_png_settings preset;
  *out = NULL;
  nas_status status = choose_settings(&settings, &preset, err);
  if (status == NAS_OK) status = decode_file(&pixels, &shape, path, settings, err);
  return make_image(&pixels, &shape, status, out, err);
}

nas_status nas_png_read_memory(nas_tensor **out, const void *bytes, size_t size, const char *name,
                               const nas_png_settings *settings, nas_error *err) {
  nas_source source;
  nas_block pixels = {0};
  image shape = {0};
  nas_png_settings preset;
  *out = NULL;
  nas_source_open_memory(&source, bytes, size, name, 0);
  nas_status status = choose_settings(&settings, &preset, err);
  if (status == NAS_OK) status = decode_source(&pixels, &shape, &source, settings, err);
  return make_image(&pixels, &shape, status, out, err);
}

/* ---- A folder ---- */

typedef struct names {
  char **list; /* sorted by their bytes */
  int64_t count;
  nas_block block; /* of the list */
} names;

static void clear_names(names *n) {
  for (int64_t i = 0; i < n->count; i++) nas_free(n->list[i]);
  nas_block_clear(&n->block);
  *n = (names){0};
}

static nas_status add_name(names *n, const char *name, nas_error *err) {
  nas_status status = nas_block_reserve(&n->block, sizeof(char *), SIZE_MAX, "file names", err);
  if (status != NAS_OK) return status;
  n->list = (char **)(void *)n->block.bytes;
  char *copy = nas_strdup(name);
  if (!copy) return nas_fail_memory(err, "a file name", strlen(name));
  n->list[n->count++] = copy;
  n->block.size += sizeof(char *);
  return NAS_OK;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The path of an entry of a folder; the caller frees it: nas_free. NULL without memory. */
static char *join(const char *folder, const char *name) {
  nas_text text = {0};
  nas_text_add(&text, folder);
  nas_text_add(&text, "/");
  nas_text_add(&text, name);
  if (text.failed) nas_text_clear(&text);
  return text.data;
}

static int has_png_name(const char *name) {
  size_t length = strlen(name);
  return length > 4 && strcasecmp(name + length - 4, ".png") == 0;
}

/* Whether an entry is what is looked for: a folder, or a file with the name of a PNG. */
static nas_status is_wanted(const char *folder, const char *name, int folders, int *wanted,
                            nas_error *err) {
  struct stat info;
  *wanted = 0;
  if (name[0] == '.' || (!folders && !has_png_name(name))) return NAS_OK;
  char *path = join(folder, name);
  if (!path) return nas_fail_memory(err, "a path", strlen(folder) + strlen(name));
  if (stat(path, &info) == 0) *wanted = folders ? S_ISDIR(info.st_mode) : S_ISREG(info.st_mode);
  nas_free(path);
  return NAS_OK;
}

/* The sub-folders of a folder, or its PNG files. */
static nas_status list_folder(names *n, const char *folder, int folders, nas_error *err) {
  char shown[NAS_SOURCE_NAME];
  nas_status status = NAS_OK;
  nas_source_shorten(folder, shown);
  DIR *dir = opendir(folder);
  if (!dir) return nas_fail(err, NAS_IO, "%s cannot be opened: %s", shown, strerror(errno));
  while (status == NAS_OK) {
    int wanted;
    errno = 0;
    struct dirent *entry = readdir(dir);
    if (!entry) {
      if (errno) status = nas_fail(err, NAS_IO, "%s cannot be read: %s", shown, strerror(errno));
      break;
    }
    status = is_wanted(folder, entry->d_name, folders, &wanted, err);
    if (status == NAS_OK && wanted) status = add_name(n, entry->d_name, err);
  }
  closedir(dir);
  if (n->count) qsort(n->list, (size_t)n->count, sizeof *n->list, compare_names);
  return status;
}

/* What has been read so far. */
typedef struct reader {
  const nas_png_settings *settings;
  nas_block pixels;
  nas_block labels; /* int32_t */
  image first;      /* the shape of all */
  char first_name[NAS_SOURCE_NAME];
} reader;

static nas_status check_shape(reader *r, const image *shape, const char *path, nas_error *err) {
  char name[NAS_SOURCE_NAME];
  nas_source_shorten(path, name);
  if (r->labels.size == 0) {
    r->first = *shape;
    memcpy(r->first_name, name, sizeof name);
  }
  if (shape->height != r->first.height || shape->width != r->first.width)
    return nas_fail(
        err, NAS_FORMAT, "images differ in size (height x width): %s is %dx%d, but %s is %dx%d",
        r->first_name, r->first.height, r->first.width, name, shape->height, shape->width);
  if (shape->channels != r->first.channels)
    return nas_fail(
        err, NAS_FORMAT,
        "grey and coloured images are mixed: %s is %s, but %s is %s; expected one kind, or "
        "the setting rgb",
        r->first_name, r->first.channels == 1 ? "grey" : "coloured", name,
        shape->channels == 1 ? "grey" : "coloured");
  return NAS_OK;
}

static nas_status read_image(reader *r, const char *path, int32_t label, nas_error *err) {
  image shape;
  nas_status status = decode_file(&r->pixels, &shape, path, r->settings, err);
  if (status == NAS_OK) status = check_shape(r, &shape, path, err);
  if (status == NAS_OK)
    status = nas_block_reserve(&r->labels, sizeof label, SIZE_MAX, "the labels", err);
  if (status != NAS_OK) return status;
  memcpy(r->labels.bytes + r->labels.size, &label, sizeof label);
  r->labels.size += sizeof label;
  return NAS_OK;
}

static nas_status read_files(reader *r, const char *folder, const names *files, int32_t label,
                             nas_error *err) {
  char shown[NAS_SOURCE_NAME];
  nas_status status = NAS_OK;
  nas_source_shorten(folder, shown);
  if (files->count == 0)
    return nas_fail(err, NAS_FORMAT, "%s: no PNG files; expected the images of a class", shown);
  for (int64_t i = 0; i < files->count && status == NAS_OK; i++) {
    char *path = join(folder, files->list[i]);
    status = path ? read_image(r, path, label, err) : nas_fail_memory(err, "a path", 1);
    nas_free(path);
  }
  return status;
}

static nas_status read_class(reader *r, const char *folder, const char *name, int32_t label,
                             nas_error *err) {
  names files = {0};
  char *path = join(folder, name);
  if (!path) return nas_fail_memory(err, "a path", strlen(folder) + strlen(name));
  nas_status status = list_folder(&files, path, 0, err);
  if (status == NAS_OK) status = read_files(r, path, &files, label, err);
  clear_names(&files);
  nas_free(path);
  return status;
}

static nas_status list_classes(const nas_png_settings *settings, names *classes, const char *path,
                               nas_error *err) {
  nas_status status = NAS_OK;
  if (!settings->folders) return list_folder(classes, path, 1, err);
  for (int64_t i = 0; i < settings->folder_count && status == NAS_OK; i++)
    status = add_name(classes, settings->folders[i], err);
  return status;
}

static nas_status read_classes(reader *r, names *classes, const char *path, nas_error *err) {
  char shown[NAS_SOURCE_NAME];
  nas_source_shorten(path, shown);
  nas_status status = list_classes(r->settings, classes, path, err);
  if (status != NAS_OK) return status;
  if (classes->count == 0)
    return nas_fail(err, NAS_FORMAT, "%s: no sub-folders; expected one for each class", shown);
  if (classes->count == 1)
    return nas_fail(err, NAS_FORMAT,
                    "%s: \"%s\" is the only sub-folder; expected one for each of at least two "
                    "classes",
                    shown, classes->list[0]);
  for (int64_t k = 0; k < classes->count && status == NAS_OK; k++)
    status = read_class(r, path, classes->list[k], (int32_t)k, err);
  return status;
}

/* ---- Equal images ---- */

typedef struct print {
  nas_hash hash; /* of the pixels */
  int64_t image;
} print;

static int compare_prints(const void *a, const void *b) {
  const print *x = a, *y = b;
  int order = nas_hash_compare(x->hash, y->hash);
  return order ? order : (x->image > y->image) - (x->image < y->image);
}

/* Moves the images that are not `repeated`, and their labels, to the front. */
static void keep_first(reader *r, const unsigned char *repeated, int64_t count, size_t bytes) {
  int32_t *labels = (int32_t *)(void *)r->labels.bytes;
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i++) {
    if (repeated[i]) continue;
    memmove(r->pixels.bytes + (size_t)kept * bytes, r->pixels.bytes + (size_t)i * bytes, bytes);
    labels[kept++] = labels[i];
  }
  r->pixels.size = (size_t)kept * bytes;
  r->labels.size = (size_t)kept * sizeof *labels;
}

static nas_status drop_repeated(reader *r, nas_error *err) {
  int64_t count = (int64_t)(r->labels.size / sizeof(int32_t));
  size_t bytes = r->pixels.size / (size_t)count;
  print *prints = nas_alloc((size_t)count, sizeof *prints);
  unsigned char *repeated = nas_alloc_zero((size_t)count, 1);
  nas_status status = NAS_OK;
  if (prints && repeated) {
    for (int64_t i = 0; i < count; i++)
      prints[i] = (print){nas_hash_bytes(r->pixels.bytes + (size_t)i * bytes, bytes), i};
    qsort(prints, (size_t)count, sizeof *prints, compare_prints);
    for (int64_t k = 1; k < count; k++)
      repeated[prints[k].image] = nas_hash_compare(prints[k - 1].hash, prints[k].hash) == 0;
    keep_first(r, repeated, count, bytes);
  } else {
    status = nas_fail_memory(err, "the hashes of images", (size_t)count * sizeof *prints);
  }
  nas_free(prints);
  nas_free(repeated);
  return status;
}

/* ---- What comes of it ---- */

static nas_status make_tensors(reader *r, nas_tensor **images, nas_tensor **labels,
                               nas_error *err) {
  int64_t count = (int64_t)(r->labels.size / sizeof(int32_t));
  const int64_t dims[4] = {count, r->first.height, r->first.width, r->first.channels};
  nas_status status = nas_block_to_tensor(&r->pixels, images, NAS_UINT8, 4, dims, err);
  if (status != NAS_OK) return status;
  status = nas_block_to_tensor(&r->labels, labels, NAS_INT32, 1, dims, err);
  if (status != NAS_OK) nas_tensor_destroy(images);
  return status;
}

nas_status nas_png_folder_read(nas_tensor **images, nas_tensor **labels, nas_png_classes *classes,
                               const char *path, const nas_png_settings *settings, nas_error *err) {
  names folders = {0};
  nas_png_settings preset;
  *images = *labels = NULL;
  *classes = (nas_png_classes){0};
  nas_status status = choose_settings(&settings, &preset, err);
  if (status != NAS_OK) return status;
  reader r = {.settings = settings};
  status = read_classes(&r, &folders, path, err);
  if (status == NAS_OK && settings->distinct) status = drop_repeated(&r, err);
  if (status == NAS_OK) status = make_tensors(&r, images, labels, err);
  nas_block_clear(&r.pixels);
  nas_block_clear(&r.labels);
  if (status == NAS_OK)
    *classes = (nas_png_classes){.count = folders.count, .names = folders.list};
  else
    clear_names(&folders);
  return status;
}

void nas_png_classes_clear(nas_png_classes *classes) {
  for (int64_t i = 0; i < classes->count; i++) nas_free(classes->names[i]);
  nas_free(classes->names);
  *classes = (nas_png_classes){0};
}
