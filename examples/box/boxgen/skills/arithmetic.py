# SPDX-License-Identifier: MIT
"""Sums and differences up to a hundred, products up to ten times ten. One sixth of the sums is held out; products, which
nobody can guess, are held out in their phrasing only."""
from ..conversation import exchange
from ..pools import draw, filled, phrase

ADD = ["What is {a} + {b}?", "How much is {a} plus {b}?", "What is {a} plus {b}?", "Tell me what {a} plus {b} is.",
       "{a} + {b} = ?", "Add {a} and {b}.", "Calculate {a} + {b}.", "How much is {a} + {b}?",
       "What's {a} + {b}?", "{a} + {b}", "What is the sum of {a} and {b}?", "{a} plus {b}?"]  # fmt: skip
SUBTRACT = ["What is {a} - {b}?", "How much is {a} minus {b}?", "What is {a} minus {b}?", "Tell me what {a} minus {b} is.",
            "{a} - {b} = ?", "Subtract {b} from {a}.", "Calculate {a} - {b}.", "How much is {a} - {b}?",
            "What's {a} - {b}?", "{a} - {b}", "{a} minus {b}", "{a} minus {b}?"]  # fmt: skip
MULTIPLY = ["What is {a} * {b}?", "How much is {a} times {b}?", "What is {a} times {b}?", "Tell me what {a} times {b} is.",
            "{a} * {b} = ?", "Multiply {a} by {b}.", "Calculate {a} * {b}.", "How much is {a} * {b}?",
            "What's {a} * {b}?", "{a} * {b}", "{a} times {b}", "{a} times {b}?"]  # fmt: skip
# of each sign its word, {a} and {b}
FORMS = ["(Please|Can you|Could you|Now|) (tell me|work out|compute|calculate|find|solve|do) (the result of|) {a} {w} {b} "
         "(for me|).",
         "(What is|What's|How much is|What does|What do you get for|What do I get for|I need|What is the result of) {a} {w} {b} (make|)?",
         "{a} {w} {b} (is|makes|equals|gives|=) (what|how much|)?", "{a} {w} {b}: (how much is that|what is it|the result)?",
         "(Can you say|Do you know|Say|I want to know) (what|how much) {a} {w} {b} (is|makes)."]  # fmt: skip
OWN = {"+": ["(What is|Tell me|Give me|Find|Compute) the (sum|total) of {a} and {b}.", "(Please|Can you|) add {a} (and|to) {b}.",
             "I have {a} (apples|coins|books) and get {b} more. How many (are there|do I have)?"],
       "-": ["(What is|Tell me|Give me|Find|Compute) the difference (of|between) {a} and {b}.",
             "(Please|Can you|) (subtract|take) {b} from {a}.", "{a} less {b}?",
             "I have {a} (apples|coins|books) and give away {b}. How many are left?"],
       "*": ["(What is|Tell me|Give me|Find|Compute) the product of {a} and {b}.",
             "(Please|Can you|) multiply {a} (and|with|by) {b}."]}  # fmt: skip
WORDS = {"+": ("+", "plus"), "-": ("-", "minus"), "*": ("*", "times")}


def _number(rng):
    return rng.randint(0, 99) if rng.random() < 0.8 else rng.randint(0, 20)


def operands(rng, sign, held):
    if sign == "*":
        return rng.randint(0, 10), rng.randint(0, 10)

    def make():
        a, b = _number(rng), _number(rng)
        return f"{max(a, b)} - {min(a, b)}" if sign == "-" else f"{a} + {b}"

    a, _, b = draw(rng, make, held).split()
    return int(a), int(b)


def thought(a, sign, b):
    """The tens, then the ones."""
    if sign == "+":
        tens, ones = a // 10 * 10 + b // 10 * 10, a % 10 + b % 10
        return f"Tens: {a // 10 * 10} + {b // 10 * 10} = {tens}. Ones: {a % 10} + {b % 10} = {ones}. {tens} + {ones} = {a + b}."
    if sign == "-":
        left = a - b // 10 * 10
        return f"Tens: {a} - {b // 10 * 10} = {left}. Ones: {left} - {b % 10} = {a - b}."
    return f"{a} times {b} is {a * b}."


def case(rng, held):
    sign, phrasings = rng.choices((("+", ADD), ("-", SUBTRACT), ("*", MULTIPLY)), (4, 4, 2))[0]
    a, b = operands(rng, sign, held)
    value = {"+": a + b, "-": a - b, "*": a * b}[sign]
    question = filled(rng, phrase(rng, phrasings, held, FORMS + OWN[sign]), a=a, b=b, w=rng.choice(WORDS[sign]))
    return exchange(question, f"{a} {sign} {b} = {value}.", thought(a, sign, b) if rng.random() < 0.2 else None)
