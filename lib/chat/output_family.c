/* SPDX-License-Identifier: MIT
 * Choosing a family: by name, or by the marks a template's text contains (the first rule that fits). */
#include "output_family.h"

#include <string.h>

const lm_output_family *lm_output_family_find(const char *name, size_t n) {
    static const struct {
        const char *name;
        const lm_output_family *family;
    } names[] = {{"qwen3", &lm_family_hermes},      {"hermes", &lm_family_hermes},
                 {"qwen2.5", &lm_family_hermes},    {"qwen3-xml", &lm_family_qwen_xml},
                 {"gemma4", &lm_family_gemma4},     {"llama3", &lm_family_llama3},
                 {"deepseek", &lm_family_deepseek}, {"kimi-k2", &lm_family_kimi},
                 {"harmony", &lm_family_harmony},   {"gpt-oss", &lm_family_harmony},
                 {"mistral", &lm_family_mistral},   {"granite", &lm_family_granite},
                 {"cohere", &lm_family_cohere},     {"apertus", &lm_family_apertus},
                 {"nemotron", &lm_family_nemotron}, {"glm", &lm_family_glm},
                 {"seed-oss", &lm_family_seed_oss}, {"minimax-m2", &lm_family_minimax},
                 {"minicpm5", &lm_family_minicpm5}, {"functionary", &lm_family_functionary},
                 {"lfm2", &lm_family_lfm2},         {"plain", &lm_family_plain}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == n && memcmp(names[i].name, name, n) == 0) return names[i].family;
    return NULL;
}

static bool has(const char *source, size_t n, const char *word) {
    size_t n_word = strlen(word);
    for (size_t i = 0; i + n_word <= n; i++) {
        const char *hit = memchr(source + i, word[0], n - n_word - i + 1);
        if (!hit) return false;
        i = (size_t)(hit - source);
        if (memcmp(hit, word, n_word) == 0) return true;
    }
    return false;
}

/* A rule: every mark of all must be there, and none of not. */
typedef struct rule {
    const lm_output_family *family;
    const char *all[3];
    const char *none;
} rule;

const lm_output_family *lm_output_family_detect(const char *source, size_t n) {
    static const rule rules[] = {
        {&lm_family_mistral, {"[TOOL_CALLS]"}, NULL},
        {&lm_family_harmony, {"<|channel|>"}, NULL},
        {&lm_family_kimi, {"<|tool_calls_section_begin|>", "<|tool_call_begin|>"}, NULL},
        {&lm_family_cohere, {"<|START_ACTION|>"}, NULL},
        {&lm_family_lfm2, {"<|tool_list_start|>"}, NULL},
        {&lm_family_lfm2, {"List of tools: ["}, NULL},
        {&lm_family_deepseek, {"dsml_token", "DSML"}, NULL},
        {&lm_family_gemma4, {"<|tool_call>call:"}, NULL},
        {&lm_family_minicpm5, {"Tool usage guidelines:", "<function name=\"", "<param name=\""}, NULL},
        {&lm_family_minimax, {"<minimax:tool_call>"}, NULL},
        {&lm_family_seed_oss, {"<seed:tool_call>"}, NULL},
        {&lm_family_seed_oss, {"seed:tool_call"}, NULL},
        {&lm_family_qwen_xml, {"<tool_call>", "<function=", "<parameter="}, NULL},
        {&lm_family_deepseek,
         {"tool\xE2\x96\x81"
          "call\xE2\x96\x81"
          "begin"},
         NULL},
        {&lm_family_glm, {"<arg_key>", "<arg_value>"}, NULL},
        {&lm_family_apertus, {"<|tools_prefix|>"}, NULL},
        {&lm_family_nemotron, {"<TOOLCALL>"}, NULL},
        {&lm_family_hermes, {"<tool_call>"}, NULL},
        {&lm_family_granite, {"<|tool_call|>"}, NULL},
        {&lm_family_llama3, {"<|python_tag|>"}, NULL},
        {&lm_family_functionary, {"<function="}, NULL},
        {&lm_family_llama3, {"<|start_header_id|>", "\"parameters\""}, NULL},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        bool fits = !rules[i].none || !has(source, n, rules[i].none);
        for (size_t j = 0; j < 3 && rules[i].all[j] && fits; j++) fits = has(source, n, rules[i].all[j]);
        if (fits) return rules[i].family;
    }
    return &lm_family_plain;
}
