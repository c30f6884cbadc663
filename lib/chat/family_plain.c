/* SPDX-License-Identifier: MIT
 * No tool calls: content, and reasoning in <think> tags. */
#include "output_family.h"

static bool step(lm_output *output) {
    static const char *const never[] = {NULL};
    bool stepped, advanced = lm_output_step_reasoning(output, never, &stepped);
    size_t which;
    if (stepped) return advanced;
    lm_output_text_until(output, LM_OUTPUT_CONTENT, never, &which);
    return false;
}

const lm_output_family lm_family_plain = {"plain", step, "<think>", "</think>", NULL};
