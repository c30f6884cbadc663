# SPDX-License-Identifier: MIT
"""Name, date, place and amount of a sentence as JSON, in the order asked for; null for what the sentence does not say."""
import json

from ..conversation import exchange
from ..pools import full_name, phrase, place, vary
from ..words import facts

ASK = ["Extract {k} as JSON: {t}", "Extract {k}: {t}", "Give me {k} as JSON: {t}", "Find {k} in this text as JSON: {t}",
       "JSON with {k}: {t}", "Read out {k} as JSON: {t}", "Extract {k} from this sentence: {t}",
       "Extract the {k} from this text: {t}", "As JSON, give {k} of: {t}", "{t} Extract {k} as JSON.",
       "Get {k} from: {t}"]  # fmt: skip

# sentences by the fields they hold
SENTENCES = [
    "On {date} {name} paid {amount} in {place}.", "{name} paid {amount} in {place} on {date}.",
    "{name} spent {amount} at the market of {place} on {date}.", "In {place}, {name} received {amount} on {date}.",
    "{name} sold a bicycle for {amount} in {place} on {date}.", "On {date} {name} won {amount} at a fair in {place}.",
    "The bill of {name} from {place} was {amount}, due on {date}.", "{name} from {place} owes {amount} since {date}.",
    "{name} travelled to {place} on {date}.", "On {date}, {name} moved to {place}.", "{name} was born in {place} on {date}.",
    "{name} will meet us in {place} on {date}.", "The concert of {name} in {place} is on {date}.",
    "{name} paid {amount} on {date}.", "On {date} {name} donated {amount}.", "{name} borrowed {amount} from a friend on {date}.",
    "A ticket to {place} costs {amount}.", "{name} bought a boat in {place} for {amount}.", "{name} lives in {place}.",
    "The hotel in {place} took {amount} from {name}.", "We met {name} in {place}.", "{name} earns {amount} in {place}.",
    "The train to {place} leaves on {date}.", "{name} visits her aunt in {place} every year, next on {date}.",
    "Yesterday {name} lost {amount} somewhere in {place}.", "The order of {name} for {amount} arrives on {date}.",
    "Dear {name}, your room in {place} is booked for {date} and costs {amount}.",
    "Invoice: {name}, {place}, {date}, {amount}.",
]  # fmt: skip

FIELDS = ("name", "date", "place", "amount")
UNITS = "euros dollars pounds francs crowns yen".split()


def date(rng):
    month = rng.choice(facts.MONTHS)
    day = rng.randint(1, int(facts.MONTH_DAYS[month]))
    forms = (f"{day} {month}", f"{month} {day}", f"{day} {month} {rng.randint(1950, 2039)}",
             f"{rng.randint(1950, 2039)}-{facts.MONTHS.index(month) + 1:02}-{day:02}", rng.choice(facts.WEEKDAYS))  # fmt: skip
    return rng.choices(forms, (4, 2, 2, 1, 1))[0]


def amount(rng):
    n = rng.choice((rng.randint(1, 99), rng.randint(100, 999), rng.randint(1000, 9999)))
    r = rng.random()
    if r < 0.6:
        return f"{n} {rng.choice(UNITS)}"
    if r < 0.75:
        return f"${n}"
    return f"{n}.{rng.randint(0, 99):02} {rng.choice(UNITS)}"


def case(rng, held):
    sentence = phrase(rng, SENTENCES, held)
    values = {"name": full_name(rng, held), "date": date(rng), "place": place(rng, held), "amount": amount(rng)}
    present = [f for f in FIELDS if "{" + f + "}" in sentence]
    if rng.random() < 0.15:
        keys = list(FIELDS)
    else:
        keys = present[:]
        if rng.random() < 0.4:
            keys = rng.sample(keys, rng.randint(1, len(keys)))
    r = rng.random()
    if r < 0.4:
        rng.shuffle(keys)
    asked = keys[0] if len(keys) == 1 else ", ".join(keys[:-1]) + " and " + keys[-1]
    text = sentence.format(**values)
    question = phrase(rng, ASK, held).format(k=asked, t=text)
    answer = json.dumps({k: values[k] if k in present else None for k in keys})
    return exchange(question if question.startswith(text) or rng.random() < 0.5 else vary(rng, question), answer)
