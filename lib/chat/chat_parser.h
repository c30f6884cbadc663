/* SPDX-License-Identifier: MIT
 * Making a parser for a family that is already chosen. */
#ifndef LM_CHAT_CHAT_PARSER_H
#define LM_CHAT_CHAT_PARSER_H

#include "../reply/reply_family.h"
#include "chat.h"
#include "family_derive.h"

/* derived: what family lives in, or NULL; the parser holds on to it. */
lm_status lm_chat_parser_make(const lm_env *env, const lm_reply_family *family, lm_derived_family *derived,
                              const lm_chat_parser_params *params, lm_chat_parser **out, lm_error *error);

#endif
