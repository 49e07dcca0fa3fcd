#include <nas/tensor.h>
#include "walk.h"
#include <nas/random.h>

nas_status nas_tensor_uniform(nas_tensor *tensor, nas_stream *stream, double low, double high,
                              nas_error *err) {
  double row[NAS_WALK_ROW];
  nas_status status = nas_handle_check_writable(tensor, err);
  nas_walk walk = nas_walk_begin(1, (const nas_tensor *[]){tensor});
  while (status == NAS_OK && nas_walk_next(&walk)) {
    for (int64_t i = 0; i < walk.length; i++)
      row[i] = low + (high - low) * nas_stream_double(stream);
    status = nas_walk_store(&walk, 0, row, err);
  }
  return status;
}

nas_status nas_tensor_normal(nas_tensor *tensor, nas_stream *stream, double mean, double std,
                             nas_error *err) {
  double row[NAS_WALK_ROW];
  nas_status status = nas_handle_check_writable(tensor, err);
  nas_walk walk = nas_walk_begin(1, (const nas_tensor *[]){tensor});
  while (status == NAS_OK && nas_walk_next(&walk)) {
    for (int64_t i = 0; i < walk.length; i++) row[i] = mean + std * nas_stream_normal(stream);
    status = nas_walk_store(&walk, 0, row, err);
  }
  return status;
}

nas_status nas_tensor_ramp(nas_tensor *tensor, double first, double step, nas_error *err) {
  double row[NAS_WALK_ROW];
  nas_status status = nas_handle_check_writable(tensor, err);
  nas_walk walk = nas_walk_begin(1, (const nas_tensor *[]){tensor});
  while (status == NAS_OK && nas_walk_next(&walk)) {
    for (int64_t i = 0; i < walk.length; i++) row[i] = first + (double)(walk.position + i) * step;
    status = nas_walk_store(&walk, 0, row, err);
  }
  return status;
}
