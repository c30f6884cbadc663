/* SPDX-License-Identifier: MIT
 * Inside of the vocabulary: its layout, and what the files of this room offer each other.
 *
 * A symbol is an index into entries: the tokens first, then texts that only merges mention. Merging works on symbols, so
 * that a pair is looked up as two numbers; a symbol below n_tokens is the token with that text. */
#ifndef LM_VOCAB_VOCAB_INTERNAL_H
#define LM_VOCAB_VOCAB_INTERNAL_H

#include "../base/arena.h"
#include "../base/array.h"
#include "../base/format.h"
#include "pair_table.h"
#include "pretokenize.h"
#include "text_table.h"
#include "trie.h"
#include "vocab.h"

#define LM_SYMBOL_NONE UINT32_MAX

typedef struct lm_vocab_entry {
    const uint8_t *text; /* into the file, or the arena */
    uint32_t size;
    uint32_t attributes;
} lm_vocab_entry;

/* The trie of replacements that a unigram model normalises its text with. */
typedef struct lm_charsmap {
    const uint8_t *nodes; /* [n_nodes] little-endian u32 */
    uint32_t n_nodes;
    const uint8_t *strings; /* NUL-terminated */
    uint32_t strings_size;
} lm_charsmap;

struct lm_vocab {
    lm_env env;
    lm_arena arena; /* texts that are not in the file */
    lm_vocab_type type;
    const lm_pretok_type *pretok; /* BPE */
    LM_ARRAY(lm_vocab_entry) entries;
    uint32_t n_tokens;
    uint32_t max_text; /* bytes of the longest token text */
    lm_text_table table;
    lm_token roles[LM_TOKEN_ROLE_COUNT];
    bool add_bos, add_eos, add_sep, add_space_prefix, clean_spaces, escape_spaces, byte_level, ignore_merges;
    bool merge_spaces; /* UGM: runs of spaces become one */
    bool lowercase, strip_accents;
    bool bounded_words; /* SPM: no token reaches over the start of a word, so words are encoded one by one */
    uint8_t *ends;      /* [n_tokens] 1 for tokens that end a generation */
    LM_ARRAY(lm_token) suppressed;
    float *scores;              /* [n_tokens] SPM, UGM, PLaMo-2 */
    uint32_t *priorities;       /* [n_tokens] SPM: scores as numbers of which the smallest merges first */
    lm_pair_table pairs;        /* BPE */
    uint32_t warmed;            /* while opening; means nothing */
    uint32_t byte_symbols[256]; /* BPE: the symbol of a byte's letter in the byte alphabet */
    lm_token byte_tokens[256];  /* <0x00> .. <0xFF>, or the token of that single byte, or LM_TOKEN_NONE */
    lm_trie special;            /* tokens matched in text before anything else */
    bool special_start[2][256]; /* first bytes of those, [0] without and [1] with the ones only parsing finds */
    lm_trie words;              /* UGM, WPM, RWKV, PLaMo-2: the tokens the algorithm matches */
    lm_trie users;              /* UGM: user-defined tokens, which normalising leaves alone */
    lm_charsmap charsmap;
    float unknown_score; /* UGM */
};

/* A stretch of text that stands for one symbol. */
typedef struct lm_vocab_part {
    uint32_t start, size; /* bytes of the piece */
    uint32_t symbol;      /* or LM_SYMBOL_NONE */
} lm_vocab_part;

typedef struct lm_merge_candidate {
    uint64_t key;  /* priority, then index of the left part: the order of merging */
    uint32_t size; /* bytes of both parts when it was found; other parts there mean it is out of date */
    uint32_t result;
} lm_merge_candidate;

/* Cheapest way to reach a place in the text. */
typedef struct lm_vocab_step {
    double score;
    uint32_t start; /* where the last token begins */
    lm_token token;
} lm_vocab_step;

#define LM_CACHE_KEY 30
#define LM_CACHE_IDS 8
typedef struct lm_cache_slot {
    uint8_t size, n_ids;
    uint8_t key[LM_CACHE_KEY];
    lm_token ids[LM_CACHE_IDS];
} lm_cache_slot;

struct lm_vocab_scratch {
    lm_env env;
    LM_ARRAY(uint8_t) text;
    LM_ARRAY(lm_vocab_part) parts;
    LM_ARRAY(uint32_t) links; /* next and previous part */
    LM_ARRAY(lm_merge_candidate) heap;
    LM_ARRAY(lm_vocab_step) steps;
    lm_cache_slot *cache; /* [n_cache], a power of two, or NULL */
    uint32_t n_cache;
    bool continues; /* the stretch being encoded goes on a text: no space in front of it */
};

/* Where tokens go. */
typedef struct lm_vocab_sink {
    lm_token *out;
    size_t capacity, count;
    lm_token recent[LM_CACHE_IDS]; /* of the piece that began when recent_start was set to count */
    size_t recent_start;
} lm_vocab_sink;

static inline void lm_sink_put(lm_vocab_sink *sink, lm_token token) {
    if (sink->count < sink->capacity) sink->out[sink->count] = token;
    size_t i = sink->count - sink->recent_start;
    if (i < LM_CACHE_IDS) sink->recent[i] = token;
    sink->count++;
}

/* The symbol of a text, or LM_SYMBOL_NONE. */
uint32_t lm_vocab_find_symbol(const lm_vocab *vocab, const uint8_t *text, size_t size);

/* The same where the table exists and the hash is known. */
uint32_t lm_vocab_find_hashed(const lm_vocab *vocab, const uint8_t *text, size_t size, uint32_t hash);

/* The symbol of a text, made when there is none; hash is lm_text_hash of it, and it must outlive the vocabulary. */
lm_status lm_vocab_intern(lm_vocab *vocab, const uint8_t *text, size_t size, uint32_t hash, uint32_t *symbol,
                          lm_error *error);

/* The parts of opening, in this order. Each reads its keys and fills its fields. */
lm_status lm_vocab_read_tokens(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error);
lm_status lm_vocab_read_roles(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error);
lm_status lm_vocab_build_special(lm_vocab *vocab, lm_error *error);
void lm_vocab_build_bytes(lm_vocab *vocab); /* cannot fail: bytes may have no token */
lm_status lm_bpe_open(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error);
lm_status lm_spm_open(lm_vocab *vocab, lm_error *error);
lm_status lm_wpm_open(lm_vocab *vocab, lm_error *error);
lm_status lm_ugm_open(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error);
lm_status lm_rwkv_open(lm_vocab *vocab, lm_error *error);
lm_status lm_plamo2_open(lm_vocab *vocab, lm_error *error);

/* Encode one stretch of text between special tokens; n > 0. */
lm_status lm_bpe_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                        lm_vocab_sink *sink);
lm_status lm_spm_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                        lm_vocab_sink *sink);
lm_status lm_wpm_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                        lm_vocab_sink *sink);
lm_status lm_ugm_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                        lm_vocab_sink *sink);
lm_status lm_rwkv_encode(const lm_vocab *vocab, const uint8_t *text, size_t n, lm_vocab_sink *sink);
lm_status lm_plamo2_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                           lm_vocab_sink *sink);

/* Special tokens in a text, from the left. Returns true with the next one in [*start, *end), or false: none is left. */
bool lm_special_next(const lm_vocab *vocab, bool parse, const uint8_t *text, size_t n, size_t from, size_t *start,
                     size_t *end, lm_token *token);

/* Merge neighbouring parts (scratch->parts, all of them) until no pair is known: what is left stays in scratch->parts. */
lm_status lm_merge_parts(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text);

/* Put what stands for a text without a token: byte tokens, or the unknown token. */
void lm_vocab_put_bytes(const lm_vocab *vocab, const uint8_t *text, size_t n, lm_vocab_sink *sink);

/* Well-formed UTF-8 with each malformed byte as U+FFFD; the text itself when there is nothing to change, else in scratch. */
lm_status lm_vocab_repair(lm_vocab_scratch *scratch, bool escape_spaces, const uint8_t **text, size_t *n);

/* Make the cache fit for a text of n bytes. */
lm_status lm_cache_prepare(lm_vocab_scratch *scratch, size_t n);
/* The slot a piece belongs to, or NULL when it is not cached; *known tells whether the slot holds it. */
lm_cache_slot *lm_cache_slot_of(const lm_vocab_scratch *scratch, const uint8_t *piece, size_t n, bool *known);
void lm_cache_store(lm_cache_slot *slot, const uint8_t *piece, size_t n, const lm_vocab_sink *sink);

/* The byte alphabet of GPT-2: each byte has a printable letter below U+0144. */
uint32_t lm_byte_letter(uint8_t byte);
int lm_letter_byte(uint32_t letter); /* -1 when it is none */

/* The bytes of a piece behind the first skip ones: lm_vocab_piece for a reader with little room. */
size_t lm_vocab_piece_from(const lm_vocab *vocab, lm_token token, uint32_t flags, size_t skip, char *out,
                           size_t capacity);

/* The stored text of a RWKV token without its escapes; returns its length, or SIZE_MAX when malformed. out may be NULL. */
size_t lm_rwkv_unescape(const uint8_t *text, size_t n, uint8_t *out);

#endif
