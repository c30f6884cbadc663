/* SPDX-License-Identifier: MIT
 * Finding out what a template takes. A text that no template has of itself is put somewhere, and counts as taken when it comes
 * out as it is: not missing, not as the dump of a structure. A template that refuses a conversation takes nothing in it. */
#include "chat_needs.h"

#include <string.h>

#include "chat_probe.h"

#define WORD "Zqprobe"
#define KEY "zqprobe_key"
#define TEXT(role, text) "{'role':'" role "','content':'" text "'}"
#define PARTS(role, type, text) "{'role':'" role "','content':[{'type':'" type "','" type "':'" text "'}]}"
#define TOOL                                                                                                           \
    "{'type':'function','function':{'name':'zqtool','description':'d','parameters':{'type':'object','properties':{'"   \
    "zqparam':"                                                                                                        \
    "{'type':'string'}}}}}"
#define CALL(id, arguments)                                                                                            \
    "{'role':'assistant','content':'','tool_calls':[{'type':'function','id':'" id                                      \
    "','function':{'name':'zqcall','arguments':" arguments "}}]}"
#define RESULT(content) "{'role':'tool','tool_call_id':'callcall1','name':'zqcall','content':" content "}"
#define OBJECT "{'" KEY "':'v'}"
#define AS_TEXT "'{`" KEY "`: `v`}'"

static const char with_tools[] = ",'tools':[" TOOL "]";

typedef struct probe {
    lm_chat *chat;
    lm_status status; /* LM_ERR_MEMORY: nothing more is tried */
    lm_chat_prompt shown;
} probe;

static bool find(const probe *p, const char *word) {
    size_t n_word = strlen(word);
    for (size_t i = 0; i + n_word <= p->shown.text_size; i++)
        if (memcmp(p->shown.text + i, word, n_word) == 0) return true;
    return false;
}

static bool renders(probe *p, const char *messages, const char *rest) {
    if (p->status != LM_OK) return false;
    lm_status status = lm_probe_render(p->chat, messages, rest, &p->shown);
    if (status == LM_ERR_MEMORY) p->status = status;
    return status == LM_OK;
}

static bool shows(probe *p, const char *messages, const char *rest, const char *word) {
    return renders(p, messages, rest) && find(p, word);
}

/* As itself, not in the quotes of a printed list. */
static bool shows_plain(probe *p, const char *messages, const char *rest) {
    return shows(p, messages, rest, WORD) && !find(p, "'" WORD) && !find(p, "\"" WORD);
}

static void find_contents(probe *p, lm_chat_needs *needs) {
    static const char *const text[] = {TEXT("system", WORD) "," TEXT("user", "x"), TEXT("user", WORD),
                                       TEXT("user", "x") "," TEXT("assistant", WORD),
                                       TEXT("user", "x") "," CALL("callcall1", OBJECT) "," RESULT("'" WORD "'")};
    static const char *const parts[] = {
        PARTS("system", "text", WORD) "," TEXT("user", "x"), PARTS("user", "text", WORD),
        TEXT("user", "x") "," PARTS("assistant", "text", WORD),
        TEXT("user", "x") "," CALL("callcall1", OBJECT) "," RESULT("[{'type':'text','text':'" WORD "'}]")};
    for (int role = 0; role < LM_N_ROLES; role++) {
        const char *rest = role == LM_ROLE_TOOL ? with_tools : "";
        needs->text[role] = shows(p, text[role], rest, WORD);
        needs->parts[role] = shows_plain(p, parts[role], rest);
    }
}

lm_status lm_chat_find_needs(lm_chat *chat, lm_chat_needs *needs) {
    probe p = {chat, LM_OK, LM_CHAT_PROMPT_INIT};
    memset(needs, 0, sizeof *needs);
    find_contents(&p, needs);
    needs->system = needs->text[LM_ROLE_SYSTEM] || needs->parts[LM_ROLE_SYSTEM];
    needs->developer =
        lm_chat_mentions(chat, "developer") && shows(&p, TEXT("developer", WORD) "," TEXT("user", "x"), "", WORD);
    needs->late_system =
        needs->system &&
        shows(&p, TEXT("user", "x") "," TEXT("assistant", "y") "," TEXT("system", WORD) "," TEXT("user", "z"), "",
              WORD);
    needs->tools = shows(&p, TEXT("user", "x"), with_tools, "zqtool");
    bool objects = shows(&p, TEXT("user", "x") "," CALL("callcall1", OBJECT) "," RESULT("'y'"), with_tools, KEY) &&
                   !find(&p, "'" KEY "'");
    bool texts = shows(&p, TEXT("user", "x") "," CALL("callcall1", AS_TEXT) "," RESULT("'y'"), with_tools, KEY);
    needs->argument_objects = objects;
    needs->calls = objects || texts;
    const char *with_id =
        objects ? TEXT("user", "x") "," CALL("callcall1", OBJECT) : TEXT("user", "x") "," CALL("callcall1", AS_TEXT);
    const char *with_long_id = objects ? TEXT("user", "x") "," CALL("call_0123-456789abcdef", OBJECT)
                                       : TEXT("user", "x") "," CALL("call_0123-456789abcdef", AS_TEXT);
    needs->long_ids = renders(&p, with_long_id, with_tools) || !renders(&p, with_id, with_tools);
    needs->results = needs->text[LM_ROLE_TOOL] || needs->parts[LM_ROLE_TOOL];
    needs->tool_responses =
        !needs->results &&
        shows(&p,
              TEXT("user", "x") ",{'role':'assistant','content':'','tool_calls':[{'type':'function','id':'callcall1','"
                                "function':{'name':"
                                "'zqcall','arguments':{}}}],'tool_responses':[{'name':'zqcall','response':'" WORD
                                "'}]}",
              with_tools, WORD);
    needs->thinking_field = strcmp(lm_chat_family_name(chat), "harmony") == 0;
    needs->thinking_parts =
        lm_chat_mentions(chat, "thinking") && needs->parts[LM_ROLE_ASSISTANT] &&
        shows_plain(&p, TEXT("user", "x") "," PARTS("assistant", "thinking", WORD), "") &&
        !shows(&p, TEXT("user", "x") ",{'role':'assistant','content':'y','reasoning_content':'" WORD "'}", "", WORD);
    needs->empty_answers = renders(&p, TEXT("user", "x") "," TEXT("assistant", "") "," TEXT("user", "z"), "") ||
                           !renders(&p, TEXT("user", "x") "," TEXT("assistant", "y") "," TEXT("user", "z"), "");
    needs->trimmed = lm_chat_mentions(chat, "<im_patch>"); /* StepFun 3.5: nothing that it renders shows it */
    needs->repeats = renders(&p, TEXT("user", "x") "," TEXT("user", "y"), "") || !renders(&p, TEXT("user", "x"), "");
    needs->is_known = p.status == LM_OK;
    return p.status;
}
