/* SPDX-License-Identifier: MIT
 * Byte-pair encoding. At opening every merge line becomes a pair of symbols; texts that only merges mention get symbols of
 * their own, so that working on numbers gives exactly what working on texts would. When encoding, each piece of the
 * pre-tokenizer is merged by itself and short pieces are remembered. Byte-level vocabularies see every byte as one letter of
 * the byte alphabet; raw ones see UTF-8 characters. */
#include "unicode.h"
#include "vocab_internal.h"
#include "../base/utf8.h"

/* Merges are read in batches: while the texts of a batch are hashed, the places its look-ups will go to are read once, so
 * that the memory's answers overlap instead of being waited for one by one. Opening takes half the time. */
#define BATCH 32

typedef struct merge_line {
    const uint8_t *left, *right;
    uint32_t left_size, right_size, left_hash, right_hash;
} merge_line;

static lm_status parse_merge(lm_gguf_str line, uint32_t rank, merge_line *out, lm_error *error) {
    const uint8_t *text = (const uint8_t *)line.data;
    const uint8_t *space = line.size > 1 ? memchr(text + 1, ' ', line.size - 1) : NULL;
    if (!space || line.size > 2 * LM_VOCAB_MAX_TOKEN_BYTES)
        return lm_error_set(error, LM_ERR_FORMAT, "key tokenizer.ggml.merges: line %u is no pair of texts", rank);
    out->left = text;
    out->left_size = (uint32_t)(space - text);
    out->right = space + 1;
    out->right_size = (uint32_t)(line.size - out->left_size - 1);
    out->left_hash = lm_text_hash(out->left, out->left_size);
    out->right_hash = lm_text_hash(out->right, out->right_size);
    return LM_OK;
}

/* Read what a look-up of the hash reads first; the sum only makes sure that it happens. */
static uint32_t warm_text(const lm_vocab *vocab, uint32_t hash) {
    uint32_t number = vocab->table.slots[hash & vocab->table.mask].number;
    return number ? vocab->entries.data[number - 1].text[0] : 0;
}

static lm_status joined_symbol(lm_vocab *vocab, const merge_line *line, uint32_t guess, uint32_t *symbol,
                               lm_error *error) {
    size_t size = (size_t)line->left_size + line->right_size;
    /* Most vocabularies list the results of their merges in order: the text behind the last result is looked at first. */
    const lm_vocab_entry *entry = guess < vocab->n_tokens ? &vocab->entries.data[guess] : NULL;
    *symbol = guess;
    if (entry && entry->size == size && memcmp(entry->text, line->left, line->left_size) == 0 &&
        memcmp(entry->text + line->left_size, line->right, line->right_size) == 0)
        return LM_OK;
    uint8_t local[256], *joined = size <= sizeof local ? local : lm_arena_alloc(&vocab->arena, size);
    if (!joined) return lm_error_memory(error);
    memcpy(joined, line->left, line->left_size);
    memcpy(joined + line->left_size, line->right, line->right_size);
    *symbol = lm_vocab_find_symbol(vocab, joined, size);
    if (*symbol != LM_SYMBOL_NONE) return LM_OK;
    if (joined == local) joined = (uint8_t *)lm_arena_copy(&vocab->arena, joined, size);
    if (!joined) return lm_error_memory(error);
    return lm_vocab_intern(vocab, joined, size, lm_text_hash(joined, size), symbol, error);
}

static lm_status add_merges(lm_vocab *vocab, const merge_line *lines, uint32_t n, uint32_t rank, uint32_t *guess,
                            lm_error *error) {
    lm_pair pairs[BATCH];
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += warm_text(vocab, lines[i].left_hash) + warm_text(vocab, lines[i].right_hash);
    for (uint32_t i = 0; i < n; i++) {
        const merge_line *line = &lines[i];
        lm_status status = lm_vocab_intern(vocab, line->left, line->left_size, line->left_hash, &pairs[i].left, error);
        if (status == LM_OK)
            status = lm_vocab_intern(vocab, line->right, line->right_size, line->right_hash, &pairs[i].right, error);
        if (status == LM_OK) status = joined_symbol(vocab, line, *guess, &pairs[i].result, error);
        if (status != LM_OK) return status;
        pairs[i].rank = rank + i;
        *guess = pairs[i].result + 1;
        sum += vocab->pairs.slots[lm_pair_home(&vocab->pairs, pairs[i].left, pairs[i].right)].rank;
    }
    vocab->warmed += sum;
    for (uint32_t i = 0; i < n; i++) {
        lm_status status = lm_pair_table_add(&vocab->pairs, pairs[i]);
        if (status != LM_OK) return lm_error_set(error, status, "the table of merges cannot be built");
    }
    return LM_OK;
}

static lm_status read_merges(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    static const char key[] = "tokenizer.ggml.merges";
    if ((vocab->pretok->flags & (LM_PRETOK_MERGES_OPTIONAL | LM_PRETOK_DROP_SPACES)) && !lm_gguf_find(gguf, key))
        return LM_OK;
    const lm_gguf_value *merges;
    lm_gguf_strings iterator = {0};
    lm_gguf_str text;
    merge_line lines[BATCH];
    lm_status status = lm_gguf_get_array(gguf, key, LM_GGUF_STRING, &merges, error);
    if (status != LM_OK) return status;
    if (merges->count > LM_VOCAB_MAX_TOKENS)
        return lm_error_set(error, LM_ERR_LIMIT, "key %s has %llu elements", key, (unsigned long long)merges->count);
    status = lm_pair_table_init(&vocab->pairs, &vocab->env, (uint32_t)merges->count);
    if (status != LM_OK) return lm_error_memory(error);
    uint32_t guess = 0, rank = 0, n = 0;
    while (status == LM_OK && lm_gguf_next_string(merges, &iterator, &text)) {
        status = parse_merge(text, rank + n, &lines[n], error);
        if (status != LM_OK || ++n < BATCH) continue;
        status = add_merges(vocab, lines, n, rank, &guess, error);
        rank += n;
        n = 0;
    }
    return status == LM_OK ? add_merges(vocab, lines, n, rank, &guess, error) : status;
}

static lm_status intern_letters(lm_vocab *vocab, lm_error *error) {
    unsigned missing = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        char letter[4];
        size_t size = lm_utf8_encode(lm_byte_letter((uint8_t)byte), letter);
        const uint8_t *text = (const uint8_t *)lm_arena_copy(&vocab->arena, letter, size);
        if (!text) return lm_error_memory(error);
        lm_status status =
            lm_vocab_intern(vocab, text, size, lm_text_hash(text, size), &vocab->byte_symbols[byte], error);
        if (status != LM_OK) return status;
        missing += vocab->byte_symbols[byte] >= vocab->n_tokens;
    }
    if (missing > 0)
        lm_log_write(&vocab->env, LM_LOG_LEVEL_INFO, "the vocabulary has no token for %u of the 256 bytes", missing);
    return LM_OK;
}

lm_status lm_bpe_open(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    lm_vocab_build_bytes(vocab);
    lm_status status = vocab->byte_level ? intern_letters(vocab, error) : LM_OK;
    if (status == LM_OK) status = read_merges(vocab, gguf, error);
    if (status != LM_OK) return status;
    uint32_t newline =
        vocab->byte_level ? vocab->byte_symbols['\n'] : lm_vocab_find_symbol(vocab, (const uint8_t *)"\n", 1);
    if (newline < vocab->n_tokens)
        vocab->roles[LM_TOKEN_ROLE_NEWLINE] = (lm_token)newline;
    else
        vocab->roles[LM_TOKEN_ROLE_NEWLINE] = vocab->byte_tokens['\n'];
    return LM_OK;
}

/* The token whose text is the whole piece, or LM_SYMBOL_NONE. */
static uint32_t whole_piece(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *piece, size_t n) {
    uint32_t symbol = LM_SYMBOL_NONE;
    if (n > vocab->max_text) return symbol;
    if (!vocab->byte_level) {
        symbol = lm_vocab_find_symbol(vocab, piece, n);
    } else {
        uint8_t *mapped = (uint8_t *)scratch->links.data; /* room for two bytes each was made by encode_piece */
        size_t size = 0;
        for (size_t i = 0; i < n; i++) size += lm_utf8_encode(lm_byte_letter(piece[i]), (char *)mapped + size);
        symbol = lm_vocab_find_symbol(vocab, mapped, size);
    }
    return symbol < vocab->n_tokens ? symbol : LM_SYMBOL_NONE;
}

static bool only_newlines(const uint8_t *piece, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (piece[i] != '\n') return false;
    return true;
}

static lm_status encode_piece(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *piece, size_t n,
                              lm_vocab_sink *sink) {
    scratch->parts.count = scratch->links.count = 0;
    if (!lm_array_reserve(&scratch->env, &scratch->parts, n)) return LM_ERR_MEMORY;
    if (vocab->ignore_merges || ((vocab->pretok->flags & LM_PRETOK_WHOLE_NEWLINES) && only_newlines(piece, n))) {
        if (n <= vocab->max_text && !lm_array_reserve(&scratch->env, &scratch->links, n)) return LM_ERR_MEMORY;
        uint32_t symbol = whole_piece(vocab, scratch, piece, n);
        if (symbol != LM_SYMBOL_NONE) {
            lm_sink_put(sink, (lm_token)symbol);
            return LM_OK;
        }
    }
    lm_vocab_part *parts = scratch->parts.data;
    for (size_t i = 0; i < n;) {
        size_t size = vocab->byte_level ? 1 : lm_utf8_lead_length(piece[i]);
        uint32_t symbol =
            vocab->byte_level ? vocab->byte_symbols[piece[i]] : lm_vocab_find_symbol(vocab, piece + i, size);
        parts[scratch->parts.count++] = (lm_vocab_part){(uint32_t)i, (uint32_t)size, symbol};
        i += size;
    }
    lm_status status = lm_merge_parts(vocab, scratch, piece);
    if (status != LM_OK) return status;
    parts = scratch->parts.data;
    for (size_t i = 0; i < scratch->parts.count; i++) {
        if (parts[i].symbol < vocab->n_tokens) {
            lm_sink_put(sink, (lm_token)parts[i].symbol);
        } else if (vocab->byte_level) { /* the letters that are tokens stand for themselves */
            const lm_vocab_entry *entry = &vocab->entries.data[parts[i].symbol];
            lm_vocab_put_bytes(vocab, entry->text, entry->size, sink);
        } else {
            lm_vocab_put_bytes(vocab, piece + parts[i].start, parts[i].size, sink);
        }
    }
    return LM_OK;
}

/* Lower case in place of the text, in scratch: at most three bytes for each two. */
static lm_status lower(lm_vocab_scratch *scratch, const uint8_t **text, size_t *n) {
    const uint8_t *p = *text, *end = p + *n;
    size_t at = p == scratch->text.data ? *n : 0, start = at; /* behind what repair left there */
    scratch->text.count = at;
    size_t offset = at ? (size_t)(p - scratch->text.data) : 0;
    if (!lm_array_reserve(&scratch->env, &scratch->text, 2 * *n)) return LM_ERR_MEMORY;
    if (at) p = scratch->text.data + offset, end = p + *n;
    while (p < end) {
        size_t size;
        uint32_t cp = lm_utf8_read(p, &size);
        at += lm_utf8_encode(lm_unicode_lower(cp), (char *)scratch->text.data + at);
        p += size;
    }
    *text = scratch->text.data + start;
    *n = at - start;
    return LM_OK;
}

lm_status lm_bpe_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                        lm_vocab_sink *sink) {
    lm_status status = lm_vocab_repair(scratch, vocab->escape_spaces, &text, &n);
    bool drop = (vocab->pretok->flags & LM_PRETOK_DROP_SPACES) != 0;
    if (status == LM_OK && drop && vocab->lowercase) status = lower(scratch, &text, &n);
    if (status != LM_OK) return status;
    lm_pretok cut;
    const uint8_t *piece;
    size_t size, ignored;
    bool known;
    lm_pretok_begin(&cut, vocab->pretok, text, n);
    while (lm_pretok_next(&cut, &piece, &size)) {
        if (drop && (lm_unicode_mask(lm_utf8_read(piece, &ignored)) & LM_UC_SPACE)) continue;
        lm_cache_slot *slot = lm_cache_slot_of(scratch, piece, size, &known);
        sink->recent_start = sink->count;
        if (known) {
            for (unsigned i = 0; i < slot->n_ids; i++) lm_sink_put(sink, slot->ids[i]);
            continue;
        }
        status = encode_piece(vocab, scratch, piece, size, sink);
        if (status != LM_OK) return status;
        lm_cache_store(slot, piece, size, sink);
    }
    return LM_OK;
}
