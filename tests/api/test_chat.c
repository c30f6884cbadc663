/* SPDX-License-Identifier: MIT
 * The public chat interface: rendering with spans, errors that leave the chat usable, deltas and results of a parser. */
#include "check.h"

#include <lm/chat.h>

static const char source[] =
    "{{ bos }}{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}<|end|>{% endfor %}{% if x is defined %}"
    "{{ raise_exception('no ' ~ x) }}{% endif %}";

static lm_chat *open_chat(const char *text) {
    lm_chat *chat = NULL;
    assert_int_equal(lm_chat_from_template(text, text ? strlen(text) : 0, NULL, &chat, NULL), LM_OK);
    return chat;
}

static void spans_tell_where_text_comes_from(void **state) {
    static const char inputs[] = "{\"bos\":\"<s>\",\"messages\":[{\"role\":\"user\",\"content\":\" hi <|end|> "
                                 "\"},{\"role\":\"assistant\",\"content\":\"yo\"}]}";
    lm_chat *chat = open_chat(source);
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    (void)state;
    assert_int_equal(lm_chat_render(chat, inputs, strlen(inputs), NULL, &prompt, NULL), LM_OK);
    assert_string_equal(prompt.text, "<s><|user|>hi <|end|><|end|><|assistant|>yo<|end|>");
    assert_int_equal(prompt.text_size, strlen(prompt.text));
    size_t pos = 0;
    for (size_t i = 0; i < prompt.n_spans; i++) {
        assert_int_equal(prompt.spans[i].start, pos);
        assert_true(prompt.spans[i].end > pos);
        pos = prompt.spans[i].end;
    }
    assert_int_equal(pos, prompt.text_size);
    /* <s> is the caller's but no message's; the template's text inside of the loop belongs to the message it stands at. */
    static const lm_chat_span expected[] = {{0, 3, -1, 1},  {3, 5, 0, 0},   {5, 9, 0, 1},   {9, 11, 0, 0},
                                            {11, 21, 0, 1}, {21, 28, 0, 0}, {28, 30, 1, 0}, {30, 39, 1, 1},
                                            {39, 41, 1, 0}, {41, 43, 1, 1}, {43, 50, 1, 0}};
    assert_int_equal(prompt.n_spans, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < prompt.n_spans; i++) {
        assert_int_equal(prompt.spans[i].end, expected[i].end);
        assert_int_equal(prompt.spans[i].message, expected[i].message);
        assert_int_equal(prompt.spans[i].flags, expected[i].flags);
    }
    lm_chat_destroy(chat);
}

static void failures_leave_the_chat_usable(void **state) {
    lm_chat *chat = open_chat(source);
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_error error;
    lm_chat_render_params params = LM_CHAT_RENDER_PARAMS_INIT;
    (void)state;
    assert_int_equal(lm_chat_render(chat, "{\"x\":\"x\"}", 9, NULL, &prompt, &error), LM_ERR_RAISED);
    assert_string_equal(error.message, "no x");
    assert_string_equal(lm_chat_message(chat), "no x");
    assert_null(prompt.text);
    assert_int_equal(lm_chat_render(chat, "{", 1, NULL, &prompt, &error), LM_ERR_FORMAT);
    assert_int_equal(lm_chat_render(chat, "[]", 2, NULL, &prompt, &error), LM_ERR_FORMAT);
    params.month = 13;
    assert_int_equal(lm_chat_render(chat, "{}", 2, &params, &prompt, &error), LM_ERR_RANGE);
    params.month = 12;
    assert_int_equal(lm_chat_render(chat, "{}", 2, &params, &prompt, &error), LM_OK);
    assert_string_equal(lm_chat_message(chat), "");
    assert_int_equal(lm_chat_render(NULL, "{}", 2, NULL, &prompt, NULL), LM_ERR_ARGUMENT);
    assert_int_equal(lm_chat_render(chat, NULL, 0, NULL, &prompt, NULL), LM_ERR_ARGUMENT);
    lm_chat_destroy(chat);
    assert_int_equal(lm_chat_from_template("a\n{% if %}", 10, NULL, &chat, &error), LM_ERR_FORMAT);
    assert_int_equal(error.line, 2);
    assert_int_equal(error.offset, 8);
    assert_int_equal(lm_chat_from_template("x", 1, NULL, NULL, NULL), LM_ERR_ARGUMENT);
    lm_chat_params later = LM_CHAT_PARAMS_INIT;
    later.reserved = 1; /* what a later header may mean by it */
    assert_int_equal(lm_chat_from_template("x", 1, &later, &chat, &error), LM_ERR_ARGUMENT);
    assert_string_equal(error.message, "lm_chat_params.reserved is not 0");
    lm_chat_destroy(NULL);
}

static void count_warning(void *user, int32_t level, const char *message) {
    (void)message;
    *(int *)user += level == LM_LOG_LEVEL_WARNING;
}

static void without_a_template_it_is_chatml(void **state) {
    static const char inputs[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"add_generation_prompt\":true}";
    lm_chat_params params = LM_CHAT_PARAMS_INIT;
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_chat *chat;
    int n_warnings = 0;
    (void)state;
    params.log.user = &n_warnings;
    params.log.write = count_warning;
    assert_int_equal(lm_chat_from_template(NULL, 0, &params, &chat, NULL), LM_OK);
    assert_int_equal(n_warnings, 1);
    assert_int_equal(lm_chat_render(chat, inputs, strlen(inputs), NULL, &prompt, NULL), LM_OK);
    assert_string_equal(prompt.text, "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
    assert_string_equal(lm_chat_family(chat), "qwen3");
    lm_chat_destroy(chat);
}

static void deltas_add_up_to_the_result(void **state) {
    static const char text[] = "so</think>ok<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":1}}</tool_call>";
    static const char prompt[] = "<think>\n";
    lm_chat_parser_params params = LM_CHAT_PARSER_PARAMS_INIT;
    lm_chat_parser *parser;
    lm_chat_delta delta;
    char shown[256] = "";
    const char *json;
    size_t n;
    (void)state;
    params.generation_prompt = prompt;
    params.generation_prompt_size = strlen(prompt);
    assert_int_equal(lm_chat_parser_create(NULL, "qwen3", &params, &parser, NULL), LM_OK);
    for (size_t i = 0; i < strlen(text); i++) {
        assert_int_equal(lm_chat_parser_feed(parser, text + i, 1), LM_OK);
        while (lm_chat_parser_next(parser, &delta)) {
            char piece[32];
            snprintf(piece, sizeof piece, "%d%.*s ", delta.kind, (int)delta.text_size, delta.text);
            strcat(shown, piece);
        }
    }
    assert_int_equal(lm_chat_parser_finish(parser, 0), LM_OK);
    assert_int_equal(lm_chat_parser_next(parser, &delta), 0);
    assert_string_equal(shown, "2s 2o 1o 1k 3f 4{\" 4a 4\" 4: 41 4} 5 ");
    assert_int_equal(lm_chat_parser_feed(parser, "x", 1), LM_ERR_STATE);
    assert_int_equal(lm_chat_parser_result(parser, &json, &n), LM_OK);
    assert_string_equal(json, "{\"content\":\"ok\",\"reasoning_content\":\"so\",\"tool_calls\":[{\"name\":\"f\","
                              "\"arguments\":\"{\\\"a\\\":1}\"}]}");
    lm_chat_parser_destroy(parser);
    assert_int_equal(lm_chat_parser_create(NULL, "nope", NULL, &parser, NULL), LM_ERR_NOT_FOUND);
    assert_int_equal(lm_chat_parser_create(NULL, NULL, NULL, &parser, NULL), LM_ERR_ARGUMENT);
    params.tools = "{}";
    params.tools_size = 2;
    assert_int_equal(lm_chat_parser_create(NULL, "qwen3", &params, &parser, NULL), LM_ERR_FORMAT);
    lm_error error;
    params.reserved = 1;
    assert_int_equal(lm_chat_parser_create(NULL, "qwen3", &params, &parser, &error), LM_ERR_ARGUMENT);
    assert_string_equal(error.message, "lm_chat_parser_params.reserved is not 0");
    lm_chat_parser_destroy(NULL);
}

static void any_text_becomes_a_json_string(void **state) {
    static const char text[] = "a\"b\\c\n\x01/\0\xC3\xA9\xE9\xF0\x9F\x98\x80\xE2\x82";
    static const char wanted[] = "\"a\\\"b\\\\c\\n\\u0001/\\u0000\xC3\xA9\xEF\xBF\xBD\xF0\x9F\x98\x80\xEF\xBF\xBD\"";
    size_t n = sizeof text - 1, size = sizeof wanted - 1;
    char out[6 * sizeof text + 3];
    (void)state;
    assert_int_equal(lm_json_quote(text, n, NULL, 0), size);
    for (size_t capacity = 1; capacity <= size + 2; capacity++) {
        size_t fits = capacity <= size ? capacity - 1 : size;
        memset(out, '?', sizeof out);
        assert_int_equal(lm_json_quote(text, n, out, capacity), size);
        assert_memory_equal(out, wanted, fits);
        assert_int_equal(out[fits], '\0');
        assert_int_equal(out[capacity], '?');
    }
    assert_int_equal(lm_json_quote(NULL, 0, out, sizeof out), 2);
    assert_string_equal(out, "\"\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_tell_where_text_comes_from), cmocka_unit_test(failures_leave_the_chat_usable),
        cmocka_unit_test(without_a_template_it_is_chatml), cmocka_unit_test(deltas_add_up_to_the_result),
        cmocka_unit_test(any_text_becomes_a_json_string)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
