/* SPDX-License-Identifier: MIT
 * A main for fuzz targets without libFuzzer: runs each file named on the command line, so that crashes found once are checked
 * for ever. Build a target with -fsanitize=fuzzer instead of this file to search for new ones. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        return 3;
    }
    fseek(file, 0, SEEK_END);
    long end = ftell(file);
    rewind(file);
    size_t size = end > 0 ? (size_t)end : 0;
    uint8_t *bytes = malloc(size ? size : 1); /* of the exact size, so that a read past the end is seen */
    int is_read = bytes && fread(bytes, 1, size, file) == size;
    fclose(file);
    if (is_read) LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return is_read ? 0 : 3;
}

int main(int argc, char **argv) {
    int result = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        int status = replay(argv[i]);
        if (status) result = status;
    }
    return result;
}
