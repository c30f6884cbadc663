/* SPDX-License-Identifier: MIT
 * Command R7B and A: calls as a JSON list between action marks; text and thinking have marks of their own. */
#include "output_family.h"
#include "output_json.h"

static bool step(lm_output *output) {
    static const lm_tagged_json syntax = {.opens = {"<|START_ACTION|>"}, .closes = {"<|END_ACTION|>"}, .list = true};
    return lm_tagged_json_step(output, &syntax);
}

const lm_output_family lm_family_cohere = {"cohere", step, "<|START_THINKING|>", "<|END_THINKING|>", NULL};
