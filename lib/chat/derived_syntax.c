/* SPDX-License-Identifier: MIT
 * From the text of one call, and of two, to the tables of an engine. Left of the first call, between the calls and right of
 * the last one are cut into what opens and closes a section and what opens and closes a call: the latter occur between two
 * calls as well. */
#include <string.h>

#include "../reply/json_scan.h"
#include "family_derive.h"

typedef lm_derived_text text;

static text slice(text t, size_t from, size_t to) {
    return to > from ? (text){t.at + from, to - from} : (text){t.at, 0};
}
static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

lm_derived_text lm_derived_trim(text t) {
    while (t.n > 0 && is_space(*t.at)) t.at++, t.n--;
    while (t.n > 0 && is_space(t.at[t.n - 1])) t.n--;
    return t;
}

size_t lm_derived_find(text t, const char *word, size_t from) {
    size_t n = strlen(word);
    for (size_t i = from; i + n <= t.n; i++)
        if (memcmp(t.at + i, word, n) == 0) return i;
    return SIZE_MAX;
}

const char *lm_derived_keep(lm_derived_family *d, text t) {
    if (sizeof d->text - d->text_size <= t.n + 1) return NULL;
    char *copy = d->text + d->text_size;
    memcpy(copy, t.at, t.n);
    copy[t.n] = '\0';
    d->text_size += t.n + 1;
    return copy;
}

/* A list of those that are not empty; "" when all are. */
static const char *keep_words(lm_derived_family *d, const text *words, size_t n) {
    const char *list = d->text + d->text_size;
    for (size_t i = 0; i < n; i++)
        if (words[i].n > 0 && !lm_derived_keep(d, words[i])) return NULL;
    return lm_derived_keep(d, (text){"", 0}) ? list : NULL;
}

/* The JSON object at from ends before *to. */
static bool object_end(text t, size_t from, size_t *to) {
    lm_json_scan scan = {0};
    for (size_t i = from; i < t.n; i++) {
        lm_scan_result step = lm_json_scan_byte(&scan, t.at[i]);
        *to = i + 1;
        if (step != LM_SCAN_GOES_ON) return step == LM_SCAN_DONE;
    }
    return false;
}

/* The innermost object with all of [least, most) in it. */
static bool object_around(text t, size_t least, size_t most, size_t *from, size_t *to) {
    for (size_t i = least + 1; i-- > 0 && least - i < 512;)
        if (t.at[i] == '{' && object_end(t, i, to) && *to >= most) {
            *from = i;
            return true;
        }
    return false;
}

typedef struct frame {
    text section_open, call_open, call_close, between, section_close;
    bool repeats;
} frame;

static frame cut(text left, text middle, text right, bool repeats) {
    frame f = {{"", 0}, left, right, {"", 0}, {"", 0}, repeats};
    size_t n_open = 0, n_close = 0;
    if (!repeats) return f;
    while (n_close < right.n && n_close < middle.n && right.at[n_close] == middle.at[n_close]) n_close++;
    for (size_t i = n_close; i-- > 0 && right.at[i] != '>';) /* not inside of a tag */
        if (right.at[i] == '<') n_close = i;
    while (n_open < left.n && n_open + n_close < middle.n &&
           left.at[left.n - 1 - n_open] == middle.at[middle.n - 1 - n_open])
        n_open++;
    for (size_t i = 0; i < n_open && left.at[left.n - n_open + i] != '<'; i++)
        if (left.at[left.n - n_open + i] == '>') n_open -= i + 1, i = (size_t)-1;
    f.section_open = slice(left, 0, left.n - n_open);
    f.call_open = slice(left, left.n - n_open, left.n);
    f.call_close = slice(right, 0, n_close);
    f.section_close = slice(right, n_close, right.n);
    f.between = slice(middle, n_close, middle.n - n_open);
    return f;
}

/* How calls are written: body is one, with what varies marked. */
static bool fill_calls(lm_derived_family *d, const frame *f, const char *body_text, text wakes) {
    lm_call_syntax *calls = &d->calls;
    text body = {body_text, strlen(body_text)}, open = f->section_open, call = f->call_open;
    while (open.n > 0 && is_space(*open.at)) open = slice(open, 1, open.n);
    while (open.n == 0 && call.n > 0 && is_space(*call.at)) call = slice(call, 1, call.n);
    size_t from = d->text_size;
    const text parts[] = {call, body, f->call_close};
    for (size_t i = 0; i < 3; i++) {
        if (!lm_derived_keep(d, parts[i])) return false;
        d->text_size--; /* joined */
    }
    d->text_size++;
    if (!lm_derived_keep(d, (text){"", 0})) return false;
    calls->calls = d->text + from;
    calls->open = lm_derived_keep(d, open);
    calls->close = lm_derived_keep(d, f->section_close);
    calls->close_is_optional = lm_derived_trim(f->section_close).n > 0 && lm_derived_trim(f->call_close).n > 0;
    calls->between = f->repeats ? lm_derived_keep(d, f->between) : NULL;
    calls->wakes = keep_words(d, &wakes, 1);
    return calls->open && calls->close && calls->wakes && (calls->between || !f->repeats);
}

/* A part of a call with an id in it marked. */
static bool put_marked(char *out, size_t cap, size_t *n, text t) {
    size_t at = lm_derived_find(t, LM_DERIVED_ID, 0);
    for (size_t i = 0; i < t.n; i++) {
        if (*n + 2 > cap) return false;
        out[(*n)++] = i == at ? *LM_CALL_LETTERS : t.at[i];
        if (i == at) i += strlen(LM_DERIVED_ID) - 1;
    }
    out[*n] = '\0';
    return true;
}

static bool put_mark(char *out, size_t cap, size_t *n, const char *mark) {
    return put_marked(out, cap, n, (text){mark, 1});
}

/* {"name": ..., "arguments": {...}} somewhere in one. */
static bool fill_tagged(lm_derived_family *d, text one, text two, size_t from, size_t to, size_t inner,
                        size_t inner_end) {
    size_t name = lm_derived_find(one, LM_DERIVED_NAME, 0), from_2 = 0, to_1 = 0, to_2 = 0, n = 0;
    char body[1024];
    text middle = {"", 0}, right = slice(one, to, one.n);
    if (two.n > 0) {
        size_t name_2 = lm_derived_find(two, LM_DERIVED_NAME_2, 0);
        if (!object_end(two, from, &to_1) ||
            !object_around(two, name_2, name_2 + strlen(LM_DERIVED_NAME_2), &from_2, &to_2) || from_2 < to_1)
            return false;
        middle = slice(two, to_1, from_2);
        right = slice(two, to_2, two.n);
    }
    frame f = cut(slice(one, 0, from), middle, right, two.n > 0);
    text open = lm_derived_trim(f.call_open), section = lm_derived_trim(f.section_open);
    d->tagged.list = (open.n > 0 ? open : section).n > 0 &&
                     (open.n > 0 ? open : section).at[(open.n > 0 ? open : section).n - 1] == '[';
    if (d->tagged.list) {
        if (open.n > 0)
            open = lm_derived_trim(slice(open, 0, open.n - 1));
        else
            section = lm_derived_trim(slice(section, 0, section.n - 1));
    }
    text closes[] = {lm_derived_trim(f.call_close), lm_derived_trim(f.section_close)};
    for (size_t i = 0; i < 2; i++)
        if (d->tagged.list && closes[i].n > 0 && *closes[i].at == ']')
            closes[i] = lm_derived_trim(slice(closes[i], 1, closes[i].n));
    text wakes = section.n > 0 ? section : open;
    if (wakes.n == 0) return false;
    if (open.n > 0 && section.n > 0) { /* marks of the section mean nothing beside those of calls */
        const text drops[] = {section, closes[1], {d->calls.answer, d->calls.answer ? strlen(d->calls.answer) : 0}};
        d->family.drops = keep_words(d, drops, 3);
        closes[1].n = 0;
    }
    d->tagged.opens = keep_words(d, open.n > 0 ? &open : &section, 1);
    d->tagged.closes = keep_words(d, closes, 2);
    d->family.step = lm_tagged_json_family_step;
    d->family.syntax = &d->tagged;
    size_t inside =
        name >= inner && name < inner_end ? 0 : 1; /* arguments that are a text of JSON cannot be followed */
    bool named = from < name && name < to;
    if (!named || !d->tagged.opens || !d->tagged.closes) return false;
    if (!inside) return true;
    bool first = name < inner;
    size_t name_end = name + strlen(LM_DERIVED_NAME);
    d->tagged.name_is_key = first && one.at[name_end] == '"' && one.at[name_end + 1] == ':';
    bool good = put_marked(body, sizeof body, &n, slice(one, from, first ? name : inner)) &&
                put_mark(body, sizeof body, &n, first ? LM_CALL_NAME : LM_CALL_ARGUMENTS) &&
                put_marked(body, sizeof body, &n, slice(one, first ? name_end : inner_end, first ? inner : name)) &&
                put_mark(body, sizeof body, &n, first ? LM_CALL_ARGUMENTS : LM_CALL_NAME) &&
                put_marked(body, sizeof body, &n, slice(one, first ? inner_end : name_end, to));
    return good && fill_calls(d, &f, body, wakes);
}

/* NAME, perhaps an id, and then JSON. */
static bool fill_headed(lm_derived_family *d, text one, text two, size_t name, size_t inner, size_t inner_end) {
    size_t name_end = name + strlen(LM_DERIVED_NAME), id = lm_derived_find(slice(one, 0, inner), LM_DERIVED_ID, 0);
    size_t n_id = strlen(LM_DERIVED_ID), n = 0;
    char body[1024];
    if (name_end > inner) return false;
    bool id_first = id != SIZE_MAX && id < name, has_id = id != SIZE_MAX;
    size_t start = id_first ? id : name, header_end = has_id && !id_first ? id + n_id : name_end;
    text middle = {"", 0}, right = slice(one, inner_end, one.n);
    if (two.n > 0) {
        size_t first_end, second_end, second = lm_derived_find(two, LM_DERIVED_NAME_2, inner_end);
        size_t id_2 = lm_derived_find(two, LM_DERIVED_ID_2, 0), brace;
        if (second == SIZE_MAX || !object_end(two, inner, &first_end)) return false;
        for (brace = second; brace < two.n && two.at[brace] != '{'; brace++) {}
        if (brace == two.n || !object_end(two, brace, &second_end)) return false;
        if (id_first && id_2 < second) second = id_2;
        middle = slice(two, first_end, second);
        right = slice(two, second_end, two.n);
    }
    frame f = cut(slice(one, 0, start), middle, right, two.n > 0);
    text section = lm_derived_trim(f.section_open), call = lm_derived_trim(f.call_open);
    const text starts[] = {section, call}, ends[] = {lm_derived_trim(f.call_close), lm_derived_trim(f.section_close)};
    text gap = slice(one, header_end, inner), separator = lm_derived_trim(gap);
    if (separator.n == 0 && lm_derived_find(gap, "\n", 0) != SIZE_MAX) separator = (text){"\n", 1};
    text wakes = section.n > 0 ? section : call;
    if (separator.n == 0 || wakes.n == 0) return false;
    d->headed.starts = keep_words(d, starts, 2);
    d->headed.n_sections = section.n > 0 && call.n > 0;
    d->headed.separators = keep_words(d, &separator, 1);
    d->headed.ends = keep_words(d, ends, 2);
    d->headed.id_first = id_first;
    if (has_id) {
        text mark = id_first ? slice(one, id + n_id, name) : slice(one, name_end, id);
        if (lm_derived_trim(mark).n == 0 || !(d->headed.id_mark = lm_derived_keep(d, mark))) return false;
    }
    d->family.step = lm_headed_json_family_step;
    d->family.syntax = &d->headed;
    bool good = put_marked(body, sizeof body, &n, slice(one, start, name)) &&
                put_mark(body, sizeof body, &n, LM_CALL_NAME) &&
                put_marked(body, sizeof body, &n, slice(one, name_end, inner)) &&
                put_mark(body, sizeof body, &n, LM_CALL_ARGUMENTS);
    return good && d->headed.starts && d->headed.separators && d->headed.ends && fill_calls(d, &f, body, wakes);
}

/* Every argument in a tag. */
static bool fill_tags(lm_derived_family *d, text one, text two, size_t name) {
    size_t name_end = name + strlen(LM_DERIVED_NAME), key = lm_derived_find(one, LM_DERIVED_KEY, name_end);
    size_t key_end = key + strlen(LM_DERIVED_KEY), value = lm_derived_find(one, LM_DERIVED_VALUE, key_end);
    size_t value_end = value + strlen(LM_DERIVED_VALUE), key_2 = lm_derived_find(one, LM_DERIVED_KEY_2, value_end);
    size_t value_2 = lm_derived_find(one, LM_DERIVED_VALUE_2, key_2 + strlen(LM_DERIVED_KEY_2)), n = 0;
    char body[1024];
    if (key == SIZE_MAX || value == SIZE_MAX || key_2 == SIZE_MAX || value_2 == SIZE_MAX) return false;
    size_t end = value_2 + strlen(LM_DERIVED_VALUE_2);
    /* Between two arguments: the end of one, the beginning of the other. */
    frame argument = cut(slice(one, name_end, key), slice(one, value_end, key_2), slice(one, end, one.n), true);
    text value_close = argument.call_close, key_open = argument.call_open, gap = slice(one, key_end, value);
    size_t n_close = value_close.n;
    text middle = {"", 0}, right = slice(one, end + n_close, one.n), marks = lm_derived_trim(gap);
    if (two.n > 0) {
        size_t second = lm_derived_find(two, LM_DERIVED_NAME_2, 0), last = second;
        for (size_t at = second; (at = lm_derived_find(two, "other_value", at)) != SIZE_MAX; at++) last = at + 11;
        if (last == second || end + n_close > second) return false;
        middle = slice(two, end + n_close, second);
        right = slice(two, last + n_close, two.n);
    }
    frame f = cut(slice(one, 0, name), middle, right, two.n > 0);
    text section = lm_derived_trim(f.section_open), call = lm_derived_trim(f.call_open);
    const text starts[] = {section, call};
    text wakes = section.n > 0 ? section : call, name_close = lm_derived_trim(argument.section_open);
    text call_close = lm_derived_trim(f.call_close), section_close = lm_derived_trim(f.section_close);
    text parameter = lm_derived_trim(key_open), value_word = lm_derived_trim(value_close), key_close = marks,
         value_open = {"", 0};
    for (size_t i = 1; i < marks.n && value_open.n == 0; i++) /* a tag closes behind the key, and one opens */
        if (marks.at[i] == '<') {
            key_close = lm_derived_trim(slice(marks, 0, i));
            value_open = slice(marks, i, marks.n);
        }
    if (call.n == 0 || parameter.n == 0 || value_word.n == 0 || key_close.n == 0 || call_close.n == 0) return false;
    const text name_ends[] = {name_close.n > 0 ? name_close : (text){"\n", 1},
                              name_close.n > 0 ? name_close : parameter, name_close.n > 0 ? name_close : call_close};
    d->tags.starts = keep_words(d, starts, 2);
    d->tags.n_sections = section.n > 0;
    d->tags.name_ends = keep_words(d, name_ends, name_close.n > 0 ? 1 : 3);
    d->tags.name_ends_stay = name_close.n == 0;
    d->tags.parameter = lm_derived_keep(d, parameter);
    d->tags.key_ends = keep_words(d, &key_close, 1);
    d->tags.key_types[0] = '?';
    if (value_open.n > 0) d->tags.value_open = lm_derived_keep(d, value_open);
    d->tags.value_close = keep_words(d, &value_word, 1);
    d->tags.call_closes = keep_words(d, &call_close, 1);
    d->tags.section_closes = keep_words(d, &section_close, 1);
    d->tags.trims_lines = gap.at[gap.n - 1] == '\n';
    d->family.step = lm_xml_family_step;
    d->family.syntax = &d->tags;
    d->calls.style = LM_ARGUMENTS_TAGS;
    d->calls.key_open = lm_derived_keep(d, key_open);
    d->calls.key_close = lm_derived_keep(d, gap);
    d->calls.value_close = lm_derived_keep(d, value_close);
    bool good = put_mark(body, sizeof body, &n, LM_CALL_NAME) &&
                put_marked(body, sizeof body, &n, argument.section_open) &&
                put_mark(body, sizeof body, &n, LM_CALL_ARGUMENTS);
    return good && d->tags.section_closes && d->calls.value_close && fill_calls(d, &f, body, wakes);
}

bool lm_derived_fill(lm_derived_family *d, text one, text two) {
    size_t name = lm_derived_find(one, LM_DERIVED_NAME, 0), key = lm_derived_find(one, LM_DERIVED_KEY, 0);
    size_t name_end = name + strlen(LM_DERIVED_NAME), from, to, inner, inner_end;
    if (name == SIZE_MAX || key == SIZE_MAX || key == 0) return false;
    if (one.at[key - 1] != '"') return fill_tags(d, one, two, name);
    if (!object_around(one, key, key + 1, &inner, &inner_end)) return false;
    size_t least = name < inner ? name : inner, most = name_end > inner_end ? name_end : inner_end;
    if (object_around(one, least, most, &from, &to)) return fill_tagged(d, one, two, from, to, inner, inner_end);
    return fill_headed(d, one, two, name, inner, inner_end);
}
