/* SPDX-License-Identifier: MIT
 * Granite 3: <|tool_call|> and a JSON list of calls. */
#include "output_family.h"
#include "output_json.h"

static bool step(lm_output *output) {
    static const lm_tagged_json syntax = {
        .opens = {"<|tool_call|>", "<tool_call>"}, .closes = {"</tool_call>"}, .list = true};
    return lm_tagged_json_step(output, &syntax);
}

const lm_output_family lm_family_granite = {"granite", step, "<think>", "</think>", NULL};
