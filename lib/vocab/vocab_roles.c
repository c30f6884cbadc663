/* SPDX-License-Identifier: MIT
 * What tokens are for: ids and switches from the file, defaults of the tokenizer type, and what only the texts tell (end of
 * turn, fill in the middle, the set that ends a generation). Nothing in the file lists that set, so the known names are
 * looked up; the order of the lists is the order of preference. */
#include "vocab_internal.h"

#define CONTROL LM_TOKEN_ATTRIBUTE_CONTROL
#define SPECIAL (LM_TOKEN_ATTRIBUTE_CONTROL | LM_TOKEN_ATTRIBUTE_USER_DEFINED | LM_TOKEN_ATTRIBUTE_UNKNOWN)
#define BAR "\xEF\xBD\x9C"   /* U+FF5C */
#define BLOCK "\xE2\x96\x81" /* U+2581 */

static const char *const eot_names[] = {
    "<|eot_id|>",         "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>",
    "<|end_of_text|>",    "<EOT>",      "_<EOT>",  "[EOT]",         "<" BAR "end" BLOCK "of" BLOCK "sentence" BAR ">",
    "<end_of_utterance>", NULL};
static const char *const eom_names[] = {"<|eom_id|>", NULL};
static const char *const fim_names[6][9] = {
    {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<" BAR "fim" BLOCK "begin" BAR ">", "<PRE>", BLOCK "<PRE>",
     "<|code_prefix|>", "<|prefix|>", NULL},
    {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<" BAR "fim" BLOCK "hole" BAR ">", "<SUF>", BLOCK "<SUF>",
     "<|code_suffix|>", "<|suffix|>", NULL},
    {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<" BAR "fim" BLOCK "end" BAR ">", "<MID>", BLOCK "<MID>",
     "<|code_middle|>", "<|middle|>", NULL},
    {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", NULL},
    {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", NULL},
    {"<|file_sep|>", NULL},
};
static const char *const end_names[] = {"<|eot_id|>",
                                        "<|im_end|>",
                                        "<|end|>",
                                        "<|return|>",
                                        "<|call|>",
                                        "<|flush|>",
                                        "<|calls|>",
                                        "<end_of_turn>",
                                        "<|endoftext|>",
                                        "</s>",
                                        "<|eom_id|>",
                                        "<EOT>",
                                        "_<EOT>",
                                        "[EOT]",
                                        "[EOS]",
                                        "<|end_of_text|>",
                                        "<end_of_utterance>",
                                        "<eos>",
                                        "<turn|>",
                                        "<|tool_response>",
                                        "<" BAR "end" BLOCK "of" BLOCK "sentence" BAR ">",
                                        "[e~[",
                                        NULL};
/* Marks of the harmony format: parts of the message, so they are shown. */
static const char *const shown_names[] = {"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>", NULL};

typedef struct id_key {
    const char *key;
    int32_t role;
} id_key;

/* Later keys win: the last three are old names. */
static const id_key id_keys[] = {
    {"tokenizer.ggml.bos_token_id", LM_TOKEN_ROLE_BOS},
    {"tokenizer.ggml.eos_token_id", LM_TOKEN_ROLE_EOS},
    {"tokenizer.ggml.eot_token_id", LM_TOKEN_ROLE_EOT},
    {"tokenizer.ggml.eom_token_id", LM_TOKEN_ROLE_EOM},
    {"tokenizer.ggml.unknown_token_id", LM_TOKEN_ROLE_UNKNOWN},
    {"tokenizer.ggml.seperator_token_id", LM_TOKEN_ROLE_SEPARATOR},
    {"tokenizer.ggml.padding_token_id", LM_TOKEN_ROLE_PADDING},
    {"tokenizer.ggml.mask_token_id", LM_TOKEN_ROLE_MASK},
    {"tokenizer.ggml.fim_pre_token_id", LM_TOKEN_ROLE_FIM_PREFIX},
    {"tokenizer.ggml.fim_suf_token_id", LM_TOKEN_ROLE_FIM_SUFFIX},
    {"tokenizer.ggml.fim_mid_token_id", LM_TOKEN_ROLE_FIM_MIDDLE},
    {"tokenizer.ggml.fim_pad_token_id", LM_TOKEN_ROLE_FIM_PADDING},
    {"tokenizer.ggml.fim_rep_token_id", LM_TOKEN_ROLE_FIM_REPOSITORY},
    {"tokenizer.ggml.fim_sep_token_id", LM_TOKEN_ROLE_FIM_SEPARATOR},
    {"tokenizer.ggml.prefix_token_id", LM_TOKEN_ROLE_FIM_PREFIX},
    {"tokenizer.ggml.suffix_token_id", LM_TOKEN_ROLE_FIM_SUFFIX},
    {"tokenizer.ggml.middle_token_id", LM_TOKEN_ROLE_FIM_MIDDLE},
};

static void set_defaults(lm_vocab *vocab, bool bos_known) {
    lm_token *roles = vocab->roles;
    for (int i = 0; i < LM_TOKEN_ROLE_COUNT; i++) roles[i] = LM_TOKEN_NONE;
    switch (vocab->type) {
    case LM_VOCAB_TYPE_SPM:
        roles[LM_TOKEN_ROLE_BOS] = 1, roles[LM_TOKEN_ROLE_EOS] = 2, roles[LM_TOKEN_ROLE_UNKNOWN] = 0;
        vocab->add_bos = vocab->add_space_prefix = vocab->escape_spaces = true;
        break;
    case LM_VOCAB_TYPE_BPE:
        vocab->byte_level = !(vocab->pretok->flags & LM_PRETOK_RAW);
        vocab->escape_spaces = (vocab->pretok->flags & LM_PRETOK_ESCAPE_SPACES) != 0;
        vocab->clean_spaces = !(vocab->pretok->flags & LM_PRETOK_KEEP_SPACES);
        vocab->ignore_merges = (vocab->pretok->flags & LM_PRETOK_IGNORE_MERGES) != 0;
        vocab->add_bos = (vocab->pretok->flags & (LM_PRETOK_ADD_BOS | LM_PRETOK_FORCE_BOS)) != 0;
        vocab->add_sep = (vocab->pretok->flags & LM_PRETOK_ADD_SEP) != 0;
        if (vocab->byte_level) { /* the ids of GPT-2's first tokens; raw vocabularies have no customary ids */
            roles[LM_TOKEN_ROLE_EOS] = 11;
            roles[LM_TOKEN_ROLE_BOS] = bos_known ? 11 : LM_TOKEN_NONE;
        }
        break;
    case LM_VOCAB_TYPE_WPM:
        roles[LM_TOKEN_ROLE_BOS] = 101, roles[LM_TOKEN_ROLE_UNKNOWN] = 100, roles[LM_TOKEN_ROLE_SEPARATOR] = 102;
        roles[LM_TOKEN_ROLE_PADDING] = 0, roles[LM_TOKEN_ROLE_MASK] = 103;
        vocab->add_bos = vocab->add_sep = vocab->clean_spaces = true;
        break;
    case LM_VOCAB_TYPE_UGM:
        roles[LM_TOKEN_ROLE_EOS] = 1, roles[LM_TOKEN_ROLE_UNKNOWN] = 2, roles[LM_TOKEN_ROLE_PADDING] = 0;
        vocab->add_eos = vocab->escape_spaces = true;
        break;
    case LM_VOCAB_TYPE_PLAMO2:
        roles[LM_TOKEN_ROLE_BOS] = 1, roles[LM_TOKEN_ROLE_EOS] = 2, roles[LM_TOKEN_ROLE_UNKNOWN] = 0;
        roles[LM_TOKEN_ROLE_PADDING] = 3;
        break;
    default: break;
    }
    for (int i = 0; i < LM_TOKEN_ROLE_COUNT; i++)
        if (roles[i] >= 0 && (uint32_t)roles[i] >= vocab->n_tokens) roles[i] = LM_TOKEN_NONE;
}

static lm_status read_ids(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    for (size_t i = 0; i < sizeof id_keys / sizeof *id_keys; i++) {
        int64_t id;
        if (!lm_gguf_find(gguf, id_keys[i].key)) continue;
        lm_status status = lm_gguf_get_int(gguf, id_keys[i].key, INT64_MIN, INT64_MAX, &id, error);
        if (status != LM_OK) return status;
        if (id >= 0 && id < vocab->n_tokens)
            vocab->roles[id_keys[i].role] = (lm_token)id;
        else
            lm_log_write(&vocab->env, LM_LOG_LEVEL_WARNING, "key %s is %lld, which is no token: ignored",
                         id_keys[i].key, (long long)id);
    }
    return LM_OK;
}

static lm_status read_flag(const lm_gguf *gguf, const char *key, bool *flag, lm_error *error) {
    return lm_gguf_find(gguf, key) ? lm_gguf_get_bool(gguf, key, flag, error) : LM_OK;
}

/* A token is added only if there is one. A file that asks for a missing one is wrong; a default falls silent. */
static lm_status read_added(lm_vocab *vocab, const lm_gguf *gguf, const char *key, int32_t role, bool *flag,
                            lm_error *error) {
    lm_status status = read_flag(gguf, key, flag, error);
    if (status != LM_OK || !*flag || vocab->roles[role] != LM_TOKEN_NONE) return status;
    if (lm_gguf_find(gguf, key))
        return lm_error_set(error, LM_ERR_FORMAT, "key %s is true, but there is no such token", key);
    *flag = false;
    return LM_OK;
}

static lm_status read_flags(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    lm_status status =
        read_added(vocab, gguf, "tokenizer.ggml.add_bos_token", LM_TOKEN_ROLE_BOS, &vocab->add_bos, error);
    if (vocab->pretok && (vocab->pretok->flags & LM_PRETOK_FORCE_BOS))
        vocab->add_bos = vocab->roles[LM_TOKEN_ROLE_BOS] != LM_TOKEN_NONE;
    if (status == LM_OK)
        status = read_added(vocab, gguf, "tokenizer.ggml.add_eos_token", LM_TOKEN_ROLE_EOS, &vocab->add_eos, error);
    if (status == LM_OK) status = read_flag(gguf, "tokenizer.ggml.add_sep_token", &vocab->add_sep, error);
    if (status == LM_OK) status = read_flag(gguf, "tokenizer.ggml.add_space_prefix", &vocab->add_space_prefix, error);
    if (status == LM_OK)
        status = read_flag(gguf, "tokenizer.ggml.remove_extra_whitespaces", &vocab->merge_spaces, error);
    vocab->lowercase = !(vocab->pretok && (vocab->pretok->flags & LM_PRETOK_DROP_SPACES));
    if (status == LM_OK) status = read_flag(gguf, "tokenizer.ggml.normalizer.lowercase", &vocab->lowercase, error);
    vocab->strip_accents = vocab->lowercase;
    if (status == LM_OK)
        status = read_flag(gguf, "tokenizer.ggml.normalizer.strip_accents", &vocab->strip_accents, error);
    return status;
}

static lm_vocab_entry *find(const lm_vocab *vocab, const char *name, lm_token *id) {
    *id = lm_vocab_find(vocab, name, strlen(name));
    return *id == LM_TOKEN_NONE ? NULL : &vocab->entries.data[*id];
}

/* The first present name takes a role nothing has yet; it becomes a control token. */
static void find_role(lm_vocab *vocab, int32_t role, const char *const *names) {
    lm_token id;
    for (size_t i = 0; names[i] && vocab->roles[role] == LM_TOKEN_NONE; i++) {
        lm_vocab_entry *entry = find(vocab, names[i], &id);
        if (!entry) continue;
        entry->attributes |= CONTROL;
        vocab->roles[role] = id;
    }
}

static bool ends(const lm_vocab *vocab, const char *name) {
    lm_token id;
    return find(vocab, name, &id) && vocab->ends[id];
}

/* Take a token out of the set that ends a generation. */
static void release(lm_vocab *vocab, const char *name, uint32_t attributes) {
    lm_token id;
    lm_vocab_entry *entry = find(vocab, name, &id);
    entry->attributes = attributes;
    vocab->ends[id] = 0;
}

static void find_ends(lm_vocab *vocab) {
    static const int32_t roles[] = {LM_TOKEN_ROLE_EOS,
                                    LM_TOKEN_ROLE_EOT,
                                    LM_TOKEN_ROLE_EOM,
                                    LM_TOKEN_ROLE_FIM_PADDING,
                                    LM_TOKEN_ROLE_FIM_REPOSITORY,
                                    LM_TOKEN_ROLE_FIM_SEPARATOR};
    lm_token id;
    for (size_t i = 0; end_names[i]; i++) {
        lm_vocab_entry *entry = find(vocab, end_names[i], &id);
        if (!entry) continue;
        entry->attributes |= CONTROL;
        vocab->ends[id] = 1;
    }
    for (size_t i = 0; shown_names[i]; i++) {
        lm_vocab_entry *entry = find(vocab, shown_names[i], &id);
        if (entry) entry->attributes = LM_TOKEN_ATTRIBUTE_USER_DEFINED;
    }
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (vocab->roles[roles[i]] != LM_TOKEN_NONE) vocab->ends[vocab->roles[roles[i]]] = 1;
    bool call = ends(vocab, "<|call|>") || ends(vocab, "<|calls|>");
    if (call && ends(vocab, "<|end|>") && (ends(vocab, "<|return|>") || ends(vocab, "<|flush|>")))
        release(vocab, "<|end|>", LM_TOKEN_ATTRIBUTE_USER_DEFINED); /* ends a message, not the turn */
    if (ends(vocab, "<|tool_response>") && ends(vocab, "</s>")) release(vocab, "</s>", LM_TOKEN_ATTRIBUTE_NORMAL);
}

static bool contains(const uint8_t *text, size_t n, const char *part, bool fold) {
    size_t size = strlen(part);
    for (size_t i = 0; i + size <= n; i++) {
        size_t k = 0;
        while (k < size) {
            uint8_t c = text[i + k];
            if (fold && c >= 'A' && c <= 'Z') c |= 32;
            if (c != (uint8_t)part[k]) break;
            k++;
        }
        if (k == size) return true;
    }
    return false;
}

static bool key_contains(const lm_gguf *gguf, const char *key, const char *part, bool fold) {
    lm_gguf_str text;
    return lm_gguf_find(gguf, key) && lm_gguf_get_string(gguf, key, &text, NULL) == LM_OK &&
           contains((const uint8_t *)text.data, text.size, part, fold);
}

static void set_attribute(lm_vocab *vocab, const char *name, uint32_t bit, bool value) {
    lm_token id;
    lm_vocab_entry *entry = find(vocab, name, &id);
    if (entry) entry->attributes = value ? entry->attributes | bit : entry->attributes & ~bit;
}

/* Which tokens swallow white space is known by the model's name alone. */
static void set_strips(lm_vocab *vocab, const lm_gguf *gguf) {
    const char *pre = vocab->pretok ? vocab->pretok->name : "";
    if (strcmp(pre, "jina-v2-de") == 0 || strcmp(pre, "jina-v2-es") == 0 || strcmp(pre, "jina-v2-code") == 0 ||
        key_contains(gguf, "general.architecture", "nomic-bert-moe", false) ||
        key_contains(gguf, "general.architecture", "jina-bert-v3", false))
        set_attribute(vocab, "<mask>", LM_TOKEN_ATTRIBUTE_LSTRIP, true);
    if (key_contains(gguf, "general.name", "phi-3", true) || key_contains(gguf, "general.name", "phi3", true)) {
        for (uint32_t id = 0; id < vocab->n_tokens; id++)
            if (vocab->entries.data[id].attributes & SPECIAL)
                vocab->entries.data[id].attributes |= LM_TOKEN_ATTRIBUTE_RSTRIP;
        set_attribute(vocab, "</s>", LM_TOKEN_ATTRIBUTE_RSTRIP, true);
        set_attribute(vocab, "<unk>", LM_TOKEN_ATTRIBUTE_RSTRIP, false);
        set_attribute(vocab, "<s>", LM_TOKEN_ATTRIBUTE_RSTRIP, false);
        set_attribute(vocab, "<|endoftext|>", LM_TOKEN_ATTRIBUTE_RSTRIP, false);
    }
    if (key_contains(gguf, "general.name", "modern-bert", true))
        set_attribute(vocab, "[MASK]", LM_TOKEN_ATTRIBUTE_LSTRIP, true);
}

lm_status lm_vocab_read_roles(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    set_defaults(vocab, !vocab->pretok || !(vocab->pretok->flags & LM_PRETOK_NO_BOS));
    lm_status status = read_ids(vocab, gguf, error);
    if (status == LM_OK) status = read_flags(vocab, gguf, error);
    if (status != LM_OK) return status;
    find_role(vocab, LM_TOKEN_ROLE_EOT, eot_names);
    find_role(vocab, LM_TOKEN_ROLE_EOM, eom_names);
    for (int i = 0; i < 6; i++) find_role(vocab, LM_TOKEN_ROLE_FIM_PREFIX + i, fim_names[i]);
    for (uint32_t id = 0; id < vocab->n_tokens; id++) {
        lm_vocab_entry *entry = &vocab->entries.data[id];
        if ((entry->attributes & CONTROL) && contains(entry->text, entry->size, "unused", false))
            entry->attributes |= LM_TOKEN_ATTRIBUTE_UNUSED;
    }
    find_ends(vocab);
    set_strips(vocab, gguf);
    return LM_OK;
}
