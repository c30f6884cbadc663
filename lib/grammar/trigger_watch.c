/* SPDX-License-Identifier: MIT
 * Running the programs. Between two code points a run holds the instructions its threads stand at, best first; one step
 * follows all jumps (each instruction is entered once, by the best thread that comes to it) and then reads. All memory is
 * reserved when the watch is made, but for the text itself. */
#include <string.h>

#include "../base/utf8.h"
#include "trigger.h"

#define NOT_SET UINT64_MAX
#define PUT_BACK ((uint64_t)1 << 32) /* on the stack: the low half is a slot, the next entry its old value */

static size_t stack_room(const lm_trigger_program *program) { return 3 * (size_t)program->count + 3; }

static void free_run(const lm_env *env, lm_trigger_run *run, const lm_trigger_program *program) {
    size_t n = program->count, n_slots = program->n_slots;
    lm_free(env, run->now.at, n * sizeof *run->now.at);
    lm_free(env, run->now.slots, n * n_slots * sizeof *run->now.slots);
    lm_free(env, run->ready.at, n * sizeof *run->ready.at);
    lm_free(env, run->ready.slots, n * n_slots * sizeof *run->ready.slots);
    lm_free(env, run->seen, n * sizeof *run->seen);
    lm_free(env, run->stack, stack_room(program) * sizeof *run->stack);
    lm_free(env, run->found, n_slots * sizeof *run->found);
}

static bool make_run(const lm_env *env, lm_trigger_run *run, const lm_trigger_program *program) {
    size_t n = program->count, n_slots = program->n_slots;
    run->now.at = lm_alloc_array(env, n, sizeof *run->now.at);
    run->now.slots = lm_alloc_array(env, n * n_slots, sizeof *run->now.slots);
    run->ready.at = lm_alloc_array(env, n, sizeof *run->ready.at);
    run->ready.slots = lm_alloc_array(env, n * n_slots, sizeof *run->ready.slots);
    run->seen = lm_alloc_array(env, n, sizeof *run->seen);
    run->stack = lm_alloc_array(env, stack_room(program), sizeof *run->stack);
    run->found = lm_alloc_array(env, n_slots, sizeof *run->found);
    return run->now.at && run->now.slots && run->ready.at && run->ready.slots && run->seen && run->stack && run->found;
}

lm_status lm_trigger_watch_init(lm_trigger_watch *watch, const lm_env *env, lm_trigger_set *set) {
    memset(watch, 0, sizeof *watch);
    watch->env = env;
    watch->set = set;
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    watch->runs = lm_alloc_array(env, set->programs.count, sizeof *watch->runs);
    bool done = watch->runs != NULL;
    for (size_t i = 0; done && i < set->programs.count; i++)
        done = make_run(env, &watch->runs[i], &set->programs.data[i]);
    if (done) return LM_OK;
    lm_trigger_watch_free(watch);
    return LM_ERR_MEMORY;
}

void lm_trigger_watch_free(lm_trigger_watch *watch) {
    if (!watch->set) return;
    for (size_t i = 0; watch->runs && i < watch->set->programs.count; i++)
        free_run(watch->env, &watch->runs[i], &watch->set->programs.data[i]);
    lm_free(watch->env, watch->runs, watch->set->programs.count * sizeof *watch->runs);
    lm_array_free(watch->env, &watch->text);
    lm_array_free(watch->env, &watch->pieces);
    lm_trigger_set_release(watch->set);
    watch->set = NULL;
}

bool lm_trigger_is_token(const lm_trigger_watch *watch, lm_token token) {
    for (size_t i = 0; i < watch->set->tokens.count; i++)
        if (watch->set->tokens.data[i] == token) return true;
    return false;
}

bool lm_trigger_watch_add(lm_trigger_watch *watch, lm_token token, const void *bytes, size_t n) {
    lm_trigger_piece piece = {token, watch->text.count + n};
    if (!lm_array_reserve(watch->env, &watch->text, n) || !lm_array_push(watch->env, &watch->pieces, piece))
        return false;
    if (n > 0) memcpy(watch->text.data + watch->text.count, bytes, n);
    watch->text.count += n;
    return true;
}

typedef struct place { /* where in the text threads stand */
    uint64_t offset;
    bool at_end;
} place;

/* Follow the jumps of one thread, whose slots are given; readers join run->ready. False when it matched: then no thread
 * after it matters. */
static bool follow(lm_trigger_run *run, const lm_trigger_instruction *program, uint32_t n_slots, uint32_t start,
                   uint64_t *slots, place where) {
    uint64_t *stack = run->stack;
    size_t n = 0;
    stack[n++] = start;
    while (n > 0) {
        uint64_t top = stack[--n];
        if (top & PUT_BACK) {
            slots[top & UINT32_MAX] = stack[--n];
            continue;
        }
        uint32_t at = (uint32_t)top;
        if (run->seen[at] == run->generation) continue;
        run->seen[at] = run->generation;
        const lm_trigger_instruction *one = &program[at];
        switch ((lm_trigger_op)one->op) {
        case LM_TRIGGER_OP_JUMP: stack[n++] = one->a; break;
        case LM_TRIGGER_OP_SPLIT:
            stack[n++] = one->b;
            stack[n++] = one->a;
            break;
        case LM_TRIGGER_OP_SAVE:
            stack[n++] = slots[one->a];
            stack[n++] = PUT_BACK | one->a;
            slots[one->a] = where.offset;
            stack[n++] = at + 1;
            break;
        case LM_TRIGGER_OP_BEGIN:
            if (where.offset == 0) stack[n++] = at + 1;
            break;
        case LM_TRIGGER_OP_END:
            if (where.at_end) stack[n++] = at + 1;
            break;
        case LM_TRIGGER_OP_CLASS:
            memcpy(run->ready.slots + (size_t)run->ready.n * n_slots, slots, n_slots * sizeof *slots);
            run->ready.at[run->ready.n++] = at;
            break;
        case LM_TRIGGER_OP_MATCH:
            memcpy(run->found, slots, n_slots * sizeof *slots);
            run->has_found = true;
            return false;
        }
    }
    return true;
}

/* All threads, and one more that starts here unless some text already matched. */
static void follow_all(const lm_trigger_set *set, const lm_trigger_program *program, lm_trigger_run *run, place where) {
    const lm_trigger_instruction *code = set->instructions.data + program->first;
    uint32_t n_slots = program->n_slots;
    uint64_t fresh[2 * LM_TRIGGER_MAX_GROUPS + 1];
    if (++run->generation == 0) {
        memset(run->seen, 0, program->count * sizeof *run->seen);
        run->generation = 1;
    }
    run->ready.n = 0;
    for (uint32_t i = 0; i < run->now.n; i++)
        if (!follow(run, code, n_slots, run->now.at[i], run->now.slots + (size_t)i * n_slots, where)) return;
    if (run->has_found) return;
    for (uint32_t i = 0; i < n_slots; i++) fresh[i] = NOT_SET;
    fresh[0] = where.offset;
    (void)follow(run, code, n_slots, 0, fresh, where);
}

static void read_code(const lm_trigger_set *set, const lm_trigger_program *program, lm_trigger_run *run,
                      uint32_t code) {
    uint32_t n_slots = program->n_slots;
    run->now.n = 0;
    for (uint32_t i = 0; i < run->ready.n; i++) {
        const lm_trigger_instruction *one = &set->instructions.data[program->first + run->ready.at[i]];
        const lm_code_range *ranges = set->ranges.data + one->a;
        uint32_t low = 0, high = one->b; /* the first range that ends at code or later */
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (ranges[middle].hi < code)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == one->b || ranges[low].lo > code) continue;
        memcpy(run->now.slots + (size_t)run->now.n * n_slots, run->ready.slots + (size_t)i * n_slots,
               n_slots * sizeof *run->now.slots);
        run->now.at[run->now.n++] = run->ready.at[i] + 1;
    }
}

/* Give the runs the whole characters that they have not read: true when the text ends with one. */
static bool read_text(lm_trigger_watch *watch) {
    const char *text = (const char *)watch->text.data;
    size_t n = watch->text.count - watch->n_read;
    size_t unfinished = n > 0 ? lm_utf8_unfinished(text + watch->n_read, n) : 0;
    for (n -= unfinished; n > 0;) {
        uint32_t code;
        size_t size = lm_utf8_decode_lossy(text + watch->n_read, n, &code);
        place where = {watch->n_read, false};
        for (size_t i = 0; i < watch->set->programs.count; i++) {
            follow_all(watch->set, &watch->set->programs.data[i], &watch->runs[i], where);
            read_code(watch->set, &watch->set->programs.data[i], &watch->runs[i], code);
        }
        watch->n_read += size;
        n -= size;
    }
    return unfinished == 0;
}

bool lm_trigger_watch_search(lm_trigger_watch *watch, size_t *start) {
    bool whole = read_text(watch);
    place end = {watch->n_read, whole};
    for (size_t i = 0; i < watch->set->programs.count; i++) {
        lm_trigger_run *run = &watch->runs[i];
        follow_all(watch->set, &watch->set->programs.data[i], run, end);
        if (!run->has_found) continue;
        *start = (size_t)run->found[0];
        for (uint32_t k = 1; k + 1 < watch->set->programs.data[i].n_slots; k += 2) {
            uint64_t from = run->found[k], to = run->found[k + 1];
            if (from == NOT_SET || to == NOT_SET || from >= to) continue;
            *start = (size_t)from;
            break;
        }
        return true;
    }
    return false;
}

void lm_trigger_watch_restart(lm_trigger_watch *watch) {
    for (size_t i = 0; i < watch->set->programs.count; i++) {
        watch->runs[i].now.n = 0;
        watch->runs[i].has_found = false;
    }
    watch->n_read = 0;
    (void)read_text(watch);
}
