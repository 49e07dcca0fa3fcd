#include "files.h"
#include <png.h>
#include <sys/stat.h>
#include <nas/hash.h>
#include <nas/png.h>

/* ---- PNG files, written by libpng ---- */

typedef struct file {
  unsigned char bytes[1 << 16];
  size_t size;
} file;

static void on_write(png_structp png, png_bytep bytes, size_t size) {
  file *f = png_get_io_ptr(png);
  if (size > sizeof f->bytes - f->size) png_error(png, "too large");
  memcpy(f->bytes + f->size, bytes, size);
  f->size += size;
}

typedef struct style {
  int depth, type, interlaced;
  int transparent; /* with a tRNS chunk: entry 1 of the palette, grey 1, colour (1, 1, 1) */
  int gamma;       /* with a gAMA chunk, as of a linear image */
} style;

static const png_color palette[4] = {{0, 0, 0}, {10, 20, 30}, {40, 50, 60}, {70, 80, 90}};

/* rows: as PNG has them, without filter bytes. */
static file encode(int height, int width, style s, const unsigned char *rows) {
  file f = {.size = 0};
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &f, on_write, NULL);
  png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, s.depth, s.type,
               s.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
               PNG_FILTER_TYPE_BASE);
  if (s.type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 4);
  if (s.gamma) png_set_gAMA(png, info, 1.0);
  if (s.transparent) {
    png_color_16 one = {1, 1, 1, 1, 1};
    png_set_tRNS(png, info, (unsigned char[]){255, 0}, 2, &one);
  }
  png_write_info(png, info);
  int passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < passes; pass++)
    for (int y = 0; y < height; y++)
      png_write_row(png, rows + (size_t)y * png_get_rowbytes(png, info));
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return f;
}

static file encode_grey(int height, int width, int first) {
  unsigned char rows[4096];
  for (int k = 0; k < height * width; k++) rows[k] = (unsigned char)(first + k);
  return encode(height, width, (style){8, PNG_COLOR_TYPE_GRAY, 0, 0, 0}, rows);
}

static const style rgb = {8, PNG_COLOR_TYPE_RGB, 0, 0, 0};

/* ---- Single images ---- */

static void check_image_with(const nas_png_settings *settings, int height, int width, style s,
                             const unsigned char *rows, const double *expected, int channels) {
  nas_tensor *tensor;
  nas_error err = {0};
  file f = encode(height, width, s, rows);
  check_ok(nas_png_read_memory(&tensor, f.bytes, f.size, "image", settings, &err), &err);
  assert_int_equal(nas_tensor_dtype(tensor), NAS_UINT8);
  check_tensor(tensor, expected, DIMS(height, width, channels));
  nas_tensor_destroy(&tensor);
}

static void check_image(int height, int width, style s, const unsigned char *rows,
                        const double *expected, int channels) {
  check_image_with(NULL, height, width, s, rows, expected, channels);
}

static void grey_stays_grey(void **state) {
  (void)state;
  check_image(2, 3, (style){8, PNG_COLOR_TYPE_GRAY, 0, 0, 0}, (unsigned char *)"\0\1\2\3\4\xFF",
              (double[]){0, 1, 2, 3, 4, 255}, 1);
  check_image(2, 3, (style){4, PNG_COLOR_TYPE_GRAY, 0, 0, 0}, (unsigned char *)"\x01\x20\xF7\x80",
              (double[]){0, 17, 34, 255, 119, 136}, 1);
  check_image(1, 3, (style){1, PNG_COLOR_TYPE_GRAY, 0, 0, 0}, (unsigned char *)"\xA0",
              (double[]){255, 0, 255}, 1);
  check_image(1, 2, (style){16, PNG_COLOR_TYPE_GRAY, 0, 0, 0}, (unsigned char *)"\x12\xFF\x34\x00",
              (double[]){0x12, 0x34}, 1);
}

static void colours_become_three_channels(void **state) {
  (void)state;
  check_image(1, 2, rgb, (unsigned char *)"\1\2\3\4\5\6", (double[]){1, 2, 3, 4, 5, 6}, 3);
  check_image(1, 1, (style){16, PNG_COLOR_TYPE_RGB, 0, 0, 0}, (unsigned char *)"\1\xFF\2\x80\3\0",
              (double[]){1, 2, 3}, 3);
  check_image(1, 3, (style){8, PNG_COLOR_TYPE_PALETTE, 0, 0, 0}, (unsigned char *)"\3\1\0",
              (double[]){70, 80, 90, 10, 20, 30, 0, 0, 0}, 3);
  check_image(1, 3, (style){2, PNG_COLOR_TYPE_PALETTE, 0, 0, 0}, (unsigned char *)"\xE4",
              (double[]){70, 80, 90, 40, 50, 60, 10, 20, 30}, 3);
}

static void opaque_alpha_is_dropped(void **state) {
  (void)state;
  check_image(1, 2, (style){8, PNG_COLOR_TYPE_GRAY_ALPHA, 0, 0, 0}, (unsigned char *)"\1\xFF\2\xFF",
              (double[]){1, 2}, 1);
  check_image(1, 2, (style){8, PNG_COLOR_TYPE_RGB_ALPHA, 0, 0, 0},
              (unsigned char *)"\1\2\3\xFF\4\5\6\xFF", (double[]){1, 2, 3, 4, 5, 6}, 3);
  check_image(1, 2, (style){8, PNG_COLOR_TYPE_PALETTE, 0, 1, 0}, (unsigned char *)"\0\2",
              (double[]){0, 0, 0, 40, 50, 60}, 3);
  check_image(1, 2, (style){8, PNG_COLOR_TYPE_GRAY, 0, 1, 0}, (unsigned char *)"\0\2",
              (double[]){0, 2}, 1);
}

static void pixels_are_taken_as_they_are(void **state) {
  (void)state;
  check_image(1, 3, (style){8, PNG_COLOR_TYPE_GRAY, 0, 0, 1}, (unsigned char *)"\1\x40\xC0",
              (double[]){1, 64, 192}, 1);
  check_image(1, 1, (style){16, PNG_COLOR_TYPE_GRAY, 0, 0, 1}, (unsigned char *)"\x40\xFF",
              (double[]){64}, 1);
}

static void interlaced_images(void **state) {
  (void)state;
  unsigned char rows[9 * 10 * 3];
  double expected[9 * 10 * 3];
  for (int k = 0; k < 9 * 10 * 3; k++) expected[k] = rows[k] = (unsigned char)(k * 7);
  check_image(9, 10, (style){8, PNG_COLOR_TYPE_RGB, 1, 0, 0}, rows, expected, 3);
  check_image(1, 1, (style){8, PNG_COLOR_TYPE_GRAY, 1, 0, 0}, rows, expected, 1);
}

static void refuse_bytes(const void *bytes, size_t size, nas_status status, const char *part) {
  nas_tensor *tensor;
  check_refused(nas_png_read_memory(&tensor, bytes, size, "bad", NULL, &err), status, tensor, part);
}

static void transparent_pixels_are_refused(void **state) {
  (void)state;
  const char *part =
      "bad: row 0, column 1 is transparent; expected an image without transparency, or "
      "a background";
  file f =
      encode(1, 2, (style){8, PNG_COLOR_TYPE_GRAY_ALPHA, 0, 0, 0}, (unsigned char *)"\1\xFF\2\xFE");
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, part);
  f = encode(1, 2, (style){8, PNG_COLOR_TYPE_PALETTE, 0, 1, 0}, (unsigned char *)"\0\1");
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, part);
  f = encode(1, 2, (style){16, PNG_COLOR_TYPE_GRAY, 0, 1, 0}, (unsigned char *)"\0\2\0\1");
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, part);
  f = encode(1, 2, (style){8, PNG_COLOR_TYPE_RGB, 0, 1, 0}, (unsigned char *)"\1\1\2\1\1\1");
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, part);
}

static void a_background_is_seen_through_transparency(void **state) {
  (void)state;
  const nas_png_settings white = {.background = 255}, grey = {.background = 100};
  const unsigned char *two = (unsigned char *)"\0\1";
  const style grey_alpha = {8, PNG_COLOR_TYPE_GRAY_ALPHA, 0, 0, 0};
  check_image_with(&grey, 1, 5, grey_alpha, (unsigned char *)"\7\xFF\7\0\0\x80\xC8\x80\xFF\1",
                   (double[]){7, 100, 50, 150, 101}, 1); /* 49.8, 150.2, 100.6 before rounding */
  check_image_with(&white, 1, 2, (style){8, PNG_COLOR_TYPE_RGB_ALPHA, 0, 0, 0},
                   (unsigned char *)"\1\2\3\0\4\5\6\xFF", (double[]){255, 255, 255, 4, 5, 6}, 3);
  check_image_with(&white, 1, 2, (style){8, PNG_COLOR_TYPE_PALETTE, 0, 1, 0}, two,
                   (double[]){0, 0, 0, 255, 255, 255}, 3);
  check_image_with(&grey, 1, 2, (style){8, PNG_COLOR_TYPE_GRAY, 0, 1, 0}, two, (double[]){0, 100},
                   1);
  check_image_with(&grey, 1, 1, (style){16, PNG_COLOR_TYPE_GRAY_ALPHA, 0, 0, 0},
                   (unsigned char *)"\xC8\0\x80\xFF", (double[]){150}, 1);
}

static void grey_becomes_coloured_on_request(void **state) {
  (void)state;
  const nas_png_settings coloured = {.background = -1, .rgb = 1},
                         both = {.background = 9, .rgb = 1};
  check_image_with(&coloured, 1, 2, (style){8, PNG_COLOR_TYPE_GRAY, 0, 0, 0},
                   (unsigned char *)"\1\2", (double[]){1, 1, 1, 2, 2, 2}, 3);
  check_image_with(&coloured, 1, 2, (style){1, PNG_COLOR_TYPE_GRAY, 1, 0, 0},
                   (unsigned char *)"\x40", (double[]){0, 0, 0, 255, 255, 255}, 3);
  check_image_with(&coloured, 1, 1, rgb, (unsigned char *)"\1\2\3", (double[]){1, 2, 3}, 3);
  check_image_with(&both, 1, 2, (style){8, PNG_COLOR_TYPE_GRAY_ALPHA, 0, 0, 0},
                   (unsigned char *)"\7\0\7\xFF", (double[]){9, 9, 9, 7, 7, 7}, 3);
}

static void settings_out_of_range(void **state) {
  (void)state;
  nas_tensor *tensor;
  file f = encode_grey(1, 1, 0);
  const char *const twice[] = {"a", "b", "a"}, *const unnamed[] = {"a", ""};
  const struct {
    nas_png_settings settings;
    const char *part;
  } cases[] = {
      {{.background = 256}, "png: background is 256; expected 0 to 255, or -1 for none"},
      {{.background = -2}, "png: background is -2"},
      {{.rgb = 2}, "png: rgb is 2; expected 0 or 1"},
      {{.distinct = -1}, "png: distinct is -1; expected 0 or 1"},
      {{.folders = twice, .folder_count = 1}, "png: 1 folders; expected at least 2, one a class"},
      {{.folders = twice, .folder_count = 3}, "png: folder \"a\" is listed twice"},
      {{.folders = unnamed, .folder_count = 2}, "png: folder 2 has an empty name"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_refused(nas_png_read_memory(&tensor, f.bytes, f.size, "a", &cases[i].settings, &err),
                  NAS_ARGUMENT, tensor, cases[i].part);
}

static void damaged_images(void **state) {
  (void)state;
  file f = encode_grey(20, 20, 3);
  for (size_t size = 0; size < f.size; size++) refuse_bytes(f.bytes, size, NAS_FORMAT, "bad");
  refuse_bytes(f.bytes, 40, NAS_FORMAT, "at or before byte 33: the PNG file is damaged");
  refuse_bytes("GIF89a..", 8, NAS_FORMAT, "bad: not a PNG file; expected 89 50 4E 47");
  refuse_bytes(NULL, 0, NAS_FORMAT, "bad: not a PNG file");
  f.bytes[60] ^= 1; /* pixels */
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, "the PNG file is damaged: IDAT: ");
  f = encode_grey(20, 20, 3);
  f.bytes[f.size - 13] ^= 1; /* the checksum of the pixels */
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, "the PNG file is damaged: IDAT: CRC error");
  f = encode_grey(20, 20, 3);
  f.bytes[19] ^= 1; /* the width */
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, "the PNG file is damaged: IHDR: CRC error");
}

/* Declares other dimensions, with the right checksum. */
static void declare(file *f, uint32_t width, uint32_t height) {
  for (int i = 0; i < 4; i++) {
    f->bytes[16 + i] = (unsigned char)(width >> (24 - 8 * i));
    f->bytes[20 + i] = (unsigned char)(height >> (24 - 8 * i));
  }
  uint32_t sum = (uint32_t)crc32(crc32(0, NULL, 0), f->bytes + 12, 17);
  for (int i = 0; i < 4; i++) f->bytes[29 + i] = (unsigned char)(sum >> (24 - 8 * i));
}

static void hostile_dimensions_allocate_little(void **state) {
  (void)state;
  size_t before = nas_memory_used().peak_bytes;
  file f = encode_grey(20, 20, 3);
  declare(&f, 16384, 4096);
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, "bad: 4096x16384 pixels (height x width) are declared");
  declare(&f, 16385, 4096);
  refuse_bytes(f.bytes, f.size, NAS_LIMIT, "and at most 67108864 pixels");
  declare(&f, 65536, 1);
  refuse_bytes(f.bytes, f.size, NAS_LIMIT, "expected sides of at most 65535");
  declare(&f, 0x7FFFFFFF, 0x7FFFFFFF);
  refuse_bytes(f.bytes, f.size, NAS_LIMIT, "expected sides of at most 65535");
  declare(&f, 20, 0);
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, "the PNG file is damaged");
  declare(&f, 20, 21);
  refuse_bytes(f.bytes, f.size, NAS_FORMAT, "the PNG file is damaged");
  assert_true(nas_memory_used().peak_bytes <= (before > 4 << 20 ? before : 4 << 20));
}

static void files_and_failing_memory(void **state) {
  (void)state;
  nas_tensor *tensor;
  for (int interlaced = 0; interlaced < 2; interlaced++) {
    unsigned char rows[600];
    memset(rows, 7, sizeof rows);
    file f = encode(10, 20, (style){8, PNG_COLOR_TYPE_RGB, interlaced, 0, 0}, rows);
    const char *path = write_plain("image.png", f.bytes, f.size);
    check_starved(nas_png_read(&tensor, path, NULL, NULL), tensor);
    assert_true(nas_tensor_total(tensor, NAS_REDUCE_SUM) == 4200);
    nas_tensor_destroy(&tensor);
  }
  check_refused(nas_png_read(&tensor, path_of("absent.png"), NULL, &err), NAS_IO, tensor,
                "absent.png cannot be opened");
}

/* ---- Writing ---- */

/* Written without memory for a while, and read back. */
static void check_written(const nas_tensor *image, const double *expected, int channels) {
  nas_tensor *tensor;
  nas_error err = {0};
  nas_status status = NAS_MEMORY;
  const char *path = path_of("written.png");
  for (long allowed = 0; status == NAS_MEMORY; allowed++) {
    nas_memory_fail_after(allowed);
    status = nas_png_write(path, image, &err);
    nas_memory_fail_after(-1);
  }
  check_ok(status, &err);
  check_ok(nas_png_read(&tensor, path, NULL, &err), &err);
  check_tensor(tensor, expected, DIMS(2, 3, channels));
  nas_tensor_destroy(&tensor);
}

static void written_images_are_read_back(void **state) {
  (void)state;
  nas_error err = {0};
  nas_tensor *turned;
  double values[18];
  const double rows[6] = {0, 1, 2, 3, 4, 5}, columns[6] = {0, 3, 1, 4, 2, 5};
  for (int k = 0; k < 18; k++) values[k] = 14 * k;
  nas_tensor *colours = tensor_of(NAS_UINT8, values, DIMS(2, 3, 3));
  nas_tensor *grey = tensor_of(NAS_UINT8, rows, DIMS(2, 3, 1));
  nas_tensor *sideways = tensor_of(NAS_UINT8, columns, DIMS(3, 2));
  check_ok(nas_tensor_transpose(&turned, sideways, 0, 1, &err), &err);
  check_written(colours, values, 3);
  check_written(grey, rows, 1);
  check_written(turned, rows, 1);
  nas_tensor_destroy(&colours);
  nas_tensor_destroy(&grey);
  nas_tensor_destroy(&sideways);
  nas_tensor_destroy(&turned);
}

static void refuse_writing(const char *path, nas_dtype dtype, int rank, const int64_t *dims,
                           nas_status status, const char *part) {
  nas_tensor *image;
  nas_error err = {0};
  check_ok(nas_tensor_create(&image, dtype, rank, dims, &err), &err);
  assert_int_equal(nas_png_write(path, image, &err), status);
  check_contains(err.text, part);
  nas_tensor_destroy(&image);
}

static void what_cannot_be_written(void **state) {
  (void)state;
  const char *path = path_of("none.png");
  refuse_writing(path, NAS_FLOAT32, DIMS(2, 2), NAS_ARGUMENT,
                 "the image is float32; expected uint8");
  refuse_writing(path, NAS_UINT8, DIMS(4), NAS_ARGUMENT,
                 "the image is [4]; expected [height, width]");
  refuse_writing(path, NAS_UINT8, DIMS(2, 2, 2), NAS_ARGUMENT, "the image is [2, 2, 2]");
  refuse_writing(path, NAS_UINT8, DIMS(1, 65536), NAS_ARGUMENT, "more than 65535 pixels");
  assert_int_not_equal(access(path, F_OK), 0);
  refuse_writing(path_of("absent/a.png"), NAS_UINT8, DIMS(2, 2), NAS_IO, "absent/a.png");
}

/* ---- Folders ---- */

static char root[160]; /* of the classes */

static void make_root(const char *name) {
  snprintf(root, sizeof root, "%s/%s", folder, name);
  assert_int_equal(mkdir(root, 0777), 0);
}

static void make_class(const char *name) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", root, name);
  assert_int_equal(mkdir(path, 0777), 0);
}

static void write_png(const char *name, file f) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", root, name);
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(f.bytes, 1, f.size, out), f.size);
  assert_int_equal(fclose(out), 0);
}

static void folders(void **state) {
  (void)state;
  nas_tensor *images, *labels;
  nas_png_classes classes;
  file text = {"text", 4};
  make_root("sound");
  make_class("b");
  make_class("B");
  make_class("\xC3\xA4");
  make_class(".hidden");
  make_class("b/deeper.png");
  write_png("stray.png", text);
  write_png("b/2.png", encode_grey(2, 1, 20));
  write_png("b/10.PNG", encode_grey(2, 1, 10));
  write_png("b/._10.png", text);
  write_png("b/notes.txt", text);
  write_png("B/x.Png", encode_grey(2, 1, 30));
  write_png("\xC3\xA4/.png", text);
  write_png("\xC3\xA4/a.png", encode_grey(2, 1, 40));
  check_starved(nas_png_folder_read(&images, &labels, &classes, root, NULL, NULL), images);
  assert_int_equal(nas_tensor_dtype(images), NAS_UINT8);
  check_tensor(images, ((double[]){30, 31, 10, 11, 20, 21, 40, 41}), DIMS(4, 2, 1, 1));
  assert_int_equal(nas_tensor_dtype(labels), NAS_INT32);
  check_tensor(labels, ((double[]){0, 1, 1, 2}), DIMS(4));
  assert_int_equal(classes.count, 3);
  assert_string_equal(classes.names[0], "B");
  assert_string_equal(classes.names[1], "b");
  assert_string_equal(classes.names[2], "\xC3\xA4");
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_png_classes_clear(&classes);
}

static void chosen_folders(void **state) {
  (void)state;
  nas_tensor *images, *labels;
  nas_png_classes classes;
  const char *const chosen[] = {"b", "a/deep"}, *const absent[] = {"b", "c"};
  nas_png_settings settings = {.background = -1, .folders = chosen, .folder_count = 2};
  make_root("chosen");
  make_class("a");
  make_class("a/deep");
  make_class("b");
  make_class("large");
  write_png("a/deep/1.png", encode_grey(1, 1, 10));
  write_png("b/1.png", encode_grey(1, 1, 20));
  write_png("large/1.png", encode_grey(2, 2, 30));
  check_starved(nas_png_folder_read(&images, &labels, &classes, root, &settings, NULL), images);
  check_tensor(images, ((double[]){20, 10}), DIMS(2, 1, 1, 1));
  check_tensor(labels, ((double[]){0, 1}), DIMS(2));
  assert_int_equal(classes.count, 2);
  assert_string_equal(classes.names[1], "a/deep");
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_png_classes_clear(&classes);
  settings.folders = absent;
  check_refused(nas_png_folder_read(&images, &labels, &classes, root, &settings, &err), NAS_IO,
                images, "chosen/c cannot be opened: No such file");
}

/* Links count as what they point to, and what is there twice can be left out. */
static void equal_images(void **state) {
  (void)state;
  nas_tensor *images, *labels;
  nas_png_classes classes;
  nas_error err = {0};
  const nas_png_settings distinct = {.background = -1, .rgb = 1, .distinct = 1};
  char link[256];
  make_root("equal");
  make_class("a");
  make_class("b");
  write_png("a/1.png", encode_grey(1, 2, 10));
  write_png("a/2.png", encode(1, 2, rgb, (unsigned char *)"\12\12\12\13\13\13"));
  write_png("a/3.png", encode_grey(1, 2, 30));
  write_png("b/2.png", encode_grey(1, 2, 20));
  snprintf(link, sizeof link, "%s/b/1.png", root);
  assert_int_equal(symlink("../a/3.png", link), 0);
  check_starved(nas_png_folder_read(&images, &labels, &classes, root, &distinct, NULL), images);
  check_tensor(images,
               ((double[]){10, 10, 10, 11, 11, 11, 30, 30, 30, 31, 31, 31, 20, 20, 20, 21, 21, 21}),
               DIMS(3, 1, 2, 3));
  check_tensor(labels, ((double[]){0, 0, 1}), DIMS(3));
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_png_classes_clear(&classes);
  const nas_png_settings all = {.background = -1, .rgb = 1};
  check_ok(nas_png_folder_read(&images, &labels, &classes, root, &all, &err), &err);
  check_tensor(labels, ((double[]){0, 0, 0, 1, 1}), DIMS(5));
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_png_classes_clear(&classes);
}

static void refuse_root(nas_status status, const char *part) {
  nas_tensor *images, *labels;
  nas_png_classes classes;
  check_refused(nas_png_folder_read(&images, &labels, &classes, root, NULL, &err), status, images,
                part);
  assert_null(labels);
  assert_null(classes.names);
}

static void unsound_folders(void **state) {
  (void)state;
  make_root("unsound");
  write_png("stray.png", encode_grey(2, 2, 0));
  refuse_root(NAS_FORMAT, "unsound: no sub-folders; expected one for each class");
  make_class("one");
  write_png("one/a.png", encode_grey(2, 2, 0));
  refuse_root(NAS_FORMAT, "unsound: \"one\" is the only sub-folder; expected one for each of at");
  make_class("two");
  refuse_root(NAS_FORMAT, "unsound/two: no PNG files; expected the images of a class");
  write_png("two/b.png", encode_grey(3, 2, 0));
  refuse_root(NAS_FORMAT, "one/a.png is 2x2, but ");
  refuse_root(NAS_FORMAT, "two/b.png is 3x2");
  write_png("two/b.png", encode(2, 2, rgb, (unsigned char *)"abcdefghijkl"));
  refuse_root(NAS_FORMAT, "one/a.png is grey, but ");
  refuse_root(NAS_FORMAT, "two/b.png is coloured; expected one kind, or the setting rgb");
  write_png("two/b.png", (file){"text", 4});
  refuse_root(NAS_FORMAT, "two/b.png: not a PNG file");
  strcat(root, "/absent");
  refuse_root(NAS_IO, "absent cannot be opened: No such file");
}

/* Folders in the folder, too. */
static int remove_all(void **state) {
  char command[1024];
  snprintf(command, sizeof command, "rm -rf '%s'/sound '%s'/unsound '%s'/chosen '%s'/equal", folder,
           folder, folder, folder);
  return system(command) || remove_folder(state) ? -1 : 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(grey_stays_grey),
      TEST(colours_become_three_channels),
      TEST(opaque_alpha_is_dropped),
      TEST(pixels_are_taken_as_they_are),
      TEST(interlaced_images),
      TEST(transparent_pixels_are_refused),
      TEST(a_background_is_seen_through_transparency),
      TEST(grey_becomes_coloured_on_request),
      TEST(settings_out_of_range),
      TEST(damaged_images),
      TEST(hostile_dimensions_allocate_little),
      TEST(files_and_failing_memory),
      TEST(written_images_are_read_back),
      TEST(what_cannot_be_written),
      TEST(folders),
      TEST(chosen_folders),
      TEST(equal_images),
      TEST(unsound_folders),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_all);
}
