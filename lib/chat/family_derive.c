/* SPDX-License-Identifier: MIT
 * The conversations, what the assistant's part of them is, and the trial of what was found. */
#include "family_derive.h"

#include <string.h>

#include "../base/arena.h"
#include "chat_probe.h"

#define PLAIN_WORD "Plainword"
#define REASON_WORD "Reasonword"
#define TOOL(name)                                                                                                     \
    "{'type':'function','function':{'name':'" name                                                                     \
    "','description':'d','parameters':{'type':'object','properties':{'" LM_DERIVED_KEY                                 \
    "':{'type':'string'},'" LM_DERIVED_KEY_2 "':{'type':'integer'}}}}}"
#define CALL(name, id, arguments)                                                                                      \
    "{'type':'function','id':'" id "','function':{'name':'" name "','arguments':" arguments "}}"
#define BOTH "{'" LM_DERIVED_KEY "':'" LM_DERIVED_VALUE "','" LM_DERIVED_KEY_2 "':" LM_DERIVED_VALUE_2 "}"
#define BOTH_AS_TEXT "'{`" LM_DERIVED_KEY "`: `" LM_DERIVED_VALUE "`, `" LM_DERIVED_KEY_2 "`: " LM_DERIVED_VALUE_2 "}'"
#define ONE "{'" LM_DERIVED_KEY "':'other_value'}"
#define USER "{'role':'user','content':'Question'}"
#define ASSISTANT(content, rest) USER ",{'role':'assistant','content':'" content "'" rest "}"
#define TOOLS "[" TOOL(LM_DERIVED_NAME) "," TOOL(LM_DERIVED_NAME_2) "]"
#define WITH_TOOLS ",'tools':" TOOLS

typedef lm_derived_text text;

typedef struct trial {
    lm_chat *chat;
    lm_arena arena;
    text base; /* the question alone */
    bool no_memory;
} trial;

/* What a conversation renders to; nothing when the template refuses it. */
static text render(trial *t, const char *messages, bool generation) {
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    text out = {"", 0};
    lm_status status = lm_probe_render(t->chat, messages,
                                       generation ? WITH_TOOLS ",'add_generation_prompt':true" : WITH_TOOLS, &prompt);
    if (status == LM_OK) {
        out.at = lm_arena_copy(&t->arena, prompt.text, prompt.text_size);
        out.n = prompt.text_size;
    }
    if (status == LM_ERR_MEMORY || !out.at) t->no_memory = true;
    return out.at ? out : (text){"", 0};
}

static size_t shared(text a, text b) {
    size_t n = 0;
    while (n < a.n && n < b.n && a.at[n] == b.at[n]) n++;
    return n;
}

static text behind(text a, size_t n) { return (text){a.at + n, a.n - n}; }

/* The part of a conversation behind the question. */
static text part(trial *t, const char *messages, bool generation) {
    text whole = render(t, messages, generation);
    return behind(whole, shared(whole, t->base));
}

/* Behind what the generation prompt gives already, which never ends inside of a tag, and empty reasoning. */
static text written(text whole, text prompt, const lm_reply_family *family) {
    size_t n = shared(whole, prompt);
    for (size_t i = n; i-- > 0 && whole.at[i] != '>';)
        if (whole.at[i] == '<') n = i;
    text rest = lm_derived_trim(behind(whole, n));
    const char *const marks[] = {family->reasoning_open, family->reasoning_close};
    for (size_t i = 0; i < 2; i++) {
        size_t size = marks[i] ? strlen(marks[i]) : 0;
        if (size > 0 && rest.n >= size && memcmp(rest.at, marks[i], size) == 0)
            rest = lm_derived_trim(behind(rest, size));
    }
    return rest;
}

static text before_end(text whole, text end) {
    if (end.n > 0 && whole.n > end.n && memcmp(whole.at + whole.n - end.n, end.at, end.n) == 0) whole.n -= end.n;
    return whole;
}

/* Whether a family reads a text as one call, or as two. */
static bool reads(trial *t, const lm_reply_family *family, text calls, size_t n_calls) {
    static const char expected[] =
        "{\"" LM_DERIVED_KEY "\":\"" LM_DERIVED_VALUE "\",\"" LM_DERIVED_KEY_2 "\":" LM_DERIVED_VALUE_2 "}";
    lm_reply reply;
    lm_str inputs;
    lm_str_init(&inputs, t->arena.env, SIZE_MAX);
    lm_probe_quote(&inputs, TOOLS);
    lm_status status = inputs.status;
    if (status == LM_OK)
        status = lm_reply_init(&reply, t->arena.env, family, "", 0, lm_str_text(&inputs), inputs.size, NULL);
    lm_str_free(&inputs);
    if (status != LM_OK) {
        t->no_memory = true;
        return false;
    }
    status = lm_reply_feed(&reply, calls.at, calls.n);
    if (status == LM_OK) status = lm_reply_finish(&reply, false);
    bool good = status == LM_OK && reply.calls.count == n_calls;
    for (size_t i = 0; good && i < n_calls; i++) {
        const lm_reply_call *call = &reply.calls.data[i];
        good = call->complete && strcmp(lm_str_text(&call->name), i ? LM_DERIVED_NAME_2 : LM_DERIVED_NAME) == 0;
    }
    if (good) { /* white space between parts does not matter, and there is none inside of any */
        const lm_str *arguments = &reply.calls.data[0].arguments;
        const char *want = expected;
        for (size_t i = 0; i < arguments->size; i++)
            if (arguments->data[i] != ' ' && arguments->data[i] != '\n')
                good = good && *want && arguments->data[i] == *want++;
        good = good && !*want;
    }
    if (status == LM_ERR_MEMORY) t->no_memory = true;
    lm_reply_free(&reply);
    return good;
}

/* Marks around reasoning: from a message that has some, or those that the template's text shows. */
static void find_reasoning(trial *t, lm_derived_family *d, text prompt) {
    static const char *const usual[][2] = {
        {"<think>", "</think>"}, {"[THINK]", "[/THINK]"}, {"<thinking>", "</thinking>"}};
    text shown = part(t,
                      ASSISTANT(PLAIN_WORD, ",'reasoning_content':'" REASON_WORD "','reasoning':'" REASON_WORD
                                            "','thinking':'" REASON_WORD "'"),
                      false);
    size_t reason = lm_derived_find(shown, REASON_WORD, 0), plain = lm_derived_find(shown, PLAIN_WORD, 0);
    d->family.reasoning_open = usual[0][0];
    d->family.reasoning_close = usual[0][1];
    if (reason != SIZE_MAX && plain != SIZE_MAX && reason < plain) {
        size_t from = shared(shown, prompt), to = reason + strlen(REASON_WORD);
        /* What the prompt opens itself stays a mark: its last line. */
        if (from >= reason)
            for (from = reason; from > 0 && (reason - from < 2 || shown.at[from - 1] != '\n'); from--) {}
        for (size_t i = from; i-- > 0 && shown.at[i] != '>' && shown.at[i] != '\n';)
            if (shown.at[i] == '<') from = i;
        text open = lm_derived_trim((text){shown.at + from, reason - from});
        text close = lm_derived_trim((text){shown.at + to, plain - to});
        if (open.n > 0 && close.n > 0 && close.n < 200) {
            d->family.reasoning_open = lm_derived_keep(d, open);
            d->family.reasoning_close = lm_derived_keep(d, close);
            return;
        }
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (!lm_chat_mentions(t->chat, usual[i][1])) continue;
        d->family.reasoning_open = usual[i][0];
        d->family.reasoning_close = usual[i][1];
        return;
    }
}

static bool derive(trial *t, const lm_reply_family *known, lm_derived_family *d) {
    t->base = render(t, USER, false);
    text prompt = part(t, USER, true), plain = part(t, ASSISTANT(PLAIN_WORD, ""), false);
    text one = part(t, ASSISTANT("", ",'tool_calls':[" CALL(LM_DERIVED_NAME, LM_DERIVED_ID, BOTH) "]"), false);
    bool as_text = lm_derived_find(one, LM_DERIVED_KEY, 0) == SIZE_MAX;
    if (as_text)
        one = part(t, ASSISTANT("", ",'tool_calls':[" CALL(LM_DERIVED_NAME, LM_DERIVED_ID, BOTH_AS_TEXT) "]"), false);
    text two =
        part(t,
             as_text ? ASSISTANT("", ",'tool_calls':[" CALL(LM_DERIVED_NAME, LM_DERIVED_ID, BOTH_AS_TEXT) "," CALL(
                                         LM_DERIVED_NAME_2, LM_DERIVED_ID_2, BOTH_AS_TEXT) "]")
                     : ASSISTANT("", ",'tool_calls':[" CALL(LM_DERIVED_NAME, LM_DERIVED_ID, BOTH) "," CALL(
                                         LM_DERIVED_NAME_2, LM_DERIVED_ID_2, ONE) "]"),
             false);
    size_t word = lm_derived_find(plain, PLAIN_WORD, 0);
    if (t->no_memory || word == SIZE_MAX || lm_derived_find(one, LM_DERIVED_NAME, 0) == SIZE_MAX) return false;
    find_reasoning(t, d, prompt);
    text end = behind(plain, word + strlen(PLAIN_WORD));
    one = written(before_end(one, end), prompt, &d->family);
    two = written(before_end(two, end), prompt, &d->family);
    bool pairs = lm_derived_find(two, LM_DERIVED_NAME_2, 0) != SIZE_MAX;
    if (reads(t, known, one, 1)) return false; /* nothing is missing */
    plain.n = word;
    text wrap = written(plain, prompt, &d->family);
    if (wrap.n > 0 && *wrap.at == '<') {
        d->calls.answer = lm_derived_keep(d, wrap);
        d->family.drops = d->calls.answer;
        (void)lm_derived_keep(d, (text){"", 0}); /* the end of the list */
    }
    return lm_derived_fill(d, one, pairs ? two : (text){"", 0}) && reads(t, &d->family, one, 1) &&
           (!pairs || reads(t, &d->family, two, 2));
}

lm_status lm_family_derive(lm_chat *chat, const lm_reply_family *known, lm_derived_family **out) {
    const lm_env *env = lm_chat_env(chat);
    lm_derived_family *d = lm_alloc_zeroed(env, sizeof *d);
    trial t = {.chat = chat};
    *out = NULL;
    if (!d) return LM_ERR_MEMORY;
    atomic_init(&d->references, 1);
    d->env = *env;
    d->family.name = "derived";
    d->calls.family = "derived";
    lm_arena_init(&t.arena, env, LM_ARENA_UNLIMITED);
    bool good = derive(&t, known, d) && !t.no_memory;
    lm_arena_free(&t.arena);
    if (good)
        *out = d;
    else
        lm_derived_family_release(d);
    return t.no_memory ? LM_ERR_MEMORY : LM_OK;
}

void lm_derived_family_release(lm_derived_family *d) {
    if (!d || atomic_fetch_sub_explicit(&d->references, 1, memory_order_acq_rel) != 1) return;
    lm_env env = d->env;
    lm_free(&env, d, sizeof *d);
}
