/* SPDX-License-Identifier: MIT
 * The output parsers against the reference cases: the whole text, every cut into two, and single bytes. At every moment
 * what was handed out must be the beginning of what it ends up as. */
#include "check.h"

#include "base/env.h"
#include "base/json_write.h"
#include "reply/reply_family.h"

typedef struct run {
    lm_reply reply;
    char *content, *reasoning; /* joined from deltas */
    size_t n_content, n_reasoning;
} run;

static void take_deltas(run *r) {
    lm_reply *o = &r->reply;
    for (; o->next_delta < o->deltas.count; o->next_delta++) {
        const lm_reply_delta *delta = &o->deltas.data[o->next_delta];
        if (delta->kind > LM_REPLY_REASONING) continue;
        int is_content = delta->kind == LM_REPLY_CONTENT;
        char **text = is_content ? &r->content : &r->reasoning;
        size_t *n = is_content ? &r->n_content : &r->n_reasoning;
        *text = realloc(*text, *n + delta->n + 1);
        memcpy(*text + *n, lm_str_text(is_content ? &o->content : &o->reasoning) + delta->from, delta->n);
        *n += delta->n;
    }
}

static int same_json(const lm_json *a, const lm_json *b) {
    if (a->type != b->type) return 0;
    double x, y;
    switch (a->type) {
    case LM_JSON_BOOL: return a->boolean == b->boolean;
    case LM_JSON_NUMBER: return lm_json_double(a, &x) && lm_json_double(b, &y) && x == y;
    case LM_JSON_STRING: return a->count == b->count && memcmp(a->text, b->text, a->count) == 0;
    case LM_JSON_ARRAY:
        if (a->count != b->count) return 0;
        for (size_t i = 0; i < a->count; i++)
            if (!same_json(&a->items[i], &b->items[i])) return 0;
        return 1;
    case LM_JSON_OBJECT:
        if (a->count != b->count) return 0;
        for (size_t i = 0; i < a->count; i++) {
            const lm_json *other = lm_json_find(b, a->members[i].name, a->members[i].name_size);
            if (!other || !same_json(&a->members[i].value, other)) return 0;
        }
        return 1;
    default: return 1;
    }
}

static int is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

static int same_stripped(const char *a, size_t n, const lm_json *json) {
    const char *b = json ? json->text : "";
    size_t m = json ? json->count : 0;
    while (n && is_space(a[n - 1])) n--;
    while (n && is_space(*a)) a++, n--;
    while (m && is_space(b[m - 1])) m--;
    while (m && is_space(*b)) b++, m--;
    return n == m && memcmp(a, b, n) == 0;
}

/* Whether text, spaces outside of strings ignored, is a beginning of prefix or goes on after it. */
static int is_prefix(const lm_str *text, const lm_json *prefix) {
    size_t i = 0, j = 0;
    int in_string = 0;
    const char *a = lm_str_text(text), *b = prefix->text;
    if (prefix->count == 0) return 1;
    for (;;) {
        while (!in_string && i < text->size && is_space(a[i])) i++;
        while (!in_string && j < prefix->count && is_space(b[j])) j++;
        if (i == text->size || j == prefix->count) return 1;
        if (a[i] != b[j]) return 0;
        if (a[i] == '"' && (i == 0 || a[i - 1] != '\\')) in_string = !in_string;
        i++, j++;
    }
}

static int same_call(const lm_reply_call *call, const lm_json *expected) {
    const lm_json *name = lm_json_get(expected, "name"), *id = lm_json_get(expected, "id"),
                  *arguments = lm_json_get(expected, "arguments");
    if (strcmp(lm_str_text(&call->name), name->text) != 0) return 0;
    if (id && strcmp(lm_str_text(&call->id), id->text) != 0) return 0;
    if (lm_json_bool(lm_json_get(expected, "incomplete"), false))
        return !call->complete && is_prefix(&call->arguments, lm_json_get(expected, "arguments_prefix"));
    if (!call->complete) return 0;
    lm_env env;
    lm_arena arena;
    const lm_json *json;
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    int same = lm_json_parse(&arena, lm_str_text(&call->arguments), call->arguments.size, 200, &json, NULL) == LM_OK &&
               same_json(json, arguments);
    lm_arena_free(&arena);
    return same;
}

static int matches(const run *r, const lm_json *expected) {
    const lm_reply *o = &r->reply;
    const lm_json *calls = lm_json_get(expected, "tool_calls");
    if (!same_stripped(lm_str_text(&o->content), o->content.size, lm_json_get(expected, "content"))) return 0;
    if (!same_stripped(lm_str_text(&o->reasoning), o->reasoning.size, lm_json_get(expected, "reasoning_content")))
        return 0;
    if ((calls ? calls->count : 0) != o->calls.count) return 0;
    for (size_t i = 0; i < o->calls.count; i++)
        if (!same_call(&o->calls.data[i], &calls->items[i])) return 0;
    return 1;
}

static int matches_any(const run *r, const lm_json *item) {
    const lm_json *others = lm_json_get(item, "or");
    if (matches(r, lm_json_get(item, "expect"))) return 1;
    for (size_t i = 0; others && i < others->count; i++)
        if (matches(r, &others->items[i])) return 1;
    return 0;
}

static void start(run *r, const lm_reply_family *family, const lm_env *env, const lm_json *prompt, const char *tools) {
    memset(r, 0, sizeof *r);
    assert_int_equal(lm_reply_init(&r->reply, env, family, prompt->text, prompt->count, tools, strlen(tools), NULL),
                     LM_OK);
}

static void feed(run *r, const char *text, size_t n) {
    assert_int_equal(lm_reply_feed(&r->reply, text, n), LM_OK);
    take_deltas(r);
}

static void finish(run *r, const lm_json *item) {
    assert_int_equal(lm_reply_finish(&r->reply, !lm_json_bool(lm_json_get(item, "finished"), true)), LM_OK);
    take_deltas(r);
    /* What was handed out piece by piece is what it ended up as. */
    assert_int_equal(r->n_content, r->reply.content.size);
    assert_int_equal(r->n_reasoning, r->reply.reasoning.size);
    if (r->n_content) assert_memory_equal(r->content, lm_str_text(&r->reply.content), r->n_content);
    if (r->n_reasoning) assert_memory_equal(r->reasoning, lm_str_text(&r->reply.reasoning), r->n_reasoning);
}

static void end(run *r) {
    lm_reply_free(&r->reply);
    free(r->content);
    free(r->reasoning);
}

static void print_run(const run *r) {
    const lm_reply *o = &r->reply;
    print_message("  content <<%s>>\n  reasoning <<%s>>\n", lm_str_text(&o->content), lm_str_text(&o->reasoning));
    for (size_t i = 0; i < o->calls.count; i++)
        print_message("  call %s id <%s> %s %s\n", lm_str_text(&o->calls.data[i].name),
                      lm_str_text(&o->calls.data[i].id), lm_str_text(&o->calls.data[i].arguments),
                      o->calls.data[i].complete ? "" : "incomplete");
}

static int same_runs(const run *a, const run *b) {
    const lm_reply *x = &a->reply, *y = &b->reply;
    if (x->content.size != y->content.size || x->reasoning.size != y->reasoning.size ||
        x->calls.count != y->calls.count)
        return 0;
    if (memcmp(lm_str_text(&x->content), lm_str_text(&y->content), x->content.size) != 0) return 0;
    if (memcmp(lm_str_text(&x->reasoning), lm_str_text(&y->reasoning), x->reasoning.size) != 0) return 0;
    for (size_t i = 0; i < x->calls.count; i++) {
        const lm_reply_call *c = &x->calls.data[i], *d = &y->calls.data[i];
        if (strcmp(lm_str_text(&c->arguments), lm_str_text(&d->arguments)) != 0 || c->complete != d->complete) return 0;
        if (strcmp(lm_str_text(&c->id), lm_str_text(&d->id)) != 0 ||
            strcmp(lm_str_text(&c->name), lm_str_text(&d->name)) != 0)
            return 0;
    }
    return 1;
}

static int check_case(const lm_reply_family *family, const lm_json *item, const char *tools) {
    const lm_json *text = lm_json_get(item, "text"), *prompt = lm_json_get(item, "generation_prompt");
    const char *name = lm_json_get(item, "name")->text;
    lm_env env;
    run whole, split;
    int good;
    lm_env_init(&env, NULL, NULL);
    start(&whole, family, &env, prompt, tools);
    feed(&whole, text->text, text->count);
    finish(&whole, item);
    good = matches_any(&whole, item);
    if (!good) {
        print_message("%s %s: <<%s>> gives\n", family->name, name, text->text);
        print_run(&whole);
    }
    /* cut == text->count + 1: single bytes */
    for (size_t cut = 0; cut <= text->count + 1; cut++) {
        start(&split, family, &env, prompt, tools);
        if (cut > text->count) {
            for (size_t i = 0; i < text->count; i++) feed(&split, text->text + i, 1);
        } else {
            feed(&split, text->text, cut);
            feed(&split, text->text + cut, text->count - cut);
        }
        finish(&split, item);
        int same = same_runs(&whole, &split);
        if (!same && good) {
            print_message("%s %s: cut at %zu of %zu gives\n", family->name, name, cut, text->count);
            print_run(&split);
        }
        good = good && same;
        end(&split);
    }
    end(&whole);
    return good;
}

/* One family's cases: {"family", "tools", "cases"}. */
static void check_family(const lm_json *json, const lm_env *env, size_t *n_good, size_t *n_cases) {
    lm_str tools;
    lm_str_init(&tools, env, SIZE_MAX);
    assert_int_equal(lm_json_print(&tools, lm_json_get(json, "tools"), NULL), LM_OK);
    const lm_json *name = lm_json_get(json, "family"), *cases = lm_json_get(json, "cases");
    const lm_reply_family *family = lm_reply_family_find(name->text, name->count);
    assert_non_null(family);
    for (size_t i = 0; i < cases->count; i++)
        *n_good += (size_t)check_case(family, &cases->items[i], lm_str_text(&tools));
    *n_cases += cases->count;
    lm_str_free(&tools);
}

static void check_text(char *text, size_t n, size_t *n_good, size_t *n_cases) {
    lm_env env;
    lm_arena arena;
    const lm_json *json = NULL;
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_json_parse(&arena, text, n, 200, &json, NULL), LM_OK);
    if (json->type == LM_JSON_ARRAY) {
        for (size_t i = 0; i < json->count; i++) check_family(&json->items[i], &env, n_good, n_cases);
    } else {
        check_family(json, &env, n_good, n_cases);
    }
    lm_arena_free(&arena);
    free(text);
}

static void reference_cases_parse_however_cut(void **state) {
    static const char *const files[] = {"qwen3",    "qwen3-xml", "gemma4",  "llama3",
                                        "deepseek", "kimi-k2",   "harmony", "mistral"};
    size_t n_good = 0, n_cases = 0;
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[128];
        size_t n = 0;
        snprintf(name, sizeof name, "fixtures/toolcalls/%s.json", files[i]);
        char *text = test_read_shared(name, &n);
        check_text(text, n, &n_good, &n_cases);
    }
    assert_int_equal(n_good, n_cases);
    assert_true(n_cases >= 90);
}

static void own_cases_parse_however_cut(void **state) {
    char path[1024];
    size_t n = 0, n_good = 0, n_cases = 0;
    (void)state;
    assert_true(test_path("LM_GOLDEN", "chat/parsers.json", path, sizeof path));
    char *text = test_read(path, &n);
    assert_non_null(text);
    check_text(text, n, &n_good, &n_cases);
    assert_int_equal(n_good, n_cases);
    assert_true(n_cases >= 35);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(own_cases_parse_however_cut),
                                       cmocka_unit_test(reference_cases_parse_however_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
