/* Feeds arbitrary bytes to the IDX reader: as they are, they are an IDX file's content. */
#include <stdlib.h>
#include <nas/idx.h>
#include <nas/memory.h>

#define ELEMENTS_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int truth) {
  if (!truth) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  nas_tensor *tensor = NULL;
  nas_idx_settings settings;
  nas_error err = {0};
  char sum[NAS_SHA256_HEX];
  nas_idx_settings_default(&settings);
  settings.elements_max = ELEMENTS_MAX;
  nas_status status = nas_idx_read_memory(&tensor, bytes, size, "input", &settings, sum, &err);
  if (status == NAS_OK) {
    size_t header = 4 + 4 * (size_t)nas_tensor_rank(tensor);
    size_t elements = (size_t)nas_tensor_size(tensor);
    require(elements <= ELEMENTS_MAX);
    require(size == header + elements * nas_dtype_size(nas_tensor_dtype(tensor)));
    double sum_of_all = nas_tensor_total(tensor, NAS_REDUCE_SUM); /* reads every byte */
    require(elements > 1 || sum_of_all != sum_of_all ||
            sum_of_all == nas_tensor_total(tensor, NAS_REDUCE_MAX));
  } else {
    require(!tensor && err.code == status && err.text[0]);
  }
  nas_tensor_destroy(&tensor);
  require(nas_memory_used().blocks == 0);
  return 0;
}
