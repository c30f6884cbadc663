/* SPDX-License-Identifier: MIT
 * Forgetting how a text began: the last sets stay, and of everything before them what they may still return to. */
#include "chart.h"

/* What compaction knows of frames and links: first whether they stay, then where they go. */
typedef struct moves {
    uint32_t *frames, *links; /* [count] of the chart before */
    uint32_t *stack;          /* [frames] that stay and whose links have not been followed */
    size_t depth;
} moves;

static void keep_frame(moves *m, uint32_t frame) {
    if (m->frames[frame]) return;
    m->frames[frame] = 1;
    m->stack[m->depth++] = frame;
}

/* Marks become places: those that stay are numbered in order. Gives how many, and how many of them are before first. */
static uint32_t number(uint32_t *marks, size_t n, size_t first, uint32_t *before) {
    uint32_t count = 0;
    *before = 0;
    for (size_t i = 0; i < n; i++) {
        if (i < first) *before += marks[i];
        marks[i] = marks[i] ? count++ : LM_CHART_NONE;
    }
    return count;
}

static void keep_last(lm_chart *chart, size_t first, moves *m) {
    const lm_chart_set from = chart->sets.data[first];
    uint32_t frames_before, links_before;
    size_t n = chart->frames.count, n_links = chart->links.count;
    /* A frame may lead to one that was made after it, in the same place: its rule was called again from there. */
    for (size_t i = from.items; i < chart->items.count; i++) keep_frame(m, chart->items.data[i].frame);
    for (size_t i = from.frames; i < n; i++) keep_frame(m, (uint32_t)i);
    while (m->depth > 0) {
        uint32_t i = chart->frames.data[m->stack[--m->depth]].links;
        for (; i != LM_CHART_NONE; i = chart->links.data[i].next) {
            m->links[i] = 1;
            keep_frame(m, chart->links.data[i].back.frame);
        }
    }
    chart->frames.count = number(m->frames, n, from.frames, &frames_before);
    chart->links.count = number(m->links, n_links, from.links, &links_before);
    for (size_t i = 0; i < n_links; i++) {
        if (m->links[i] == LM_CHART_NONE) continue;
        lm_chart_link link = chart->links.data[i];
        if (link.next != LM_CHART_NONE) link.next = m->links[link.next];
        link.back.frame = m->frames[link.back.frame];
        link.owner = m->frames[link.owner];
        chart->links.data[m->links[i]] = link;
    }
    for (size_t i = 0; i < n; i++) {
        if (m->frames[i] == LM_CHART_NONE) continue;
        lm_chart_frame frame = chart->frames.data[i];
        if (frame.links != LM_CHART_NONE) frame.links = m->links[frame.links];
        chart->frames.data[m->frames[i]] = frame;
    }
    for (size_t i = from.items; i < chart->items.count; i++) {
        lm_chart_item item = chart->items.data[i];
        item.frame = m->frames[item.frame];
        chart->items.data[i - from.items] = item;
    }
    for (size_t i = first; i < chart->sets.count; i++) {
        lm_chart_set set = chart->sets.data[i];
        set.items -= from.items;
        set.frames = frames_before + (set.frames - from.frames);
        set.links = links_before + (set.links - from.links);
        chart->sets.data[i - first] = set;
    }
    chart->items.count -= from.items;
    chart->sets.count -= first;
}

lm_status lm_chart_compact(lm_chart *chart, uint32_t keep) {
    if (keep >= chart->sets.count) return LM_OK;
    size_t n = chart->frames.count, n_links = chart->links.count;
    moves m = {lm_alloc_array(chart->env, n, sizeof *m.frames), lm_alloc_array(chart->env, n_links, sizeof *m.links),
               lm_alloc_array(chart->env, n, sizeof *m.stack), 0};
    bool done = m.frames && m.links && m.stack;
    if (done) keep_last(chart, chart->sets.count - keep, &m);
    lm_free(chart->env, m.frames, n * sizeof *m.frames);
    lm_free(chart->env, m.links, n_links * sizeof *m.links);
    lm_free(chart->env, m.stack, n * sizeof *m.stack);
    return done ? LM_OK : LM_ERR_MEMORY;
}
