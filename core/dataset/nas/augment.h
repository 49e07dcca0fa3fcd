/* Augmentation: training images are seen moved, mirrored or with a piece missing, each time anew.
 *
 * A view says how one image is seen. It is drawn from the stream (seed, "augment", {epoch, image})
 * and from nothing else, so neither threads nor the order of the images matter.
 * nas_dataset_read_input reads through it. Options that are off leave a view as it is. */
#ifndef NAS_AUGMENT_H
#define NAS_AUGMENT_H

#include <stdint.h>
#include <nas/api.h>
#include <nas/options.h>
#include <nas/status.h>

/* clang-format off */
/* "augment": everything is off by default.
 *   pad_crop   so many pixels of zeros are put on each side of the image, and a piece of the old
 *              size is cut out at a uniform place; 0 .. 64
 *   shift      {rows, columns}: the image moves by at most so many pixels, and those at its edge
 *              are repeated; 0 .. 64
 *   flip       probability of a horizontal mirror image
 *   erase      probability that a rectangle is erased (Zhong et al. 2017, "Random erasing data
 *              augmentation")
 *   erase_min  its least share of the image's area; default: 0.02
 *   erase_max  its largest share; default: 0.33
 * The table has six options, in this order. */
/* clang-format on */
NAS_API extern const nas_option_table nas_augment_table;

#define NAS_AUGMENT_OPTIONS 6

/* How an image is seen: it moves first by `shift`, then by `crop`, then it is mirrored, then a
 * rectangle is erased. Pixel (y, x) of the h x w pixels is, mirrored x being w - 1 - x:
 *   0 as the network's input (after a standardisation), in the rectangle;
 *   0 as stored (before a standardisation), where (y + crop[0], x + crop[1]) lies outside the
 * image; else the stored pixel (y + crop[0] + shift[0], x + crop[1] + shift[1]), each coordinate
 * moved to the nearest one inside the image. Zeros see the image as it is. Any numbers are allowed;
 * a rectangle may reach beyond the image. */
typedef struct nas_view {
  int crop[2];  /* rows, columns */
  int shift[2]; /* rows, columns */
  int flip;     /* 1: mirrored horizontally */
  int erase[4]; /* the rectangle's first row, first column, height, width; height 0: none */
} nas_view;

/* clang-format off */
/* The view of that image in that epoch. options[NAS_AUGMENT_OPTIONS] belong to nas_augment_table
 * and have passed nas_augment_check for this size. The numbers of the stream, in this order,
 * whether an option is on or off, so that turning one on changes no other:
 *   crop[0], crop[1]    below(2 pad_crop + 1) - pad_crop each
 *   shift[0], shift[1]  below(2 shift[i] + 1) - shift[i] each
 *   flip                double < flip
 *   erase               double < erase; if so, up to ten times until a rectangle fits:
 *     share, aspect     area = height width (erase_min + double (erase_max - erase_min));
 *                       aspect = exp((2 double - 1) log(1 / 0.3)), rows to columns;
 *                       floor(sqrt(area aspect) + 0.5) rows, floor(sqrt(area / aspect) + 0.5)
 *                       columns; both must be at least 1 and fit into the image
 *     row, column       below(height - rows + 1), below(width - columns + 1): only of the one that
 *                       fits
 * without one that fits, nothing is erased. Nothing fails; any thread may call. */
/* clang-format on */
NAS_API nas_view nas_augment_view(const nas_option_value *options, uint64_t seed, int epoch,
                                  int64_t image, int height, int width);

/* NAS_ARGUMENT unless the options suit inputs of these dims: rank 3 (h, w, c) with pad_crop and
 * shift below height and width, or rank 1 (features) with everything off; erase_min is at most
 * erase_max.
 */
NAS_API nas_status nas_augment_check(const nas_option_value *options, const int *dims, int rank,
                                     nas_error *err);

#endif
