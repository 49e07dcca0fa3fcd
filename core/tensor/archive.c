/* Tensors and metadata by name. */
#include "archive_state.h"
#include <string.h>
#include <nas/hash.h>
#include <nas/memory.h>

const char *const nas_archive_types[NAS_ARCHIVE_TYPES] = {
    [NAS_FLOAT32] = "F32", [NAS_UINT8] = "U8", [NAS_INT32] = "I32"};

/* ---- Names -------------------------------------------------------------------------------- */

/* Where the name is or would go. There are slots, and a free one among them. */
static size_t *slot_of(const nas_names *names, const char *name) {
  size_t mask = 2 * names->capacity - 1;
  size_t i = (size_t)nas_hash_bytes(name, strlen(name)).low & mask;
  while (names->slots[i] && strcmp(names->entries[names->slots[i] - 1].name, name) != 0)
    i = (i + 1) & mask;
  return &names->slots[i];
}

/* NULL: there is none. */
static nas_named *find(const nas_names *names, const char *name) {
  size_t found = names->capacity ? *slot_of(names, name) : 0;
  return found ? &names->entries[found - 1] : NULL;
}

static nas_status grow(nas_names *names, nas_error *err) {
  nas_names larger = {.count = names->count};
  size_t bytes;
  if (nas_size_mul(names->capacity ? names->capacity : 8, 2, &larger.capacity) ||
      nas_size_mul(larger.capacity, sizeof(nas_named) + 2 * sizeof(size_t), &bytes))
    return nas_fail_memory(err, "the names in an archive", SIZE_MAX);
  larger.entries = nas_alloc(larger.capacity, sizeof(nas_named));
  larger.slots = nas_alloc_zero(2 * larger.capacity, sizeof(size_t));
  if (!larger.entries || !larger.slots) {
    nas_free(larger.entries);
    nas_free(larger.slots);
    return nas_fail_memory(err, "the names in an archive", bytes);
  }
  for (size_t i = 0; i < names->count; i++) {
    larger.entries[i] = names->entries[i];
    *slot_of(&larger, larger.entries[i].name) = i + 1;
  }
  nas_free(names->entries);
  nas_free(names->slots);
  *names = larger;
  return NAS_OK;
}

/* The name is not there yet. On success what the entry holds belongs to names. */
static nas_status append(nas_names *names, const nas_named *entry, nas_error *err) {
  if (names->count == names->capacity) {
    nas_status status = grow(names, err);
    if (status != NAS_OK) return status;
  }
  names->entries[names->count] = *entry;
  *slot_of(names, entry->name) = names->count + 1;
  names->count++;
  return NAS_OK;
}

static void entry_clear(nas_named *entry) {
  nas_free(entry->name);
  nas_free(entry->value);
  nas_tensor_destroy(&entry->tensor);
}

static void names_clear(nas_names *names) {
  for (size_t i = 0; i < names->count; i++) entry_clear(&names->entries[i]);
  nas_free(names->entries);
  nas_free(names->slots);
}

/* ---- UTF-8 -------------------------------------------------------------------------------- */

/* Whether text is well-formed: shortest forms, no surrogates, nothing above U+10FFFF. */
static int is_utf8(const char *text) {
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  const unsigned char *at = (const unsigned char *)text;
  while (*at) {
    unsigned char first = *at++;
    int more = first < 0x80 ? 0 : first < 0xC0 ? -1 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    if (more < 0 || first > 0xF4) return 0;
    uint32_t code = more ? first & (0x3Fu >> more) : first;
    for (int i = 0; i < more; i++, at++) {
      if ((*at & 0xC0) != 0x80) return 0;
      code = code << 6 | (*at & 0x3Fu);
    }
    if (code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
  }
  return 1;
}

static nas_status check_utf8(const char *what, const char *text, nas_error *err) {
  if (is_utf8(text)) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "archive: %s \"%.100s\" is not UTF-8", what, text);
}

/* ---- Public functions --------------------------------------------------------------------- */

nas_status nas_archive_create(nas_archive **archive, nas_error *err) {
  *archive = nas_alloc_zero(1, sizeof **archive);
  return *archive ? NAS_OK : nas_fail_memory(err, "an archive", sizeof **archive);
}

void nas_archive_destroy(nas_archive **archive) {
  if (!archive || !*archive) return;
  names_clear(&(*archive)->tensors);
  names_clear(&(*archive)->metadata);
  nas_free(*archive);
  *archive = NULL;
}

nas_status nas_archive_add(nas_archive *archive, const char *name, const nas_tensor *tensor,
                           nas_error *err) {
  nas_named entry = {0};
  nas_status status = check_utf8("the name", name, err);
  if (status != NAS_OK) return status;
  if (strcmp(name, NAS_ARCHIVE_METADATA) == 0)
    return nas_fail(err, NAS_ARGUMENT, "archive: no tensor can have the name \"%s\"", name);
  if (find(&archive->tensors, name))
    return nas_fail(err, NAS_ARGUMENT, "archive: there is a tensor \"%.100s\" already", name);
  entry.name = nas_strdup(name);
  if (!entry.name) return nas_fail_memory(err, "the name of a tensor", strlen(name) + 1);
  status = nas_tensor_view(&entry.tensor, tensor, err);
  if (status == NAS_OK) status = append(&archive->tensors, &entry, err);
  if (status != NAS_OK) entry_clear(&entry);
  return status;
}

const nas_tensor *nas_archive_find(const nas_archive *archive, const char *name) {
  const nas_named *entry = find(&archive->tensors, name);
  return entry ? entry->tensor : NULL;
}
int64_t nas_archive_count(const nas_archive *archive) {
  return (int64_t)archive->tensors.count;
}
const char *nas_archive_name_at(const nas_archive *archive, int64_t index) {
  return archive->tensors.entries[index].name;
}
const nas_tensor *nas_archive_tensor_at(const nas_archive *archive, int64_t index) {
  return archive->tensors.entries[index].tensor;
}

nas_status nas_archive_set(nas_archive *archive, const char *key, const char *value,
                           nas_error *err) {
  nas_status status = check_utf8("the key", key, err);
  if (status == NAS_OK) status = check_utf8("the value", value, err);
  if (status != NAS_OK) return status;
  nas_named entry = {.value = nas_strdup(value)};
  if (!entry.value) return nas_fail_memory(err, "metadata", strlen(value) + 1);
  nas_named *old = find(&archive->metadata, key);
  if (old) {
    nas_free(old->value);
    old->value = entry.value;
    return NAS_OK;
  }
  entry.name = nas_strdup(key);
  status = entry.name ? append(&archive->metadata, &entry, err)
                      : nas_fail_memory(err, "metadata", strlen(key) + 1);
  if (status != NAS_OK) entry_clear(&entry);
  return status;
}

const char *nas_archive_get(const nas_archive *archive, const char *key) {
  const nas_named *entry = find(&archive->metadata, key);
  return entry ? entry->value : NULL;
}
int64_t nas_archive_key_count(const nas_archive *archive) {
  return (int64_t)archive->metadata.count;
}
const char *nas_archive_key_at(const nas_archive *archive, int64_t index) {
  return archive->metadata.entries[index].name;
}
