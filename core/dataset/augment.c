#include <nas/augment.h>
#include <math.h>
#include <nas/elementary.h>
#include <nas/random.h>

enum { PAD_CROP, SHIFT, FLIP, ERASE, ERASE_MIN, ERASE_MAX };

#define MOVE_MAX     64
#define ASPECT_MIN   0.3
#define ERASE_TRIALS 10

static const nas_option augment_options[NAS_AUGMENT_OPTIONS] = {
    [PAD_CROP] = {"pad_crop", NAS_OPTION_INTEGER, 0, 0, 0, MOVE_MAX, NULL,
                  "Pixels of zeros around the image, from which its size is cut out at random."},
    [SHIFT] =
        {"shift", NAS_OPTION_PAIR, 0, 0, 0, MOVE_MAX, NULL,
         "Rows and columns that the image moves by at most; pixels at its edge are repeated."},
    [FLIP] = {"flip", NAS_OPTION_NUMBER, 0, 0, 0, 1, NULL,
              "Probability of a horizontal mirror image."},
    [ERASE] = {"erase", NAS_OPTION_NUMBER, 0, 0, 0, 1, NULL,
               "Probability that a rectangle is erased."},
    [ERASE_MIN] = {"erase_min", NAS_OPTION_NUMBER, 0, 0.02, 0, 1, NULL,
                   "Smallest share of the area that is erased."},
    [ERASE_MAX] = {"erase_max", NAS_OPTION_NUMBER, 0, 0.33, 0, 1, NULL,
                   "Largest share of the area that is erased."},
};

const nas_option_table nas_augment_table = {"augment", augment_options, NAS_AUGMENT_OPTIONS};

/* ---- Checks ---- */

static int is_on(const nas_option_value *options) {
  return options[PAD_CROP].integer || options[SHIFT].pair[0] || options[SHIFT].pair[1] ||
         options[FLIP].number > 0 || options[ERASE].number > 0;
}

static nas_status check_move(const char *name, int pixels, int size, const char *side,
                             nas_error *err) {
  if (pixels < size) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT,
                  "augment: %s moves images by up to %d pixels; expected less than their %s of %d",
                  name, pixels, side, size);
}

nas_status nas_augment_check(const nas_option_value *options, const int *dims, int rank,
                             nas_error *err) {
  if (options[ERASE_MIN].number > options[ERASE_MAX].number)
    return nas_fail(err, NAS_ARGUMENT,
                    "augment: erase_min is %.9g; expected at most erase_max, %.9g",
                    options[ERASE_MIN].number, options[ERASE_MAX].number);
  if (!is_on(options)) return NAS_OK;
  if (rank != 3)
    return nas_fail(err, NAS_ARGUMENT,
                    "augment: the inputs are rows of %d features; expected images", dims[0]);
  const int *moves[] = {(int[]){options[PAD_CROP].integer, options[PAD_CROP].integer},
                        options[SHIFT].pair};
  for (int m = 0; m < 2; m++)
    for (int d = 0; d < 2; d++) {
      nas_status status =
          check_move(m ? "shift" : "pad_crop", moves[m][d], dims[d], d ? "width" : "height", err);
      if (status != NAS_OK) return status;
    }
  return NAS_OK;
}

/* ---- Drawing ---- */

static int draw_move(nas_stream *stream, int most) {
  return (int)nas_stream_below(stream, 2 * (uint32_t)most + 1) - most;
}

static void draw_rectangle(nas_stream *stream, const nas_option_value *options, int height,
                           int width, int erase[4]) {
  double low = options[ERASE_MIN].number, span = options[ERASE_MAX].number - low;
  double aspect_log = nas_log(1 / ASPECT_MIN);
  for (int trial = 0; trial < ERASE_TRIALS; trial++) {
    double area = (double)height * width * (low + nas_stream_double(stream) * span);
    double aspect = nas_exp((2 * nas_stream_double(stream) - 1) * aspect_log);
    double rows = floor(sqrt(area * aspect) + 0.5), columns = floor(sqrt(area / aspect) + 0.5);
    if (rows < 1 || rows > height || columns < 1 || columns > width) continue;
    erase[2] = (int)rows;
    erase[3] = (int)columns;
    erase[0] = (int)nas_stream_below(stream, (uint32_t)(height - erase[2]) + 1);
    erase[1] = (int)nas_stream_below(stream, (uint32_t)(width - erase[3]) + 1);
    return;
  }
}

nas_view nas_augment_view(const nas_option_value *options, uint64_t seed, int epoch, int64_t image,
                          int height, int width) {
  nas_view view = {0};
  const uint64_t address[] = {(uint64_t)epoch, (uint64_t)image};
  nas_stream stream = nas_stream_open(seed, "augment", address, 2);
  for (int d = 0; d < 2; d++) view.crop[d] = draw_move(&stream, options[PAD_CROP].integer);
  for (int d = 0; d < 2; d++) view.shift[d] = draw_move(&stream, options[SHIFT].pair[d]);
  view.flip = nas_stream_double(&stream) < options[FLIP].number;
  if (nas_stream_double(&stream) < options[ERASE].number)
    draw_rectangle(&stream, options, height, width, view.erase);
  return view;
}
