#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <nas/status.h>

const char *nas_status_name(nas_status status) {
  switch (status) {
#define X(name, value, text)                                                                       \
  case NAS_##name: return "NAS_" #name;
    NAS_STATUS_MAP(X)
#undef X
  }
  return "NAS_UNKNOWN";
}

const char *nas_status_text(nas_status status) {
  switch (status) {
#define X(name, value, text)                                                                       \
  case NAS_##name: return text;
    NAS_STATUS_MAP(X)
#undef X
  }
  return "unknown status";
}

/* Length of text without a UTF-8 sequence that the cut at `length` left incomplete. */
static size_t whole_characters(const char *text, size_t length) {
  size_t lead = length;
  while (lead > 0 && length - lead < 3 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80) lead--;
  if (lead == 0) return length;
  unsigned char first = (unsigned char)text[--lead];
  size_t need = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  return lead + need > length ? lead : length;
}

nas_status nas_fail(nas_error *err, nas_status code, const char *format, ...) {
  if (!err) return code;
  /* Not straight into err->text: an argument may point there. */
  char text[sizeof err->text];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length < 0) {
    text[0] = 0;
  } else if ((size_t)length >= sizeof text) {
    text[whole_characters(text, sizeof text - 1)] = 0;
  }
  memcpy(err->text, text, strlen(text) + 1);
  err->code = code;
  return code;
}

nas_status nas_fail_memory(nas_error *err, const char *what, unsigned long long bytes) {
  return nas_fail(err, NAS_MEMORY, "no memory for %s (%llu bytes)", what, bytes);
}
