#include "kind.h"

const nas_kind *nas_kind_of(nas_decision_kind number) {
  static const nas_kind *const kinds[] = {
      [NAS_DECISION_CHOICE] = &nas_kind_choice, [NAS_DECISION_ANCHOR] = &nas_kind_anchor};
  size_t count = sizeof kinds / sizeof kinds[0];
  return (size_t)number < count ? kinds[number] : NULL;
}
