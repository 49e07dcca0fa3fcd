/* NPY files, which NumPy writes by np.save: one array. Plain or compressed by gzip.
 *
 *   byte 0      93 4E 55 4D 50 59, then the version: 1, 2 or 3, and 0
 *   byte 8      length of the header: unsigned, little-endian, 16 bits in version 1, else 32 bits
 *   then        the header, a Python dictionary: 'descr', 'fortran_order', 'shape'
 *   then        the elements in index order, and nothing behind them
 *
 *   'descr'     becomes
 *   '|u1'       uint8
 *   '|b1'       uint8: 0 and 1
 *   '<i4'       int32
 *   '<i8'       int32; numbers outside its range are refused with their index
 *   '<f4'       float32
 *   '<f8'       float32, rounded; finite numbers outside its range are refused with their index
 *
 * Other types, arrays in Fortran order, arrays without elements and single numbers without
 * dimensions are refused with what to do about it. NaN and infinities pass.
 *
 * A header is believed only as far as bytes follow it: memory grows with what has been read.
 * Messages name the file, the byte offset in the decompressed content, what was expected and what
 * was found. All functions may be called from any thread. */
#ifndef NAS_NPY_H
#define NAS_NPY_H

#include <stddef.h>
#include <nas/status.h>
#include <nas/tensor.h>

/* Reads the file into a new contiguous tensor. On success the caller owns *out; on failure *out is
 * NULL. NAS_IO: the file could not be opened or read. NAS_FORMAT: damaged, cut off, continued, of
 * another format, or one that is refused. NAS_LIMIT: a header of more than 65,536 bytes, or more
 * elements than memory can hold. NAS_MEMORY. */
NAS_API nas_status nas_npy_read(nas_tensor **out, const char *path, nas_error *err);

/* The same from `size` bytes of decompressed content, with `name` for the messages. bytes may be
 * NULL when size is 0. */
NAS_API nas_status nas_npy_read_memory(nas_tensor **out, const void *bytes, size_t size,
                                       const char *name, nas_error *err);

/* Writes the tensor as np.load reads it: version 1, '|u1', '<i4' or '<f4'. The file is replaced as
 * a whole or not at all. NAS_IO, NAS_MEMORY. */
NAS_API nas_status nas_npy_write(const nas_tensor *tensor, const char *path, nas_error *err);

#endif
