# SPDX-License-Identifier: MIT
"""Repeating a text, and picking one item of a list."""
from ..conversation import exchange
from ..pools import filled, first_name, phrase, place, word

REPEAT = ["Repeat: {t}.", "Repeat after me: {t}.", "Say {t}.", "Copy this: {t}.", "Please repeat: {t}.", "Repeat the words {t}.",
          "Repeat this: {t}.", "Copy: {t}.", "Say this: {t}.", "Say after me: {t}.", "Copy these words: {t}."]  # fmt: skip
REPEAT_FORMS = [
    "(Please|Can you|Could you|Now|I want you to|) (repeat|copy|echo|say|write|type|give back) "
    "(this|that|these words|those words|the words|the following|the text|exactly this|this text|the line|this (phrase|sentence|line)) "
    "(after me|back to me|for me|exactly|once|word for word|): {t}.",
    "(Repeat|Say|Echo|Write|Type) {t}.", "(Please|Can you|) (repeat|say|echo|copy) after me: {t}.", "(Echo|Write|Type|Say): {t}.",
    "(Repeat|Say|Copy|Echo|Write) (what I (say|write|type)|what follows|my words): {t}.",
    'Repeat "{t}".', '(Say|Copy|Echo|Write) (the words|this|) "{t}".', "{t}. (Repeat|Copy|Echo|Say) (that|this|it|these words).",
    "(Copy|Repeat) (of|) (the|) (text|line|words): {t}."]  # fmt: skip
PICK = ["What is the {o} word of: {t}?", "Which word is {o}: {t}?", "Name the {o} word: {t}.",
        "Tell me the {o} word of: {t}.", "The {o} word, please: {t}.", "Which is the {o} word: {t}?"]  # fmt: skip
PICK_FORMS = [
    "(Please|Can you|Now|) (tell me|name|give me|say|find|pick|show me) the {o} (word|item|one) (of|in|from|of the list|in this list|here|): {t}.",
    "(What|Which) (word|item|one) (is|comes|stands) {o} (here|in this list|in the list|): {t}?",
    "(What is|Which is|Do you see) the {o} (word|item|one) (in|of|here|in this list|of this list): {t}?",
    "{t}: (what is|tell me|name) the {o} word?", "(The|) {o} (word|item) (in|of|from): {t}?"]  # fmt: skip


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
        return exchange(filled(rng, phrase(rng, REPEAT, held, REPEAT_FORMS), please=False, t=text), text + ".")
    items = [word(rng, held) for _ in range(rng.randint(2, 6))]
    order, at = rng.choice((("first", 0), ("last", -1), ("second", 1)))
    text = (", " if rng.random() < 0.25 else " ").join(items)
    return exchange(filled(rng, phrase(rng, PICK, held, PICK_FORMS), please=False, o=order, t=text), items[at] + ".")
