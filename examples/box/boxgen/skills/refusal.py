# SPDX-License-Identifier: MIT
"""Saying that it does not know: of questions outside of the other skills, the answer is always the same."""
from ..conversation import exchange
from ..pools import full_name, phrase, place, vary, word
from ..words import common, facts

ANSWER = "Sorry, I do not know that."
NO_TOOL = "Sorry, I have no tool for that."  # where tools are offered and none fits

FRAMES = [
    "Who invented the {n}?", "Who wrote {t}?", "When was {p} founded?", "When did the {n} first appear?", "Why is the {n} {q}?",
    "How does a {n} work?", "How do I {v} a {n}?", "Can you explain {t}?", "What is the meaning of {t}?", "Who is {f}?",
    "What happened in {y}?", "Who won the {n} cup in {y}?", "What is the population of {p}?", "How old is {f}?",
    "What do you think about {t}?", "Write a poem about the {n}.", "Write a program that can {v} a {n}.",
    "Translate {n} into French.", "What is the price of a {n}?", "Where can I buy a {n}?", "How far is {p} from {p2}?",
    "What is the best {n} in {p}?", "Should I {v} my {n}?", "Is {f} married?", "What language do they speak in {p}?",
    "How tall is {f}?", "Who is the mayor of {p}?", "What should I wear to {p}?", "Explain how to {v}.", "What causes {t}?",
    "Is it true that the {n} can {v}?", "Which {n} is the best?", "What does {i} mean?", "Define {i}.",
    "Describe the life of {f}.", "Where does {f} live?", "Who was king in {y}?", "How many {n} are there in {p}?",
    "What is the chemical formula of {n}?", "Why do people {v}?", "When does the {n} shop open?", "What time is it in {p}?",
    "How long does it take to {v} a {n}?", "Give me advice about my {n}.", "Which team won in {p}?", "Summarize {t}.",
    "What is the plot of {t}?", "Who painted the {q} {n}?", "What is the capital of {ip}?", "Which continent is {ip} in?",
    "What is the opposite of {i}?", "What sound does a {i} make?", "What day comes after {ip}?", "What is the weight of a {n}?",
    "Can a {n} {v}?", "Who discovered the {n}?", "What is the fastest {n}?", "Why did {f} {v}?", "What is inside a {n}?",
    "How much does a {n} cost?", "Where is {ip}?", "What is the currency of {c}?", "Who is the president of {c}?",
    "Is {p} a nice place?", "How many people live in {c}?", "How large is {c}?", "What is the national dish of {c}?",
    "What is {f} famous for?", "When was {c} founded?", "Who rules {c}?", "What is a young {i} called?",
    "Tell me about the {q} {n}.", "What colour is {i}?", "How many legs does a {i} have?",
]  # fmt: skip

FORMS = [
    "(Is|Was) {p} (big|old|far away|famous|expensive|a city|a town|a good place to live|worth a visit|near {p2}|beautiful|dangerous)?",
    "(Is|Was) {f} (rich|famous|happy|tall|alive|a good {w}|a writer|my friend|at home|right)?",
    "(Who|What) (is|was) {f} (really|to you|doing|) ?", "(Do you know|Have you heard of|Have you met|Can you describe|Tell me about) {f}?",
    "(Do you know|Have you been to|Have you heard of|Can you describe|Tell me about|Describe) {p}?",
    "(Write|Compose|Make|Give me) (a|another) (song|letter|speech|novel|report|text|rhyme|haiku|review) (about|on|for) (the {n}|my {n}|{t}|{f}|{p}).",
    "(Write|Make|Give me) (code|a script|a function|a class|a web page) (for|that can) (a {n}|{v} the {n}).",
    "(Give me|I need|Do you have|Can you give) (a tip|tips|an idea|ideas|help|information|some news|an opinion) (about|on|for|with) (my {n}|the {n}|a {n}|{t}|{p}).",
    "(What|How) (should|can|do|would) (I|we|you) (do|say|think) (about|with|to) (my {n}|the {n}|{f}|{t})?",
    "(Why|When|How|Where) (did|does|do|will|can) (the {n}|{f}|people|a {n}|the {w}) {v}?",
    "(Which|What) {n} (is|was) (better|cheaper|nicer|the largest|the oldest|popular|yours)?",
    "(Who|What) (made|built|owns|found|stole|sells|designed|began) the {n} (of|in|near) {p}?",
    "(What|Which) (film|book|song|number|food|colour|sport|team|word|game) (is best|do people like in {p}|has {f} made|has the {n})?",
    "(How|Exactly how) (old|heavy|deep|long|wide|high|expensive|warm|dangerous) is (the {n}|a {n}|{p}|{t})?",
    "(Explain|Describe|Discuss|Summarise|Compare|Analyse|Review) (the {n}|{t}|{p}|a {n} and a {n}).",
    "(Recommend|Suggest|Choose|Buy|Sell|Order|Book|Fix|Bring|Draw|Paint|Cook) (me|) (a|some|the|my) {n}.", "I (want|like|love|lost|broke|hate|need|see) (my|a|the) {n}.",
    "(My|The|A) {n} (is|was) (broken|lost|too {q}|{q}|gone). (What now|Why|Help me)?", "(Translate|Say) {n} (in|into) (German|Spanish|Latin|Greek).",
    "(What|Who) (happened|was born|died|was president|ruled) (in|around) {y}?", "(What|Which) is the (largest|smallest|best|nearest|oldest) {n} (of|in|near) {p}?",
    "(What|Who) is (a|the) {i}?", "(Where|What) is the {i} of {ip}?", "(What noise|What sound|How) (does|did) the {i} (make|sound)?",
    "(Name|Tell me) the (capital|continent|mayor|river|language) of {ip}."]  # fmt: skip

SUMS = ["What is {big} * {big2}?", "How much is {big} plus {big2}?", "What is {big} divided by {big2}?",
        "Tell me {big} minus {big2}.", "What is the square root of {big}?", "{big} + {big2}", "What is {big} - {big2}?",
        "How much is {big} times {big2}?"]  # fmt: skip
KNOWN = {s.lower() for table in (facts.CAPITALS, facts.CONTINENTS, facts.OPPOSITES, facts.SOUNDS, facts.YOUNG, facts.COLOURS,
                                 facts.LEGS, facts.SIDES) for s in table} | {"may"}  # fmt: skip


def _topic(rng, held):
    return rng.choice((f"the {word(rng, held)} of {place(rng, held)}", f"the {rng.choice(common.QUALITIES)} {word(rng, held)}",
                       f"{word(rng, held)} theory", f"the {word(rng, held)} and the {word(rng, held)}",
                       f"the {word(rng, held)} law", f"{word(rng, held)}"))  # fmt: skip


def invented_word(rng, held):
    while True:
        w = word(rng, held, invent=1)
        if w not in common.ALL and w not in KNOWN:
            return w


def case(rng, held, sums=True):
    """sums: also those that are too large, which a tool could do."""
    big = lambda: rng.choice((rng.randint(200, 999), rng.randint(1000, 99999)))  # noqa: E731
    frames, forms = (SUMS, ()) if sums and rng.random() < 0.08 else (FRAMES, FORMS)
    text = phrase(rng, frames, held, forms).format(
        n=word(rng, held, invent=0.15), t=_topic(rng, held), p=place(rng, held), p2=place(rng, held), q=rng.choice(common.QUALITIES),
        v=rng.choice(common.ACTIONS), f=full_name(rng, held), w=rng.choice(common.PEOPLE), y=rng.randint(1000, 2030), i=invented_word(rng, held),
        ip=invented_word(rng, held).capitalize(), big=big(), big2=big(), c=rng.choice(list(facts.CAPITALS)))  # fmt: skip
    return exchange(vary(rng, text), ANSWER)
