/* CSV files: a table of texts, read whole (RFC 4180, and what else is usual). Plain or compressed
 * by gzip.
 *
 * Lines end in LF, CRLF or CR. Cells may stand in double quotes, which may then hold delimiters,
 * ends of lines and doubled quotes. Blanks around a cell are not part of it unless they are quoted.
 * Blank lines, and a UTF-8 byte order mark at the beginning, are skipped. Every row has as many
 * cells as the first. Memory grows with what has been read.
 *
 * Messages name the file and the line, which counts from 1, and the column by its name. Rows and
 * columns count from 0. Numbers do not depend on the locale. A table may be read by many threads at
 * once. */
#ifndef NAS_CSV_H
#define NAS_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <nas/status.h>
#include <nas/tensor.h>

typedef struct nas_csv nas_csv;

typedef struct nas_csv_settings {
  char delimiter; /* between cells: one of , ; | : and tab; 0, the default: of comma, semicolon and
                   * tab the one that the first line has most often outside of quotes, the first
                   * of these if they are equal */
  int header;     /* 1, the default: the first row names the columns, and an empty name becomes the
                   * column's number from 1; 0: they are "1", "2", ... */
} nas_csv_settings;

NAS_API void nas_csv_settings_default(nas_csv_settings *settings);

/* Reads the file; settings may be NULL for the defaults. On success the caller owns *out
 * (nas_csv_destroy); on failure *out is NULL. NAS_IO: the file could not be opened or read.
 * NAS_FORMAT: no rows, rows of different lengths, a quote that is not closed or stands inside a
 * cell, a zero byte (as in UTF-16), a name that two columns have. NAS_LIMIT: more than 2^31 - 1
 * bytes of cells. NAS_MEMORY. NAS_ARGUMENT: unsound settings. */
NAS_API nas_status nas_csv_read(nas_csv **out, const char *path, const nas_csv_settings *settings,
                                nas_error *err);

/* The same from `size` bytes of decompressed content, with `name` for the messages. bytes may be
 * NULL when size is 0. */
NAS_API nas_status nas_csv_read_memory(nas_csv **out, const void *bytes, size_t size,
                                       const char *name, const nas_csv_settings *settings,
                                       nas_error *err);

/* Destroys the table and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_csv_destroy(nas_csv **table);

/* At least 1 each. */
NAS_API int64_t nas_csv_rows(const nas_csv *table);
NAS_API int64_t nas_csv_columns(const nas_csv *table);

/* The name of a column; never empty, each but once; valid as long as the table. */
NAS_API const char *nas_csv_name(const nas_csv *table, int64_t column);

/* The column of that name; -1 if there is none. */
NAS_API int64_t nas_csv_find(const nas_csv *table, const char *name);

/* The text of a cell, which may be empty; valid as long as the table. */
NAS_API const char *nas_csv_cell(const nas_csv *table, int64_t row, int64_t column);

/* The line where a row begins, for messages about its content. */
NAS_API int64_t nas_csv_line(const nas_csv *table, int64_t row);

/* 1 if nas_csv_numbers would take every cell of the column, else 0. */
NAS_API int nas_csv_is_numeric(const nas_csv *table, int64_t column);

/* The given columns, of which there is at least one, as float32 [rows, count], each cell rounded
 * once to the nearest. A number is decimal: an optional sign, digits with at most one '.', and
 * optionally e or E and a signed exponent. NAS_FORMAT: a cell that is empty or no number, or one
 * outside float32's range. NAS_MEMORY. */
NAS_API nas_status nas_csv_numbers(const nas_csv *table, const int64_t *columns, int64_t count,
                                   nas_tensor **out, nas_error *err);

/* The distinct cells of a column. */
typedef struct nas_csv_classes {
  int64_t count;
  const char **names; /* in order; the texts are the table's */
} nas_csv_classes;

/* The column as classes, int32 [rows], which count from 0 in the order of the distinct cells: by
 * value where every cell is an integer of at most 18 digits (then 07 and 7 are one class, named as
 * in the first such row), else by bytes. On success the caller owns *labels and *classes
 * (nas_csv_classes_clear); on failure *labels is NULL and *classes zero. NAS_FORMAT: an empty cell.
 * NAS_MEMORY. */
NAS_API nas_status nas_csv_labels(const nas_csv *table, int64_t column, nas_tensor **labels,
                                  nas_csv_classes *classes, nas_error *err);

/* Frees and zeroes. */
NAS_API void nas_csv_classes_clear(nas_csv_classes *classes);

#endif
