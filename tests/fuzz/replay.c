/* Stands in for libFuzzer in the normal test suite: runs a fuzz target over every file of the
 * folders that are named on the command line. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int run_file(const char *path) {
  FILE *file = fopen(path, "rb");
  static uint8_t bytes[1 << 20];
  if (!file) return perror(path), -1;
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  /* A block of exactly this size, so that sanitizers notice a read beyond it. */
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact) return -1;
  for (size_t i = 0; i < size; i++) exact[i] = bytes[i];
  printf("%s: %zu bytes\n", path, size);
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
  return 0;
}

/* The number of files that were run; -1 on failure. */
static int run_folder(const char *folder) {
  int count = 0;
  DIR *dir = opendir(folder);
  if (!dir) return perror(folder), -1;
  for (struct dirent *entry; count >= 0 && (entry = readdir(dir));) {
    char path[4096];
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    count = run_file(path) == 0 ? count + 1 : -1;
  }
  closedir(dir);
  return count;
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: %s FOLDER...\n", argv[0]), EXIT_FAILURE;
  for (int i = 1; i < argc; i++)
    if (run_folder(argv[i]) < 1)
      return fprintf(stderr, "%s: no file could be run\n", argv[i]), EXIT_FAILURE;
  return EXIT_SUCCESS;
}
