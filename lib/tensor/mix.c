/* SPDX-License-Identifier: MIT
 * The rules of the usual mixes, in groups tested in order; the first group that speaks about a tensor decides, and what no
 * group mentions keeps the file type's default. Counters run over tensors in order of layer, then name. */
#include "mix.h"

#include <string.h>

typedef struct file_type_row {
    const char *name;
    int32_t file_type, dtype;
} file_type_row;

static const file_type_row file_types[] = {
    {"F32", LM_FILE_F32, LM_DTYPE_F32},
    {"F16", LM_FILE_F16, LM_DTYPE_F16},
    {"BF16", LM_FILE_BF16, LM_DTYPE_BF16},
    {"Q4_0", LM_FILE_Q4_0, LM_DTYPE_Q4_0},
    {"Q4_1", LM_FILE_Q4_1, LM_DTYPE_Q4_1},
    {"Q5_0", LM_FILE_Q5_0, LM_DTYPE_Q5_0},
    {"Q5_1", LM_FILE_Q5_1, LM_DTYPE_Q5_1},
    {"Q8_0", LM_FILE_Q8_0, LM_DTYPE_Q8_0},
    {"Q2_K", LM_FILE_Q2K, LM_DTYPE_Q2K},
    {"Q2_K_S", LM_FILE_Q2KS, LM_DTYPE_Q2K},
    {"Q3_K_S", LM_FILE_Q3KS, LM_DTYPE_Q3K},
    {"Q3_K_M", LM_FILE_Q3KM, LM_DTYPE_Q3K},
    {"Q3_K_L", LM_FILE_Q3KL, LM_DTYPE_Q3K},
    {"Q4_K_S", LM_FILE_Q4KS, LM_DTYPE_Q4K},
    {"Q4_K_M", LM_FILE_Q4KM, LM_DTYPE_Q4K},
    {"Q5_K_S", LM_FILE_Q5KS, LM_DTYPE_Q5K},
    {"Q5_K_M", LM_FILE_Q5KM, LM_DTYPE_Q5K},
    {"Q6_K", LM_FILE_Q6K, LM_DTYPE_Q6K},
    {"IQ1_S", LM_FILE_IQ1S, LM_DTYPE_IQ1S},
    {"IQ1_M", LM_FILE_IQ1M, LM_DTYPE_IQ1M},
    {"IQ2_XXS", LM_FILE_IQ2XXS, LM_DTYPE_IQ2XXS},
    {"IQ2_XS", LM_FILE_IQ2XS, LM_DTYPE_IQ2XS},
    {"IQ2_S", LM_FILE_IQ2S, LM_DTYPE_IQ2XS},
    {"IQ2_M", LM_FILE_IQ2M, LM_DTYPE_IQ2S},
    {"IQ3_XXS", LM_FILE_IQ3XXS, LM_DTYPE_IQ3XXS},
    {"IQ3_XS", LM_FILE_IQ3XS, LM_DTYPE_IQ3S},
    {"IQ3_S", LM_FILE_IQ3S, LM_DTYPE_IQ3S},
    {"IQ3_M", LM_FILE_IQ3M, LM_DTYPE_IQ3S},
    {"IQ4_NL", LM_FILE_IQ4NL, LM_DTYPE_IQ4NL},
    {"IQ4_XS", LM_FILE_IQ4XS, LM_DTYPE_IQ4XS},
    {"TQ1_0", LM_FILE_TQ1_0, LM_DTYPE_TQ1_0},
    {"TQ2_0", LM_FILE_TQ2_0, LM_DTYPE_TQ2_0},
    {"MXFP4_MOE", LM_FILE_MXFP4_MOE, LM_DTYPE_MXFP4},
    {"Q1_0", LM_FILE_Q1_0, LM_DTYPE_Q1_0},
    {"Q2_0", LM_FILE_Q2_0, LM_DTYPE_Q2_0},
    {"Q3_K", LM_FILE_Q3KM, LM_DTYPE_Q3K},
    {"Q4_K", LM_FILE_Q4KM, LM_DTYPE_Q4K},
    {"Q5_K", LM_FILE_Q5KM, LM_DTYPE_Q5K},
};
enum { N_FILE_TYPES = sizeof file_types / sizeof *file_types };

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

int32_t lm_file_type_by_name(const char *name, size_t n) {
    for (size_t row = 0; row < N_FILE_TYPES; row++) {
        const char *own = file_types[row].name;
        size_t i = 0;
        while (i < n && own[i] && own[i] == upper(name[i])) i++;
        if (i == n && !own[i]) return file_types[row].file_type;
    }
    return -1;
}

static const file_type_row *find_row(int32_t file_type) {
    for (size_t row = 0; row < N_FILE_TYPES; row++)
        if (file_types[row].file_type == file_type) return &file_types[row];
    return NULL;
}

const char *lm_file_type_name(int32_t file_type) {
    const file_type_row *row = find_row(file_type);
    return row ? row->name : NULL;
}

/* ---- names -------------------------------------------------------------------------------------------------------------------- */

static bool contains(const lm_mix_tensor *t, const char *part) {
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= t->name_size; i++)
        if (memcmp(t->name + i, part, n) == 0) return true;
    return false;
}

static bool is(const lm_mix_tensor *t, const char *name) {
    return t->name_size == strlen(name) && memcmp(t->name, name, t->name_size) == 0;
}

/* Significant dimensions: the index of the last one above 1, plus 1. */
static int significant_dims(const lm_mix_tensor *t) {
    for (int i = 3; i > 0; i--)
        if (t->dims[i] > 1) return i + 1;
    return 1;
}

static bool is_quantisable(const lm_mix_tensor *t, const lm_mix_params *p) {
    static const char *const kept[] = {"_norm.weight",
                                       "ffn_gate_inp.weight",
                                       "ffn_gate_tid2eid.weight",
                                       "altup",
                                       "laurel",
                                       "per_layer_model_proj",
                                       "ssm_conv1d",
                                       "shortconv.conv.weight",
                                       "indexer.k_proj.weight",
                                       "indexer.q_proj.weight",
                                       "time_mix_first.weight",
                                       "time_mix_w0.weight",
                                       "time_mix_w1.weight",
                                       "time_mix_w2.weight",
                                       "time_mix_v0.weight",
                                       "time_mix_v1.weight",
                                       "time_mix_v2.weight",
                                       "time_mix_a0.weight",
                                       "time_mix_a1.weight",
                                       "time_mix_a2.weight",
                                       "time_mix_g1.weight",
                                       "time_mix_g2.weight",
                                       "time_mix_decay_w1.weight",
                                       "time_mix_decay_w2.weight",
                                       "time_mix_lerp_fused.weight",
                                       "attn_rel_b.weight",
                                       ".position_embd",
                                       "sam.pos_embd",
                                       "sam.neck.",
                                       "sam.net_",
                                       ".rel_pos",
                                       ".patch_embd",
                                       ".patch_merger",
                                       "a.rvq.codebook",
                                       "mm.a.code_embd"};
    if (significant_dims(t) < 2 || t->name_size < 6 || memcmp(t->name + t->name_size - 6, "weight", 6) != 0)
        return false;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (contains(t, kept[i])) return false;
    if (is(t, "position_embd.weight") || is(t, "token_types.weight")) return false;
    return !(p->keeps_output && is(t, "output.weight"));
}

enum category { OUTPUT, EMBEDDING, QKV, KV_B, ATTN_V, ATTN_K, ATTN_Q, ATTN_OUTPUT, FFN_UP, FFN_GATE, FFN_DOWN, OTHER };

static enum category category_of(const lm_mix_tensor *t) {
    static const struct {
        const char *part;
        enum category category;
    } parts[] = {{"attn_qkv.weight", QKV},  {"attn_kv_b.weight", KV_B}, {"attn_v.weight", ATTN_V},
                 {"attn_k.weight", ATTN_K}, {"attn_q.weight", ATTN_Q},  {"attn_output.weight", ATTN_OUTPUT},
                 {"ffn_up", FFN_UP},        {"ffn_gate", FFN_GATE},     {"ffn_down", FFN_DOWN}};
    if (is(t, "output.weight")) return OUTPUT;
    if (is(t, "token_embd.weight") || is(t, "per_layer_token_embd.weight")) return EMBEDDING;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (contains(t, parts[i].part)) return parts[i].category;
    return OTHER;
}

static bool is_v_like(enum category c) { return c == ATTN_V || c == QKV || c == KV_B; }

/* N of "blk.N.", or -1. */
static int32_t layer_of(const lm_mix_tensor *t) {
    int32_t layer = 0;
    size_t i = 4;
    if (t->name_size < 6 || memcmp(t->name, "blk.", 4) != 0) return -1;
    for (; i < t->name_size && i < 10 && t->name[i] >= '0' && t->name[i] <= '9'; i++)
        layer = layer * 10 + (t->name[i] - '0');
    return i > 4 && i < t->name_size && t->name[i] == '.' ? layer : -1;
}

/* ---- rules -------------------------------------------------------------------------------------------------------------------- */

typedef struct mix {
    const lm_mix_params *p;
    int32_t type; /* default of the file type */
    bool is_tied; /* no output.weight */
    int32_t n_v;  /* V-like tensors */
    int32_t seen_v, seen_up, seen_gate, seen_down;
} mix;

static bool is_very_low(int32_t f) {
    return f == LM_FILE_IQ1S || f == LM_FILE_IQ1M || f == LM_FILE_IQ2XXS || f == LM_FILE_IQ2XS || f == LM_FILE_IQ2S ||
           f == LM_FILE_IQ2M;
}

/* The first and last eighth of n layers, and every third in between. */
static bool gets_more(int32_t l, int32_t n) { return l < n / 8 || l >= 7 * n / 8 || (l - n / 8) % 3 == 2; }

static int32_t output_rule(const mix *m, const lm_mix_tensor *t, enum category c) {
    const lm_mix_params *p = m->p;
    int32_t asked = c == OUTPUT || p->embedding_type < 0 ? p->output_type : p->embedding_type;
    if (asked >= 0) return asked;
    if (p->file_type == LM_FILE_MXFP4_MOE || p->is_falcon || t->dims[0] % lm_dtype_find(m->type)->block_values != 0)
        return LM_DTYPE_Q8_0;
    if (is_very_low(p->file_type) || p->file_type == LM_FILE_IQ3XXS) return LM_DTYPE_Q5K;
    return m->type == LM_DTYPE_Q8_0 ? m->type : LM_DTYPE_Q6K;
}

static int32_t embedding_rule(const mix *m) {
    if (m->p->embedding_type >= 0) return m->p->embedding_type;
    switch (m->p->file_type) {
    case LM_FILE_IQ2XXS:
    case LM_FILE_IQ2XS:
    case LM_FILE_IQ1S:
    case LM_FILE_IQ1M: return LM_DTYPE_Q2K;
    case LM_FILE_IQ2S:
    case LM_FILE_IQ2M:
    case LM_FILE_IQ3XXS: return LM_DTYPE_IQ3S;
    case LM_FILE_TQ1_0:
    case LM_FILE_TQ2_0:
    case LM_FILE_Q2_0: return LM_DTYPE_Q4K;
    default: return m->type;
    }
}

static int32_t very_low_rule(const mix *m, enum category c, int32_t l) {
    const lm_mix_params *p = m->p;
    bool is_s_or_m = p->file_type == LM_FILE_IQ2S || p->file_type == LM_FILE_IQ2M;
    int32_t better = is_s_or_m ? LM_DTYPE_IQ3S : LM_DTYPE_Q2K;
    if (is_v_like(c)) return p->gqa >= 4 || p->n_experts >= 4 ? LM_DTYPE_Q4K : better;
    if (c == ATTN_K && p->n_experts == 8) return LM_DTYPE_Q4K;
    if (c == FFN_DOWN && l < p->n_layers / 8) return better;
    if (c == ATTN_OUTPUT) {
        if (p->n_experts == 8) return LM_DTYPE_Q5K;
        if (p->file_type == LM_FILE_IQ1S || p->file_type == LM_FILE_IQ1M) return LM_DTYPE_IQ2XXS;
        if (is_s_or_m) return LM_DTYPE_IQ3S;
    }
    return m->type;
}

static int32_t v_rule(const mix *m, int32_t l) {
    const lm_mix_params *p = m->p;
    int32_t type = m->type;
    bool is_grouped = p->gqa >= 4;
    switch (p->file_type) {
    case LM_FILE_Q2K: type = is_grouped ? LM_DTYPE_Q4K : LM_DTYPE_Q3K; break;
    case LM_FILE_Q2KS:
    case LM_FILE_IQ3XS:
    case LM_FILE_IQ3S: type = is_grouped ? LM_DTYPE_Q4K : type; break;
    case LM_FILE_IQ3XXS: type = is_grouped ? LM_DTYPE_Q4K : p->has_weights ? LM_DTYPE_IQ3XXS : LM_DTYPE_IQ3S; break;
    case LM_FILE_IQ3M: type = LM_DTYPE_Q4K; break;
    case LM_FILE_Q3KM: type = l < 2 ? LM_DTYPE_Q5K : LM_DTYPE_Q4K; break;
    case LM_FILE_Q3KL: type = LM_DTYPE_Q5K; break;
    case LM_FILE_IQ4NL:
    case LM_FILE_IQ4XS: type = is_grouped ? LM_DTYPE_Q5K : type; break;
    case LM_FILE_Q4KM:
    case LM_FILE_Q5KM: type = gets_more(l, m->n_v) ? LM_DTYPE_Q6K : type; break;
    case LM_FILE_Q4KS: type = l < 4 ? LM_DTYPE_Q5K : type; break;
    default: break;
    }
    if (p->is_70b && (type == LM_DTYPE_Q3K || type == LM_DTYPE_Q4K)) type = LM_DTYPE_Q5K;
    return p->n_experts == 8 ? LM_DTYPE_Q8_0 : type;
}

static int32_t down_rule(const mix *m, int32_t l) {
    const lm_mix_params *p = m->p;
    int32_t n = p->n_layers;
    bool is_first = l < n / 8, more = gets_more(l, n);
    switch (p->file_type) {
    case LM_FILE_Q2K: return LM_DTYPE_Q3K;
    case LM_FILE_Q2KS: return is_first ? LM_DTYPE_Q4K : m->type;
    case LM_FILE_IQ3XXS:
        if (p->has_weights) return m->type;
        return is_first ? LM_DTYPE_Q4K : LM_DTYPE_Q3K;
    case LM_FILE_Q3KM:
        if (l < n / 16) return LM_DTYPE_Q5K;
        return !p->is_falcon || more ? LM_DTYPE_Q4K : LM_DTYPE_Q3K;
    case LM_FILE_IQ3M: return is_first || (p->n_experts == 8 && more) ? LM_DTYPE_Q4K : m->type;
    case LM_FILE_Q3KL: return p->is_falcon ? LM_DTYPE_Q4K : LM_DTYPE_Q5K;
    case LM_FILE_Q4KM:
        if (p->is_falcon) return l < n / 16 ? LM_DTYPE_Q6K : more ? LM_DTYPE_Q5K : LM_DTYPE_Q4K;
        return more ? LM_DTYPE_Q6K : m->type;
    case LM_FILE_IQ4NL:
    case LM_FILE_IQ4XS: return is_first && !p->has_weights ? LM_DTYPE_Q5K : m->type;
    case LM_FILE_Q5KM: return more ? LM_DTYPE_Q6K : m->type;
    case LM_FILE_Q4KS: return is_first && !p->is_falcon ? LM_DTYPE_Q5K : m->type;
    case LM_FILE_Q4_0: return is_first && p->has_weights ? LM_DTYPE_Q4_1 : m->type;
    case LM_FILE_Q5_0: return is_first && p->has_weights ? LM_DTYPE_Q5_1 : m->type;
    default: return m->type;
    }
}

static int32_t attn_output_rule(const mix *m) {
    int32_t f = m->p->file_type;
    if (m->p->is_falcon) return f == LM_FILE_Q3KL ? LM_DTYPE_Q4K : m->type;
    if (m->p->n_experts == 8) {
        static const int32_t raised[] = {LM_FILE_Q2K,  LM_FILE_IQ3XS, LM_FILE_IQ3XXS, LM_FILE_Q3KS,
                                         LM_FILE_Q3KM, LM_FILE_IQ4NL, LM_FILE_Q4KS,   LM_FILE_Q4KM,
                                         LM_FILE_IQ3S, LM_FILE_IQ3M,  LM_FILE_IQ4XS};
        for (size_t i = 0; i < sizeof raised / sizeof *raised; i++)
            if (f == raised[i]) return LM_DTYPE_Q5K;
        return m->type;
    }
    switch (f) {
    case LM_FILE_Q2K: return LM_DTYPE_Q3K;
    case LM_FILE_IQ3XXS: return LM_DTYPE_IQ3S;
    case LM_FILE_Q3KM:
    case LM_FILE_IQ3M: return LM_DTYPE_Q4K;
    case LM_FILE_Q3KL: return LM_DTYPE_Q5K;
    default: return m->type;
    }
}

static int32_t apply_rules(mix *m, const lm_mix_tensor *t) {
    const lm_mix_params *p = m->p;
    enum category c = category_of(t);
    int32_t *counter = is_v_like(c)    ? &m->seen_v
                       : c == FFN_UP   ? &m->seen_up
                       : c == FFN_GATE ? &m->seen_gate
                       : c == FFN_DOWN ? &m->seen_down
                                       : NULL;
    int32_t l = counter ? (*counter)++ : 0, n = p->n_layers, f = p->file_type;
    if (p->n_experts > 1 && counter && !is_v_like(c)) l = layer_of(t) < 0 ? 0 : layer_of(t);
    if (c == OUTPUT || (c == EMBEDDING && m->is_tied)) return output_rule(m, t, c);
    if (f == LM_FILE_MXFP4_MOE) return t->dims[2] > 1 ? LM_DTYPE_MXFP4 : LM_DTYPE_Q8_0;
    if (c == EMBEDDING) return embedding_rule(m);
    if (is_very_low(f)) return very_low_rule(m, c, l);
    if (is_v_like(c)) return v_rule(m, l);
    if (c == ATTN_K && p->n_experts == 8) return LM_DTYPE_Q8_0;
    if (c == ATTN_K || c == ATTN_Q)
        return f == LM_FILE_IQ3XS ? LM_DTYPE_IQ3XXS : f == LM_FILE_IQ3XXS ? LM_DTYPE_IQ2S : m->type;
    if (c == FFN_DOWN) return down_rule(m, l);
    if (c == ATTN_OUTPUT) return attn_output_rule(m);
    if ((c == FFN_GATE || c == FFN_UP) && f == LM_FILE_IQ3XS && l >= n / 8 && l < 7 * n / 8) return LM_DTYPE_IQ3XXS;
    return m->type;
}

/* What stands in for a type whose block does not divide the row; -1 when nothing does. */
static int32_t substitute(int32_t type) {
    switch (type) {
    case LM_DTYPE_IQ1S:
    case LM_DTYPE_IQ1M:
    case LM_DTYPE_IQ2XXS:
    case LM_DTYPE_IQ2XS:
    case LM_DTYPE_IQ2S:
    case LM_DTYPE_IQ3XXS:
    case LM_DTYPE_IQ3S:
    case LM_DTYPE_IQ4XS: return LM_DTYPE_IQ4NL;
    case LM_DTYPE_Q2_0:
    case LM_DTYPE_Q2K:
    case LM_DTYPE_Q3K:
    case LM_DTYPE_TQ1_0:
    case LM_DTYPE_TQ2_0: return LM_DTYPE_Q4_0;
    case LM_DTYPE_Q4K: return LM_DTYPE_Q5_0;
    case LM_DTYPE_Q5K: return LM_DTYPE_Q5_1;
    case LM_DTYPE_Q6K: return LM_DTYPE_Q8_0;
    default: return -1;
    }
}

static bool divides(int32_t type, int64_t row) {
    const lm_dtype_info *info = lm_dtype_find(type);
    return info && row % info->block_values == 0;
}

/* ---- order -------------------------------------------------------------------------------------------------------------------- */

static bool comes_first(const lm_mix_tensor *a, const lm_mix_tensor *b) {
    int32_t layer_a = layer_of(a), layer_b = layer_of(b);
    if (layer_a != layer_b) return layer_a < layer_b;
    size_t n = a->name_size < b->name_size ? a->name_size : b->name_size;
    int order = n ? memcmp(a->name, b->name, n) : 0;
    return order != 0 ? order < 0 : a->name_size <= b->name_size;
}

/* Merge sort of positions: n log n for any names. */
static uint32_t *sort(const lm_mix_tensor *tensors, uint32_t *order, uint32_t *spare, size_t n) {
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width) {
            size_t middle = start + width < n ? start + width : n, end = start + 2 * width < n ? start + 2 * width : n;
            size_t a = start, b = middle;
            for (size_t i = start; i < end; i++)
                spare[i] = b == end || (a < middle && comes_first(&tensors[order[a]], &tensors[order[b]])) ? order[a++]
                                                                                                           : order[b++];
        }
        uint32_t *sorted = spare;
        spare = order;
        order = sorted;
    }
    return order;
}

lm_status lm_mix_choose(const lm_env *env, const lm_mix_params *params, const lm_mix_tensor *tensors, size_t n,
                        int32_t *types) {
    const file_type_row *row = find_row(params->file_type);
    if (!row || n > UINT32_MAX) return LM_ERR_ARGUMENT;
    lm_status status = LM_ERR_MEMORY;
    uint32_t *order = lm_alloc_array(env, n, sizeof *order), *spare = lm_alloc_array(env, n, sizeof *spare);
    if (!order || !spare) goto out;
    const uint32_t *sorted = sort(tensors, order, spare, n);
    mix m = {.p = params, .type = row->dtype, .is_tied = true};
    bool has_rules = lm_dtype_find(row->dtype)->class == LM_DTYPE_CLASS_QUANTISED && !params->is_pure;
    for (size_t i = 0; i < n; i++) {
        if (is(&tensors[i], "output.weight")) m.is_tied = false;
        if (is_quantisable(&tensors[i], params) && is_v_like(category_of(&tensors[i]))) m.n_v++;
    }
    status = LM_OK;
    for (size_t i = 0; i < n && status == LM_OK; i++) {
        const lm_mix_tensor *t = &tensors[sorted[i]];
        int32_t type = t->dtype;
        if (is_quantisable(t, params)) {
            enum category c = category_of(t);
            type = has_rules ? apply_rules(&m, t) : m.type;
            if (!has_rules && c == OUTPUT && params->output_type >= 0) type = params->output_type;
            if (!has_rules && c == EMBEDDING && params->embedding_type >= 0) type = params->embedding_type;
            if (!divides(type, t->dims[0])) {
                type = substitute(type);
                if (type < 0)
                    status = LM_ERR_UNSUPPORTED;
                else if (!divides(type, t->dims[0]))
                    type = LM_DTYPE_F16;
            }
        }
        types[sorted[i]] = type;
    }
out:
    lm_free(env, order, n * sizeof *order);
    lm_free(env, spare, n * sizeof *spare);
    return status;
}

bool lm_mix_needs_weights(const lm_mix_params *params, const lm_mix_tensor *tensor, int32_t type) {
    enum category c = category_of(tensor);
    if (type == LM_DTYPE_IQ2XXS || type == LM_DTYPE_IQ2XS || type == LM_DTYPE_IQ1S) return true;
    if (c == OUTPUT || c == EMBEDDING) return false;
    return type == LM_DTYPE_IQ3XXS || type == LM_DTYPE_IQ2S || type == LM_DTYPE_IQ1M ||
           (type == LM_DTYPE_Q2K && params->file_type == LM_FILE_Q2KS);
}
