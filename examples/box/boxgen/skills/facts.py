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


SAYS = {word: f"{an(s).capitalize()} {f.SOUNDS[s]}." for word, s in f.SOUND_WORDS.items()}

# relation: (table, answer, phrasings); {a} is the subject with its article, {p} its plural, {u} and {v} what stands before and
# after its " in "; every fourth phrasing is held out
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
    "animal": (SAYS, "{o}", [
        "Which animal says {s}?", "What animal says {s}?", "Which animal goes {s}?", "What animal can {s}?", "Who says {s}?",
        "What says {s}?", "What animal goes {s}?", "Which animal makes the sound {s}?"]),
    "animal that": ({o: f"{an(s).capitalize()} {o}." for s, o in f.SOUNDS.items()}, "{o}", [
        "Which animal {s}?", "What animal {s}?", "What {s}?", "Name an animal that {s}.", "Who {s}?", "Which animals {s}?"]),
    "grown": ({o: s for s, o in f.YOUNG.items()}, "{A} is a young {o}.", [
        "What is {a}?", "{a} is a young what?", "What is {a} the young of?", "Whose young is {a}?", "What animal is {a}?",
        "Which animal is {a}?", "What does {a} become?", "Which animal has {a}?"]),
    "shape": ({o: f"{an(s).capitalize()} has {o} sides." for s, o in f.SIDES.items() if s != "rectangle"}, "{o}", [
        "Which shape has {s} sides?", "What shape has {s} sides?", "What has {s} sides?", "Name a shape with {s} sides.",
        "Which figure has {s} sides?"]),
    "measure": (f.MEASURES, "There are {o} {s}.", [
        "How many {u} are in {v}?", "How many {s}?", "How many {u} are there in {v}?", "How many {u} does {v} have?", "How many {u} has {v}?",
        "How many {s} are there?", "What is the number of {s}?", "Number of {s}?"]),
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

# Relations have forms too (pools.phrase); {ask} is one of ASK, {the} the subject with either article.
ASK = ("(What is|What's|Tell me|Give me|Name|Say|Please tell me|Can you tell me|Could you tell me|Do you know|I want to know|Which is|And|"
       "Quick, what is)")  # fmt: skip
FORMS = {
    "capital": ["{ask} the (capital|capital city) of {s}?", "{ask} the (name of the|) capital (city|) of {s}?",
                "(Which|What) (city|town|place) is (the|) capital of {s}?",
                "{s} capital?", "(The|) capital (city|) of {s}?", "(What's|What is) {s}'s capital?", "{s}: capital?", "{s}'s capital (city|)?",
                "What (is|'s) the capital (in|for) {s}?", "What city is {s}'s capital?", "Does {s} have a capital?"],
    "country": ["{s} is the capital of (which|what) (country|land|state|place)?",
                "(Which|What) (country|land|state) (has|has got) {s} (as its|as the|as) capital?",
                "(What|Which) (country|land|nation) is {s} (the|) capital of?",
                "(Tell me|Say|Do you know|I want to know) (of|) (which|what) country {s} is the capital (of|).",
                "{s} is (which|what) country's capital?", "In (which|what) country is {s} the capital?", "The country with the capital {s}?"],
    "continent": ["(On|In) (which|what) (continent|part of the world) (is|lies) {s}?", "Where is {s}?", "Where is {s} (located|on the map|on earth)?",
                  "(Which|What) continent (does {s} belong to|is {s} (part of|located in|found on))?", "{ask} the continent of {s}?",
                  "{s} continent?", "Continent of {s}?", "(Tell me|Say|Do you know) (where|on which continent|which continent) {s} is.",
                  "Where can I find {s}?"],
    "opposite": ["{ask} the (opposite|antonym|contrary|reverse) (word|) of {s}?", "Opposite (of|to) {s}", "{s} opposite?", "{s}: opposite?",
                 "(What|Which) (word|) is (the|) opposite (of|to) {s}?", "The opposite of {s} is (what|which word|)?",
                 "What is not {s} but the opposite?"],
    "sound": ["(What|Which) (sound|noise) (does|can) {the} make?", "(What|Which) (sound|noise) do {p} make?", "What do {p} say?",
              "How (do|does) {the} (speak|call|go)?",
              "{ask} the (sound|noise) (of|that goes with) {the}?", "Tell me how {the} sounds.", "What (sound|noise) (comes from|is made by) {the}?",
              "Sound of {the}?", "What does {the} (do|go)?", "(Do you know|Can you tell me|Say) (what|which) (sound|noise) {the} makes.",
              "How does (the|my|your|one) {s} sound?"],
    "animal": ["(Which|What|Name an|Tell me which|Do you know which) animal (says|goes|makes|that says|that goes) {s}(, please|)?",
               "(Who|What) (goes|makes) {s}?",
               "(Which|What) animal (makes|has) the (sound|noise|call) {s}?", "The animal that (says|goes) {s}?",
               "{s} is (the sound of|said by) (which|what) animal?"],
    "animal that": ["(Tell me|Say|Do you know) (which|what) animal {s}.", "An animal that {s}?",
                    "(What|Which) (kind of|sort of|farm|wild|) animal (is it that|) {s}?"],
    "young": ["What('s| is) the (name|word) (for|of) a (baby|young) {s}?", "(A|) (baby|young) {s}?",
              "What (do|would) (we|you|people) call a (baby|little) {s}?",
              "A (baby|young) {s} is called (what|)?", "What are (baby|young) {p} called?",
              "(Tell me|Say|Do you know) (what|how) a (young|baby) {s} is called.",
              "(What|Which) (is|name has) the (child|baby|young) of {the}?", "{ask} the name of a (baby|young) {s}?"],
    "grown": ["(What|Which) (kind of|) animal is {the}?", "{the} is (a young|the young of|a baby|the baby of) (what|which animal)?",
              "(Tell me|Say|Do you know) what {a} is.", "What('s| is) {a}?", "What does {a} (grow into|grow up to be|turn into)?",
              "(Define|Explain) {a}."],
    "colour": ["(What|Which) (colour|color) (is|has|are) {the}?", "{ask} the (colour|color) of {the}?",
               "(What|Which) (colour|color) does {the} have?", "(Colour|Color) of {the}?",
               "{s} (colour|color)?", "(Tell me|Say|Do you know) (what|which) (colour|color) {the} (is|has).",
               "What is the (colour|color) (for|of) {s}?"],
    "legs": ["How many legs (does|has) {the} (have|got|)?", "How many legs do {p} have?", "{ask} the number of legs (of|on) {the}?", "Legs of {the}?",
             "(Say|Can you say|I want to know|Do you know) how many legs ({the} has|{p} have).", "{p} have how many legs?", "{s}: legs?",
             "{the} has how many legs?",
             "How many legs (are there on|can you count on|for) {the}?", "(One|The) {s}: how many legs?"],
    "sides": ["How many sides do {s}s have?", "{ask} the number of sides of {the}?",
              "(Say|Can you say|I want to know|Do you know) how many sides {the} has.",
              "{the} has how many sides?", "How many (sides|edges) (does|has) {the} (have|got|)?"],
    "shape": ["(Which|What) (shape|figure|form) (has|comes with|is made of) {s} sides?",
              "(Tell me|Name|Give me) (a|the) (shape|figure|form) (with|that has) {s} sides."],
    "measure": ["(Tell me|Say|Do you know|Can you tell me|I want to know) how many {u} (there are|are) in {v}.",
                "How many {u} (are in|in|make|make up|are there in) {v}?",
                "{ask} the number of {s}?", "{v} has how many {u}?"],
    "day after": ["(If|When) (today is|it is|it's) {s}(,|) (what|which) (day|) is (it|) tomorrow?",
                  "(What|Which) (day|) (is|comes|do we have) (right after|next after|after) {s}?",
                  "{ask} the (next day|day) after {s}?", "(The|) (next|) day after {s}?", "Today is {s}. What is tomorrow?",
                  "After {s} comes (what|which day)?"],
    "day before": ["(If|When) (today is|it is|it's) {s}(,|) (what|which) (day|) was (it|) yesterday?",
                   "(What|Which) (day|) (is|comes|was) (right before|just before|before) {s}?",
                   "{ask} the day before {s}?", "(The|) day before {s}?", "Today is {s}. What was yesterday?", "Before {s} comes (what|which day)?"],
    "month after": ["(What|Which) (month|) (is|comes|do we have) (right after|next after|after) {s}?",
                    "{ask} the (next month|month) after {s}?", "(The|) (next|) month after {s}?",
                    "After {s} comes (what|which month)?"],
    "month before": ["(What|Which) (month|) (is|comes|was) (right before|just before|before) {s}?", "{ask} the month before {s}?",
                     "(The|) month before {s}?",
                     "Before {s} comes (what|which month)?"],
    "month days": ["(Tell me|Say|Do you know|Can you tell me|I want to know) how many days (there are in {s}|are in {s}).",
                   "{ask} the number of days (in|of) {s}?", "Days in {s}?",
                   "{s} has how many days?", "How many days (in|make up|make) {s}?", "How long is (the month of|the month|) {s}?"],
}  # fmt: skip

WEIGHTS = [len(table) ** 0.7 for table, _, _ in RELATIONS.values()]


def fill(text, subject, answer="", the=""):
    before, _, after = subject.partition(" in ")
    filled = text.format(s=subject, o=answer, a=an(subject), A=an(subject).capitalize(), ao=an(answer or "x"), the=the,
                         p=PLURAL.get(subject, subject + "s"), u=before, v=after)  # fmt: skip
    return filled[0].upper() + filled[1:]


def case(rng, held):
    name = rng.choices(list(RELATIONS), WEIGHTS)[0]
    table, answer, phrasings = RELATIONS[name]
    subject = rng.choice(list(table))
    forms = [form.replace("{ask}", ASK) for form in FORMS[name]]
    if rng.random() < 0.2 and name == "sound":
        forms, phrasings = (), ["What sound do {p} make?", "What noise do {p} make?", "What do {p} say?", "How do {p} sound?",
                                "Which sound do {p} make?", "What is the sound of {p}?", "Which noise do {p} make?"]  # fmt: skip
    question = fill(phrase(rng, phrasings, held, forms), subject, the=rng.choice((an(subject), "the " + subject)))
    return exchange(vary(rng, question, small=True), fill(answer, subject, table[subject]))
