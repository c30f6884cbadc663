/* SPDX-License-Identifier: MIT
 * References within the document: JSON pointers, anchors, and schemas by their "$id" as it is written. A schema with an "$id"
 * is a document of its own, which the pointers and anchors in it begin at. */
#include <string.h>

#include "json_schema.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One step of a pointer: decode it into name, then look it up. */
static const lm_json *pointer_step(const lm_json *at, const char *step, size_t n, char *name) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        char ch = step[i];
        if (ch == '%' && i + 2 < n && hex_digit(step[i + 1]) >= 0 && hex_digit(step[i + 2]) >= 0) {
            ch = (char)(hex_digit(step[i + 1]) << 4 | hex_digit(step[i + 2]));
            i += 2;
        }
        name[size++] = ch;
    }
    size_t decoded = 0;
    for (size_t i = 0; i < size; i++) {
        char ch = name[i];
        if (ch == '~' && i + 1 < size && (name[i + 1] == '0' || name[i + 1] == '1')) ch = name[++i] == '0' ? '~' : '/';
        name[decoded++] = ch;
    }
    if (!lm_json_is(at, LM_JSON_ARRAY)) return lm_json_find(at, name, decoded);
    size_t index = 0;
    for (size_t i = 0; i < decoded; i++) {
        if (name[i] < '0' || name[i] > '9' || index > at->count) return NULL;
        index = index * 10 + (size_t)(name[i] - '0');
    }
    return decoded ? lm_json_at(at, index) : NULL;
}

/* Is the value of a keyword this text? */
static bool is_named(const lm_json *node, const char *keyword, const char *text, size_t n) {
    const lm_json *name = lm_json_get(node, keyword);
    return lm_json_is(name, LM_JSON_STRING) && name->count == n && memcmp(name->text, text, n) == 0;
}

static bool is_document(const lm_json *node) {
    const lm_json *id = lm_json_get(node, "$id");
    return lm_json_is(id, LM_JSON_STRING) && id->count > 0 && id->text[0] != '#';
}

/* Child i, or NULL where it is a value and no schema. */
static const lm_json *child_of(const lm_json *at, size_t i) {
    if (at->type == LM_JSON_ARRAY) return &at->items[i];
    const char *name = at->members[i].name;
    return strcmp(name, "const") == 0 || strcmp(name, "enum") == 0 ? NULL : &at->members[i].value;
}

static size_t n_children(const lm_json *at) {
    return at->type == LM_JSON_ARRAY || at->type == LM_JSON_OBJECT ? at->count : 0;
}

/* The schema below at with this "$id", or, where the text begins with "#", with this anchor in the same document. */
static const lm_json *find_named(lm_schema *s, const lm_json *at, const char *text, size_t n) {
    bool anchor = text[0] == '#';
    if (is_named(at, "$id", text, n)) return at;
    if (anchor && (is_named(at, "$anchor", text + 1, n - 1) || is_named(at, "$dynamicAnchor", text + 1, n - 1)))
        return at;
    const lm_json *found = NULL;
    for (size_t i = 0; i < n_children(at) && !found && lm_schema_work(s, 1); i++) {
        const lm_json *child = child_of(at, i);
        if (child && !(anchor && is_document(child))) found = find_named(s, child, text, n);
    }
    return found;
}

/* The document that node is in, of those below at, which is in given; NULL: node is not below at. */
static const lm_json *document_of(lm_schema *s, const lm_json *at, const lm_json *node, const lm_json *given) {
    if (is_document(at)) given = at;
    /* Copies of an object, as negations hold them, share its members. */
    if (at == node || (at->type == LM_JSON_OBJECT && at->type == node->type && at->members == node->members))
        return given;
    const lm_json *found = NULL;
    for (size_t i = 0; i < n_children(at) && !found && lm_schema_work(s, 1); i++) {
        const lm_json *child = child_of(at, i);
        if (child) found = document_of(s, child, node, given);
    }
    return found;
}

static bool has_documents(const lm_json *at) {
    bool found = false;
    for (size_t i = 0; i < n_children(at) && !found; i++) {
        const lm_json *child = child_of(at, i);
        found = child && (is_document(child) || has_documents(child));
    }
    return found;
}

static const lm_json *follow_pointer(lm_schema *s, const lm_json *at, const char *text, size_t n) {
    char *name = lm_alloc(s->env, n + 1);
    if (!name) {
        lm_schema_memory(s);
        return NULL;
    }
    for (size_t i = 0; at && i < n;) {
        size_t start = ++i;
        while (i < n && text[i] != '/') i++;
        at = pointer_step(at, text + start, i - start, name);
    }
    lm_free(s->env, name, n + 1);
    return at;
}

const lm_json *lm_schema_resolve(lm_schema *s, const lm_json *node, const lm_json *reference) {
    if (reference->type != LM_JSON_STRING) {
        lm_schema_refuse(s, LM_ERR_FORMAT, node, "keyword \"$ref\" must be a string");
        return NULL;
    }
    const char *text = reference->text, *mark = memchr(text, '#', reference->count);
    size_t n = reference->count, n_id = mark ? (size_t)(mark - text) : n, n_pointer = n - n_id;
    if (!s->looked) s->many = has_documents(s->root);
    s->looked = true;
    const lm_json *at = s->root;
    if (n_id > 0)
        at = find_named(s, s->root, text, n_id);
    else if (s->many)
        at = document_of(s, s->root, node, s->root);
    if (!at && n_id == 0) at = s->root; /* one of our own nodes */
    bool pointer = n_pointer < 2 || mark[1] == '/';
    if (at && !pointer) at = find_named(s, at, mark, n_pointer);
    if (n == 0 || !at)
        lm_schema_refuse(
            s, LM_ERR_UNSUPPORTED, node,
            "keyword \"$ref\" to %q: only references within the document (\"#/...\", anchors, a whole \"$id\") "
            "are followed",
            n, text);
    if (at && n_pointer > 1 && pointer) at = follow_pointer(s, at, mark + 1, n_pointer - 1);
    if (!at) lm_schema_refuse(s, LM_ERR_FORMAT, node, "keyword \"$ref\" to %q, which is not there", n, text);
    return s->status == LM_OK ? at : NULL;
}
