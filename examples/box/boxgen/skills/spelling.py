# SPDX-License-Identifier: MIT
"""Spelling: the letters of a word, one by one."""
from ..conversation import exchange
from ..pools import first_name, phrase, vary, word

PHRASINGS = ["Spell {w}.", "How do you spell {w}?", "Spell the word {w}.", "Please spell {w}.", "How is {w} spelled?",
             "Can you spell {w}?", "Spell {w} for me.", "What are the letters of {w}?", "How do I spell {w}?",
             "Write {w} letter by letter.", "Give me the letters of {w}.", "How is {w} written letter by letter?",
             "Write the word {w} letter by letter.", "How is {w} written?", "How do you write {w} letter by letter?",
             "Say the letters of {w}.", "Which letters are in {w}?", "Spell out {w}.", "Spell this word: {w}."]  # fmt: skip


def letters(word):
    return "-".join(word)


def case(rng, held):
    w = first_name(rng, held).lower() if rng.random() < 0.1 else word(rng, held, invent=0.5)
    return exchange(vary(rng, phrase(rng, PHRASINGS, held).format(w=w)), letters(w))
