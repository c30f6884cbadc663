# SPDX-License-Identifier: MIT
"""Name, date, place and amount of a sentence as JSON, in the order asked for; null for what the sentence does not say."""
import json

from ..conversation import exchange
from ..pools import draw, full_name, phrase, place, vary, word
from ..words import common, facts

ASK = ["Extract {k} as JSON: {t}", "Extract {k}: {t}", "Give me {k} as JSON: {t}", "Find {k} in this text as JSON: {t}",
       "JSON with {k}: {t}", "Read out {k} as JSON: {t}", "Extract {k} from this sentence: {t}",
       "Extract the {k} from this text: {t}", "As JSON, give {k} of: {t}", "{t} Extract {k} as JSON.",
       "Get {k} from: {t}"]  # fmt: skip
ASK_FORMS = [
    "(Please|Can you|Could you|Now|I need you to|) (extract|find|get|read|pull out|give me|return|show|list|take) (the|) {k} "
    "(from|in|of|out of) (this|the|the following|my|) (sentence|text|line|note|message) (as JSON|in JSON|as a JSON object|as json|): {t}",
    "(Extract|Get|Find|Return|Parse|Read|Give|Show|Collect) (the|) {k} (as JSON|in JSON|to JSON|as an object|): {t}",
    "(JSON of|A JSON object with|As JSON|In JSON|Give JSON with|Make JSON with|I need JSON with|Write JSON with) (the|) {k} (from this|"
    "of this|): {t}",
    "{t} (Get|Find|Return|Give me|Read|Which are|I need) (the|) {k} (as JSON|in JSON|as a JSON object|).",
    "(What is|What are|Tell me|I want|I need) (the|) {k} (here|in this text|of this sentence|in this|) (as JSON|in JSON|)? {t}",
    "(Here is a|This is a) (text|sentence|note): {t} (Extract|Find|Give me) (the|) {k} (as JSON|).",
    "(Json|JSON) (with|of|for) {k}: {t}", "(Extract|Get|Find|Give me|I need) (the|) {k} (in|of|from): {t}"]  # fmt: skip
EVERYTHING = ["Extract as JSON: {t}", "Extract the data as JSON: {t}", "Turn this into JSON: {t}", "Make JSON of this: {t}", "Parse as JSON: {t}",
              "Extract the fields as JSON: {t}", "Extract everything as JSON: {t}", "Convert this sentence to JSON: {t}"]  # fmt: skip

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
    "{name} found {amount} in the street in {place}.", "On {date} a parcel for {name} arrived in {place}.",
    "{amount} was sent from {place} by {name}.", "The meeting in {place} was moved to {date} by {name}.",
    "A house in {place} was sold to {name} for {amount} on {date}.", "{name} flew to {place} on {date} and paid {amount}.",
    "We owe {name} {amount}, to be paid by {date}.", "{name} opened a shop in {place} on {date}.",
    "Since {date} {name} has lived in {place}.", "Please send {amount} to {name} in {place} before {date}.",
    "The fine of {amount} was paid by {name} on {date}.", "A room in {place} costs {amount} since {date}.",
    "{name} called from {place} about {amount}.", "On {date} the bank of {place} lent {name} {amount}.",
    "Bill: {place}, {name}, {amount}, {date}.", "Order: {date}, {name}, {amount}, {place}.", "Receipt: {amount}, {name}, {place}.",
    "The party in {place} was moved to {date} by {name}.", "Contact: {name}, {place}, {date}.", "Guest: {name}, {place}.",
    "The visit of {name} to {place} was cancelled on {date}.", "Payment: {name}, {amount}, {date}.",
    "The wedding of {name} in {place} was moved to {date}.", "A letter from {name} came from {place} on {date}.",
]  # fmt: skip

# and parts that sentences are put together from; a verb with its object may be held out like a word
DEEDS = """lives;works;stayed;studied;retired;got married;opened a shop;rented a room;bought a house;lost a ring;found a dog;sold a car;
met an old friend;repaired a clock;gave a talk;wrote a letter;missed the train;planted a tree;started a school;broke a window;
built a boat;sang at a wedding;caught a thief;painted a door;ordered a table;hired a cook;left a suitcase;saw a play;
visited the museum;took a photo;won a race;opened an account;signed a contract;closed the office;joined a club;ran a hotel;
held a party;lost a bag;fell asleep;parked the car;changed jobs;bought bread;taught music;cut the grass""".replace("\n", " ").split(";")
PAYMENTS = """paid;spent;won;lost;earned;received;borrowed;lent us;donated;owes us;saved;asked for;offered;sent;collected;found;returned;
promised;transferred;invested;gave away;was fined;was given;stole;raised;withdrew""".replace("\n", " ").split(";")
PURPOSES = ["for a {n}", "from a {p}", "to a {p}", "for the {n}", "with a {p}", "because of a {n}", "at the {n} shop"]


def composed(rng, held):
    """A sentence of who did what, where and when, in one of the orders that English allows."""
    words = {"n": rng.choice(common.THINGS), "p": rng.choice(common.PEOPLE)}
    if rng.random() < 0.5:
        deed = draw(rng, lambda: rng.choice(DEEDS).strip(), held)
    else:
        deed = draw(rng, lambda: rng.choice(PAYMENTS).strip(), held) + " {amount}"
    if rng.random() < 0.4:
        deed += " " + rng.choice(PURPOSES).format(**words)
    where, when = rng.choice(("in {place}", "near {place}", "at {place}", "in {place}")), rng.choice(("on {date}", "on {date}",
    "since {date}"))
    adjuncts = [a for a in (where, when) if rng.random() < 0.7]
    rng.shuffle(adjuncts)
    front = ""
    if adjuncts and rng.random() < 0.35:
        front = adjuncts.pop()
        front = front[0].upper() + front[1:] + rng.choice((" ", ", "))
    return front + " ".join(["{name}", deed] + adjuncts) + "."


# and others: things that do or undergo something, what is done to a sum, letters, notes
SENTENCE_FORMS = [
    "(A|The|Another|This) {n} (of|from|for|by|with) {name} (came|arrived|was sent|was found|went|was seen|is|stays|was sold|was stolen|left) "
    "(from|in|to|near|for|at) {place} (on {date}|since {date}|).",
    "(A|The|One|Every) {n} (in|near|from|at|of) {place} (cost|costs|took|brought|earned|lost|made|is worth|was sold for) {amount} "
    "(on {date}|since {date}|).",
    "(A|The) {n} (in|near|from|at|of) {place} (took|got|received|demanded|borrowed|kept) {amount} from {name} (on {date}|).",
    "(The|A|Our) {n} (in|near|of|at) {place} (gave|paid|sent|owes|offered|promised|returned) {name} {amount} (on {date}|since {date}|).",
    "(In|On|At|Near) {place} (a {p}|the {p}|they|we|somebody) (gave|owes|paid|lent|showed) {name} (a {n}|{amount}|the {n}) (on {date}|).",
    "{amount} (was|were|has been|will be) (paid|sent|given|lent|offered|returned|stolen|lost) (by|to|from) {name} (in {place}|near {place}|) "
    "(on {date}|).",
    "(On|Since|Before|After|Until) {date} (a|the) {n} (of|from|by) {name} (was|stayed|stood|arrived|is) (in|near|at) {place}.",
    "(Dear|Hello|Hi) {name}, (see you|we meet|come|your {n} is|please be|I wait) in {place} (on {date}|).",
    "(The|A|My|Our) {p} (called {name}|{name}) (met|saw|called|left|paid) (a|the) {p2} in {place} (on {date}|for {amount}|).",
    "{name} (from|of|in) {place} (has|got|sold|wants|owns|broke|lost|stole|took) (a|the|my) {n} (on {date}|for {amount}|since {date}|).",
    "(We|They|I|You|The {p}) (met|saw|visited|paid|called|expect|like|helped|invited) {name} (in|near|at) {place} (on {date}|for {amount}|).",
    "(We|They|I|You|The {p}) (paid|owe|gave|sent|lent|promised) {name} {amount} (in {place}|on {date}|).",
    "(The|A) {n} (costs|is|was sold for|cost) {amount} (in {place}|on {date}|since {date}).",
    "(The|A) {n} (opens|begins|ends|leaves|starts|closes) in {place} on {date}.", "(The|A) {n} was {q} (in {place} on {date}|on {date}).",
    "{name} (is|was|became) a {p} (in|near|from) {place} (since {date}|on {date}|).",
    "(In|Near) {place} (on {date}|) {name} (stole|lost|won|saw|got|found|broke|took) (a {n}|{amount}|the {n}) (from|with|for|of) a {p}.",
    "On {date} {name} (stole|lost|won|got|took|asked for) {amount} (from|with|for|of) (a|the) {p} in {place}.",
    "{name} (was|is|got|has been) (given|sent|paid|promised|owed|lent) {amount} (in {place}|by a {p}|on {date}|).",
    "(My|Our|Your|The) {p} {name} (lives|works|was|is|stayed|paid {amount}) in {place} (on {date}|since {date}|now|).",
    "(I|We) (met|saw|called|visited|paid|married|helped) {name} (on {date}|) in {place} (and paid {amount}|and lost {amount}|for {amount}|).",
    "(I am|I'm|My name is|This is) {name} (from|and I live in|and I work in|and I come from) {place} (since {date}|).",
    "(I|We) (bought|sold|ordered|rented|found) a {n} (from|for|with) {name} (in {place}|) (for {amount}|) (on {date}|).",
    "{name} (will come|will be|wants to be|is going|is coming|arrives|travels|flies|moves|returns) (to|in) {place} (on {date}|by {date}|"
    "before {date}).",
    "(The|A|Her|His) {n} (by|from|of|for) {name} (was|is) (sold|bought|shown|lost|worth|paid) (for {amount}|with {amount}|) in {place} (on {date}|).",
    "(A|The|One|This|Another) (letter|parcel|call|card|message|visit|order|bill|gift) (for|by|to|of) {name} (came|arrived|was sent|went|"
    "was paid) (from|to|in) {place} (on {date}|).",
    "(A|The|One|This|Another) (parcel|call|card|message|visit|order|bill|gift|note|present|postcard|song) from {name} (came|arrived|was sent|went) "
    "(from|to|in) {place} (on {date}|).",
    "{name}, (who lives in {place}|a {p} from {place}|of {place}), (paid|won|lost|got|spent|owes us) {amount} (on {date}|for a {n}|).",
    "(On {date}|) {name} (bought|sold|rented|ordered|returned|lost) (a|the|two|some) {n} in {place} for {amount}.",
    "{name} (bought|sold|rented|ordered|lost) (a|the|two|some|his|her) {n} (in|near) {place} (on {date}|) (for {amount}|)."]  # fmt: skip
LABELS = """Booking Note Memo Sale Entry Ticket Customer Patient Sender Account Delivery Reservation Member Visitor Record Loan Debt
Transfer Client Buyer Seller Log Message Appointment Trip Flight Meeting Date Info Details Person Orders Invoices Receipts Bills
Payments Contacts Guests""".split()


def listed(rng):
    """A label and some fields in any order, each perhaps with its own name; mostly the name of a person before that of a place,
    which nothing else may tell apart."""
    fields = rng.sample(FIELDS, rng.choice((2, 3, 3, 4)))
    if "name" in fields and "place" in fields and rng.random() < 0.8:
        at = sorted((fields.index("name"), fields.index("place")))
        fields[at[0]], fields[at[1]] = "name", "place"
    label = rng.choice((rng.choice(LABELS), "{N}", "{N} {p}", "New {n}", rng.choice(LABELS) + " {number}", ""))
    named, mark = rng.random() < 0.25, rng.choice((", ", ", ", ", ", "; ", " - ", " / "))
    parts = [(f"{f}: " if named else "") + "{" + f + "}" for f in fields]
    return (label + ": " if label else "") + mark.join(parts) + rng.choice(("", "."))


def sentence(rng, held):
    r = rng.random()
    if r < 0.4:
        return composed(rng, held)
    made = listed(rng) if not held and r < 0.56 else phrase(rng, SENTENCES, held, SENTENCE_FORMS)
    if not any("{" + f + "}" in made for f in FIELDS):
        return sentence(rng, held)
    for mark, drawn in (("{n}", rng.choice(common.THINGS)), ("{p}", rng.choice(common.PEOPLE)), ("{p2}", rng.choice(common.PEOPLE)),
                        ("{N}", word(rng).capitalize()), ("{q}", rng.choice(common.QUALITIES)), ("{number}", str(rng.randint(1, 999)))):
        made = made.replace(mark, drawn)  # fmt: skip
    return made


FIELDS = ("name", "date", "place", "amount")
UNITS = "euros dollars pounds francs crowns yen".split()
CODES = "EUR USD GBP CHF".split()


def date(rng):
    month = rng.choice(facts.MONTHS)
    day = rng.randint(1, int(facts.MONTH_DAYS[month]))
    forms = (f"{day} {month}", f"{month} {day}", f"{day} {month} {rng.randint(1950, 2039)}",
             f"{rng.randint(1950, 2039)}-{facts.MONTHS.index(month) + 1:02}-{day:02}", rng.choice(facts.WEEKDAYS),
             f"{month} {day}, {rng.randint(1950, 2039)}", f"{month} {ordinal(day)}", f"the {ordinal(day)} of {month}",
             f"{day}.{facts.MONTHS.index(month) + 1}.{rng.randint(1950, 2039)}")  # fmt: skip
    return rng.choices(forms, (8, 4, 4, 2, 2, 1.5, 1, 1, 0.5))[0]


def ordinal(day):
    return f"{day}{'th' if day in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


def amount(rng):
    n = rng.choice((rng.randint(1, 99), rng.randint(100, 999), rng.randint(1000, 9999)))
    r = rng.random()
    if r < 0.55:
        return f"{n} {rng.choice(UNITS)}"
    if r < 0.75:
        return f"{rng.choice(('$', '$', '€', '£'))}{n}" + (f".{rng.randint(0, 99):02}" if rng.random() < 0.4 else "")
    if r < 0.82:
        return rng.choice((f"{rng.choice(CODES)} {n}", f"{n} {rng.choice(CODES)}", f"{n} €",
                           f"{rng.randint(1, 99)},{rng.randint(0, 999):03} {rng.choice(UNITS)}"))
    return f"{n}.{rng.randint(0, 99):02} {rng.choice(UNITS)}"


def as_json(keys, values, present):
    return json.dumps({k: values[k] if k in present else None for k in keys}, ensure_ascii=False)


def case(rng, held):
    said = sentence(rng, held)
    values = {"name": full_name(rng, held), "date": date(rng), "place": place(rng, held), "amount": amount(rng)}
    present = [f for f in FIELDS if "{" + f + "}" in said]
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
    text = said.format(**values)
    if rng.random() < 0.04:
        question = phrase(rng, EVERYTHING, held).format(t=text)
        return exchange(vary(rng, question), as_json(FIELDS, values, present))
    question = phrase(rng, ASK, held, ASK_FORMS).format(k=asked, t=text)
    answer = as_json(keys, values, present)
    return exchange(question if question.startswith(text) or rng.random() < 0.5 else vary(rng, question), answer)
