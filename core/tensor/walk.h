/* Walks over tensors of equal dims in index order, a piece of a row at a time. Pieces travel
 * through rows of doubles, in which every dtype is exact, so that no operation is written once per
 * type. */
#ifndef NAS_WALK_H
#define NAS_WALK_H

#include "handle.h"

#define NAS_WALK_ROW      256 /* elements in a piece, at most */
#define NAS_WALK_OPERANDS 4

typedef struct nas_walk {
  int operands;
  const nas_tensor *tensors[NAS_WALK_OPERANDS];
  int rank; /* after merging dimensions; the last one is the row */
  int64_t dims[NAS_RANK_MAX];
  int64_t strides[NAS_WALK_OPERANDS][NAS_RANK_MAX];
  int64_t index[NAS_RANK_MAX];
  int64_t position; /* elements before the piece, in index order */
  int64_t length;   /* of the piece; 0 before the first */
} nas_walk;

/* Stands before the first piece. Equal dims. The tensors must outlive the walk. */
nas_walk nas_walk_begin(int operands, const nas_tensor *const *tensors);

/* Moves to the next piece; 0 when there is none. */
int nas_walk_next(nas_walk *walk);

/* The first element of the piece in an operand. */
void *nas_walk_data(const nas_walk *walk, int operand);

/* Elements between neighbours of the piece in an operand. */
int64_t nas_walk_stride(const nas_walk *walk, int operand);

void nas_walk_load(const nas_walk *walk, int operand, double row[NAS_WALK_ROW]);

/* NAS_ARGUMENT with position and value at the first number that the operand's type cannot hold;
 * what came before it is stored. */
nas_status nas_walk_store(const nas_walk *walk, int operand, const double row[NAS_WALK_ROW],
                          nas_error *err);

/* NAS_ARGUMENT unless the type can hold every number of the row. */
nas_status nas_walk_check(const nas_walk *walk, nas_dtype dtype, const double row[NAS_WALK_ROW],
                          nas_error *err);

/* 1 if dtype can hold the value: any for float32, whole numbers of the range for the others. */
int nas_dtype_holds(nas_dtype dtype, double value);

/* The message for a value that dtype cannot hold; place says where it comes from. */
nas_status nas_dtype_fail(nas_dtype dtype, const char *place, double value, nas_error *err);

/* Bytes are little-endian outside of this process: reverses elements of 4 bytes on a machine that
 * is not. */
void nas_dtype_swap(void *elements, size_t count, size_t size);

/* One element; the type must hold the value. */
double nas_dtype_load(nas_dtype dtype, const void *element);
void nas_dtype_store(nas_dtype dtype, void *element, double value);

#endif
