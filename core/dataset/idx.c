#include <nas/idx.h>
#include "source.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <nas/memory.h>

typedef struct header {
  nas_dtype dtype;
  int rank;
  int64_t dims[NAS_RANK_MAX];
  int64_t elements;
  size_t bytes; /* of all elements */
} header;

void nas_idx_settings_default(nas_idx_settings *settings) {
  *settings = (nas_idx_settings){
      .dtypes = 1u << NAS_FLOAT32 | 1u << NAS_UINT8 | 1u << NAS_INT32,
      .rank_min = 1,
      .rank_max = NAS_RANK_MAX,
      .elements_max = INT32_MAX,
  };
}

static nas_status check_settings(const nas_idx_settings *settings, nas_error *err) {
  if (settings->rank_min < 1 || settings->rank_max > NAS_RANK_MAX ||
      settings->rank_min > settings->rank_max)
    return nas_fail(err, NAS_ARGUMENT, "idx: accepted ranks are %d to %d; expected 1 to %d",
                    settings->rank_min, settings->rank_max, NAS_RANK_MAX);
  if (!(settings->dtypes & (1u << NAS_FLOAT32 | 1u << NAS_UINT8 | 1u << NAS_INT32)))
    return nas_fail(err, NAS_ARGUMENT, "idx: dtypes is %u; expected at least one type",
                    settings->dtypes);
  if (settings->elements_max < 1)
    return nas_fail(err, NAS_ARGUMENT, "idx: elements_max is %" PRId64 "; expected at least 1",
                    settings->elements_max);
  return NAS_OK;
}

/* ---- Header ---- */

static const struct {
  unsigned code;
  nas_dtype dtype;
} types[] = {{0x08, NAS_UINT8}, {0x0C, NAS_INT32}, {0x0D, NAS_FLOAT32}};

static nas_status parse_type(const nas_source *source, const nas_idx_settings *settings,
                             unsigned code, nas_dtype *dtype, nas_error *err) {
  char expected[64] = "";
  size_t used = 0;
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (!(settings->dtypes & 1u << types[i].dtype)) continue;
    if (types[i].code == code) {
      *dtype = types[i].dtype;
      return NAS_OK;
    }
    used += (size_t)snprintf(expected + used, sizeof expected - used, "%s0x%02X (%s)",
                             used ? " or " : "", types[i].code, nas_dtype_name(types[i].dtype));
  }
  return nas_fail(err, NAS_FORMAT, "%s, byte 2: type 0x%02X; expected %s", source->name, code,
                  expected);
}

static nas_status parse_rank(const nas_source *source, const nas_idx_settings *settings, int rank,
                             nas_error *err) {
  int low = settings->rank_min, high = settings->rank_max;
  char expected[32];
  if (rank >= low && rank <= high) return NAS_OK;
  if (low == high)
    snprintf(expected, sizeof expected, "%d", low);
  else
    snprintf(expected, sizeof expected, "%d to %d", low, high);
  return nas_fail(err, NAS_FORMAT, "%s, byte 3: rank %d; expected %s%s", source->name, rank,
                  expected, settings->hint ? settings->hint : "");
}

static nas_status parse_magic(nas_source *source, const nas_idx_settings *settings, header *head,
                              nas_error *err) {
  unsigned char magic[4];
  nas_status status = nas_source_read_all(source, magic, sizeof magic, "magic number", err);
  if (status != NAS_OK) return status;
  if (magic[0] || magic[1])
    return nas_fail(err, NAS_FORMAT, "%s, byte 0: not an IDX file; expected 00 00, found %02X %02X",
                    source->name, magic[0], magic[1]);
  status = parse_type(source, settings, magic[2], &head->dtype, err);
  if (status != NAS_OK) return status;
  head->rank = magic[3];
  return parse_rank(source, settings, head->rank, err);
}

static uint32_t big_endian(const unsigned char bytes[4]) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static nas_status parse_dims(nas_source *source, const nas_idx_settings *settings, header *head,
                             nas_error *err) {
  unsigned char bytes[4];
  head->elements = 1;
  for (int d = 0; d < head->rank; d++) {
    uint64_t offset = source->offset;
    nas_status status = nas_source_read_all(source, bytes, sizeof bytes, "dimensions", err);
    if (status != NAS_OK) return status;
    int64_t dim = big_endian(bytes);
    if (dim == 0)
      return nas_fail(err, NAS_FORMAT,
                      "%s, byte %" PRIu64 ": dimension %d is 0; expected at least 1", source->name,
                      offset, d);
    if (dim > settings->elements_max / head->elements)
      return nas_fail(err, NAS_LIMIT,
                      "%s, byte %" PRIu64 ": dimension %d is %" PRId64
                      ", which makes more than the allowed %" PRId64 " elements",
                      source->name, offset, d, dim, settings->elements_max);
    head->dims[d] = dim;
    head->elements *= dim;
  }
  if (nas_size_mul((size_t)head->elements, nas_dtype_size(head->dtype), &head->bytes))
    return nas_fail(err, NAS_LIMIT, "%s, byte 4: more elements than memory can hold", source->name);
  return NAS_OK;
}

/* ---- Elements ---- */

static void to_host_order(const header *head, unsigned char *data) {
  if (nas_dtype_size(head->dtype) != 4) return;
  for (int64_t i = 0; i < head->elements; i++, data += 4) {
    uint32_t value = big_endian(data);
    memcpy(data, &value, sizeof value);
  }
}

static nas_status read_source(nas_tensor **out, nas_source *source,
                              const nas_idx_settings *settings, nas_error *err) {
  header head;
  nas_block block = {0};
  nas_status status = parse_magic(source, settings, &head, err);
  if (status != NAS_OK) return status;
  status = parse_dims(source, settings, &head, err);
  if (status != NAS_OK) return status;
  status = nas_source_read_block(source, head.bytes, "elements", &block, err);
  if (status == NAS_OK) status = nas_source_check_end(source, err);
  if (status == NAS_OK) {
    to_host_order(&head, block.bytes);
    status = nas_block_to_tensor(&block, out, head.dtype, head.rank, head.dims, err);
  }
  nas_block_clear(&block);
  return status;
}

/* ---- Public functions ---- */

nas_status nas_idx_read(nas_tensor **out, const char *path, const nas_idx_settings *settings,
                        char sha256[NAS_SHA256_HEX], nas_error *err) {
  nas_source source;
  nas_idx_settings preset;
  *out = NULL;
  nas_idx_settings_default(&preset);
  if (!settings) settings = &preset;
  nas_status status = check_settings(settings, err);
  if (status != NAS_OK) return status;
  status = nas_source_open_file(&source, path, sha256 != NULL, err);
  if (status == NAS_OK) status = read_source(out, &source, settings, err);
  if (status == NAS_OK && sha256) nas_source_sha256(&source, sha256);
  nas_source_close(&source);
  return status;
}

nas_status nas_idx_read_memory(nas_tensor **out, const void *bytes, size_t size, const char *name,
                               const nas_idx_settings *settings, char sha256[NAS_SHA256_HEX],
                               nas_error *err) {
  nas_source source;
  nas_idx_settings preset;
  *out = NULL;
  nas_idx_settings_default(&preset);
  if (!settings) settings = &preset;
  nas_status status = check_settings(settings, err);
  if (status != NAS_OK) return status;
  nas_source_open_memory(&source, bytes, size, name, sha256 != NULL);
  status = read_source(out, &source, settings, err);
  if (status == NAS_OK && sha256) nas_source_sha256(&source, sha256);
  return status;
}
