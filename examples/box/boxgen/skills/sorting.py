# SPDX-License-Identifier: MIT
"""Sorting: words by the alphabet, three to five of them, in training at times two or six; three to seven numbers by size."""
from ..conversation import exchange
from ..pools import filled, phrase, word

WORDS = ["Sort these words: {l}.", "Sort alphabetically: {l}.", "Put these words in alphabetical order: {l}.",
         "Sort the words {l}.", "Sort {l} by the alphabet.", "Sort: {l}.", "Alphabetical order, please: {l}.",
         "Put in alphabetical order: {l}.", "Sort these words from A to Z: {l}."]  # fmt: skip
WORD_FORMS = [
    "(Please|Can you|Could you|Now|I want you to|Let's|) (sort|order|arrange|alphabetize|rank) (all|) (the|these|those|my|the following|) "
    "(words|items|terms|entries|names|things|) (alphabetically|by the alphabet|in alphabetical order|by letter|from a to z|) "
    "(for me|please|): {l}.",
    "(Please|Can you|Could you|Now|) (put|bring|get|write|list|give|show|return) (these|those|my|the following|the|) "
    "(words|items|terms|entries|things|) (in|into|in the) (alphabetical|alphabetic|ABC|dictionary|the right|alphabet) order: {l}.",
    "(Sort|Order|Arrange) (the list|this list|my list|this|these) (alphabetically|by the alphabet|): {l}.",
    "(Sort|Order|Arrange|Can you sort|Please sort) {l} (alphabetically|in alphabetical order|from A to Z|by first letter).",
    "(Sort|Order|Arrange|Please sort) (words|the terms|the items|the names|the list|my words): {l}.",
    "(Alphabetical order|The alphabetical order|In alphabetical order|Alphabetically|By the alphabet|A to Z) "
    "(of|for|): {l}.",
    "{l}: (sort|order|arrange) (them|these|this list|) (alphabetically|by the alphabet|).",
    "{l}. (Sort them|Sort these words|Sort this list|Alphabetical order)(, please|).",
    "(What is|Tell me|Give me|I need) the alphabetical order of (these words|this list|these|): {l}?",
    "(Order|Arrange|Can you sort|Please sort|Rank|Alphabetize|Now order) (the|these|my) "
    "(words|items|names|terms|things) {l} (alphabetically|by the alphabet|).",
    "Sort {l}.", "Order: {l}."]  # fmt: skip
NUMBERS = ["Sort these numbers: {l}.", "Sort by size: {l}.", "Put these numbers in order: {l}.", "Sort the numbers {l}.",
           "Sort {l} from small to large.", "Sort: {l}.", "From smallest to largest, please: {l}.",
           "Put in order: {l}.", "Order these numbers: {l}."]  # fmt: skip
NUMBER_FORMS = [
    "(Please|Can you|Could you|Now|I want you to|Let's|) (sort|order|arrange|rank) (all|) (the|these|those|my|the following|) "
    "(numbers|values|figures|items|) (by size|from small to large|in order|from low to high|upwards|in ascending order|) (for me|please|): {l}.",
    "(Please|Can you|Could you|Now|) (put|bring|write|list|give|show|return) (these|those|my|the following|the|) "
    "(numbers|values|figures|) (in|in the|in ascending|in numerical|in increasing) order: {l}.",
    "(Sort|Order|Arrange) (the list|this list|my list|this|these) (by size|by value|): {l}.",
    "(Order|Arrange|Can you sort|Please sort) {l} (by size|in order|in ascending order|from low to high).",
    "(Ascending order|The right order|In order|By size|From low to high|Smallest first) (of|for|): {l}.",
    "{l}: (sort|order|arrange) (them|these|this list|) (by size|).", "{l}. (Sort them|Sort these numbers|Sort this list)(, please|).",
    "(Order|Arrange|Can you sort|Please sort|Rank|Now order) (the|these|my) (numbers|values|figures) {l} (by size|in order|).",
    "Sort {l}.", "Order: {l}."]  # fmt: skip


BETWEEN = [", "] * 8 + [" ", ","]


def words(rng, held):
    """Words of different first letters: which letter decides is the alphabet's whole secret."""
    chosen = {}
    n = rng.choice((3, 3, 4, 4, 5)) if held or rng.random() < 0.8 else rng.choice((2, 6))
    while len(chosen) < n:
        w = word(rng, held, invent=0.2)
        chosen.setdefault(w[0], w)
    items = list(chosen.values())
    rng.shuffle(items)
    return items


def case(rng, held):
    if rng.random() < 0.5:
        items, phrasings, forms = words(rng, held), WORDS, WORD_FORMS
        answer = sorted(items)
    else:
        n, tops = rng.choice((3, 3, 4, 4, 5, 5, 6, 7)), rng.choice(((20,), (99,), (99,), (9, 99), (9, 99, 999), (99, 999)))
        items = set()
        while len(items) < n:
            items.add(rng.randint(0, rng.choice(tops)))
        items, phrasings, forms = list(items), NUMBERS, NUMBER_FORMS
        rng.shuffle(items)
        if held != (sum(items) % 6 == 0):
            return case(rng, held)
        answer = sorted(items)
    form = phrase(rng, phrasings, held, forms)
    text = rng.choice(BETWEEN if ":" in form else BETWEEN[:1]).join(map(str, items))
    question = filled(rng, form, please=False, small=True, l=text)
    return exchange(question, ", ".join(map(str, answer)) + ".")
