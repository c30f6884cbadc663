/* SPDX-License-Identifier: MIT
 * Arguments written as literals that are not JSON, converted to JSON while they arrive. */
#ifndef LM_REPLY_LITERAL_H
#define LM_REPLY_LITERAL_H

#include "reply_json.h"

typedef enum lm_literal_dialect {
    LM_LITERAL_GEMMA, /* {key:value}, strings between <|"|> */
    LM_LITERAL_PYTHON /* key=value, ...) with Python's values; begins behind the parenthesis */
} lm_literal_dialect;

void lm_reply_literal_begin(lm_reply *reply);
/* A step of a family: convert at pos, where a call must be open. It ends behind the last bracket, and the state is
 * LM_STATE_AFTER; or at what does not fit, and it is LM_STATE_BROKEN. */
bool lm_reply_step_literal(lm_reply *reply, lm_literal_dialect dialect);

#endif
