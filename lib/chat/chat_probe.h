/* SPDX-License-Identifier: MIT
 * Small conversations, rendered to find out what a template does. In their JSON ' is written for ", and ` for one inside of a
 * string. */
#ifndef LM_CHAT_CHAT_PROBE_H
#define LM_CHAT_CHAT_PROBE_H

#include "../base/str.h"
#include "chat.h"

void lm_probe_quote(lm_str *out, const char *json);
/* {"messages": [messages] rest}: the text lives until the next render. LM_OK, LM_ERR_MEMORY, or why the template refuses. */
lm_status lm_probe_render(lm_chat *chat, const char *messages, const char *rest, lm_chat_prompt *out);

#endif
