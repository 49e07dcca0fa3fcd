#include <nas/version.h>

const char *nas_version(void) {
  return NAS_VERSION;
}

int nas_numeric_version(void) {
  return NAS_NUMERIC_VERSION;
}
