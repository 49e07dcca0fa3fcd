/* Feeds archives to the readers of models and of training states: bytes as they are, and with the
 * header's length mended to end at the last brace. What is accepted must be usable, and come back
 * from a file the same; what is refused says what was wrong, and leaves nothing behind; and no file
 * makes them take more memory than PEAK. mutate_model.c makes the inputs. */
#include <nas/memory.h>
#include "small_training.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum {
  PEAK = 32 << 20,  /* bytes: files are of a few KB */
  VALUES = 1 << 18, /* activations of an image in networks that are looked at */
  FLOATS = 1 << 18, /* of an arena, and */
  MACS = 1 << 20    /*   multiply-accumulates of an image, in those that are run */
};

static nas_pool *pool;
static nas_dataset *data;
static nas_hash fresh; /* of a trainer before its first epoch */

static nas_trainer *new_trainer(void) {
  return small_trainer(SMALL_CLASSES, data, "softmax_cross_entropy", pool);
}

static nas_hash digest_of(const nas_trainer *trainer) {
  nas_hash digest;
  require(nas_trainer_digest(trainer, &digest, NULL) == NAS_OK);
  return digest;
}

static void begin(void) {
  if (pool) return;
  require(nas_pool_create(&pool, 1, NULL) == NAS_OK);
  data = small_split(small_images(14, 2, 2, 1, 2, 0));
  nas_trainer *trainer = new_trainer();
  fresh = digest_of(trainer);
  nas_trainer_destroy(&trainer);
}

static nas_text encode(const nas_archive *archive) {
  nas_text bytes = {0};
  require(nas_archive_encode(archive, &bytes, NULL) == NAS_OK);
  return bytes;
}

/* What a program reads that gets the archive as a file; takes the archive. */
static nas_archive *pass_on(nas_archive *archive, nas_text *bytes) {
  nas_archive *after;
  *bytes = encode(archive);
  require(nas_archive_read_memory(&after, bytes->data, bytes->size, "on", NULL) == NAS_OK);
  nas_archive_destroy(&archive);
  return after;
}

static void check_same(nas_text *a, nas_text *b) {
  require(a->size == b->size && memcmp(a->data, b->data, a->size) == 0);
  nas_text_clear(a);
  nas_text_clear(b);
}

/* -- models ----------------------------------------------------------------------------------- */

static nas_archive *save_model(const nas_model *model) {
  nas_archive *archive;
  require(nas_archive_create(&archive, NULL) == NAS_OK);
  require(nas_model_save(model, archive, NULL) == NAS_OK);
  return archive;
}

static void ask(const nas_model *model) {
  const nas_map *in = nas_compiled_input(nas_model_compiled(model));
  int classes = nas_model_classes(model);
  int units = nas_compiled_output(nas_model_compiled(model))->channels;
  nas_dataset *images = small_images(3, in->height, in->width, in->channels, classes, units);
  nas_tensor *inputs =
      small_tensor(NAS_UINT8, 4, (int64_t[]){2, in->height, in->width, in->channels});
  nas_tensor *outputs;
  nas_metrics m;
  int32_t predicted[3] = {0};
  require(nas_model_evaluate(model, images, NAS_PART_ALL, pool, NULL, NULL, &m, predicted, NULL) ==
          NAS_OK);
  require(m.accuracy >= 0 && m.accuracy <= 1 && m.top_k >= 0 && m.top_k <= 1);
  for (int n = 0; n < 3 && classes; n++) require(predicted[n] >= 0 && predicted[n] < classes);
  require(nas_model_outputs(model, inputs, pool, NULL, NULL, &outputs, NULL) == NAS_OK);
  require(nas_tensor_dims(outputs)[0] == 2 && nas_tensor_dims(outputs)[1] == units);
  if (classes) nas_model_probabilities(model, outputs);
  nas_tensor_destroy(&outputs);
  nas_tensor_destroy(&inputs);
  nas_dataset_release(&images);
}

static void use_model(const nas_model *model) {
  nas_model *after;
  nas_text once, twice;
  nas_archive *archive = pass_on(save_model(model), &once);
  require(nas_model_load(&after, archive, NULL) == NAS_OK);
  nas_archive_destroy(&archive);
  archive = pass_on(save_model(after), &twice);
  check_same(&once, &twice);
  nas_archive_destroy(&archive);
  nas_model_destroy(&after);
  if (nas_compiled_scratch_floats(nas_model_compiled(model)) <= FLOATS &&
      nas_network_macs(nas_model_network(model)) <= MACS)
    ask(model);
}

/* Whether the layers' lists of pixels would be large: that is no fault of the file. */
static int is_large(const nas_archive *archive) {
  const char *text = nas_archive_get(archive, "luanas.network");
  nas_node *node;
  nas_network *network;
  int64_t values = 0;
  if (!text || nas_network_parse(&node, text, NULL) != NAS_OK) return 0;
  require(nas_network_create(&network, node, NULL) == NAS_OK);
  for (int i = 0; i < nas_network_size(network); i++)
    values += nas_shape_size(nas_node_shape(nas_network_node(network, i)));
  nas_network_destroy(&network);
  nas_node_release(&node);
  return values > VALUES;
}

static int names_a_place(const char *text) {
  return strstr(text, "luanas.") || strstr(text, "network") || strstr(text, "layer ") ||
         strstr(text, "the tensor ") || strstr(text, "the loss ");
}

static void load_model(const nas_archive *archive) {
  nas_model *model = NULL;
  nas_error err = {0};
  if (is_large(archive)) return;
  nas_status status = nas_model_load(&model, archive, &err);
  if (status == NAS_OK)
    use_model(model);
  else
    require((status == NAS_FORMAT || status == NAS_LIMIT) && !model && err.code == status &&
            names_a_place(err.text));
  nas_model_destroy(&model);
}

/* -- training states -------------------------------------------------------------------------- */

/* Saved, restored and saved again it is the same; and training goes on, well or to a loss that is
 * not finite. */
static void use_state(nas_trainer *trainer) {
  nas_archive *archive, *again;
  nas_text once, twice;
  nas_epoch epoch;
  nas_trainer *other = new_trainer();
  require(nas_archive_create(&archive, NULL) == NAS_OK);
  require(nas_trainer_save(trainer, archive, NULL) == NAS_OK);
  archive = pass_on(archive, &once);
  require(nas_trainer_restore(other, archive, NULL) == NAS_OK);
  require(nas_archive_create(&again, NULL) == NAS_OK);
  require(nas_trainer_save(other, again, NULL) == NAS_OK);
  again = pass_on(again, &twice);
  check_same(&once, &twice);
  require(nas_hash_compare(digest_of(trainer), digest_of(other)) == 0);
  nas_status status = nas_trainer_epoch(trainer, NULL, NULL, &epoch, NULL);
  require(status == NAS_OK || status == NAS_DIVERGED);
  require(nas_trainer_epoch(other, NULL, NULL, &epoch, NULL) == status);
  require(nas_hash_compare(digest_of(trainer), digest_of(other)) == 0);
  nas_archive_destroy(&archive);
  nas_archive_destroy(&again);
  nas_trainer_destroy(&other);
}

static void restore(const nas_archive *archive) {
  nas_error err = {0};
  if (!nas_archive_get(archive, "training.conditions")) return;
  nas_trainer *trainer = new_trainer();
  nas_status status = nas_trainer_restore(trainer, archive, &err);
  if (status == NAS_OK) {
    use_state(trainer);
  } else {
    require((status == NAS_FORMAT || status == NAS_ARGUMENT) && err.code == status);
    require(strstr(err.text, status == NAS_FORMAT ? "training." : "of another training") != NULL);
    require(nas_hash_compare(digest_of(trainer), fresh) == 0 && nas_trainer_epochs(trainer) == 0);
  }
  nas_trainer_destroy(&trainer);
}

/* -- bytes ------------------------------------------------------------------------------------ */

static void read_bytes(const uint8_t *bytes, size_t size) {
  nas_archive *archive;
  size_t blocks = nas_memory_used().blocks;
  if (nas_archive_read_memory(&archive, bytes, size, "fuzz", NULL) == NAS_OK) {
    load_model(archive);
    restore(archive);
  }
  nas_archive_destroy(&archive);
  nas_memory_use used = nas_memory_used();
  require(used.blocks == blocks && used.peak_bytes < PEAK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  begin();
  read_bytes(bytes, size);
  size_t end = size;
  while (end > 8 && bytes[end - 1] != '}') end--;
  if (end <= 8) return 0;
  uint8_t *mended = malloc(size);
  if (!mended) return 0;
  memcpy(mended, bytes, size);
  for (int i = 0; i < 8; i++) mended[i] = (uint8_t)((uint64_t)(end - 8) >> (8 * i));
  if (memcmp(mended, bytes, 8) != 0) read_bytes(mended, size);
  free(mended);
  return 0;
}
