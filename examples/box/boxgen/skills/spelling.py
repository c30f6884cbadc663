# SPDX-License-Identifier: MIT
"""Spelling: the letters of a word, one by one."""
from ..conversation import exchange
from ..pools import filled, first_name, phrase, word

PHRASINGS = ["Spell {w}.", "How do you spell {w}?", "Spell the word {w}.", "Please spell {w}.", "How is {w} spelled?",
             "Can you spell {w}?", "Spell {w} for me.", "What are the letters of {w}?", "How do I spell {w}?",
             "Write {w} letter by letter.", "Give me the letters of {w}.", "How is {w} written letter by letter?",
             "Write the word {w} letter by letter.", "How is {w} written?", "How do you write {w} letter by letter?",
             "Say the letters of {w}.", "Which letters are in {w}?", "Spell out {w}.", "Spell this word: {w}."]  # fmt: skip
FORMS = ["(Please|Can you|Could you|Now|I want you to|) (spell|spell out) (the (word|name)|this word:|this:|) {w} (for me|slowly|letter by letter|).",
         "(How|In which way) (do you|do I|would you|is|can I|should I|does one) spell (the (word|name)|) {w}?",
         "(What are|Tell me|Give me|Name|List|Show me|Write) (all|) the (letters|characters) (of|in) (the (word|name)|) {w}.",
         "(Write|Say|Give me|Tell me|Type) (the (word|name)|) {w} (letter by letter|one letter at a time|with hyphens|in letters).",
         "(Spelling of|Spell|The spelling of|Letters of|Letter by letter): {w}.", "{w}: (how is that spelled|spell it|letters)?",
         "I (do not|don't) know how to spell {w}.", "How is the (word|name) {w} (spelled|written)?",
         "(I need|Give me|What is|Tell me) the spelling of (the (word|name)|) {w}."]  # fmt: skip


def letters(word):
    return "-".join(word)


def case(rng, held):
    w = first_name(rng, held).lower() if rng.random() < 0.1 else word(rng, held, invent=0.5)
    return exchange(filled(rng, phrase(rng, PHRASINGS, held, FORMS), small=True, w=w), letters(w))
