# SPDX-License-Identifier: MIT
"""Saying that it does not know: of questions outside of the other skills, the answer is always the same."""
import re

from ..conversation import exchange
from ..pools import draw, full_name, phrase, place, vary, word
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
    "Translate {x} to {l}.", "How do you say {x} in {l}?", "What is {x} in {l}?", "Translate {x} into {l}.",
    "What is the weather like today?", "What's in the news today?", "What time is it?", "Will it rain tomorrow?",
    "Write a Python program.", "How do I write a loop in Python?", "What is today's date?", "Can you write code?",
    "Is a {n} a {n2}?", "Which is better, a {n} or a {n2}?", "Play some music.", "What is the news?",
    "Send an email to {f}.", "Order a pizza.", "Give me a recipe for {n} soup.", "Recommend a good film.",
    "Which animal says {i}?", "What is a {i}?", "Which animal {i}s?", "Who says {i}?", "How many {i}s are in a {n}?",
    "Who is the best singer?", "What should I cook today?", "What is love?",
]  # fmt: skip

FORMS = [
    "(Is|Was) {p} (big|old|far away|famous|expensive|a city|a town|a good place to live|worth a visit|near {p2}|beautiful|dangerous)?",
    "(Is|Was) {f} (rich|famous|happy|tall|alive|a good {w}|a writer|my friend|at home|right)?",
    "(Who|What) (is|was) {f} (really|to you|doing|) ?", "(Do you know|Have you heard of|Have you met|Can you describe|Tell me about) {f}?",
    "(Do you know|Have you been to|Have you heard of|Can you describe|Tell me about|Describe) {p}?",
    "(Write|Compose|Make|Give me) (a|another) (song|letter|speech|novel|report|text|rhyme|haiku|review) (about|on|for) (the {n}|my {n}|{t}|{f}|{p}).",
    "(Write|Make|Give me) (code|a script|a function|a class|a web page) (for|that can) (a {n}|{v} the {n}).",
    "(Give me|I need|Do you have|Can you give) (a tip|tips|an idea|ideas|help|information|some news|an opinion) (about|on|for|"
    "with) (my {n}|the {n}|a {n}|{t}|{p}).",
    "(What|How) (should|can|do|would) (I|we|you) (do|say|think) (about|with|to) (my {n}|the {n}|{f}|{t})?",
    "(Why|When|How|Where) (did|does|do|will|can) (the {n}|{f}|people|a {n}|the {w}) {v}?",
    "(Which|What) {n} (is|was) (better|cheaper|nicer|the largest|the oldest|popular|yours)?",
    "(Who|What) (made|built|owns|found|stole|sells|designed|began) the {n} (of|in|near) {p}?",
    "(What|Which) (film|book|song|number|food|colour|sport|team|word|game) (is best|do people like in {p}|has {f} made|has the {n})?",
    "(How|Exactly how) (old|heavy|deep|long|wide|high|expensive|warm|dangerous) is (the {n}|a {n}|{p}|{t})?",
    "(Explain|Describe|Discuss|Summarise|Compare|Analyse|Review) (the {n}|{t}|{p}|a {n} and a {n}).",
    "(Recommend|Suggest|Choose|Buy|Sell|Order|Book|Fix|Bring|Draw|Paint|Cook) (me|) (a|some|the|my) {n}.",
    "I (want|like|love|lost|broke|hate|need|see) (my|a|the) {n}.",
    "(My|The|A) {n} (is|was) (broken|lost|too {q}|{q}|gone). (What now|Why|Help me)?", "(Translate|Say) {n} (in|into) (German|Spanish|Latin|Greek).",
    "(What|Who) (happened|was born|died|was president|ruled) (in|around) {y}?",
    "(What|Which) is the (largest|smallest|best|nearest|oldest) {n} (of|in|near) {p}?",
    "(What|Who) is (a|the) {i}?", "(Where|What) is the {i} of {ip}?", "(What noise|What sound|How) (does|did) (a|the|my) {i} (make|sound)?",
    "(Name|Tell me) the (capital|continent|mayor|river|language) of {ip}.",
    "(Translate|Can you translate|Please translate|Could you translate|) ({x}|the (word|sentence) {x}) (to|into|in) {l}.",
    "(How (do|would) (you|I|they) say|What is|What's|Say|What does one say for) {x} in {l}?", "(What does|) {x} (mean|) in {l}?",
    "(What|How) (is|'s|will be) the (weather|temperature|forecast) (like|) (today|tomorrow|now|here|outside|in {p}|in {p} tomorrow|this week)?",
    "(Will it|Is it going to|Does it) (rain|snow|be sunny|be warm|freeze|be cold) (today|tomorrow|in {p}|tonight|here|)?",
    "(What is|What's|Tell me|Give me|Read me|Any|Show me) (in the news|the news|the latest news|news|new in the world|happening in {c}|"
    "the headlines) (today|now|)?",
    "(What|Which) (time|day|date|year|month) (is it|do we have) (now|today|here|in {p}|)?",
    "(What is|What's|Tell me) (the time|today's date|the date today|the current year|the date)?",
    "(Write|Show me|Give me|I need|Can you write|Make) (some|a|me a|a short|) (code|Python code|Java program|website|SQL query|program|"
    "function|script|app|class) "
    "(in Python|in C|in Java|for me|in JavaScript|to {v}|for a {n}|).",
    "(How|Can you tell me how) (do|can|does one) (I|you|one) (write|make|create|fix|use|declare|print) (a loop|a function|a class|"
    "a website|an app|a list|my code|this bug|a variable|text) "
    "(in Python|in Java|in C|in JavaScript|)?",
    "(Is|Are|Was) (a|the|my) {n} (a {n2}|a kind of {n2}|{q}|{q} or {q2}|alive|real|dangerous|edible|expensive|a {w})?",
    "(Is|Was) (the|your) {n} {q}?",
    "(Which|What|Who) (is|do you think is) (better|best|nicer|cheaper|larger)(, | -|:|) (a|the) {n} or (a|the) {n2}?",
    "(Do you (like|prefer|love|know|want)|Have you seen) (the {n}|a {n}|{n}|{f}|{p})?",
    "(Who|What) (is|was) the (first|current|last|best|richest|new|) (president|king|queen|pope|chancellor|minister|emperor|singer|writer|"
    "player) (of {c}|in {c}|of {p}|ever|)?",
    "(How (far|big|hot|old|deep|large|heavy) (is|was)|What is|Where is|Why is there) the (sun|moon|earth|sea|universe|ocean|world|sky|"
    "internet|Eiffel Tower|Great Wall|Amazon)?",
    "(What is|What's|Explain|Define|Tell me about|Do you know about|How does) (love|life|the meaning of life|time|money|happiness|gravity|"
    "democracy|physics|chemistry|art|war|peace|philosophy|"
    "quantum physics|evolution|energy|an atom|electricity|the internet|music|history|a black hole|climate change|football|the stock market|"
    "machine learning|Python|Linux|a computer).",
    "(Play|Sing|Put on|Stop|Sing me) (a song|some music|the radio|music|a lullaby|my favourite song|{f}).",
    "(Send|Write) (an email|a message|a text|a letter|a postcard) to ({f}|my {w}).",
    "(Call|Phone|Email|Text|Ask) ({f}|my {w}).", "(Buy|Order|Book|Get|Reserve) (me|) (a pizza|a flight to {p}|a table|a hotel in {p}|"
    "tickets|a taxi|food|a {n}).",
    "(Flip a coin|Roll a die|Roll the dice|Pick a number|Choose a card|Give me a random number|Guess my age|Guess what|Tell me my future|"
    "Tell me a secret|Tell me something interesting|"
    "Tell me a fun fact|What is my age|Where am I|Where do I live|When is my birthday|Do you love me|Will you marry me|Read this file|"
    "Open the browser|Show me a picture|Draw a {n}|Solve this equation|"
    "What happened today|What happened yesterday|Who won|Why|When|How so|What|Where|Which one)?",
    "(Give me|I need|Do you have|What is|Suggest|Recommend) a (good|nice|great|) (recipe|recipe for {n}|movie|film|book|song|"
    "name for my {n}|password|quote|riddle|poem|diet|gift for my {w}|restaurant|hotel).",
    "(Who|When was) (wrote|written|sang|directed|painted|played in) (Hamlet|the Bible|Faust|this book|{t}|Star Wars|the Mona Lisa|Harry Potter)?",
    "(Turn on|Turn off|Switch on|Switch off|Open|Close|Lock) (the|my) (light|lights|{n}|door|heating|computer).",
    "(What|Why) (is|are|does|do) {n} (made of|good for|called {n}|important|so {q}|cost)?",
    "(Which|What) animal (says|goes|makes the sound) {i}?", "(Which|What) animal {i}s?", "(What|Tell me what) is (a|an|the) {i}.",
    "How many {i}s (are|are there) in (a|an|the) {n}?",
    "How many {n}s (are|are there) in (a|the) {n2}?", "What is the (young|baby|plural|past|colour|capital) of (a|an|the|) {i}?",
    "How many legs (has|does) (a|the|my) {i} (have|)?",
    "(What|Who) (should I|do I|can I) (cook|eat|read|wear|watch|do|buy|learn|study|trust) (today|tonight|now|)?"]  # fmt: skip
LANGUAGES = "French German Spanish Italian Latin Greek Russian Japanese Chinese Dutch Polish Portuguese Turkish Swedish Arabic".split()
PHRASES = """good morning;good night;thank you;hello;I love you;how are you;goodbye;please;good luck;happy birthday;where is the station;yes;
my name is Box;the sun is shining;I am hungry;see you tomorrow;what is your name;water;welcome;excuse me""".replace("\n", "").split(";")

SUMS = ["What is {big} * {big2}?", "How much is {big} plus {big2}?", "What is {big} divided by {big2}?",
        "Tell me {big} minus {big2}.", "What is the square root of {big}?", "{big} + {big2}", "What is {big} - {big2}?",
        "How much is {big} times {big2}?", "{big}*{big2}", "{big}+{big2}", "What is {share}% of {big}?"]  # fmt: skip
SUM_FORMS = ["(What is|What's|How much is|Calculate|Compute|Work out|) {big} (+|-|*|/|plus|minus|times|x|divided by) {big2}.",
             "{big} (+|-|*|/|plus|minus|times|x|divided by) {big2}",
             "{big}(+|-|*|/|x){big2}", "(What is|Calculate|How much is) {share} (percent|%) of {big}?",
             "(What is|How much is|Divide|) {rest} (/|by|divided by) {part}",
             "(What is|Calculate) the (square|cube|root|square root|half|factorial) of {big}?"]  # fmt: skip
KNOWN = {s.lower() for table in (facts.CAPITALS, facts.CONTINENTS, facts.OPPOSITES, facts.SOUNDS, facts.YOUNG, facts.COLOURS,
                                 facts.LEGS, facts.SIDES) for s in table} | {"may"}  # fmt: skip


FOR_TOOLS = re.compile("weather|temperature|forecast|rain|snow|sunny|warm|cold|freeze")


def _uneven(rng):
    """Two numbers of which the second does not divide the first."""
    part = rng.randint(2, 10)
    return part * rng.randint(1, 9) + rng.randint(1, part - 1), part


def _topic(rng, held):
    return rng.choice((f"the {word(rng, held)} of {place(rng, held)}", f"the {rng.choice(common.QUALITIES)} {word(rng, held)}",
                       f"{word(rng, held)} theory", f"the {word(rng, held)} and the {word(rng, held)}",
                       f"the {word(rng, held)} law", f"{word(rng, held)}"))  # fmt: skip


def _saying(rng, held):
    text = rng.choice(PHRASES) if rng.random() < 0.5 else " ".join(word(rng, held, invent=0.05) for _ in range(rng.randint(1, 4)))
    return f'"{text}"' if rng.random() < 0.2 else text


def invented_word(rng, held):
    while True:
        w = word(rng, held, invent=1)
        if w not in common.ALL and w not in KNOWN:
            return w


def case(rng, held, sums=True):
    """sums: also what a tool could do, such as sums that are too large."""
    big = lambda: rng.choice((rng.randint(200, 999), rng.randint(1000, 99999)))  # noqa: E731
    frames, forms = (SUMS, SUM_FORMS) if sums and rng.random() < 0.08 else (FRAMES, FORMS)
    form = phrase(rng, frames, held, forms)
    while not sums and FOR_TOOLS.search(form):
        form = phrase(rng, frames, held, forms)
    rest, part = draw(rng, lambda: _uneven(rng), held)
    text = form.format(rest=rest, part=part, 
        n=word(rng, held, invent=0.15), t=_topic(rng, held), p=place(rng, held), p2=place(rng, held), q=rng.choice(common.QUALITIES),
        v=rng.choice(common.ACTIONS), f=full_name(rng, held), w=rng.choice(common.PEOPLE), y=rng.randint(1000, 2030), i=invented_word(rng, held),
        ip=invented_word(rng, held).capitalize(), big=big(), big2=big(), c=rng.choice(list(facts.CAPITALS)), n2=word(rng, held),
        q2=rng.choice(common.QUALITIES), l=rng.choice(LANGUAGES), share=rng.randint(1, 99), x=_saying(rng, held))  # fmt: skip
    return exchange(vary(rng, text, small=True), ANSWER)
