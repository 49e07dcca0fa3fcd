/* Augmentation: each image of each epoch is seen in another way, drawn from a stream of its own, so
 * that no order of images changes anything. In this order:
 *   shift     the image moves by up to so many whole pixels; pixels of the edge are repeated
 *   pad_crop  so many pixels of zeros are put around the image, and a part of the old size is cut
 *             out (He et al. 2016, section 4.2); zeros before standardisation
 *   flip      left and right are exchanged
 *   erase     a rectangle is erased (Zhong et al. 2017): its pixels are 0 for the network, after
 *             standardisation: the mean, where inputs are standardised */
#ifndef NAS_AUGMENT_H
#define NAS_AUGMENT_H

#include <nas/dataset.h>
#include <nas/options.h>

/* pad_crop, shift, flip, erase, erase_min, erase_max. The defaults change nothing. */
NAS_API extern const nas_option_table nas_augment_table;
#define NAS_AUGMENT_OPTIONS 6

/* Whether images of the shape (nas_dataset_input_shape) can be augmented like that. NAS_ARGUMENT: a
 * move as large as the image, erase_min above erase_max, or anything for the rows of a table. */
NAS_API nas_status nas_augment_check(const nas_option_value *options, const int *dims, int rank,
                                     nas_error *err);

/* Whether the options change anything. */
NAS_API int nas_augment_active(const nas_option_value *options);

/* The view of image `image` in epoch `epoch`, from 1, by the stream (seed, "augment", epoch,
 * image), whose numbers u in [0, 1) are, in order: rows and columns of pad_crop and of shift,
 * floor(u * (2 m
 * + 1)) - m each; whether to flip, u < flip; whether to erase, u < erase; and then for each of up
 * to ten tries area (between erase_min and erase_max of the image), aspect ratio height / width
 * (its logarithm between those of 0.3 and 1 / 0.3), row and column. A rectangle that is larger than
 * the image is tried again. */
NAS_API nas_view nas_augment_view(const nas_option_value *options, uint64_t seed, int epoch,
                                  int64_t image, int height, int width);

#endif
