/* Layout: dimensions, and the strides that lead from one entry to the next. */
#ifndef NAS_LAYOUT_H
#define NAS_LAYOUT_H

#include <nas/tensor.h>

typedef struct nas_layout {
  int rank;
  int64_t dims[NAS_RANK_MAX];
  int64_t strides[NAS_RANK_MAX]; /* elements; 0: repeated, negative: backwards */
} nas_layout;

/* The contiguous layout of elements of element_size bytes, checked as nas_tensor_create says. */
nas_status nas_layout_make(nas_layout *layout, int rank, const int64_t *dims, size_t element_size,
                           nas_error *err);

/* The product of the dimensions; it fits, as nas_layout_make has checked. */
int64_t nas_layout_size(const nas_layout *layout);

/* Strides of dimensions of one entry do not count: they are never followed. */
int nas_layout_is_contiguous(const nas_layout *layout);

int nas_layout_equal_dims(const nas_layout *a, const nas_layout *b);

/* Gives *to, whose dims are set, the strides that repeat `from` to these dims. NAS_ARGUMENT unless
 * the rules of broadcasting (nas/tensor.h) lead there. */
nas_status nas_layout_spread(const nas_layout *from, nas_layout *to, nas_error *err);

/* The dims that two layouts are broadcast to, contiguous. NAS_ARGUMENT; NAS_LIMIT as
 * nas_tensor_create. */
nas_status nas_layout_broadcast(nas_layout *to, const nas_layout *a, const nas_layout *b,
                                nas_error *err);

/* Whether several indices lead to one element. */
int nas_layout_repeats(const nas_layout *layout);

void nas_layout_dims_text(int rank, const int64_t *dims, char text[NAS_DIMS_TEXT]);

/* NAS_ARGUMENT unless dim is one of the dimensions. */
nas_status nas_layout_check_dim(const nas_layout *layout, int dim, nas_error *err);

/* NAS_ARGUMENT unless index is an entry of dimension dim, which exists. */
nas_status nas_layout_check_index(const nas_layout *layout, int dim, int64_t index, nas_error *err);

#endif
