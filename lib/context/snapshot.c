/* SPDX-License-Identifier: MIT
 * A sequence in a file (doc/formats.md). All numbers are little-endian.
 *
 *   header   "LMSEQ\0\0\2", then 64-bit: model fingerprint, n_tokens, n_ctx; 32-bit: n_cache_layers, n_state_layers; 64-bit: bytes of all,
 *            n_checkpoints, their positions (2, ascending, the rest 0)
 *   layers   per cache layer, 32-bit: group window, heads, k and v width, k and v type; per state layer, 64-bit: floats
 *   tokens   32-bit each
 *   pages    per cache layer, oldest first, every page that going on at the end or at a checkpoint needs: the backend's saved form
 *   states   per state layer: floats
 *   checkpoints  per checkpoint and state layer: floats
 *   end      64-bit checksum of everything before it
 *
 * Nothing of the context changes until the whole file has been read once and its checksum, sizes, positions and tokens are right. What the
 * pages and states hold cannot be checked: the kv room keeps them from every sequence but this one and its forks. */
#include <string.h>

#include "../base/hash.h"
#include "context_internal.h"

static const char magic[8] = {'L', 'M', 'S', 'E', 'Q', 0, 0, 2};

#define HEADER_BYTES 72
#define MAX_CHECKPOINTS                                                                                                \
    2 /* the last prompt's and the one before: a later return is rare, and each costs as much as the state */
#define LAYER_BYTES 24

/* Which part of a sequence is in a file. */
typedef struct extent {
    int32_t n, n_checkpoints; /* tokens; checkpoints */
    int32_t positions[MAX_CHECKPOINTS];
} extent;

static void put32(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> 8 * i);
}
static void put64(uint8_t *out, uint64_t value) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(value >> 8 * i);
}
static uint32_t get32(const uint8_t *in) {
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}
static uint64_t get64(const uint8_t *in) { return get32(in) | (uint64_t)get32(in + 4) << 32; }

static size_t page_bytes(const lm_context *c, int32_t layer) {
    const lm_cache_layer *l = &c->shape->program.cache_layers[layer];
    return (size_t)l->n_heads_kv *
           (lm_cache_k_bytes(l->k_type, l->k_width) + (l->v_width > 0 ? lm_cache_v_bytes(l->v_type, l->v_width) : 0));
}

static int32_t group_of(const lm_context *c, int32_t layer) { return c->shape->program.cache_layers[layer].group; }

static int32_t page_end(int32_t n) { return (n + LM_KV_PAGE - 1) / LM_KV_PAGE; }

static bool holds_page(const lm_context *c, const extent *e, int32_t layer, int32_t page) {
    bool held = lm_kv_window_needs(c->kv, group_of(c, layer), e->n, page);
    for (int32_t i = 0; i < e->n_checkpoints; i++)
        held |= lm_kv_window_needs(c->kv, group_of(c, layer), e->positions[i], page);
    return held;
}

/* The largest piece read or written at once. */
static size_t buffer_bytes(const lm_context *c) {
    size_t largest = 4096;
    for (int32_t l = 0; l < c->shape->program.n_cache_layers; l++)
        largest = page_bytes(c, l) > largest ? page_bytes(c, l) : largest;
    for (int32_t l = 0; l < c->shape->program.n_state_layers; l++) {
        size_t bytes = (size_t)c->shape->program.state_layers[l].n_floats * sizeof(float);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

static uint64_t state_bytes(const lm_context *c) {
    uint64_t total = 0;
    for (int32_t l = 0; l < c->shape->program.n_state_layers; l++)
        total += (uint64_t)c->shape->program.state_layers[l].n_floats * sizeof(float);
    return total;
}

static uint64_t file_bytes(const lm_context *c, const extent *e) {
    const lm_program *p = &c->shape->program;
    uint64_t total = HEADER_BYTES + (uint64_t)p->n_cache_layers * LAYER_BYTES + (uint64_t)p->n_state_layers * 8 +
                     (uint64_t)e->n * 4 + 8;
    for (int32_t l = 0; l < p->n_cache_layers; l++)
        for (int32_t page = 0; page < page_end(e->n); page++)
            if (holds_page(c, e, l, page)) total += page_bytes(c, l);
    return total + (uint64_t)(1 + e->n_checkpoints) * state_bytes(c);
}

static void describe_layer(const lm_context *c, int32_t layer, uint8_t *out) {
    const lm_cache_layer *l = &c->shape->program.cache_layers[layer];
    const int32_t fields[] = {
        c->shape->program.cache_groups[l->group].window, l->n_heads_kv, l->k_width, l->v_width, l->k_type, l->v_type};
    for (int i = 0; i < 6; i++) put32(out + 4 * i, (uint32_t)fields[i]);
}

static void header(const lm_context *c, const extent *e, uint8_t *out) {
    memset(out, 0, HEADER_BYTES);
    memcpy(out, magic, sizeof magic);
    put64(out + 8, lm_context_fingerprint(c));
    put64(out + 16, (uint64_t)e->n);
    put64(out + 24, (uint64_t)c->shape->params.n_ctx);
    put32(out + 32, (uint32_t)c->shape->program.n_cache_layers);
    put32(out + 36, (uint32_t)c->shape->program.n_state_layers);
    put64(out + 40, file_bytes(c, e));
    put64(out + 48, (uint64_t)e->n_checkpoints);
    for (int32_t i = 0; i < e->n_checkpoints; i++) put64(out + 56 + 8 * i, (uint64_t)e->positions[i]);
}

/* ---- saving ---- */

typedef struct sink {
    lm_os_writer writer;
    lm_checksum_stream sum;
    lm_error error;
} sink;

static lm_status emit(sink *s, const void *bytes, size_t n) {
    lm_checksum_feed(&s->sum, bytes, n);
    return lm_os_writer_append(&s->writer, bytes, n, &s->error);
}

static lm_status emit_layers(const lm_context *c, sink *s) {
    uint8_t record[LAYER_BYTES];
    lm_status status = LM_OK;
    for (int32_t l = 0; l < c->shape->program.n_cache_layers && status == LM_OK; l++) {
        describe_layer(c, l, record);
        status = emit(s, record, LAYER_BYTES);
    }
    for (int32_t l = 0; l < c->shape->program.n_state_layers && status == LM_OK; l++) {
        put64(record, (uint64_t)c->shape->program.state_layers[l].n_floats);
        status = emit(s, record, 8);
    }
    return status;
}

static lm_status emit_state(lm_context *c, int32_t slot, sink *s, void *buffer) {
    lm_status status = LM_OK;
    for (int32_t l = 0; l < c->shape->program.n_state_layers && status == LM_OK; l++) {
        status = lm_exec_read_state(c->exec, l, slot, buffer);
        if (status == LM_OK)
            status = emit(s, buffer, (size_t)c->shape->program.state_layers[l].n_floats * sizeof(float));
    }
    return status;
}

/* Whether the pages that going on at a position needs are all there still. */
static bool has_windows(const lm_context *c, lm_seq seq, int32_t position) {
    for (int32_t g = 0; g < c->shape->kv.n_groups; g++)
        for (int32_t page = 0; page < page_end(position); page++)
            if (lm_kv_window_needs(c->kv, g, position, page) && lm_kv_page_at(c->kv, seq, g, page) < 0) return false;
    return true;
}

/* The sequence's last checkpoints that can be resumed from, ascending. */
static void find_checkpoints(const lm_context *c, lm_seq seq, extent *e, int32_t *slots) {
    int32_t position = INT32_MAX, slot, found[MAX_CHECKPOINTS], found_slots[MAX_CHECKPOINTS], n = 0;
    while (n < MAX_CHECKPOINTS && lm_kv_checkpoint_before(c->kv, seq, position, &position, &slot)) {
        if (!has_windows(c, seq, position)) continue;
        found[n] = position;
        found_slots[n++] = slot;
    }
    for (int32_t i = 0; i < n; i++) {
        e->positions[i] = found[n - 1 - i];
        slots[i] = found_slots[n - 1 - i];
    }
    e->n_checkpoints = n;
}

static lm_status emit_contents(lm_context *c, lm_seq seq, const extent *e, sink *s, void *buffer) {
    lm_status status = LM_OK;
    for (int32_t i = 0; i < e->n && status == LM_OK; i++) {
        uint8_t token[4];
        put32(token, (uint32_t)lm_kv_tokens(c->kv, seq)[i]);
        status = emit(s, token, sizeof token);
    }
    for (int32_t l = 0; l < c->shape->program.n_cache_layers; l++)
        for (int32_t p = 0; p < page_end(e->n) && status == LM_OK; p++) {
            if (!holds_page(c, e, l, p)) continue;
            status =
                lm_exec_read_page(c->exec, l, lm_kv_page_at(c->kv, seq, group_of(c, l), p), buffer, page_bytes(c, l));
            if (status == LM_OK) status = emit(s, buffer, page_bytes(c, l));
        }
    return status == LM_OK ? emit_state(c, lm_kv_state(c->kv, seq), s, buffer) : status;
}

lm_status lm_snapshot_save(lm_context *c, lm_seq seq, const char *path) {
    sink s = {.error = {.message = "the cache cannot be read"}};
    uint8_t head[HEADER_BYTES], tail[8];
    int32_t slots[MAX_CHECKPOINTS];
    extent e = {0};
    size_t buffer_size = buffer_bytes(c);
    lm_status status = lm_context_settle(c, seq);
    if (status != LM_OK) return status;
    void *buffer = lm_alloc(c->env, buffer_size);
    if (!buffer) return lm_context_fail(c, LM_ERR_MEMORY, "out of memory while saving a sequence");
    e.n = lm_kv_length(c->kv, seq);
    find_checkpoints(c, seq, &e, slots);
    status = lm_os_writer_open(c->env, path, &s.writer, &s.error);
    lm_checksum_begin(&s.sum, 0);
    header(c, &e, head);
    if (status == LM_OK) status = emit(&s, head, sizeof head);
    if (status == LM_OK) status = emit_layers(c, &s);
    if (status == LM_OK) status = emit_contents(c, seq, &e, &s, buffer);
    for (int32_t i = 0; i < e.n_checkpoints && status == LM_OK; i++) status = emit_state(c, slots[i], &s, buffer);
    put64(tail, lm_checksum_end(&s.sum));
    if (status == LM_OK) status = lm_os_writer_append(&s.writer, tail, sizeof tail, &s.error);
    if (status == LM_OK)
        status = lm_os_writer_commit(&s.writer, &s.error);
    else
        lm_os_writer_abandon(&s.writer);
    lm_free(c->env, buffer, buffer_size);
    return status == LM_OK ? LM_OK : lm_context_fail(c, status, "%s", s.error.message);
}

/* ---- restoring ---- */

typedef struct source {
    lm_os_file file;
    uint64_t offset;
    lm_error error;
} source;

static lm_status take(source *s, void *out, size_t n) {
    lm_status status = lm_os_file_read(&s->file, s->offset, out, n, &s->error);
    s->offset += n;
    return status;
}

/* Read the whole file once: its size and checksum are those written. */
static lm_status verify(lm_context *c, source *s, uint64_t size, uint8_t *buffer, size_t buffer_size) {
    lm_checksum_stream sum;
    lm_checksum_begin(&sum, 0);
    s->offset = 0;
    while (s->offset < size - 8) {
        size_t n = size - 8 - s->offset < buffer_size ? (size_t)(size - 8 - s->offset) : buffer_size;
        lm_status status = take(s, buffer, n);
        if (status != LM_OK) return lm_context_fail(c, status, "%s", s->error.message);
        lm_checksum_feed(&sum, buffer, n);
    }
    lm_status status = take(s, buffer, 8);
    if (status != LM_OK) return lm_context_fail(c, status, "%s", s->error.message);
    return get64(buffer) == lm_checksum_end(&sum)
               ? LM_OK
               : lm_context_fail(c, LM_ERR_FORMAT, "the saved sequence is damaged: its checksum is wrong");
}

/* Ascending, inside the sequence. */
static bool read_positions(const uint8_t *head, extent *e) {
    uint64_t count = get64(head + 48), before = 0;
    if (count > MAX_CHECKPOINTS) return false;
    e->n_checkpoints = (int32_t)count;
    for (int32_t i = 0; i < MAX_CHECKPOINTS; i++) {
        uint64_t position = get64(head + 56 + 8 * i);
        if (i < e->n_checkpoints ? position <= before || position > (uint64_t)e->n : position != 0) return false;
        if (i < e->n_checkpoints) e->positions[i] = (int32_t)position;
        before = position;
    }
    return true;
}

/* The header fits this context, and the file has exactly the size it says. */
static lm_status check_header(lm_context *c, source *s, extent *out, uint64_t *size) {
    uint8_t head[HEADER_BYTES], expected[HEADER_BYTES], record[LAYER_BYTES], mine[LAYER_BYTES];
    lm_os_file_id id;
    lm_status status = lm_os_file_identify(&s->file, &id, &s->error);
    if (status != LM_OK) return lm_context_fail(c, status, "%s", s->error.message);
    if (id.size < HEADER_BYTES + 8)
        return lm_context_fail(c, LM_ERR_FORMAT, "the file is too short to be a saved sequence");
    status = take(s, head, sizeof head);
    if (status != LM_OK) return lm_context_fail(c, status, "%s", s->error.message);
    if (memcmp(head, magic, sizeof magic - 1))
        return lm_context_fail(c, LM_ERR_FORMAT, "the file is no saved sequence");
    if (head[7] != magic[7])
        return lm_context_fail(c, LM_ERR_UNSUPPORTED, "the sequence was saved in format %d, this library reads %d",
                               head[7], magic[7]);
    uint64_t n = get64(head + 16);
    if (get64(head + 40) != id.size)
        return lm_context_fail(c, LM_ERR_FORMAT, "the saved sequence is cut short or has been appended to");
    extent e = {0};
    header(c, &e, expected);
    if (memcmp(head + 8, expected + 8, 8))
        return lm_context_fail(c, LM_ERR_MISMATCH, "the sequence was saved with another model or other adapters");
    if (memcmp(head + 24, expected + 24, 16))
        return lm_context_fail(c, LM_ERR_MISMATCH, "the sequence was saved from a context of another length");
    if (n > (uint64_t)c->shape->params.n_ctx)
        return lm_context_fail(c, LM_ERR_FORMAT, "the saved sequence claims %llu tokens", (unsigned long long)n);
    e.n = (int32_t)n;
    if (!read_positions(head, &e))
        return lm_context_fail(c, LM_ERR_FORMAT, "the saved sequence has checkpoints where it cannot have any");
    if (file_bytes(c, &e) != id.size)
        return lm_context_fail(c, LM_ERR_MISMATCH, "the saved sequence has another cache layout");
    for (int32_t l = 0; l < c->shape->program.n_cache_layers && status == LM_OK; l++) {
        status = take(s, record, LAYER_BYTES);
        describe_layer(c, l, mine);
        if (status == LM_OK && memcmp(record, mine, LAYER_BYTES))
            return lm_context_fail(c, LM_ERR_MISMATCH, "the saved sequence has another cache type or shape in layer %d",
                                   (int)l);
    }
    for (int32_t l = 0; l < c->shape->program.n_state_layers && status == LM_OK; l++) {
        status = take(s, record, 8);
        if (status == LM_OK && get64(record) != (uint64_t)c->shape->program.state_layers[l].n_floats)
            return lm_context_fail(c, LM_ERR_MISMATCH, "the saved sequence has another recurrent state in layer %d",
                                   (int)l);
    }
    if (status != LM_OK) return lm_context_fail(c, status, "%s", s->error.message);
    *out = e;
    *size = id.size;
    return LM_OK;
}

static lm_status load_state(lm_context *c, source *s, int32_t slot, void *buffer) {
    lm_status status = LM_OK;
    for (int32_t l = 0; l < c->shape->program.n_state_layers && status == LM_OK; l++) {
        status = take(s, buffer, (size_t)c->shape->program.state_layers[l].n_floats * sizeof(float));
        if (status == LM_OK) status = lm_exec_write_state(c->exec, l, slot, buffer);
    }
    return status;
}

/* The checkpoints of the restored sequence; one that finds no record is passed over. */
static lm_status load_checkpoints(lm_context *c, lm_seq seq, source *s, const extent *e, void *buffer) {
    lm_status status = LM_OK;
    for (int32_t i = 0; i < e->n_checkpoints && status == LM_OK; i++) {
        int32_t record = c->shape->kv.n_checkpoints > 0 ? lm_kv_checkpoint_take(c->kv) : -1;
        if (record < 0) {
            s->offset += state_bytes(c);
            continue;
        }
        status = load_state(c, s, lm_kv_checkpoint_slot(c->kv, record), buffer);
        if (status == LM_OK)
            lm_kv_checkpoint_keep(c->kv, record, seq, e->positions[i]);
        else
            lm_kv_checkpoint_drop(c->kv, record);
    }
    return status;
}

static lm_status load_contents(lm_context *c, lm_seq seq, source *s, const extent *e, lm_token *tokens, void *buffer) {
    const lm_program *program = &c->shape->program;
    lm_status status = LM_OK;
    for (int32_t l = 0; l < program->n_cache_layers; l++)
        for (int32_t p = 0; p < page_end(e->n) && status == LM_OK; p++) {
            if (!holds_page(c, e, l, p)) continue;
            int32_t page = lm_kv_pages(c->kv, seq)[group_of(c, l)][p];
            status = take(s, buffer, page_bytes(c, l));
            if (status == LM_OK && page >= 0) status = lm_exec_write_page(c->exec, l, page, buffer, page_bytes(c, l));
        }
    if (status == LM_OK) status = load_state(c, s, lm_kv_state(c->kv, seq), buffer);
    if (status == LM_OK)
        lm_kv_commit(c->kv, seq, tokens, e->n);
    else
        lm_kv_cancel(c->kv, seq);
    return status;
}

lm_status lm_snapshot_restore(lm_context *c, lm_seq seq, const char *path) {
    source s = {.error = {.message = "the cache cannot be written"}};
    extent e = {0};
    uint64_t size = 0, contents = 0;
    size_t buffer_size = buffer_bytes(c), tokens_size = 0;
    lm_token *tokens = NULL;
    uint8_t *buffer = lm_alloc(c->env, buffer_size);
    lm_status status = lm_os_file_open(path, &s.file, &s.error);
    if (status != LM_OK) {
        lm_context_fail(c, status, "%s", s.error.message);
        goto out;
    }
    if (!buffer) {
        status = lm_context_fail(c, LM_ERR_MEMORY, "out of memory while restoring a sequence");
        goto out;
    }
    status = check_header(c, &s, &e, &size);
    if (status != LM_OK) goto out;
    contents = s.offset;
    status = verify(c, &s, size, buffer, buffer_size);
    if (status != LM_OK) goto out;
    s.offset = contents;
    tokens_size = (size_t)e.n * sizeof *tokens;
    tokens = lm_alloc(c->env, tokens_size);
    if (!tokens) {
        status = lm_context_fail(c, LM_ERR_MEMORY, "out of memory while restoring a sequence");
        goto out;
    }
    status = take(&s, tokens, tokens_size);
    if (status != LM_OK) lm_context_fail(c, status, "%s", s.error.message);
    for (int32_t i = 0; i < e.n && status == LM_OK; i++) {
        tokens[i] = (lm_token)get32((const uint8_t *)&tokens[i]);
        if (tokens[i] < 0 || tokens[i] >= c->model->hparams.n_vocab_in)
            status = lm_context_fail(c, LM_ERR_FORMAT, "the saved sequence has a token out of range");
    }
    if (status != LM_OK) goto out;
    lm_kv_close(c->kv, seq);
    lm_context_forget_marks(c, seq);
    status = lm_kv_reserve_restored(c->kv, seq, e.n, e.positions, e.n_checkpoints);
    if (status != LM_OK) {
        lm_context_fail(c, status, "the cache has no room for the saved sequence");
        goto out;
    }
    status = load_contents(c, seq, &s, &e, tokens, buffer);
    if (status == LM_OK) status = load_checkpoints(c, seq, &s, &e, buffer);
    if (status != LM_OK) {
        lm_context_fail(c, status, "%s", s.error.message);
        lm_kv_close(c->kv, seq);
    }
out:
    lm_os_file_close(&s.file);
    lm_free(c->env, tokens, tokens_size);
    lm_free(c->env, buffer, buffer_size);
    return status;
}
