/* SPDX-License-Identifier: MIT
 * The interpreter against Jinja2: the language cases, and every known chat template over every conversation. */
#include <dirent.h>

#include "template_check.h"

#include "base/str.h"

static char *read_json(lm_arena *arena, const char *name, const lm_json **out) {
    size_t n = 0;
    char *text = test_read_shared(name, &n);
    lm_error error;
    if (lm_json_parse(arena, text, n, LM_JSON_DEPTH_MAX, out, &error) != LM_OK) fail_msg("%s: %s", name, error.message);
    return text;
}

/* Whether the outcome is what the case allows. */
static int check_case(const char *where, const lm_json *item, const test_render *r) {
    const lm_json *expected = lm_json_get(item, "expected"), *error = lm_json_get(item, "error");
    const lm_json *lenient = lm_json_get(item, "lenient_expected");
    const char *name = lm_json_text(lm_json_get(item, "name"), "?");
    if (expected) {
        if (r->status != LM_OK) {
            print_message("%s %s: %s line %d: %s\n", where, name, lm_status_name(r->status), r->error.line,
                          r->error.message);
            return 0;
        }
        if (r->out.n == expected->count && memcmp(r->out.text, expected->text, expected->count) == 0) return 1;
        print_message("%s %s:\n got  <<%.*s>>\n want <<%.*s>>\n", where, name, (int)r->out.n, r->out.text,
                      (int)expected->count, expected->text);
        return 0;
    }
    if (r->status == LM_OK) {
        if (lenient && r->out.n == lenient->count && memcmp(r->out.text, lenient->text, lenient->count) == 0) return 1;
        print_message("%s %s: rendered <<%.*s>> where an error is expected: %s\n", where, name, (int)r->out.n,
                      r->out.text, lm_json_text(lm_json_get(error, "message"), "?"));
        return 0;
    }
    if (lm_json_is_text(lm_json_get(error, "type"), "raise_exception")) {
        const lm_json *message = lm_json_get(error, "message");
        if (r->status == LM_ERR_RAISED && r->out.n == message->count &&
            memcmp(r->out.text, message->text, message->count) == 0)
            return 1;
        print_message("%s %s: %s: %s where the template raises: %s\n", where, name, lm_status_name(r->status),
                      r->error.message, lm_json_text(message, "?"));
        return 0;
    }
    return r->status == LM_ERR_FORMAT || r->status == LM_ERR_LIMIT || r->status == LM_ERR_UNSUPPORTED;
}

static void check_language(char *text, size_t n, size_t minimum) {
    lm_env env;
    lm_arena arena;
    const lm_json *cases = NULL;
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_json_parse(&arena, text, n, LM_JSON_DEPTH_MAX, &cases, NULL), LM_OK);
    size_t n_good = 0;
    for (size_t i = 0; i < cases->count; i++) {
        const lm_json *item = &cases->items[i], *source = lm_json_get(item, "template");
        test_render r;
        test_render_run(&r, source->text, source->count, lm_json_get(item, "context"), NULL);
        n_good += (size_t)check_case("language", item, &r);
        test_render_end(&r);
    }
    assert_int_equal(n_good, cases->count);
    assert_true(n_good >= minimum);
    free(text);
    lm_arena_free(&arena);
}

static void language_cases_match_jinja(void **state) {
    size_t n = 0;
    (void)state;
    char *text = test_read_shared("fixtures/jinja/cases.json", &n);
    check_language(text, n, 300);
}

static void own_cases_match_jinja(void **state) {
    char path[1024];
    size_t n = 0;
    (void)state;
    assert_true(test_path("LM_GOLDEN", "chat/templates.json", path, sizeof path));
    char *text = test_read(path, &n);
    assert_non_null(text);
    check_language(text, n, 12);
}

/* The variables of a case: kwargs plus messages. */
static const lm_json *variables_of(lm_arena *arena, const lm_json *item) {
    const lm_json *kwargs = lm_json_get(item, "kwargs");
    lm_json *all = lm_arena_alloc_array(arena, 1, sizeof *all);
    lm_json_member *members = lm_arena_alloc_array(arena, kwargs->count + 1, sizeof *members);
    memcpy(members, kwargs->members, kwargs->count * sizeof *members);
    members[kwargs->count] = (lm_json_member){"messages", 8, *lm_json_get(item, "conversation")};
    *all = (lm_json){.type = LM_JSON_OBJECT, .count = kwargs->count + 1, .members = members};
    return all;
}

static void known_templates_render_as_jinja_does(void **state) {
    (void)state;
    char path[1024], name[512];
    if (!test_path("LM_SHARED", "fixtures/chat/README.md", path, sizeof path)) skip();
    *strrchr(path, '/') = '\0';
    DIR *folder = opendir(path);
    assert_non_null(folder);
    size_t n_files = 0, n_cases = 0, n_good = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *dot = strstr(entry->d_name, ".json");
        if (!dot) continue;
        lm_env env;
        lm_arena arena;
        const lm_json *cases;
        size_t n = 0;
        lm_env_init(&env, NULL, NULL);
        lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
        snprintf(name, sizeof name, "fixtures/chat/%s", entry->d_name);
        char *text = read_json(&arena, name, &cases);
        snprintf(name, sizeof name, "data/templates/%.*s.jinja", (int)(dot - entry->d_name), entry->d_name);
        char *source = test_read_shared(name, &n);
        n_files++;
        for (size_t i = 0; i < cases->count; i++) {
            test_render r;
            test_render_run(&r, source, n, variables_of(&arena, &cases->items[i]), NULL);
            n_good += (size_t)check_case(entry->d_name, &cases->items[i], &r);
            n_cases++;
            test_render_end(&r);
        }
        free(source);
        free(text);
        lm_arena_free(&arena);
    }
    closedir(folder);
    print_message("%zu of %zu cases of %zu templates\n", n_good, n_cases, n_files);
    assert_true(n_files > 40);
    assert_int_equal(n_good, n_cases);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(own_cases_match_jinja),
                                       cmocka_unit_test(language_cases_match_jinja),
                                       cmocka_unit_test(known_templates_render_as_jinja_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
