#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make tests/golden/models: tiny random models, one per family, with the logits of a float64 evaluation written here from the papers.

  make_models.py [OUT_DIR]

For each NAME: NAME.gguf (weights in F32), NAME.json (tokens to feed, positions kept, tolerance) and NAME.logits.f32 (a row of
little-endian floats per kept position). Nothing here is shared with the library: reading the formulas twice is the point.
Deterministic: every tensor comes from a generator keyed by its name. Needs numpy.
"""
import json
import pathlib
import struct
import sys
import zlib

import numpy as np

U32, I32, F32, BOOL, STR, ARR = 4, 5, 6, 7, 8, 9
N_TOKENS = 96
KEPT = [0, 1, 7, 15, 31, 47, 63, 64, 80, 95]
PIECES = "e t a o i n s h r d l u c m w f g y p b v k . ,".split() + ["th", "he", "in", "er", "an", "re", "on", "at", "the", "and"]
TOKENS = ["<unk>", "<s>", "</s>", "\u2581"] + PIECES + ["\u2581" + p for p in PIECES[:20]] + ["\u2581the", "\u2581and", "\u2581in", "\u2581on"]


class Model:
    def __init__(self, arch, name, **shape):
        self.arch, self.name, self.values, self.tensors, self.shape = arch, name, [], {}, shape
        self.L, self.D, self.H, self.KV, self.F, self.dh = (shape[k] for k in ("L", "D", "H", "KV", "F", "dh"))
        self.eps, self.base, self.V = shape.get("eps", 1e-5), shape.get("base", 10000.0), len(TOKENS)
        self.put("general.architecture", STR, arch)
        self.put("general.name", STR, name)
        for key, kind, value in (
                ("block_count", U32, self.L), ("context_length", U32, shape.get("ctx", 512)), ("embedding_length", U32, self.D),
                ("feed_forward_length", U32, self.F), ("attention.head_count", U32, self.H), ("attention.head_count_kv", U32, self.KV),
                ("attention.key_length", U32, self.dh), ("attention.value_length", U32, self.dh), ("rope.dimension_count", U32, self.dh),
                ("attention.layer_norm_rms_epsilon", F32, self.eps), ("rope.freq_base", F32, self.base)):
            self.meta(key, kind, value)
        self.put("tokenizer.ggml.model", STR, "llama")
        self.put("tokenizer.ggml.tokens", ARR, (STR, TOKENS))
        self.put("tokenizer.ggml.scores", ARR, (F32, [0.0, 0.0, 0.0] + [-float(i) for i in range(len(TOKENS) - 3)]))
        self.put("tokenizer.ggml.token_type", ARR, (I32, [2, 3, 3] + [1] * (len(TOKENS) - 3)))
        for key, value in (("bos", 1), ("eos", 2), ("unknown", 0)):
            self.put(f"tokenizer.ggml.{key}_token_id", U32, value)

    def put(self, key, kind, value):
        self.values.append((key, kind, value))

    def meta(self, key, kind, value):
        self.put(f"{self.arch}.{key}", kind, value)

    def random(self, name, shape):
        return np.random.default_rng(zlib.crc32(f"{self.name}/{name}".encode())).standard_normal(shape)

    def weight(self, name, rows, columns, gain=1.0, n=None):
        """A matrix of rows x columns (n of them); the rows are what the file stores one after another."""
        shape = (rows, columns) if n is None else (n, rows, columns)
        self.tensors[name] = (self.random(name, shape) * gain / np.sqrt(columns)).astype("<f4")

    def vector(self, name, n, mean=1.0, spread=0.2):
        self.tensors[name] = (mean + spread * self.random(name, n)).astype("<f4")

    def get(self, name):
        return self.tensors[name].astype(np.float64)

    # ---- the file ----

    @staticmethod
    def text(value):
        raw = value.encode()
        return struct.pack("<Q", len(raw)) + raw

    def value(self, kind, value):
        if kind == ARR:
            return struct.pack("<IQ", value[0], len(value[1])) + b"".join(self.value(value[0], v) for v in value[1])
        return self.text(value) if kind == STR else struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)

    def file(self):
        head = b"GGUF" + struct.pack("<IQQ", 3, len(self.tensors), len(self.values))
        for key, kind, value in self.values:
            head += self.text(key) + struct.pack("<I", kind) + self.value(kind, value)
        data = b""
        for name, tensor in self.tensors.items():
            dims = tensor.shape[::-1]
            head += self.text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, 0, len(data))
            data += tensor.tobytes()
            data += bytes(-len(data) % 32)
        return head + bytes(-len(head) % 32) + data


# ---- tensors ----

def embedding_and_output(m, tied=False):
    m.weight("token_embd.weight", m.V, m.D, gain=4)
    m.vector("output_norm.weight", m.D)
    if not tied:
        m.weight("output.weight", m.V, m.D, gain=2)


def attention(m, b, bias=False, norms=False, fused=False):
    q, kv = m.H * m.dh, m.KV * m.dh
    m.vector(b + "attn_norm.weight", m.D)
    if fused:
        m.weight(b + "attn_qkv.weight", q + 2 * kv, m.D, gain=1.5)
    else:
        for name, rows in (("q", q), ("k", kv), ("v", kv)):
            m.weight(f"{b}attn_{name}.weight", rows, m.D, gain=1.5)
            if bias:
                m.vector(f"{b}attn_{name}.bias", rows, 0, 0.5)
    if norms:
        m.vector(b + "attn_q_norm.weight", m.dh, 1.2)
        m.vector(b + "attn_k_norm.weight", m.dh, 1.2)
    m.weight(b + "attn_output.weight", m.D, q)
    m.vector(b + "ffn_norm.weight", m.D)


def dense(m, b, fused=False):
    if fused:
        m.weight(b + "ffn_up.weight", 2 * m.F, m.D, gain=1.5)
    else:
        m.weight(b + "ffn_gate.weight", m.F, m.D, gain=1.5)
        m.weight(b + "ffn_up.weight", m.F, m.D, gain=1.5)
    m.weight(b + "ffn_down.weight", m.D, m.F)


def experts(m, b, n, width):
    m.weight(b + "ffn_gate_inp.weight", n, m.D, gain=2)
    m.weight(b + "ffn_gate_exps.weight", width, m.D, gain=1.5, n=n)
    m.weight(b + "ffn_up_exps.weight", width, m.D, gain=1.5, n=n)
    m.weight(b + "ffn_down_exps.weight", m.D, width, n=n)


# ---- the evaluation, in float64 ----

def rms(x, w, eps):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w


def silu(x):
    return x / (1 + np.exp(-x))


def rotate(x, angle, magnitude, adjacent):
    """x [T, heads, dh], angle [T, dh/2]"""
    c, s = magnitude * np.cos(angle)[:, None], magnitude * np.sin(angle)[:, None]
    y = np.empty_like(x)
    half = x.shape[-1] // 2
    first, second = (np.s_[..., 0::2], np.s_[..., 1::2]) if adjacent else (np.s_[..., :half], np.s_[..., half:])
    y[first] = x[first] * c - x[second] * s
    y[second] = x[first] * s + x[second] * c
    return y


def yarn(m, pos, factor, original, log_multiplier=0.0, fast=32.0, slow=1.0, base=None):
    """Angles and magnitude: pairs that turn often keep their speed, slow ones are slowed down by the factor."""
    i, base = np.arange(m.dh // 2), np.float64(np.float32(base or m.base))
    angle = pos[:, None] * base ** (-2 * i / m.dh)

    def pair_that_turns(times):
        return m.dh * np.log(original / (2 * np.pi * times)) / (2 * np.log(base))
    low = max(0, np.floor(pair_that_turns(fast)))
    high = min(m.dh - 1, np.ceil(pair_that_turns(slow)))
    keep = 1 - np.clip((i - low) / max(0.001, high - low), 0, 1)
    magnitude = (1 + 0.1 * np.log(factor)) / (1 + 0.1 * log_multiplier * np.log(factor))
    return angle / factor * (1 - keep) + angle * keep, magnitude


def plain_angles(m, pos, divisors=1.0):
    return pos[:, None] * m.base ** (-2 * np.arange(m.dh // 2) / m.dh) / divisors


def attend(m, b, x, angle, magnitude=1.0, adjacent=False, q_scale=None):
    T, q_rows, kv_rows = len(x), m.H * m.dh, m.KV * m.dh
    u = rms(x, m.get(b + "attn_norm.weight"), m.eps)
    if b + "attn_qkv.weight" in m.tensors:
        q, k, v = np.split(u @ m.get(b + "attn_qkv.weight").T, [q_rows, q_rows + kv_rows], axis=1)
    else:
        q, k, v = (u @ m.get(f"{b}attn_{n}.weight").T for n in "qkv")
    if b + "attn_q.bias" in m.tensors:
        q, k, v = (y + m.get(f"{b}attn_{n}.bias") for y, n in ((q, "q"), (k, "k"), (v, "v")))
    q, k, v = q.reshape(T, m.H, m.dh), k.reshape(T, m.KV, m.dh), v.reshape(T, m.KV, m.dh)
    if b + "attn_q_norm.weight" in m.tensors:
        q, k = rms(q, m.get(b + "attn_q_norm.weight"), m.eps), rms(k, m.get(b + "attn_k_norm.weight"), m.eps)
    q, k = rotate(q, angle, magnitude, adjacent), rotate(k, angle, magnitude, adjacent)
    if q_scale is not None:
        q = q * q_scale[:, None, None]
    k, v = np.repeat(k, m.H // m.KV, axis=1), np.repeat(v, m.H // m.KV, axis=1)
    scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(m.dh)
    scores = np.where(np.tril(np.ones((T, T), bool)), scores, -np.inf)
    p = np.exp(scores - scores.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return np.einsum("hts,shd->thd", p, v).reshape(T, q_rows) @ m.get(b + "attn_output.weight").T


def feed_forward(m, b, u, used=0):
    if used == 0:
        if b + "ffn_gate.weight" in m.tensors:
            gate, up = u @ m.get(b + "ffn_gate.weight").T, u @ m.get(b + "ffn_up.weight").T
        else:
            gate, up = np.split(u @ m.get(b + "ffn_up.weight").T, 2, axis=1)
        return (silu(gate) * up) @ m.get(b + "ffn_down.weight").T
    logits = u @ m.get(b + "ffn_gate_inp.weight").T
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    gate, up, down = (m.get(f"{b}ffn_{n}_exps.weight") for n in ("gate", "up", "down"))
    y = np.zeros_like(u)
    for t in range(len(u)):
        chosen = np.argsort(-p[t])[:used]
        for e in chosen:
            y[t] += p[t, e] / p[t, chosen].sum() * (down[e] @ (silu(gate[e] @ u[t]) * (up[e] @ u[t])))
    return y


def evaluate(m, tokens, angle, magnitude=1.0, adjacent=False, q_scale=None, used=0):
    x = m.get("token_embd.weight")[tokens]
    for layer in range(m.L):
        b = f"blk.{layer}."
        x = x + attend(m, b, x, angle, magnitude, adjacent, q_scale)
        x = x + feed_forward(m, b, rms(x, m.get(b + "ffn_norm.weight"), m.eps), used)
    x = rms(x, m.get("output_norm.weight"), m.eps)
    return x @ m.get("output.weight" if "output.weight" in m.tensors else "token_embd.weight").T


# ---- the families; each returns the model and what evaluate needs besides tokens ----

def llama(pos):
    """Grouped queries, adjacent pairs, the rotary divisors of Llama 3."""
    m = Model("llama", "llama", L=2, D=32, H=4, KV=2, F=64, dh=8, base=500000.0)
    embedding_and_output(m)
    m.tensors["rope_freqs.weight"] = np.array([1, 1, 2.5, 8], "<f4")
    for layer in range(m.L):
        attention(m, f"blk.{layer}.")
        dense(m, f"blk.{layer}.")
    return m, dict(angle=plain_angles(m, pos, m.get("rope_freqs.weight")), adjacent=True)


def llama_long(pos):
    """Long rope: the long divisors since the context (512) is longer than the original one; a magnitude."""
    m = Model("llama", "llama-longrope", L=2, D=32, H=4, KV=2, F=64, dh=8, ctx=512)
    m.meta("rope.scaling.type", STR, "longrope")
    m.meta("rope.scaling.original_context_length", U32, 64)
    m.meta("rope.scaling.attn_factor", F32, 1.25)
    embedding_and_output(m)
    m.tensors["rope_factors_long.weight"] = np.array([1, 2, 5, 7], "<f4")
    m.tensors["rope_factors_short.weight"] = np.array([1, 1.1, 1.2, 1.3], "<f4")
    for layer in range(m.L):
        attention(m, f"blk.{layer}.")
        dense(m, f"blk.{layer}.")
    return m, dict(angle=plain_angles(m, pos, m.get("rope_factors_long.weight")), magnitude=1.25, adjacent=True)


def qwen2(pos):
    """Biases on q, k and v; halves; tied output."""
    m = Model("qwen2", "qwen2", L=2, D=32, H=4, KV=2, F=64, dh=8, base=1000000.0)
    embedding_and_output(m, tied=True)
    for layer in range(m.L):
        attention(m, f"blk.{layer}.", bias=True)
        dense(m, f"blk.{layer}.")
    return m, dict(angle=plain_angles(m, pos))


def qwen3(pos):
    """Norms of q and k; heads wider than the model; tied output."""
    m = Model("qwen3", "qwen3", L=2, D=32, H=4, KV=2, F=64, dh=16, base=1000000.0)
    embedding_and_output(m, tied=True)
    for layer in range(m.L):
        attention(m, f"blk.{layer}.", norms=True)
        dense(m, f"blk.{layer}.")
    return m, dict(angle=plain_angles(m, pos))


def qwen3moe(pos):
    """Softmax over all experts, the chosen ones' shares made to sum to 1."""
    m = Model("qwen3moe", "qwen3moe", L=2, D=32, H=4, KV=1, F=64, dh=8, base=1000000.0)
    m.meta("expert_count", U32, 6)
    m.meta("expert_used_count", U32, 2)
    m.meta("expert_feed_forward_length", U32, 16)
    embedding_and_output(m)
    for layer in range(m.L):
        attention(m, f"blk.{layer}.", norms=True)
        experts(m, f"blk.{layer}.", 6, 16)
    return m, dict(angle=plain_angles(m, pos), used=2)


def phi3(pos):
    """Fused matrices, long rotary factors since the context (512) is longer than the original one."""
    m = Model("phi3", "phi3", L=2, D=32, H=4, KV=2, F=64, dh=8, ctx=512)
    m.meta("rope.scaling.original_context_length", U32, 128)
    m.meta("rope.scaling.attn_factor", F32, 1.1902380714238083)
    m.meta("attention.sliding_window", U32, 0)
    embedding_and_output(m)
    m.tensors["rope_factors_long.weight"] = np.array([1, 3, 6, 9], "<f4")
    m.tensors["rope_factors_short.weight"] = np.array([1, 1.1, 1.2, 1.3], "<f4")
    for layer in range(m.L):
        attention(m, f"blk.{layer}.", fused=True)
        dense(m, f"blk.{layer}.", fused=True)
    return m, dict(angle=plain_angles(m, pos, m.get("rope_factors_long.weight")), magnitude=np.float64(np.float32(1.1902380714238083)))


def mistral3(pos):
    """Yarn whose magnitude is cancelled in part; queries that grow with the position."""
    m = Model("mistral3", "mistral3", L=2, D=32, H=4, KV=2, F=64, dh=16, base=100000.0)
    m.meta("rope.scaling.type", STR, "yarn")
    m.meta("rope.scaling.factor", F32, 8.0)
    m.meta("rope.scaling.original_context_length", U32, 32)
    m.meta("rope.scaling.yarn_beta_fast", F32, 4.0)
    m.meta("rope.scaling.yarn_beta_slow", F32, 1.0)
    m.meta("rope.scaling.yarn_log_multiplier", F32, 0.5)
    m.meta("attention.temperature_scale", F32, 0.25)
    embedding_and_output(m)
    for layer in range(m.L):
        attention(m, f"blk.{layer}.")
        dense(m, f"blk.{layer}.")
    angle, magnitude = yarn(m, pos, 8.0, 32, 0.5, 4.0, 1.0)
    return m, dict(angle=angle, magnitude=magnitude, adjacent=True, q_scale=1 + 0.25 * np.log(1 + np.floor(pos / 32)))


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "models")
    out.mkdir(exist_ok=True)
    for family in (llama, llama_long, qwen2, qwen3, qwen3moe, phi3, mistral3):
        model, how = family(np.arange(N_TOKENS, dtype=np.float64))
        tokens = np.random.default_rng(len(model.name) + 7).integers(3, model.V, N_TOKENS)
        logits = evaluate(model, tokens, **how)[KEPT].astype("<f4")
        (out / f"{model.name}.gguf").write_bytes(model.file())
        (out / f"{model.name}.logits.f32").write_bytes(logits.tobytes())
        facts = {"name": model.name, "architecture": model.arch, "note": family.__doc__, "tokens": [int(t) for t in tokens],
                 "positions": KEPT, "logits": f"{model.name}.logits.f32", "shape": list(logits.shape),
                 "tolerance": {"max_abs": 0.0003, "rms": 0.00005}}
        (out / f"{model.name}.json").write_text(json.dumps(facts, indent=1) + "\n")
        print(f"{model.name}: {len(model.file())} bytes, logits vary by {logits.std():.2f}")


if __name__ == "__main__":
    main()
