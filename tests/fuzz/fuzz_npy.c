/* Feeds arbitrary bytes to the NPY reader: as they are, they are an NPY file's content. */
#include <stdlib.h>
#include <nas/memory.h>
#include <nas/npy.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int truth) {
  if (!truth) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  nas_tensor *tensor = NULL;
  nas_error err = {0};
  nas_status status = nas_npy_read_memory(&tensor, bytes, size, "input", &err);
  if (status == NAS_OK) {
    size_t elements = (size_t)nas_tensor_size(tensor);
    require(elements <= size);
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
