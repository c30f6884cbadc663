# SPDX-License-Identifier: MIT
"""Sorting: words by the alphabet, numbers by size, three to five of them."""
from ..conversation import exchange
from ..pools import number, phrase, vary, word

WORDS = ["Sort these words: {l}.", "Sort alphabetically: {l}.", "Put these words in alphabetical order: {l}.",
         "Sort the words {l}.", "Sort {l} by the alphabet.", "Sort: {l}.", "Alphabetical order, please: {l}.",
         "Put in alphabetical order: {l}.", "Sort these words from A to Z: {l}."]  # fmt: skip
NUMBERS = ["Sort these numbers: {l}.", "Sort by size: {l}.", "Put these numbers in order: {l}.", "Sort the numbers {l}.",
           "Sort {l} from small to large.", "Sort: {l}.", "From smallest to largest, please: {l}.",
           "Put in order: {l}.", "Order these numbers: {l}."]  # fmt: skip


def words(rng, held):
    """Words of different first letters: which letter decides is the alphabet's whole secret."""
    chosen = {}
    n = rng.choice((3, 3, 4, 4, 5))
    while len(chosen) < n:
        w = word(rng, held, invent=0.15)
        chosen.setdefault(w[0], w)
    items = list(chosen.values())
    rng.shuffle(items)
    return items


def case(rng, held):
    if rng.random() < 0.6:
        items, phrasings = words(rng, held), WORDS
        answer = sorted(items)
    else:
        n, top = rng.choice((3, 4, 5)), rng.choice((20, 99, 99))
        items = set()
        while len(items) < n:
            items.add(number(rng, 0, top))
        items, phrasings = list(items), NUMBERS
        rng.shuffle(items)
        if held != (sum(items) % 6 == 0):
            return case(rng, held)
        answer = sorted(items)
    question = phrase(rng, phrasings, held).format(l=", ".join(map(str, items)))
    return exchange(vary(rng, question, please=False), ", ".join(map(str, answer)) + ".")
