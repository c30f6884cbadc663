/* SPDX-License-Identifier: MIT
 * A node is one little-endian word: bits 0-7 the byte that leads to it, bit 8 says that a key ends (at the node that the
 * byte 0 would lead to, whose word is the offset of the replacement), bit 9 scales the distance to the children, the rest
 * is that distance. Child of node i by byte c: i ^ distance ^ c. */
#include "charsmap.h"

static uint32_t word_at(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

lm_status lm_charsmap_open(lm_charsmap *map, const uint8_t *blob, size_t size, lm_error *error) {
    *map = (lm_charsmap){0};
    if (size == 0) return LM_OK;
    uint32_t trie = size >= 4 ? word_at(blob) : 0;
    if (size < 4 || trie % 4 != 0 || (uint64_t)trie + 4 >= size || size > UINT32_MAX)
        return lm_error_set(error, LM_ERR_FORMAT, "key tokenizer.ggml.precompiled_charsmap is malformed");
    map->nodes = blob + 4;
    map->n_nodes = trie / 4;
    map->strings = blob + 4 + trie;
    map->strings_size = (uint32_t)(size - 4 - trie);
    return LM_OK;
}

static uint32_t distance(uint32_t node) { return (node >> 10) << ((node & 0x200) >> 6); }

lm_status lm_charsmap_match(const lm_charsmap *map, const uint8_t *text, size_t n, size_t *key,
                            const uint8_t **replacement, size_t *size) {
    *key = 0;
    if (map->n_nodes == 0) return LM_OK;
    uint32_t at = distance(word_at(map->nodes)), offset = 0;
    for (size_t i = 0; i < n && i < LM_CHARSMAP_MAX_KEY && text[i] != 0; i++) {
        at ^= text[i];
        if (at >= map->n_nodes) return LM_ERR_FORMAT;
        uint32_t node = word_at(map->nodes + 4 * (size_t)at);
        if ((node & 0x800000FFu) != text[i]) break;
        at ^= distance(node);
        if (!(node & 0x100)) continue;
        if (at >= map->n_nodes) return LM_ERR_FORMAT;
        offset = word_at(map->nodes + 4 * (size_t)at) & 0x7FFFFFFFu;
        *key = i + 1;
    }
    if (*key == 0) return LM_OK;
    if (offset >= map->strings_size) return LM_ERR_FORMAT;
    *replacement = map->strings + offset;
    const uint8_t *end = memchr(*replacement, 0, map->strings_size - offset);
    if (!end) return LM_ERR_FORMAT;
    *size = (size_t)(end - *replacement);
    return *size <= LM_CHARSMAP_MAX_REPLACEMENT ? LM_OK : LM_ERR_FORMAT;
}
