/* SPDX-License-Identifier: MIT
 * The programs of the conformance suite: one function per operation, a list of what each is called with. */
#include "conformance.h"

#include "../../lib/tensor/dtype.h"

#define WIDE 256 /* holds a block of every type */

/* Inputs of a matrix: a block at least, not more than that of plain floats, whose reference is slow. */
static int32_t wide(int32_t dtype) {
    const lm_dtype_info *info = lm_dtype_find(dtype);
    return info && info->block_values == 1 ? 72 : WIDE;
}

static int32_t embed(conformance_maker *m, const conformance_case *c) {
    int32_t table = conformance_weight(m, c->a, WIDE, CONFORMANCE_POSITIONS, 1);
    return table < 0 ? -1 : lm_graph_embed(&m->graph, table, c->c ? 1.5f : 1, c->b, 3);
}

static int32_t norm(conformance_maker *m, const conformance_case *c) {
    int32_t group = c->b ? 40 : 0, n = c->b ? 40 : 200;
    return lm_graph_norm(&m->graph, c->a, conformance_input(m, 200), c->c ? conformance_vector(m, n, 0.5f, 2) : -1,
                         c->c > 1 ? conformance_vector(m, n, -1, 1) : -1, 1e-5f, group);
}

/* a: type, b: 0 plain, 1 with bias, scale and residual, 2 three matrices, 3 of three types whose activations differ */
static int32_t linear(conformance_maker *m, const conformance_case *c) {
    int32_t n_in = c->b == 3 ? 512 : wide(c->a);
    const int32_t types[] = {c->a, c->b == 3 ? LM_DTYPE_Q8_0 : LM_DTYPE_F32, c->b == 3 ? LM_DTYPE_IQ4XS : c->a};
    lm_graph *g = &m->graph;
    int32_t x = conformance_input(m, n_in), n = c->b >= 2 ? 3 : 1, y[3];
    lm_graph_matrix matrices[3];
    for (int32_t i = 0; i < n; i++) {
        matrices[i] = (lm_graph_matrix){conformance_weight(m, types[i], n_in, 19 + 16 * i, 1), -1, -1};
        if (matrices[i].w < 0) return -1;
    }
    if (c->b == 1)
        return lm_graph_linear(g, x, matrices[0].w, conformance_vector(m, 19, -1, 1), conformance_vector(m, 1, 0.5f, 2),
                               conformance_input(m, 19));
    lm_graph_linears(g, x, matrices, n, y);
    return n == 1 ? y[0] : lm_graph_concat(g, lm_graph_concat(g, y[0], 19, y[1], 35), 54, y[2], 51);
}

/* a: adjacent pairs, b: 0 plain, 1 divisors, 2 YaRN, 3 temperature; c: first */
static int32_t rotate(conformance_maker *m, const conformance_case *c) {
    lm_graph *g = &m->graph;
    lm_rope rope = {.n_rot = 24, .adjacent = c->a, .factors = -1, .base = 10000, .freq_scale = 1, .magnitude = 1};
    if (c->b == 1) rope.factors = conformance_vector(m, 12, 1, 8);
    if (c->b == 2) rope.low = 3, rope.high = 9, rope.freq_scale = 0.25, rope.ext_factor = 1, rope.magnitude = 1.13;
    return lm_graph_rotate(g, conformance_input(m, 4 * 40), lm_graph_rope(g, &rope), 40, c->c, c->b == 3 ? 0.1f : 0,
                           c->b == 3 ? 16 : 0);
}

/* a, b: cache types; c: variant */
static int32_t attend(conformance_maker *m, const conformance_case *c) {
    lm_graph *g = &m->graph;
    enum { CAUSAL, WINDOW, SINKS, SOFTCAP, LATENT, BOTH_WAYS, BOTH_WAYS_WINDOW };
    int32_t window = c->c == WINDOW ? 21 : c->c == BOTH_WAYS_WINDOW ? 16 : 0, n_kv = c->c == LATENT ? 1 : 2;
    lm_cache_layer layer = {.group = lm_graph_cache_group(g, 0),
                            .n_heads_kv = n_kv,
                            .k_width = 64,
                            .v_width = c->c == LATENT ? 0 : 32,
                            .k_type = c->a,
                            .v_type = c->b};
    int32_t cache = lm_graph_cache_layer(g, &layer);
    lm_graph_cache_store(g, cache, conformance_input(m, n_kv * 64),
                         c->c == LATENT ? -1 : conformance_input(m, n_kv * 32));
    return lm_graph_attend(g, conformance_input(m, 6 * 64), cache, c->c == SINKS ? conformance_vector(m, 6, -2, 2) : -1,
                           6, c->c == LATENT ? 48 : 32, 0.125f, window, c->c == SOFTCAP ? 5.0f : 0, c->c < BOTH_WAYS);
}

/* b: 0 plain, 1 residual, 2 fused, 3 one gate for the row */
static int32_t glu(conformance_maker *m, const conformance_case *c) {
    lm_graph *g = &m->graph;
    if (c->b == 2) return lm_graph_glu_fused(g, c->a, conformance_input(m, 2 * 77));
    return lm_graph_glu(g, c->a, conformance_input(m, c->b == 3 ? 1 : 77), conformance_input(m, 77),
                        c->b == 1 ? conformance_input(m, 77) : -1);
}

static int32_t act(conformance_maker *m, const conformance_case *c) {
    return lm_graph_act(&m->graph, c->a, conformance_input(m, 77));
}

static int32_t short_conv(conformance_maker *m, const conformance_case *c) {
    int32_t state = lm_graph_state_layer(&m->graph, (int64_t)(c->a - 1) * c->b);
    return lm_graph_short_conv(&m->graph, conformance_input(m, c->b), conformance_vector(m, c->a * c->b, -1, 1), c->a,
                               c->c, state);
}

/* a: key heads, b: value heads, c: grouped */
static int32_t delta_rule(conformance_maker *m, const conformance_case *c) {
    lm_graph *g = &m->graph;
    int32_t dk = 32, dv = 48, state = lm_graph_state_layer(g, (int64_t)c->b * dk * dv);
    return lm_graph_delta_rule(g, conformance_input(m, 2 * c->a * dk + c->b * dv), conformance_input(m, c->b),
                               conformance_input(m, c->b), conformance_vector(m, c->b, -2, -0.1f),
                               conformance_vector(m, c->b, -1, 1), state, c->a, c->b, dk, dv, c->c, 1e-6f);
}

static int32_t two(conformance_maker *m, int32_t a, int32_t b) {
    return lm_graph_concat(&m->graph, a, lm_graph_width(&m->graph, a), b, lm_graph_width(&m->graph, b));
}

/* a: gating, b: with bias and groups, c: normalised */
static int32_t route(conformance_maker *m, const conformance_case *c) {
    int32_t ids, weights;
    lm_graph_route(&m->graph, conformance_input(m, 24), c->b ? conformance_vector(m, 24, -0.2f, 0.2f) : -1, c->a, 5,
                   c->b ? 4 : 0, c->b ? 2 : 0, c->c, c->c ? 2.5f : 1, &ids, &weights);
    return two(m, ids, weights);
}

/* a: type, b: 0 gate and up, 1 in one matrix, 2 no gate; c: with biases, scales and residual */
static int32_t experts(conformance_maker *m, const conformance_case *c) {
    int32_t n_in = wide(c->a);
    lm_graph *g = &m->graph;
    int32_t n = 6, x = conformance_input(m, n_in), ids, weights;
    lm_graph_experts_weights w = {-1, -1, -1, -1, -1, -1, -1, -1, -1, c->b == 2};
    lm_graph_route(g, conformance_input(m, n), -1, LM_GATING_SOFTMAX, 2, 0, 0, 1, 1, &ids, &weights);
    w.gate = conformance_weight(m, c->a, n_in, c->b == 1 ? 2 * n_in : n_in, n);
    if (!c->b) w.up = conformance_weight(m, c->a, n_in, n_in, n);
    w.down = conformance_weight(m, c->a, n_in, n_in, n);
    if (w.gate < 0 || w.down < 0) return -1;
    if (c->c) {
        w.gate_bias = conformance_vector(m, (int64_t)(c->b == 1 ? 2 : 1) * n_in * n, -1, 1);
        if (!c->b) w.up_bias = conformance_vector(m, n_in * n, -1, 1);
        w.down_bias = conformance_vector(m, n_in * n, -1, 1);
        w.gate_scale = conformance_vector(m, n, 0.5f, 2);
        if (!c->b) w.up_scale = conformance_vector(m, n, 0.5f, 2);
        w.down_scale = conformance_vector(m, n, 0.5f, 2);
    }
    return lm_graph_experts(g, x, ids, weights, &w, c->b == 1 ? LM_ACTIVATION_OAI : LM_ACTIVATION_SILU, n_in,
                            c->c ? conformance_input(m, n_in) : -1);
}

/* a: type, b: 0 one input for all choices, 1 one for each; c: 0 rows apart, 1 their weighted sum with bias, scale and residual */
static int32_t expert_linear(conformance_maker *m, const conformance_case *c) {
    int32_t n_in = wide(c->a), n_out = 83, n = 6, ids, weights;
    int32_t x = conformance_input(m, c->b ? 3 * n_in : n_in);
    lm_graph_route(&m->graph, conformance_input(m, n), -1, LM_GATING_SOFTMAX, 3, 0, 0, 1, 1, &ids, &weights);
    lm_graph_matrix w = {conformance_weight(m, c->a, n_in, n_out, n), -1, -1};
    if (w.w < 0) return -1;
    if (!c->c) return lm_graph_expert_linear(&m->graph, x, ids, -1, &w, 1, -1);
    w.b = conformance_vector(m, n_out * n, -1, 1);
    w.scale = conformance_vector(m, n, 0.5f, 2);
    return lm_graph_expert_linear(&m->graph, x, ids, weights, &w, 0.75f, conformance_input(m, n_out));
}

static int32_t scale(conformance_maker *m, const conformance_case *c) {
    int32_t w = c->a ? conformance_vector(m, c->a == 1 ? 1 : 77, 0.5f, 2) : -1;
    return lm_graph_scale(&m->graph, conformance_input(m, 77), w, c->b ? 1.25f : 1);
}

static int32_t add(conformance_maker *m, const conformance_case *c) {
    return lm_graph_add(&m->graph, conformance_input(m, 77), c->a ? conformance_input(m, 77) : -1,
                        c->b ? conformance_vector(m, 77, -1, 1) : -1);
}

static int32_t softcap(conformance_maker *m, const conformance_case *c) {
    (void)c;
    return lm_graph_softcap(&m->graph, conformance_input(m, 77), 0.7f);
}

static int32_t gather(conformance_maker *m, const conformance_case *c) {
    (void)c;
    return lm_graph_gather(&m->graph, conformance_input(m, 77));
}

static int32_t slice(conformance_maker *m, const conformance_case *c) {
    return lm_graph_slice(&m->graph, conformance_input(m, 120), 40, c->a, c->b);
}

static int32_t concat(conformance_maker *m, const conformance_case *c) {
    return lm_graph_concat(&m->graph, conformance_input(m, 120), c->a, conformance_input(m, c->c), c->b);
}

/* a: type, b: transposed; every head has 30 rows, of which 24 are used; c: the same ones for all heads */
static int32_t head_linear(conformance_maker *m, const conformance_case *c) {
    int32_t n_in = wide(c->a);
    int32_t w = conformance_weight(m, c->a, n_in, 30, 3);
    lm_graph_heads heads = {.n_heads = 3,
                            .n_in = c->b ? 24 : n_in,
                            .n_out = c->b ? n_in : 24,
                            .stride = c->c ? 0 : 30,
                            .first = 5,
                            .transposed = c->b};
    return w < 0 ? -1 : lm_graph_head_linear(&m->graph, conformance_input(m, 3 * heads.n_in), w, &heads);
}

/* b: the streams come as one input, or as the result of another operation */
static int32_t streams(conformance_maker *m, const conformance_case *c, int32_t n, int32_t width) {
    int32_t x = conformance_input(m, n * width);
    return c->b ? lm_graph_scale(&m->graph, x, conformance_vector(m, n * width, 0.5f, 2), 1) : x;
}

/* a: streams, c: floats of one */
static int32_t mix(conformance_maker *m, const conformance_case *c) {
    int32_t x = streams(m, c, c->a, c->c);
    return lm_graph_mix(&m->graph, x, conformance_input(m, c->a * c->a), c->a);
}

static int32_t rescale(conformance_maker *m, const conformance_case *c) {
    int32_t x = streams(m, c, c->a, c->c);
    return lm_graph_rescale(&m->graph, x, conformance_input(m, c->c));
}

/* a: of the factors below, c: width */
static int32_t sparsify(conformance_maker *m, const conformance_case *c) {
    static const float factors[] = {-1, 0, 0.4f, 1.6448536f, 40};
    return lm_graph_sparsify(&m->graph, conformance_input(m, c->c), factors[c->a]);
}

/* Without b there are no coefficients. */
static int32_t spread(conformance_maker *m, const conformance_case *c) {
    int32_t x = conformance_input(m, c->c), coefficients = c->b ? conformance_input(m, c->a) : -1;
    return lm_graph_spread(&m->graph, x, coefficients, conformance_input(m, c->a * c->c), c->a);
}

static int32_t shift(conformance_maker *m, const conformance_case *c) {
    return lm_graph_shift(&m->graph, conformance_input(m, c->c), lm_graph_state_layer(&m->graph, c->c));
}

static int32_t pool(conformance_maker *m, const conformance_case *c) {
    return lm_graph_pool(&m->graph, conformance_input(m, 77), c->a, c->b);
}

#define F32 LM_DTYPE_F32
static const conformance_case plain[] = {
    {LM_OP_EMBED, F32, LM_EMBED_POSITION, 1, embed},
    {LM_OP_EMBED, F32, LM_EMBED_CONSTANT, 1, embed},
    {LM_OP_NORM, LM_NORM_RMS, 0, 1, norm},
    {LM_OP_NORM, LM_NORM_RMS, 0, 2, norm},
    {LM_OP_NORM, LM_NORM_RMS, 1, 1, norm},
    {LM_OP_NORM, LM_NORM_RMS, 1, 0, norm},
    {LM_OP_NORM, LM_NORM_LAYER, 0, 2, norm},
    {LM_OP_NORM, LM_NORM_LAYER, 1, 1, norm},
    {LM_OP_NORM, LM_NORM_L2, 0, 0, norm},
    {LM_OP_NORM, LM_NORM_L2, 1, 1, norm},
    {LM_OP_ROPE, 0, 0, 0, rotate},
    {LM_OP_ROPE, 1, 0, 16, rotate},
    {LM_OP_ROPE, 0, 1, 7, rotate},
    {LM_OP_ROPE, 1, 2, 0, rotate},
    {LM_OP_ROPE, 0, 3, 0, rotate},
    {LM_OP_SHORT_CONV, 4, 100, LM_ACTIVATION_SILU, short_conv},
    {LM_OP_SHORT_CONV, 3, 600, LM_ACTIVATION_NONE, short_conv},
    {LM_OP_SHORT_CONV, 1, 5, LM_ACTIVATION_NONE, short_conv},
    {LM_OP_DELTA_RULE, 2, 4, 0, delta_rule},
    {LM_OP_DELTA_RULE, 2, 4, 1, delta_rule},
    {LM_OP_DELTA_RULE, 3, 3, 1, delta_rule},
    {LM_OP_ROUTE, LM_GATING_SOFTMAX, 0, 0, route},
    {LM_OP_ROUTE, LM_GATING_SOFTMAX, 1, 1, route},
    {LM_OP_ROUTE, LM_GATING_SIGMOID, 1, 1, route},
    {LM_OP_ROUTE, LM_GATING_SOFTMAX_USED, 0, 0, route},
    {LM_OP_ROUTE, LM_GATING_SQRT_SOFTPLUS, 1, 1, route},
    {LM_OP_SCALE, 0, 1, 0, scale},
    {LM_OP_SCALE, 1, 1, 0, scale},
    {LM_OP_SCALE, 2, 0, 0, scale},
    {LM_OP_SCALE, 2, 1, 0, scale},
    {LM_OP_ADD, 1, 0, 0, add},
    {LM_OP_ADD, 0, 1, 0, add},
    {LM_OP_ADD, 1, 1, 0, add},
    {LM_OP_ADD, 0, 0, 0, add},
    {LM_OP_SOFTCAP, 0, 0, 0, softcap},
    {LM_OP_GATHER, 0, 0, 0, gather},
    {LM_OP_SLICE, 0, 40, 0, slice},
    {LM_OP_SLICE, 7, 11, 0, slice},
    {LM_OP_CONCAT, 40, 2, 6, concat},
    {LM_OP_CONCAT, 120, 7, 7, concat},
    {LM_OP_MIX, 4, 0, 40, mix},
    {LM_OP_MIX, 3, 1, 77, mix},
    {LM_OP_MIX, 1, 0, 16, mix},
    {LM_OP_RESCALE, 4, 0, 40, rescale},
    {LM_OP_RESCALE, 1, 1, 77, rescale},
    {LM_OP_SPARSIFY, 0, 0, 77, sparsify},
    {LM_OP_SPARSIFY, 1, 0, 2, sparsify},
    {LM_OP_SPARSIFY, 2, 0, 64, sparsify},
    {LM_OP_SPARSIFY, 3, 0, 200, sparsify},
    {LM_OP_SPARSIFY, 4, 0, 77, sparsify},
    {LM_OP_SHIFT, 0, 0, 77, shift},
    {LM_OP_SHIFT, 0, 0, 1, shift},
    {LM_OP_SPREAD, 4, 0, 40, spread},
    {LM_OP_SPREAD, 4, 1, 40, spread},
    {LM_OP_SPREAD, 1, 1, 77, spread},
    {LM_OP_POOL, LM_POOLING_MEAN, 0, 0, pool},
    {LM_OP_POOL, LM_POOLING_MEAN, 1, 0, pool},
    {LM_OP_POOL, LM_POOLING_CLS, 0, 0, pool},
    {LM_OP_POOL, LM_POOLING_LAST, 1, 0, pool},
};

static const int32_t cache_types[] = {LM_DTYPE_F16, LM_DTYPE_F32, LM_DTYPE_BF16, LM_DTYPE_Q8_0, LM_DTYPE_Q4_0};

/* Families of programs: n numbers each, made into a case by the functions of `at`. */
static bool of_attend(int32_t i, bool thorough, conformance_case *out) {
    int32_t n_types = thorough ? 25 : 5;
    if (i >= n_types * 7) return false;
    int32_t type = thorough ? i / 7 : i / 7 * 6; /* else: the same type twice */
    *out = (conformance_case){i % 2 ? LM_OP_ATTEND : LM_OP_CACHE_STORE, cache_types[type / 5], cache_types[type % 5],
                              i % 7, attend};
    return true;
}

static bool of_acts(int32_t i, bool thorough, conformance_case *out) {
    (void)thorough;
    if (i >= 10 * 5) return false;
    *out = (conformance_case){LM_OP_GLU, i / 5, i % 5, 0, glu};
    if (i % 5 == 3 && i / 5 == LM_ACTIVATION_OAI) out->b = 0; /* one gate for the row: not with this act */
    if (i % 5 == 4) *out = (conformance_case){LM_OP_ACT, i / 5 == LM_ACTIVATION_OAI ? 0 : i / 5, 0, 0, act};
    return true;
}

static bool of_types(int32_t i, bool thorough, conformance_case *out) {
    static const int32_t few[] = {LM_DTYPE_F32, LM_DTYPE_F16, LM_DTYPE_Q8_0, LM_DTYPE_Q4K};
    static const conformance_case each[] = {
        {LM_OP_EMBED, 0, LM_EMBED_TOKEN, 1, embed},
        {LM_OP_LINEAR, 0, 0, 0, linear},
        {LM_OP_LINEAR, 0, 1, 0, linear},
        {LM_OP_LINEAR, 0, 2, 0, linear},
        {LM_OP_LINEAR, 0, 3, 0, linear},
        {LM_OP_EXPERTS, 0, 0, 0, experts},
        {LM_OP_EXPERTS, 0, 1, 1, experts},
        {LM_OP_EXPERTS, 0, 2, 1, experts},
        {LM_OP_EXPERT_LINEAR, 0, 0, 0, expert_linear},
        {LM_OP_EXPERT_LINEAR, 0, 0, 1, expert_linear},
        {LM_OP_EXPERT_LINEAR, 0, 1, 0, expert_linear},
        {LM_OP_EXPERT_LINEAR, 0, 1, 1, expert_linear},
        {LM_OP_HEAD_LINEAR, 0, 0, 0, head_linear},
        {LM_OP_HEAD_LINEAR, 0, 1, 0, head_linear},
        {LM_OP_HEAD_LINEAR, 0, 0, 1, head_linear},
        {LM_OP_HEAD_LINEAR, 0, 1, 1, head_linear},
    };
    const int32_t n = (int32_t)(sizeof each / sizeof *each);
    if (i >= n * (thorough ? LM_DTYPE_COUNT : 4)) return false;
    *out = each[i % n];
    out->a = thorough ? i / n : few[i / n];
    return true;
}

bool conformance_case_at(int32_t number, bool thorough, conformance_case *out) {
    int32_t n_plain = (int32_t)(sizeof plain / sizeof *plain);
    if (number < n_plain) {
        *out = plain[number];
        return true;
    }
    number -= n_plain;
    static bool (*const families[])(int32_t, bool, conformance_case *) = {of_attend, of_acts, of_types};
    for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
        if (families[f](number, thorough, out)) return true;
        conformance_case last;
        int32_t n = number; /* how many this family has */
        while (n > 0 && !families[f](n - 1, thorough, &last)) n--;
        number -= n;
    }
    return false;
}
