/* SPDX-License-Identifier: MIT
 * Messages rewritten to what a template takes: small templates that each lack something, what they render, and whose message
 * the bytes belong to; then every allocation failing. */
#include "counting.h"

#include "chat/chat.h"

#define ROLES "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
#define PARTS_ONLY "{% for m in messages %}[{{ m.role }}]{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}"
#define NO_SYSTEM                                                                                                      \
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"                  \
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"    \
    "[{{ m.role }}]{{ m.content }}{% endfor %}"
#define PARTS_NO_SYSTEM                                                                                                \
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}[{{ m.role }}]"    \
    "{% for p in m.content %}({{ p.text }}){% endfor %}{% endfor %}"
#define FIRST_SYSTEM                                                                                                   \
    "{% for m in messages %}{% if m.role == 'system' and not loop.first %}{{ raise_exception('late') }}{% endif %}"    \
    "[{{ m.role }}]{{ m.content }}{% endfor %}"
#define CALLS(arguments)                                                                                               \
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}[{{ m.role }}]{{ m.content }}"                \
    "{% for c in m.tool_calls or [] %}<{{ c.id }} {{ c.function.name }} " arguments ">{% endfor %}{% endfor %}"
#define SHORT_IDS                                                                                                      \
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% for c in m.tool_calls or [] %}"                            \
    "{% if c.id | length != 9 %}{{ raise_exception('id') }}{% endif %}<{{ c.function.arguments | tojson }}>{% endfor " \
    "%}{% endfor %}"
#define THINKING                                                                                                       \
    "{% for m in messages %}[{{ m.role }}]{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content " \
    "%}"                                                                                                               \
    "{% if p.type == 'thinking' %}({{ p.thinking }}){% else %}{{ p.text }}{% endif %}{% endfor %}{% endif %}{% "       \
    "endfor %}"

#define NO_EMPTY                                                                                                       \
    "{% for m in messages %}{% if m.role == 'assistant' and not m.content %}{{ raise_exception('empty') }}{% endif %}" \
    "[{{ m.role }}]{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }}"          \
    "{% endfor %}{% endif %}{% endfor %}"
#define CHANNELS                                                                                                       \
    "{% for m in messages %}{% if '<|channel|>final<|message|>' in (m.content or '') %}{{ raise_exception('tags') }}"  \
    "{% endif %}[{{ m.role }}]{% if m.thinking %}({{ m.thinking }}){% endif %}{{ m.content }}{% endfor %}"

#define USER "{'role':'user','content':'u'}"
#define CALL(id, arguments) "{'id':'" id "','type':'function','function':{'name':'f','arguments':" arguments "}}"
#define ASKS(calls) USER ",{'role':'assistant','tool_calls':[" calls "]}"
#define TOOLS ",'tools':[{'type':'function','function':{'name':'f'}}]"

static const struct adapt_case {
    const char *template, *messages, *rest, *expected; /* expected NULL: LM_ERR_UNSUPPORTED */
} cases[] = {
    {ROLES, USER, "", "[user]u"},
    {ROLES, "{'role':'user','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]}", "", "[user]a\nb"},
    {ROLES, "{'role':'user','content':[{'type':'image_url','image_url':'x'}]}", "", NULL},
    {ROLES, "{'role':'developer','content':'d'}," USER, "", "[system]d[user]u"},
    {"{# developer #}" ROLES, "{'role':'developer','content':'d'}," USER, "", "[developer]d[user]u"},
    {PARTS_ONLY, USER ",{'role':'assistant','content':[{'type':'text','text':'a'}]}", "", "[user]u[assistant]a"},
    {NO_SYSTEM, "{'role':'system','content':'s'}," USER, "", "[user]s\nu"},
    {NO_SYSTEM, "{'role':'system','content':'s'}", "", "[user]s"},
    {NO_SYSTEM, USER "," USER ",{'role':'assistant','content':'a'},{'role':'system','content':'s'}," USER, "",
     "[user]u\nu[assistant]a[user]s\nu"},
    {FIRST_SYSTEM, "{'role':'system','content':'s'}," USER ",{'role':'system','content':'t'}," USER, "",
     "[system]s[user]u[user]t\nu"},
    {CALLS("{{ c.function.arguments | tojson }}"), ASKS(CALL("i", "'{`a`:1}'")), "",
     "[user]u[assistant]<i f {\"a\": 1}>"},
    {CALLS("{{ c.function.arguments }}"), ASKS(CALL("i", "{'a':1}")), "", "[user]u[assistant]<i f {\"a\": 1}>"},
    {CALLS("{{ c.function.arguments | tojson }}"), ASKS(CALL("i", "'no json'")), "",
     "[user]u[assistant]<i f \"no json\">"},
    {CALLS("{{ c.function.arguments | tojson }}"),
     ASKS(CALL("i", "{}") "," CALL(
         "j", "{}")) ",{'role':'tool','tool_call_id':'j','content':'J'},{'role':'tool','tool_call_id':'i',"
                     "'content':[{'type':'text','text':'I'}]}",
     "", "[user]u[assistant]<i f {}><j f {}>[tool]I[tool]J"},
    {SHORT_IDS, ASKS(CALL("call_0123456789", "{'a':1}")), "", "[user]u[assistant]<{\"a\": 1}>"},
    {THINKING, USER ",{'role':'assistant','content':'a','reasoning_content':'r'}", "", "[user]u[assistant](r)a"},
    {NO_EMPTY, USER ",{'role':'assistant','content':''}," USER, "", "[user]u[assistant][user]u"},
    {NO_EMPTY, USER ",{'role':'assistant','content':'a'}," USER, "", "[user]u[assistant]a[user]u"},
    {CHANNELS,
     USER ",{'role':'assistant','content':'<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|"
          "message|>a'}",
     "", "[user]u[assistant](hm)a"},
    {CHANNELS, USER ",{'role':'assistant','content':'a','reasoning_content':'r'}", "", "[user]u[assistant](r)a"},
    {"{# <im_patch> #}" ROLES, "{'role':'user','content':' u\\n'},{'role':'assistant','content':'\\ta b '}", "",
     "[user]u[assistant]a b"},
    {"{# <im_patch> #}" PARTS_ONLY,
     "{'role':'user','content':[{'type':'text','text':' u '},{'type':'text','text':'v '}]}", "", "[user]uv"},
    {"{# <im_patch> #}" PARTS_ONLY,
     "{'role':'user','content':[{'type':'image','image':'x'},{'type':'text','text':' v '}]}", "", "[user]v"},
    {PARTS_NO_SYSTEM,
     "{'role':'system','content':'s'},{'role':'user','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]"
     "}",
     "", "[user](s)(a)(b)"},
    {"{% for m in messages %}{% if loop.index0 and m.role == messages[loop.index0 - 1].role %}{{ raise_exception('2') "
     "}}"
     "{% endif %}[{{ m.role }}]{{ m.content }}{% endfor %}",
     "7," USER ",'x'," USER ",[{}]", "", "[][user]u[][user]u[]"}, /* what is no message is the template's to judge */
    {"{% for m in messages if m.role in ['user', 'assistant'] %}[{{ m.role }}]{{ m.content }}{% endfor %}",
     ASKS(CALL("i", "{'a':1}")) ",{'role':'tool','tool_call_id':'i','content':'r'}", "",
     "[user]u[assistant]<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": "
     "1}}\n</tool_call>[user]<tool_response>\nr\n"
     "</tool_response>"},
    /* the caller's own members stay, also one as long as the name of what goes */
    {"{% for m in messages if m.role in ['user', 'assistant'] %}[{{ m.role }}]{{ m.content }}{{ m.turn_order }}{% "
     "endfor %}",
     USER ",{'role':'assistant','turn_order':7,'tool_calls':[" CALL("i", "{'a':1}") "]}", "",
     "[user]u[assistant]<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>7"},
};

static char *requote(const char *messages, const char *rest) {
    char *out = malloc(4096);
    size_t n = (size_t)snprintf(out, 4096, "{\"messages\":[");
    for (int part = 0; part < 2; part++) {
        for (const char *from = part ? rest : messages; *from; from++) {
            if (*from == '`') out[n++] = '\\';
            out[n++] = *from == '\'' || *from == '`' ? '"' : *from;
        }
        if (part == 0) out[n++] = ']';
    }
    out[n++] = '}';
    out[n] = '\0';
    return out;
}

static lm_status render(const lm_env *env, const struct adapt_case *c, lm_chat **chat, lm_chat_prompt *prompt) {
    static const lm_chat_render_params now = {sizeof now, 2026, 1, 2, 3, 4, 5, LM_CHAT_RENDER_ADAPT};
    lm_error error;
    *chat = NULL;
    lm_status status = lm_chat_open(env, c->template, strlen(c->template), chat, &error);
    char *inputs = requote(c->messages, c->rest);
    if (status == LM_OK) status = lm_chat_run(*chat, inputs, strlen(inputs), &now, prompt, &error);
    free(inputs);
    return status;
}

static void templates_get_what_they_take(void **state) {
    lm_env env;
    (void)state;
    lm_env_init(&env, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
        lm_chat *chat;
        lm_status status = render(&env, &cases[i], &chat, &prompt);
        if (!cases[i].expected) {
            assert_int_equal(status, LM_ERR_UNSUPPORTED);
            assert_non_null(strstr(lm_chat_sentence(chat), "image_url"));
        } else {
            if (status != LM_OK) print_message("case %d: %s\n", (int)i, lm_chat_sentence(chat));
            assert_int_equal(status, LM_OK);
            assert_string_equal(prompt.text, cases[i].expected);
        }
        lm_chat_close(chat);
    }
}

static void tools_are_never_lost(void **state) {
    static const struct adapt_case c = {ROLES, "{'role':'system','content':'s'}," USER, TOOLS, ""};
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_chat *chat;
    lm_env env;
    (void)state;
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(render(&env, &c, &chat, &prompt), LM_OK);
    assert_non_null(strstr(prompt.text, "\"name\":\"f\""));
    assert_non_null(strstr(prompt.text, "<tool_call>"));
    assert_non_null(strstr(prompt.text, "s[user]u"));
    lm_chat_close(chat);
}

static void spans_count_the_callers_messages(void **state) {
    static const struct adapt_case c = {
        NO_SYSTEM, "{'role':'system','content':'s'}," USER ",{'role':'assistant','content':'A'}", "", ""};
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_chat *chat;
    lm_env env;
    (void)state;
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(render(&env, &c, &chat, &prompt), LM_OK);
    assert_string_equal(prompt.text, "[user]s\nu[assistant]A");
    assert_int_equal(prompt.spans[prompt.n_spans - 1].message, 2);
    assert_int_equal(prompt.spans[0].message, 1);
    lm_chat_close(chat);
}

static void memory_failures_leave_nothing(void **state) {
    (void)state;
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
        lm_chat *chat;
        lm_status status = render(&env, &cases[8], &chat, &prompt);
        if (chat) lm_chat_close(chat);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) {
            assert_int_equal(status, LM_OK);
            break;
        }
        assert_int_equal(status, LM_ERR_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_get_what_they_take),
        cmocka_unit_test(tools_are_never_lost),
        cmocka_unit_test(spans_count_the_callers_messages),
        cmocka_unit_test(memory_failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
