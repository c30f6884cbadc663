/* SPDX-License-Identifier: MIT
 * GLM 4.5 to 5: <tool_call>NAME, then keys and values in tags of their own. */
#include "output_family.h"
#include "output_xml.h"

static bool step(lm_output *output) {
    static const lm_xml_syntax syntax = {.starts = {"<tool_call>"},
                                         .name_ends = {"\n", "<arg_key>", "</tool_call>"},
                                         .parameter = "<arg_key>",
                                         .key_ends = {"</arg_key>"},
                                         .key_types = "?",
                                         .value_opens = "<arg_value>",
                                         .value_close = "</arg_value>",
                                         .call_closes = {"</tool_call>"}};
    return lm_xml_step(output, &syntax);
}

const lm_output_family lm_family_glm = {"glm", step, "<think>", "</think>", NULL};
