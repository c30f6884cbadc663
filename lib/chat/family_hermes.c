/* SPDX-License-Identifier: MIT
 * Qwen 2.5, Qwen 3, QwQ, Hermes and many others: <tool_call>{"name": ..., "arguments": {...}}</tool_call>, reasoning in
 * <think> tags. */
#include "output_family.h"
#include "output_json.h"

static bool step(lm_output *output) {
    static const lm_tagged_json syntax = {.opens = {"<tool_call>"}, .closes = {"</tool_call>"}, .list = true};
    return lm_tagged_json_step(output, &syntax);
}

const lm_output_family lm_family_hermes = {"qwen3", step, "<think>", "</think>", NULL};
