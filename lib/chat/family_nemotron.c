/* SPDX-License-Identifier: MIT
 * Nemotron Nano v2: <TOOLCALL>[{...}]</TOOLCALL>. */
#include "output_family.h"
#include "output_json.h"

static bool step(lm_output *output) {
    static const lm_tagged_json syntax = {.opens = {"<TOOLCALL>"}, .closes = {"</TOOLCALL>"}, .list = true};
    return lm_tagged_json_step(output, &syntax);
}

const lm_output_family lm_family_nemotron = {"nemotron", step, "<think>", "</think>", NULL};
