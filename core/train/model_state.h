/* What a model is, for the files of this module. */
#ifndef NAS_MODEL_STATE_H
#define NAS_MODEL_STATE_H

#include <nas/model.h>

struct nas_model {
  nas_network *network; /* the loss of the output */
  nas_node *output;
  nas_compiled *compiled; /* for inference */
  float *params, *derived;
  nas_task task;
  int classes;         /* 0 for values */
  char **class_names;  /* [classes], or NULL */
  int top_k, winograd; /* of the recipe */
  int epoch;
  char *recipe, *data;
  int standardized; /* channels or features; 0: inputs are taken as they are */
  double *mean, *std;
};

/* Compiles model->network and allocates the params, zeros, and what layers derive from them. */
nas_status nas_model_compile(nas_model *model, nas_error *err);

/* A data set of the inputs, standardised as the model needs them; its targets are zeros. The caller
 * owns *own; on failure it is NULL. */
nas_status nas_model_adopt(const nas_model *model, const nas_tensor *inputs, nas_dataset **own,
                           nas_error *err);

/* Copies all parameter sets between arrays of two compilations of one network. */
void nas_model_copy_sets(const nas_compiled *to, float *array, const nas_compiled *from,
                         const float *source);

#endif
