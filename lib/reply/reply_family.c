/* SPDX-License-Identifier: MIT
 * Choosing a family: by name, or by the marks a template's text contains (the first rule that fits). */
#include "reply_family.h"

const lm_reply_family *lm_reply_family_find(const char *name, size_t n) {
    static const lm_reply_family *const families[] = {
        &lm_family_hermes,      &lm_family_qwen_xml, &lm_family_gemma4,        &lm_family_llama3,
        &lm_family_deepseek,    &lm_family_kimi,     &lm_family_harmony,       &lm_family_mistral,
        &lm_family_granite,     &lm_family_cohere,   &lm_family_apertus,       &lm_family_nemotron,
        &lm_family_glm,         &lm_family_seed_oss, &lm_family_minimax,       &lm_family_minicpm5,
        &lm_family_functionary, &lm_family_lfm2,     &lm_family_functionary32, &lm_family_generic,
        &lm_family_minimax_m3,  &lm_family_plain};
    static const struct {
        char other[8], name[8];
    } aliases[] = {{"hermes", "qwen3"}, {"qwen2.5", "qwen3"}, {"gpt-oss", "harmony"}};
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strlen(aliases[i].other) != n || memcmp(aliases[i].other, name, n) != 0) continue;
        name = aliases[i].name;
        n = strlen(name);
    }
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strlen(families[i]->name) == n && memcmp(families[i]->name, name, n) == 0) return families[i];
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

/* A rule: every word must be there. */
typedef struct rule {
    const lm_reply_family *family;
    const char *words;
    bool vague; /* templates of other families may have them too */
} rule;

const lm_reply_family *lm_reply_family_detect(const char *source, size_t n, bool *sure) {
    static const rule rules[] = {
        {&lm_family_mistral, LM_WORDS("[TOOL_CALLS]"), false},
        {&lm_family_harmony, LM_WORDS("<|channel|>"), false},
        {&lm_family_functionary32, LM_WORDS(">>>all\0>>>${recipient}"), false},
        {&lm_family_kimi, LM_WORDS("<|tool_calls_section_begin|>\0<|tool_call_begin|>"), false},
        {&lm_family_cohere, LM_WORDS("<|START_ACTION|>"), false},
        {&lm_family_lfm2, LM_WORDS("<|tool_list_start|>"), false},
        {&lm_family_lfm2, LM_WORDS("List of tools: ["), false},
        {&lm_family_deepseek, LM_WORDS("dsml_token\0DSML"), false},
        {&lm_family_gemma4, LM_WORDS("<|tool_call>call:"), false},
        {&lm_family_minicpm5, LM_WORDS("Tool usage guidelines:\0<function name=\"\0<param name=\""), false},
        {&lm_family_minimax_m3, LM_WORDS("]<]minimax[>["), false},
        {&lm_family_minimax, LM_WORDS("<minimax:tool_call>"), false},
        {&lm_family_seed_oss, LM_WORDS("seed:tool_call"), false},
        {&lm_family_qwen_xml, LM_WORDS("<tool_call>\0<function=\0<parameter="), false},
        {&lm_family_deepseek,
         LM_WORDS("tool\xE2\x96\x81"
                  "call\xE2\x96\x81"
                  "begin"),
         false},
        {&lm_family_glm, LM_WORDS("<arg_key>\0<arg_value>"), false},
        {&lm_family_apertus, LM_WORDS("<|tools_prefix|>"), false},
        {&lm_family_nemotron, LM_WORDS("<TOOLCALL>"), false},
        {&lm_family_hermes, LM_WORDS("<tool_call>"), true},
        {&lm_family_granite, LM_WORDS("<|tool_call|>"), true},
        {&lm_family_llama3, LM_WORDS("<|python_tag|>"), true},
        {&lm_family_functionary, LM_WORDS("<function="), true},
        {&lm_family_llama3, LM_WORDS("<|start_header_id|>\0\"parameters\""), true},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        bool fits = true;
        for (const char *word = rules[i].words; *word && fits; word += strlen(word) + 1) fits = has(source, n, word);
        *sure = !rules[i].vague;
        if (fits) return rules[i].family;
    }
    *sure = false;
    return &lm_family_generic;
}
