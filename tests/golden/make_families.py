#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the models of tests/golden/models whose blocks are unlike llama's: Gemma 3n and 4, DeepSeek's latent attention, encoders.

  make_families.py [OUT_DIR]

Files as make_models.py, whose writer this uses; encoders have NAME.embd.f32 (a row per token) and NAME.pooled.f32 (mean, first)
instead of logits, rerankers their scores in the .json; models with a draft block have its logits in NAME.mtp.f32. The evaluation is in float64 and expands what the library absorbs, shares or skips. Needs numpy.
"""
import json
import pathlib
import sys

import numpy as np

from make_models import ARR, BOOL, F32, KEPT, N_TOKENS, STR, U32, Model
from make_models import attend, dense, embedding_and_output, feed_forward, rms, rotate, silu
from make_models import attention as plain_attention

POS = np.arange(N_TOKENS, dtype=np.float64)


def replace(m, **keys):
    """Give keys of the family other values: kind and value by name with __ for a dot."""
    for name, (kind, value) in keys.items():
        key = f"{m.arch}.{name.replace('__', '.')}"
        m.values = [v for v in m.values if v[0] != key]
        m.put(key, kind, value)


def angles(width, base, divisors=1.0):
    return POS[:, None] * base ** (-2 * np.arange(width // 2) / width) / divisors


def softmax(x):
    p = np.exp(x - x.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))


def plain_rms(x, eps):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps)


def layer_norm(m, name, x, eps):
    d = x - x.mean(-1, keepdims=True)
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + eps) * m.get(name + ".weight") + m.get(name + ".bias")


def causal(window=0):
    distance = np.arange(N_TOKENS)[:, None] - np.arange(N_TOKENS)[None]
    return (distance >= 0) & ((distance < window) if window else True)


def both_ways(window=0):
    distance = np.arange(N_TOKENS)[:, None] - np.arange(N_TOKENS)[None]
    return abs(distance) <= window // 2 if window else np.ones((N_TOKENS, N_TOKENS), bool)


def attention(q, k, v, scale, seen):
    """q [T, H, d], k and v [T, KV, d]: [T, H * dv]"""
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
    p = softmax(np.where(seen, scale * np.einsum("thd,shd->hts", q, k), -np.inf))
    return np.einsum("hts,shd->thd", p, v).reshape(len(q), -1)


def linear(m, name, x):
    y = x @ m.get(name + ".weight").T
    return y + m.get(name + ".bias") if name + ".bias" in m.tensors else y


def heads(x, width):
    return x.reshape(len(x), -1, width)


def gated(m, b, act, x, suffix=""):
    return linear(m, b + "ffn_down" + suffix, act(linear(m, b + "ffn_gate" + suffix, x)) * linear(m, b + "ffn_up" + suffix, x))


# ---- Gemma ----

def norms(m, b, names, n):
    for name in names.split():
        m.vector(f"{b}{name}.weight", n)


def layer_inputs(m, width):
    m.weight("per_layer_token_embd.weight", m.V, width * m.L, gain=np.sqrt(m.L))
    m.weight("per_layer_model_proj.weight", width * m.L, m.D, gain=np.sqrt(m.D))
    m.vector("per_layer_proj_norm.weight", width)


def layer_block(m, b, width):
    m.weight(b + "inp_gate.weight", width, m.D, gain=1.5)
    m.weight(b + "proj.weight", m.D, width, gain=1.5)
    m.vector(b + "post_norm.weight", m.D)


def read_layer_inputs(m, tokens, x, width):
    row = m.get("per_layer_token_embd.weight")[tokens].reshape(N_TOKENS, m.L, width) * np.sqrt(width)
    made = (linear(m, "per_layer_model_proj", x) / np.sqrt(m.D)).reshape(N_TOKENS, m.L, width)
    return (rms(made, m.get("per_layer_proj_norm.weight"), m.eps) + row) / np.sqrt(2)


def layer_input(m, b, x, part):
    return rms(linear(m, b + "proj", gelu(linear(m, b + "inp_gate", x)) * part), m.get(b + "post_norm.weight"), m.eps)


def gemma4():
    """Windows, two head widths, keys as values in full blocks, experts, per-layer embeddings, shared keys."""
    width, slides, n_own, n_kv = 8, [True, True, False, True, False, True], 4, [2, 2, 1, 2, 1, 2]
    m = Model("gemma4", "gemma4", L=6, D=24, H=4, KV=2, F=32, dh=16, base=1000000.0, eps=1e-6)
    replace(m, attention__head_count_kv=(ARR, (U32, n_kv)), attention__key_length_swa=(U32, 8), attention__value_length_swa=(U32, 8),
            rope__dimension_count_swa=(U32, 8), rope__freq_base_swa=(F32, 10000.0), attention__sliding_window=(U32, 10),
            attention__sliding_window_pattern=(ARR, (BOOL, slides)), attention__shared_kv_layers=(U32, 2),
            embedding_length_per_layer_input=(U32, width), expert_count=(U32, 4), expert_used_count=(U32, 2),
            expert_feed_forward_length=(U32, 8), final_logit_softcapping=(F32, 12.0))
    embedding_and_output(m, tied=True)
    m.tensors["rope_freqs.weight"] = np.array([1, 1] + [1e30] * 6, "<f4")
    layer_inputs(m, width)
    for l in range(m.L):
        b, dh = f"blk.{l}.", 8 if slides[l] else 16
        norms(m, b, "attn_norm post_attention_norm ffn_norm post_ffw_norm", m.D)
        m.weight(b + "attn_q.weight", m.H * dh, m.D)
        m.vector(b + "attn_q_norm.weight", dh, 0.8)
        if l < n_own:
            m.weight(b + "attn_k.weight", n_kv[l] * dh, m.D)
            m.vector(b + "attn_k_norm.weight", dh, 0.8)
            if slides[l]:
                m.weight(b + "attn_v.weight", n_kv[l] * dh, m.D)
        m.weight(b + "attn_output.weight", m.D, m.H * dh)
        for name, rows, columns in (("gate", m.F, m.D), ("up", m.F, m.D), ("down", m.D, m.F)):
            m.weight(f"{b}ffn_{name}.weight", rows, columns, gain=1.5)
        if l % 2:
            norms(m, b, "pre_ffw_norm_2 post_ffw_norm_1 post_ffw_norm_2", m.D)
            m.weight(b + "ffn_gate_inp.weight", 4, m.D, gain=2 * np.sqrt(m.D))
            m.vector(b + "ffn_gate_inp.scale", m.D)
            m.weight(b + "ffn_gate_up_exps.weight", 16, m.D, gain=1.5, n=4)
            m.weight(b + "ffn_down_exps.weight", m.D, 8, n=4)
            m.vector(b + "ffn_down_exps.scale", 4)
        layer_block(m, b, width)
        m.vector(b + "layer_output_scale.weight", 1, 0.9)

    def run(tokens):
        x = m.get("token_embd.weight")[tokens] * np.sqrt(m.D)
        inputs, kept = read_layer_inputs(m, tokens, x, width), {}
        for l in range(m.L):
            b, s = f"blk.{l}.", slides[l]
            dh = 8 if s else 16
            a = angles(dh, 10000.0) if s else angles(dh, 1e6, m.get("rope_freqs.weight"))
            u = rms(x, m.get(b + "attn_norm.weight"), m.eps)
            q = rotate(rms(heads(linear(m, b + "attn_q", u), dh), m.get(b + "attn_q_norm.weight"), m.eps), a, 1, False)
            if l < n_own:
                k = heads(linear(m, b + "attn_k", u), dh)
                v = heads(linear(m, b + "attn_v", u), dh) if s else k
                kept[s] = rotate(rms(k, m.get(b + "attn_k_norm.weight"), m.eps), a, 1, False), plain_rms(v, m.eps)
            o = linear(m, b + "attn_output", attention(q, *kept[s], 1.0, causal(10 if s else 0)))
            x = x + rms(o, m.get(b + "post_attention_norm.weight"), m.eps)
            y = gated(m, b, gelu, rms(x, m.get(b + "ffn_norm.weight"), m.eps))
            if l % 2:
                y = rms(y, m.get(b + "post_ffw_norm_1.weight"), m.eps)
                p = softmax((plain_rms(x, m.eps) / np.sqrt(m.D) * m.get(b + "ffn_gate_inp.scale")) @ m.get(b + "ffn_gate_inp.weight").T)
                u, z = rms(x, m.get(b + "pre_ffw_norm_2.weight"), m.eps), np.zeros_like(x)
                up, down, scale = m.get(b + "ffn_gate_up_exps.weight"), m.get(b + "ffn_down_exps.weight"), m.get(b + "ffn_down_exps.scale")
                for t in range(N_TOKENS):
                    chosen = np.argsort(-p[t])[:2]
                    for e in chosen:
                        h = up[e] @ u[t]
                        z[t] += p[t, e] / p[t, chosen].sum() * scale[e] * (down[e] @ (gelu(h[:8]) * h[8:]))
                y = y + rms(z, m.get(b + "post_ffw_norm_2.weight"), m.eps)
            x = x + rms(y, m.get(b + "post_ffw_norm.weight"), m.eps)
            x = (x + layer_input(m, b, x, inputs[:, l])) * m.get(b + "layer_output_scale.weight")
        x = rms(x, m.get("output_norm.weight"), m.eps)
        return 12 * np.tanh(x @ m.get("token_embd.weight").T / 12)
    return m, run


def gemma3n():
    """Four streams, low-rank side path, sparse gates, per-layer embeddings, shared keys."""
    n, width, waist, n_own = 4, 8, 6, 5
    m = Model("gemma3n", "gemma3n", L=7, D=16, H=4, KV=2, F=40, dh=8, base=1000000.0, eps=1e-6)
    sparsity = [1.2, 0.3, 1.2] + [float("-inf")] * 4
    replace(m, attention__sliding_window=(U32, 10), altup__num_inputs=(U32, n), altup__active_idx=(U32, 0),
            embedding_length_per_layer_input=(U32, width), attention__shared_kv_layers=(U32, m.L - n_own),
            activation_sparsity_scale=(ARR, (F32, sparsity)), final_logit_softcapping=(F32, 12.0))
    embedding_and_output(m, tied=True)
    layer_inputs(m, width)
    m.weight("altup_proj.weight", m.D, m.D, n=n - 1)
    m.weight("altup_unembd_proj.weight", m.D, m.D, n=n - 1)
    for l in range(m.L):
        b = f"blk.{l}."
        norms(m, b, "attn_norm post_attention_norm ffn_norm post_ffw_norm altup_router_norm altup_correct_scale laurel_post_norm", m.D)
        for name, rows in (("q", m.H * 8), ("k", m.KV * 8), ("v", m.KV * 8)):
            m.weight(f"{b}attn_{name}.weight", rows, m.D)
        norms(m, b, "attn_q_norm attn_k_norm", 8)
        m.weight(b + "attn_output.weight", m.D, m.H * 8)
        for name, rows, columns in (("gate", m.F, m.D), ("up", m.F, m.D), ("down", m.D, m.F)):
            m.weight(f"{b}ffn_{name}.weight", rows, columns, gain=1.5)
        m.weight(b + "altup_router.weight", n, m.D, gain=0.5 * m.D)
        m.weight(b + "altup_predict_coef.weight", n * n, n, gain=0.3)
        m.weight(b + "altup_correct_coef.weight", n, n, gain=0.5)
        m.weight(b + "laurel_l.weight", waist, m.D)
        m.weight(b + "laurel_r.weight", m.D, waist, gain=0.7)
        layer_block(m, b, width)

    def stretched(x, like):
        return x * np.linalg.norm(like, axis=-1, keepdims=True) / np.linalg.norm(x, axis=-1, keepdims=True)

    def run(tokens):
        x = m.get("token_embd.weight")[tokens] * np.sqrt(m.D)
        inputs, kept = read_layer_inputs(m, tokens, x, width), {}
        streams = [x] + [stretched(x @ w.T, x) for w in m.get("altup_proj.weight")]
        for l in range(m.L):
            b, s = f"blk.{l}.", l % 5 < 4

            def router(v):
                v = rms(v, m.get(b + "altup_router_norm.weight"), m.eps) / m.D
                return np.tanh(linear(m, b + "altup_router", v))
            c = linear(m, b + "altup_predict_coef", router(streams[0])).reshape(N_TOKENS, n, n)
            p = [streams[i] + sum(c[:, i, j, None] * streams[j] for j in range(n)) for i in range(n)]
            u = rms(p[0], m.get(b + "attn_norm.weight"), m.eps)
            side = u + rms(linear(m, b + "laurel_r", linear(m, b + "laurel_l", u)), m.get(b + "laurel_post_norm.weight"), m.eps)
            a = angles(8, 10000.0 if s else 1e6)
            q = rotate(rms(heads(linear(m, b + "attn_q", u), 8), m.get(b + "attn_q_norm.weight"), m.eps), a, 1, False)
            if l < n_own:
                k = rms(heads(linear(m, b + "attn_k", u), 8), m.get(b + "attn_k_norm.weight"), m.eps)
                kept[s] = rotate(k, a, 1, False), plain_rms(heads(linear(m, b + "attn_v", u), 8), m.eps)
            o = linear(m, b + "attn_output", attention(q, *kept[s], 1.0, causal(10 if s else 0)))
            x = (p[0] + rms(o, m.get(b + "post_attention_norm.weight"), m.eps) + side) / np.sqrt(2)
            v = rms(x, m.get(b + "ffn_norm.weight"), m.eps)
            gate = linear(m, b + "ffn_gate", v)
            if np.isfinite(sparsity[l]):
                gate = np.maximum(gate - gate.mean(1, keepdims=True) - np.float64(np.float32(sparsity[l])) * gate.std(1, ddof=1, keepdims=True), 0)
            y = linear(m, b + "ffn_down", gelu(gate) * linear(m, b + "ffn_up", v))
            x = x + rms(y, m.get(b + "post_ffw_norm.weight"), m.eps)
            c = linear(m, b + "altup_correct_coef", router(x)) + 1
            streams = [p[i] + (x - p[0]) * c[:, i, None] for i in range(n)]
            z = layer_input(m, b, streams[0] * m.get(b + "altup_correct_scale.weight"), inputs[:, l])
            streams = [streams[0]] + [y + z for y in streams[1:]]
        x = streams[0] + sum(stretched(y @ w.T, streams[0]) for y, w in zip(streams[1:], m.get("altup_unembd_proj.weight")))
        x = rms(x / n, m.get("output_norm.weight"), m.eps)
        return 12 * np.tanh(x @ m.get("token_embd.weight").T / 12)
    return m, run


# ---- draft blocks: the block behind the trunk, which sees token t and the trunk's state after token t-1 ----

def draft_tensors(m, norm=True):
    b = f"blk.{m.L}.nextn."
    replace(m, block_count=(U32, m.L + 1), nextn_predict_layers=(U32, 1))
    m.weight(b + "eh_proj.weight", m.D, 2 * m.D, gain=1.4)
    norms(m, b, "enorm hnorm" + (" shared_head_norm" if norm else ""), m.D)


def draft_logits(m, tokens, h, block):
    """h: the trunk's rows after the last norm"""
    b = f"blk.{m.L}.nextn."
    before = np.vstack([np.zeros((1, m.D)), h[:-1]])
    e = rms(m.get("token_embd.weight")[tokens], m.get(b + "enorm.weight"), m.eps)
    x = linear(m, b + "eh_proj", np.hstack([e, rms(before, m.get(b + "hnorm.weight"), m.eps)]))
    norm = b + "shared_head_norm.weight"
    x = rms(block(m.L, x), m.get(norm if norm in m.tensors else "output_norm.weight"), m.eps)
    return x @ m.get("output.weight").T


# ---- DeepSeek ----

def deepseek(name, split, arch="deepseek2", fused=False, draft=False):
    rank, nope, rot, dv, q_rank, factor, original, multiplier = 12, 8, 4, 6, 10, 8.0, 32, 0.08 if split else 0.0
    dk = nope + rot
    m = Model(arch, name, L=3, D=24, H=4, KV=1 if split else 4, F=32, dh=dk, eps=1e-6)
    replace(m, rope__dimension_count=(U32, rot), attention__kv_lora_rank=(U32, rank), leading_dense_block_count=(U32, 1),
            attention__key_length=(U32, rank + rot if split else dk), attention__value_length=(U32, rank if split else dv),
            expert_count=(U32, 8), expert_used_count=(U32, 3), expert_feed_forward_length=(U32, 8), expert_shared_count=(U32, 2),
            rope__scaling__type=(STR, "yarn"), rope__scaling__factor=(F32, factor),
            rope__scaling__original_context_length=(U32, original), rope__scaling__yarn_log_multiplier=(F32, multiplier))
    if split:
        replace(m, attention__key_length_mla=(U32, dk), attention__value_length_mla=(U32, dv), attention__q_lora_rank=(U32, q_rank),
                expert_gating_func=(U32, 2), expert_weights_norm=(BOOL, True), expert_weights_scale=(F32, 2.5),
                expert_group_count=(U32, 4), expert_group_used_count=(U32, 2),
                attention__temperature_scale=(F32, 0.3), attention__temperature_length=(U32, 20))
    embedding_and_output(m)
    if draft:
        draft_tensors(m)
    for l in range(m.L + draft):
        b = f"blk.{l}."
        norms(m, b, "attn_norm ffn_norm", m.D)
        m.vector(b + "attn_kv_a_norm.weight", rank)
        m.weight(b + "attn_kv_a_mqa.weight", rank + rot, m.D, gain=1.5)
        if split:
            m.weight(b + "attn_q_a.weight", q_rank, m.D)
            m.vector(b + "attn_q_a_norm.weight", q_rank)
            m.weight(b + "attn_q_b.weight", m.H * dk, q_rank, gain=1.5)
            m.weight(b + "attn_k_b.weight", rank, nope, gain=1.2, n=m.H)
            m.weight(b + "attn_v_b.weight", dv, rank, n=m.H)
        else:
            m.weight(b + "attn_q.weight", m.H * dk, m.D, gain=1.5)
            m.weight(b + "attn_kv_b.weight", m.H * (nope + dv), rank, gain=1.2)
        m.weight(b + "attn_output.weight", m.D, m.H * dv)
        for suffix, f in (("", m.F),) if l == 0 else (("_shexp", 16),):
            for n, rows, columns in (("gate", f, m.D), ("up", f, m.D), ("down", m.D, f)):
                m.weight(f"{b}ffn_{n}{suffix}.weight", rows, columns, gain=1.5)
        if l:
            m.weight(b + "ffn_gate_inp.weight", 8, m.D, gain=2)
            for n, rows, columns in (("gate_up", 16, m.D), ("down", m.D, 8)) if fused else (("gate", 8, m.D), ("up", 8, m.D), ("down", m.D, 8)):
                m.weight(f"{b}ffn_{n}_exps.weight", rows, columns, gain=1.5, n=8)
            if split:
                m.vector(b + "exp_probs_b.bias", 8, 0)

    def angle():
        i, base = np.arange(rot // 2), np.float64(10000.0)

        def pair_that_turns(times):
            return rot * np.log(original / (2 * np.pi * times)) / (2 * np.log(base))
        low, high = max(0, np.floor(pair_that_turns(32))), min(rot - 1, np.ceil(pair_that_turns(1)))
        keep = 1 - np.clip((i - low) / max(0.001, high - low), 0, 1)
        a = angles(rot, base)
        return a / factor * (1 - keep) + a * keep

    def experts(b, u):
        z, y = linear(m, b + "ffn_gate_inp", u), np.zeros_like(u)
        down = m.get(b + "ffn_down_exps.weight")
        gate, up = (np.split(m.get(b + "ffn_gate_up_exps.weight"), 2, axis=1) if fused else
                    (m.get(f"{b}ffn_{n}_exps.weight") for n in ("gate", "up")))
        s = 1 / (1 + np.exp(-z)) if split else softmax(z)
        for t in range(N_TOKENS):
            score = s[t].copy()
            if split:
                score += m.get(b + "exp_probs_b.bias")
                groups = np.sort(score.reshape(4, 2), axis=1).sum(1)
                score[np.repeat(~np.isin(np.arange(4), np.argsort(-groups)[:2]), 2)] = -np.inf
            chosen = np.argsort(-score)[:3]
            for e in chosen:
                w = 2.5 * s[t, e] / s[t, chosen].sum() if split else s[t, e]
                y[t] += w * (down[e] @ (silu(gate[e] @ u[t]) * (up[e] @ u[t])))
        return y + gated(m, b, silu, u, "_shexp")

    log_factor, m_all = np.log(factor), 10 * np.float64(np.float32(multiplier))
    a, scale = angle(), (1 + 0.1 * (m_all or 1) * log_factor) ** 2 / np.sqrt(dk)  # a multiplier of zero is none
    magnitude = 1.0 if arch == "deepseek2" and m_all else (1 + 0.1 * log_factor) / (1 + 0.1 * m_all * log_factor)

    def block(l, x):
        b = f"blk.{l}."
        u = rms(x, m.get(b + "attn_norm.weight"), m.eps)
        if split:
            q = linear(m, b + "attn_q_b", rms(linear(m, b + "attn_q_a", u), m.get(b + "attn_q_a_norm.weight"), m.eps))
            k_b, v_b = m.get(b + "attn_k_b.weight").transpose(0, 2, 1), m.get(b + "attn_v_b.weight")
        else:
            q, kv_b = linear(m, b + "attn_q", u), m.get(b + "attn_kv_b.weight").reshape(m.H, nope + dv, rank)
            k_b, v_b = kv_b[:, :nope], kv_b[:, nope:]
        q, kv = heads(q, dk), linear(m, b + "attn_kv_a_mqa", u)
        c, pe = rms(kv[:, :rank], m.get(b + "attn_kv_a_norm.weight"), m.eps), rotate(kv[:, None, rank:], a, magnitude, True)
        k = np.concatenate([np.einsum("tr,hnr->thn", c, k_b), np.repeat(pe, m.H, axis=1)], axis=2)
        q = np.concatenate([q[..., :nope], rotate(q[..., nope:], a, magnitude, True)], axis=2)
        if split:
            q = q * (1 + np.float64(np.float32(0.3)) * np.log(1 + np.floor(POS / 20)))[:, None, None]
        o = attention(q, k, np.einsum("tr,hnr->thn", c, v_b), scale, causal())
        x = x + linear(m, b + "attn_output", o)
        u = rms(x, m.get(b + "ffn_norm.weight"), m.eps)
        return x + (experts(b, u) if l else gated(m, b, silu, u))

    def run(tokens):
        x = m.get("token_embd.weight")[tokens]
        for l in range(m.L):
            x = block(l, x)
        h = rms(x, m.get("output_norm.weight"), m.eps)
        logits = h @ m.get("output.weight").T
        return (logits, draft_logits(m, tokens, h, block)) if draft else logits
    return m, run


# ---- encoders: run gives the rows after the last norm ----

def encoder(arch, name=None):
    """Attention in both directions, norms after the sums."""
    bert, gates, eps, moe = arch == "bert", arch == "nomic-bert", 1e-12, arch == "nomic-bert-moe"
    m = Model(arch, name or arch, L=3, D=24, H=3, KV=3, F=32, dh=8, ctx=128)
    replace(m, attention__layer_norm_epsilon=(F32, eps), attention__causal=(BOOL, False), pooling_type=(U32, 2 if bert else 1))
    if moe:
        replace(m, expert_count=(U32, 4), expert_used_count=(U32, 2), moe_every_n_layers=(U32, 2))
    m.weight("token_embd.weight", m.V, m.D, gain=4)
    m.weight("token_types.weight", 2, m.D, gain=2)
    if bert:
        m.weight("position_embd.weight", 128, m.D, gain=3)

    def norm(name):
        m.vector(name + ".weight", m.D)
        m.vector(name + ".bias", m.D, 0)
    norm("token_embd_norm")
    for l in range(m.L):
        b = f"blk.{l}."
        if bert:
            for n in "qkv":
                m.weight(f"{b}attn_{n}.weight", m.D, m.D, gain=1.5)
                m.vector(f"{b}attn_{n}.bias", m.D, 0)
        else:
            m.weight(b + "attn_qkv.weight", 3 * m.D, m.D, gain=1.5)
        m.weight(b + "attn_output.weight", m.D, m.D)
        if moe and l == 1:
            m.weight(b + "ffn_gate_inp.weight", 4, m.D, gain=2)
            m.weight(b + "ffn_up_exps.weight", m.F, m.D, gain=1.5, n=4)
            m.weight(b + "ffn_down_exps.weight", m.D, m.F, n=4)
        else:
            for n, rows, columns in (("gate", m.F, m.D), ("up", m.F, m.D), ("down", m.D, m.F))[0 if gates else 1:]:
                m.weight(f"{b}ffn_{n}.weight", rows, columns, gain=1.5)
                if not gates:
                    m.vector(f"{b}ffn_{n}.bias", rows, 0)
        norm(b + "attn_output_norm")
        norm(b + "layer_output_norm")
    if name == "bert-rank":
        replace(m, pooling_type=(U32, 4))
        for n, rows in (("cls", m.D), ("cls.output", 1)):
            m.weight(n + ".weight", rows, m.D, gain=2)
            m.vector(n + ".bias", rows, 0)

    def run(tokens):
        x = m.get("token_embd.weight")[tokens] + m.get("token_types.weight")[0]
        if bert:
            x = x + m.get("position_embd.weight")[:N_TOKENS]
        x = layer_norm(m, "token_embd_norm", x, eps)
        for l in range(m.L):
            b = f"blk.{l}."
            q, k, v = (heads(y, 8) for y in ([linear(m, f"{b}attn_{n}", x) for n in "qkv"] if bert else np.split(linear(m, b + "attn_qkv", x), 3, axis=1)))
            if not bert:
                q, k = rotate(q, angles(8, 10000.0), 1, False), rotate(k, angles(8, 10000.0), 1, False)
            x = layer_norm(m, b + "attn_output_norm", x + linear(m, b + "attn_output", attention(q, k, v, 8 ** -0.5, both_ways())), eps)
            if moe and l == 1:
                p, f = softmax(linear(m, b + "ffn_gate_inp", x)), np.zeros_like(x)
                up, down = m.get(b + "ffn_up_exps.weight"), m.get(b + "ffn_down_exps.weight")
                for t in range(N_TOKENS):
                    for e in np.argsort(-p[t])[:2]:
                        f[t] += p[t, e] * (down[e] @ gelu(up[e] @ x[t]))
            else:
                f = gated(m, b, silu, x) if gates else linear(m, b + "ffn_down", gelu(linear(m, b + "ffn_up", x)))
            x = layer_norm(m, b + "layer_output_norm", x + f, eps)
        return x
    return m, run


def gemma_embedding():
    """Windows to both sides; two matrices after pooling."""
    m = Model("gemma-embedding", "gemma-embedding", L=3, D=24, H=3, KV=1, F=32, dh=8, base=1000000.0, eps=1e-6)
    replace(m, attention__sliding_window=(U32, 12), attention__sliding_window_pattern=(U32, 3), attention__causal=(BOOL, False),
            pooling_type=(U32, 1), dense_2_feat_in=(U32, 24), dense_2_feat_out=(U32, 40), dense_3_feat_in=(U32, 40), dense_3_feat_out=(U32, 24))
    embedding_and_output(m, tied=True)
    m.weight("dense_2.weight", 40, m.D)
    m.weight("dense_3.weight", m.D, 40)
    for l in range(m.L):
        b = f"blk.{l}."
        norms(m, b, "attn_norm post_attention_norm ffn_norm post_ffw_norm", m.D)
        for name, rows in (("q", 24), ("k", 8), ("v", 8)):
            m.weight(f"{b}attn_{name}.weight", rows, m.D)
        norms(m, b, "attn_q_norm attn_k_norm", 8)
        m.weight(b + "attn_output.weight", m.D, 24)
        for name, rows, columns in (("gate", m.F, m.D), ("up", m.F, m.D), ("down", m.D, m.F)):
            m.weight(f"{b}ffn_{name}.weight", rows, columns, gain=1.5)

    def run(tokens):
        x = m.get("token_embd.weight")[tokens] * np.sqrt(m.D)
        for l in range(m.L):
            b, s = f"blk.{l}.", l % 3 < 2
            u, a = rms(x, m.get(b + "attn_norm.weight"), m.eps), angles(8, 10000.0 if s else 1e6)
            q, k, v = (heads(linear(m, f"{b}attn_{n}", u), 8) for n in "qkv")
            q = rotate(rms(q, m.get(b + "attn_q_norm.weight"), m.eps), a, 1, False)
            k = rotate(rms(k, m.get(b + "attn_k_norm.weight"), m.eps), a, 1, False)
            o = linear(m, b + "attn_output", attention(q, k, v, 8 ** -0.5, both_ways(12 if s else 0)))
            x = x + rms(o, m.get(b + "post_attention_norm.weight"), m.eps)
            x = x + rms(gated(m, b, gelu, rms(x, m.get(b + "ffn_norm.weight"), m.eps)), m.get(b + "post_ffw_norm.weight"), m.eps)
        return rms(x, m.get("output_norm.weight"), m.eps)
    return m, run


def qwen3_rank():
    """A decoder that ranks: two labels from the last token's row."""
    m = Model("qwen3", "qwen3-rank", L=2, D=32, H=4, KV=2, F=64, dh=8, base=1000000.0)
    replace(m, pooling_type=(U32, 4))
    embedding_and_output(m, tied=True)
    m.weight("cls.output.weight", 2, m.D, gain=2)
    for l in range(m.L):
        plain_attention(m, f"blk.{l}.", norms=True)
        dense(m, f"blk.{l}.")

    def run(tokens):
        x = m.get("token_embd.weight")[tokens]
        for l in range(m.L):
            x = x + attend(m, f"blk.{l}.", x, angles(8, 1e6))
            x = x + feed_forward(m, f"blk.{l}.", rms(x, m.get(f"blk.{l}.ffn_norm.weight"), m.eps))
        return rms(x, m.get("output_norm.weight"), m.eps)
    return m, run


def scores(m, rows):
    if m.arch == "bert":
        return linear(m, "cls.output", np.tanh(linear(m, "cls", rows[0])))
    return softmax(linear(m, "cls.output", rows[-1]))


def write(out, m, run):
    tokens = np.random.default_rng(len(m.name) + 7).integers(3, m.V, N_TOKENS)
    rows = run(tokens)
    rows, draft = rows if isinstance(rows, tuple) else (rows, None)
    facts = {"name": m.name, "architecture": m.arch, "tokens": [int(t) for t in tokens], "positions": KEPT,
             "tolerance": {"max_abs": 0.0003, "rms": 0.00005}}
    (out / f"{m.name}.gguf").write_bytes(m.file())
    if "cls.output.weight" in m.tensors:
        facts["scores"] = [float(x) for x in scores(m, rows)]
    elif m.arch.endswith(("bert", "bert-moe", "embedding")):
        pooled = np.stack([rows.mean(0), rows[0]])
        if "dense_2.weight" in m.tensors:
            pooled = pooled @ m.get("dense_2.weight").T @ m.get("dense_3.weight").T
        (out / f"{m.name}.embd.f32").write_bytes(rows[KEPT].astype("<f4").tobytes())
        (out / f"{m.name}.pooled.f32").write_bytes(pooled.astype("<f4").tobytes())
        facts.update(embd=f"{m.name}.embd.f32", embd_shape=[len(KEPT), m.D], pooled=f"{m.name}.pooled.f32", pooled_shape=[2, m.D])
    else:
        (out / f"{m.name}.logits.f32").write_bytes(rows[KEPT].astype("<f4").tobytes())
        facts.update(logits=f"{m.name}.logits.f32", shape=[len(KEPT), rows.shape[1]])
    if draft is not None:
        (out / f"{m.name}.mtp.f32").write_bytes(draft[KEPT].astype("<f4").tobytes())
        facts["mtp"] = {"file": f"{m.name}.mtp.f32", "shape": [len(KEPT), draft.shape[1]], "max_abs": 0.0003}
    (out / f"{m.name}.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(f"{m.name}: {len(m.file())} bytes, rows vary by {rows.std():.2f}")


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "models")
    out.mkdir(exist_ok=True)
    for m, run in (gemma4(), gemma3n(), deepseek("deepseek2", True), deepseek("deepseek2-kvb", False),
                   deepseek("deepseek2-mtp", True, draft=True), deepseek("mistral4", True, arch="mistral4", fused=True), encoder("bert"),
                   encoder("nomic-bert"), encoder("nomic-bert-moe"), gemma_embedding(), encoder("bert", "bert-rank"), qwen3_rank()):
        write(out, m, run)


if __name__ == "__main__":
    main()
