# SPDX-License-Identifier: MIT
"""What quantisation costs: python -m boxgen.quantisation LM LIBLM DIR [KIND...]. Exports the checkpoint in DIR as each kind and
prints a table: size, perplexity of what the assistant says in held-out conversations, and accuracy skill by skill."""
import math
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
from tokenizers import Tokenizer

from . import export
from .evaluate import evaluate
from .library import Chat
from .mix import REST_WEIGHT, Packer
from .render import render
from .skills import ALL

N_TEXTS, N_CASES = 20, 100  # of each skill


def held_out_ids(packer):
    rng = random.Random("perplexity")
    for skill in ALL.values():
        for _ in range(N_TEXTS):
            yield packer.tokenizer.encode(render({k: v for k, v in skill.case(rng, True).items() if k != "alone"})).ids


def perplexity(lm, model, packer):
    total, count = 0.0, 0
    for ids in held_out_ids(packer):
        command = [lm, "logits", model, "--tokens", ",".join(map(str, ids)), "-o", "-"]
        raw = subprocess.run(command, check=True, capture_output=True).stdout
        rows = np.frombuffer(raw, "<f4").reshape(len(ids), -1).astype(np.float64)
        rows -= rows.max(1, keepdims=True)
        rows -= np.log(np.exp(rows).sum(1, keepdims=True))
        said = np.flatnonzero(packer.weights(ids)[1:] > REST_WEIGHT)
        total -= rows[said, np.array(ids)[said + 1]].sum()
        count += len(said)
    return math.exp(total / count)


def main(lm, liblm, folder, *kinds):
    folder = pathlib.Path(folder)
    packer = Packer(Tokenizer.from_file(str(folder / "tokenizer.json")), None)
    columns = []
    with tempfile.TemporaryDirectory() as temporary:
        for kind in kinds or ("F32", "Q8_0", "Q4_0"):
            path = f"{temporary}/{kind}.gguf"
            export.write(folder, "box", kind, path)
            chat = Chat(liblm, model=path)
            accuracy = evaluate(chat, N_CASES, seed=5)
            chat.close()
            column = {"": kind, "bytes": f"{pathlib.Path(path).stat().st_size:,}", "perplexity": f"{perplexity(lm, path, packer):.4f}"}
            columns.append(column | {name: f"{100 * hits / total:.1f} %" for name, (hits, total) in accuracy.items()})
    for i, name in enumerate(columns[0]):
        print("| " + " | ".join([name] + [c[name] for c in columns]) + " |")
        if i == 0:
            print("|---" * (len(columns) + 1) + "|")


if __name__ == "__main__":
    main(*sys.argv[1:])
