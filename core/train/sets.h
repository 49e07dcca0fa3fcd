/* Arrays of the size of the parameters in archives: a tensor for each parameter set, named by a
 * prefix, the number of its layer in the canonical network from 1, the layer's kind and the role:
 * "3.conv2d.kernel". */
#ifndef NAS_SETS_H
#define NAS_SETS_H

#include <nas/archive.h>
#include <nas/compiled.h>

/* Adds all sets, or those that are trained. */
nas_status nas_sets_save(const nas_compiled *compiled, const nas_network *network,
                         const char *prefix, const float *array, int trained_only,
                         nas_archive *archive, nas_error *err);

/* Checks that all of them are there with their shapes. NAS_FORMAT. Takes no memory, and needs no
 * compiled network: a description costs little to write, its parameters must be there. */
nas_status nas_sets_check(const nas_network *network, const char *prefix, int trained_only,
                          const nas_archive *archive, nas_error *err);

/* Copies them, after nas_sets_check. */
void nas_sets_load(const nas_compiled *compiled, const nas_network *network, const char *prefix,
                   float *array, int trained_only, const nas_archive *archive);

#endif
