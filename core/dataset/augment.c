#include <nas/augment.h>
#include <math.h>
#include <nas/elementary.h>
#include <nas/random.h>

enum { PAD_CROP, SHIFT, FLIP, ERASE, ERASE_MIN, ERASE_MAX };

static const nas_option options[NAS_AUGMENT_OPTIONS] = {
    [PAD_CROP] = {"pad_crop", NAS_OPTION_INTEGER, 0, 0, 0, 64, NULL,
                  "Pixels of zeros around an image before a part of its size is cut out."},
    [SHIFT] = {"shift", NAS_OPTION_PAIR, 0, 0, 0, 64, NULL,
               "Rows and columns by which an image moves at most; its edge is repeated."},
    [FLIP] = {"flip", NAS_OPTION_NUMBER, 0, 0, 0, 1, NULL,
              "Probability that left and right are exchanged."},
    [ERASE] = {"erase", NAS_OPTION_NUMBER, 0, 0, 0, 1, NULL,
               "Probability that a rectangle is erased."},
    [ERASE_MIN] = {"erase_min", NAS_OPTION_NUMBER, 0, 0.02, 0, 1, NULL,
                   "Smallest share of the image that is erased."},
    [ERASE_MAX] = {"erase_max", NAS_OPTION_NUMBER, 0, 0.33, 0, 1, NULL,
                   "Largest share of the image that is erased."},
};

const nas_option_table nas_augment_table = {"augment", options, NAS_AUGMENT_OPTIONS};

int nas_augment_active(const nas_option_value *values) {
  return values[PAD_CROP].integer || values[SHIFT].pair[0] || values[SHIFT].pair[1] ||
         values[FLIP].number > 0 || values[ERASE].number > 0;
}

nas_status nas_augment_check(const nas_option_value *values, const int *dims, int rank,
                             nas_error *err) {
  const int moves[2][2] = {{values[PAD_CROP].integer, values[PAD_CROP].integer},
                           {values[SHIFT].pair[0], values[SHIFT].pair[1]}};
  if (!nas_augment_active(values)) return NAS_OK;
  if (rank != 3)
    return nas_fail(err, NAS_ARGUMENT,
                    "augment: the inputs are rows of %d features; only images can be augmented",
                    dims[0]);
  for (int m = 0; m < 2; m++)
    for (int d = 0; d < 2; d++)
      if (moves[m][d] >= dims[d])
        return nas_fail(err, NAS_ARGUMENT,
                        "augment: %s is %d; expected less than the %s of the images, %d",
                        options[m].name, moves[m][d], d ? "width" : "height", dims[d]);
  if (values[ERASE_MIN].number > values[ERASE_MAX].number)
    return nas_fail(err, NAS_ARGUMENT, "augment: erase_min is %.9g, above erase_max, %.9g",
                    values[ERASE_MIN].number, values[ERASE_MAX].number);
  return NAS_OK;
}

/* -most .. most */
static int move(nas_stream *stream, int most) {
  return (int)(nas_stream_float(stream) * (float)(2 * most + 1)) - most;
}

static double between(nas_stream *stream, double low, double high) {
  return low + (double)nas_stream_float(stream) * (high - low);
}

/* One try for a rectangle; whether it fits. */
static int draw_rectangle(const nas_option_value *values, nas_stream *stream, const int size[2],
                          nas_view *view) {
  double area = between(stream, values[ERASE_MIN].number, values[ERASE_MAX].number) *
                (double)size[0] * (double)size[1];
  double ratio = nas_exp(between(stream, nas_log(0.3), -nas_log(0.3)));
  double extent[2] = {floor(sqrt(area * ratio) + 0.5), floor(sqrt(area / ratio) + 0.5)};
  float where[2];
  for (int d = 0; d < 2; d++) where[d] = nas_stream_float(stream);
  if (extent[0] > size[0] || extent[1] > size[1]) return 0;
  for (int d = 0; d < 2; d++) {
    view->erase_extent[d] = (int)extent[d];
    view->erase[d] = (int)((double)where[d] * (size[d] - extent[d] + 1));
  }
  return 1;
}

nas_view nas_augment_view(const nas_option_value *values, uint64_t seed, int epoch, int64_t image,
                          int height, int width) {
  const uint64_t address[] = {(uint64_t)epoch, (uint64_t)image};
  const int size[2] = {height, width};
  nas_stream stream = nas_stream_open(seed, "augment", address, 2);
  nas_view view = {0};
  for (int d = 0; d < 2; d++) view.crop[d] = move(&stream, values[PAD_CROP].integer);
  for (int d = 0; d < 2; d++) view.shift[d] = move(&stream, values[SHIFT].pair[d]);
  view.flip = (double)nas_stream_float(&stream) < values[FLIP].number;
  int erases = (double)nas_stream_float(&stream) < values[ERASE].number;
  for (int i = 0; erases && i < 10; i++) erases = !draw_rectangle(values, &stream, size, &view);
  return view;
}
