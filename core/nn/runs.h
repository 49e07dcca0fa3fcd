/* Values that lie one after the other in each of some maps of one shape: the channels of a pixel,
 * of a row of pixels where no map pads its pixels, of a whole image where no map has a border
 * either. What layers that treat all values alike walk. */
#ifndef NAS_RUNS_H
#define NAS_RUNS_H

#include <nas/layer.h>

typedef struct nas_runs {
  int count;  /* values of a run */
  int total;  /* runs of an image, in raster order */
  int in_row; /* runs that begin in a row of pixels */
} nas_runs;

/* The runs that maps[0..count) have in common; NULL among them counts for nothing. */
nas_runs nas_runs_of(const nas_map *const *maps, int count);

/* Those that a layer's inputs, its output and their gradients have in common. */
nas_runs nas_runs_of_layer(const nas_layer *layer);

/* Where a run of image n begins. */
static inline float *nas_run_at(const nas_map *map, nas_arena arena, nas_runs runs, int n,
                                int run) {
  return nas_map_data(map, arena) + nas_map_at(map, n, run / runs.in_row, run % runs.in_row);
}

/* d_x = g, or d_x + g where another consumer wrote d_x already. Without accumulating, they may be
 * the same. */
void nas_run_give(float *d_x, const float *g, int count, int accumulate);

#endif
