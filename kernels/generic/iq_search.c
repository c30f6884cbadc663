/* SPDX-License-Identifier: MIT
 * Building the neighbour lists of a codebook by brute force: for each point the entries whose squared distance is among the
 * first few distinct ones, ordered by distance and then index. At most 6561 points times 2048 entries. */
#include "../iq_search.h"

#include <string.h>

#include "../blocks.h"
#include "../iq_tables.h"

typedef struct codebook {
    int n_levels, group, n_entries;
    int n_distances; /* how many distinct distances a list covers */
    const uint16_t *entries;
} codebook;

static int find_codebook(int32_t type, codebook *out) {
    switch (type) {
    case LM_BLOCK_IQ2XXS: *out = (codebook){3, 8, 256, 2, lm_iq2xxs_grid}; return 1;
    case LM_BLOCK_IQ2XS: *out = (codebook){3, 8, 512, 2, lm_iq2xs_grid}; return 1;
    case LM_BLOCK_IQ2S: *out = (codebook){3, 8, 1024, 1, lm_iq2s_grid}; return 1;
    case LM_BLOCK_IQ1S:
    case LM_BLOCK_IQ1M: *out = (codebook){3, 8, 2048, 3, lm_iq1s_grid}; return 1;
    case LM_BLOCK_IQ3XXS: *out = (codebook){8, 4, 256, 2, lm_iq3xxs_grid}; return 1;
    case LM_BLOCK_IQ3S: *out = (codebook){8, 4, 512, 3, lm_iq3s_grid}; return 1;
    default: return 0;
    }
}

static int level_of(const codebook *book, int entry, int j) {
    const int bits = 16 / book->group;
    return book->entries[entry] >> bits * j & ((1 << bits) - 1);
}

static int count_points(const codebook *book) {
    int n = 1;
    for (int j = 0; j < book->group; j++) n *= book->n_levels;
    return n;
}

static int point_number(const uint8_t *levels, int group, int n_levels) {
    int number = 0;
    for (int j = group - 1; j >= 0; j--) number = number * n_levels + levels[j];
    return number;
}

enum { MAX_DISTANCE = 8 * 7 * 7 }; /* in levels; 4 coordinates of 8 levels or 8 of 3 stay well below */

/* Put down the list of a point: count first. Gives its length, with list NULL only that. */
static size_t make_list(const codebook *book, const uint8_t *levels, int point, uint16_t *list) {
    uint16_t count_at[MAX_DISTANCE + 1] = {0};
    uint16_t distance[2048];
    uint8_t at[8];
    for (int j = 0; j < book->group; j++, point /= book->n_levels) at[j] = (uint8_t)(point % book->n_levels);
    for (int e = 0; e < book->n_entries; e++) {
        int sum = 0;
        for (int j = 0; j < book->group; j++) {
            int difference = levels[e * book->group + j] - at[j];
            sum += difference * difference;
        }
        distance[e] = (uint16_t)sum;
        count_at[sum]++;
    }
    size_t n = 0;
    for (int d = 0, found = 0; d <= MAX_DISTANCE && found < book->n_distances; d++) {
        if (count_at[d] == 0) continue;
        found++;
        if (list)
            for (int e = 0, left = count_at[d]; left > 0; e++)
                if (distance[e] == d) list[1 + n++] = (uint16_t)e, left--;
        if (!list) n += count_at[d];
    }
    if (list) list[0] = (uint16_t)n;
    return n + 1;
}

static size_t align16(size_t n) { return (n + 15) & ~(size_t)15; }

/* Fill levels and map (indices, or -1 where the point is not in the codebook). */
static void number_entries(const codebook *book, uint8_t *levels, int32_t *map, int n_points) {
    for (int i = 0; i < n_points; i++) map[i] = -1;
    for (int e = 0; e < book->n_entries; e++) {
        for (int j = 0; j < book->group; j++) levels[e * book->group + j] = (uint8_t)level_of(book, e, j);
        map[point_number(levels + e * book->group, book->group, book->n_levels)] = e;
    }
}

size_t lm_iq_search_bytes(int32_t type) {
    uint8_t levels[2048 * 8];
    int32_t map[6561];
    codebook book;
    size_t n_list = 0;
    if (!find_codebook(type, &book)) return 0;
    int n_points = count_points(&book);
    number_entries(&book, levels, map, n_points);
    for (int i = 0; i < n_points; i++)
        if (map[i] < 0) n_list += make_list(&book, levels, i, NULL);
    return align16(sizeof(lm_iq_search)) + align16((size_t)n_points * sizeof(int32_t)) +
           align16(n_list * sizeof(uint16_t)) + (size_t)(book.n_entries * book.group);
}

void lm_iq_search_build(int32_t type, void *memory) {
    uint8_t own_levels[2048 * 8];
    lm_iq_search *search = memory;
    codebook book;
    size_t n_list = 0;
    if (!find_codebook(type, &book)) return;
    int n_points = count_points(&book);
    int32_t *map = (int32_t *)((char *)memory + align16(sizeof *search));
    uint16_t *lists = (uint16_t *)((char *)map + align16((size_t)n_points * sizeof *map));
    number_entries(&book, own_levels, map, n_points);
    for (int i = 0; i < n_points; i++) {
        if (map[i] >= 0) continue;
        map[i] = ~(int32_t)n_list;
        n_list += make_list(&book, own_levels, i, lists + n_list);
    }
    uint8_t *levels = (uint8_t *)lists + align16(n_list * sizeof *lists);
    memcpy(levels, own_levels, (size_t)(book.n_entries * book.group));
    *search = (lm_iq_search){book.n_levels, book.group, book.n_entries, n_points, map, lists, levels};
}
