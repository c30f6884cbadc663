# SPDX-License-Identifier: MIT
"""Counting the words of a phrase, a list or a sentence, the letters of a word, and how often one of them comes. The answer
counts aloud."""
from ..conversation import exchange
from ..pools import filled, phrase, word
from ..words import common
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

TIMES = ["How many times does the letter {c} appear in {w}?", "How many {c} are in {w}?", "How many {c}'s are in {w}?", "Count the {c} in {w}.",
         "How often is {c} in {w}?", "How many {c}s are there in the word {w}?", "How many times is {c} in {w}?", "How often does {c} come in {w}?",
         "How many {c}'s are there in {w}?"]  # fmt: skip
TIMES_FORMS = ["How many (times|) (is|does) (the letter|) {c} (come|in|appear in|occur in) (the word|) {w}?",
               "(Please|Can you|) count (the (letter|letters)|all the|every) {c} in (the word|) {w}.",
               "How many (letters|times the letter) {c} (are|are there|does|has) (in|) (the word|) {w}?",
               "How many {c}('s|s|) (are|are there|do you see|) in (the word|) {w}?",
               "(Tell me|Say|I want to know) how (often|many times) {c} (is|comes|appears) in {w}."]  # fmt: skip
FUNCTION_WORDS = """the the the a a and on in of to is was with my your it he she we they had at for sat ran saw not his her one two big
little never always there here very so but or by from""".split()
SENTENCES = ["the {n} {v} the {n2}", "the {n} is on the {n2}", "the {n} sat on the {n2}", "my {p} has a {q} {n} and a {q2} {n2}",
             "I saw the {q} {n} in the {n2}",
             "a {n} and a {n2} are in the {n}", "the {p} and the {p2} {v} every {n}", "she sells {n} and {n2} by the {q} {n2}",
             "we like the {q} {n} and the {q} {n2}",
             "to be or not to be", "it is a {q} {n} but it is not the {n2}", "he said that the {n} was in the {n2} of the {p}",
             "my {n} is {q} and your {n} is {q2}",
             "the {q} {n} {v} over the {q2} {n2}", "I am {q} and you are {q2}", "my name is {p} and I am from {n}"]  # fmt: skip


def running(rng, held):
    """Words as they follow each other in a text, where the small ones come again."""
    if rng.random() < 0.5:
        text = rng.choice(SENTENCES).format(n=word(rng, held), n2=word(rng, held), v=rng.choice(common.ACTIONS), p=rng.choice(common.PEOPLE),
                                            p2=rng.choice(common.PEOPLE), q=rng.choice(common.QUALITIES), q2=word(rng, held))  # fmt: skip
        return text.split()
    n = rng.randint(3, 10)
    return [rng.choice(FUNCTION_WORDS) if rng.random() < 0.55 else word(rng, held, invent=0.1) for _ in range(n)]


def times(letter, w):
    """ "r-o-b1-b2-i-n: 2 times b." """
    n, parts = 0, []
    for c in w:
        n += c == letter
        parts.append(f"{c}{n}" if c == letter else c)
    return "-".join(parts) + f": {n} time{'s' * (n != 1)} {letter}."


def counted(items):
    """ "1 tree, 2 apple: 2 words." """
    return ", ".join(f"{i + 1} {item}" for i, item in enumerate(items)) + f": {len(items)} word{'s' * (len(items) > 1)}."


def case(rng, held):
    r = rng.random()
    if r < 0.6:
        question = phrase(rng, WORDS, held, WORD_FORMS)
        if r < 0.25:
            items = running(rng, held)
            if rng.random() < 0.2:
                items[0] = items[0].capitalize()
            return exchange(filled(rng, question, please=False, t=" ".join(items)), counted(items))
        items = [word(rng, held, invent=0.2) for _ in range(rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 3, 4, 5, 6)))]
        text = (", " if '"' not in question and rng.random() < 0.25 else " ").join(items)
        return exchange(filled(rng, question, please=False, t=text), counted(items))
    if r < 0.7:
        w = word(rng, held, invent=0.2)
        c = rng.choice(w) if rng.random() < 0.8 else rng.choice("abcdefghijklmnopqrstuvwxyz")
        return exchange(filled(rng, phrase(rng, TIMES, held, TIMES_FORMS), please=False, small=True, w=w, c=c), times(c, w))
    w = word(rng, held, invent=0.4)
    question = phrase(rng, LETTERS, held, LETTER_FORMS)
    return exchange(filled(rng, question, small=True, w=w), f"{letters(w)}: {len(w)} letter{'s' * (len(w) > 1)}.")
