/* Parameters by key and by flat index. */
#include <math.h>
#include "policy_state.h"

int nas_policy_block_count(const nas_policy *policy) {
  return policy->blocks.count;
}

size_t nas_policy_size(const nas_policy *policy) {
  return policy->blocks.size;
}

static size_t block_size(const nas_block *block) {
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  return (size_t)value->rows * (size_t)value->width;
}

nas_status nas_policy_block_at(const nas_policy *policy, int index, nas_policy_block *block,
                               nas_error *err) {
  const nas_blocks *blocks = &policy->blocks;
  if (index < 0 || index >= blocks->count)
    return nas_fail(err, NAS_ARGUMENT, "block %d of %d (the first is 0)", index, blocks->count);
  size_t first = 0;
  for (int i = 0; i < index; i++) first += block_size(blocks->sorted[i]);
  const nas_block *found = blocks->sorted[index];
  *block = (nas_policy_block){.key = found->key,
                              .first = first,
                              .rows = found->part[NAS_PART_VALUE].rows,
                              .width = found->part[NAS_PART_VALUE].width};
  return NAS_OK;
}

nas_status nas_policy_block_find(const nas_policy *policy, const char *key, nas_policy_block *block,
                                 nas_error *err) {
  const nas_block *wanted = nas_blocks_find(&policy->blocks, key);
  for (int i = 0; wanted && i < policy->blocks.count; i++)
    if (policy->blocks.sorted[i] == wanted) return nas_policy_block_at(policy, i, block, err);
  return nas_fail(err, NAS_ARGUMENT, "no parameters \"%.200s\" have appeared", key);
}

static nas_status check_range(const nas_policy *policy, size_t first, size_t count,
                              nas_error *err) {
  size_t size = policy->blocks.size;
  if (first <= size && count <= size - first) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "parameters from %zu, %zu of them, of %zu", first, count,
                  size);
}

/* A walk over parameters in flat order. */
typedef struct parameter_walk {
  const nas_policy *policy;
  int block;
  size_t position; /* inside the block */
} parameter_walk;

static parameter_walk walk_from(const nas_policy *policy, size_t first) {
  parameter_walk walk = {.policy = policy, .position = first};
  while (walk.block < policy->blocks.count &&
         walk.position >= block_size(policy->blocks.sorted[walk.block]))
    walk.position -= block_size(policy->blocks.sorted[walk.block++]);
  return walk;
}

/* The block of the next parameter, and where it lies in the block's rows. */
static nas_block *walk_next(parameter_walk *walk, size_t *at) {
  nas_block *block = walk->policy->blocks.sorted[walk->block];
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  size_t width = (size_t)value->width;
  *at = walk->position / width * (size_t)value->stride + walk->position % width;
  if (++walk->position == block_size(block)) {
    walk->position = 0;
    walk->block++;
  }
  return block;
}

nas_status nas_policy_get(const nas_policy *policy, nas_policy_weights weights, size_t first,
                          size_t count, float *values, nas_error *err) {
  nas_part part = weights == NAS_POLICY_INITIAL ? NAS_PART_INITIAL : NAS_PART_VALUE;
  nas_status status = check_range(policy, first, count, err);
  if (status) return status;
  parameter_walk walk = walk_from(policy, first);
  for (size_t i = 0; i < count; i++) {
    size_t at;
    const nas_block *block = walk_next(&walk, &at);
    values[i] = block->part[part].data[at];
  }
  return NAS_OK;
}

nas_status nas_policy_set(nas_policy *policy, size_t first, size_t count, const float *values,
                          nas_error *err) {
  nas_status status = check_range(policy, first, count, err);
  if (status) return status;
  for (size_t i = 0; i < count; i++)
    if (!isfinite(values[i]))
      return nas_fail(err, NAS_ARGUMENT, "parameter %zu would be %g; expected a finite number",
                      first + i, (double)values[i]);
  parameter_walk walk = walk_from(policy, first);
  for (size_t i = 0; i < count; i++) {
    size_t at;
    nas_block *block = walk_next(&walk, &at);
    block->part[NAS_PART_VALUE].data[at] = values[i];
  }
  policy->version++;
  return NAS_OK;
}

/* ---- Gradients ---------------------------------------------------------------------------- */

static nas_status check_gradient(const nas_policy *policy, const nas_policy_gradient *gradient,
                                 nas_error *err) {
  if (gradient->serial == policy->serial) return NAS_OK;
  return nas_fail(err, NAS_STATE, "the gradient belongs to another policy");
}

/* 0 in a block that the gradient knows nothing of. */
static float gradient_at(const nas_policy_gradient *gradient, const nas_block *block, size_t at) {
  return block->number < gradient->count ? nas_gradient_of(gradient, block)->data[at] : 0;
}

nas_status nas_policy_gradient_get(const nas_policy *policy, const nas_policy_gradient *gradient,
                                   size_t first, size_t count, float *values, nas_error *err) {
  nas_status status = check_gradient(policy, gradient, err);
  if (status) return status;
  if ((status = check_range(policy, first, count, err))) return status;
  parameter_walk walk = walk_from(policy, first);
  for (size_t i = 0; i < count; i++) {
    size_t at;
    const nas_block *block = walk_next(&walk, &at);
    values[i] = gradient_at(gradient, block, at);
  }
  return NAS_OK;
}

nas_status nas_policy_gradient_dot(const nas_policy *policy, const nas_policy_gradient *a,
                                   const nas_policy_gradient *b, double *dot, nas_error *err) {
  nas_status status = check_gradient(policy, a, err);
  if (status) return status;
  if ((status = check_gradient(policy, b, err))) return status;
  double sum = 0;
  parameter_walk walk = walk_from(policy, 0);
  for (size_t i = 0; i < policy->blocks.size; i++) {
    size_t at;
    const nas_block *block = walk_next(&walk, &at);
    sum = sum + (double)gradient_at(a, block, at) * (double)gradient_at(b, block, at);
  }
  *dot = sum;
  return NAS_OK;
}
