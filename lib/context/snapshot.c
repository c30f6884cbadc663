/* SPDX-License-Identifier: MIT
 * A sequence in a file (doc/formats.md). All numbers are little-endian.
 *
 *   header   "LMSEQ\0\0\1", then 64-bit: model fingerprint, n_tokens, n_ctx; 32-bit: n_cache_layers, n_state_layers; 64-bit: bytes of all,
 *            n_checkpoints
 *   layers   per cache layer, 32-bit: group window, heads, k and v width, k and v type; per state layer, 64-bit: floats
 *   tokens   32-bit each
 *   pages    per cache layer, every page the sequence holds, oldest first: the backend's saved form
 *   states   per state layer: floats
 *   checkpoints  ascending, at most 2: 64-bit position, then per state layer: floats
 *   end      64-bit checksum of everything before it
 *
 * Nothing of the context changes until the whole file has been read once and its checksum is right. */
#include <string.h>

#include "../base/format.h"
#include "../base/hash.h"
#include "context_internal.h"

static const char magic[8] = {'L', 'M', 'S', 'E', 'Q', 0, 0, 1};

#define HEADER_BYTES 56
#define MAX_CHECKPOINTS                                                                                                \
    2 /* the last prompt's and the one before: a later return is rare, and each costs as much as the state */
#define LAYER_BYTES 24

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

/* First page a sequence of n tokens holds in a layer's group. */
static int32_t first_page(const lm_context *c, int32_t layer, int32_t n) {
    int32_t window = c->shape->program.cache_groups[c->shape->program.cache_layers[layer].group].window;
    return window > 0 && n - window + 1 > 0 ? (n - window + 1) / LM_KV_PAGE : 0;
}

static int32_t page_end(int32_t n) { return (n + LM_KV_PAGE - 1) / LM_KV_PAGE; }

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

static uint64_t file_bytes(const lm_context *c, int32_t n, int32_t n_checkpoints) {
    const lm_program *p = &c->shape->program;
    uint64_t total = HEADER_BYTES + (uint64_t)p->n_cache_layers * LAYER_BYTES + (uint64_t)p->n_state_layers * 8 +
                     (uint64_t)n * 4 + 8;
    for (int32_t l = 0; l < p->n_cache_layers; l++)
        total += (uint64_t)(page_end(n) - first_page(c, l, n)) * page_bytes(c, l);
    return total + state_bytes(c) + (uint64_t)n_checkpoints * (8 + state_bytes(c));
}

static void describe_layer(const lm_context *c, int32_t layer, uint8_t *out) {
    const lm_cache_layer *l = &c->shape->program.cache_layers[layer];
    const int32_t fields[] = {
        c->shape->program.cache_groups[l->group].window, l->n_heads_kv, l->k_width, l->v_width, l->k_type, l->v_type};
    for (int i = 0; i < 6; i++) put32(out + 4 * i, (uint32_t)fields[i]);
}

static void header(const lm_context *c, int32_t n, int32_t n_checkpoints, uint8_t *out) {
    memcpy(out, magic, sizeof magic);
    put64(out + 8, lm_model_fingerprint(c->model));
    put64(out + 16, (uint64_t)n);
    put64(out + 24, (uint64_t)c->shape->params.n_ctx);
    put32(out + 32, (uint32_t)c->shape->program.n_cache_layers);
    put32(out + 36, (uint32_t)c->shape->program.n_state_layers);
    put64(out + 40, file_bytes(c, n, n_checkpoints));
    put64(out + 48, (uint64_t)n_checkpoints);
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

/* The sequence's last checkpoints, ascending; without recurrent layers there is nothing to carry. */
static int32_t find_checkpoints(const lm_context *c, lm_seq seq, int32_t *positions, int32_t *slots) {
    int32_t n = 0, before = INT32_MAX;
    if (c->shape->program.n_state_layers == 0) return 0;
    while (n < MAX_CHECKPOINTS && lm_kv_checkpoint_before(c->kv, seq, before, &before, &slots[MAX_CHECKPOINTS - 1 - n]))
        positions[MAX_CHECKPOINTS - 1 - n++] = before;
    for (int32_t i = 0; i < n; i++) {
        positions[i] = positions[MAX_CHECKPOINTS - n + i];
        slots[i] = slots[MAX_CHECKPOINTS - n + i];
    }
    return n;
}

static lm_status emit_contents(lm_context *c, lm_seq seq, sink *s, void *buffer) {
    int32_t n = lm_kv_length(c->kv, seq);
    lm_status status = LM_OK;
    for (int32_t i = 0; i < n && status == LM_OK; i++) {
        uint8_t token[4];
        put32(token, (uint32_t)lm_kv_tokens(c->kv, seq)[i]);
        status = emit(s, token, sizeof token);
    }
    for (int32_t l = 0; l < c->shape->program.n_cache_layers; l++)
        for (int32_t p = first_page(c, l, n); p < page_end(n) && status == LM_OK; p++) {
            status = lm_exec_read_page(c->exec, l, lm_kv_pages(c->kv, seq)[c->shape->program.cache_layers[l].group][p],
                                       buffer, page_bytes(c, l));
            if (status == LM_OK) status = emit(s, buffer, page_bytes(c, l));
        }
    return status == LM_OK ? emit_state(c, lm_kv_state(c->kv, seq), s, buffer) : status;
}

lm_status lm_snapshot_save(lm_context *c, lm_seq seq, const char *path) {
    sink s = {.error = {.message = "the cache cannot be read"}};
    uint8_t head[HEADER_BYTES], tail[8];
    int32_t positions[MAX_CHECKPOINTS], slots[MAX_CHECKPOINTS];
    size_t buffer_size = buffer_bytes(c);
    lm_status status = lm_context_settle(c, seq);
    if (status != LM_OK) return status;
    void *buffer = lm_alloc(c->env, buffer_size);
    if (!buffer) return lm_context_fail(c, LM_ERR_MEMORY, "out of memory while saving a sequence");
    int32_t n_checkpoints = find_checkpoints(c, seq, positions, slots);
    status = lm_os_writer_open(c->env, path, &s.writer, &s.error);
    lm_checksum_begin(&s.sum, 0);
    header(c, lm_kv_length(c->kv, seq), n_checkpoints, head);
    if (status == LM_OK) status = emit(&s, head, sizeof head);
    if (status == LM_OK) status = emit_layers(c, &s);
    if (status == LM_OK) status = emit_contents(c, seq, &s, buffer);
    for (int32_t i = 0; i < n_checkpoints && status == LM_OK; i++) {
        put64(tail, (uint64_t)positions[i]);
        status = emit(&s, tail, sizeof tail);
        if (status == LM_OK) status = emit_state(c, slots[i], &s, buffer);
    }
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

/* The header fits this context, and the file has exactly the size it says. */
static lm_status check_header(lm_context *c, source *s, int32_t *n_tokens, int32_t *n_checkpoints, uint64_t *size) {
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
    header(c, 0, 0, expected);
    if (memcmp(head + 8, expected + 8, 8))
        return lm_context_fail(c, LM_ERR_MISMATCH, "the sequence was saved with another model");
    if (memcmp(head + 24, expected + 24, 16))
        return lm_context_fail(c, LM_ERR_MISMATCH, "the sequence was saved from a context of another length");
    if (n > (uint64_t)c->shape->params.n_ctx)
        return lm_context_fail(c, LM_ERR_FORMAT, "the saved sequence claims %llu tokens", (unsigned long long)n);
    uint64_t checkpoints = get64(head + 48);
    if (checkpoints > (c->shape->program.n_state_layers ? MAX_CHECKPOINTS : 0))
        return lm_context_fail(c, LM_ERR_FORMAT, "the saved sequence claims %llu checkpoints",
                               (unsigned long long)checkpoints);
    if (file_bytes(c, (int32_t)n, (int32_t)checkpoints) != id.size)
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
    *n_tokens = (int32_t)n;
    *n_checkpoints = (int32_t)checkpoints;
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

/* The checkpoints of the restored sequence of n tokens; one that finds no record is passed over. */
static lm_status load_checkpoints(lm_context *c, lm_seq seq, source *s, int32_t n, int32_t count, void *buffer) {
    uint8_t number[8];
    lm_status status = LM_OK;
    for (int32_t i = 0; i < count && status == LM_OK; i++) {
        status = take(s, number, sizeof number);
        uint64_t position = get64(number);
        if (status == LM_OK && (position == 0 || position > (uint64_t)n)) status = LM_ERR_FORMAT;
        int32_t record = status == LM_OK && c->shape->kv.n_checkpoints > 0 ? lm_kv_checkpoint_take(c->kv) : -1;
        if (record < 0) {
            s->offset += state_bytes(c);
            continue;
        }
        status = load_state(c, s, lm_kv_checkpoint_slot(c->kv, record), buffer);
        if (status == LM_OK)
            lm_kv_checkpoint_keep(c->kv, record, seq, (int32_t)position);
        else
            lm_kv_checkpoint_drop(c->kv, record);
    }
    return status;
}

static lm_status load_contents(lm_context *c, lm_seq seq, source *s, int32_t n, lm_token *tokens, void *buffer) {
    const lm_program *program = &c->shape->program;
    lm_status status = LM_OK;
    for (int32_t l = 0; l < program->n_cache_layers; l++)
        for (int32_t p = first_page(c, l, n); p < page_end(n) && status == LM_OK; p++) {
            status = take(s, buffer, page_bytes(c, l));
            if (status == LM_OK)
                status = lm_exec_write_page(c->exec, l, lm_kv_pages(c->kv, seq)[program->cache_layers[l].group][p],
                                            buffer, page_bytes(c, l));
        }
    if (status == LM_OK) status = load_state(c, s, lm_kv_state(c->kv, seq), buffer);
    if (status == LM_OK)
        lm_kv_commit(c->kv, seq, tokens, n);
    else
        lm_kv_cancel(c->kv, seq);
    return status;
}

lm_status lm_snapshot_restore(lm_context *c, lm_seq seq, const char *path) {
    source s = {.error = {.message = "the cache cannot be written"}};
    int32_t n = 0, n_checkpoints = 0;
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
    status = check_header(c, &s, &n, &n_checkpoints, &size);
    if (status != LM_OK) goto out;
    contents = s.offset;
    status = verify(c, &s, size, buffer, buffer_size);
    if (status != LM_OK) goto out;
    s.offset = contents;
    tokens_size = (size_t)n * sizeof *tokens;
    tokens = lm_alloc(c->env, tokens_size);
    if (!tokens) {
        status = lm_context_fail(c, LM_ERR_MEMORY, "out of memory while restoring a sequence");
        goto out;
    }
    status = take(&s, tokens, tokens_size);
    for (int32_t i = 0; i < n && status == LM_OK; i++) {
        tokens[i] = (lm_token)get32((const uint8_t *)&tokens[i]);
        if (tokens[i] < 0 || tokens[i] >= c->model->hparams.n_vocab_in)
            status = lm_context_fail(c, LM_ERR_FORMAT, "the saved sequence has a token out of range");
    }
    if (status != LM_OK) goto out;
    lm_kv_close(c->kv, seq);
    lm_context_forget_marks(c, seq);
    status = lm_kv_reserve_restored(c->kv, seq, n);
    if (status != LM_OK) {
        lm_context_fail(c, status, "the cache has no room for the saved sequence");
        goto out;
    }
    status = load_contents(c, seq, &s, n, tokens, buffer);
    if (status == LM_OK) status = load_checkpoints(c, seq, &s, n, n_checkpoints, buffer);
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
