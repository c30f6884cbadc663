#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the models of tests/golden/models that have delta-rule blocks or plain ones with a draft block behind them.

  make_hybrids.py [OUT_DIR]

Files as make_models.py and make_families.py, whose parts this uses. The recurrence is evaluated token by token, in float64. Needs numpy.
"""
import pathlib
import sys

import numpy as np

from make_families import (angles, attention, causal, draft_logits, draft_tensors, gated, heads, linear, norms, replace, softmax, write)
from make_models import ARR, BOOL, F32, I32, N_TOKENS, U32, Model, embedding_and_output, rms, rotate, silu

N_K, N_V, DK, DV, TAPS = 2, 4, 8, 8, 4
EXPERTS, USED, WIDTH = 6, 2, 8


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def l2(x, eps):
    return x / np.sqrt((x * x).sum(-1, keepdims=True) + eps)


def delta_tensors(m, b, grouped):
    channels = 2 * N_K * DK + N_V * DV
    m.weight(b + "attn_qkv.weight", channels, m.D, gain=1.5)
    m.weight(b + "attn_gate.weight", N_V * DV, m.D, gain=1.5)
    if grouped:
        m.weight(b + "ssm_ba.weight", 2 * N_V, m.D)
    else:
        m.weight(b + "ssm_beta.weight", N_V, m.D)
        m.weight(b + "ssm_alpha.weight", N_V, m.D)
    m.weight(b + "ssm_conv1d.weight", channels, TAPS, gain=1.2)
    m.vector(b + "ssm_dt.bias", N_V, -1, 0.5)
    m.tensors[b + "ssm_a"] = np.array([-0.05, -0.4, -1.0, -0.2], "<f4")
    m.vector(b + "ssm_norm.weight", DV)
    m.weight(b + "ssm_out.weight", m.D, N_V * DV, gain=1.5)


def delta_net(m, b, u, grouped):
    """Short convolution, then S = e^g S; S += k beta (v - S^T k)^T; o = S^T q / sqrt(dk), per value head."""
    c, z = linear(m, b + "attn_qkv", u), linear(m, b + "attn_gate", u)
    repeat = N_V // N_K
    if grouped:  # per key head: beta of its value heads, then alpha of them
        ba = linear(m, b + "ssm_ba", u).reshape(N_TOKENS, N_K, 2 * repeat)
        beta, alpha = ba[:, :, :repeat].reshape(N_TOKENS, N_V), ba[:, :, repeat:].reshape(N_TOKENS, N_V)
    else:
        beta, alpha = linear(m, b + "ssm_beta", u), linear(m, b + "ssm_alpha", u)
    taps = m.get(b + "ssm_conv1d.weight")
    padded = np.vstack([np.zeros((TAPS - 1, c.shape[1])), c])
    c = silu(sum(padded[j:j + N_TOKENS] * taps[:, j] for j in range(TAPS)))
    q, k, v = np.split(c, [N_K * DK, 2 * N_K * DK], axis=1)
    q, k, v = l2(heads(q, DK), m.eps), l2(heads(k, DK), m.eps), heads(v, DV)
    g = m.get(b + "ssm_a") * np.log1p(np.exp(alpha + m.get(b + "ssm_dt.bias")))
    y = np.zeros((N_TOKENS, N_V, DV))
    for h in range(N_V):
        kh, state = h // repeat if grouped else h % N_K, np.zeros((DK, DV))
        for t in range(N_TOKENS):
            state = np.exp(g[t, h]) * state
            state += np.outer(k[t, kh], sigmoid(beta[t, h]) * (v[t, h] - state.T @ k[t, kh]))
            y[t, h] = state.T @ q[t, kh] / np.sqrt(DK)
    y = rms(y, m.get(b + "ssm_norm.weight"), m.eps) * silu(heads(z, DV))
    return linear(m, b + "ssm_out", y.reshape(N_TOKENS, -1))


def gated_attention(m, b, u):
    q = heads(linear(m, b + "attn_q", u), 2 * m.dh)  # per head: query, gate
    q, gate = q[..., :m.dh], q[..., m.dh:]
    k, v = heads(linear(m, b + "attn_k", u), m.dh), heads(linear(m, b + "attn_v", u), m.dh)
    rot, a = m.dh // 2, angles(m.dh // 2, m.base)
    turned = []
    for x, name in ((q, "q"), (k, "k")):
        x = rms(x, m.get(f"{b}attn_{name}_norm.weight"), m.eps)
        turned.append(np.concatenate([rotate(x[..., :rot], a, 1, False), x[..., rot:]], axis=2))
    o = attention(*turned, v, m.dh ** -0.5, causal()) * sigmoid(gate.reshape(N_TOKENS, -1))
    return linear(m, b + "attn_output", o)


def expert_tensors(m, b, shared):
    m.weight(b + "ffn_gate_inp.weight", EXPERTS, m.D, gain=2)
    for name, rows, columns in (("gate", WIDTH, m.D), ("up", WIDTH, m.D), ("down", m.D, WIDTH)):
        m.weight(f"{b}ffn_{name}_exps.weight", rows, columns, gain=1.5, n=EXPERTS)
        m.weight(f"{b}ffn_{name}_shexp.weight", shared if rows == WIDTH else rows, shared if columns == WIDTH else columns, gain=1.5)


def experts(m, b, u, share, bias=0.0, scale=1.0):
    """share: of every expert for every token; the chosen ones' shares are made to sum to scale."""
    y = np.zeros_like(u)
    gate, up, down = (m.get(f"{b}ffn_{n}_exps.weight") for n in ("gate", "up", "down"))
    for t in range(N_TOKENS):
        chosen = np.argsort(-(share[t] + bias))[:USED]
        for e in chosen:
            y[t] += scale * share[t, e] / share[t, chosen].sum() * (down[e] @ (silu(gate[e] @ u[t]) * (up[e] @ u[t])))
    return y


def hybrid(arch, name, draft=True):
    """Delta-rule blocks, every third one of gated attention; a draft block."""
    moe, grouped = arch != "qwen35", arch == "qwen3next"
    m = Model(arch, name, L=3, D=24, H=4, KV=2, F=32, dh=16, base=10000.0, eps=1e-2 if grouped else 1e-6)
    replace(m, rope__dimension_count=(U32, 8), ssm__conv_kernel=(U32, TAPS), ssm__state_size=(U32, DK), ssm__group_count=(U32, N_K),
            ssm__time_step_rank=(U32, N_V), ssm__inner_size=(U32, N_V * DV), full_attention_interval=(U32, 3))
    if moe:
        replace(m, expert_count=(U32, EXPERTS), expert_used_count=(U32, USED), expert_feed_forward_length=(U32, WIDTH),
                expert_shared_feed_forward_length=(U32, 12))
    if arch == "qwen35moe":  # text has one position on every axis, so any sections rotate it alike
        replace(m, rope__dimension_sections=(ARR, (I32, [4, 0, 0, 0])))
    embedding_and_output(m)
    if draft:
        draft_tensors(m, norm=not moe)
    for l in range(m.L + draft):
        b = f"blk.{l}."
        norms(m, b, "attn_norm post_attention_norm", m.D)
        if l < 2:
            delta_tensors(m, b, grouped)
        else:
            m.weight(b + "attn_q.weight", 2 * m.H * m.dh, m.D, gain=1.5)
            m.weight(b + "attn_k.weight", m.KV * m.dh, m.D, gain=1.5)
            m.weight(b + "attn_v.weight", m.KV * m.dh, m.D)
            norms(m, b, "attn_q_norm attn_k_norm", m.dh)
            m.weight(b + "attn_output.weight", m.D, m.H * m.dh)
        if moe:
            expert_tensors(m, b, 12)
            m.weight(b + "ffn_gate_inp_shexp.weight", 1, m.D)
        else:
            for n, rows, columns in (("gate", m.F, m.D), ("up", m.F, m.D), ("down", m.D, m.F)):
                m.weight(f"{b}ffn_{n}.weight", rows, columns, gain=1.5)

    def block(l, x):
        b = f"blk.{l}."
        u = rms(x, m.get(b + "attn_norm.weight"), m.eps)
        x = x + (delta_net(m, b, u, grouped) if l < 2 else gated_attention(m, b, u))
        u = rms(x, m.get(b + "post_attention_norm.weight"), m.eps)
        if not moe:
            return x + gated(m, b, silu, u)
        y = experts(m, b, u, softmax(linear(m, b + "ffn_gate_inp", u)))
        return x + y + sigmoid(linear(m, b + "ffn_gate_inp_shexp", u)) * gated(m, b, silu, u, "_shexp")
    return m, trunk(m, block, draft)


def glm4moe():
    """Half of a head turned, sigmoid routing with a bias; a draft block."""
    m = Model("glm4moe", "glm4moe", L=2, D=24, H=4, KV=2, F=32, dh=8, base=1000000.0)
    replace(m, rope__dimension_count=(U32, 4), leading_dense_block_count=(U32, 1), expert_count=(U32, EXPERTS), expert_used_count=(U32, USED),
            expert_feed_forward_length=(U32, WIDTH), expert_shared_count=(U32, 1), expert_weights_norm=(BOOL, True),
            expert_weights_scale=(F32, 1.5))
    embedding_and_output(m)
    draft_tensors(m)
    for l in range(m.L + 1):
        b = f"blk.{l}."
        norms(m, b, "attn_norm post_attention_norm", m.D)
        for name, rows in (("q", 32), ("k", 16), ("v", 16)):
            m.weight(f"{b}attn_{name}.weight", rows, m.D, gain=1.5)
            m.vector(f"{b}attn_{name}.bias", rows, 0, 0.5)
        norms(m, b, "attn_q_norm attn_k_norm", 8)
        m.weight(b + "attn_output.weight", m.D, 32)
        if l:
            expert_tensors(m, b, WIDTH)
            m.vector(b + "exp_probs_b.bias", EXPERTS, 0)
        else:
            for n, rows, columns in (("gate", m.F, m.D), ("up", m.F, m.D), ("down", m.D, m.F)):
                m.weight(f"{b}ffn_{n}.weight", rows, columns, gain=1.5)

    def block(l, x):
        b, a, turned = f"blk.{l}.", angles(4, m.base), []
        u = rms(x, m.get(b + "attn_norm.weight"), m.eps)
        for name in "qk":
            y = rms(heads(linear(m, f"{b}attn_{name}", u), 8), m.get(f"{b}attn_{name}_norm.weight"), m.eps)
            turned.append(np.concatenate([rotate(y[..., :4], a, 1, False), y[..., 4:]], axis=2))
        o = attention(*turned, heads(linear(m, b + "attn_v", u), 8), 8 ** -0.5, causal())
        x = x + linear(m, b + "attn_output", o)
        u = rms(x, m.get(b + "post_attention_norm.weight"), m.eps)
        if l == 0:
            return x + gated(m, b, silu, u)
        share = sigmoid(linear(m, b + "ffn_gate_inp", u))
        return x + experts(m, b, u, share, m.get(b + "exp_probs_b.bias"), 1.5) + gated(m, b, silu, u, "_shexp")
    return m, trunk(m, block, True)


def trunk(m, block, draft):
    def run(tokens):
        x = m.get("token_embd.weight")[tokens]
        for l in range(m.L):
            x = block(l, x)
        h = rms(x, m.get("output_norm.weight"), m.eps)
        logits = h @ m.get("output.weight").T
        return (logits, draft_logits(m, tokens, h, block)) if draft else logits
    return run


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "models")
    out.mkdir(exist_ok=True)
    for m, run in (hybrid("qwen35", "qwen35"), hybrid("qwen35moe", "qwen35moe"), hybrid("qwen3next", "qwen3next", False), glm4moe()):
        write(out, m, run)


if __name__ == "__main__":
    main()
