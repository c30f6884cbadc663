#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the tiny models of this folder: python3 make_models.py

Random weights, large enough that every token changes every logit, in the shapes of families whose memory is not a plain list of
positions. No reference values belong to them: tests compare one way of getting to a result with another.

  hybrid.gguf    qwen35: a delta-rule block, an attention block, and an appended draft block
  windowed.gguf  gemma3: five blocks that see 80 tokens back for one that sees everything
  plain.gguf     llama; ../adapters/plain-lora.gguf and plain-lora2.gguf adapt it, plain-merged.gguf is it with 0.5 times the first and
                 -1 times the second added; ../adapters/plain-steer.gguf is a control vector
"""
import os
import random
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
F32, F16 = 0, 1


def string(s):
    return struct.pack("<Q", len(s.encode())) + s.encode()


def value(v):
    if isinstance(v, bool):
        return struct.pack("<IB", 7, v)
    if isinstance(v, int):
        return struct.pack("<II", 4, v)
    if isinstance(v, float):
        return struct.pack("<If", 6, v)
    if isinstance(v, str):
        return struct.pack("<I", 8) + string(v)
    return struct.pack("<IIQ", 9, 5, len(v)) + b"".join(struct.pack("<i", x) for x in v)


class File:
    def __init__(self, name, arch, seed, **keys):
        self.name, self.arch, self.tensors, self.random = name, arch, [], random.Random(seed)
        self.keys = {"general.architecture": arch}
        for k, v in keys.items():
            self.key("%s.%s" % (arch, k.replace("__", ".")), v)

    def key(self, name, v):
        self.keys[name] = v

    def put(self, name, dims, numbers, kind=F32):
        self.tensors.append((name, dims, kind, list(numbers)))

    def matrix(self, name, n_in, n_out, gain=1.0):
        scale = gain / n_in ** 0.5
        numbers = [self.random.gauss(0, scale) for _ in range(n_in * n_out)]
        self.put(name + ".weight", (n_in, n_out), [struct.unpack("<e", struct.pack("<e", x))[0] for x in numbers], F16)

    def vector(self, name, n, spread=0.2, center=1.0):
        self.put(name, (n,), [self.random.gauss(center, spread) for _ in range(n)])

    def norms(self, block, *names, n):
        for name in names:
            self.vector(block + name + ".weight", n)

    def feed_forward(self, block, d, ff):
        self.matrix(block + "ffn_gate", d, ff, 1.5)
        self.matrix(block + "ffn_up", d, ff, 1.5)
        self.matrix(block + "ffn_down", ff, d)

    def write(self):
        head = b"GGUF" + struct.pack("<IQQ", 3, len(self.tensors), len(self.keys))
        for k, v in self.keys.items():
            head += string(k) + value(v)
        data = b""
        for name, dims, kind, numbers in self.tensors:
            head += string(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", n) for n in dims)
            head += struct.pack("<IQ", kind, len(data))
            data += struct.pack("<%d%s" % (len(numbers), "fe"[kind]), *numbers)
            data += bytes(-len(data) % 32)
        head += bytes(-len(head) % 32)
        with open(os.path.join(HERE, self.name + ".gguf"), "wb") as f:
            f.write(head + data)


def base(f, n_vocab, d, tied):
    f.key("tokenizer.ggml.model", "none")
    f.key(f.arch + ".vocab_size", n_vocab)
    f.put("token_embd.weight", (d, n_vocab), [f.random.gauss(0, 1) for _ in range(n_vocab * d)])
    f.vector("output_norm.weight", d)
    if not tied:
        f.matrix("output", d, n_vocab, 2.0)


def hybrid(d=32, heads=2, width=16, ff=48, n_vocab=64, keys=1, values=2, s=8):
    f = File("hybrid", "qwen35", 1, block_count=3, nextn_predict_layers=1, context_length=4096, embedding_length=d,
             feed_forward_length=ff, attention__head_count=heads, attention__head_count_kv=1, attention__key_length=width,
             attention__value_length=width, rope__dimension_count=8, rope__freq_base=10000.0,
             attention__layer_norm_rms_epsilon=1e-6, ssm__conv_kernel=4, ssm__state_size=s, ssm__group_count=keys,
             ssm__time_step_rank=values, ssm__inner_size=s * values, full_attention_interval=2)
    base(f, n_vocab, d, False)
    for block in range(3):
        b = "blk.%d." % block
        f.norms(b, "attn_norm", "post_attention_norm", n=d)
        if block == 0:
            f.matrix(b + "attn_qkv", d, s * (2 * keys + values), 1.5)
            f.matrix(b + "attn_gate", d, s * values, 1.5)
            f.matrix(b + "ssm_beta", d, values)
            f.matrix(b + "ssm_alpha", d, values)
            f.put(b + "ssm_conv1d.weight", (4, s * (2 * keys + values)),
                  [f.random.gauss(0, 0.6) for _ in range(4 * s * (2 * keys + values))])
            f.vector(b + "ssm_dt.bias", values, 0.5, -1.0)
            f.put(b + "ssm_a", (values,), [-0.05, -0.4][:values])
            f.norms(b, "ssm_norm", n=s)
            f.matrix(b + "ssm_out", s * values, d, 1.5)
        else:
            f.matrix(b + "attn_q", d, 2 * heads * width, 1.5)
            f.matrix(b + "attn_k", d, width, 1.5)
            f.matrix(b + "attn_v", d, width)
            f.norms(b, "attn_q_norm", "attn_k_norm", n=width)
            f.matrix(b + "attn_output", heads * width, d, 2.0)
        f.feed_forward(b, d, ff)
    f.matrix("blk.2.nextn.eh_proj", 2 * d, d, 1.4)
    f.norms("blk.2.", "nextn.enorm", "nextn.hnorm", n=d)
    f.write()


def windowed(d=16, heads=2, width=8, ff=24, n_vocab=64, window=80):
    f = File("windowed", "gemma3", 2, block_count=7, context_length=4096, embedding_length=d, feed_forward_length=ff,
             attention__head_count=heads, attention__head_count_kv=1, attention__key_length=width,
             attention__value_length=width, attention__layer_norm_rms_epsilon=1e-6, attention__sliding_window=window,
             rope__freq_base=10000.0)
    base(f, n_vocab, d, True)
    for block in range(7):
        b = "blk.%d." % block
        f.norms(b, "attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm", n=d)
        f.matrix(b + "attn_q", d, heads * width, 1.5)
        f.matrix(b + "attn_k", d, width, 1.5)
        f.matrix(b + "attn_v", d, width)
        f.norms(b, "attn_q_norm", "attn_k_norm", n=width)
        f.matrix(b + "attn_output", heads * width, d, 2.0)
        f.feed_forward(b, d, ff)
    f.write()


def llama(name, d, heads, width, ff, n_vocab):
    f = File(name, "llama", 3, block_count=2, context_length=1024, embedding_length=d, feed_forward_length=ff,
             attention__head_count=heads, attention__head_count_kv=1, attention__key_length=width,
             attention__value_length=width, attention__layer_norm_rms_epsilon=1e-5, rope__freq_base=10000.0)
    base(f, n_vocab, d, False)
    for block in range(2):
        b = "blk.%d." % block
        f.norms(b, "attn_norm", "ffn_norm", n=d)
        f.matrix(b + "attn_q", d, heads * width, 1.5)
        f.matrix(b + "attn_k", d, width, 1.5)
        f.matrix(b + "attn_v", d, width)
        f.matrix(b + "attn_output", heads * width, d, 2.0)
        f.feed_forward(b, d, ff)
    f.tensors = [(n, dims, F32, numbers) for n, dims, _, numbers in f.tensors]
    return f


def lora(name, seed, alpha, adapted, rank, shapes):
    f = File(name, "llama", seed)
    f.key("general.type", "adapter")
    f.key("adapter.type", "lora")
    if alpha:
        f.key("adapter.lora.alpha", alpha)
    for w in adapted:
        n_in, n_out = shapes[w]
        flipped = w.startswith("token_embd")
        f.put(w + ".lora_a", (rank, n_out) if flipped else (n_in, rank), [f.random.gauss(0, 0.3) for _ in range(rank * (n_out if flipped else n_in))])
        f.put(w + ".lora_b", (rank, n_in if flipped else n_out), [f.random.gauss(0, 0.3) for _ in range(rank * (n_in if flipped else n_out))])
    f.write()
    return f


def merge(model, adapter, rank, alpha, scale):
    scale = scale * alpha / rank if alpha else scale
    halves = {n: numbers for n, _, _, numbers in adapter.tensors}
    for n, (n_in, n_out), _, numbers in [t for t in model.tensors if t[0] + ".lora_a" in halves]:
        a, b = halves[n + ".lora_a"], halves[n + ".lora_b"]
        for o in range(n_out):
            for i in range(n_in):
                if n.startswith("token_embd"):
                    add = sum(b[i * rank + r] * a[o * rank + r] for r in range(rank))
                else:
                    add = sum(b[o * rank + r] * a[r * n_in + i] for r in range(rank))
                numbers[o * n_in + i] += scale * add


def plain(d=32, heads=2, width=16, ff=48, n_vocab=64):
    llama("plain", d, heads, width, ff, n_vocab).write()
    merged = llama("plain-merged", d, heads, width, ff, n_vocab)
    shapes = {n: dims for n, dims, _, _ in merged.tensors}
    first = ["token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_v.weight", "blk.0.ffn_down.weight",
             "blk.1.ffn_gate.weight", "output.weight"]
    second = ["blk.0.attn_q.weight", "blk.1.attn_output.weight", "blk.1.ffn_gate.weight"]
    merge(merged, lora("../adapters/plain-lora", 4, 4.0, first, 2, shapes), 2, 4.0, 0.5)
    merge(merged, lora("../adapters/plain-lora2", 5, 0, second, 3, shapes), 3, 0, -1.0)
    merged.write()
    f = File("../adapters/plain-steer", "controlvector", 6)
    f.key("controlvector.model_hint", "llama")
    f.vector("direction.1", d, 0.5, 0.0)
    f.write()


if __name__ == "__main__":
    hybrid()
    windowed()
    plain()
