# SPDX-License-Identifier: MIT
"""Training: python -m boxgen.train --out DIR. Data is made as it goes; a run can be stopped and goes on from its checkpoint.

The rate of learning warms up, stays, and falls to nothing over the last --decay steps. Matrices are trained by Muon, the
embedding and the norms by AdamW. Skills are drawn by how badly held-out cases of them go.
"""
import argparse
import json
import os
import pathlib
import random
import time

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from . import tokenizer as tokens
from .progress import accuracy
from .mix import Packer
from .model import Model, Shape
from .skills import ALL

BASE = {"arithmetic": 2.4, "chat": 1.4, "copying": 1.1, "counting": 2.0, "extraction": 3.4, "facts": 2.0, "refusal": 1.7,
        "sorting": 2.3, "spelling": 1.4, "stories": 0.25, "tools": 3.2}  # fmt: skip
HEADED = 0.45  # share of the positions that are learned from
SIZES = {"box": Shape(vocab=tokens.SIZE), "draft": Shape(vocab=tokens.SIZE, width=128, layers=3, head=32, hidden=256)}


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--size", choices=SIZES, default="box")
    p.add_argument("--steps", type=int, default=7000)
    p.add_argument("--decay", type=int, default=2500)
    p.add_argument("--rows", type=int, default=32)
    p.add_argument("--length", type=int, default=256)
    p.add_argument("--rate", type=float, default=0.01)
    p.add_argument("--check", type=int, default=200, help="steps between checkpoints")
    p.add_argument("--threads", type=int, default=0, help="0: what torch chooses")
    return p.parse_args()


def rate(step, steps, decay, warmup=60):
    return min((step + 1) / warmup, 1, max(steps - step, 0) / max(decay, 1))


def batch(packer, rows, length, weights, long):
    """Ids [rows, length], the positions that are learned from [n], their targets and weights, and the mask of attention. The
    positions are all that the assistant says, and some of the others: n is HEADED of all."""
    ids, importance, documents = map(torch.from_numpy, packer.rows(rows, length, list(BASE), weights, long))
    targets, importance, documents = ids[:, 1:].flatten(), importance[:, 1:].flatten(), documents[:, :-1]
    chosen = (importance + 0.05 * torch.rand(len(importance))).topk(int(HEADED * len(importance)), sorted=False).indices.sort()[0]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    seen = (documents[:, :, None] == documents[:, None, :]) & causal
    mask = torch.zeros(seen.shape, dtype=torch.bfloat16).masked_fill_(~seen, -1e9)
    return ids[:, :-1].contiguous(), chosen, targets[chosen], importance[chosen], mask[:, None]


def main():
    a = arguments()
    a.out.mkdir(parents=True, exist_ok=True)
    if a.threads > 0:
        torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    if not (a.out / "tokenizer.json").exists():
        tokens.train().save(str(a.out / "tokenizer.json"))
    packer = Packer(Tokenizer.from_file(str(a.out / "tokenizer.json")), random.Random(1))
    model = Model(SIZES[a.size])
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embd" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() != 2 or "embd" in n]
    optimizers = [torch.optim.Muon(matrices, lr=a.rate, weight_decay=0.02, momentum=0.95),
                  torch.optim.AdamW(others, lr=a.rate * 0.2, betas=(0.9, 0.95), weight_decay=0.0)]  # fmt: skip
    peaks = [a.rate, a.rate * 0.2]
    step, weights = 0, list(BASE.values())
    checkpoint = a.out / f"{a.size}.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=False)
        model.load_state_dict(saved["model"])
        for o, s in zip(optimizers, saved["optimizers"]):
            o.load_state_dict(s)
        step, weights = saved["step"], saved["weights"]
        packer.rng.setstate(saved["random"])

    def loss_of(ids, chosen, targets, importance, mask):
        with torch.autocast("cpu", torch.bfloat16):
            logits = model.head(model(ids, mask).flatten(0, 1)[chosen])
        losses = F.cross_entropy(logits.float(), targets, reduction="none")
        return (losses * importance).sum() / importance.sum()

    compiled = torch.compile(loss_of, dynamic=False)
    began, seen, mean = time.time(), 0, None
    while step < a.steps:
        long = step % 16 == 15
        data = batch(packer, a.rows // 4 if long else a.rows, a.length * 4 if long else a.length, weights, long)
        factor = rate(step, a.steps, a.decay)
        for o, peak in zip(optimizers, peaks):
            for g in o.param_groups:
                g["lr"] = peak * factor
        loss = compiled(*data)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for o in optimizers:
            o.step()
            o.zero_grad()
        step, seen = step + 1, seen + data[0].numel()
        mean = loss.item() if mean is None else 0.95 * mean + 0.05 * loss.item()
        if step % 20 == 0:
            print(f"{step} loss {mean:.4f} rate {factor:.2f} {seen / (time.time() - began):.0f} tokens/s", flush=True)
        if step % a.check == 0 or step == a.steps:
            scores = {s: accuracy(model, packer, s, 64, seed=step) for s in ALL if s != "stories"}
            weights = [b * (1 if s not in scores else 0.3 + 2 * (1 - scores[s])) for s, b in BASE.items()]
            state = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "step": step,
                     "weights": weights, "random": packer.rng.getstate(), "shape": vars(model.shape)}  # fmt: skip
            torch.save(state, checkpoint.with_suffix(".new"))
            os.replace(checkpoint.with_suffix(".new"), checkpoint)
            print(f"{step} held-out " + json.dumps({s: round(v, 2) for s, v in scores.items()}), flush=True)


if __name__ == "__main__":
    main()
