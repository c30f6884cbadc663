/* SPDX-License-Identifier: MIT
 * A run: render, bring the sequence to the prompt, then choose, read and hand out token by token. Text that may be the start
 * of a stop is held back until it is decided. The end token joins the known tokens, though nothing evaluates it before the
 * next turn. */
#include <string.h>

#include <lm/grammar.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "../base/params.h"
#include "../chat/tool_grammar.h"
#include "../context/context.h"
#include "../os/os.h"
#include "session.h"

#define MAX_FORCED 64

typedef struct run {
    lm_chat_session *session;
    const lm_chat_request *request;
    lm_chat_prompt prompt;
    const lm_json *tools;
    lm_arena arena;
    lm_str inputs, held; /* held: bytes that may begin a stop */
    lm_chat_parser *parser;
    lm_sampler *sampler;
    lm_chat_report report;
    size_t n_calls, n_broken;
    int64_t n_ctx;
    bool is_constrained;
} run;

static lm_status fail(run *r, lm_status status, const char *sentence) {
    return lm_error_set(&r->session->error, status, "%s", sentence);
}

static lm_status render(run *r) {
    lm_chat_session *s = r->session;
    lm_status status = lm_session_write_inputs(s, r->request, true, &r->inputs, &r->arena, &r->tools);
    if (status != LM_OK) return status;
    lm_chat_render_params now = LM_CHAT_RENDER_PARAMS_INIT;
    status = lm_params_read(&now, sizeof now, r->request->now, "lm_chat_render_params", &s->error);
    if (status != LM_OK) return status;
    now.flags |= LM_CHAT_RENDER_ADAPT;
    status = lm_chat_render(s->chat, lm_str_text(&r->inputs), r->inputs.size, &now, &r->prompt, &s->error);
    if (status != LM_ERR_FORMAT || s->error.line == 0) return status;
    char place[40]; /* the session's sentence is all that its callers see */
    lm_format(place, sizeof place, "template, line %d", (int)s->error.line);
    return lm_error_name(&s->error, status, place);
}

/* The template's own text at the end of the prompt: it may have opened the reasoning. */
static size_t generation_prompt(const run *r) {
    size_t i = r->prompt.n_spans;
    while (i > 0 && !(r->prompt.spans[i - 1].flags & LM_CHAT_SPAN_CALLER)) i--;
    return i < r->prompt.n_spans ? r->prompt.spans[i].start : r->prompt.text_size;
}

static const char *family_of(const lm_chat_session *s) { return s->family ? s->family : lm_chat_family(s->chat); }

static lm_status make_parser(run *r) {
    lm_chat_parser_params params = LM_CHAT_PARSER_PARAMS_INIT;
    const lm_chat_request *q = r->request;
    size_t from = generation_prompt(r);
    bool calls = q->tools && q->tool_choice != LM_TOOL_CHOICE_NONE;
    params.allocator = r->session->env.allocator;
    params.generation_prompt = r->prompt.text + from;
    params.generation_prompt_size = r->prompt.text_size - from;
    params.tools = calls ? q->tools : "[]"; /* no tool is declared: nothing is a call */
    params.tools_size = calls ? q->tools_size : 2;
    return lm_chat_parser_create(r->session->chat, r->session->family, &params, &r->parser, &r->session->error);
}

/* Whether the last of open and close in text is open. */
static bool is_open(const char *text, size_t n, const char *open, const char *close) {
    size_t n_open = strlen(open), n_close = strlen(close);
    for (size_t end = n; end > 0; end--) {
        if (end >= n_close && memcmp(text + end - n_close, close, n_close) == 0) return false;
        if (end >= n_open && memcmp(text + end - n_open, open, n_open) == 0) return true;
    }
    return false;
}

static lm_status follow(run *r, const lm_turn_grammar *turn) {
    lm_chat_session *s = r->session;
    lm_grammar_matcher_params params = LM_GRAMMAR_MATCHER_PARAMS_INIT;
    lm_grammar_trigger trigger = {LM_GRAMMAR_TRIGGER_KIND_PATTERN, LM_TOKEN_NONE, turn->pattern, strlen(turn->pattern)};
    lm_grammar_matcher *matcher = NULL;
    params.triggers = &trigger;
    params.n_triggers = turn->pattern[0] ? 1 : 0;
    lm_status status = s->vocab ? LM_OK : lm_grammar_vocab_for_model(s->model, &s->vocab, &s->error);
    if (status == LM_OK) status = lm_grammar_matcher_create(turn->grammar, s->vocab, &params, &matcher, &s->error);
    if (status == LM_OK && lm_sampler_set_grammar(r->sampler, matcher) != LM_OK) status = lm_error_memory(&s->error);
    r->is_constrained = status == LM_OK;
    lm_grammar_matcher_destroy(matcher);
    return status;
}

static lm_token find_token(void *model, const char *text, size_t n) {
    lm_token token;
    return lm_tokenize(model, text, n, LM_TOKENIZE_PARSE_SPECIAL, &token, 1) == 1 ? token : LM_TOKEN_NONE;
}

static lm_status constrain(run *r) {
    lm_chat_session *s = r->session;
    const lm_chat_request *q = r->request;
    lm_turn_rules rules = {.family = family_of(s)};
    lm_turn_grammar turn = {NULL, ""};
    const char *open, *close;
    size_t from = generation_prompt(r);
    lm_status status = LM_OK;
    if (q->tool_choice != LM_TOOL_CHOICE_NONE) rules.tools = r->tools;
    rules.calls_required = q->tool_choice == LM_TOOL_CHOICE_REQUIRED;
    if (rules.calls_required && (!r->tools || r->tools->count == 0))
        return fail(r, LM_ERR_ARGUMENT, "calls are required, but there are no tools");
    rules.in_reasoning = lm_chat_family_reasons(s->chat, s->family, &open, &close) &&
                         is_open(r->prompt.text + from, r->prompt.text_size - from, open, close);
    if (q->schema) {
        lm_error error;
        status = lm_json_parse(&r->arena, q->schema, q->schema_size, LM_JSON_DEPTH_DEFAULT, &rules.schema, &error);
        if (status != LM_OK) return lm_error_set(&s->error, status, "schema: %s", error.message);
    }
    rules.gbnf = q->gbnf;
    rules.gbnf_size = q->gbnf_size;
    rules.find_token = find_token;
    rules.user = s->model;
    status = lm_turn_grammar_build(&s->env, s->chat, &rules, &turn, &s->error);
    if (status == LM_OK && turn.grammar) status = follow(r, &turn);
    lm_grammar_destroy(turn.grammar);
    return status;
}

static lm_status take_context_error(run *r, lm_status status) {
    return fail(r, status, lm_context_message(r->session->context));
}

static lm_status sync(run *r) {
    lm_chat_session *s = r->session;
    lm_status status = lm_session_take_prompt(s, &r->prompt);
    if (status != LM_OK) return status;
    size_t n = s->known.count;
    if (n == 0) return fail(r, LM_ERR_ARGUMENT, "the conversation is empty");
    s->tokens.count = 0;
    if (!lm_array_reserve(&s->env, &s->tokens, n)) return lm_error_memory(&s->error);
    for (size_t i = 0; i < n; i++) s->tokens.data[i] = s->known.data[i].token;
    r->report.n_prompt = (int32_t)n;
    r->report.sync.struct_size = sizeof r->report.sync;
    status = lm_sampler_accept_prompt(r->sampler, s->tokens.data, n, 0);
    if (status != LM_OK) return fail(r, status, lm_sampler_message(r->sampler));
    lm_context_params in_force = LM_CONTEXT_PARAMS_INIT;
    (void)lm_context_get_params(s->context, &in_force);
    r->n_ctx = in_force.n_ctx;
    int64_t limit = r->n_ctx - (int64_t)n;
    if (r->request->max_tokens >= 0 && r->request->max_tokens < limit) limit = r->request->max_tokens;
    if (limit >= 0) (void)lm_sampler_set_limit(r->sampler, (int32_t)limit);
    status = lm_context_sync(s->context, s->seq, s->tokens.data, n, &r->report.sync);
    return status == LM_OK || status == LM_ERR_CANCELLED ? status : take_context_error(r, status);
}

static void hand_out(run *r) {
    lm_chat_delta delta;
    while (lm_chat_parser_next(r->parser, &delta)) {
        r->n_calls += delta.kind == LM_CHAT_DELTA_CALL_END;
        r->n_broken += delta.kind == LM_CHAT_DELTA_CALL_BROKEN;
        if (r->report.finish == LM_CHAT_FINISH_CANCELLED || !r->request->on_delta) continue;
        if (r->request->on_delta(r->request->user, &delta)) r->report.finish = LM_CHAT_FINISH_CANCELLED;
    }
}

static lm_status feed(run *r, const char *bytes, size_t n) {
    lm_status status = lm_chat_parser_feed(r->parser, bytes, n);
    if (status != LM_OK) return fail(r, status, "the answer cannot be parsed: out of memory");
    hand_out(r);
    return LM_OK;
}

/* Where the first stop begins in what is held, or where text that may become one does: *found says which. */
static size_t find_stop(const run *r, bool *found) {
    const char *text = lm_str_text(&r->held);
    *found = false;
    for (size_t at = 0; at < r->held.size; at++) {
        bool may = false;
        for (size_t i = 0; i < r->request->n_stops; i++) {
            const char *stop = r->request->stops[i];
            size_t n = strlen(stop), left = r->held.size - at;
            if (memcmp(text + at, stop, n < left ? n : left) != 0) continue;
            *found = *found || n <= left;
            may = true;
        }
        if (may) return at;
    }
    return r->held.size;
}

static lm_status take_text(run *r, const char *bytes, size_t n) {
    if (r->request->n_stops == 0) return feed(r, bytes, n);
    if (lm_str_append(&r->held, bytes, n) != LM_OK) return lm_error_memory(&r->session->error);
    bool found;
    size_t free_bytes = find_stop(r, &found);
    lm_status status = feed(r, lm_str_text(&r->held), free_bytes);
    memmove(r->held.data, r->held.data + free_bytes, r->held.size - free_bytes);
    r->held.size -= free_bytes;
    if (found && r->report.finish == 0) r->report.finish = LM_CHAT_FINISH_STOP;
    return status;
}

static lm_status choose(run *r, lm_token *token) {
    lm_chat_session *s = r->session;
    lm_status status = lm_sample(s->context, r->sampler, token);
    if (status == LM_ERR_MISMATCH && r->is_constrained) {
        /* One token held the first mark of a call and something no call begins with: the answer goes on as text. */
        (void)lm_sampler_set_grammar(r->sampler, NULL);
        r->is_constrained = false;
        status = lm_sample(s->context, r->sampler, token);
    }
    return status == LM_OK ? LM_OK : take_context_error(r, status);
}

/* A chosen token joins the answer. */
static lm_status take_token(run *r, const lm_pieces *pieces, lm_token token) {
    size_t n;
    const char *bytes = lm_pieces_get(pieces, token, &n);
    lm_status status = lm_session_take_token(r->session, token, bytes, n);
    r->report.n_generated++;
    if (status == LM_OK && lm_token_is_end(r->session->model, token)) {
        r->report.finish = LM_CHAT_FINISH_END;
        return LM_OK;
    }
    return status == LM_OK ? take_text(r, bytes, n) : status;
}

/* How many tokens may still follow the next one, at most cap. */
static size_t room(const run *r, size_t cap) {
    int64_t left = r->request->max_tokens < 0 ? INT32_MAX : (int64_t)r->request->max_tokens - r->report.n_generated - 1;
    int64_t free_positions = r->n_ctx - (int64_t)r->session->known.count - 1;
    if (free_positions < left) left = free_positions;
    return left < 0 ? 0 : left < (int64_t)cap ? (size_t)left : cap;
}

static lm_status generate(run *r) {
    lm_chat_session *s = r->session;
    const lm_pieces *pieces = lm_model_pieces(s->model);
    if (!pieces) return lm_error_memory(&s->error);
    while (r->report.finish == 0) {
        lm_token tokens[MAX_FORCED + 1];
        size_t n = 0;
        if (atomic_load(&s->is_cancelled)) {
            r->report.finish = LM_CHAT_FINISH_CANCELLED;
            break;
        }
        if (r->request->max_tokens >= 0 && r->report.n_generated >= r->request->max_tokens) {
            r->report.finish = LM_CHAT_FINISH_LENGTH;
            break;
        }
        lm_status status = choose(r, &tokens[0]);
        if (status == LM_OK && !lm_token_is_end(s->model, tokens[0]))
            status = lm_sample_forced(s->context, r->sampler, tokens + 1, room(r, MAX_FORCED), &n);
        for (size_t i = 0; status == LM_OK && r->report.finish == 0 && i <= n; i++)
            status = take_token(r, pieces, tokens[i]);
        if (status != LM_OK) return status;
        if (r->report.finish != 0) break;
        r->report.n_forced += (int32_t)n;
        lm_batch_item item = {s->seq, LM_LOGITS_LAST, tokens, n + 1};
        status = lm_context_eval_batch(s->context, &item, 1);
        if (status == LM_ERR_FULL)
            r->report.finish = LM_CHAT_FINISH_LENGTH;
        else if (status == LM_ERR_CANCELLED)
            r->report.finish = LM_CHAT_FINISH_CANCELLED;
        else if (status != LM_OK)
            return take_context_error(r, status);
    }
    return LM_OK;
}

static void write_call(lm_json_writer *w, const lm_json *call, size_t number) {
    char id[32];
    lm_format(id, sizeof id, "call%c%c%c%c%c", 'A' + (int)(number / 456976 % 26), 'A' + (int)(number / 17576 % 26),
              'A' + (int)(number / 676 % 26), 'A' + (int)(number / 26 % 26), 'A' + (int)(number % 26));
    lm_json_write_begin_object(w);
    lm_json_write_name(w, "id");
    const lm_json *given = lm_json_get(call, "id");
    if (lm_json_is(given, LM_JSON_STRING) && given->count > 0)
        lm_json_write_value(w, given);
    else
        lm_json_write_text(w, id); /* nine letters: what the strictest templates ask for */
    lm_json_write_name(w, "type");
    lm_json_write_text(w, "function");
    lm_json_write_name(w, "function");
    lm_json_write_begin_object(w);
    lm_json_write_name(w, "name");
    lm_json_write_value(w, lm_json_get(call, "name"));
    lm_json_write_name(w, "arguments");
    lm_json_write_value(w, lm_json_get(call, "arguments"));
    lm_json_write_end(w);
    lm_json_write_end(w);
}

/* The parser's result in the form of a message. Calls that were cut off are left out: they must not be executed or shown as
 * made. */
static lm_status write_message(run *r) {
    lm_chat_session *s = r->session;
    const char *text;
    size_t n, n_complete = 0;
    const lm_json *result;
    lm_json_writer w;
    if (lm_chat_parser_result(r->parser, &text, &n) != LM_OK) return lm_error_memory(&s->error);
    lm_status status = lm_json_parse(&r->arena, text, n, LM_JSON_DEPTH_DEFAULT, &result, &s->error);
    if (status != LM_OK) return status;
    const lm_json *reasoning = lm_json_get(result, "reasoning_content"), *calls = lm_json_get(result, "tool_calls");
    lm_str_clear(&s->message);
    lm_json_writer_init(&w, &s->message, NULL);
    lm_json_write_begin_object(&w);
    lm_json_write_name(&w, "role");
    lm_json_write_text(&w, "assistant");
    lm_json_write_name(&w, "content");
    lm_json_write_value(&w, lm_json_get(result, "content"));
    if (lm_json_is(reasoning, LM_JSON_STRING) && reasoning->count > 0) {
        lm_json_write_name(&w, "reasoning_content");
        lm_json_write_value(&w, reasoning);
    }
    for (size_t i = 0; lm_json_is(calls, LM_JSON_ARRAY) && i < calls->count; i++) {
        if (lm_json_bool(lm_json_get(&calls->items[i], "incomplete"), false)) continue;
        if (n_complete++ == 0) {
            lm_json_write_name(&w, "tool_calls");
            lm_json_write_begin_array(&w);
        }
        write_call(&w, &calls->items[i], s->known.count + i);
    }
    if (n_complete > 0) lm_json_write_end(&w);
    lm_json_write_end(&w);
    return s->message.status == LM_OK ? LM_OK : lm_error_memory(&s->error);
}

static lm_status finish(run *r) {
    bool cut_off = r->report.finish == LM_CHAT_FINISH_LENGTH || r->report.finish == LM_CHAT_FINISH_CANCELLED;
    lm_status status = LM_OK;
    if (r->report.finish != LM_CHAT_FINISH_STOP && r->held.size > 0) status = feed(r, r->held.data, r->held.size);
    if (status == LM_OK && lm_chat_parser_finish(r->parser, cut_off) != LM_OK)
        status = lm_error_memory(&r->session->error);
    if (status == LM_OK) {
        hand_out(r);
        status = write_message(r);
    }
    if (r->report.finish == LM_CHAT_FINISH_END && r->n_calls > 0) r->report.finish = LM_CHAT_FINISH_CALLS;
    r->report.message = lm_str_text(&r->session->message);
    r->report.message_size = r->session->message.size;
    return status;
}

static lm_status check_request(run *r, const lm_chat_request *request, lm_chat_request *own) {
    lm_error *error = &r->session->error;
    lm_status status = lm_params_read(own, sizeof *own, request, "lm_chat_request", error);
    if (status != LM_OK) return status;
    if (own->reserved) return fail(r, LM_ERR_ARGUMENT, "lm_chat_request.reserved is not 0");
    if (!own->messages || own->max_tokens < -1 || (own->n_stops && !own->stops))
        return fail(r, LM_ERR_ARGUMENT, "lm_chat_request: messages or stops is NULL, or max_tokens below -1");
    if (own->schema && own->gbnf)
        return fail(r, LM_ERR_ARGUMENT, "lm_chat_request: schema and gbnf exclude each other");
    if (own->tool_choice < LM_TOOL_CHOICE_AUTO || own->tool_choice > LM_TOOL_CHOICE_REQUIRED)
        return fail(r, LM_ERR_ARGUMENT, "lm_chat_request: unknown tool_choice");
    for (size_t i = 0; i < own->n_stops; i++)
        if (!own->stops[i] || !own->stops[i][0]) return fail(r, LM_ERR_ARGUMENT, "lm_chat_request: an empty stop");
    return LM_OK;
}

static void begin(lm_chat_session *s) {
    atomic_store(&s->is_cancelled, false);
    lm_context_watch(s->context, &s->is_cancelled);
    atomic_store(&s->stage, LM_SESSION_RUNS);
}

static void end(lm_chat_session *s) {
    for (int stage = LM_SESSION_RUNS; !atomic_compare_exchange_strong(&s->stage, &stage, LM_SESSION_IDLE);
         stage = LM_SESSION_RUNS)
        lm_os_yield();
    lm_context_watch(s->context, NULL);
}

lm_status lm_chat_session_run(lm_chat_session *s, const lm_chat_request *request, lm_chat_report *report) {
    if (!s) return LM_ERR_ARGUMENT;
    lm_chat_request own = LM_CHAT_REQUEST_INIT;
    run r = {.session = s, .request = &own, .prompt = LM_CHAT_PROMPT_INIT};
    s->error = (lm_error){0};
    if (!request || (report && report->struct_size < sizeof report->struct_size))
        return fail(&r, LM_ERR_ARGUMENT, "lm_chat_session_run: no request, or report.struct_size is not set");
    lm_status status = check_request(&r, request, &own);
    if (status != LM_OK) return status;
    lm_arena_init(&r.arena, &s->env, LM_ARENA_UNLIMITED);
    lm_str_init(&r.inputs, &s->env, SIZE_MAX);
    lm_str_init(&r.held, &s->env, SIZE_MAX);
    begin(s);
    status = render(&r);
    if (status == LM_OK) status = make_parser(&r);
    if (status == LM_OK) status = lm_sampler_for_model(s->model, own.sampling, &r.sampler, &s->error);
    if (status == LM_OK) status = constrain(&r);
    if (status == LM_OK) status = sync(&r);
    if (status == LM_ERR_CANCELLED) {
        r.report.finish = LM_CHAT_FINISH_CANCELLED;
        status = LM_OK;
    }
    if (status == LM_OK) status = generate(&r);
    if (status == LM_OK) status = finish(&r);
    end(s);
    if (status == LM_OK && report) { lm_params_write(report, &r.report, sizeof r.report); }
    lm_chat_parser_destroy(r.parser);
    lm_sampler_destroy(r.sampler);
    lm_arena_free(&r.arena);
    lm_str_free(&r.inputs);
    lm_str_free(&r.held);
    return status;
}
