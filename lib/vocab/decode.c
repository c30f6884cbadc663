/* SPDX-License-Identifier: MIT
 * Tokens to bytes. A piece is what one token stands for; decoding a list also tidies spaces, as filters of a few bytes of
 * memory in a row, so that nothing is allocated and the size is known without room for the text. */
#include "vocab_internal.h"
#include "../base/utf8.h"

#define HIDDEN (LM_TOKEN_ATTRIBUTE_CONTROL | LM_TOKEN_ATTRIBUTE_UNKNOWN)
#define VERBATIM (HIDDEN | LM_TOKEN_ATTRIBUTE_USER_DEFINED)

/* Where bytes go: those beyond capacity are only counted. The rest of the fields belong to the tidying filters. */
typedef struct output {
    char *out;
    size_t capacity, count;
    size_t skip;        /* bytes still to be left out at the start */
    bool drop_space;    /* the next byte is left out if it is a space */
    bool tidy;          /* bytes pass the filters */
    bool space;         /* filter 1 holds " " */
    uint8_t quote;      /* filter 2 holds " " (1) or " '" (2) */
    uint8_t apostrophe; /* filter 3 holds " " (1), " '" (2) or " 'r" / " 'v" (3) */
    uint8_t letter;     /* of the last */
} output;

static void emit(output *o, uint8_t byte) {
    if (o->skip > 0) {
        o->skip--;
        return;
    }
    if (o->count < o->capacity) o->out[o->count] = (char)byte;
    o->count++;
}

/* A space before 's 'm 're 've goes. */
static void filter_3(output *o, uint8_t c) {
    uint8_t held = o->apostrophe;
    o->apostrophe = 0;
    if (held == 1) {
        if (c == '\'') {
            o->apostrophe = 2;
            return;
        }
        emit(o, ' ');
    } else if (held == 2) {
        if (c == 'r' || c == 'v') {
            o->apostrophe = 3;
            o->letter = c;
            return;
        }
        if (c != 's' && c != 'm') emit(o, ' ');
        emit(o, '\'');
    } else if (held == 3) {
        if (c != 'e') emit(o, ' ');
        emit(o, '\'');
        emit(o, o->letter);
    }
    if (c == ' ')
        o->apostrophe = 1;
    else
        emit(o, c);
}

/* An apostrophe between spaces loses both. */
static void filter_2(output *o, uint8_t c) {
    uint8_t held = o->quote;
    o->quote = 0;
    if (held == 1 && c == '\'') {
        o->quote = 2;
        return;
    }
    if (held == 2 && c == ' ') {
        filter_3(o, '\'');
        return;
    }
    if (held) filter_3(o, ' ');
    if (held == 2) filter_3(o, '\'');
    if (c == ' ')
        o->quote = 1;
    else
        filter_3(o, c);
}

/* A space before punctuation goes. */
static void filter_1(output *o, uint8_t c) {
    if (o->space && c != '?' && c != '!' && c != '.' && c != ',') filter_2(o, ' ');
    o->space = c == ' ';
    if (!o->space) filter_2(o, c);
}

/* Let out what the filters hold. */
static void finish(output *o) {
    if (o->space) filter_2(o, ' ');
    if (o->quote) filter_3(o, ' ');
    if (o->quote == 2) filter_3(o, '\'');
    if (o->apostrophe) emit(o, ' ');
    if (o->apostrophe >= 2) emit(o, '\'');
    if (o->apostrophe == 3) emit(o, o->letter);
}

static void put(output *o, uint8_t byte) {
    bool dropped = o->drop_space && byte == ' ';
    o->drop_space = false;
    if (dropped) return;
    if (o->tidy)
        filter_1(o, byte);
    else
        emit(o, byte);
}

static void put_all(output *o, const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) put(o, bytes[i]);
}

/* U+2581 reads as a space. */
static void put_unescaped(output *o, const uint8_t *text, size_t n) {
    for (size_t i = 0; i < n;) {
        if (text[i] == 0xE2 && n - i >= 3 && text[i + 1] == 0x96 && text[i + 2] == 0x81) {
            put(o, ' ');
            i += 3;
        } else {
            put(o, text[i++]);
        }
    }
}

/* Letters of the byte alphabet read as their bytes; anything else stays as it is. */
static void put_letters(output *o, const uint8_t *text, size_t n) {
    for (size_t i = 0; i < n;) {
        uint32_t letter = text[i];
        size_t size = 1;
        int byte = -1;
        if (letter >= 0x80) size = lm_utf8_decode((const char *)text + i, n - i, &letter);
        if (size > 0) byte = lm_letter_byte(letter);
        if (byte >= 0)
            put(o, (uint8_t)byte);
        else
            put_all(o, text + i, size ? size : 1);
        i += size ? size : 1;
    }
}

static void put_byte_token(output *o, const uint8_t *text, size_t n) {
    static const char digits[] = "0123456789ABCDEFabcdef";
    unsigned byte = 0;
    if (n != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>') {
        put_all(o, text, n);
        return;
    }
    for (int i = 3; i < 5; i++) {
        const char *digit = memchr(digits, text[i], 22);
        unsigned value = digit ? (unsigned)(digit - digits) : 0;
        if (!digit) {
            put_all(o, text, n);
            return;
        }
        byte = byte << 4 | (value < 16 ? value : value - 6);
    }
    put(o, (uint8_t)byte);
}

static void put_rwkv(output *o, const uint8_t *text, size_t n) {
    uint8_t bytes[LM_VOCAB_MAX_SPECIAL_BYTES]; /* the bound of this type's tokens */
    size_t size = lm_rwkv_unescape(text, n, bytes);
    put_all(o, bytes, size);
}

static void put_piece(const lm_vocab *vocab, output *o, lm_token token, uint32_t flags) {
    const lm_vocab_entry *entry = &vocab->entries.data[token];
    const uint8_t *text = entry->text;
    uint32_t attributes = entry->attributes;
    if ((attributes & HIDDEN) && !(flags & LM_DETOKENIZE_SPECIAL)) return;
    if (vocab->type == LM_VOCAB_TYPE_RWKV)
        put_rwkv(o, text, entry->size);
    else if (attributes & VERBATIM)
        put_all(o, text, entry->size);
    else if (attributes & LM_TOKEN_ATTRIBUTE_BYTE)
        put_byte_token(o, text, entry->size);
    else if (vocab->type == LM_VOCAB_TYPE_PLAMO2)
        put_all(o, text, entry->size);
    else if (!(attributes & LM_TOKEN_ATTRIBUTE_NORMAL))
        return;
    else if (vocab->byte_level)
        put_letters(o, text, entry->size);
    else if (vocab->type == LM_VOCAB_TYPE_BPE && !vocab->escape_spaces)
        put_all(o, text, entry->size);
    else
        put_unescaped(o, text, entry->size);
}

size_t lm_vocab_piece_from(const lm_vocab *vocab, lm_token token, uint32_t flags, size_t skip, char *out,
                           size_t capacity) {
    if (token < 0 || (uint32_t)token >= vocab->n_tokens || !vocab->entries.data) return 0;
    output o = {.out = out, .capacity = capacity, .skip = skip};
    put_piece(vocab, &o, token, flags);
    return o.count;
}

size_t lm_vocab_piece(const lm_vocab *vocab, lm_token token, uint32_t flags, char *out, size_t capacity) {
    return lm_vocab_piece_from(vocab, token, flags, 0, out, capacity);
}

size_t lm_vocab_max_piece(const lm_vocab *vocab) { return vocab->max_text; }

lm_status lm_vocab_decode(const lm_vocab *vocab, const lm_token *tokens, size_t n_tokens, uint32_t flags, char *out,
                          size_t capacity, size_t *size) {
    output o = {.out = out, .capacity = capacity, .tidy = vocab->clean_spaces, .drop_space = vocab->add_space_prefix};
    size_t i = 0;
    if (vocab->type == LM_VOCAB_TYPE_NONE) return LM_ERR_UNSUPPORTED;
    for (size_t k = 0; k < n_tokens; k++)
        if (tokens[k] < 0 || (uint32_t)tokens[k] >= vocab->n_tokens) return LM_ERR_RANGE;
    if (flags & LM_DETOKENIZE_REMOVE_ADDED) {
        if (n_tokens > 0 && vocab->add_bos && tokens[0] == vocab->roles[LM_TOKEN_ROLE_BOS]) {
            o.drop_space = false;
            i = 1;
        }
        if (n_tokens > i && vocab->add_eos && tokens[n_tokens - 1] == vocab->roles[LM_TOKEN_ROLE_EOS]) n_tokens--;
    }
    for (; i < n_tokens; i++) {
        put_piece(vocab, &o, tokens[i], flags);
        o.drop_space = false;
    }
    finish(&o);
    *size = o.count;
    return LM_OK;
}
