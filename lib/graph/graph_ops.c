/* SPDX-License-Identifier: MIT
 * One constructor per operation: checks the widths of its operands against the weights, so that a program that was built
 * cannot read outside a row, whatever the file said. */

#include "graph.h"

static const lm_op blank = {
    .in = {-1, -1, -1, -1}, .out = {-1, -1, -1, -1}, .weight = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}};

/* An operation without operands but this first one. */
static lm_op begin(int32_t kind, int32_t in) {
    lm_op op = blank;
    op.kind = kind;
    op.in[0] = in;
    return op;
}

static int32_t domain_of(const lm_graph *graph, int32_t value) {
    return value >= 0 ? graph->values.data[value].domain : LM_DOMAIN_TOKENS;
}

static int32_t new_value(lm_graph *graph, int64_t width, int32_t domain) {
    if (graph->status != LM_OK) return -1;
    if (width <= 0 || width > INT32_MAX / 8)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "a layer is %lld values wide", (long long)width);
    lm_value value = {.width = (int32_t)width, .domain = domain};
    if (!lm_array_push(graph->env, &graph->values, value))
        return lm_graph_fail(graph, LM_ERR_MEMORY, "out of memory while building the program");
    return (int32_t)graph->values.count - 1;
}

/* Append op with one new output of this width in the domain of its first input; returns the output. */
static int32_t append(lm_graph *graph, lm_op *op, int64_t width, int32_t domain) {
    if (graph->status != LM_OK) return -1;
    if (width) op->out[0] = new_value(graph, width, domain);
    op->layer = graph->layer;
    if (graph->status == LM_OK && !lm_array_push(graph->env, &graph->ops, *op))
        lm_graph_fail(graph, LM_ERR_MEMORY, "out of memory while building the program");
    return graph->status == LM_OK ? op->out[0] : -1;
}

static const lm_tensor *tensor_at(const lm_graph *graph, int32_t tensor) { return &graph->tensors.data[tensor]; }

static int64_t element_count(const lm_tensor *t) { return t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3]; }

/* Fail when a width is not what the operation needs. */
static void expect(lm_graph *graph, const char *what, int64_t found, int64_t wanted) {
    if (graph->status == LM_OK && found != wanted)
        lm_graph_fail(graph, LM_ERR_FORMAT, "%s in block %d is %lld wide, expected %lld", what, graph->layer,
                      (long long)found, (long long)wanted);
}

static void expect_vector(lm_graph *graph, int32_t tensor, int64_t wanted) {
    if (graph->status == LM_OK && tensor >= 0 && element_count(tensor_at(graph, tensor)) != wanted)
        lm_graph_fail(graph, LM_ERR_FORMAT, "tensor %s: %lld values, expected %lld", tensor_at(graph, tensor)->name,
                      (long long)element_count(tensor_at(graph, tensor)), (long long)wanted);
}

static void expect_state(lm_graph *graph, int32_t state, int64_t wanted) {
    if (graph->status == LM_OK) expect(graph, "a recurrent state", graph->state_layers.data[state].n_floats, wanted);
}

/* Experts that the operation behind ids chooses from. */
static int64_t choices(const lm_graph *graph, int32_t ids) {
    for (size_t o = graph->ops.count; o-- > 0;)
        if (graph->ops.data[o].kind == LM_OP_ROUTE && graph->ops.data[o].out[0] == ids)
            return graph->ops.data[o].params.route.n_experts;
    return 0;
}

int32_t lm_graph_embed(lm_graph *graph, int32_t table, float scale, int32_t source, int32_t row) {
    if (graph->status != LM_OK) return -1;
    if (source == LM_EMBED_CONSTANT && (row < 0 || row >= tensor_at(graph, table)->ne[1]))
        return lm_graph_fail(graph, LM_ERR_FORMAT, "tensor %s has no row %d", tensor_at(graph, table)->name, row);
    lm_op op = begin(LM_OP_EMBED, -1);
    op.weight[0] = table;
    op.params.embed.scale = scale;
    op.params.embed.source = source;
    op.params.embed.row = row;
    return append(graph, &op, tensor_at(graph, table)->ne[0], LM_DOMAIN_TOKENS);
}

int32_t lm_graph_norm(lm_graph *graph, int32_t kind, int32_t x, int32_t w, int32_t b, float eps, int32_t group) {
    if (graph->status != LM_OK) return -1;
    int32_t width = lm_graph_width(graph, x);
    lm_op op = begin(LM_OP_NORM, x);
    op.weight[0] = w;
    op.weight[1] = b;
    op.params.norm.eps = eps;
    op.params.norm.kind = kind;
    op.params.norm.group = group > 0 ? group : width;
    expect_vector(graph, w, op.params.norm.group);
    expect_vector(graph, b, op.params.norm.group);
    if (width % op.params.norm.group)
        lm_graph_fail(graph, LM_ERR_FORMAT, "a norm of %d values over a width of %d", group, width);
    return append(graph, &op, width, domain_of(graph, x));
}

void lm_graph_linears(lm_graph *graph, int32_t x, const lm_graph_matrix *matrices, int32_t n, int32_t *y) {
    for (int32_t i = 0; i < n; i++) y[i] = -1;
    if (graph->status != LM_OK) return;
    lm_op op = begin(LM_OP_LINEAR, x);
    op.params.linear.n = n;
    op.params.linear.scale = 1;
    for (int32_t i = 0; i < n; i++) {
        const lm_tensor *w = tensor_at(graph, matrices[i].w);
        expect(graph, w->name, w->ne[0], lm_graph_width(graph, x));
        op.weight[3 * i] = matrices[i].w;
        op.weight[3 * i + 1] = matrices[i].b;
        op.weight[3 * i + 2] = matrices[i].scale;
        expect_vector(graph, matrices[i].b, w->ne[1] * w->ne[2] * w->ne[3]);
        expect_vector(graph, matrices[i].scale, 1);
        op.out[i] = new_value(graph, w->ne[1] * w->ne[2] * w->ne[3], domain_of(graph, x));
    }
    append(graph, &op, 0, 0);
    for (int32_t i = 0; i < n; i++) y[i] = graph->status == LM_OK ? op.out[i] : -1;
}

int32_t lm_graph_linear(lm_graph *graph, int32_t x, int32_t w, int32_t b, int32_t scale, int32_t residual) {
    int32_t y;
    lm_graph_linears(graph, x, &(lm_graph_matrix){w, b, scale}, 1, &y);
    if (graph->status == LM_OK && residual >= 0) {
        expect(graph, "a residual", lm_graph_width(graph, residual), lm_graph_width(graph, y));
        graph->ops.data[graph->ops.count - 1].in[1] = residual;
    }
    return y;
}

int32_t lm_graph_linear_add(lm_graph *graph, int32_t x, int32_t w, float scale, int32_t y) {
    int32_t sum = lm_graph_linear(graph, x, w, -1, -1, y);
    if (graph->status == LM_OK) graph->ops.data[graph->ops.count - 1].params.linear.scale = scale;
    return sum;
}

int32_t lm_graph_rotate(lm_graph *graph, int32_t x, int32_t rope, int32_t head_width, int32_t first,
                        float temperature_scale, int32_t temperature_length) {
    if (graph->status != LM_OK) return -1;
    int32_t width = lm_graph_width(graph, x);
    if (head_width <= 0 || width % head_width || first < 0 || first + graph->ropes.data[rope].n_rot > head_width)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "rope of %d dimensions in heads of %d",
                             graph->ropes.data[rope].n_rot, head_width);
    if (temperature_scale != 0 && temperature_length <= 0)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "an attention temperature of length %d", temperature_length);
    lm_op op = begin(LM_OP_ROPE, x);
    op.weight[0] = graph->ropes.data[rope].factors;
    op.params.rope.rope = rope;
    op.params.rope.head_width = head_width;
    op.params.rope.first = first;
    op.params.rope.temperature_scale = temperature_scale;
    op.params.rope.temperature_length = temperature_length;
    return append(graph, &op, width, domain_of(graph, x));
}

void lm_graph_cache_store(lm_graph *graph, int32_t layer, int32_t k, int32_t v) {
    if (graph->status != LM_OK) return;
    const lm_cache_layer *c = &graph->cache_layers.data[layer];
    expect(graph, "a key row", lm_graph_width(graph, k), (int64_t)c->n_heads_kv * c->k_width);
    expect(graph, "a value row", lm_graph_width(graph, v), (int64_t)c->n_heads_kv * c->v_width);
    lm_op op = begin(LM_OP_CACHE_STORE, k);
    op.in[1] = v;
    op.params.cache_store.layer = layer;
    append(graph, &op, 0, 0);
}

int32_t lm_graph_attend(lm_graph *graph, int32_t q, int32_t layer, int32_t sinks, int32_t n_heads, int32_t v_width,
                        float scale, int32_t window, float softcap, int32_t causal) {
    if (graph->status != LM_OK) return -1;
    const lm_cache_layer *c = &graph->cache_layers.data[layer];
    expect(graph, "a query row", lm_graph_width(graph, q), (int64_t)n_heads * c->k_width);
    expect(graph, "an attended value", v_width, c->v_width > 0 || v_width > c->k_width ? c->v_width : v_width);
    if (n_heads <= 0 || c->n_heads_kv <= 0 || n_heads % c->n_heads_kv)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "%d query heads do not share %d key-value heads evenly", n_heads,
                             c->n_heads_kv);
    expect_vector(graph, sinks, n_heads);
    if (c->v_width ? v_width != c->v_width : v_width < 1 || v_width > c->k_width)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "block %d reads values of %d from a cache of %d", graph->layer,
                             v_width, c->v_width ? c->v_width : c->k_width);
    lm_op op = begin(LM_OP_ATTEND, q);
    op.weight[0] = sinks;
    op.params.attend.layer = layer;
    op.params.attend.n_heads = n_heads;
    op.params.attend.v_from_k = c->v_width == 0;
    op.params.attend.v_width = v_width;
    op.params.attend.scale = scale;
    op.params.attend.window = window;
    op.params.attend.softcap = softcap;
    op.params.attend.causal = causal;
    return append(graph, &op, (int64_t)n_heads * v_width, domain_of(graph, q));
}

int32_t lm_graph_glu(lm_graph *graph, int32_t act, int32_t gate, int32_t up, int32_t residual) {
    if (graph->status != LM_OK) return -1;
    int32_t width = lm_graph_width(graph, up);
    if (lm_graph_width(graph, gate) != 1) expect(graph, "a gate", lm_graph_width(graph, gate), width);
    if (residual >= 0) expect(graph, "a residual", lm_graph_width(graph, residual), width);
    lm_op op = begin(LM_OP_GLU, gate);
    op.in[1] = up;
    op.in[2] = residual;
    op.params.glu.act = act;
    op.params.glu.width = width;
    return append(graph, &op, width, domain_of(graph, up));
}

int32_t lm_graph_glu_fused(lm_graph *graph, int32_t act, int32_t gate_up) {
    if (graph->status != LM_OK) return -1;
    expect(graph, "a gate with its product", lm_graph_width(graph, gate_up) % 2, 0);
    lm_op op = begin(LM_OP_GLU, gate_up);
    op.params.glu.act = act;
    op.params.glu.fused = 1;
    op.params.glu.width = lm_graph_width(graph, gate_up) / 2;
    return append(graph, &op, op.params.glu.width, domain_of(graph, gate_up));
}

static int32_t unary(lm_graph *graph, lm_op *op, int32_t x) {
    if (graph->status != LM_OK) return -1;
    op->in[0] = x;
    return append(graph, op, lm_graph_width(graph, x), domain_of(graph, x));
}

int32_t lm_graph_act(lm_graph *graph, int32_t act, int32_t x) {
    lm_op op = begin(LM_OP_ACT, -1);
    op.params.act.act = act;
    return unary(graph, &op, x);
}

int32_t lm_graph_short_conv(lm_graph *graph, int32_t x, int32_t taps, int32_t n_taps, int32_t act, int32_t state) {
    expect_vector(graph, taps, (int64_t)n_taps * lm_graph_width(graph, x));
    expect_state(graph, state, ((int64_t)n_taps - 1) * lm_graph_width(graph, x));
    lm_op op = begin(LM_OP_SHORT_CONV, -1);
    op.weight[0] = taps;
    op.params.short_conv.state = state;
    op.params.short_conv.n_taps = n_taps;
    op.params.short_conv.act = act;
    return unary(graph, &op, x);
}

int32_t lm_graph_delta_rule(lm_graph *graph, int32_t qkv, int32_t alpha, int32_t beta, int32_t a, int32_t dt,
                            int32_t state, int32_t n_k_heads, int32_t n_v_heads, int32_t k_width, int32_t v_width,
                            int32_t grouped, float eps) {
    if (graph->status != LM_OK) return -1;
    expect(graph, "the delta rule's input", lm_graph_width(graph, qkv),
           2 * (int64_t)n_k_heads * k_width + (int64_t)n_v_heads * v_width);
    expect(graph, "the decay row", lm_graph_width(graph, alpha), n_v_heads);
    expect(graph, "the write-strength row", lm_graph_width(graph, beta), n_v_heads);
    expect_vector(graph, a, n_v_heads);
    expect_vector(graph, dt, n_v_heads);
    if (n_k_heads <= 0 || n_v_heads % n_k_heads)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "%d value heads for %d key heads", n_v_heads, n_k_heads);
    expect_state(graph, state, (int64_t)n_v_heads * k_width * v_width);
    lm_op op = begin(LM_OP_DELTA_RULE, qkv);
    op.in[1] = alpha;
    op.in[2] = beta;
    op.weight[0] = a;
    op.weight[1] = dt;
    op.params.delta_rule.state = state;
    op.params.delta_rule.n_k_heads = n_k_heads;
    op.params.delta_rule.n_v_heads = n_v_heads;
    op.params.delta_rule.k_width = k_width;
    op.params.delta_rule.v_width = v_width;
    op.params.delta_rule.grouped = grouped;
    op.params.delta_rule.eps = eps;
    return append(graph, &op, (int64_t)n_v_heads * v_width, domain_of(graph, qkv));
}

void lm_graph_route(lm_graph *graph, int32_t logits, int32_t bias, int32_t gating, int32_t n_used, int32_t n_groups,
                    int32_t n_groups_used, int32_t normalise, float scale, int32_t *ids, int32_t *weights) {
    *ids = *weights = -1;
    if (graph->status != LM_OK) return;
    int32_t n_experts = lm_graph_width(graph, logits);
    expect_vector(graph, bias, n_experts);
    if (n_experts > 1024 || n_used <= 0 || n_used > n_experts) {
        lm_graph_fail(graph, LM_ERR_FORMAT, "%d of %d experts used", n_used, n_experts);
        return;
    }
    if (n_groups > 1 && (n_experts % n_groups || n_groups_used <= 0 || n_groups_used > n_groups ||
                         n_experts / n_groups < 2 || n_groups_used * (n_experts / n_groups) < n_used)) {
        lm_graph_fail(graph, LM_ERR_FORMAT, "%d of %d expert groups over %d experts", n_groups_used, n_groups,
                      n_experts);
        return;
    }
    lm_op op = begin(LM_OP_ROUTE, logits);
    op.weight[0] = bias;
    op.params.route.gating = gating;
    op.params.route.n_experts = n_experts;
    op.params.route.n_used = n_used;
    op.params.route.n_groups = n_groups;
    op.params.route.n_groups_used = n_groups_used;
    op.params.route.normalise = normalise;
    op.params.route.scale = scale;
    op.out[1] = new_value(graph, n_used, domain_of(graph, logits));
    *ids = append(graph, &op, n_used, domain_of(graph, logits));
    *weights = graph->status == LM_OK ? op.out[1] : -1;
}

int32_t lm_graph_experts(lm_graph *graph, int32_t x, int32_t ids, int32_t weights, const lm_graph_experts_weights *w,
                         int32_t act, int32_t width, int32_t residual) {
    if (graph->status != LM_OK) return -1;
    const lm_tensor *gate = tensor_at(graph, w->gate), *down = tensor_at(graph, w->down);
    int64_t n_experts = down->ne[2];
    bool fused = w->up < 0 && !w->ungated;
    expect(graph, "a choice of experts", choices(graph, ids), n_experts);
    expect(graph, "a row of expert weights", lm_graph_width(graph, weights), lm_graph_width(graph, ids));
    if (residual >= 0) expect(graph, "a residual", lm_graph_width(graph, residual), down->ne[1]);
    expect(graph, gate->name, gate->ne[0], lm_graph_width(graph, x));
    expect(graph, gate->name, gate->ne[1], fused ? 2 * (int64_t)width : width);
    expect(graph, gate->name, gate->ne[2], n_experts);
    expect(graph, down->name, down->ne[0], width);
    if (w->up >= 0) {
        const lm_tensor *up = tensor_at(graph, w->up);
        expect(graph, up->name, up->ne[0], lm_graph_width(graph, x));
        expect(graph, up->name, up->ne[1], width);
        expect(graph, up->name, up->ne[2], n_experts);
    }
    expect_vector(graph, w->gate_bias, gate->ne[1] * n_experts);
    expect_vector(graph, w->up_bias, width * n_experts);
    expect_vector(graph, w->down_bias, down->ne[1] * n_experts);
    expect_vector(graph, w->gate_scale, n_experts);
    expect_vector(graph, w->up_scale, n_experts);
    expect_vector(graph, w->down_scale, n_experts);
    lm_op op = begin(LM_OP_EXPERTS, x);
    op.in[1] = ids;
    op.in[2] = weights;
    op.in[3] = residual;
    const int32_t parts[] = {w->gate,      w->up,         w->down,     w->gate_bias, w->up_bias,
                             w->down_bias, w->gate_scale, w->up_scale, w->down_scale};
    for (int i = 0; i < 9; i++) op.weight[i] = parts[i];
    op.params.experts.act = act;
    op.params.experts.n_experts = (int32_t)n_experts;
    op.params.experts.n_used = lm_graph_width(graph, ids);
    op.params.experts.width = width;
    op.params.experts.fused = fused;
    return append(graph, &op, down->ne[1], domain_of(graph, x));
}

int32_t lm_graph_expert_linear(lm_graph *graph, int32_t x, int32_t ids, int32_t weights, const lm_graph_matrix *matrix,
                               float scale, int32_t residual) {
    if (graph->status != LM_OK) return -1;
    const lm_tensor *w = tensor_at(graph, matrix->w);
    int32_t n_used = lm_graph_width(graph, ids), n_in = lm_graph_width(graph, x);
    int64_t width = weights < 0 ? n_used * w->ne[1] : w->ne[1];
    expect(graph, "a choice of experts", choices(graph, ids), w->ne[2]);
    if (weights >= 0) expect(graph, "a row of expert weights", lm_graph_width(graph, weights), n_used);
    if (residual >= 0) expect(graph, "a residual", lm_graph_width(graph, residual), width);
    expect(graph, w->name, n_in == w->ne[0] ? (int64_t)n_in * n_used : n_in, n_used * w->ne[0]);
    expect_vector(graph, matrix->b, w->ne[1] * w->ne[2]);
    expect_vector(graph, matrix->scale, w->ne[2]);
    lm_op op = begin(LM_OP_EXPERT_LINEAR, x);
    op.in[1] = ids;
    op.in[2] = weights;
    op.in[3] = residual;
    op.weight[0] = matrix->w;
    op.weight[1] = matrix->b;
    op.weight[2] = matrix->scale;
    op.params.expert_linear.n_experts = (int32_t)w->ne[2];
    op.params.expert_linear.n_used = n_used;
    op.params.expert_linear.scale = scale;
    return append(graph, &op, width, domain_of(graph, x));
}

int32_t lm_graph_scale(lm_graph *graph, int32_t x, int32_t w, float factor) {
    if (graph->status == LM_OK && w >= 0 && element_count(tensor_at(graph, w)) != 1)
        expect_vector(graph, w, lm_graph_width(graph, x));
    lm_op op = begin(LM_OP_SCALE, -1);
    op.weight[0] = w;
    op.params.scale.factor = factor;
    return unary(graph, &op, x);
}

int32_t lm_graph_add(lm_graph *graph, int32_t a, int32_t b, int32_t w) {
    if (b >= 0) expect(graph, "a sum's operand", lm_graph_width(graph, b), lm_graph_width(graph, a));
    expect_vector(graph, w, lm_graph_width(graph, a));
    lm_op op = begin(LM_OP_ADD, -1);
    op.in[1] = b;
    op.weight[0] = w;
    return unary(graph, &op, a);
}

int32_t lm_graph_softcap(lm_graph *graph, int32_t x, float cap) {
    lm_op op = begin(LM_OP_SOFTCAP, -1);
    op.params.softcap.cap = cap;
    return unary(graph, &op, x);
}

int32_t lm_graph_gather(lm_graph *graph, int32_t x) {
    if (graph->status != LM_OK) return -1;
    lm_op op = begin(LM_OP_GATHER, x);
    return append(graph, &op, lm_graph_width(graph, x), LM_DOMAIN_OUTPUTS);
}

int32_t lm_graph_slice(lm_graph *graph, int32_t x, int32_t group, int32_t first, int32_t width) {
    if (graph->status != LM_OK) return -1;
    int32_t total = lm_graph_width(graph, x);
    if (group <= 0 || total % group || first < 0 || width <= 0 || width > group - first)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "block %d: a part [%d, %d) of groups of %d", graph->layer, first,
                             first + width, group);
    lm_op op = begin(LM_OP_SLICE, x);
    op.params.slice.group = group;
    op.params.slice.first = first;
    op.params.slice.width = width;
    return append(graph, &op, (int64_t)(total / group) * width, domain_of(graph, x));
}

int32_t lm_graph_concat(lm_graph *graph, int32_t a, int32_t group_a, int32_t b, int32_t group_b) {
    if (graph->status != LM_OK) return -1;
    int32_t wa = lm_graph_width(graph, a), wb = lm_graph_width(graph, b);
    if (group_a <= 0 || group_b <= 0 || wa % group_a || wb % group_b || wa / group_a != wb / group_b)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "block %d: groups of %d and %d do not pair", graph->layer, group_a,
                             group_b);
    lm_op op = begin(LM_OP_CONCAT, a);
    op.in[1] = b;
    op.params.concat.group_a = group_a;
    op.params.concat.group_b = group_b;
    return append(graph, &op, (int64_t)wa + wb, domain_of(graph, a));
}

int32_t lm_graph_head_linear(lm_graph *graph, int32_t x, int32_t w, const lm_graph_heads *heads) {
    if (graph->status != LM_OK) return -1;
    const lm_tensor *t = tensor_at(graph, w);
    int32_t n_rows = heads->transposed ? heads->n_in : heads->n_out;
    if (heads->n_heads <= 0 || heads->n_in <= 0 || heads->n_out <= 0 || heads->first < 0 ||
        (heads->stride && heads->stride < n_rows))
        return lm_graph_fail(graph, LM_ERR_FORMAT, "block %d: %d heads from %d to %d values", graph->layer,
                             heads->n_heads, heads->n_in, heads->n_out);
    expect(graph, "a per-head input", lm_graph_width(graph, x), (int64_t)heads->n_heads * heads->n_in);
    expect(graph, t->name, t->ne[0], heads->transposed ? heads->n_out : heads->n_in);
    int64_t end = (int64_t)(heads->n_heads - 1) * heads->stride + heads->first + n_rows;
    if (t->ne[1] * t->ne[2] * t->ne[3] < end)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "tensor %s has %lld rows, expected %lld", t->name,
                             (long long)(t->ne[1] * t->ne[2] * t->ne[3]), (long long)end);
    lm_op op = begin(LM_OP_HEAD_LINEAR, x);
    op.weight[0] = w;
    op.params.head_linear.n_heads = heads->n_heads;
    op.params.head_linear.n_in = heads->n_in;
    op.params.head_linear.n_out = heads->n_out;
    op.params.head_linear.stride = heads->stride;
    op.params.head_linear.first = heads->first;
    op.params.head_linear.transposed = heads->transposed;
    return append(graph, &op, (int64_t)heads->n_heads * heads->n_out, domain_of(graph, x));
}

int32_t lm_graph_mix(lm_graph *graph, int32_t x, int32_t c, int32_t n_streams) {
    if (graph->status != LM_OK) return -1;
    if (n_streams < 1 || n_streams > 64 || lm_graph_width(graph, x) % n_streams)
        return lm_graph_fail(graph, LM_ERR_FORMAT, "%d streams in a width of %d", n_streams, lm_graph_width(graph, x));
    expect(graph, "a row of stream coefficients", lm_graph_width(graph, c), (int64_t)n_streams * n_streams);
    lm_op op = begin(LM_OP_MIX, -1);
    op.in[1] = c;
    op.params.mix.n_streams = n_streams;
    return unary(graph, &op, x);
}

int32_t lm_graph_rescale(lm_graph *graph, int32_t x, int32_t like) {
    if (graph->status != LM_OK) return -1;
    if (lm_graph_width(graph, x) % lm_graph_width(graph, like))
        return lm_graph_fail(graph, LM_ERR_FORMAT, "streams of %d in a width of %d", lm_graph_width(graph, like),
                             lm_graph_width(graph, x));
    lm_op op = begin(LM_OP_RESCALE, -1);
    op.in[1] = like;
    return unary(graph, &op, x);
}

int32_t lm_graph_sparsify(lm_graph *graph, int32_t x, float factor) {
    lm_op op = begin(LM_OP_SPARSIFY, -1);
    op.params.sparsify.factor = factor;
    return unary(graph, &op, x);
}

int32_t lm_graph_spread(lm_graph *graph, int32_t x, int32_t c, int32_t base, int32_t n_streams) {
    if (graph->status != LM_OK) return -1;
    if (n_streams < 1 || n_streams > 64) return lm_graph_fail(graph, LM_ERR_FORMAT, "%d streams", n_streams);
    expect(graph, "the streams", lm_graph_width(graph, base), (int64_t)n_streams * lm_graph_width(graph, x));
    if (c >= 0) expect(graph, "a row of stream coefficients", lm_graph_width(graph, c), n_streams);
    lm_op op = begin(LM_OP_SPREAD, x);
    op.in[1] = c;
    op.in[2] = base;
    op.params.spread.n_streams = n_streams;
    return append(graph, &op, lm_graph_width(graph, base), domain_of(graph, x));
}

int32_t lm_graph_shift(lm_graph *graph, int32_t x, int32_t state) {
    if (graph->status != LM_OK) return -1;
    expect_state(graph, state, lm_graph_width(graph, x));
    lm_op op = begin(LM_OP_SHIFT, -1);
    op.params.shift.state = state;
    return unary(graph, &op, x);
}

int32_t lm_graph_pool(lm_graph *graph, int32_t x, int32_t kind, int32_t normalise) {
    if (graph->status != LM_OK) return -1;
    lm_op op = begin(LM_OP_POOL, x);
    op.params.pool.kind = kind;
    op.params.pool.normalise = normalise;
    return append(graph, &op, lm_graph_width(graph, x), LM_DOMAIN_SEQUENCES);
}
