#include "layout.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <nas/memory.h>

nas_status nas_layout_make(nas_layout *layout, int rank, const int64_t *dims, size_t element_size,
                           nas_error *err) {
  if (rank < 1 || rank > NAS_RANK_MAX)
    return nas_fail(err, NAS_ARGUMENT, "tensor: %d dimensions given; expected 1 to %d", rank,
                    NAS_RANK_MAX);
  nas_layout made = {.rank = rank};
  size_t bytes = element_size;
  for (int d = rank - 1; d >= 0; d--) {
    if (dims[d] < 1)
      return nas_fail(err, NAS_ARGUMENT, "tensor: dimension %d is %" PRId64 "; expected at least 1",
                      d, dims[d]);
    made.dims[d] = dims[d];
    made.strides[d] = (int64_t)(bytes / element_size);
    /* Pointer differences must fit too, hence not SIZE_MAX. */
    if (nas_size_mul(bytes, (size_t)dims[d], &bytes) || bytes > PTRDIFF_MAX) {
      char text[NAS_DIMS_TEXT];
      nas_layout_dims_text(rank, dims, text);
      return nas_fail(err, NAS_LIMIT, "tensor: %s has more elements than memory can hold", text);
    }
  }
  *layout = made;
  return NAS_OK;
}

int64_t nas_layout_size(const nas_layout *layout) {
  int64_t size = 1;
  for (int d = 0; d < layout->rank; d++) size *= layout->dims[d];
  return size;
}

int nas_layout_is_contiguous(const nas_layout *layout) {
  int64_t stride = 1;
  for (int d = layout->rank - 1; d >= 0; d--) {
    if (layout->dims[d] > 1 && layout->strides[d] != stride) return 0;
    stride *= layout->dims[d];
  }
  return 1;
}

int nas_layout_equal_dims(const nas_layout *a, const nas_layout *b) {
  return a->rank == b->rank && memcmp(a->dims, b->dims, sizeof a->dims[0] * (size_t)a->rank) == 0;
}

nas_status nas_layout_spread(const nas_layout *from, nas_layout *to, nas_error *err) {
  int missing = to->rank - from->rank;
  for (int d = 0; d < to->rank && missing >= 0; d++) {
    int own = d - missing;
    if (own >= 0 && from->dims[own] != 1 && from->dims[own] != to->dims[d]) goto fail;
    to->strides[d] = own < 0 || from->dims[own] == 1 ? 0 : from->strides[own];
  }
  if (missing >= 0) return NAS_OK;

fail:;
  char from_text[NAS_DIMS_TEXT], to_text[NAS_DIMS_TEXT];
  nas_layout_dims_text(from->rank, from->dims, from_text);
  nas_layout_dims_text(to->rank, to->dims, to_text);
  return nas_fail(err, NAS_ARGUMENT,
                  "tensor: %s can't be expanded to %s; only dimensions of one entry are repeated",
                  from_text, to_text);
}

nas_status nas_layout_broadcast(nas_layout *to, const nas_layout *a, const nas_layout *b,
                                nas_error *err) {
  int64_t dims[NAS_RANK_MAX];
  int rank = a->rank > b->rank ? a->rank : b->rank;
  for (int d = 1; d <= rank; d++) { /* from the last one */
    int64_t of_a = d <= a->rank ? a->dims[a->rank - d] : 1;
    int64_t of_b = d <= b->rank ? b->dims[b->rank - d] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1) {
      char a_text[NAS_DIMS_TEXT], b_text[NAS_DIMS_TEXT];
      nas_layout_dims_text(a->rank, a->dims, a_text);
      nas_layout_dims_text(b->rank, b->dims, b_text);
      return nas_fail(
          err, NAS_ARGUMENT,
          "tensor: the shapes %s and %s differ; expected equal dimensions, counted from "
          "the last, or one entry where they differ",
          a_text, b_text);
    }
    dims[rank - d] = of_a == 1 ? of_b : of_a;
  }
  return nas_layout_make(to, rank, dims, sizeof(float), err);
}

int nas_layout_repeats(const nas_layout *layout) {
  for (int d = 0; d < layout->rank; d++)
    if (layout->dims[d] > 1 && layout->strides[d] == 0) return 1;
  return 0;
}

void nas_layout_dims_text(int rank, const int64_t *dims, char text[NAS_DIMS_TEXT]) {
  size_t used = 0;
  for (int d = 0; d < rank; d++)
    used +=
        (size_t)snprintf(text + used, NAS_DIMS_TEXT - used, "%s%" PRId64, d ? ", " : "[", dims[d]);
  snprintf(text + used, NAS_DIMS_TEXT - used, "]");
}

nas_status nas_layout_check_dim(const nas_layout *layout, int dim, nas_error *err) {
  if (dim >= 0 && dim < layout->rank) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "tensor: there is no dimension %d; expected 0 to %d", dim,
                  layout->rank - 1);
}

nas_status nas_layout_check_index(const nas_layout *layout, int dim, int64_t index,
                                  nas_error *err) {
  if (index >= 0 && index < layout->dims[dim]) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT,
                  "tensor: dimension %d has %" PRId64 " %s; index %" PRId64
                  " is outside 0 to %" PRId64,
                  dim, layout->dims[dim], layout->dims[dim] == 1 ? "entry" : "entries", index,
                  layout->dims[dim] - 1);
}
