/* Feeds arbitrary bytes to the reader of networks' texts. What is accepted must be the text of the
 * network that comes of it. */
#include <stdlib.h>
#include <string.h>
#include <nas/memory.h>
#include <nas/network.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int truth) {
  if (!truth) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  nas_node *node = NULL;
  nas_network *network = NULL;
  nas_error err = {0};
  char *text = malloc(size + 1);
  if (!text) return 0;
  if (size) memcpy(text, bytes, size);
  text[size] = 0;
  nas_status status = nas_network_parse(&node, text, &err);
  if (status == NAS_OK) {
    require(nas_network_create(&network, node, &err) == NAS_OK);
    require(strcmp(nas_network_text(network), text) == 0);
  } else {
    require(status == NAS_FORMAT || status == NAS_SHAPE || status == NAS_LIMIT);
    require(!node && err.code == status && strncmp(err.text, "network", 7) == 0);
  }
  nas_network_destroy(&network);
  nas_node_release(&node);
  free(text);
  require(nas_memory_used().blocks == 0);
  return 0;
}
