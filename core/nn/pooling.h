/* What layers have in common that slide a window over each channel of a map. */
#ifndef NAS_POOLING_H
#define NAS_POOLING_H

#include <nas/layer.h>

enum { NAS_POOLING_POOL, NAS_POOLING_STRIDE, NAS_POOLING_PADDING, NAS_POOLING_OPTIONS };
extern const nas_option nas_pooling_options[NAS_POOLING_OPTIONS];

/* The output's shape for a layer of that kind; or NAS_SHAPE when the window does not fit. */
nas_status nas_pooling_shape(const char *kind, const nas_option_value *values, nas_shape input,
                             nas_shape *output, nas_error *err);

/* The part of the window of output (i, j) that lies on the map: at least one pixel. */
typedef struct nas_pooling_window {
  int first[2], end[2];
} nas_pooling_window;
nas_pooling_window nas_pooling_at(const nas_layer *layer, int i, int j);

#endif
