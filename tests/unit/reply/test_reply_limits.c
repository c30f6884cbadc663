/* SPDX-License-Identifier: MIT
 * Parsing hostile output costs bounded work per byte, and memory running out at any allocation leaves nothing behind. */
#include "counting.h"

#include "reply/reply_family.h"

static void parsing_survives_any_failed_allocation(void **state) {
    static const struct {
        const lm_reply_family *family;
        const char *text;
    } cases[] = {
        {&lm_family_hermes, "<think>a</think>b<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": [1]}}</tool_call> c"},
        {&lm_family_qwen_xml, "<function=f>\n<parameter=a>\n1\n</parameter>\n</function>"},
        {&lm_family_gemma4, "<|tool_call>call:f{a:<|\"|>b<|\"|>,c:[1]}<tool_call|>"},
        {&lm_family_kimi, "<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>"}};
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        for (size_t k = 0;; k++) {
            test_memory memory = {.fail_at = k};
            lm_env env = test_memory_env(&memory);
            lm_reply reply;
            static const char tools[] = "[{\"function\": {\"name\": \"f\"}}]";
            lm_status status = lm_reply_init(&reply, &env, cases[c].family, "", 0, tools, sizeof tools - 1, NULL);
            if (status == LM_OK) {
                for (const char *p = cases[c].text; *p && status == LM_OK; p += 3) {
                    size_t left = strlen(p);
                    status = lm_reply_feed(&reply, p, left < 3 ? left : 3);
                    if (left < 3) break;
                }
                lm_status end = lm_reply_finish(&reply, false);
                if (status == LM_OK) status = end;
                lm_reply_free(&reply);
            }
            assert_int_equal(memory.live_bytes, 0);
            if (!memory.failed) {
                assert_int_equal(status, LM_OK);
                break;
            }
            assert_int_equal(status, LM_ERR_MEMORY);
        }
    }
}

/* Long outputs of awkward shape, byte by byte: the work per byte stays bounded. Where it grew with what came before, one of them would
 * use up the limit of the whole test. */
static void parsing_is_linear(void **state) {
    static const struct {
        const lm_reply_family *family;
        const char *start, *repeated;
    } cases[] = {{&lm_family_hermes, "", "<tool_call>"},
                 {&lm_family_hermes, "<tool_call>{\"arguments\": {\"a\": \"", "<tool_call>{"},
                 {&lm_family_hermes, "<tool_call>", " "},
                 {&lm_family_hermes, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\":", "["},
                 {&lm_family_qwen_xml, "<function=f>\n<parameter=a>\n", "</parameter>"},
                 {&lm_family_qwen_xml, "<function=f>", "\n"},
                 {&lm_family_minimax_m3, "]<]minimax[>[<invoke name=\"f\">]<]minimax[>[<a>", "]<]minimax[>[</b>"},
                 {&lm_family_kimi, "", "<|tool_calls_section_begin|>"},
                 {&lm_family_harmony, "", "<|channel|>"},
                 {&lm_family_gemma4, "<|tool_call>call:f{a:", "["},
                 {&lm_family_plain, "", " "}};
    (void)state;
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        lm_reply reply;
        assert_int_equal(lm_reply_init(&reply, &env, cases[c].family, "", 0, NULL, 0, NULL), LM_OK);
        for (const char *p = cases[c].start; *p; p++) lm_reply_feed(&reply, p, 1);
        size_t n = strlen(cases[c].repeated);
        for (size_t i = 0; i < 1 << 21; i++) lm_reply_feed(&reply, cases[c].repeated + i % n, 1);
        assert_int_equal(lm_reply_finish(&reply, true), LM_OK);
        lm_reply_free(&reply);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(parsing_survives_any_failed_allocation),
                                       cmocka_unit_test(parsing_is_linear)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
