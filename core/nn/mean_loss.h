/* The work of losses that compare every value of an output with one value of its target: the mean
 * over the values of an image, in double, summed in raster order and rounded once. Input 0 is the
 * output of the network, input 1 the target. */
#ifndef NAS_MEAN_LOSS_H
#define NAS_MEAN_LOSS_H

#include <nas/layer.h>

/* The loss of one value with its target. */
typedef double nas_loss_fn(const nas_option_value *values, double output, double target);

/* What the loss changes by with the output, and with the target. */
typedef struct nas_loss_slopes {
  double output, target;
} nas_loss_slopes;
typedef nas_loss_slopes nas_loss_slopes_fn(const nas_option_value *values, double output,
                                           double target);

/* For a loss of that name: one number when output and target have equal shapes, else NAS_SHAPE.
 * With takes_class, an output of one value also fits a target of one number. */
nas_status nas_mean_loss_shape(const char *kind, int takes_class, const nas_shape *inputs,
                               nas_shape *output, nas_error *err);

void nas_mean_loss_forward(const nas_layer *layer, const nas_pass *pass, nas_loss_fn *loss);

/* d = d_loss[n] * (float)(slope / values), for the output and, where it is wanted, the target */
void nas_mean_loss_backward(const nas_layer *layer, const nas_pass *pass,
                            nas_loss_slopes_fn *slopes);

#endif
