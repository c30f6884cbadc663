/* SPDX-License-Identifier: MIT
 * A cache that remembers whose tokens it holds: every slot of every page contains a number made of all tokens up to its position, and
 * every state slot the number of its sequence. "Evaluating" checks that all a token may see is right before it writes, so a page
 * shared or given back wrongly shows at the next evaluation. */
#ifndef LM_TESTS_KV_SUPPORT_H
#define LM_TESTS_KV_SUPPORT_H

#include "counting.h"

#include "kv/kv.h"
#include "kv/kv_internal.h"

#define SIM_PAGES 64
#define SIM_STATES 32
#define SIM_POSITIONS 1024

typedef struct sim {
    test_memory memory;
    lm_env env;
    lm_kv_params params;
    lm_kv *kv;
    uint64_t pages[LM_KV_MAX_GROUPS][SIM_PAGES][LM_KV_PAGE];
    uint64_t states[SIM_STATES];
    int n_page_copies, n_state_copies, n_clears;
    lm_status fail_copies; /* returned by the next copies when not LM_OK */
} sim;

static inline lm_status sim_copy_page(void *user, int32_t group, int32_t to, int32_t from) {
    sim *s = user;
    if (s->fail_copies != LM_OK) return s->fail_copies;
    memcpy(s->pages[group][to], s->pages[group][from], sizeof s->pages[group][to]);
    s->n_page_copies++;
    return LM_OK;
}

static inline lm_status sim_copy_state(void *user, int32_t to, int32_t from) {
    sim *s = user;
    if (s->fail_copies != LM_OK) return s->fail_copies;
    s->states[to] = s->states[from];
    s->n_state_copies++;
    return LM_OK;
}

static inline lm_status sim_clear_state(void *user, int32_t slot) {
    sim *s = user;
    s->states[slot] = 0;
    s->n_clears++;
    return LM_OK;
}

static inline void sim_open(sim *s, const lm_kv_params *params) {
    *s = (sim){.memory = {.fail_at = TEST_MEMORY_NEVER}, .params = *params};
    s->env = test_memory_env(&s->memory);
    memset(s->states, 0x77, sizeof s->states);
    lm_kv_mover mover = {s, sim_copy_page, sim_copy_state, sim_clear_state};
    assert_int_equal(lm_kv_create(&s->env, params, &mover, &s->kv), LM_OK);
    assert_int_equal(s->memory.live_bytes, lm_kv_bytes(params));
}

static inline void sim_close(sim *s) {
    size_t calls = s->memory.calls;
    assert_int_equal(calls, 2); /* everything was reserved at creation */
    lm_kv_destroy(s->kv);
    assert_int_equal(s->memory.live_bytes, 0);
}

/* The number of a prefix that goes on with token. */
static inline uint64_t sim_next(uint64_t prefix, lm_token token) {
    uint64_t h = (prefix ^ (uint64_t)(uint32_t)token) * 0x9e3779b97f4a7c15u + 1;
    return h ^ h >> 29;
}

/* All that a token at the end of the sequence may see is there. */
static inline void sim_check(sim *s, int32_t seq) {
    int32_t n = lm_kv_length(s->kv, seq);
    uint64_t prefix = 0;
    for (int32_t p = 0; p < n; p++) {
        prefix = sim_next(prefix, lm_kv_tokens(s->kv, seq)[p]);
        for (int32_t g = 0; g < s->params.n_groups; g++) {
            int32_t window = s->params.windows[g], page = lm_kv_pages(s->kv, seq)[g][p / LM_KV_PAGE];
            if (window > 0 && p <= n - window) continue;
            if (page < 0 || page >= s->params.n_pages[g])
                fail_msg("sequence %d, group %d: position %d of %d has page %d", seq, g, p, n, page);
            if (s->pages[g][page][p % LM_KV_PAGE] != prefix)
                fail_msg("sequence %d, group %d: position %d of %d holds other tokens", seq, g, p, n);
        }
    }
    if (s->params.n_states && s->kv->seqs[seq].state_known) assert_true(s->states[lm_kv_state(s->kv, seq)] == prefix);
}

/* Write positions [from, from + n) of tokens, as an evaluation does. */
static inline void sim_write(sim *s, int32_t seq, const lm_token *tokens, int32_t n) {
    int32_t from = lm_kv_length(s->kv, seq);
    uint64_t prefix = 0;
    for (int32_t p = 0; p < from; p++) prefix = sim_next(prefix, lm_kv_tokens(s->kv, seq)[p]);
    for (int32_t p = from; p < from + n; p++) {
        prefix = sim_next(prefix, tokens[p - from]);
        for (int32_t g = 0; g < s->params.n_groups; g++)
            s->pages[g][lm_kv_pages(s->kv, seq)[g][p / LM_KV_PAGE]][p % LM_KV_PAGE] = prefix;
    }
    if (s->params.n_states) s->states[lm_kv_state(s->kv, seq)] = prefix;
}

static inline lm_status sim_eval(sim *s, int32_t seq, const lm_token *tokens, int32_t n) {
    lm_status status = lm_kv_reserve(s->kv, seq, n);
    if (status != LM_OK) return status;
    sim_check(s, seq);
    sim_write(s, seq, tokens, n);
    lm_kv_commit(s->kv, seq, tokens, n);
    sim_check(s, seq);
    return LM_OK;
}

/* Keep a checkpoint at the sequence's end, as an evaluation that ends there does. */
static inline bool sim_checkpoint(sim *s, int32_t seq) {
    int32_t record = lm_kv_checkpoint_take(s->kv);
    if (record < 0) return false;
    int32_t slot = lm_kv_checkpoint_slot(s->kv, record);
    if (slot >= 0 && sim_copy_state(s, slot, lm_kv_state(s->kv, seq)) != LM_OK)
        lm_kv_checkpoint_drop(s->kv, record);
    else
        lm_kv_checkpoint_keep(s->kv, record, seq, lm_kv_length(s->kv, seq));
    return s->kv->checkpoints[record].stage == LM_KV_CHECKPOINT_KEPT;
}

/* Reference counts are exactly the holders; the free stacks hold exactly the pages without any; nodes are linked consistently. */
static inline void sim_check_counts(const sim *s) {
    const lm_kv *kv = s->kv;
    for (int32_t g = 0; g < s->params.n_groups; g++) {
        int32_t holders[SIM_PAGES] = {0}, is_free[SIM_PAGES] = {0};
        for (int32_t q = 0; q < s->params.n_seqs; q++)
            for (int32_t p = 0; p < kv->max_pages; p++)
                if (kv->seqs[q].pages[g][p] >= 0) holders[kv->seqs[q].pages[g][p]]++;
        for (int32_t i = 0; i < kv->n_nodes; i++)
            if (kv->nodes[i].live && kv->nodes[i].pages[g] >= 0) holders[kv->nodes[i].pages[g]]++;
        for (int32_t i = 0; i < kv->pools[g].n_free; i++) is_free[kv->pools[g].free[i]]++;
        for (int32_t p = 0; p < s->params.n_pages[g]; p++) {
            if (holders[p] != kv->pools[g].refs[p])
                fail_msg("group %d page %d: %d holders, %d counted", g, p, holders[p], kv->pools[g].refs[p]);
            if (is_free[p] != (holders[p] == 0))
                fail_msg("group %d page %d: %d holders, %d times free", g, p, holders[p], is_free[p]);
        }
    }
    int32_t slots[SIM_STATES] = {0};
    if (s->params.n_states) {
        slots[kv->spare]++;
        for (int32_t q = 0; q < s->params.n_seqs; q++) slots[kv->seqs[q].state]++;
        for (int32_t i = 0; i <= s->params.n_seqs; i++) assert_int_equal(slots[i], 1);
    }
    for (int32_t i = 0; i < s->params.n_checkpoints; i++) {
        const lm_kv_checkpoint *c = &kv->checkpoints[i];
        if (c->stage == LM_KV_CHECKPOINT_FREE) continue;
        assert_int_equal(c->stage, LM_KV_CHECKPOINT_KEPT); /* none is taken between calls */
        assert_int_equal(c->node >= 0 ? kv->nodes[c->node].depth : -1, c->position / LM_KV_PAGE - 1);
        assert_true(c->node == LM_KV_ROOT || kv->nodes[c->node].live);
    }
    for (int32_t i = 0; i < kv->n_nodes; i++) {
        const lm_kv_node *node = &kv->nodes[i];
        if (!node->live) continue;
        if (node->parent >= 0)
            assert_true(kv->nodes[node->parent].live && kv->nodes[node->parent].depth + 1 == node->depth);
        if (node->parent < 0) assert_int_equal(node->depth, 0);
    }
    for (int32_t q = 0; q < s->params.n_seqs; q++)
        if (kv->seqs[q].node >= 0) {
            assert_true(kv->nodes[kv->seqs[q].node].live);
            assert_int_equal(kv->nodes[kv->seqs[q].node].depth, kv->seqs[q].n / LM_KV_PAGE - 1);
        }
}

/* Tokens first, first + 1, ... */
static inline void sim_count(lm_token *tokens, int32_t n, lm_token first) {
    for (int32_t i = 0; i < n; i++) tokens[i] = first + i;
}

#endif
