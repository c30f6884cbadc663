/* SPDX-License-Identifier: MIT
 * The list of pre-tokenizer names and the iterator over their stages. Types that end in the same stages differ in what
 * the name switches on besides. */
#include "pretokenize.h"

#include <string.h>

#include "pretok_stages.h"

#define KS LM_PRETOK_KEEP_SPACES
#define IM LM_PRETOK_IGNORE_MERGES
#define BOS LM_PRETOK_ADD_BOS
#define SEP LM_PRETOK_ADD_SEP
#define RAW LM_PRETOK_RAW
#define ESC LM_PRETOK_ESCAPE_SPACES
#define NOBOS LM_PRETOK_NO_BOS
#define DROP LM_PRETOK_DROP_SPACES
#define NL LM_PRETOK_WHOLE_NEWLINES
#define FORCE LM_PRETOK_FORCE_BOS
#define NOMERGES LM_PRETOK_MERGES_OPTIONAL

static const lm_pretok_type types[] = {
    {"a.x-4.0", 0, {GPT2}},
    {"afmoe", KS, {NUMBER_FROM_RIGHT, AFMOE_RUN, DEEPSEEK}},
    {"bailingmoe", KS, {BAILING}},
    {"bailingmoe2", KS, {BAILING}},
    {"bloom", 0, {BLOOM}},
    {"chameleon", KS | BOS, {SENTINEL, IMAGE, CHAMELEON_SPACE, NUMBER_1, CHAMELEON_PUNCT, GPT2}},
    {"chatglm-bpe", NOBOS, {LLAMA3}},
    {"codeshell", 0, {NUMBER_1, GPT2}},
    {"cohere2_moe", KS, {NUMBER_FROM_RIGHT, TINY_AYA}},
    {"cohere2moe", KS, {NUMBER_FROM_RIGHT, TINY_AYA}},
    {"command-r", KS, {NUMBER_1, GPT2}},
    {"dbrx", 0, {LLAMA3}},
    {"deepseek-coder", KS, {LINE_BREAK, LETTER_WORD, PUNCT_WORD, CJK_RUN, NUMBER_1}},
    {"deepseek-llm", KS, {LINE_BREAK, LATIN_WORD, WIDE_PUNCT, TRAILING_SPACE, CJK_RUN, NUMBER_RUN}},
    {"deepseek-r1-qwen", KS, {QWEN2}},
    {"deepseek-v3", KS, {NUMBER_1_3, HAN_KANA_RUN, DEEPSEEK}},
    {"default", 0, {PUNCT_RUN, GPT2, NUMBER_RUN, DIGITS_3}},
    {"exaone", 0, {NUMBER_1, GPT2}},
    {"exaone-moe", 0, {EXAONE_MOE}},
    {"exaone4", 0, {GPT2}},
    {"f2llmv2", KS, {QWEN2}},
    {"falcon", 0, {PUNCT_TICK_RUN, GPT2, DIGITS_3}},
    {"falcon-h1", IM | BOS, {LLAMA3}},
    {"falcon3", IM | BOS, {LLAMA3}},
    {"gemma4", RAW | ESC | NL | FORCE, {NEWLINE_RUN}},
    {"gigachat", 0, {GPT2}},
    {"glm4", NOBOS, {LLAMA3}},
    {"glm5", NOBOS | IM, {LLAMA3}},
    {"gpt-2", 0, {GPT2}},
    {"gpt-4o", KS, {O200K}},
    {"gpt3-finnish", 0, {BLOOM}},
    {"granite-docling", KS, {GPT2}},
    {"granite-embed-multi-311m", RAW | ESC | NL, {NEWLINE_RUN}},
    {"granite-embed-multi-97m", KS | IM, {GRANITE}},
    {"grok-2", KS, {QWEN2}},
    {"hunyuan", KS, {QWEN2}},
    {"hunyuan-dense", KS, {NUMBER_1_3, HAN_KANA_RUN, DEEPSEEK}},
    {"hy_v4", KS, {NUMBER_1_3, HAN_KANA_RUN, DEEPSEEK}},
    {"jais", 0, {GPT2}},
    {"jais-2", 0, {JAIS2}},
    {"jina-de", 0, {GPT2}},
    {"jina-es", 0, {GPT2}},
    {"jina-v1-en", SEP, {GPT2}},
    {"jina-v2-code", SEP, {GPT2}},
    {"jina-v2-de", 0, {GPT2}},
    {"jina-v2-es", 0, {GPT2}},
    {"jina-v5-nano", IM | BOS, {LLAMA3}},
    {"joyai-llm", KS, {NUMBER_1_3, HAN_KANA_RUN, DEEPSEEK}},
    {"kanana2", KS, {O200K}},
    {"kimi-k2", KS | NOMERGES, {KIMI}},
    {"kormo", KS, {QWEN2}},
    {"laguna", KS, {NEWLINE_RUN, QWEN2}},
    {"lfm2", IM | BOS, {LLAMA3}},
    {"llada-moe", KS, {BAILING}},
    {"llama-bpe", IM | BOS, {LLAMA3}},
    {"llama-v3", IM | BOS, {LLAMA3}},
    {"llama3", IM | BOS, {LLAMA3}},
    {"llama4", KS, {O200K}},
    {"megrez", 0, {QWEN2}},
    {"mellum", 0, {GPT2}},
    {"mellum2", 0, {NUMBER_1, GPT2}},
    {"midm-2.0", IM | BOS, {LLAMA3}},
    {"minerva-7b", 0, {NUMBER_1, GPT2}},
    {"minicpm5", IM, {NUMBER_1_3, MINICPM}},
    {"minimax-m2", KS, {O200K}},
    {"modern-bert", 0, {GPT2}},
    {"mpt", 0, {GPT2}},
    {"olmo", 0, {GPT2}},
    {"phi-2", 0, {GPT2}},
    {"pixtral", IM | BOS, {LLAMA3}},
    {"poro-chat", KS, {BLOOM}},
    {"qwen2", KS, {QWEN2}},
    {"qwen35", KS, {QWEN35}},
    {"refact", 0, {NUMBER_1, GPT2}},
    {"roberta-bpe", SEP, {GPT2}},
    {"sarvam-moe", KS | RAW | ESC, {NEWLINE_RUN}},
    {"seed-coder", KS, {SEED_CODER}},
    {"smaug-bpe", 0, {LLAMA3}},
    {"smollm", KS, {NUMBER_1, GPT2}},
    {"solar-open", KS, {QWEN2}},
    {"stablelm2", 0, {QWEN2}},
    {"starcoder", 0, {NUMBER_1, GPT2}},
    {"superbpe", KS, {NUMBER_RUN, DIGIT_BOUNDARY}},
    {"talkie", KS, {O200K}},
    {"tekken", KS | IM | BOS, {TEKKEN}},
    {"tiny_aya", KS, {NUMBER_FROM_RIGHT, TINY_AYA}},
    {"trillion", KS, {GPT2}},
    {"ufakzeka", KS, {UFAKZEKA}},
    {"viking", KS, {BLOOM, NUMBER_1}},
    {"whitespace", RAW | DROP, {SPACE_RUN}},
    {"youtu", KS | IM, {YOUTU_RUN, YOUTU}},
};

size_t lm_pretok_count(void) { return sizeof types / sizeof *types; }

const lm_pretok_type *lm_pretok_at(size_t index) { return &types[index]; }

const lm_pretok_type *lm_pretok_find(const char *name, size_t n) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strlen(types[i].name) == n && memcmp(types[i].name, name, n) == 0) return &types[i];
    return NULL;
}

void lm_pretok_begin(lm_pretok *cut, const lm_pretok_type *type, const uint8_t *text, size_t n) {
    cut->type = type;
    cut->n_stages = 0;
    while (cut->n_stages < LM_PRETOK_STAGES_MAX && type->stages[cut->n_stages] != NONE) {
        cut->at[cut->n_stages] = cut->end[cut->n_stages] = NULL;
        cut->n_stages++;
    }
    cut->at[0] = text;
    cut->end[0] = text + n;
    cut->blank_end = cut->digits_end = text;
}

bool lm_pretok_next(lm_pretok *cut, const uint8_t **piece, size_t *n) {
    int depth = cut->n_stages - 1;
    while (depth >= 0 && cut->at[depth] == cut->end[depth]) depth--;
    if (depth < 0) return false;
    for (;; depth++) {
        const uint8_t *start = cut->at[depth], *end = cut->end[depth];
        int stage = cut->type->stages[depth];
        const uint8_t *next =
            stage < WORD_STAGES_END ? lm_pretok_words(cut, stage, start, end) : lm_pretok_runs(cut, stage, start, end);
        cut->at[depth] = next;
        if (depth == cut->n_stages - 1) {
            *piece = start;
            *n = (size_t)(next - start);
            return true;
        }
        cut->at[depth + 1] = start;
        cut->end[depth + 1] = next;
    }
}
