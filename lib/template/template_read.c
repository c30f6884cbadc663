/* SPDX-License-Identifier: MIT
 * From source text to a syntax tree: line ends are normalised, names interned, limits set, and places in the normalised
 * text translated back into lines and offsets of what the caller gave. */
#include <string.h>

#include "../base/format.h"
#include "template_parser.h"

/* A node takes about 130 bytes and a template rarely has more nodes than characters / 4. */
#define ARENA_LIMIT ((size_t)256 << 20)

static uint32_t hash_name(lm_slice name) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.n; i++) hash = (hash ^ (unsigned char)name.bytes[i]) * 16777619u;
    return hash;
}

static uint32_t *find_slot(const lm_template *template, lm_slice name) {
    size_t mask = template->symbol_index_size - 1;
    for (size_t i = hash_name(name) & mask;; i = (i + 1) & mask) {
        uint32_t entry = template->symbol_index[i];
        if (entry == 0) return &template->symbol_index[i];
        const lm_slice *known = &template->symbols[entry - 1];
        if (known->n == name.n && memcmp(known->bytes, name.bytes, name.n) == 0) return &template->symbol_index[i];
    }
}

static bool grow_symbols(lm_template *template) {
    uint32_t capacity = template->symbols_capacity ? template->symbols_capacity * 2 : 64;
    lm_slice *symbols = lm_arena_alloc_array(&template->arena, capacity, sizeof *symbols);
    uint32_t *index = lm_arena_alloc_array(&template->arena, (size_t)capacity * 2, sizeof *index);
    if (!symbols || !index) return false;
    if (template->n_symbols) memcpy(symbols, template->symbols, template->n_symbols * sizeof *symbols);
    template->symbols = symbols;
    template->symbols_capacity = capacity;
    template->symbol_index = index;
    template->symbol_index_size = (size_t)capacity * 2;
    for (uint32_t i = 0; i < template->n_symbols; i++) *find_slot(template, symbols[i]) = i + 1;
    return true;
}

bool lm_parser_symbol(lm_parser *parser, lm_slice name, uint32_t *out) {
    lm_template *template = parser->template;
    if (template->n_symbols == template->symbols_capacity && !grow_symbols(template))
        return lm_parser_fail(parser, LM_ERR_MEMORY, parser->token.offset, "out of memory");
    uint32_t *slot = find_slot(template, name);
    if (*slot == 0) {
        template->symbols[template->n_symbols++] = name;
        *slot = template->n_symbols;
    }
    *out = *slot - 1;
    return true;
}

uint32_t lm_template_symbol(const lm_template *template, const char *name, size_t n) {
    if (template->symbol_index_size == 0) return UINT32_MAX;
    uint32_t entry = *find_slot(template, (lm_slice){name, n});
    return entry ? entry - 1 : UINT32_MAX;
}

void lm_template_locate(const lm_template *template, size_t offset, int32_t *line, uint64_t *source_offset) {
    *line = 1;
    size_t pos = 0;
    for (size_t normalised = 0; normalised < offset && pos < template->source_n; normalised++) {
        char c = template->source[pos++];
        if (c == '\r' && pos < template->source_n && template->source[pos] == '\n') pos++;
        if (c == '\r' || c == '\n') ++*line;
    }
    *source_offset = pos;
}

static bool normalise(lm_template *template, const char *source, size_t n) {
    char *copy = lm_arena_copy(&template->arena, source, n);
    char *text = lm_arena_alloc(&template->arena, n + 1);
    if (!copy || !text) return false;
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        text[size++] = source[i] == '\r' ? '\n' : source[i];
        if (source[i] == '\r' && i + 1 < n && source[i + 1] == '\n') i++;
    }
    if (size && text[size - 1] == '\n') size--;
    template->source = copy;
    template->source_n = n;
    template->normalised = (lm_slice){text, size};
    return true;
}

lm_status lm_template_open(const lm_env *env, const char *source, size_t n, lm_template **out, lm_error *error) {
    if (n > LM_TEMPLATE_SOURCE_MAX)
        return lm_error_set(error, LM_ERR_LIMIT, "template: longer than %zu bytes", LM_TEMPLATE_SOURCE_MAX);
    lm_template *template = lm_alloc_zeroed(env, sizeof *template);
    if (!template) return lm_error_memory(error);
    template->env = env;
    lm_arena_init(&template->arena, env, ARENA_LIMIT);
    lm_parser parser = {.template = template, .error = error, .status = LM_OK};
    if (!normalise(template, source, n)) {
        lm_template_close(template);
        return lm_error_memory(error);
    }
    lm_lexer_init(&parser.lexer, template->normalised);
    size_t end;
    if (lm_parser_advance(&parser)) template->root = lm_parse_body_until(&parser, NULL, 0, &end);
    if (!template->root) {
        lm_template_close(template);
        return parser.status;
    }
    *out = template;
    return LM_OK;
}

void lm_template_close(lm_template *template) {
    if (!template) return;
    lm_arena_free(&template->arena);
    lm_free(template->env, template, sizeof *template);
}

bool lm_template_mentions(const lm_template *template, const char *text) {
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= template->source_n; i++)
        if (memcmp(template->source + i, text, n) == 0) return true;
    return false;
}
