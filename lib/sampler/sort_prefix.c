/* SPDX-License-Identifier: MIT
 * Sorting and selection in one: an in-place radix sort from the top byte down that enters only the buckets reaching into
 * the wanted prefix. At most eight passes whatever the data, no comparison, no scratch memory. */
#include "candidates.h"

#define SMALL 48 /* below this, insertion is faster than counting 256 buckets */

static void insertion_sort(uint64_t *keys, size_t n) {
    for (size_t i = 1; i < n; i++) {
        uint64_t key = keys[i];
        size_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--) keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

static void sort_byte(uint64_t *keys, size_t n, size_t k, unsigned shift) {
    if (n <= SMALL) {
        insertion_sort(keys, n);
        return;
    }
    size_t count[256] = {0}, end[256];
    for (size_t i = 0; i < n; i++) count[keys[i] >> shift & 255]++;
    if (count[keys[0] >> shift & 255] == n) {
        if (shift) sort_byte(keys, n, k, shift - 8);
        return;
    }
    size_t sum = 0;
    for (size_t b = 0; b < 256; b++) sum += count[b], end[b] = sum;
    /* count[b] becomes the next free place of bucket b; each misplaced key is carried to its place in turn. */
    for (size_t b = 0; b < 256; b++) count[b] = end[b] - count[b];
    for (size_t b = 0; b < 256; b++) {
        while (count[b] < end[b]) {
            uint64_t key = keys[count[b]];
            size_t home = key >> shift & 255;
            while (home != b) {
                uint64_t other = keys[count[home]];
                keys[count[home]++] = key;
                key = other;
                home = key >> shift & 255;
            }
            keys[count[b]++] = key;
        }
    }
    if (shift == 0) return;
    size_t start = 0;
    for (size_t b = 0; b < 256 && start < k; b++) {
        size_t size = end[b] - start;
        if (size > 1) sort_byte(keys + start, size, k - start < size ? k - start : size, shift - 8);
        start = end[b];
    }
}

void lm_sort_prefix(uint64_t *keys, size_t n, size_t k) {
    if (k > 0) sort_byte(keys, n, k, 56);
}
