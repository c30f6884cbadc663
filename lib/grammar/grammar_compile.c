/* SPDX-License-Identifier: MIT
 * From rules to automaton: choose which rules are copied, build the others, find which of them may be empty and which can
 * match at all, refuse left recursion, cut away what leads nowhere, determinize, pack. Cutting makes "some state is left"
 * mean "some continuation matches", which is what viable prefixes and token masks promise. */
#include "grammar_compile.h"

#include <string.h>

#include "../base/format.h"

typedef LM_ARRAY(uint32_t) number_list;

typedef struct compiler {
    lm_nfa nfa;
    lm_gexpr_pool *pool;
    number_list numbers;     /* compiled rules in order of discovery, the root first */
    uint32_t *rule_of;       /* [n_states] the rule a state was built for */
    uint8_t *marks;          /* [n_states] */
    uint32_t *waiting;       /* [n_edges] next call edge that waits for the same rule */
    uint32_t *waiting_heads; /* [n_rules of the pool] */
    number_list stack;
    lm_error *error;
} compiler;

static lm_status build_rules(compiler *c, uint32_t root) {
    lm_nfa *nfa = &c->nfa;
    const lm_env *env = nfa->env;
    number_list owners = {0};
    if (!lm_array_push(env, &c->numbers, root)) nfa->status = LM_ERR_MEMORY;
    nfa->rules[root].copied = false;
    nfa->rules[root].start = 0;
    size_t scanned = 0;
    for (size_t i = 0; nfa->status == LM_OK && i < c->numbers.count; i++) {
        uint32_t rule = c->numbers.data[i];
        uint32_t start = lm_nfa_add_state(nfa), end = lm_nfa_add_state(nfa);
        nfa->rules[rule].start = start;
        nfa->rules[rule].end = end;
        lm_nfa_build(nfa, c->pool->rules.data[rule].expr, start, end);
        for (; nfa->status == LM_OK && scanned < nfa->edges.count; scanned++) {
            const lm_nfa_edge *edge = &nfa->edges.data[scanned];
            if (edge->kind != LM_NFA_CALL || nfa->rules[edge->arg].start != LM_NFA_NONE) continue;
            nfa->rules[edge->arg].start = 0; /* queued */
            if (!lm_array_push(env, &c->numbers, edge->arg)) nfa->status = LM_ERR_MEMORY;
        }
        size_t grown = nfa->heads.count - owners.count;
        if (nfa->status == LM_OK && !lm_array_reserve(env, &owners, grown)) nfa->status = LM_ERR_MEMORY;
        while (nfa->status == LM_OK && owners.count < nfa->heads.count) owners.data[owners.count++] = rule;
    }
    if (nfa->status == LM_OK) {
        size_t n = nfa->heads.count;
        c->rule_of = lm_alloc_array(env, n, sizeof *c->rule_of);
        c->marks = lm_alloc_array(env, n, 1);
        c->waiting = lm_alloc_array(env, nfa->edges.count, sizeof *c->waiting);
        c->waiting_heads = lm_alloc_array(env, c->pool->rules.count, sizeof *c->waiting_heads);
        if (!c->rule_of || !c->marks || !c->waiting || !c->waiting_heads)
            nfa->status = LM_ERR_MEMORY;
        else
            memcpy(c->rule_of, owners.data, n * sizeof *c->rule_of);
    }
    lm_array_free(env, &owners);
    return nfa->status;
}

static bool reach(compiler *c, uint32_t state) {
    if (c->marks[state]) return true;
    c->marks[state] = 1;
    return lm_array_push(c->nfa.env, &c->stack, state);
}

/* Mark the states that can be reached inside their rules when a call is passed once its rule is known to have an end in
 * reach. With reads, bytes and tokens are passed too: the rules found are the productive ones; without, the nullable ones.
 * Every edge is looked at once, and once more if it is a call. */
static lm_status reach_forward(compiler *c, bool reads) {
    lm_nfa *nfa = &c->nfa;
    memset(c->marks, 0, nfa->heads.count);
    for (size_t i = 0; i < c->pool->rules.count; i++) c->waiting_heads[i] = LM_NFA_NONE;
    c->stack.count = 0;
    for (size_t i = 0; i < c->numbers.count; i++)
        if (!reach(c, nfa->rules[c->numbers.data[i]].start)) return LM_ERR_MEMORY;
    while (c->stack.count > 0) {
        uint32_t state = c->stack.data[--c->stack.count];
        lm_nfa_rule *own = &nfa->rules[c->rule_of[state]];
        if (state == own->end) {
            bool *found = reads ? &own->productive : &own->nullable;
            *found = true;
            for (uint32_t e = c->waiting_heads[c->rule_of[state]]; e != LM_NFA_NONE; e = c->waiting[e])
                if (!reach(c, nfa->edges.data[e].to)) return LM_ERR_MEMORY;
        }
        for (uint32_t e = nfa->heads.data[state]; e != LM_NFA_NONE; e = nfa->edges.data[e].next) {
            const lm_nfa_edge *edge = &nfa->edges.data[e];
            bool passes = edge->kind == LM_NFA_EMPTY || (reads && edge->kind != LM_NFA_CALL);
            if (edge->kind == LM_NFA_CALL) {
                const lm_nfa_rule *called = &nfa->rules[edge->arg];
                passes = (reads ? called->productive : called->nullable) || c->pool->rules.data[edge->arg].least == 0;
                if (!passes) {
                    c->waiting[e] = c->waiting_heads[edge->arg];
                    c->waiting_heads[edge->arg] = e;
                }
            }
            if (passes && !reach(c, edge->to)) return LM_ERR_MEMORY;
        }
    }
    return LM_OK;
}

/* A counted rule whose text may be empty, or which need not occur, is nullable; its count then has no lower bound. */
static void settle_counted(compiler *c) {
    for (size_t i = 0; i < c->numbers.count; i++) {
        lm_grammar_rule_def *def = &c->pool->rules.data[c->numbers.data[i]];
        lm_nfa_rule *rule = &c->nfa.rules[c->numbers.data[i]];
        if (rule->nullable) def->least = def->least == 1 && def->most == 1 ? 1 : 0;
        if (def->least == 0) rule->nullable = true;
    }
}

static lm_status refuse_rule(compiler *c, uint32_t rule, const char *what) {
    const lm_grammar_rule_def *def = &c->pool->rules.data[rule];
    return lm_error_set_at(c->error, LM_ERR_FORMAT, def->line, def->line ? def->offset : UINT64_MAX,
                           "grammar: rule %q %s", (size_t)def->name_length,
                           (const char *)c->pool->bytes.data + def->name, what);
}

/* The root matches nothing. A rule that was not read from a text is named after what it was made from. */
static lm_status refuse_root(compiler *c, uint32_t root) {
    const lm_grammar_rule_def *def = &c->pool->rules.data[root];
    if (def->line) return refuse_rule(c, root, "matches no finite text");
    return lm_error_set(c->error, LM_ERR_FORMAT, "grammar: the %.*s allows no value", (int)def->name_length,
                        (const char *)c->pool->bytes.data + def->name);
}

/* The places of the rules that a rule may call before it has read anything. */
static bool add_first_calls(compiler *c, uint32_t rule, const uint32_t *place, number_list *calls) {
    lm_nfa *nfa = &c->nfa;
    c->stack.count = 0;
    if (!reach(c, nfa->rules[rule].start)) return false;
    while (c->stack.count > 0) {
        uint32_t state = c->stack.data[--c->stack.count];
        for (uint32_t e = nfa->heads.data[state]; e != LM_NFA_NONE; e = nfa->edges.data[e].next) {
            const lm_nfa_edge *edge = &nfa->edges.data[e];
            if (edge->kind == LM_NFA_CALL && !lm_array_push(nfa->env, calls, place[edge->arg])) return false;
            bool passes = edge->kind == LM_NFA_EMPTY || (edge->kind == LM_NFA_CALL && nfa->rules[edge->arg].nullable);
            if (passes && !reach(c, edge->to)) return false;
        }
    }
    return true;
}

/* Follow what a rule may begin with. colour: 1 on the path, 2 done; a call of a rule on the path is left recursion. The path of rules
 * is explicit, as it may be as long as there are rules. */
static lm_status refuse_left_recursion(compiler *c) {
    const lm_env *env = c->nfa.env;
    lm_status status = LM_OK;
    number_list first_calls = {0}; /* grouped by caller */
    uint32_t *first = lm_alloc_array(env, c->numbers.count + 1, sizeof *first);
    uint32_t *place = lm_alloc_array(env, c->pool->rules.count, sizeof *place);
    uint32_t *at = lm_alloc_array(env, c->numbers.count, sizeof *at);
    uint32_t *path = lm_alloc_array(env, c->numbers.count, sizeof *path);
    uint8_t *colour = lm_alloc_array(env, c->numbers.count, 1);
    if (!first || !place || !at || !path || !colour) status = LM_ERR_MEMORY;
    for (size_t i = 0; status == LM_OK && i < c->numbers.count; i++) place[c->numbers.data[i]] = (uint32_t)i;
    memset(c->marks, 0, c->nfa.heads.count);
    for (size_t i = 0; status == LM_OK && i < c->numbers.count; i++) {
        first[i] = at[i] = (uint32_t)first_calls.count;
        if (!add_first_calls(c, c->numbers.data[i], place, &first_calls)) status = LM_ERR_MEMORY;
        first[i + 1] = (uint32_t)first_calls.count;
    }
    for (size_t i = 0; status == LM_OK && i < c->numbers.count; i++) {
        size_t depth = 0;
        if (colour[i]) continue;
        colour[i] = 1;
        path[depth++] = (uint32_t)i;
        while (status == LM_OK && depth > 0) {
            uint32_t rule = path[depth - 1];
            if (at[rule] == first[rule + 1]) {
                colour[rule] = 2;
                depth--;
                continue;
            }
            uint32_t called = first_calls.data[at[rule]++];
            if (colour[called] == 1)
                status = refuse_rule(c, c->numbers.data[called], "is left recursive: it may begin with itself");
            if (colour[called] == 0) {
                colour[called] = 1;
                path[depth++] = called;
            }
        }
    }
    lm_array_free(env, &first_calls);
    lm_free(env, first, (c->numbers.count + 1) * sizeof *first);
    lm_free(env, place, c->pool->rules.count * sizeof *place);
    lm_free(env, at, c->numbers.count * sizeof *at);
    lm_free(env, path, c->numbers.count * sizeof *path);
    lm_free(env, colour, c->numbers.count);
    return status == LM_ERR_MEMORY ? lm_error_memory(c->error) : status;
}

/* marks becomes: from here the end of the rule can be reached. */
static lm_status mark_useful(compiler *c) {
    lm_nfa *nfa = &c->nfa;
    const lm_env *env = nfa->env;
    size_t n = nfa->heads.count;
    uint32_t *heads = lm_alloc_array(env, n, sizeof *heads), *sources = lm_alloc_array(env, nfa->edges.count, 4);
    lm_status status = heads && sources ? LM_OK : LM_ERR_MEMORY;
    memset(c->marks, 0, n);
    c->stack.count = 0;
    for (size_t i = 0; status == LM_OK && i < n; i++) heads[i] = LM_NFA_NONE;
    for (uint32_t i = 0; status == LM_OK && i < n; i++) {
        for (uint32_t e = nfa->heads.data[i]; e != LM_NFA_NONE; e = nfa->edges.data[e].next) {
            const lm_nfa_edge *edge = &nfa->edges.data[e];
            if (edge->kind == LM_NFA_CALL && !nfa->rules[edge->arg].productive && !nfa->rules[edge->arg].nullable)
                continue;
            c->waiting[e] = heads[edge->to]; /* edges into a state, chained */
            heads[edge->to] = e;
            sources[e] = i;
        }
    }
    for (size_t i = 0; status == LM_OK && i < c->numbers.count; i++)
        if (!reach(c, nfa->rules[c->numbers.data[i]].end)) status = LM_ERR_MEMORY;
    while (status == LM_OK && c->stack.count > 0) {
        uint32_t state = c->stack.data[--c->stack.count];
        for (uint32_t e = heads[state]; status == LM_OK && e != LM_NFA_NONE; e = c->waiting[e])
            if (!reach(c, sources[e])) status = LM_ERR_MEMORY;
    }
    lm_free(env, heads, n * sizeof *heads);
    lm_free(env, sources, nfa->edges.count * 4);
    return status;
}

static lm_status determinize(compiler *c, lm_grammar **out) {
    const lm_env *env = c->nfa.env;
    size_t n = c->numbers.count, n_rules = c->pool->rules.count;
    lm_dfa *dfas = lm_alloc_array(env, n, sizeof *dfas);
    uint32_t *index = lm_alloc_array(env, n_rules, sizeof *index);
    lm_status status = dfas && index ? LM_OK : LM_ERR_MEMORY;
    for (size_t i = 0; index && i < n_rules; i++) index[i] = UINT32_MAX;
    for (size_t i = 0; status == LM_OK && i < n; i++) {
        const lm_nfa_rule *rule = &c->nfa.rules[c->numbers.data[i]];
        index[c->numbers.data[i]] = (uint32_t)i;
        if (!rule->productive) continue;
        size_t max_states = 4096 + 2 * c->nfa.heads.count / n;
        lm_dfa_create(&c->nfa, rule->start, rule->end, c->marks, max_states, false, &dfas[i]);
        status = c->nfa.status;
    }
    if (status == LM_OK) status = lm_grammar_pack(&c->nfa, dfas, c->numbers.data, n, index, out, c->error);
    for (size_t i = 0; dfas && i < n; i++) lm_dfa_free(env, &dfas[i]);
    lm_free(env, dfas, n * sizeof *dfas);
    lm_free(env, index, n_rules * sizeof *index);
    return status;
}

static lm_status prepare(compiler *c, uint32_t root) {
    lm_nfa *nfa = &c->nfa;
    const lm_env *env = nfa->env;
    nfa->rules_capacity = c->pool->rules.count;
    nfa->n_costs = c->pool->nodes.count;
    nfa->rules = lm_alloc_array(env, nfa->rules_capacity, sizeof *nfa->rules);
    nfa->costs = lm_alloc_array(env, nfa->n_costs, sizeof *nfa->costs);
    nfa->depths = lm_alloc_array(env, nfa->n_costs, sizeof *nfa->depths);
    nfa->counted = lm_alloc_array(env, nfa->n_costs, sizeof *nfa->counted);
    if (!nfa->rules || !nfa->costs || !nfa->depths || !nfa->counted) return LM_ERR_MEMORY;
    for (size_t i = 0; i < nfa->rules_capacity; i++) nfa->rules[i].start = nfa->rules[i].end = LM_NFA_NONE;
    lm_nfa_choose_copies(nfa, root);
    return nfa->status == LM_OK ? build_rules(c, root) : nfa->status;
}

lm_status lm_grammar_compile(lm_gexpr_pool *pool, uint32_t root, lm_grammar **out, lm_error *error) {
    const lm_env *env = pool->env;
    lm_error reason;
    reason.status = LM_OK;
    compiler c = {.nfa = {.env = env, .pool = pool, .work = LM_NFA_WORK}, .pool = pool, .error = &reason};
    lm_status status = prepare(&c, root);
    if (status == LM_OK) status = reach_forward(&c, false);
    if (status == LM_OK) status = reach_forward(&c, true);
    if (status != LM_OK) goto out;
    settle_counted(&c);
    if (!c.nfa.rules[root].productive) {
        status = refuse_root(&c, root);
        goto out;
    }
    status = refuse_left_recursion(&c);
    if (status == LM_OK) status = mark_useful(&c);
    if (status == LM_OK) status = determinize(&c, out);
out:
    if (status == LM_ERR_MEMORY)
        lm_error_memory(error);
    else if (status != LM_OK && reason.status != LM_OK && error)
        *error = reason;
    else if (status == LM_ERR_LIMIT)
        lm_error_set(error, status, "grammar: too large or too ambiguous to compile");
    else if (status != LM_OK)
        lm_error_set(error, status, "grammar: a recursive rule where only a plain text can be");
    lm_array_free(env, &c.numbers);
    lm_array_free(env, &c.stack);
    lm_free(env, c.rule_of, c.nfa.heads.count * sizeof *c.rule_of);
    lm_free(env, c.marks, c.nfa.heads.count);
    lm_free(env, c.waiting, c.nfa.edges.count * sizeof *c.waiting);
    lm_free(env, c.waiting_heads, pool->rules.count * sizeof *c.waiting_heads);
    lm_nfa_free(&c.nfa);
    return status;
}
