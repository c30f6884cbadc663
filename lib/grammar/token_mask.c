/* SPDX-License-Identifier: MIT
 * The cache of masks and the union over a set's items. An entry keeps its tokens as a list of ids or as bits, whichever is
 * smaller. When the budget is used up entries are computed, used and dropped. */
#include "token_mask.h"

#include <string.h>

#define DENSE UINT32_MAX
#define MAX_LEVELS 12u  /* frames a token may go through by way of the cache; more go through the chart */
#define MAX_VISITS 256u /* entries looked at for one item */

struct lm_mask_entry {
    lm_mask_entry *sibling;
    _Atomic(lm_mask_entry *) children;
    uint32_t state, class;
    uint32_t n_ids; /* or DENSE */
    uint32_t n_open;
    size_t bytes;    /* of the whole block */
    bool shared;     /* in the cache, or to be freed by whoever computed it */
    uint32_t data[]; /* n_ids ids or n_words words, then n_open indices */
};

lm_status lm_token_masks_get(lm_grammar *grammar, lm_grammar_vocab *vocab, lm_token_masks **out) {
    lm_token_masks *known = atomic_load_explicit(&grammar->masks, memory_order_acquire);
    for (lm_token_masks *at = known; at; at = at->next) {
        if (at->vocab != vocab) continue;
        *out = at;
        return LM_OK;
    }
    lm_token_masks *made = lm_alloc_zeroed(&grammar->env, sizeof *made);
    if (!made) return LM_ERR_MEMORY;
    made->grammar = grammar;
    made->roots = lm_alloc(&grammar->env, grammar->n_states * sizeof *made->roots);
    if (!made->roots) {
        lm_free(&grammar->env, made, sizeof *made);
        return LM_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < grammar->n_states; i++) atomic_init(&made->roots[i], NULL);
    atomic_init(&made->bytes, 0);
    made->window = vocab->max_code_points + 1;
    if (made->window > 4096) made->window = 4096;
    made->vocab = vocab;
    atomic_fetch_add_explicit(&vocab->references, 1, memory_order_relaxed);
    for (;;) {
        made->next = known;
        if (atomic_compare_exchange_weak_explicit(&grammar->masks, &known, made, memory_order_acq_rel,
                                                  memory_order_acquire))
            break;
        for (lm_token_masks *at = known; at; at = at->next) {
            if (at->vocab != vocab) continue;
            made->next = NULL;
            lm_token_masks_free(made);
            *out = at;
            return LM_OK;
        }
    }
    *out = made;
    return LM_OK;
}

/* Children are at most MAX_LEVELS deep. */
static void free_entries(const lm_env *env, lm_mask_entry *entry) {
    while (entry) {
        lm_mask_entry *next = entry->sibling;
        free_entries(env, atomic_load_explicit(&entry->children, memory_order_relaxed));
        lm_free(env, entry, entry->bytes);
        entry = next;
    }
}

void lm_token_masks_free(lm_token_masks *masks) {
    while (masks) {
        lm_token_masks *next = masks->next;
        const lm_grammar *grammar = masks->grammar;
        for (uint32_t i = 0; i < grammar->n_states; i++)
            free_entries(&grammar->env, atomic_load_explicit(&masks->roots[i], memory_order_relaxed));
        lm_free(&grammar->env, masks->roots, grammar->n_states * sizeof *masks->roots);
        lm_token_trie_release(masks->vocab);
        lm_free(&grammar->env, masks, sizeof *masks);
        masks = next;
    }
}

lm_status lm_mask_scratch_init(lm_mask_scratch *scratch, const lm_env *env, const lm_token_masks *masks) {
    memset(scratch, 0, sizeof *scratch);
    scratch->n_words = masks->vocab->n_words;
    scratch->n_walk = (size_t)masks->vocab->max_bytes + 1;
    scratch->bits = lm_alloc_array(env, scratch->n_words, sizeof *scratch->bits);
    scratch->decided = lm_alloc_array(env, scratch->n_words, sizeof *scratch->decided);
    scratch->walk = lm_alloc_array(env, scratch->n_walk, sizeof *scratch->walk);
    lm_status status = lm_chart_init(&scratch->probe, env, masks->grammar);
    return scratch->bits && scratch->decided && scratch->walk ? status : LM_ERR_MEMORY;
}

void lm_mask_scratch_free(lm_mask_scratch *scratch, const lm_env *env) {
    lm_chart_free(&scratch->probe);
    lm_free(env, scratch->bits, scratch->n_words * sizeof *scratch->bits);
    lm_free(env, scratch->decided, scratch->n_words * sizeof *scratch->decided);
    lm_free(env, scratch->walk, scratch->n_walk * sizeof *scratch->walk);
    lm_array_free(env, &scratch->ids);
    lm_array_free(env, &scratch->open);
    lm_array_free(env, &scratch->rest);
    lm_array_free(env, &scratch->path);
    lm_array_free(env, &scratch->pairs);
    lm_array_free(env, &scratch->frontier);
    memset(scratch, 0, sizeof *scratch);
}

/* Items that differ in count alone are alike when their counts are equally far from the bounds, as far as a token sees. */
static uint32_t class_of(const lm_token_masks *masks, lm_chart_item item) {
    const lm_automaton_rule *rule = &masks->grammar->rules[masks->grammar->states[item.state].rule];
    if (!rule->counted) return 0;
    uint32_t window = masks->window, least = 0, most = window;
    if (item.count < rule->least) least = rule->least - item.count < window ? rule->least - item.count : window;
    if (rule->most != LM_GRAMMAR_UNBOUNDED && rule->most - item.count < window) most = rule->most - item.count;
    return least * (window + 1) + most;
}

static lm_mask_entry *find(_Atomic(lm_mask_entry *) *head, uint32_t state, uint32_t class) {
    for (lm_mask_entry *at = atomic_load_explicit(head, memory_order_acquire); at; at = at->sibling)
        if (at->state == state && at->class == class) return at;
    return NULL;
}

/* Make an entry of the scratch's results. bits: they are in scratch->bits, not in ids. */
static lm_mask_entry *make_entry(const lm_token_masks *masks, lm_mask_scratch *s, bool bits, uint32_t state,
                                 uint32_t class) {
    const lm_grammar_vocab *v = masks->vocab;
    size_t n_ids = s->ids.count, n_open = s->open.count;
    if (bits) {
        n_ids = 0;
        for (uint32_t i = 0; i < v->n_words; i++)
            for (uint32_t word = s->bits[i]; word; word &= word - 1) n_ids++;
    }
    bool dense = n_ids > v->n_words;
    size_t n_data = (dense ? v->n_words : n_ids) + n_open;
    size_t bytes = sizeof(lm_mask_entry) + n_data * sizeof(uint32_t);
    lm_mask_entry *entry = lm_alloc(&masks->grammar->env, bytes);
    if (!entry) return NULL;
    *entry = (lm_mask_entry){.state = state,
                             .class = class,
                             .n_ids = dense ? DENSE : (uint32_t)n_ids,
                             .n_open = (uint32_t)n_open,
                             .bytes = bytes};
    atomic_init(&entry->children, NULL);
    uint32_t *to = entry->data;
    if (bits && dense) {
        memcpy(to, s->bits, v->n_words * sizeof *to);
    } else if (dense) {
        memset(to, 0, v->n_words * sizeof *to);
        for (size_t i = 0; i < n_ids; i++) to[s->ids.data[i] / 32] |= 1u << s->ids.data[i] % 32;
    } else if (bits) {
        for (uint32_t i = 0, k = 0; i < v->n_words; i++) {
            uint32_t bit = 0;
            for (uint32_t word = s->bits[i]; word; word >>= 1, bit++)
                if (word & 1) to[k++] = i * 32 + bit;
        }
    } else if (n_ids > 0) {
        memcpy(to, s->ids.data, n_ids * sizeof *to);
    }
    to += n_data - n_open;
    if (n_open > 0) memcpy(to, s->open.data, n_open * sizeof *to);
    return entry;
}

/* Put entry into the list at head, if the budget allows; gives the entry to use, which may be another thread's. */
static lm_mask_entry *publish(lm_token_masks *masks, _Atomic(lm_mask_entry *) *head, lm_mask_entry *entry) {
    size_t used = atomic_fetch_add_explicit(&masks->bytes, entry->bytes, memory_order_relaxed);
    if (used + entry->bytes > masks->vocab->cache_bytes) {
        atomic_fetch_sub_explicit(&masks->bytes, entry->bytes, memory_order_relaxed);
        return entry;
    }
    entry->shared = true;
    entry->sibling = atomic_load_explicit(head, memory_order_acquire);
    for (;;) {
        for (lm_mask_entry *at = entry->sibling; at; at = at->sibling) {
            if (at->state != entry->state || at->class != entry->class) continue;
            atomic_fetch_sub_explicit(&masks->bytes, entry->bytes, memory_order_relaxed);
            lm_free(&masks->grammar->env, entry, entry->bytes);
            return at;
        }
        if (atomic_compare_exchange_weak_explicit(head, &entry->sibling, entry, memory_order_acq_rel,
                                                  memory_order_acquire))
            return entry;
    }
}

static void drop(const lm_token_masks *masks, lm_mask_entry *entry) {
    if (!entry->shared) lm_free(&masks->grammar->env, entry, entry->bytes);
}

/* A word of the mask costs about a sixteenth of looking at an item. */
static bool add_entry(const lm_token_masks *masks, lm_chart *chart, const lm_mask_entry *entry, uint32_t *mask) {
    if (!lm_chart_spend(chart, entry->n_ids == DENSE ? masks->vocab->n_words / 16 + 1 : entry->n_ids / 4 + 1))
        return false;
    if (entry->n_ids == DENSE) {
        for (uint32_t i = 0; i < masks->vocab->n_words; i++) mask[i] |= entry->data[i];
    } else {
        for (uint32_t i = 0; i < entry->n_ids; i++) mask[entry->data[i] / 32] |= 1u << entry->data[i] % 32;
    }
    return true;
}

static const uint32_t *open_of(const lm_token_masks *masks, const lm_mask_entry *entry) {
    return entry->data + (entry->n_ids == DENSE ? masks->vocab->n_words : entry->n_ids);
}

/* Decide the open tokens with the whole chart, whose answer holds for all items: no token is asked about twice. */
static lm_status walk_chart(lm_token_masks *masks, lm_chart *chart, lm_mask_scratch *s, const lm_mask_entry *entry,
                            uint32_t *mask) {
    const lm_grammar_vocab *v = masks->vocab;
    const uint32_t *open = open_of(masks, entry);
    if (!s->has_decided) memset(s->decided, 0, v->n_words * sizeof *s->decided);
    s->has_decided = true;
    s->rest.count = 0;
    if (!lm_array_reserve(s->probe.env, &s->rest, entry->n_open)) return LM_ERR_MEMORY;
    for (uint32_t i = 0; i < entry->n_open; i++) {
        uint32_t token = v->order[open[i]], bit = 1u << token % 32;
        if ((s->decided[token / 32] | mask[token / 32]) & bit) continue;
        s->decided[token / 32] |= bit;
        s->rest.data[s->rest.count++] = open[i];
    }
    if (s->rest.count == 0) return LM_OK;
    lm_status status = lm_mask_walk_tokens(v, chart, s->rest.data, s->rest.count, s);
    for (size_t i = 0; status == LM_OK && i < s->ids.count; i++) mask[s->ids.data[i] / 32] |= 1u << s->ids.data[i] % 32;
    return status;
}

/* Decide the open tokens of entry, whose item lives in frame, by where the frame returns to. path holds the item and the
 * returns so far. */
static lm_status descend(lm_token_masks *masks, lm_chart *chart, lm_mask_scratch *s, lm_mask_entry *entry,
                         uint32_t frame, uint32_t level, uint32_t *visits, uint32_t *mask) {
    lm_status status = LM_OK;
    for (uint32_t i = chart->frames.data[frame].links; status == LM_OK && i != LM_CHART_NONE;
         i = chart->links.data[i].next) {
        lm_chart_item back = chart->links.data[i].back;
        if (level >= MAX_LEVELS || *visits == 0) return walk_chart(masks, chart, s, entry, mask);
        --*visits;
        uint32_t class = class_of(masks, back);
        lm_mask_entry *child = find(&entry->children, back.state, class);
        s->path.count = level;
        if (!lm_array_push(s->probe.env, &s->path, back)) return LM_ERR_MEMORY;
        if (!child) {
            status = lm_mask_probe(masks->grammar, s, s->path.count);
            if (status == LM_OK)
                status = lm_mask_walk_tokens(masks->vocab, &s->probe, open_of(masks, entry), entry->n_open, s);
            if (status != LM_OK) return status;
            child = make_entry(masks, s, false, back.state, class);
            if (!child) return LM_ERR_MEMORY;
            if (entry->shared) child = publish(masks, &entry->children, child);
        }
        if (!add_entry(masks, chart, child, mask)) status = chart->failure;
        if (status == LM_OK && child->n_open > 0)
            status = descend(masks, chart, s, child, back.frame, level + 1, visits, mask);
        drop(masks, child);
    }
    return status;
}

static lm_status add_item(lm_token_masks *masks, lm_chart *chart, lm_mask_scratch *s, lm_chart_item item,
                          uint32_t *mask) {
    uint32_t class = class_of(masks, item), visits = MAX_VISITS;
    lm_mask_entry *entry = find(&masks->roots[item.state], item.state, class);
    if (!entry) {
        lm_status status = lm_mask_walk_root(masks, item, s);
        if (status != LM_OK) return status;
        entry = make_entry(masks, s, true, item.state, class);
        if (!entry) return LM_ERR_MEMORY;
        entry = publish(masks, &masks->roots[item.state], entry);
    }
    lm_status status = add_entry(masks, chart, entry, mask) ? LM_OK : chart->failure;
    if (status == LM_OK && entry->n_open > 0) {
        s->path.count = 0;
        if (!lm_array_push(s->probe.env, &s->path, item))
            status = LM_ERR_MEMORY;
        else
            status = descend(masks, chart, s, entry, item.frame, 1, &visits, mask);
    }
    drop(masks, entry);
    return status;
}

static void add_token_edge(const lm_grammar_vocab *v, const lm_automaton_token *edge, uint32_t *mask) {
    for (uint32_t token = 0; edge->negated && token < v->n_tokens; token++)
        if (token != edge->token && v->kinds[token] <= LM_GRAMMAR_TOKEN_KIND_CONTROL)
            mask[token / 32] |= 1u << token % 32;
    if (!edge->negated && edge->token < v->n_tokens) mask[edge->token / 32] |= 1u << edge->token % 32;
}

lm_status lm_token_masks_apply(lm_token_masks *masks, lm_chart *chart, lm_mask_scratch *scratch, uint32_t *mask) {
    const lm_grammar *g = masks->grammar;
    const lm_grammar_vocab *v = masks->vocab;
    lm_status status = LM_OK;
    memset(mask, 0, v->n_words * sizeof *mask);
    scratch->has_decided = false;
    uint32_t n;
    (void)lm_chart_items(chart, &n);
    for (uint32_t i = 0; status == LM_OK && i < n; i++) {
        lm_chart_item item = lm_chart_items(chart, &n)[i];
        const lm_automaton_state *state = &g->states[item.state];
        for (uint32_t k = 0; k < state->n_tokens; k++) add_token_edge(v, &g->tokens[state->tokens + k], mask);
        if (state->reads) status = add_item(masks, chart, scratch, item, mask);
    }
    if (status == LM_OK && lm_chart_is_complete(chart))
        for (uint32_t i = 0; i < v->n_ends; i++) mask[v->ends[i] / 32] |= 1u << v->ends[i] % 32;
    return status;
}
