/* SPDX-License-Identifier: MIT
 * DeepSeek: R1 and V3 write a type word, the name and a fenced block between special tokens, V3.1 name and bare JSON, V3.2
 * and V4 DSML tags. Models deviate in the special tokens, so their spellings with spaces and underscores count too. */
#include "reply_family.h"
#include "reply_json.h"
#include "reply_xml.h"

#define BAR "\xEF\xBD\x9C"
#define GAP "\xE2\x96\x81"
#define DSML BAR "DSML" BAR

#define TAG_STARTS "<" DSML "function_calls>\0<" DSML "tool_calls>\0<" DSML "invoke name=\""
#define SECTION_STARTS                                                                                                 \
    "<" BAR "tool" GAP "calls" GAP "begin" BAR ">\0<" BAR "tool_calls_begin" BAR ">\0<" BAR "tool calls begin" BAR ">"
#define TOKEN_STARTS                                                                                                   \
    SECTION_STARTS "\0<" BAR "tool" GAP "calls" BAR ">\0<" BAR "tool" GAP "call" GAP "begin" BAR ">\0<" BAR            \
                   "tool_call_begin" BAR ">\0<" BAR "tool call begin" BAR ">"

static const lm_headed_json tokens = {
    .starts = LM_WORDS(TOKEN_STARTS),
    .n_sections = 4,
    .separators = LM_WORDS("<" BAR "tool" GAP "sep" BAR ">\0<" BAR "tool_sep" BAR ">\0<" BAR "tool sep" BAR ">"),
    .ends = LM_WORDS("<" BAR "tool" GAP "call" GAP "end" BAR ">\0<" BAR "tool_call_end" BAR ">\0<" BAR
                     "tool call end" BAR ">\0<" BAR "tool" GAP "calls" GAP "end" BAR ">\0<" BAR "tool_calls_end" BAR
                     ">\0<" BAR "tool calls end" BAR ">\0<" BAR "end" GAP "of" GAP "sentence" BAR ">"),
    .type_word = "function",
    .sections_call = true};

static const lm_xml_syntax tags = {.starts = LM_WORDS(TAG_STARTS),
                                   .n_sections = 2,
                                   .name_ends = LM_WORDS("\">"),
                                   .parameter = "<" DSML "parameter name=\"",
                                   .key_ends = LM_WORDS("\" string=\"true\">\0\" string=\"false\">\0\">"),
                                   .key_types = "sj?",
                                   .value_close = LM_WORDS("</" DSML "parameter>"),
                                   .call_closes = LM_WORDS("</" DSML "invoke>"),
                                   .section_closes = LM_WORDS("</" DSML "function_calls>\0</" DSML "tool_calls>")};

static bool step(lm_reply *reply) {
    bool stepped, advanced = lm_reply_step_reasoning(reply, LM_WORDS(TAG_STARTS "\0" SECTION_STARTS), &stepped);
    size_t which, n;
    if (stepped) return advanced;
    if (reply->state == LM_STATE_TEXT) {
        if (!lm_reply_text_until(reply, LM_REPLY_CONTENT, LM_WORDS(TAG_STARTS "\0" TOKEN_STARTS), &which, &n))
            return false;
        reply->in_list = which >= 3; /* which engine takes over; the engines do not use it */
    }
    return reply->in_list ? lm_headed_json_step(reply, &tokens) : lm_xml_step(reply, &tags);
}

const lm_reply_family lm_family_deepseek = {
    .name = "deepseek", .step = step, .reasoning_open = "<think>", .reasoning_close = "</think>"};
