/* SPDX-License-Identifier: MIT
 * Mistral: [TOOL_CALLS] and then a JSON list (Nemo, Large), NAME[CALL_ID]ID[ARGS]{...} (Small 3.2) or NAME[ARGS]{...}
 * (Devstral, Ministral, Magistral); reasoning in [THINK] tags. */
#include <string.h>

#include "output_family.h"
#include "output_json.h"

enum { UNDECIDED, LIST, HEADED };

/* NAME or NAME[CALL_ID]ID */
static bool read_header(lm_output *output, const char *header, size_t n, lm_str *name, lm_str *id) {
    static const char mark[] = "[CALL_ID]";
    size_t at = 0, n_mark = sizeof mark - 1;
    while (at < n && !(n - at >= n_mark && memcmp(header + at, mark, n_mark) == 0)) at++;
    size_t from = at < n ? at + n_mark : n;
    if (lm_str_append(name, header, at) != LM_OK || lm_str_append(id, header + from, n - from) != LM_OK)
        output->status = LM_ERR_MEMORY;
    return true;
}

static bool step(lm_output *output) {
    static const lm_tagged_json list = {.opens = {"[TOOL_CALLS]"}, .closes = {"</s>"}, .list = true};
    static const lm_headed_json headed = {
        .starts = {"[TOOL_CALLS]"}, .separators = {"[ARGS]"}, .ends = {"</s>"}, .read_header = read_header};
    if (output->state == LM_STATE_TEXT) {
        size_t which;
        bool more;
        if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, list.opens, &which)) return false;
        size_t n = strlen(list.opens[0]), spaces = lm_output_spaces(output, n, &more);
        if (more) return false;
        bool json = lm_output_match(output, n + spaces, "[") == LM_MATCH_YES ||
                    lm_output_match(output, n + spaces, "{") == LM_MATCH_YES;
        output->route = json ? LIST : HEADED;
    }
    return output->route == LIST ? lm_tagged_json_step(output, &list) : lm_headed_json_step(output, &headed);
}

const lm_output_family lm_family_mistral = {"mistral", step, "[THINK]", "[/THINK]", NULL};
