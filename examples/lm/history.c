/* SPDX-License-Identifier: MIT
 * Messages in a growing text. */
#include "history.h"

#include <lm/chat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n bytes more and a NUL. */
static bool reserve(history *h, size_t n) {
    if (h->capacity - h->size > n) return true;
    size_t capacity = 2 * (h->size + n) + 1024;
    char *larger = realloc(h->text, capacity);
    if (!larger) return false;
    h->text = larger;
    h->capacity = capacity;
    return true;
}

static bool append(history *h, const char *text, size_t n) {
    if (!reserve(h, n)) return false;
    memcpy(h->text + h->size, text, n);
    h->size += n;
    h->text[h->size] = '\0';
    return true;
}

static bool append_literal(history *h, const char *text) { return append(h, text, strlen(text)); }

static bool append_quoted(history *h, const char *text, size_t size) {
    size_t n = lm_json_quote(text, size, NULL, 0);
    if (!reserve(h, n)) return false;
    h->size += lm_json_quote(text, size, h->text + h->size, n + 1);
    return true;
}

void history_cut(history *h, size_t size) {
    h->size = size;
    if (h->text) h->text[size] = '\0';
}

void history_free(history *h) {
    free(h->text);
    *h = (history){0};
}

bool history_add(history *h, const char *json, size_t n) {
    size_t before = h->size;
    bool done = (h->size == 0 || append_literal(h, ",")) && append(h, json, n);
    if (!done) history_cut(h, before);
    return done;
}

bool history_add_text(history *h, const char *role, const char *name, const char *text, size_t n) {
    size_t before = h->size;
    bool done = (h->size == 0 || append_literal(h, ",")) && append_literal(h, "{\"role\":") &&
                append_quoted(h, role, strlen(role));
    if (done && name) done = append_literal(h, ",\"name\":") && append_quoted(h, name, strlen(name));
    done = done && append_literal(h, ",\"content\":") && append_quoted(h, text, n) && append_literal(h, "}");
    if (!done) history_cut(h, before);
    return done;
}

char *history_json(const history *h, size_t *size) {
    char *json = malloc(h->size + 3);
    if (json) *size = (size_t)snprintf(json, h->size + 3, "[%s]", h->text ? h->text : "");
    return json;
}

bool history_write(const history *h, FILE *file) {
    bool done = fprintf(file, "[%s]\n", h->text ? h->text : "") > 0;
    if (file != stdout && fclose(file) != 0) done = false;
    return done;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool history_replace(history *h, const char *json, size_t n) {
    history fresh = {0};
    while (n > 0 && is_space(*json)) json++, n--;
    while (n > 0 && is_space(json[n - 1])) n--;
    if (n < 2 || json[0] != '[' || json[n - 1] != ']') return false;
    json++, n -= 2;
    while (n > 0 && is_space(json[n - 1])) n--;
    if (!append(&fresh, json, n)) return false;
    history_free(h);
    *h = fresh;
    return true;
}
