/* SPDX-License-Identifier: MIT
 * Building the tries: classify, sort by (group, bytes), lay out the nodes of each group in one pass over the sorted list. */
#include "token_trie.h"

#include <string.h>

#include "../base/array.h"
#include "../base/format.h"
#include "../base/utf8.h"

#define MAX_TOKENS (1u << 24)
#define MAX_TOKEN_BYTES 4096u /* longer ones are never allowed; they would only deepen the walk */

static const uint32_t length_bounds[LM_TOKEN_LENGTHS] = {2, 4, 8, 16, UINT32_MAX};

typedef struct vocab_builder {
    lm_grammar_vocab *vocab;
    uint8_t *group_of; /* [n_tokens] 0xFF: in none */
    uint32_t *scratch; /* [n_tokens] for merging */
    uint32_t *lengths; /* [n_tokens] code points */
} vocab_builder;

static uint8_t classify(const lm_grammar_vocab *vocab, uint32_t token, uint32_t *code_points) {
    uint32_t n;
    const uint8_t *bytes = lm_grammar_vocab_bytes(vocab, token, &n);
    uint8_t kind = vocab->kinds[token];
    bool ordinary[2] = {true, true};
    *code_points = 0;
    if (n == 0 || n > MAX_TOKEN_BYTES || memchr(bytes, 0, n) || kind > LM_GRAMMAR_TOKEN_KIND_CONTROL) return 0xFF;
    for (uint32_t i = 0; i < n; i++) {
        if ((bytes[i] & 0xC0) != 0x80) ++*code_points;
        if (bytes[i] >= 0x80) continue;
        for (unsigned k = 0; k < 2; k++) ordinary[k] = ordinary[k] && lm_token_is_ordinary(bytes[i], k);
    }
    if (*code_points == 0) *code_points = 1;
    if (kind == LM_GRAMMAR_TOKEN_KIND_CONTROL) return LM_TOKEN_GROUP_CONTROL;
    if (!ordinary[1] || lm_utf8_valid_prefix((const char *)bytes, n) != n) return LM_TOKEN_GROUP_REST;
    uint32_t length = 0;
    while (*code_points > length_bounds[length]) length++;
    return (uint8_t)((ordinary[0] ? LM_TOKEN_GROUP_WORDS : LM_TOKEN_GROUP_SAFE) + length);
}

static bool before(const vocab_builder *b, uint32_t a, uint32_t c) {
    if (b->group_of[a] != b->group_of[c]) return b->group_of[a] < b->group_of[c];
    uint32_t na, nc;
    const uint8_t *pa = lm_grammar_vocab_bytes(b->vocab, a, &na), *pc = lm_grammar_vocab_bytes(b->vocab, c, &nc);
    int order = memcmp(pa, pc, na < nc ? na : nc);
    if (order != 0) return order < 0;
    return na != nc ? na < nc : a < c;
}

/* Bottom-up merge sort. */
static void sort_tokens(vocab_builder *b) {
    uint32_t n = b->vocab->n_order, *from = b->vocab->order, *to = b->scratch;
    for (uint32_t width = 1; width < n; width *= 2) {
        for (uint32_t start = 0; start < n; start += 2 * width) {
            uint32_t middle = n - start < width ? n : start + width;
            uint32_t end = n - start < 2 * width ? n : start + 2 * width;
            uint32_t i = start, j = middle;
            for (uint32_t k = start; k < end; k++) {
                bool left = i < middle && (j >= end || !before(b, from[j], from[i]));
                to[k] = left ? from[i++] : from[j++];
            }
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != b->vocab->order) memcpy(b->vocab->order, from, n * sizeof *from);
}

static bool add_node(lm_grammar_vocab *v, lm_token_node node) {
    LM_ARRAY(lm_token_node) nodes = {v->nodes, v->n_nodes, v->nodes_capacity};
    bool done = lm_array_push(&v->env, &nodes, node);
    v->nodes = nodes.data;
    v->n_nodes = nodes.count;
    v->nodes_capacity = nodes.capacity;
    return done;
}

static uint32_t shared_prefix(const lm_grammar_vocab *v, uint32_t a, uint32_t b) {
    uint32_t na, nb, i = 0;
    const uint8_t *pa = lm_grammar_vocab_bytes(v, a, &na), *pb = lm_grammar_vocab_bytes(v, b, &nb);
    while (i < na && i < nb && pa[i] == pb[i]) i++;
    return i;
}

/* path[d] is the open node of depth d + 1; a node is closed when a token leaves its subtree. */
static bool build_group(vocab_builder *b, uint32_t group, uint32_t *path) {
    lm_grammar_vocab *v = b->vocab;
    lm_token_group *g = &v->groups[group];
    uint32_t depth = 0;
    g->nodes = (uint32_t)v->n_nodes;
    for (uint32_t i = 0; i < g->n_tokens; i++) {
        uint32_t token = v->order[g->first + i], n;
        const uint8_t *bytes = lm_grammar_vocab_bytes(v, token, &n);
        uint32_t shared = i > 0 ? shared_prefix(v, v->order[g->first + i - 1], token) : 0;
        if (b->lengths[token] > g->code_points) g->code_points = b->lengths[token];
        for (; depth > shared; depth--) v->nodes[path[depth - 1]].skip = (uint32_t)v->n_nodes;
        for (; depth < n; depth++) {
            lm_token_node node = {.first = g->first + i, .depth = (uint16_t)(depth + 1), .byte = bytes[depth]};
            path[depth] = (uint32_t)v->n_nodes;
            if (v->n_nodes >= UINT32_MAX / 2 || !add_node(v, node)) return false;
        }
        if (v->nodes[path[n - 1]].own < UINT16_MAX) v->nodes[path[n - 1]].own++;
    }
    for (; depth > 0; depth--) v->nodes[path[depth - 1]].skip = (uint32_t)v->n_nodes;
    g->n_nodes = (uint32_t)v->n_nodes - g->nodes;
    return add_node(v, (lm_token_node){.first = g->first + g->n_tokens});
}

static lm_status read_tokens(lm_grammar_vocab *v, const lm_grammar_vocab_params *params) {
    LM_ARRAY(uint8_t) bytes = {0};
    lm_status status = LM_OK;
    for (uint32_t token = 0; status == LM_OK && token < v->n_tokens; token++) {
        const char *text = NULL;
        size_t n = 0;
        int32_t kind = params->get(params->user, (lm_token)token, &text, &n);
        bool known = kind >= LM_GRAMMAR_TOKEN_KIND_TEXT && kind <= LM_GRAMMAR_TOKEN_KIND_UNUSED;
        v->kinds[token] = (uint8_t)(known ? kind : LM_GRAMMAR_TOKEN_KIND_UNUSED);
        v->offsets[token] = (uint32_t)bytes.count;
        if (!text) n = 0;
        if (n > UINT32_MAX / 2 || bytes.count + n > UINT32_MAX / 2)
            status = LM_ERR_LIMIT;
        else if (!lm_array_reserve(&v->env, &bytes, n + 1))
            status = LM_ERR_MEMORY;
        else if (n > 0)
            memcpy(bytes.data + bytes.count, text, n);
        if (status == LM_OK) bytes.count += n;
    }
    v->offsets[v->n_tokens] = (uint32_t)bytes.count;
    v->bytes = bytes.data;
    v->n_bytes = bytes.count;
    v->bytes_capacity = bytes.capacity;
    return status;
}

static lm_status build(vocab_builder *b) {
    lm_grammar_vocab *v = b->vocab;
    for (uint32_t token = 0; token < v->n_tokens; token++) {
        uint32_t n = v->offsets[token + 1] - v->offsets[token];
        if (v->kinds[token] == LM_GRAMMAR_TOKEN_KIND_END) v->ends[v->n_ends++] = token;
        b->group_of[token] = classify(v, token, &b->lengths[token]);
        if (b->group_of[token] == 0xFF) continue;
        v->order[v->n_order++] = token;
        v->groups[b->group_of[token]].n_tokens++;
        if (n > v->max_bytes) v->max_bytes = n;
        if (b->lengths[token] > v->max_code_points) v->max_code_points = b->lengths[token];
    }
    sort_tokens(b);
    uint32_t first = 0;
    uint32_t *path = lm_alloc_array(&v->env, (size_t)v->max_bytes + 1, sizeof *path);
    bool done = path != NULL;
    for (uint32_t i = 0; done && i < LM_TOKEN_GROUPS; i++) {
        lm_token_group *group = &v->groups[i];
        group->first = first;
        first += group->n_tokens;
        done = build_group(b, i, path);
        if (!done || i >= LM_TOKEN_GROUP_REST) continue;
        group->bits = lm_alloc_array(&v->env, v->n_words, sizeof *group->bits);
        done = group->bits != NULL;
        for (uint32_t k = 0; done && k < group->n_tokens; k++) {
            uint32_t token = v->order[group->first + k];
            group->bits[token / 32] |= 1u << token % 32;
        }
    }
    lm_free(&v->env, path, ((size_t)v->max_bytes + 1) * sizeof *path);
    return done ? LM_OK : LM_ERR_MEMORY;
}

static void free_vocab(lm_grammar_vocab *v) {
    if (!v) return;
    lm_env env = v->env;
    lm_free(&env, v->kinds, v->n_tokens);
    lm_free(&env, v->offsets, ((size_t)v->n_tokens + 1) * sizeof *v->offsets);
    lm_free(&env, v->bytes, v->bytes_capacity);
    lm_free(&env, v->order, v->n_tokens * sizeof *v->order);
    lm_free(&env, v->ends, v->n_tokens * sizeof *v->ends);
    lm_free(&env, v->nodes, v->nodes_capacity * sizeof *v->nodes);
    for (uint32_t i = 0; i < LM_TOKEN_GROUPS; i++)
        lm_free(&env, v->groups[i].bits, v->n_words * sizeof *v->groups[i].bits);
    lm_free(&env, v, sizeof *v);
}

lm_status lm_token_trie_create(const lm_grammar_vocab_params *params, lm_grammar_vocab **out, lm_error *error) {
    lm_env env;
    lm_env_init(&env, params->allocator, NULL);
    if (params->n_tokens > MAX_TOKENS)
        return lm_error_set(error, LM_ERR_LIMIT, "vocabulary of %u tokens; at most %u are supported", params->n_tokens,
                            MAX_TOKENS);
    lm_status status = LM_ERR_MEMORY;
    lm_grammar_vocab *v = lm_alloc_zeroed(&env, sizeof *v);
    vocab_builder b = {.vocab = v};
    size_t n = params->n_tokens;
    if (!v) goto out;
    v->env = env;
    atomic_init(&v->references, 1);
    v->n_tokens = params->n_tokens;
    v->n_words = (params->n_tokens + 31) / 32;
    v->cache_bytes = params->cache_bytes;
    v->kinds = lm_alloc_array(&env, n, 1);
    v->offsets = lm_alloc_array(&env, n + 1, sizeof *v->offsets);
    v->order = lm_alloc_array(&env, n, sizeof *v->order);
    v->ends = lm_alloc_array(&env, n, sizeof *v->ends);
    b.group_of = lm_alloc_array(&env, n, 1);
    b.scratch = lm_alloc_array(&env, n, sizeof *b.scratch);
    b.lengths = lm_alloc_array(&env, n, sizeof *b.lengths);
    if (!v->kinds || !v->offsets || !v->order || !v->ends || !b.group_of || !b.scratch || !b.lengths) goto out;
    status = read_tokens(v, params);
    if (status == LM_OK) status = build(&b);
    if (status != LM_OK) goto out;
    *out = v;
    v = NULL;
out:
    if (status == LM_ERR_MEMORY)
        lm_error_memory(error);
    else if (status != LM_OK)
        lm_error_set(error, status, "vocabulary: too much text");
    lm_free(&env, b.group_of, n);
    lm_free(&env, b.scratch, n * sizeof *b.scratch);
    lm_free(&env, b.lengths, n * sizeof *b.lengths);
    free_vocab(v);
    return status;
}

void lm_token_trie_release(lm_grammar_vocab *vocab) {
    if (vocab && atomic_fetch_sub_explicit(&vocab->references, 1, memory_order_acq_rel) == 1) free_vocab(vocab);
}
