/* SPDX-License-Identifier: MIT
 * MiniCPM5: <function name="..."><param name="...">value</param></function>. */
#include "output_family.h"
#include "output_xml.h"

static bool step(lm_output *output) {
    static const lm_xml_syntax syntax = {.starts = {"<function name=\""},
                                         .name_ends = {"\">"},
                                         .parameter = "<param name=\"",
                                         .key_ends = {"\">"},
                                         .key_types = "?",
                                         .value_close = "</param>",
                                         .call_closes = {"</function>"}};
    return lm_xml_step(output, &syntax);
}

const lm_output_family lm_family_minicpm5 = {"minicpm5", step, "<think>", "</think>", NULL};
