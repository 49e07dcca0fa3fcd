/* A policy to bytes (FORMAT.md). */
#include <string.h>
#include <nas/hash.h>
#include "format.h"
#include "policy_state.h"

const unsigned char nas_format_magic[NAS_FORMAT_MAGIC_SIZE] = {0x89, 'N',  'A',  'S',
                                                               'P',  '\r', '\n', 0x1A};

static void put_integer(nas_text *bytes, uint64_t value, int size) {
  unsigned char little[8];
  for (int i = 0; i < size; i++) little[i] = (unsigned char)(value >> (8 * i));
  nas_text_add_bytes(bytes, little, (size_t)size);
}

static void put_f32(nas_text *bytes, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_integer(bytes, bits, 4);
}

static void put_f64(nas_text *bytes, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_integer(bytes, bits, 8);
}

static void put_options(nas_text *bytes, const nas_policy_options *options) {
  put_integer(bytes, (uint64_t)options->layers, 4);
  put_integer(bytes, (uint64_t)options->units, 4);
  const double numbers[] = {
      options->init,      options->forget_bias, options->temperature, options->tanh_constant,
      options->rate,      options->beta1,       options->beta2,       options->epsilon,
      options->clip_norm, options->l2,          options->value_rate};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) put_f64(bytes, numbers[i]);
}

static void put_rows(nas_text *bytes, const nas_rows *rows) {
  for (int r = 0; r < rows->rows; r++)
    for (int c = 0; c < rows->width; c++) put_f32(bytes, nas_rows_at(rows, r)[c]);
}

static void put_block(nas_text *bytes, const nas_block *block) {
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  size_t key_size = strlen(block->key);
  put_integer(bytes, key_size, 4);
  nas_text_add_bytes(bytes, block->key, key_size);
  put_integer(bytes, (uint64_t)value->rows, 4);
  put_integer(bytes, (uint64_t)value->width, 4);
  put_rows(bytes, value);
  put_rows(bytes, &block->part[NAS_PART_MOMENT1]);
  put_rows(bytes, &block->part[NAS_PART_MOMENT2]);
}

static uint64_t encoded_size(const nas_policy *policy) {
  uint64_t size = 156 + 16;
  for (int i = 0; i < policy->blocks.count; i++) size += 12 + strlen(policy->blocks.sorted[i]->key);
  return size + 12 * (uint64_t)policy->blocks.size;
}

nas_status nas_policy_encode(const nas_policy *policy, nas_text *bytes, nas_error *err) {
  nas_text fresh = {0};
  nas_text_add_bytes(&fresh, nas_format_magic, NAS_FORMAT_MAGIC_SIZE);
  put_integer(&fresh, NAS_FORMAT_VERSION, 4);
  put_integer(&fresh, 0, 4);
  put_integer(&fresh, encoded_size(policy), 8);
  put_integer(&fresh, policy->seed, 8);
  put_options(&fresh, &policy->options);
  put_integer(&fresh, policy->steps, 8);
  put_f64(&fresh, policy->beta1_power);
  put_f64(&fresh, policy->beta2_power);
  put_integer(&fresh, (uint64_t)policy->blocks.count, 4);
  for (int i = 0; i < policy->blocks.count; i++) put_block(&fresh, policy->blocks.sorted[i]);
  if (!fresh.failed) {
    nas_hash checksum = nas_hash_bytes(fresh.data, fresh.size);
    put_integer(&fresh, checksum.low, 8);
    put_integer(&fresh, checksum.high, 8);
  }
  if (!fresh.failed) nas_text_add_bytes(bytes, fresh.data, fresh.size);
  int failed = fresh.failed || bytes->failed;
  nas_text_clear(&fresh);
  return failed ? nas_fail_memory(err, "the encoding of a policy", encoded_size(policy)) : NAS_OK;
}
