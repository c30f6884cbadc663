/* SPDX-License-Identifier: MIT
 * Apertus: a list of objects whose only member is named after the tool: [{"NAME": {arguments}}]. */
#include "output_family.h"
#include "output_json.h"

static bool step(lm_output *output) {
    static const lm_tagged_json syntax = {
        .opens = {"<|tools_prefix|>"}, .closes = {"<|tools_suffix|>"}, .list = true, .name_is_key = true};
    return lm_tagged_json_step(output, &syntax);
}

const lm_output_family lm_family_apertus = {"apertus", step, "<|inner_prefix|>", "<|inner_suffix|>", NULL};
