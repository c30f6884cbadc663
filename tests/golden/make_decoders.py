#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the models of tests/golden/models that are decoders with a turn of their own: Gemma 3, gpt-oss, LFM2, MiniMax-M2, Qwen2-MoE.

  make_decoders.py [OUT_DIR]

Files as make_models.py and make_families.py, whose parts this uses; the evaluation is in float64. Needs numpy.
"""
import pathlib
import sys

import numpy as np

from make_families import angles, attention, causal, gated, gelu, heads, linear, norms, replace, softmax, write
from make_hybrids import EXPERTS, USED, WIDTH, expert_tensors, experts, sigmoid, trunk
from make_models import ARR, BOOL, F32, N_TOKENS, STR, U32, Model, embedding_and_output, rms, rotate, silu, yarn

POS = np.arange(N_TOKENS, dtype=np.float64)
SHAPE = dict(D=24, H=4, KV=2, F=32, dh=8)


def projections(m, b, norm_width=0, bias=False):
    for name, rows in (("q", m.H * m.dh), ("k", m.KV * m.dh), ("v", m.KV * m.dh)):
        m.weight(f"{b}attn_{name}.weight", rows, m.D, gain=1.5)
        if bias:
            m.vector(f"{b}attn_{name}.bias", rows, 0, 0.5)
        if norm_width and name != "v":
            m.vector(f"{b}attn_{name}_norm.weight", rows if norm_width < 0 else norm_width)
    m.weight(b + "attn_output.weight", m.D, m.H * m.dh)


def dense(m, b):
    for n, rows, columns in (("gate", m.F, m.D), ("up", m.F, m.D), ("down", m.D, m.F)):
        m.weight(f"{b}ffn_{n}.weight", rows, columns, gain=1.5)


def moe_keys(m, **more):
    replace(m, expert_count=(U32, EXPERTS), expert_used_count=(U32, USED), expert_feed_forward_length=(U32, WIDTH), **more)


def turned(x, a, magnitude=1.0):
    """The first 2 * pairs values of every head."""
    n = 2 * a.shape[1]
    return np.concatenate([rotate(x[..., :n], a, magnitude, False), x[..., n:]], axis=2)


def gemma3():
    """Two of three blocks slide over 10 tokens with a base of their own; norms on both sides; embeddings scaled."""
    m = Model("gemma3", "gemma3", L=4, base=1000000.0, eps=1e-6, **SHAPE)
    replace(m, attention__sliding_window=(U32, 10), attention__sliding_window_pattern=(U32, 3), final_logit_softcapping=(F32, 20.0))
    embedding_and_output(m, tied=True)
    for l in range(m.L):
        b = f"blk.{l}."
        norms(m, b, "attn_norm post_attention_norm ffn_norm post_ffw_norm", m.D)
        projections(m, b, m.dh)
        dense(m, b)

    def run(tokens):
        x = m.get("token_embd.weight")[tokens] * np.sqrt(m.D)
        for l in range(m.L):
            b, slides = f"blk.{l}.", l % 3 < 2
            u, a = rms(x, m.get(b + "attn_norm.weight"), m.eps), angles(m.dh, 10000.0 if slides else m.base)
            q, k = (turned(rms(heads(linear(m, f"{b}attn_{n}", u), m.dh), m.get(f"{b}attn_{n}_norm.weight"), m.eps), a) for n in "qk")
            o = attention(q, k, heads(linear(m, b + "attn_v", u), m.dh), m.dh ** -0.5, causal(10 if slides else 0))
            x = x + rms(linear(m, b + "attn_output", o), m.get(b + "post_attention_norm.weight"), m.eps)
            y = gated(m, b, gelu, rms(x, m.get(b + "ffn_norm.weight"), m.eps))
            x = x + rms(y, m.get(b + "post_ffw_norm.weight"), m.eps)
        return 20 * np.tanh(rms(x, m.get("output_norm.weight"), m.eps) @ m.get("token_embd.weight").T / 20)
    return m, run


def with_sinks(q, k, v, scale, seen, sinks):
    """Softmax over the scores and one more, whose share goes nowhere."""
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
    s = np.where(seen, scale * np.einsum("thd,shd->hts", q, k), -np.inf)
    s = np.concatenate([s, np.broadcast_to(sinks[:, None, None], (*s.shape[:2], 1))], axis=2)
    return np.einsum("hts,shd->thd", softmax(s)[..., :-1], v).reshape(len(q), -1)


def gpt_oss(name, slides=(True, False, True), near_base=150000.0):
    """Sinks, biases everywhere, blocks that slide, YaRN, the clamped activation, softmax over the chosen experts."""
    m = Model("gpt-oss", name, L=3, base=150000.0, **SHAPE)
    moe_keys(m, attention__sliding_window=(U32, 12), rope__scaling__type=(STR, "yarn"), rope__scaling__factor=(F32, 8.0),
             rope__scaling__original_context_length=(U32, 32))
    if slides[1]:  # not what files without these keys mean
        replace(m, attention__sliding_window_pattern=(ARR, (BOOL, slides)), rope__freq_base_swa=(F32, near_base))
    embedding_and_output(m)
    for l in range(m.L):
        b = f"blk.{l}."
        norms(m, b, "attn_norm post_attention_norm", m.D)
        projections(m, b, bias=True)
        m.vector(b + "attn_output.bias", m.D, 0)
        m.vector(b + "attn_sinks.weight", m.H, 0.5, 1.0)
        m.weight(b + "ffn_gate_inp.weight", EXPERTS, m.D, gain=2)
        m.vector(b + "ffn_gate_inp.bias", EXPERTS, 0)
        for name, rows, columns in (("gate", WIDTH, m.D), ("up", WIDTH, m.D), ("down", m.D, WIDTH)):
            m.weight(f"{b}ffn_{name}_exps.weight", rows, columns, gain=3, n=EXPERTS)
            m.tensors[f"{b}ffn_{name}_exps.bias"] = m.random(f"{b}{name}.bias", (EXPERTS, rows)).astype("<f4")

    def block(l, x):
        b = f"blk.{l}."
        a, magnitude = yarn(m, POS, 8.0, 32, base=near_base if slides[l] else m.base)
        u = rms(x, m.get(b + "attn_norm.weight"), m.eps)
        q, k, v = (heads(linear(m, f"{b}attn_{n}", u), m.dh) for n in "qkv")
        q, k = turned(q, a, magnitude), turned(k, a, magnitude)
        x = x + linear(m, b + "attn_output", with_sinks(q, k, v, m.dh ** -0.5, causal(12 if slides[l] else 0), m.get(b + "attn_sinks.weight")))
        u = rms(x, m.get(b + "post_attention_norm.weight"), m.eps)
        logits, y = linear(m, b + "ffn_gate_inp", u), np.zeros_like(u)
        w = {n: (m.get(f"{b}ffn_{n}_exps.weight"), m.get(f"{b}ffn_{n}_exps.bias")) for n in ("gate", "up", "down")}
        for t in range(N_TOKENS):
            chosen = np.argsort(-logits[t])[:USED]
            for e, share in zip(chosen, softmax(logits[t, chosen])):
                gate, up = (w[n][0][e] @ u[t] + w[n][1][e] for n in ("gate", "up"))
                gate, up = np.minimum(gate, 7), np.clip(up, -7, 7)
                y[t] += share * (w["down"][0][e] @ (gate * sigmoid(1.702 * gate) * (up + 1)) + w["down"][1][e])
        return x + y
    return m, trunk(m, block, False)


def lfm2(arch):
    """Gated short convolutions where a block has no key-value heads; the final norm has another name."""
    moe, taps = arch == "lfm2moe", 3
    m = Model(arch, arch, L=4, base=1000000.0, **SHAPE)
    replace(m, attention__head_count_kv=(ARR, (U32, [0, 2, 0, 2])), shortconv__l_cache=(U32, taps))
    if moe:
        moe_keys(m, leading_dense_block_count=(U32, 1), expert_gating_func=(U32, 2))
    m.weight("token_embd.weight", m.V, m.D, gain=4)
    m.vector("token_embd_norm.weight", m.D)
    for l in range(m.L):
        b = f"blk.{l}."
        norms(m, b, "attn_norm ffn_norm", m.D)
        if l % 2:
            projections(m, b, m.dh)
        else:
            m.weight(b + "shortconv.in_proj.weight", 3 * m.D, m.D, gain=1.5)
            m.weight(b + "shortconv.conv.weight", m.D, taps, gain=1.5)
            m.weight(b + "shortconv.out_proj.weight", m.D, m.D, gain=1.5)
        if moe and l:
            m.weight(b + "ffn_gate_inp.weight", EXPERTS, m.D, gain=2)
            m.vector(b + "exp_probs_b.bias", EXPERTS, 0)
            for name, rows, columns in (("gate", WIDTH, m.D), ("up", WIDTH, m.D), ("down", m.D, WIDTH)):
                m.weight(f"{b}ffn_{name}_exps.weight", rows, columns, gain=1.5, n=EXPERTS)
        else:
            dense(m, b)

    def mixed(b, l, u):
        if l % 2:
            a = angles(m.dh, m.base)
            q, k = (turned(rms(heads(linear(m, f"{b}attn_{n}", u), m.dh), m.get(f"{b}attn_{n}_norm.weight"), m.eps), a) for n in "qk")
            return linear(m, b + "attn_output", attention(q, k, heads(linear(m, b + "attn_v", u), m.dh), m.dh ** -0.5, causal()))
        gate, c, v = np.split(linear(m, b + "shortconv.in_proj", u), 3, axis=1)
        padded, w = np.vstack([np.zeros((taps - 1, m.D)), gate * v]), m.get(b + "shortconv.conv.weight")
        return linear(m, b + "shortconv.out_proj", c * sum(padded[j:j + N_TOKENS] * w[:, j] for j in range(taps)))

    def run(tokens):
        x = m.get("token_embd.weight")[tokens]
        for l in range(m.L):
            b = f"blk.{l}."
            x = x + mixed(b, l, rms(x, m.get(b + "attn_norm.weight"), m.eps))
            u = rms(x, m.get(b + "ffn_norm.weight"), m.eps)
            x = x + (experts(m, b, u, sigmoid(linear(m, b + "ffn_gate_inp", u)), m.get(b + "exp_probs_b.bias")) if moe and l
                     else gated(m, b, silu, u))
        return rms(x, m.get("token_embd_norm.weight"), m.eps) @ m.get("token_embd.weight").T
    return m, run


def minimax_m2():
    """q and k normalised over all heads together, half of a head turned, sigmoid routing with a bias."""
    m = Model("minimax-m2", "minimax-m2", L=2, base=5000000.0, **SHAPE)
    moe_keys(m, rope__dimension_count=(U32, 4), expert_gating_func=(U32, 2))
    embedding_and_output(m)
    for l in range(m.L):
        b = f"blk.{l}."
        norms(m, b, "attn_norm ffn_norm", m.D)
        projections(m, b, -1)
        m.weight(b + "ffn_gate_inp.weight", EXPERTS, m.D, gain=2)
        m.vector(b + "exp_probs_b.bias", EXPERTS, 0)
        for name, rows, columns in (("gate", WIDTH, m.D), ("up", WIDTH, m.D), ("down", m.D, WIDTH)):
            m.weight(f"{b}ffn_{name}_exps.weight", rows, columns, gain=1.5, n=EXPERTS)

    def block(l, x):
        b, a = f"blk.{l}.", angles(4, m.base)
        u = rms(x, m.get(b + "attn_norm.weight"), m.eps)
        q, k = (turned(heads(rms(linear(m, f"{b}attn_{n}", u), m.get(f"{b}attn_{n}_norm.weight"), m.eps), m.dh), a) for n in "qk")
        x = x + linear(m, b + "attn_output", attention(q, k, heads(linear(m, b + "attn_v", u), m.dh), m.dh ** -0.5, causal()))
        u = rms(x, m.get(b + "ffn_norm.weight"), m.eps)
        return x + experts(m, b, u, sigmoid(linear(m, b + "ffn_gate_inp", u)), m.get(b + "exp_probs_b.bias"))
    return m, trunk(m, block, False)


def qwen2moe():
    """Biases on q, k and v; softmax shares as they are; a shared expert with a gate."""
    m = Model("qwen2moe", "qwen2moe", L=2, base=1000000.0, **SHAPE)
    moe_keys(m, expert_shared_feed_forward_length=(U32, 12))
    embedding_and_output(m)
    for l in range(m.L):
        b = f"blk.{l}."
        norms(m, b, "attn_norm ffn_norm", m.D)
        projections(m, b, bias=True)
        expert_tensors(m, b, 12)
        m.weight(b + "ffn_gate_inp_shexp.weight", 1, m.D)

    def block(l, x):
        b, a = f"blk.{l}.", angles(m.dh, m.base)
        u = rms(x, m.get(b + "attn_norm.weight"), m.eps)
        q, k = (turned(heads(linear(m, f"{b}attn_{n}", u), m.dh), a) for n in "qk")
        x = x + linear(m, b + "attn_output", attention(q, k, heads(linear(m, b + "attn_v", u), m.dh), m.dh ** -0.5, causal()))
        u = rms(x, m.get(b + "ffn_norm.weight"), m.eps)
        share, y = softmax(linear(m, b + "ffn_gate_inp", u)), np.zeros_like(u)
        gate, up, down = (m.get(f"{b}ffn_{n}_exps.weight") for n in ("gate", "up", "down"))
        for t in range(N_TOKENS):
            for e in np.argsort(-share[t])[:USED]:
                y[t] += share[t, e] * (down[e] @ (silu(gate[e] @ u[t]) * (up[e] @ u[t])))
        return x + y + sigmoid(linear(m, b + "ffn_gate_inp_shexp", u)) * gated(m, b, silu, u, "_shexp")
    return m, trunk(m, block, False)


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "models")
    out.mkdir(exist_ok=True)
    for m, run in (gemma3(), gpt_oss("gpt-oss"), gpt_oss("gpt-oss-layers", (False, True, True), 500.0), lfm2("lfm2"), lfm2("lfm2moe"), minimax_m2(), qwen2moe()):
        write(out, m, run)


if __name__ == "__main__":
    main()
