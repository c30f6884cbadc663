# SPDX-License-Identifier: MIT
"""Counting the words of a phrase or a list and the letters of a word. The answer counts aloud."""
from ..conversation import exchange
from ..pools import filled, phrase, word
from .spelling import letters

WORDS = ['How many words are in "{t}"?', "Count the words: {t}.", "How many words: {t}?", "Count these words: {t}.",
         'Count the words in "{t}".', 'What is the number of words in "{t}"?', "How many words are here: {t}?",
         "Tell me how many words these are: {t}.", 'Words in "{t}"?', 'How many words does "{t}" have?',
         "Word count of: {t}.", "Please count the words in: {t}."]  # fmt: skip
WORD_FORMS = [
    "(Please|Can you|Could you|Now|I want you to|) count (all|) (the|these|those|my|the following|) (words|items|things|terms|entries|names) "
    "((in|of|from) (this|my|the|) (list|line|text|sentence|phrase|row|)|here|for me|): {t}.",
    "How many (words|items|things|terms|entries) (are|do you see|can you count|are there|do we have|) "
    "(here|in this (list|line|text|sentence|phrase)|in the list|in my list|in this|in total|): {t}?",
    "(What is|Give me|Tell me|I need|Find|) the (number|count|total) of (words|items|terms|entries) "
    "(here|in this (list|line|text|sentence)|in|): {t}.",
    "(Tell me|Say|Can you say|Work out|Find out|I want to know) how many (words|items|things) "
    "(there are|you see|I have|are (here|in this (list|text|line)|listed)) (here|): {t}.",
    'How many words (are there|are|do you count|do you see) in (the (phrase|text|sentence|line)|) "{t}"?',
    '(Please|Can you|) (count|tell me the number of) (the|all|) words (in|of) (the (phrase|text|sentence|line)|this|) "{t}".',
    "{t}: how many (words|items|things) (is that|are these|are that|are there|are they)?",
    "{t}. (How many words is that|Count these|Count the words|How many words|Count them|How many are there)?",
    "Count: {t}.", "Count (these|this): {t}.", "(The|) (length|size) of (this|the|my) list: {t}."]  # fmt: skip
LETTERS = ["How many letters does {w} have?", "How many letters are in {w}?", "Count the letters of {w}.",
           "Tell me how many letters {w} has.", "Count the letters in {w}.", "How many letters are in the word {w}?",
           "How many letters has {w}?", "What is the number of letters in {w}?", "Letters in {w}?", "How long is the word {w}?",
           "Count letters: {w}.", "How many letters are there in the word {w}?", "How many letters are there in {w}?"]  # fmt: skip
LETTER_FORMS = [
    "(Please|Can you|Could you|Now|) count (all|) (the|its|) (letters|characters) (in|of|for) (the word|this word:|the name|) {w}.",
    "How many (letters|characters) (are in|are there in|does|do you see in|do you count in|make up) (the (word|name)|) {w}?",
    "(What is|Give me|Tell me|I need|Find|) the (number|count|total) of (letters|characters) (in|of) (the (word|name)|) {w}.",
    "(Tell me|Say|Can you say|Work out|I want to know) how (many letters are in (the word|) {w}|many letters the word {w} has|long {w} is).",
    "(Letter count|Number of letters|Letters|How many letters) (in|of) (the word|) {w}?", "{w}: how many letters?",
    "How long is {w}?", "How many letters: {w}?", "What (length|size) (is|has) (the word|) {w}?"]  # fmt: skip


def counted(items):
    """ "1 tree, 2 apple: 2 words." """
    return ", ".join(f"{i + 1} {item}" for i, item in enumerate(items)) + f": {len(items)} word{'s' * (len(items) > 1)}."


def case(rng, held):
    if rng.random() < 0.6:
        items = [word(rng, held, invent=0.2) for _ in range(rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 3, 4, 5, 6)))]
        question = phrase(rng, WORDS, held, WORD_FORMS)
        text = (", " if '"' not in question and rng.random() < 0.25 else " ").join(items)
        return exchange(filled(rng, question, please=False, t=text), counted(items))
    w = word(rng, held, invent=0.4)
    question = phrase(rng, LETTERS, held, LETTER_FORMS)
    return exchange(filled(rng, question, w=w), f"{letters(w)}: {len(w)} letter{'s' * (len(w) > 1)}.")
