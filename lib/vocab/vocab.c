/* SPDX-License-Identifier: MIT
 * Opening and closing a vocabulary, and its table of texts. The tokenizer's name decides the type; each type's file builds
 * what it needs. */
#include "vocab.h"

#include "vocab_internal.h"

typedef struct model_name {
    const char *name;
    lm_vocab_type type;
    const char *pretok; /* when the file names none */
} model_name;

static const model_name model_names[] = {
    {"llama", LM_VOCAB_TYPE_SPM, NULL},      {"gpt2", LM_VOCAB_TYPE_BPE, "default"},
    {"gemma4", LM_VOCAB_TYPE_BPE, "gemma4"}, {"whitespace", LM_VOCAB_TYPE_BPE, "whitespace"},
    {"bert", LM_VOCAB_TYPE_WPM, NULL},       {"t5", LM_VOCAB_TYPE_UGM, NULL},
    {"rwkv", LM_VOCAB_TYPE_RWKV, NULL},      {"plamo2", LM_VOCAB_TYPE_PLAMO2, NULL},
    {"no_vocab", LM_VOCAB_TYPE_NONE, NULL},  {"none", LM_VOCAB_TYPE_NONE, NULL},
};

static const model_name *find_model(lm_gguf_str name) {
    for (size_t i = 0; i < sizeof model_names / sizeof *model_names; i++)
        if (strlen(model_names[i].name) == name.size && memcmp(model_names[i].name, name.data, name.size) == 0)
            return &model_names[i];
    return NULL;
}

static lm_status read_pretok(lm_vocab *vocab, const lm_gguf *gguf, const char *fallback, lm_error *error) {
    static const char key[] = "tokenizer.ggml.pre";
    lm_gguf_str name = {fallback, strlen(fallback)};
    if (lm_gguf_find(gguf, key)) {
        lm_status status = lm_gguf_get_string(gguf, key, &name, error);
        if (status != LM_OK) return status;
    } else if (strcmp(fallback, "default") == 0) {
        lm_log_write(&vocab->env, LM_LOG_LEVEL_WARNING,
                     "key %s is missing: text is cut the default way, which this model may not know", key);
    }
    vocab->pretok = lm_pretok_find(name.data, name.size);
    if (vocab->pretok) return LM_OK;
    return lm_error_set(error, LM_ERR_UNSUPPORTED, "key %s: the pre-tokenizer %q is not known", key, name.size,
                        name.data);
}

/* A vocabulary without texts: only the architecture's key says how many tokens there are. */
static lm_status read_size(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    lm_gguf_str arch;
    char key[160];
    for (int i = 0; i < LM_TOKEN_ROLE_COUNT; i++) vocab->roles[i] = LM_TOKEN_NONE;
    if (!lm_gguf_find(gguf, "general.architecture")) return LM_OK;
    lm_status status = lm_gguf_get_string(gguf, "general.architecture", &arch, error);
    if (status != LM_OK) return status;
    lm_format(key, sizeof key, "%.*s.vocab_size", (int)lm_size_min(arch.size, 128), arch.data);
    if (!lm_gguf_find(gguf, key)) return LM_OK;
    int64_t size = 0;
    status = lm_gguf_get_int(gguf, key, 0, LM_VOCAB_MAX_TOKENS, &size, error);
    vocab->n_tokens = (uint32_t)size;
    return status;
}

static lm_status build(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    switch (vocab->type) {
    case LM_VOCAB_TYPE_SPM: return lm_spm_open(vocab, error);
    case LM_VOCAB_TYPE_BPE: return lm_bpe_open(vocab, gguf, error);
    case LM_VOCAB_TYPE_WPM: return lm_wpm_open(vocab, error);
    case LM_VOCAB_TYPE_UGM: return lm_ugm_open(vocab, gguf, error);
    case LM_VOCAB_TYPE_RWKV: return lm_rwkv_open(vocab, error);
    case LM_VOCAB_TYPE_PLAMO2: return lm_plamo2_open(vocab, error);
    default: return LM_OK;
    }
}

static lm_status read(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    static const char key[] = "tokenizer.ggml.model";
    lm_gguf_str name;
    lm_status status = lm_gguf_get_string(gguf, key, &name, error);
    if (status != LM_OK) return status;
    const model_name *model = find_model(name);
    if (!model)
        return lm_error_set(error, LM_ERR_UNSUPPORTED, "key %s: the tokenizer %q is not supported", key, name.size,
                            name.data);
    vocab->type = model->type;
    if (vocab->type == LM_VOCAB_TYPE_NONE) return read_size(vocab, gguf, error);
    if (vocab->type == LM_VOCAB_TYPE_BPE) status = read_pretok(vocab, gguf, model->pretok, error);
    if (status == LM_OK) status = lm_vocab_read_tokens(vocab, gguf, error);
    if (status == LM_OK) status = lm_vocab_read_roles(vocab, gguf, error);
    if (status == LM_OK) status = lm_vocab_build_special(vocab, error);
    if (status == LM_OK) status = build(vocab, gguf, error);
    return status;
}

lm_status lm_vocab_open(const lm_env *env, const lm_gguf *gguf, lm_vocab **out, lm_error *error) {
    lm_vocab *vocab = lm_alloc_zeroed(env, sizeof *vocab);
    if (!vocab) return lm_error_memory(error);
    vocab->env = *env;
    lm_arena_init(&vocab->arena, &vocab->env, LM_ARENA_UNLIMITED);
    lm_status status = read(vocab, gguf, error);
    if (status == LM_OK)
        *out = vocab;
    else
        lm_vocab_close(vocab);
    return status;
}

void lm_vocab_close(lm_vocab *vocab) {
    if (!vocab) return;
    lm_env env = vocab->env;
    lm_arena_free(&vocab->arena);
    lm_array_free(&env, &vocab->entries);
    lm_array_free(&env, &vocab->suppressed);
    lm_text_table_free(&vocab->table, &env);
    lm_pair_table_free(&vocab->pairs, &env);
    lm_trie_free(&vocab->special, &env);
    lm_trie_free(&vocab->words, &env);
    lm_trie_free(&vocab->users, &env);
    lm_free(&env, vocab->ends, vocab->n_tokens);
    lm_free(&env, vocab->scores, vocab->n_tokens * sizeof *vocab->scores);
    lm_free(&env, vocab->priorities, vocab->n_tokens * sizeof *vocab->priorities);
    lm_free(&env, vocab, sizeof *vocab);
}

size_t lm_vocab_memory(const lm_vocab *vocab) {
    size_t n = vocab->n_tokens;
    return sizeof *vocab + vocab->arena.bytes + vocab->entries.capacity * sizeof *vocab->entries.data +
           vocab->suppressed.capacity * sizeof *vocab->suppressed.data +
           (vocab->table.slots ? ((size_t)vocab->table.mask + 1) * sizeof *vocab->table.slots : 0) +
           vocab->pairs.size * sizeof *vocab->pairs.slots + lm_trie_memory(&vocab->special) +
           lm_trie_memory(&vocab->words) + lm_trie_memory(&vocab->users) + (vocab->ends ? n : 0) +
           (vocab->scores ? n * sizeof *vocab->scores : 0) + (vocab->priorities ? n * sizeof *vocab->priorities : 0);
}

uint32_t lm_vocab_find_hashed(const lm_vocab *vocab, const uint8_t *text, size_t size, uint32_t hash) {
    const lm_text_table *table = &vocab->table;
    uint32_t i = hash & table->mask;
    for (int probes = 0; table->slots[i].number && probes <= LM_TEXT_TABLE_PROBES;
         probes++, i = (i + 1) & table->mask) {
        if (table->slots[i].hash != hash) continue;
        const lm_vocab_entry *entry = &vocab->entries.data[table->slots[i].number - 1];
        if (entry->size == size && memcmp(entry->text, text, size) == 0) return table->slots[i].number - 1;
    }
    return LM_SYMBOL_NONE;
}

uint32_t lm_vocab_find_symbol(const lm_vocab *vocab, const uint8_t *text, size_t size) {
    return vocab->table.slots ? lm_vocab_find_hashed(vocab, text, size, lm_text_hash(text, size)) : LM_SYMBOL_NONE;
}

lm_status lm_vocab_intern(lm_vocab *vocab, const uint8_t *text, size_t size, uint32_t hash, uint32_t *symbol,
                          lm_error *error) {
    *symbol = lm_vocab_find_hashed(vocab, text, size, hash);
    if (*symbol != LM_SYMBOL_NONE) return LM_OK;
    if (vocab->entries.count >= INT32_MAX || size > LM_GGUF_MAX_STRING)
        return lm_error_set(error, LM_ERR_LIMIT, "the tokenizer has too many texts");
    lm_vocab_entry entry = {text, (uint32_t)size, 0};
    if (!lm_array_push(&vocab->env, &vocab->entries, entry)) return lm_error_memory(error);
    *symbol = (uint32_t)(vocab->entries.count - 1);
    lm_status status = lm_text_table_add(&vocab->table, &vocab->env, hash, *symbol);
    return status == LM_OK ? LM_OK : lm_error_set(error, status, "the table of token texts cannot be built");
}

lm_vocab_type lm_vocab_get_type(const lm_vocab *vocab) { return vocab->type; }
uint32_t lm_vocab_count(const lm_vocab *vocab) { return vocab->n_tokens; }
bool lm_vocab_adds_bos(const lm_vocab *vocab) { return vocab->add_bos; }

static bool in_range(const lm_vocab *vocab, lm_token token) {
    return token >= 0 && (uint32_t)token < vocab->n_tokens && vocab->entries.data;
}

lm_token lm_vocab_role(const lm_vocab *vocab, int32_t role) {
    return role >= 0 && role < LM_TOKEN_ROLE_COUNT ? vocab->roles[role] : LM_TOKEN_NONE;
}

bool lm_vocab_is_end(const lm_vocab *vocab, lm_token token) { return in_range(vocab, token) && vocab->ends[token]; }

const lm_token *lm_vocab_suppressed(const lm_vocab *vocab, size_t *count) {
    *count = vocab->suppressed.count;
    return vocab->suppressed.data;
}

const char *lm_vocab_text(const lm_vocab *vocab, lm_token token, size_t *size) {
    if (!in_range(vocab, token)) return NULL;
    *size = vocab->entries.data[token].size;
    return (const char *)vocab->entries.data[token].text;
}

uint32_t lm_vocab_attributes(const lm_vocab *vocab, lm_token token) {
    return in_range(vocab, token) ? vocab->entries.data[token].attributes : 0;
}

lm_token lm_vocab_find(const lm_vocab *vocab, const char *text, size_t size) {
    uint32_t symbol = lm_vocab_find_symbol(vocab, (const uint8_t *)text, size);
    return symbol < vocab->n_tokens ? (lm_token)symbol : LM_TOKEN_NONE;
}
