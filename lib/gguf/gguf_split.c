/* SPDX-License-Identifier: MIT
 * File names of split models: PREFIX-00001-of-00003.gguf, numbers from 1 with at least five digits. Names of the other parts
 * come from the path the caller gave, never from metadata. */
#include "gguf.h"

#include <string.h>

#include "../base/format.h"

/* `-%05u-of-%05u.gguf` of a part. */
static size_t suffix_of(uint32_t index, uint32_t count, char out[40]) {
    char first[12], second[12], zeros[] = "0000";
    size_t n_first = lm_format(first, sizeof first, "%u", index + 1),
           n_second = lm_format(second, sizeof second, "%u", count);
    return lm_format(out, 40, "-%s%s-of-%s%s.gguf", n_first < 5 ? zeros + n_first - 1 : "", first,
                     n_second < 5 ? zeros + n_second - 1 : "", second);
}

bool lm_gguf_part_path(const char *path, uint32_t index, uint32_t count, char *out, size_t out_size) {
    size_t size = strlen(path), n = 0;
    char suffix[40];
    if (count == 0 || count > LM_GGUF_MAX_PARTS || index >= count) return false;
    /* Any part's path will do: its number is read off, then the whole ending compared with what it has to be. */
    n = suffix_of(0, count, suffix);
    if (size <= n) return false;
    const char *ending = path + size - n;
    uint32_t own = 0;
    for (size_t i = 1; i <= 5; i++) {
        if (ending[i] < '0' || ending[i] > '9') return false;
        own = own * 10 + (uint32_t)(ending[i] - '0');
    }
    if (own == 0 || own > count) return false;
    suffix_of(own - 1, count, suffix);
    if (memcmp(ending, suffix, n) != 0 || ending[-1] == '/' || ending[-1] == '\\') return false;
    n = suffix_of(index, count, suffix);
    size_t prefix = (size_t)(ending - path);
    if (out_size <= prefix + n) return false;
    memcpy(out, path, prefix);
    memcpy(out + prefix, suffix, n + 1);
    return true;
}
