# SPDX-License-Identifier: MIT
"""A quick look at held-out accuracy during training: what the assistant says is right when every one of its tokens is the
likeliest given those before, which is exact match of greedy decoding. evaluate.py does it for real, through liblm."""
import random

import torch

from .mix import REST_WEIGHT
from .render import render
from .skills import ALL


@torch.no_grad()
def accuracy(model, packer, skill, n, seed):
    rng = random.Random(f"held {skill} {seed}")
    texts = [render({k: v for k, v in ALL[skill].case(rng, True).items() if k != "alone"}) for _ in range(n)]
    encoded = [e.ids for e in packer.tokenizer.encode_batch(texts)]
    longest = max(map(len, encoded))
    ids = torch.zeros(n, longest, dtype=torch.long)
    said = torch.zeros(n, longest, dtype=torch.bool)
    for i, e in enumerate(encoded):
        ids[i, : len(e)] = torch.tensor(e)
        said[i, : len(e)] = torch.from_numpy(packer.weights(e) > REST_WEIGHT)
    with torch.autocast("cpu", torch.bfloat16):
        chosen = model.head(model(ids)).argmax(-1)
    wrong = (chosen[:, :-1] != ids[:, 1:]) & said[:, 1:]
    return 1 - wrong.any(1).float().mean().item()
