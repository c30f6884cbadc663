# SPDX-License-Identifier: MIT
"""Sums and differences of numbers up to a hundred, products up to ten times ten and what they are divided by. One sixth of
the sums is held out; products, which nobody can guess, are held out in their phrasing only."""
from ..conversation import exchange
from ..pools import draw, filled, phrase, tight

ADD = ["What is {a} + {b}?", "How much is {a} plus {b}?", "What is {a} plus {b}?", "Tell me what {a} plus {b} is.",
       "{a} + {b} = ?", "Add {a} and {b}.", "Calculate {a} + {b}.", "How much is {a} + {b}?",
       "What's {a} + {b}?", "{a} + {b}", "What is the sum of {a} and {b}?", "{a} plus {b}?"]  # fmt: skip
SUBTRACT = ["What is {a} - {b}?", "How much is {a} minus {b}?", "What is {a} minus {b}?", "Tell me what {a} minus {b} is.",
            "{a} - {b} = ?", "Subtract {b} from {a}.", "Calculate {a} - {b}.", "How much is {a} - {b}?",
            "What's {a} - {b}?", "{a} - {b}", "{a} minus {b}", "{a} minus {b}?"]  # fmt: skip
MULTIPLY = ["What is {a} * {b}?", "How much is {a} times {b}?", "What is {a} times {b}?", "Tell me what {a} times {b} is.",
            "{a} * {b} = ?", "Multiply {a} by {b}.", "Calculate {a} * {b}.", "How much is {a} * {b}?",
            "What's {a} * {b}?", "{a} * {b}", "{a} times {b}", "{a} times {b}?"]  # fmt: skip
DIVIDE = ["What is {a} / {b}?", "How much is {a} divided by {b}?", "What is {a} divided by {b}?", "Tell me what {a} divided by {b} is.",
          "{a} / {b} = ?", "Divide {a} by {b}.", "Calculate {a} / {b}.", "How much is {a} / {b}?",
          "What's {a} / {b}?", "{a} / {b}", "{a} divided by {b}", "{a} divided by {b}?"]  # fmt: skip
# of each sign its word, {a} and {b}
FORMS = ["(Please|Can you|Could you|Now|) (tell me|work out|compute|calculate|find|solve|do) (the result of|) {a} {w} {b} "
         "(for me|).",
         "(What is|What's|How much is|What does|What do you get for|What do I get for|I need|What is the result of) {a} {w} {b} (make|)?",
         "{a} {w} {b} (is|makes|equals|gives|=) (what|how much|)?", "{a} {w} {b}: (how much is that|what is it|the result)?",
         "(Can you say|Do you know|Say|I want to know) (what|how much) {a} {w} {b} (is|makes).", "{a} {w} {b} (=|= ?|?|)", "{a} {w} {b}",
         "(So|And|Now|OK,|Then|And what about|What about|) {a} {w} {b}?"]  # fmt: skip
OWN = {"+": ["(What is|Tell me|Give me|Find|Compute) the (sum|total) of {a} and {b}.", "(Please|Can you|) add {a} (and|to) {b}.",
             "I have {a} (apples|coins|books) and get {b} more. How many (are there|do I have)?"],
       "-": ["(What is|Tell me|Give me|Find|Compute) the difference (of|between) {a} and {b}.",
             "(Please|Can you|) (subtract|take) {b} from {a}.", "{a} less {b}?",
             "I have {a} (apples|coins|books) and give away {b}. How many are left?"],
       "*": ["(What is|Tell me|Give me|Find|Compute) the product of {a} and {b}.",
             "(Please|Can you|) multiply {a} (and|with|by) {b}."],
       "/": ["(Please|Can you|) divide {a} by {b}.", "How (often|many times) does {b} (go|fit) into {a}?", "{a} over {b}?"]}  # fmt: skip
WORDS = {"+": ("+", "plus", "+", "plus", "and"), "-": ("-", "minus", "-", "minus", "take away"),
         "*": ("*", "times", "x", "\u00d7", "multiplied by"), "/": ("/", "divided by", "\u00f7", ":")}  # fmt: skip
SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty""".split()


def _number(rng):
    r = rng.random()
    return rng.randint(0, 99) if r < 0.75 else 100 if r < 0.78 else rng.randint(0, 20)


def operands(rng, sign, held):
    if sign == "*":
        return rng.randint(0, 10), rng.randint(0, 10)
    if sign == "/":
        b = rng.randint(1, 10)
        return b * rng.randint(0, 10), b

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
    return f"{a} times {b} is {a * b}." if sign == "*" else f"{a // b} times {b} is {a}."


def case(rng, held):
    sign, phrasings = rng.choices((("+", ADD), ("-", SUBTRACT), ("*", MULTIPLY), ("/", DIVIDE)), (8, 8, 5, 2))[0]
    a, b = operands(rng, sign, held)
    value = {"+": a + b, "-": a - b, "*": a * b, "/": a // max(b, 1)}[sign]
    said = (SMALL[a], SMALL[b]) if max(a, b) <= 20 and rng.random() < 0.15 else (a, b)
    question = filled(rng, phrase(rng, phrasings, held, FORMS + OWN[sign]), small=True, a=said[0], b=said[1], w=rng.choice(WORDS[sign]))
    question = tight(question) if rng.random() < 0.3 else question
    return exchange(question, f"{a} {sign} {b} = {value}.", thought(a, sign, b) if rng.random() < 0.2 else None)
