/* SPDX-License-Identifier: MIT */
/**
 * The operations a program is made of, for people who write a backend.
 *
 * A program is a flat list of operations over values. A value is a matrix of floats [n_rows, width] in which a row belongs
 * to a token of the batch (or, after GATHER, to a token whose output is wanted); width is fixed when the program is built,
 * n_rows is known when it runs. Every operation works on rows independently except CACHE_STORE, ATTEND, SHORT_CONV,
 * DELTA_RULE and POOL, which also see the sequence a token belongs to.
 *
 * LM_OPS is append-only: numbers are written out, never reused. Each line: number, NAME, inputs, weights, outputs, meaning;
 * [x] marks what may be absent (-1). The parameters of NAME are the member of lm_op_params (backend.h) named below.
 */
#ifndef LM_OPS_H
#define LM_OPS_H

/*    number  name           inputs               weights                          outputs      meaning */
#define LM_OPS(X)                                                                                                              \
    X(1, EMBED, "", "table", "y", "y = scale * row of table; the row is the token, the position or a constant")                \
    X(2, NORM, "x", "[w] [b]", "y", "rms, layer or l2 norm of every group of x, times w, plus b")                              \
    X(3, LINEAR, "x [residual]", "W0 [b0] [s0] .. W3 [b3] [s3]", "y0 [y1 y2 y3]", "y_i = s_i * (W_i x) + b_i; y0 += residual") \
    X(4, ROPE, "x", "[factors]", "y", "rotate n_rot values of each head by the position; then scale by temperature")           \
    X(5, CACHE_STORE, "k [v]", "", "", "append k and v rows to the cache layer at the token's position")                       \
    X(6, ATTEND, "q", "[sinks]", "y", "softmax(scale * q K, soft-cap, mask, sinks) V over the cache layer")                    \
    X(7, GLU, "gate [up] [residual]", "", "y", "y = act(gate) * up + residual; a gate of width 1 is broadcast")                \
    X(8, ACT, "x", "", "y", "y = act(x)")                                                                                      \
    X(9, SHORT_CONV, "x", "taps", "y", "causal depthwise convolution over time with state, then act")                          \
    X(10, DELTA_RULE, "qkv alpha beta", "a dt", "y", "gated delta rule with state (Gated DeltaNet)")                           \
    X(11, ROUTE, "logits", "[bias]", "ids weights", "choose n_used experts per token; ids are int32 bit patterns")             \
    X(12, EXPERTS, "x ids weights [residual]", "gate [up] down [biases] [scales]", "y", "weighted sum of expert feed-forwards")\
    X(13, SCALE, "x", "[w]", "y", "y = factor * x, or w * x element by element (w of one value: its scalar)")                  \
    X(14, ADD, "a [b]", "[w]", "y", "y = a + b (+ w, one vector for all rows)")                                                \
    X(15, SOFTCAP, "x", "", "y", "y = cap * tanh(x / cap)")                                                                    \
    X(16, GATHER, "x", "", "y", "keep the rows whose output is wanted, in the order asked")                                    \
    X(17, SLICE, "x", "", "y", "from every group of x, take a run of values")                                                  \
    X(18, CONCAT, "a b", "", "y", "per group: values of a followed by values of b")                                            \
    X(19, HEAD_LINEAR, "x", "W", "y", "one matrix per head: y_h = W_h x_h, or its transpose (absorbed latent attention)")       \
    X(20, MIX, "x c", "", "y", "y_i = x_i + sum over j of c[i, j] x_j for n streams of x (AltUp prediction)")                  \
    X(21, RESCALE, "x like", "", "y", "groups of x as wide as like, each times (l2 norm of like / its own l2 norm)")           \
    X(22, SPARSIFY, "x", "", "y", "relu(x - (mean + factor * deviation)) of each row, deviation with n - 1")                   \
    X(23, SHIFT, "x", "", "y", "row t is row t-1 of x in the same sequence; the first row comes from state (MTP input)")       \
    X(24, POOL, "x", "", "y", "one row per sequence: mean, first or last of its rows, optionally normalised")                  \
    X(25, SPREAD, "x [c] base", "", "y", "y_i = base_i + (1 + c_i) * x for n streams (AltUp correction); without c: base_i + x") \
    X(26, EXPERT_LINEAR, "x ids [weights] [residual]", "W [b] [s]", "y",                                                       \
        "y_i = scale * s * (W x) + b of each chosen expert, or their sum times weights; += residual")

typedef enum lm_op_kind {
#define LM_OP_ENUM(number, name, inputs, weights, outputs, meaning) LM_OP_##name = number,
    LM_OPS(LM_OP_ENUM)
#undef LM_OP_ENUM
        LM_OP_COUNT /* one past the largest number */
} lm_op_kind;

#endif
