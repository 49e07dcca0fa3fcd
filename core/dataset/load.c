#include <nas/dataset.h>
#include <nas/idx.h>
#include "content.h"
#include "fingerprint.h"
#include "source.h"
#include <string.h>
#include <strings.h>

/* More than fits into any machine that this is for; memory grows with what is read. */
#define PIXELS_MAX ((int64_t)1 << 35)

void nas_dataset_files_default(nas_dataset_files *files) {
  *files = (nas_dataset_files){.classes = 10};
}

static nas_status check_sum(const char *name, const char *expected, const char *found,
                            nas_error *err) {
  if (!expected || strcasecmp(expected, found) == 0) return NAS_OK;
  return nas_fail(err, NAS_FORMAT,
                  "dataset: %s is damaged or another file: the SHA-256 of its content is %s; "
                  "expected %s",
                  name, found, expected);
}

/* *images becomes uint8 [n, h, w, c]; sum its fingerprint. */
static nas_status load_images(nas_tensor **images, const nas_dataset_files *files, const char *name,
                              char sum[NAS_SHA256_HEX], nas_error *err) {
  nas_idx_settings settings;
  nas_tensor *file;
  *images = NULL;
  nas_idx_settings_default(&settings);
  settings.dtypes = 1u << NAS_UINT8;
  settings.rank_min = 3;
  settings.rank_max = 4;
  settings.elements_max = PIXELS_MAX;
  settings.hint = " for images; labels have rank 1: are the two files interchanged?";
  nas_status status = nas_idx_read(&file, files->images, &settings, sum, err);
  if (status != NAS_OK) return status;
  status = check_sum(name, files->images_sha256, sum, err);
  if (status != NAS_OK) goto done;
  int64_t dims[4] = {0, 0, 0, 1};
  memcpy(dims, nas_tensor_dims(file), sizeof dims[0] * (size_t)nas_tensor_rank(file));
  status = nas_tensor_reshape(images, file, 4, dims, err);
  if (status != NAS_OK) goto done;
  if (!nas_fingerprint_images_stored(file)) nas_fingerprint_inputs(*images, sum);

done:
  nas_tensor_destroy(&file);
  return status;
}

/* *labels becomes int32 [n]; *stored tells whether sum is their fingerprint already. */
static nas_status load_labels(nas_tensor **labels, const nas_dataset_files *files, const char *name,
                              char sum[NAS_SHA256_HEX], int *stored, nas_error *err) {
  nas_idx_settings settings;
  nas_tensor *file;
  *labels = NULL;
  nas_idx_settings_default(&settings);
  settings.dtypes = 1u << NAS_UINT8 | 1u << NAS_INT32;
  settings.rank_min = settings.rank_max = 1;
  settings.hint = " for labels; images have rank 3 or 4: are the two files interchanged?";
  nas_status status = nas_idx_read(&file, files->labels, &settings, sum, err);
  if (status != NAS_OK) return status;
  status = check_sum(name, files->labels_sha256, sum, err);
  if (status != NAS_OK) goto done;
  status = nas_tensor_convert(labels, file, NAS_INT32, err);
  *stored = nas_fingerprint_labels_stored(file, files->classes);

done:
  nas_tensor_destroy(&file);
  return status;
}

nas_status nas_dataset_from_idx(nas_dataset **out, const char *name, const nas_dataset_files *files,
                                nas_error *err) {
  nas_tensor *images = NULL, *labels = NULL;
  nas_content *content = NULL;
  char images_name[NAS_SOURCE_NAME], labels_name[NAS_SOURCE_NAME], sums[2][NAS_SHA256_HEX];
  const nas_origin origin = {images_name, labels_name, NAS_FORMAT};
  int labels_stored;
  *out = NULL;
  if (!files->images || !files->labels)
    return nas_fail(err, NAS_ARGUMENT, "dataset: the file of %s is not given",
                    files->images ? "labels" : "images");
  if (files->classes < 2)
    return nas_fail(err, NAS_ARGUMENT, "dataset: %d classes; expected at least 2", files->classes);
  nas_source_shorten(files->images, images_name);
  nas_source_shorten(files->labels, labels_name);
  nas_status status = load_labels(&labels, files, labels_name, sums[1], &labels_stored, err);
  if (status != NAS_OK) goto done;
  status = load_images(&images, files, images_name, sums[0], err);
  if (status != NAS_OK) goto done;
  const nas_dataset_parts parts = {.name = name,
                                   .inputs = images,
                                   .targets = labels,
                                   .classes = files->classes,
                                   .class_names = files->class_names};
  status = nas_content_check(&parts, &origin, err);
  if (status != NAS_OK) goto done;
  if (!labels_stored) nas_fingerprint_labels(labels, files->classes, sums[1]);
  status = nas_content_create(&content, &parts, &images, &labels, sums, err);
  if (status != NAS_OK) goto done;
  status = nas_dataset_make_plain(out, content, err);

done:
  nas_content_release(&content);
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  return status;
}
