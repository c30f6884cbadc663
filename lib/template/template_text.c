/* SPDX-License-Identifier: MIT
 * Strings with origins: slicing shares bytes and runs, building copies both. */
#include "template_text.h"

#include <string.h>

#include "../base/utf8.h"
#include "template_interp.h"

lm_text *lm_text_borrow(lm_interp *interp, const char *bytes, size_t n, lm_origin origin) {
    lm_text *text = lm_interp_alloc(interp, sizeof *text);
    if (!text) return NULL;
    memset(text, 0, sizeof *text);
    text->bytes = bytes;
    text->n = n;
    text->n_chars = SIZE_MAX;
    text->origin = origin;
    return text;
}

lm_text *lm_text_copy(lm_interp *interp, const char *bytes, size_t n, lm_origin origin) {
    char *copy = lm_interp_alloc(interp, n + 1);
    if (!copy || !lm_interp_charge(interp, n / 16)) return NULL;
    if (n) memcpy(copy, bytes, n);
    return lm_text_borrow(interp, copy, n, origin);
}

/* Index of the run that holds the byte at pos. */
static size_t find_run(const lm_text *text, size_t pos) {
    size_t low = 0, high = text->n_runs - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (text->runs[middle].end > text->base + pos)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

lm_origin lm_text_origin(const lm_text *text, size_t pos, size_t *end) {
    *end = text->n;
    if (!text->runs) return text->origin;
    const lm_text_run *run = &text->runs[find_run(text, pos)];
    if (run->end - text->base < text->n) *end = run->end - text->base;
    return run->origin;
}

const lm_text *lm_text_slice(lm_interp *interp, const lm_text *text, size_t from, size_t to) {
    if (from == 0 && to == text->n) return text;
    lm_text *slice = lm_text_borrow(interp, text->bytes + from, to - from, text->origin);
    if (!slice) return NULL;
    if (text->n_chars == text->n) slice->n_chars = slice->n;
    if (text->runs && to > from) {
        size_t first = find_run(text, from);
        if (text->runs[first].end - text->base >= to) {
            slice->origin = text->runs[first].origin;
        } else {
            slice->runs = text->runs + first;
            slice->n_runs = text->n_runs - first;
            slice->base = text->base + from;
        }
    }
    if (text->builder && to == text->n && slice->runs) slice->builder = text->builder;
    return slice;
}

size_t lm_text_chars(const lm_text *text) {
    /* The count is kept where it was asked for; that is no change anyone can see. */
    if (text->n_chars == SIZE_MAX) ((lm_text *)text)->n_chars = lm_utf8_count(text->bytes, text->n);
    return text->n_chars;
}

size_t lm_text_char_size(const lm_text *text, size_t pos) {
    uint32_t code;
    return lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code);
}

size_t lm_text_offset(const lm_text *text, size_t index) {
    if (lm_text_chars(text) == text->n) return index;
    size_t pos = 0;
    while (index-- && pos < text->n) pos += lm_text_char_size(text, pos);
    return pos;
}

size_t lm_text_index(const lm_text *text, size_t offset) {
    return lm_text_chars(text) == text->n ? offset : lm_utf8_count(text->bytes, offset);
}

/* Rabin and Karp: a rolling hash of the window, each hit checked. The first window starts at pos. */
static size_t search(const lm_text *text, const lm_text *needle, size_t pos, size_t n_windows, bool backwards) {
    const unsigned char *bytes = (const unsigned char *)text->bytes,
                        *wanted_bytes = (const unsigned char *)needle->bytes;
    size_t n = needle->n;
    uint32_t wanted = 0, window = 0, power = 1;
    for (size_t i = 0; i < n; i++) {
        size_t at = backwards ? n - 1 - i : i; /* the byte that leaves the window first is hashed first */
        wanted = wanted * 16777619u + wanted_bytes[at];
        window = window * 16777619u + bytes[pos + at];
        if (i) power *= 16777619u;
    }
    for (size_t i = 0; i < n_windows; i++) {
        if (window == wanted && memcmp(bytes + pos, needle->bytes, n) == 0) return pos;
        if (i + 1 == n_windows) break;
        if (backwards) {
            window = (window - bytes[pos + n - 1] * power) * 16777619u + bytes[pos - 1];
            pos--;
        } else {
            window = (window - bytes[pos] * power) * 16777619u + bytes[pos + n];
            pos++;
        }
    }
    return SIZE_MAX;
}

size_t lm_text_find(const lm_text *text, const lm_text *needle, size_t from) {
    if (from > text->n || text->n - from < needle->n) return SIZE_MAX;
    return needle->n ? search(text, needle, from, text->n - from - needle->n + 1, false) : from;
}

size_t lm_text_find_last(const lm_text *text, const lm_text *needle, size_t end) {
    if (end < needle->n) return SIZE_MAX;
    return needle->n ? search(text, needle, end - needle->n, end - needle->n + 1, true) : end;
}

bool lm_text_equal(const lm_text *a, const lm_text *b) {
    return a->n == b->n && (a->n == 0 || memcmp(a->bytes, b->bytes, a->n) == 0);
}

bool lm_text_is(const lm_text *text, const char *word) {
    size_t n = strlen(word);
    return text->n == n && memcmp(text->bytes, word, n) == 0;
}

int lm_text_compare(const lm_text *a, const lm_text *b) {
    /* Byte order of UTF-8 is code point order. */
    size_t n = a->n < b->n ? a->n : b->n;
    int order = n ? memcmp(a->bytes, b->bytes, n) : 0;
    return order ? order : a->n < b->n ? -1 : a->n > b->n;
}

void lm_builder_init(lm_text_builder *builder, lm_interp *interp) {
    memset(builder, 0, sizeof *builder);
    builder->interp = interp;
    builder->limit = LM_TEXT_BYTES_MAX;
}

lm_text_builder *lm_builder_new(lm_interp *interp) {
    lm_text_builder *builder = lm_interp_alloc(interp, sizeof *builder);
    if (builder) lm_builder_init(builder, interp);
    return builder;
}

static bool reserve(lm_text_builder *builder, size_t n) {
    if (builder->limit - builder->used < n) return lm_interp_limit(builder->interp, "a text grows beyond its limit");
    if (!lm_interp_charge(builder->interp, n / 16)) return false;
    if (builder->capacity - builder->used >= n) return true;
    size_t capacity = builder->capacity < 64 ? 128 : builder->capacity * 2;
    if (capacity < builder->used + n) capacity = builder->used + n;
    char *bytes = lm_interp_alloc(builder->interp, capacity);
    if (!bytes) return false;
    if (builder->used) memcpy(bytes, builder->bytes, builder->used);
    builder->bytes = bytes;
    builder->capacity = capacity;
    return true;
}

static bool add_run(lm_text_builder *builder, size_t end, lm_origin origin) {
    if (builder->n_runs && builder->runs[builder->n_runs - 1].origin == origin) {
        builder->runs[builder->n_runs - 1].end = end;
        return true;
    }
    if (builder->n_runs == builder->runs_capacity) {
        size_t capacity = builder->runs_capacity ? builder->runs_capacity * 2 : 4;
        lm_text_run *runs = lm_interp_alloc(builder->interp, capacity * sizeof *runs);
        if (!runs) return false;
        if (builder->n_runs) memcpy(runs, builder->runs, builder->n_runs * sizeof *runs);
        builder->runs = runs;
        builder->runs_capacity = capacity;
    }
    builder->runs[builder->n_runs++] = (lm_text_run){end, origin};
    return true;
}

bool lm_builder_bytes(lm_text_builder *builder, const char *bytes, size_t n, lm_origin origin) {
    if (n == 0) return true;
    if (!reserve(builder, n) || !add_run(builder, builder->used + n, origin)) return false;
    memcpy(builder->bytes + builder->used, bytes, n);
    builder->used += n;
    return true;
}

bool lm_builder_word(lm_text_builder *builder, const char *word) {
    return lm_builder_bytes(builder, word, strlen(word), LM_ORIGIN_TEMPLATE);
}

bool lm_builder_fill(lm_text_builder *builder, char c, size_t n) {
    if (n == 0) return true;
    if (!reserve(builder, n) || !add_run(builder, builder->used + n, LM_ORIGIN_TEMPLATE)) return false;
    memset(builder->bytes + builder->used, c, n);
    builder->used += n;
    return true;
}

static bool append(lm_text_builder *builder, const lm_text *text, size_t from, size_t to, lm_origin item) {
    while (from < to) {
        size_t end;
        lm_origin origin = lm_text_origin(text, from, &end);
        if (end > to) end = to;
        if (origin >> 1 == 0) origin |= item;
        if (!lm_builder_bytes(builder, text->bytes + from, end - from, origin)) return false;
        from = end;
    }
    return true;
}

bool lm_builder_slice(lm_text_builder *builder, const lm_text *text, size_t from, size_t to) {
    return append(builder, text, from, to, 0);
}

bool lm_builder_text(lm_text_builder *builder, const lm_text *text) { return append(builder, text, 0, text->n, 0); }

bool lm_builder_emit(lm_text_builder *builder, const lm_text *text, lm_origin item) {
    return append(builder, text, 0, text->n, item);
}

const lm_text *lm_builder_finish(lm_text_builder *builder) {
    lm_text *text =
        lm_text_borrow(builder->interp, builder->bytes ? builder->bytes : "", builder->used, LM_ORIGIN_TEMPLATE);
    if (!text) return NULL;
    text->runs = builder->n_runs ? builder->runs : NULL;
    text->n_runs = builder->n_runs;
    text->builder = builder;
    return text;
}

const lm_text *lm_text_concat(lm_interp *interp, const lm_text *left, const lm_text *right) {
    if (right->n == 0) return left;
    if (left->n == 0) return right;
    lm_text_builder *builder = left->builder;
    /* In place when left ends where its buffer does: nobody else can see the bytes behind it. */
    bool continues = builder && left->runs && left->bytes + left->n == builder->bytes + builder->used &&
                     builder->capacity - builder->used >= right->n;
    if (!continues) {
        builder = lm_builder_new(interp);
        if (!builder || !lm_builder_text(builder, left)) return NULL;
    }
    size_t start = continues ? (size_t)(left->bytes - builder->bytes) : 0;
    if (!lm_builder_text(builder, right)) return NULL;
    lm_text *text = lm_text_borrow(interp, builder->bytes + start, builder->used - start, LM_ORIGIN_TEMPLATE);
    if (!text) return NULL;
    text->runs = builder->runs;
    text->n_runs = builder->n_runs;
    text->base = start;
    text->builder = builder;
    return text;
}
