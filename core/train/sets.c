#include "sets.h"
#include <stdio.h>
#include <string.h>
#include "kernel.h"
#include "shapes.h"

enum { NAME = 200 };

static void name_of(const nas_network *network, const char *prefix, int node, const char *role,
                    char name[NAME]) {
  snprintf(name, NAME, "%s%d.%s.%s", prefix, node + 1,
           nas_node_kind(nas_network_node(network, node))->name, role);
}

static nas_status save_set(const char *name, const nas_param_place *set, const float *array,
                           nas_archive *archive, nas_error *err) {
  nas_tensor *tensor;
  int64_t dims[4];
  for (int d = 0; d < set->is.rank; d++) dims[d] = set->is.dim[d];
  nas_status status = nas_tensor_create(&tensor, NAS_FLOAT32, set->is.rank, dims, err);
  if (status != NAS_OK) return status;
  float *to = nas_tensor_data(tensor);
  size_t width = (size_t)set->width, row = (size_t)nas_row(set->width);
  for (size_t r = 0; r < set->rows; r++)
    memcpy(to + r * width, array + set->at + r * row, width * sizeof(float));
  status = nas_archive_add(archive, name, tensor, err);
  nas_tensor_destroy(&tensor);
  return status;
}

nas_status nas_sets_save(const nas_compiled *compiled, const nas_network *network,
                         const char *prefix, const float *array, int trained_only,
                         nas_archive *archive, nas_error *err) {
  nas_status status = NAS_OK;
  for (int i = 0; i < nas_compiled_param_count(compiled) && status == NAS_OK; i++) {
    nas_param_place set = nas_compiled_param(compiled, i);
    char name[NAME];
    if (trained_only && set.is.use == NAS_PARAM_STATE) continue;
    name_of(network, prefix, set.node, set.is.role, name);
    status = save_set(name, &set, array, archive, err);
  }
  return status;
}

static nas_status check_set(const char *name, const nas_param *set, const nas_archive *archive,
                            nas_error *err) {
  const nas_tensor *tensor = nas_archive_find(archive, name);
  if (!tensor) return nas_fail(err, NAS_FORMAT, "the tensor %s is missing", name);
  int fits = nas_tensor_dtype(tensor) == NAS_FLOAT32 && nas_tensor_rank(tensor) == set->rank;
  for (int d = 0; fits && d < set->rank; d++) fits = nas_tensor_dims(tensor)[d] == set->dim[d];
  if (fits) return NAS_OK;
  char dims[NAS_DIMS_TEXT];
  nas_tensor_dims_text(tensor, dims);
  return nas_fail(err, NAS_FORMAT, "the tensor %s is %s %s, which the network does not expect",
                  name, nas_dtype_name(nas_tensor_dtype(tensor)), dims);
}

nas_status nas_sets_check(const nas_network *network, const char *prefix, int trained_only,
                          const nas_archive *archive, nas_error *err) {
  nas_status status = NAS_OK;
  for (int node = 0; node < nas_network_size(network); node++) {
    nas_param sets[NAS_PARAMS_MAX];
    int count = nas_node_params(nas_network_node(network, node), sets);
    for (int s = 0; s < count && status == NAS_OK; s++) {
      char name[NAME];
      if (trained_only && sets[s].use == NAS_PARAM_STATE) continue;
      name_of(network, prefix, node, sets[s].role, name);
      status = check_set(name, &sets[s], archive, err);
    }
  }
  return status;
}

/* The tensor may be a view with strides of its own. */
static void load_set(const nas_tensor *tensor, const nas_param_place *set, float *array) {
  const int64_t *strides = nas_tensor_strides(tensor);
  int last = set->is.rank - 1;
  for (size_t r = 0; r < set->rows; r++) {
    const float *from = nas_tensor_data(tensor);
    float *to = array + set->at + r * (size_t)nas_row(set->width);
    size_t left = r;
    for (int d = last - 1; d >= 0; d--) {
      from += (int64_t)(left % (size_t)set->is.dim[d]) * strides[d];
      left /= (size_t)set->is.dim[d];
    }
    for (int o = 0; o < set->width; o++) to[o] = from[o * strides[last]];
  }
}

void nas_sets_load(const nas_compiled *compiled, const nas_network *network, const char *prefix,
                   float *array, int trained_only, const nas_archive *archive) {
  for (int i = 0; i < nas_compiled_param_count(compiled); i++) {
    nas_param_place set = nas_compiled_param(compiled, i);
    char name[NAME];
    if (trained_only && set.is.use == NAS_PARAM_STATE) continue;
    name_of(network, prefix, set.node, set.is.role, name);
    load_set(nas_archive_find(archive, name), &set, array);
  }
}
