# SPDX-License-Identifier: MIT
"""Repeating a text, and picking one item of a list."""
from ..conversation import exchange
from ..pools import first_name, phrase, place, vary, word

REPEAT = ["Repeat: {t}.", "Repeat after me: {t}.", "Say {t}.", "Copy this: {t}.", "Please repeat: {t}.", "Repeat the words {t}.",
          "Repeat this: {t}.", "Copy: {t}.", "Say this: {t}.", "Say after me: {t}.", "Copy these words: {t}."]  # fmt: skip
PICK = ["What is the {o} word of: {t}?", "Which word is {o}: {t}?", "Name the {o} word: {t}.",
        "Tell me the {o} word of: {t}.", "The {o} word, please: {t}.", "Which is the {o} word: {t}?"]  # fmt: skip


def _item(rng, held):
    r = rng.random()
    if r < 0.6:
        return word(rng, held, invent=0.3)
    if r < 0.8:
        return first_name(rng, held)
    return str(rng.randint(0, 9999)) if r < 0.9 else place(rng, held)


def case(rng, held):
    if rng.random() < 0.8:
        text = " ".join(_item(rng, held) for _ in range(rng.randint(1, 8)))
        return exchange(vary(rng, phrase(rng, REPEAT, held).format(t=text), please=False), text + ".")
    items = [word(rng, held) for _ in range(rng.randint(2, 6))]
    order, at = rng.choice((("first", 0), ("last", -1), ("second", 1)))
    return exchange(vary(rng, phrase(rng, PICK, held).format(o=order, t=" ".join(items)), please=False), items[at] + ".")
