# SPDX-License-Identifier: MIT
"""Counting words of a phrase, letters of a word, things in a list."""
from ..conversation import exchange
from ..pools import phrase, vary, word
from .spelling import letters

WORDS = ['How many words are in "{t}"?', "Count the words: {t}.", "How many words: {t}?", "Count these words: {t}.",
         'Count the words in "{t}".', 'What is the number of words in "{t}"?', "How many words are here: {t}?",
         "Tell me how many words these are: {t}.", 'Words in "{t}"?', 'How many words does "{t}" have?',
         "Word count of: {t}.", "Please count the words in: {t}."]  # fmt: skip
LETTERS = ["How many letters does {w} have?", "How many letters are in {w}?", "Count the letters of {w}.",
           "Tell me how many letters {w} has.", "Count the letters in {w}.", "How many letters are in the word {w}?",
           "How many letters has {w}?", "What is the number of letters in {w}?", "Letters in {w}?", "How long is the word {w}?",
           "Count letters: {w}.", "How many letters are there in the word {w}?", "How many letters are there in {w}?"]  # fmt: skip


def case(rng, held):
    if rng.random() < 0.6:
        n = rng.randint(2, 9)
        text = " ".join(word(rng, held, invent=0.1) for _ in range(n))
        return exchange(vary(rng, phrase(rng, WORDS, held).format(t=text), please=False), f"There are {n} words.")
    w = word(rng, held, invent=0.3)
    return exchange(vary(rng, phrase(rng, LETTERS, held).format(w=w)), f"{letters(w)}: {len(w)} letters.")
