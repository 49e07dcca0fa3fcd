/* Makes the corpus of fuzz_model.c: make_models FOLDER writes it, make_models --check FOLDER
 * compares it with what it would write, which is the same bytes on every machine. */
#include "small_training.h"

static const char *folder;
static int checks, failed;

/* A file of the corpus: takes the archive. */
static void put(const char *name, nas_archive *archive) {
  char path[1024];
  nas_text bytes = {0};
  snprintf(path, sizeof path, "%s/%s", folder, name);
  require(nas_archive_encode(archive, &bytes, NULL) == NAS_OK);
  nas_archive_destroy(&archive);
  FILE *file = fopen(path, checks ? "rb" : "wb");
  int same = file != NULL;
  if (file && checks) {
    char *found = malloc(bytes.size + 1);
    require(found != NULL);
    same = fread(found, 1, bytes.size + 1, file) == bytes.size &&
           memcmp(found, bytes.data, bytes.size) == 0;
    free(found);
  } else if (file) {
    same = fwrite(bytes.data, 1, bytes.size, file) == bytes.size;
  }
  if (file) same = fclose(file) == 0 && same;
  if (!same) fprintf(stderr, "%s: %s\n", path, checks ? "is another file" : "cannot be written");
  failed |= !same;
  nas_text_clear(&bytes);
}

static nas_archive *new_archive(void) {
  nas_archive *archive;
  require(nas_archive_create(&archive, NULL) == NAS_OK);
  return archive;
}

static nas_archive *archive_of(const nas_trainer *trainer) {
  nas_model *model;
  nas_archive *archive = new_archive();
  require(nas_model_create(&model, trainer, NULL) == NAS_OK);
  require(nas_model_save(model, archive, NULL) == NAS_OK);
  nas_model_destroy(&model);
  return archive;
}

/* The archive with another value of a key; takes it. */
static nas_archive *with(nas_archive *archive, const char *key, const char *value) {
  require(nas_archive_set(archive, key, value, NULL) == NAS_OK);
  return archive;
}

static void put_classes(nas_pool *pool) {
  static const char huge[] = "1 input size=2,2 channels=1\n"
                             "2 dense(1) units=65536 bias=1 init=glorot_uniform init_range=0.05\n"
                             "3 dense(2) units=1000 bias=1 init=glorot_uniform init_range=0.05\n"
                             "4 dense(3) units=2 bias=0 init=glorot_uniform init_range=0.05\n"
                             "5 target values=0\n"
                             "6 softmax_cross_entropy(4,5) label_smoothing=0\n";
  static const char knowing[] = "1 input size=2,2 channels=1\n"
                                "2 batch_norm(1) momentum=0.9 epsilon=0.001\n"
                                "3 dense(2) units=2 bias=0 init=glorot_uniform init_range=0.05\n"
                                "4 target values=0\n"
                                "5 one_hot(4) classes=2\n"
                                "6 add(3,5)\n"
                                "7 softmax_cross_entropy(6,4) label_smoothing=0\n";
  nas_dataset *data = small_split(small_images(14, 2, 2, 1, 2, 0));
  nas_trainer *trainer = small_trainer(SMALL_CLASSES, data, "softmax_cross_entropy", pool);
  nas_epoch epoch;
  nas_archive *state = new_archive();
  for (int e = 0; e < 2; e++)
    require(nas_trainer_epoch(trainer, NULL, NULL, &epoch, NULL) == NAS_OK);
  require(nas_trainer_save(trainer, state, NULL) == NAS_OK);
  put("state", state);
  put("classes", archive_of(trainer));
  put("network-huge",
      with(with(archive_of(trainer), "luanas.network", huge), "luanas.output", "4"));
  put("output-knows-target",
      with(with(archive_of(trainer), "luanas.network", knowing), "luanas.output", "6"));
  put("output-not-vector", with(archive_of(trainer), "luanas.output", "1"));
  put("task-other", with(archive_of(trainer), "luanas.task", "values 2"));
  put("format-other", with(archive_of(trainer), "luanas.format", "model 2"));
  state = archive_of(trainer);
  require(nas_trainer_save(trainer, state, NULL) == NAS_OK);
  state = with(state, "training.step", "000000017ffffffd"); /* 3 in an epoch */
  put("epoch-huge", with(state, "training.epoch", "000000007fffffff"));
  nas_trainer_destroy(&trainer);
  nas_dataset_release(&data);
}

static void put_other(nas_pool *pool, const char *name, const char *network, const char *loss,
                      int classes, int values) {
  nas_dataset *data = small_split(small_images(14, 4, 3, 2, classes, values));
  nas_trainer *trainer = small_trainer(network, data, loss, pool);
  put(name, archive_of(trainer));
  nas_trainer_destroy(&trainer);
  nas_dataset_release(&data);
}

int main(int argc, char **argv) {
  nas_pool *pool;
  checks = argc == 3 && strcmp(argv[1], "--check") == 0;
  if (argc != 2 + checks) return fprintf(stderr, "usage: make_models [--check] FOLDER\n"), 2;
  folder = argv[1 + checks];
  require(nas_pool_create(&pool, 1, NULL) == NAS_OK);
  put_classes(pool);
  put_other(pool, "values",
            "1 input size=4,3 channels=2\n"
            "2 depthwise_conv2d(1) kernel=2,2 stride=1,1 padding=same bias=1 init=glorot_uniform "
            "init_range=0.05\n"
            "3 tanh(2)\n"
            "4 concat(3,1) align=center\n"
            "5 dropout(4) rate=0.5\n"
            "6 dense(5) units=3 bias=1 init=glorot_uniform init_range=0.05\n",
            "huber", 0, 3);
  put_other(pool, "single",
            "1 input size=4,3 channels=2\n"
            "2 conv2d(1) kernel=3,2 filters=2 stride=2,1 padding=valid bias=1 init=he_uniform "
            "init_range=0.05\n"
            "3 relu(2)\n"
            "4 max_pool(3) pool=1,2 stride=1,2 padding=valid\n"
            "5 dense(4) units=1 bias=1 init=glorot_uniform init_range=0.05\n",
            "binary_cross_entropy", 2, 0);
  nas_pool_destroy(&pool);
  return failed;
}
