/* The terminal: what a host and the functions of luanas.core that ask it share. */
#ifndef NAS_BINDINGS_TERMINAL_H
#define NAS_BINDINGS_TERMINAL_H

#include <nas/status.h>

/* What LUANAS_SIXEL says: *wish becomes 1, 0, or -1 where it is not set or empty. Anything else is
 * NAS_ARGUMENT. */
nas_status nas_terminal_wish(int *wish, nas_error *err);

/* Keys that come while the terminal is asked go back to C's stdin. A host that reads keys without
 * it, from the file descriptor, calls keep(1), takes them before it reads, and calls keep(0) in the
 * end. */
void nas_terminal_keep(int keeps);

/* Returns whether there is such a byte; it is gone then. */
int nas_terminal_take(char *byte);

#endif
