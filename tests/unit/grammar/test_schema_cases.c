/* SPDX-License-Identifier: MIT
 * JSON Schema cases (the README of the reference fixtures gives the format): texts a schema's grammar must accept, texts it
 * must reject, schemas it must refuse. "extended" cases may be refused as a whole, but what is accepted must be right. */
#include <stdbool.h>

#include <lm/grammar.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "check.h"

static bool accepts(lm_grammar *grammar, const char *text, size_t n, size_t piece) {
    lm_grammar_matcher *matcher;
    assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, &matcher, NULL), LM_OK);
    bool alive = true;
    for (size_t at = 0; at < n && alive; at += piece) {
        size_t take = piece < n - at ? piece : n - at;
        alive = lm_grammar_matcher_accept_bytes(matcher, text + at, take, NULL) == LM_OK;
        if (piece >= n - at) break;
    }
    bool complete = alive && lm_grammar_matcher_is_complete(matcher);
    lm_grammar_matcher_destroy(matcher);
    return complete;
}

static int check_texts(const char *name, lm_grammar *grammar, const lm_json *texts, bool expected) {
    int wrong = 0;
    for (size_t i = 0; texts && i < texts->count; i++) {
        const lm_json *text = lm_json_at(texts, i);
        bool whole = accepts(grammar, text->text, text->count, SIZE_MAX);
        bool bytes = accepts(grammar, text->text, text->count, 1);
        if (whole == expected && bytes == expected) continue;
        print_error("%s: %s: %s\n", name, expected ? "not accepted" : "not rejected", text->text);
        wrong++;
    }
    return wrong;
}

typedef struct tally {
    int cases, refused, wrong;
    bool is_own; /* refusals say what the file says */
} tally;

static void check_case(const lm_env *env, const lm_json *item, tally *t) {
    const char *name = lm_json_text(lm_json_get(item, "name"), "?"),
               *level = lm_json_text(lm_json_get(item, "level"), ""),
               *why = lm_json_text(lm_json_get(item, "why"), "no reason is given");
    lm_str schema;
    lm_grammar *grammar = NULL;
    lm_error error = {0};
    lm_str_init(&schema, env, SIZE_MAX);
    lm_json_print(&schema, lm_json_get(item, "schema"), NULL);
    lm_status status = lm_grammar_from_json_schema(schema.data, schema.size, NULL, &grammar, &error);
    t->cases++;
    if (strcmp(level, "error") == 0) {
        if (status == LM_OK)
            print_error("%s: not refused\n", name), t->wrong++;
        else if (!strstr(error.message, "schema") || (t->is_own && !strstr(error.message, why)))
            print_error("%s: unclear: %s\n", name, error.message), t->wrong++;
    } else if (status != LM_OK) {
        bool may = strcmp(level, "extended") == 0 && status == LM_ERR_UNSUPPORTED;
        if (may)
            t->refused++;
        else
            t->wrong++;
        print_message("%s: refused: %s\n", name, error.message);
    } else {
        const lm_json *either = lm_json_get(item, "either");
        t->wrong += check_texts(name, grammar, lm_json_get(item, "valid"), true);
        t->wrong += check_texts(name, grammar, lm_json_get(item, "invalid"), false);
        for (size_t i = 0; either && i < either->count; i++) {
            const lm_json *texts = lm_json_at(either, i);
            bool any = false;
            for (size_t k = 0; k < texts->count; k++)
                any = any || accepts(grammar, texts->items[k].text, texts->items[k].count, SIZE_MAX);
            if (!any) print_error("%s: none accepted of: %s ...\n", name, texts->items[0].text), t->wrong++;
        }
    }
    lm_grammar_destroy(grammar);
    lm_str_free(&schema);
}

static void check_file(char *bytes, size_t n, int most_refused, bool is_own) {
    lm_env env;
    lm_arena arena;
    const lm_json *root;
    tally t = {0, 0, 0, is_own};
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_json_parse(&arena, bytes, n, LM_JSON_DEPTH_DEFAULT, &root, NULL), LM_OK);
    assert_true(root->count > 10);
    for (size_t i = 0; i < root->count; i++) check_case(&env, lm_json_at(root, i), &t);
    lm_arena_free(&arena);
    free(bytes);
    print_message("%d cases, %d refused, %d wrong\n", t.cases, t.refused, t.wrong);
    assert_int_equal(t.wrong, 0);
    assert_true(t.refused <= most_refused);
}

static void reference_cases_hold(void **state) {
    (void)state;
    size_t n = 0;
    char *bytes = test_read_shared("fixtures/schema/cases.json", &n);
    check_file(bytes, n, 1, false); /* uniqueItems of any integers */
}

static void own_cases_hold(void **state) {
    (void)state;
    char path[1024];
    size_t n = 0;
    assert_true(test_path("LM_GOLDEN", "grammar/schema.json", path, sizeof path));
    char *bytes = test_read(path, &n);
    assert_non_null(bytes);
    check_file(bytes, n, 0, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(own_cases_hold), cmocka_unit_test(reference_cases_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
