# SPDX-License-Identifier: MIT
"""The fixed facts. Every fact is trained; held-out cases ask in held-out phrasings."""
from ..conversation import exchange
from ..pools import phrase, vary
from ..words import facts as f


def an(word):
    return ("an " if word[0] in "aeiou" and not word.startswith("uni") else "a ") + word


def _next(names, step):
    return {name: names[(i + step) % len(names)] for i, name in enumerate(names)}


PLURAL = {"mouse": "mice", "sheep": "sheep", "fish": "fish", "goose": "geese", "wolf": "wolves", "fly": "flies", "deer": "deer",
          "butterfly": "butterflies", "octopus": "octopuses", "canary": "canaries"}  # fmt: skip


# relation: (table, answer, phrasings); {a} is the subject with its article, every fourth phrasing is held out
RELATIONS = {
    "capital": (f.CAPITALS, "The capital of {s} is {o}.", [
        "What is the capital of {s}?", "What's the capital of {s}?", "Name the capital of {s}.",
        "Which city is the capital of {s}?", "Tell me the capital of {s}.", "Capital of {s}?", "{s}: what is its capital?",
        "Do you know the capital of {s}?", "What is the capital city of {s}?", "I need the capital of {s}.",
        "Can you name the capital of {s}?", "Give me the capital of {s}."]),
    "country": ({o: s for s, o in f.CAPITALS.items()}, "{s} is the capital of {o}.", [
        "Which country has {s} as its capital?", "{s} is the capital of which country?", "{s} is the capital of what?",
        "Of which country is {s} the capital?", "What country has the capital {s}?", "Tell me which country {s} is the capital of.",
        "Whose capital is {s}?", "Which country's capital is {s}?"]),
    "continent": (f.CONTINENTS, "{s} is in {o}.", [
        "Which continent is {s} in?", "What continent is {s} on?", "On which continent is {s}?", "{s} is on which continent?",
        "Tell me the continent of {s}.", "Name the continent of {s}.", "Where in the world is {s}?",
        "What is the continent of {s}?"]),
    "opposite": (f.OPPOSITES, "The opposite of {s} is {o}.", [
        "What is the opposite of {s}?", "What's the opposite of {s}?", "Tell me the opposite of {s}.",
        "Name the opposite of {s}.", "Opposite of {s}?", "Which word is the opposite of {s}?", "Give me the opposite of {s}.",
        "Do you know the opposite of {s}?", "I need the opposite of {s}.", "{s}: what is the opposite?",
        "What word means the opposite of {s}?", "Can you give me the opposite of {s}?"]),
    "sound": (f.SOUNDS, "{A} {o}.", [
        "What sound does {a} make?", "Which sound does {a} make?", "What noise does {a} make?", "How does {a} sound?",
        "Tell me the sound of {a}.", "What does {a} say?", "What is the sound of {a}?", "Which noise does {a} make?"]),
    "young": (f.YOUNG, "A young {s} is called {ao}.", [
        "What is a young {s} called?", "What do you call a baby {s}?", "What is a baby {s} called?",
        "What do you call a young {s}?", "What's the name of a young {s}?", "Name the young of {a}.",
        "How is a baby {s} called?", "What is the young of {a} called?"]),
    "colour": (f.COLOURS, "The colour of {s} is {o}.", [
        "What is the colour of {s}?", "What colour is {s}?", "Tell me the colour of {s}.", "Which colour is {s}?",
        "Which colour does {s} have?", "What colour does {s} have?", "What color is {s}?", "Name the colour of {s}."]),
    "legs": (f.LEGS, "{A} has {o} legs.", [
        "How many legs does {a} have?", "How many legs has {a}?", "What number of legs does {a} have?",
        "Tell me how many legs {a} has.", "The number of legs of {a}?", "How many legs are on {a}?",
        "Do you know how many legs {a} has?", "{a}: how many legs?"]),
    "sides": (f.SIDES, "{A} has {o} sides.", [
        "How many sides does {a} have?", "How many sides has {a}?", "What number of sides does {a} have?",
        "Tell me how many sides {a} has.", "The number of sides of {a}?", "How many sides are there in {a}?"]),
    "day after": (_next(f.WEEKDAYS, 1), "The day after {s} is {o}.", [
        "What day comes after {s}?", "Which day comes after {s}?", "What is the day after {s}?", "Which day is after {s}?",
        "Which day follows {s}?", "What day follows {s}?", "Tell me the day after {s}.", "Name the day after {s}."]),
    "day before": (_next(f.WEEKDAYS, -1), "The day before {s} is {o}.", [
        "What day comes before {s}?", "Which day comes before {s}?", "What is the day before {s}?", "Which day is before {s}?",
        "Tell me the day before {s}.", "The day before {s}?", "Which day do we have before {s}?", "Name the day before {s}."]),
    "month after": (_next(f.MONTHS, 1), "The month after {s} is {o}.", [
        "What month comes after {s}?", "Which month comes after {s}?", "What is the month after {s}?", "Which month is after {s}?",
        "Which month follows {s}?", "What month follows {s}?", "Tell me the month after {s}.", "Name the month after {s}."]),
    "month before": (_next(f.MONTHS, -1), "The month before {s} is {o}.", [
        "What month comes before {s}?", "Which month comes before {s}?", "What is the month before {s}?",
        "Which month is before {s}?", "Tell me the month before {s}.", "The month before {s}?",
        "Which month do we have before {s}?", "Name the month before {s}."]),
    "month days": (f.MONTH_DAYS, "{s} has {o} days.", [
        "How many days does {s} have?", "How many days are in {s}?", "How many days has {s}?", "How many days are there in {s}?",
        "Tell me how many days {s} has.", "How long is {s}?", "What number of days does {s} have?", "Number of days in {s}?"]),
}  # fmt: skip

WEIGHTS = [len(table) ** 0.7 for table, _, _ in RELATIONS.values()]


def fill(text, subject, answer=""):
    filled = text.format(s=subject, o=answer, a=an(subject), A=an(subject).capitalize(), ao=an(answer or "x"))
    return filled[0].upper() + filled[1:]


def case(rng, held):
    table, answer, phrasings = rng.choices(list(RELATIONS.values()), WEIGHTS)[0]
    subject = rng.choice(list(table))
    if rng.random() < 0.25 and table in (f.SOUNDS,):
        phrasings = ["What sound do {p} make?", "What noise do {p} make?", "What do {p} say?", "How do {p} sound?",
                     "Which sound do {p} make?", "What is the sound of {p}?", "Which noise do {p} make?"]  # fmt: skip
        plural = PLURAL.get(subject, subject + "s")
        phrasings = [p.replace("{p}", plural) for p in phrasings]
    question = fill(phrase(rng, phrasings, held), subject)
    return exchange(vary(rng, question), fill(answer, subject, table[subject]))
