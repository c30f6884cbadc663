# SPDX-License-Identifier: MIT
"""The network: Qwen 3's, small. RMS norm before each half, rotary positions, norms on queries and keys, SwiGLU, tied
embeddings. Names of parameters map one to one to those of the GGUF file (export.py)."""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Shape:
    vocab: int = 1280
    width: int = 256
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    head: int = 64
    hidden: int = 512
    rope_base: float = 10000.0
    eps: float = 1e-6


class Norm(nn.Module):
    def __init__(self, n, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))
        self.eps = eps

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.eps)


class Block(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.attn_norm, self.ffn_norm = Norm(s.width, s.eps), Norm(s.width, s.eps)
        self.attn_q = nn.Linear(s.width, s.heads * s.head, bias=False)
        self.attn_k = nn.Linear(s.width, s.kv_heads * s.head, bias=False)
        self.attn_v = nn.Linear(s.width, s.kv_heads * s.head, bias=False)
        self.attn_output = nn.Linear(s.heads * s.head, s.width, bias=False)
        self.attn_q_norm, self.attn_k_norm = Norm(s.head, s.eps), Norm(s.head, s.eps)
        self.ffn_gate = nn.Linear(s.width, s.hidden, bias=False)
        self.ffn_up = nn.Linear(s.width, s.hidden, bias=False)
        self.ffn_down = nn.Linear(s.hidden, s.width, bias=False)

    def forward(self, x, rope, mask):
        s, (b, t, _) = self.s, x.shape
        h = self.attn_norm(x)
        q = turn(self.attn_q_norm(self.attn_q(h).view(b, t, s.heads, s.head)), rope).transpose(1, 2)
        k = turn(self.attn_k_norm(self.attn_k(h).view(b, t, s.kv_heads, s.head)), rope).transpose(1, 2)
        v = self.attn_v(h).view(b, t, s.kv_heads, s.head).transpose(1, 2)
        group = s.heads // s.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        a = attend(q, k, v, mask)
        x = x + self.attn_output(a.transpose(1, 2).reshape(b, t, -1))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


def attend(q, k, v, mask):
    """Causal without a mask. With one, short rows are written out: on a CPU that takes two thirds of the fused operation."""
    if mask is None or q.shape[2] > 256:
        return F.scaled_dot_product_attention(q, k, v, is_causal=mask is None, attn_mask=mask)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return torch.softmax(scores.float() + mask, -1).to(v.dtype) @ v


def turn(x, rope):
    """Rotary positions of the NEOX kind: the halves of a head are the two coordinates."""
    cos, sin = rope
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = s = shape
        self.token_embd = nn.Embedding(s.vocab, s.width)
        self.blk = nn.ModuleList(Block(s) for _ in range(s.layers))
        self.output_norm = Norm(s.width, s.eps)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                std = 0.02 if "embd" in name else p.shape[1] ** -0.5
                if "attn_output" in name or "ffn_down" in name:
                    std /= (2 * s.layers) ** 0.5
                nn.init.normal_(p, std=std)

    def rope(self, t, dtype):
        half = self.shape.head // 2
        angles = torch.arange(t)[:, None] * self.shape.rope_base ** -(torch.arange(half) / half)
        return angles.cos()[:, None].to(dtype), angles.sin()[:, None].to(dtype)

    def forward(self, ids, mask=None, dtype=torch.bfloat16):
        """[b, t] ids to [b, t, width] normed states; head() makes logits of any of them. mask: [b, 1, t, t], added to scores."""
        x = self.token_embd(ids).to(dtype)
        rope = self.rope(ids.shape[1], dtype)
        for block in self.blk:
            x = block(x, rope, mask)
        return self.output_norm(x)

    def head(self, states):
        return F.linear(states, self.token_embd.weight.to(states.dtype))
