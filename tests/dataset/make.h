/* Data sets from tensors in one call. Included by one program each. */
#ifndef TESTS_MAKE_H
#define TESTS_MAKE_H

#include <nas/dataset.h>

static inline nas_status dataset_from(nas_dataset **out, const char *name, const nas_tensor *inputs,
                                      const nas_tensor *targets, int classes, nas_error *err) {
  nas_dataset_parts parts = {
      .name = name, .inputs = inputs, .targets = targets, .classes = classes};
  return nas_dataset_create(out, &parts, err);
}

/* The bytes of image i. */
static inline const uint8_t *pixels_of(const nas_dataset *dataset, int64_t i) {
  const nas_tensor *inputs = nas_dataset_inputs(dataset);
  return (const uint8_t *)nas_tensor_data(inputs) + i * nas_tensor_strides(inputs)[0];
}

#endif
