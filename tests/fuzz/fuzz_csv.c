/* Feeds arbitrary bytes to the CSV reader: the first chooses the settings, the others are the
 * file's content. */
#include <stdlib.h>
#include <string.h>
#include <nas/csv.h>
#include <nas/memory.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int truth) {
  if (!truth) abort();
}

static void check_column(const nas_csv *table, int64_t column) {
  nas_tensor *tensor;
  nas_csv_classes classes;
  nas_error err = {0};
  nas_status status = nas_csv_numbers(table, &column, 1, &tensor, &err);
  require((status == NAS_OK) == nas_csv_is_numeric(table, column));
  require(status == NAS_OK || err.text[0]);
  nas_tensor_destroy(&tensor);
  status = nas_csv_labels(table, column, &tensor, &classes, &err);
  require(status != NAS_OK ||
          nas_tensor_total(tensor, NAS_REDUCE_MAX) == (double)(classes.count - 1));
  nas_tensor_destroy(&tensor);
  nas_csv_classes_clear(&classes);
  require(nas_csv_find(table, nas_csv_name(table, column)) == column);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char delimiters[] = {0, ',', ';', '\t'};
  nas_csv *table = NULL;
  nas_csv_settings settings;
  nas_error err = {0};
  if (size == 0) return 0;
  nas_csv_settings_default(&settings);
  settings.header = bytes[0] & 1;
  settings.delimiter = delimiters[bytes[0] >> 1 & 3];
  nas_status status = nas_csv_read_memory(&table, bytes + 1, size - 1, "input", &settings, &err);
  if (status == NAS_OK) {
    size_t length = 0;
    for (int64_t row = 0; row < nas_csv_rows(table); row++)
      for (int64_t column = 0; column < nas_csv_columns(table); column++)
        length += strlen(nas_csv_cell(table, row, column));
    require(length < size);
    for (int64_t column = 0; column < nas_csv_columns(table) && column < 4; column++)
      check_column(table, column);
  } else {
    require(!table && err.code == status && err.text[0]);
  }
  nas_csv_destroy(&table);
  require(nas_memory_used().blocks == 0);
  return 0;
}
