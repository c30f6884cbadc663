# SPDX-License-Identifier: MIT
"""liblm must cut texts into the ids training used: python -m boxgen.check_tokens LM MODEL.gguf tokenizer.json."""
import random
import subprocess
import sys

from tokenizers import Tokenizer

from .render import render
from .skills import ALL

STRANGE = ["", " ", "  two  spaces ", "tab\tand\r\nlines\n\n\n", "héllo wörld ñ 日本語 🙂", "don't can't I'LL", "1234567 3.14",
           "<|im_start", "a-b-c--d"]


def main(lm, model, vocabulary):
    tokenizer = Tokenizer.from_file(vocabulary)
    rng = random.Random(11)
    texts = STRANGE + [
        render({k: v for k, v in m.case(rng, held).items() if k != "alone"})
        for m in ALL.values() for held in (False, True) for _ in range(50)
    ]  # fmt: skip
    wrong = 0
    joined = "".join(texts)
    for text in STRANGE[1:] + [joined]:
        made = subprocess.run([lm, "tokenize", model, "-f", "-", "--parse-special"], input=text.encode(), capture_output=True, check=True)
        ids = [int(i) for i in made.stdout.decode().replace(",", " ").split()]
        if ids != tokenizer.encode(text).ids:
            wrong += 1
            print(f"different ids: {text[:80]!r}")
    print(f"{len(texts)} texts, {wrong} different")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
