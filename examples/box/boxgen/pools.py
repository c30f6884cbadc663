# SPDX-License-Identifier: MIT
"""Random draws, and the rule that keeps held-out material away from training.

A text is held out when its checksum says so: one in six. Training draws only the others, the evaluation only these.
"""
import re
import zlib

from .words import common, people

VOWELS = "a e i o u a e i o ai ea ee oo ou".split()
CONSONANTS = "b c d f g h j k l m n p r s t v w z br ch cl dr fl gr kr pl sh sl st th tr".split()
ENDINGS = "a o in el ette ix us er land ton by son y is ka".split()
INSULTS = {1526089560, 4221564851, 2505687883, 472629405, 4143701574, 270014096, 472111804, 833910794, 1824217138, 3145792061,
           1550114237, 2971116582, 2890069782, 53686491, 4186136012, 2513293701, 4250742589, 1035958843}  # checksums  # fmt: skip
ENDS = ["", "", "n", "r", "l", "s", "t", "m", "nd", "rk", "x", "ck"]


def is_held(text):
    return zlib.crc32(text.lower().encode()) % 6 == 0


def draw(rng, make, held):
    """make() until it is on the wanted side of the split."""
    while True:
        value = make()
        if is_held(str(value)) == held:
            return value


def phrase(rng, phrasings, held, forms=()):
    """Of a list of phrasings every fourth is held out; a held-out case takes one half of the time. The forms (see expand)
    make more of the others; what comes out like a held-out phrasing is not used."""
    if held and rng.random() < 0.5:
        return rng.choice(phrasings[3::4])
    if not forms or rng.random() < 0.4:
        return rng.choice([p for i, p in enumerate(phrasings) if i % 4 != 3])
    taken = {bare(p) for p in phrasings[3::4]}
    while True:
        text = expand(rng, rng.choice(forms))
        if bare(text) not in taken:
            return text


def bare(text):
    """What makes two phrasings the same: neither capitals nor marks."""
    return " ".join(re.sub(r"[^a-z{}+*-]", " ", text.lower()).split())


def expand(rng, form):
    """One of the texts of a form: of "(Sort|Order) (the|these) words" one choice in each group. Groups nest."""
    while "(" in form:
        form = re.sub(r"\(([^()]*)\)", lambda m: rng.choice(m[1].split("|")), form)
    text = re.sub(r" +([ ,.?!:;])", r"\1", form).strip()
    return text[0].upper() + text[1:]


def spliced(rng):
    """The beginning of one word and the end of another."""
    a, b = rng.choice(common.ALL), rng.choice(common.ALL)
    return a[: rng.randint(1, len(a))] + b[rng.randint(1, len(b) - 1) :][-6:]


def scrambled(rng):
    """Parts of words in a row: any token of the vocabulary may be in it."""
    parts = []
    for _ in range(rng.choice((1, 2, 2, 3))):
        part = rng.choice(common.ALL)
        start = rng.randint(0, max(len(part) - 3, 0))
        parts.append(part[start : start + rng.randint(2, 6)])
    return "".join(parts)


def joined(rng):
    """A word, perhaps a held-out one, and something before or after it: the letters of every token can be learned."""
    part = rng.choice(common.ALL)[: rng.randint(1, 4)]
    return rng.choice((rng.choice(common.ALL) + part, part + rng.choice(common.ALL)))


def invented(rng, syllables):
    return "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(syllables)) + rng.choice(ENDS)


def first_name(rng, held=False):
    def make():
        if rng.random() < 0.7:
            return rng.choice(people.FIRST_NAMES)
        if rng.random() < 0.3 and not held:
            return rng.choice(people.FIRST_NAMES) + rng.choice(ENDINGS)
        return invented(rng, rng.choice((1, 2, 2))).capitalize()

    return draw(rng, make, held)


def family_name(rng, held=False):
    def make():
        if rng.random() < 0.75:
            return rng.choice(people.FAMILY_STARTS) + rng.choice(people.FAMILY_ENDS)
        return invented(rng, 2).capitalize()

    return draw(rng, make, held)


def full_name(rng, held=False):
    if rng.random() < 0.4:
        return first_name(rng, held)
    return first_name(rng, held) + " " + family_name(rng, held)


def place(rng, held=False):
    def make():
        r = rng.random()
        if r < 0.35:
            return rng.choice(people.PLACES) + (rng.choice(ENDINGS) if rng.random() < 0.2 and not held else "")
        if r < 0.75:
            return rng.choice(people.PLACE_STARTS) + rng.choice(people.PLACE_ENDS)
        if r < 0.85:
            start = rng.choice(("New", "Port", "Lake", "Saint", "North", "Upper"))
            return start + " " + rng.choice(people.PLACE_STARTS) + rng.choice(people.PLACE_ENDS)
        return invented(rng, rng.choice((2, 2, 3))).capitalize()

    return draw(rng, make, held)


def word(rng, held=False, invent=0.25):
    """A common word, or one that could be."""

    def make():
        if rng.random() >= invent:
            return rng.choice(common.ALL)
        r = rng.random()
        if r < 0.35 and not held:
            return joined(rng)
        return spliced(rng) if r < 0.5 else scrambled(rng) if r < 0.75 else invented(rng, rng.choice((1, 2, 2, 3)))

    while zlib.crc32((made := draw(rng, make, held)).encode()) in INSULTS:
        pass
    return made


def number(rng, low, high, held=False):
    return draw(rng, lambda: rng.randint(low, high), held)


OPENERS = ["Please", "Hey,", "Hello,", "Hi,", "OK,", "Now", "So,", "Can you help?", "Quick question:", "Well,", "Next:",
           "Box,", "Now,", "And", "Then", "Good.", "Thanks.", "Another one:", "Hey Box,", "Dear Box,", "Hi Box!", "Hello there!", "Yes,",
           "I have a question:", "One more:", "Alright,", "Next question:", "Tell me:"]  # fmt: skip


FIRST_WORDS = set("""what which who how tell name is do does give can spell sort count copy repeat say write please where when why
whose add subtract multiply calculate compute set start timer weather check convert remind search look find get extract put order
at the a an my call turn change work make json read as these those this number could would will use i'd let's arrange rank
list total pick from of in are is word sum show return pull parse provide translate express shout echo type state""".split())  # fmt: skip


def small_start(text):
    """Without its capital, unless that belongs to a name or to "I"."""
    return text[0].lower() + text[1:] if re.split(r"[^a-z]", text.lower())[0] in FIRST_WORDS else text


def tight(text):
    """Without the spaces around a sign between numbers."""
    return re.sub(r"(\d) ([-+*/x\u00d7\u00f7:]) (\d)", r"\1\2\3", text)


def careless(rng, text):
    """As it is typed in a hurry: small letters, no last mark, perhaps no apostrophes."""
    text = text.lower().rstrip(".?!") or text
    return text.replace("'", "") if rng.random() < 0.7 else text


def vary(rng, text, please=True, small=False):
    """How people write: with an opener, a please (which would not be told from words to work on), without capitals or the
    last mark; where small, because no answer copies a capital, carelessly too."""
    if small and rng.random() < 0.15:
        return careless(rng, text)
    r = rng.random()
    if r < 0.12:
        opener = rng.choice(OPENERS)
        text = opener + " " + (text if opener[-1] in ":?!." else small_start(text))
    elif please and r < 0.18 and text[-1] in ".?":
        text = text[:-1] + rng.choice((", please", " please")) + text[-1]
    r = rng.random()
    if r < 0.08:
        text = small_start(text)
    if rng.random() < 0.12 and text[-1] in ".?!":
        text = text[:-1]
    return text


def filled(rng, phrasing, please=True, small=False, **values):
    """The phrasing with its values, varied unless it begins with one."""
    text = phrasing.format(**values)
    if not phrasing.startswith("{"):
        return vary(rng, text, please, small)
    return careless(rng, text) if small and rng.random() < 0.15 else text
