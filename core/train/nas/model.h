/* A trained network: its layers with their loss, its weights, and what it must know of its data to
 * be used on others: the task, the classes and how inputs were standardised. Immutable: may be used
 * from several threads, each with a pool of its own. */
#ifndef NAS_MODEL_H
#define NAS_MODEL_H

#include <nas/archive.h>
#include <nas/trainer.h>

typedef struct nas_model nas_model;

/* The images of a data set that a function looks at. */
typedef enum nas_part {
  NAS_PART_TRAINING,
  NAS_PART_VALIDATION,
  NAS_PART_ALL, /* split or not */
} nas_part;

/* A copy of the weights that the trainer's recipe keeps. The caller owns *model; on failure it is
 * NULL. NAS_MEMORY. */
NAS_API nas_status nas_model_create(nas_model **model, const nas_trainer *trainer, nas_error *err);

/* Frees and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_model_destroy(nas_model **model);

/* The metrics on a part of a data set, whose inputs are standardised as those that the model was
 * trained on. predicted, unless NULL, gets the class of each image, from 0, in the order of the
 * part. poll, which may be NULL, interrupts as in nas_trainer_epoch. NAS_ARGUMENT: data of another
 * shape or task, or without images in the part; NAS_INTERRUPTED; NAS_MEMORY. */
NAS_API nas_status nas_model_evaluate(const nas_model *model, const nas_dataset *data,
                                      nas_part part, nas_pool *pool, nas_poll *poll,
                                      void *poll_context, nas_metrics *metrics, int32_t *predicted,
                                      nas_error *err);

/* What the network puts out for inputs [n, ...] of uint8 (x / 255) or float32, as a data set's
 * inputs: float32 [n, units]. The caller owns *outputs; on failure it is NULL. */
NAS_API nas_status nas_model_outputs(const nas_model *model, const nas_tensor *inputs,
                                     nas_pool *pool, nas_poll *poll, void *poll_context,
                                     nas_tensor **outputs, nas_error *err);

/* What a layer of the network puts out, a node that the output depends on or the output itself:
 * float32 [n, its shape]. Compiles the network anew for it, with the same bits. The
 * caller owns *values; on failure it is NULL. NAS_ARGUMENT: inputs as above, or a node of another
 * network. */
NAS_API nas_status nas_model_activations(const nas_model *model, nas_node *layer,
                                         const nas_tensor *inputs, nas_pool *pool, nas_poll *poll,
                                         void *poll_context, nas_tensor **values, nas_error *err);

/* The gradient of the mean loss of one batch, computed as in a step of training: batch
 * normalisation takes the statistics of this batch, dropout drops (with seed 0). targets are int32
 * or uint8 [n], classes from 0, or float32 [n] or [n, k]. gradient, as large as nas_model_params
 * and laid out like it, gets 0 where nothing is trained, but its padding of rows stays; *d_inputs,
 * float32 as the inputs that the first layer sees, that of what the network was given: after x /
 * 255 and standardisation. poll interrupts between groups. The caller owns *d_inputs; on failure it
 * is NULL and gradient has any contents. NAS_ARGUMENT: inputs as above, or targets of another type,
 * number or range; NAS_DIVERGED: the loss is not finite; NAS_INTERRUPTED; NAS_MEMORY. */
NAS_API nas_status nas_model_gradients(const nas_model *model, const nas_tensor *inputs,
                                       const nas_tensor *targets, nas_poll *poll,
                                       void *poll_context, float *gradient, nas_tensor **d_inputs,
                                       double *loss, nas_error *err);

/* Turns outputs for classes into probabilities in place: the softmax of each row, or the sigmoid of
 * a single unit. */
NAS_API void nas_model_probabilities(const nas_model *model, nas_tensor *outputs);

/* Adds up, in matrix [classes][classes] of zeros, how often an image of the class of the row was
 * predicted as that of the column. predicted is of the part's images in order. */
NAS_API void nas_model_confusion(const nas_dataset *data, nas_part part, const int32_t *predicted,
                                 int64_t *matrix);

/* The images of a part, as positions in the data set; NULL for all. */
NAS_API const int32_t *nas_part_images(const nas_dataset *data, nas_part part, int64_t *count);

NAS_API const nas_network *nas_model_network(const nas_model *model); /* with its loss */
NAS_API nas_node *nas_model_output(const nas_model *model);           /* borrowed */
NAS_API const nas_compiled *nas_model_compiled(const nas_model *model);
NAS_API const float *nas_model_params(const nas_model *model);
NAS_API nas_task nas_model_task(const nas_model *model);
NAS_API int nas_model_classes(const nas_model *model);                       /* 0 for values */
NAS_API const char *nas_model_class_name(const nas_model *model, int class); /* NULL: unnamed */
NAS_API int nas_model_epoch(const nas_model *model);          /* whose weights it has, from 1 */
NAS_API const char *nas_model_recipe(const nas_model *model); /* canonical text */
NAS_API const char *nas_model_data(const nas_model *model);   /* the name of the data set */

/* Adds the model to an archive: a tensor for each parameter set, named "3.conv2d.kernel" by the
 * layer's number in the canonical network, and descriptions as metadata that begins with "luanas.".
 * NAS_ARGUMENT: the archive holds a model already, or the name of the data set or of a class is not
 * UTF-8; NAS_MEMORY. On failure the archive may hold a part of the model. */
NAS_API nas_status nas_model_save(const nas_model *model, nas_archive *archive, nas_error *err);

/* A model from such an archive, which may be anything. NAS_FORMAT: it is not one, or incomplete
 * (the message names the key, the line of the network or the tensor); NAS_LIMIT: its network is too
 * large; NAS_MEMORY. Memory for parameters is taken only when the archive has them all; the layers'
 * lists of pixels take less than the activations of an evaluation. The caller owns *model; on
 * failure it is NULL. */
NAS_API nas_status nas_model_load(nas_model **model, const nas_archive *archive, nas_error *err);

#endif
