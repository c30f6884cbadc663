# SPDX-License-Identifier: MIT
"""The six kinds of tools: the names they go by, how people ask for them, what they return and what is said then."""
from dataclasses import dataclass

from .pools import draw, expand, first_name, phrase, place, tight, word
from .words import common


@dataclass
class Request:
    text: str
    values: dict

    def small(self):
        return Request(self.text.lower(), {k: v.lower() if isinstance(v, str) else v for k, v in self.values.items()})


@dataclass
class Variant:
    """One way a program may declare a tool: parameters map the names used here to (name, type)."""

    name: str
    description: str
    parameters: dict

    def schema(self):
        properties = {name: {"type": kind} for name, kind in self.parameters.values()}
        return {"type": "function", "function": {"name": self.name, "description": self.description, "parameters": {
            "type": "object", "properties": properties, "required": list(properties)}}}  # fmt: skip

    def arguments(self, values):
        return {name: values[key] for key, (name, _) in self.parameters.items()}


def _number(text):
    return float(text) if "." in text else int(text)


class Weather:
    VARIANTS = [Variant(n, "Current weather of a place", {"place": (p, "string")}) for n, p in (
        ("get_weather", "city"), ("weather", "city"), ("get_current_weather", "location"), ("weather", "place"),
        ("get_weather", "location"), ("check_weather", "city"), ("weather_at", "town"), ("forecast", "where"),
        ("get_forecast", "place"), ("current_weather", "name"))]  # fmt: skip
    ASK = ["What is the weather in {p}?", "How is the weather in {p}?", "What's the weather like in {p}?",
           "How is the weather in {p} today?", "Is it raining in {p}?", "Tell me the weather in {p}.", "Weather in {p}?",
           "How warm is it in {p}?", "Is it cold in {p}?", "Check the weather in {p}.", "Is it sunny in {p}?",
           "Do I need an umbrella in {p}?", "What is the temperature in {p}?", "Get me the weather for {p}.",
           "Will I need a coat in {p}?", "Is it foggy in {p}?", "How cold is it in {p}?", "Do I need sunglasses in {p}?"]  # fmt: skip
    FORMS = ["(Please|Can you|Could you|Now|) (tell me|check|get|show me|look up|give me|find out) (the|about the|) "
             "(weather|temperature|forecast|current weather) (in|for|at|of|over in) {p} (today|now|right now|for me|).",
             "(How|What) (is|'s|will) (the|) (weather|forecast) (in|for|at) {p} (today|now|right now|)?",
             "(Is it|Is it going to be|Will it be) (hot|warm|raining|snowing|wet|windy|nice|dry|cloudy|stormy) (in|over in) {p} (today|now|)?",
             "(Do I need|Should I take|Shall I take|Must I bring) (a coat|a hat|boots|gloves|a scarf|an umbrella) (in|to|for) {p}?",
             "(Weather|Forecast|Temperature|The weather) (for|of|in) {p} (please|now|).",
             "I (want|need|would like) the (weather|temperature) (in|of) {p}.",
             "I (travel|go|fly) to {p}. (How is|What is|Tell me) the weather there?", "{p} weather?", "Weather {p}",
             "How (hot|windy|wet|nice|dry|sunny) is it in {p} (today|now|right now|)?", "What('s| is) it like in {p} (today|now|right now|)?",
             "What('s| is) the (weather|temperature) (like|) (in|at) {p} (today|now|right now|)?"]  # fmt: skip
    BOTH_FORMS = ["(What is|What's|How is|Tell me|Check|Show me|Get) the (weather|temperature) (in|for|of) {a} and (in|for|) {b}.",
                  "(Is it|Will it be) (cold|warm|wet|raining|sunny) in {a} and (in|) {b}?",
                  "Compare the weather in {a} and {b}."]  # fmt: skip
    BOTH = ["What is the weather in {a} and {b}?", "How is the weather in {a} and in {b}?", "Weather in {a} and {b}?",
            "Tell me the weather in {a} and {b}.", "Check the weather in {a} and {b}."]  # fmt: skip
    SKIES = "sunny cloudy rainy snowy windy foggy stormy clear".split()

    def request(self, rng, held):
        p = place(rng, held)
        return Request(phrase(rng, self.ASK, held, self.FORMS).format(p=p), {"place": p})

    def join(self, rng, a, b):
        form = rng.choice(self.BOTH) if rng.random() < 0.5 else expand(rng, rng.choice(self.BOTH_FORMS))
        return form.format(a=a.values["place"], b=b.values["place"])

    def outcome(self, rng, values):
        t, sky = rng.randint(-15, 39), rng.choice(self.SKIES)
        form = rng.choice(('{{"temperature": {t}, "sky": "{s}"}}', '{{"sky": "{s}", "temperature": {t}}}', "{t} degrees, {s}",
                           "{s}, {t} degrees"))  # fmt: skip
        return form.format(t=t, s=sky), f"It is {t} degrees and {sky} in {values['place']}."


class Timer:
    VARIANTS = [Variant(n, "Start a timer", {"minutes": ("minutes", "integer")}) for n in (
        "set_timer", "start_timer", "timer", "countdown")] + [
        Variant(n, "Start a timer", {"duration": ("duration", "string")}) for n in ("set_timer", "create_timer")] + [
        Variant("start_timer", "Start a timer", {"minutes": ("length", "integer")})]  # fmt: skip
    ASK = ["Set a timer for {d}.", "Start a timer for {d}.", "Set a {n} minute timer.", "Timer for {d}.",
           "Please set a timer to {d}.", "I need a timer for {d}.", "Wake me in {d}.", "Can you set a timer for {d}?",
           "Give me a timer of {d}.", "Start the timer: {d}.", "Count down {d}.", "Set the timer to {d}.", "Count {d}.",
           "Count from {d} to zero.", "A timer of {d}, please.", "Time {d}."]  # fmt: skip

    FORMS = ["(Please|Can you|Could you|Now|) (set|start|create|make|begin|run) (a|the|my|another) (timer|countdown|alarm|"
             "stopwatch) (for|of|to|with) {d}.",
             "(I need|I want|Give me|Start|Set|Make) a {n} (minute|min|minutes) (timer|countdown|alarm).",
             "(Wake|Call|Ring|Alert|Beep) me (in|after) {d}.", "(Timer|Countdown|Alarm|A timer): {d}.",
             "(Tell me|Let me know) when {d} (are over|have passed|are up).",
             "(The|My) (tea|egg|pizza|cake|bread|rice) needs {d}, (set|start) a timer.", "{d} timer (please|).",
             "(Set|Start|) timer (for|) {n} (min|minutes)", "{n} (min|minutes|minute) timer", "Timer {d}",
             "(Set|Start|I need) (a|an) {n}-minute timer."]  # fmt: skip

    def request(self, rng, held):
        n = draw(rng, lambda: rng.choice((rng.randint(2, 60), rng.randint(2, 180))), held)
        duration = f"{n} minutes"
        return Request(phrase(rng, self.ASK, held, self.FORMS).format(d=duration, n=n), {"minutes": n, "duration": duration})

    def join(self, rng, a, b):
        form = "(Set a timer|Start a timer|Set timers|Make two timers|I need a timer) for {a} and (one for|another for|for) {b}."
        return expand(rng, form).format(a=a.values["duration"], b=b.values["duration"])

    def outcome(self, rng, values):
        return rng.choice(('{"status": "ok"}', "ok", "started")), f"Your timer for {values['duration']} is set."


class Calculator:
    VARIANTS = [Variant(n, "Compute an arithmetic expression", {"expression": (p, "string")}) for n, p in (
        ("calculate", "expression"), ("calculator", "expression"), ("calc", "expression"), ("evaluate", "expression"), (
        "compute", "formula"),
        ("calculate", "text"))]  # fmt: skip
    ASK = ["What is {a} {w} {b}?", "How much is {a} {w} {b}?", "Calculate {a} {w} {b}.", "Compute {a} {w} {b}.",
           "{a} {w} {b} = ?", "Tell me what {a} {w} {b} is.", "What's {a} {w} {b}?", "Work out {a} {w} {b}."]  # fmt: skip
    FORMS = ["(Please|Can you|Could you|Now|) (calculate|compute|work out|evaluate|find|solve|tell me|do) (the result of|) "
             "{a} {w} {b} (for me|).",
             "(What is|What's|How much is|What does|I need|I want to know|What is the result of) {a} {w} {b} (make|)?",
             "{a} {w} {b} (is|makes|equals|=) (what|)?",
             "(Use the calculator|With the calculator): {a} {w} {b}.", "{a} {w} {b}.", "{a} {w} {b}", "What about {a} {w} {b}?"]  # fmt: skip
    SIGNS = {"+": ("+", "plus"), "-": ("-", "minus"), "*": ("*", "times", "*", "times", "x", "\u00d7", "multiplied by"),
             "/": ("/", "divided by", "/", "divided by", "\u00f7")}  # fmt: skip

    def request(self, rng, held):
        sign = rng.choice("+-*/")
        make = lambda: rng.choice((rng.randint(100, 999), rng.randint(2, 99), rng.randint(1000, 9999)))  # noqa: E731
        a, b = draw(rng, make, held), draw(rng, make, held)
        text = phrase(rng, self.ASK, held, self.FORMS).format(a=a, b=b, w=rng.choice(self.SIGNS[sign]))
        return Request(tight(text) if rng.random() < 0.2 else text, {"expression": f"{a} {sign} {b}"})

    def join(self, rng, a, b):
        form = "(What is {a} and what is {b}|What is {a} and {b}|How much is {a} and how much is {b})?"
        return expand(rng, form).format(a=a.values["expression"], b=b.values["expression"])

    def outcome(self, rng, values):
        a, sign, b = values["expression"].split()
        a, b = int(a), int(b)
        value = {"+": a + b, "-": a - b, "*": a * b, "/": round(a / b, 2)}[sign]
        return rng.choice(('{{"result": {}}}', "{}")).format(value), f"{values['expression']} = {value}."


class Units:
    VARIANTS = [
        Variant(n, "Convert a value between units", {"value": (v, "number"), "from": (f, "string"), "to": (t, "string")})
        for n, v, f, t in (("convert_units", "value", "from", "to"), ("convert", "value", "from", "to"),
                           ("unit_converter", "amount", "from_unit", "to_unit"), ("convert_units", "value", "from_unit", "to_unit"),
                           ("convert_unit", "number", "source", "target"), ("units", "quantity", "from", "to"))
    ]  # fmt: skip
    ASK = ["Convert {n} {f} to {t}.", "How many {t} are {n} {f}?", "What is {n} {f} in {t}?", "{n} {f} in {t}?",
           "Change {n} {f} into {t}.", "How much is {n} {f} in {t}?", "Convert {n} {f} into {t}.", "Turn {n} {f} into {t}.",
           "I want {n} {f} in {t}.", "Express {n} {f} in {t}.", "Turn {n} {f} to {t}.", "{n} {f} to {t}.",
           "Give me {n} {f} in {t}."]  # fmt: skip
    FORMS = ["(Please|Can you|Could you|Now|) (convert|change|turn|translate|recalculate|express) {n} {f} (to|into|in) {t} "
             "(for me|).",
             "(What is|What are|How much is|How much are|Give me|I need|I want|Tell me) {n} {f} (in|as|converted to|expressed in) {t}?",
             "How many {t} (is|make|do I get for|are in|correspond to) {n} {f}?", "{n} {f} (as|is how many|are how many|into) {t}?",
             "(Conversion|Convert|Units): {n} {f} to {t}.", "I have {n} {f}. How many {t} is that?"]  # fmt: skip
    GROUPS = ["metres feet inches miles kilometres yards centimetres".split(), "kilograms pounds ounces grams stones".split(),
              "litres gallons pints cups".split(), "celsius fahrenheit kelvin".split(),
              "hours minutes seconds days weeks".split(), "km miles metres cm feet inches m".split(), "kg pounds g ounces lbs".split()]  # fmt: skip

    def request(self, rng, held):
        f, t = rng.sample(rng.choice(self.GROUPS), 2)
        n = draw(rng, lambda: str(rng.randint(2, 999)) if rng.random() < 0.8 else f"{rng.randint(1, 99)}.{rng.randint(1, 9)}", held)
        return Request(phrase(rng, self.ASK, held, self.FORMS).format(n=n, f=f, t=t), {"value": _number(n), "from": f, "to": t})

    def join(self, rng, a, b):
        a, b = a.values, b.values
        form = "(Convert|Change|Turn) {a} (to|into) {b} and {c} (to|into) {d}."
        return expand(rng, form).format(a=f"{a['value']} {a['from']}", b=a["to"], c=f"{b['value']} {b['from']}", d=b["to"])

    def outcome(self, rng, values):
        n = rng.choice((str(rng.randint(1, 9999)), f"{rng.randint(0, 999)}.{rng.randint(1, 99)}"))
        said = f"{values['value']} {values['from']} are {n} {values['to']}."
        return rng.choice(('{{"value": {}}}', '{{"result": {}}}', "{}")).format(n), said


class Reminder:
    VARIANTS = [Variant(n, "Remind of something at a time", {"text": (a, "string"), "time": (b, "string")}) for n, a, b in (
        ("add_reminder", "text", "time"), ("set_reminder", "text", "time"), ("create_reminder", "message", "time"),
        ("remind", "text", "when"), ("reminder", "what", "at"), ("remind_me", "task", "time"))]  # fmt: skip
    ASK = ["Remind me to {x} at {t}.", "Remind me at {t} to {x}.", "Set a reminder to {x} at {t}.",
           "At {t} remind me to {x}.", "Add a reminder to {x} at {t}.", "Please remind me to {x} at {t}.",
           "I have to {x} at {t}, remind me.", "Make a reminder for {t}: {x}.", "Reminder for {t}: {x}.",
           "Make a reminder to {x} at {t}.", "At {t}, please remind me to {x}.", "Remind me: {x} at {t}.",
           "Remind me that I have to {x} at {t}."]  # fmt: skip

    FORMS = ["(Please|Can you|Could you|Now|) (remind|tell|alert|notify) me (at|before|around) {t} to {x}.",
             "(Please|Can you|Could you|Don't forget to|) remind me to {x} (at|around|by) {t}.",
             "(Set|Add|Create|Make|Save|Put in|I need|I want) (a|another|one) reminder (to {x} at {t}|at {t} to {x}|for {t} to {x}|"
             "for {t}: {x}|: {x} at {t}).",
             "(At {t}|Around {t}) (I must|I have to|I want to|I should) {x}, (please|) (remind me|set a reminder).",
             "(I must|I should|I want to|I need to) {x} at {t}, (please|) (remind me|set a reminder).",
             "Reminder: {x} at {t}.", "Reminder: {t}, {x}.",
             "(Do not|Don't) let me forget to {x} at {t}."]  # fmt: skip
    TRAINED = ["{a} {b}", "{a} {b} {c}", "{a} the {b} and the {c}", "{v} {a}", "{v} {a} {b}", "{v} the {a} with the {b}",
               "{v} {m}", "{v} with {m}",
               "{v} {a} for {m}", "get the {a} from {m}", "ask {m} about the {a}", "send {m} the {a}", "go to the {a}",
               "{v} my {a}"]  # fmt: skip

    def request(self, rng, held):
        noun = word(rng, held, invent=0.1)
        deed = rng.choice((f"call {first_name(rng, held)}", f"buy {noun}", f"buy a {noun}", f"water the {noun}",
                           f"clean the {noun}", f"visit {first_name(rng, held)}", f"write to {first_name(rng, held)}",
                           f"take out the {noun}", f"{rng.choice(common.ACTIONS)} the {noun}", f"meet {first_name(rng, held)}",
                           f"bring the {noun} to {first_name(rng, held)}", f"fix the {noun}"))  # fmt: skip
        if not held and rng.random() < 0.5:
            deed = rng.choice(self.TRAINED).format(a=word(rng), b=word(rng), c=word(rng), v=rng.choice(common.ACTIONS), m=first_name(rng))
        h = rng.randint(1, 12)
        t = rng.choice((f"{h} am", f"{h} pm", f"{h}{rng.choice(('am', 'pm'))}", f"{h}:{rng.choice((15, 30, 45))} pm",
                        f"{rng.randint(6, 23)}:{rng.randint(0, 59):02}",
                        "noon", "midnight"))  # fmt: skip
        return Request(phrase(rng, self.ASK, held, self.FORMS).format(x=deed, t=t), {"text": deed, "time": t})

    def join(self, rng, a, b):
        a, b = a.values, b.values
        form = "(Remind me|Set reminders|Please remind me) (to {a} at {b} and to {c} at {d}|at {b} to {a} and at {d} to {c})."
        return expand(rng, form).format(a=a["text"], b=a["time"], c=b["text"], d=b["time"])

    def outcome(self, rng, values):
        said = f"I will remind you to {values['text']} at {values['time']}."
        return rng.choice(('{"status": "ok"}', "ok", "saved")), said


class Search:
    VARIANTS = [Variant(n, "Search the web", {"query": (p, "string")}) for n, p in (
        ("search", "query"), ("web_search", "query"), ("search_web", "query"), ("search", "q"), ("find", "text"), ("lookup",
        "query"),
        ("internet_search", "term"))]  # fmt: skip
    ASK = ["Search for {q}.", "Search the web for {q}.", "Look up {q}.", "Find {q} on the web.", "Look for {q}.",
           "Please search for {q}.", "Can you search for {q}?", "Do a search for {q}.", "Look up {q} on the web.",
           "Search {q}.", "Find {q} online.", "Find me {q}.", "Find out about {q}.", "Find me {q} on the internet."]  # fmt: skip

    FORMS = ["(Please|Can you|Could you|Now|) (search|look|google|browse|check) (the web|the internet|online|) for {q}.",
             "(Please|Can you|Could you|Now|) (find|look up|search|get|show me|find out about) {q} (on the internet|on the web|online|"
             "for me|in the web|).",
             "(Search|Web search|Look up|Query|Find): {q}.",
             "(What can you find|What is there|What do they say) (about|on|for) {q} (online|on the web)?",
             "(I want to|I need to|Let's) (search for|look up|find) {q}.",
             "(Run|Start|Make|Do) a (web|new|quick|) search (for|on|about) {q}."]  # fmt: skip

    def _thing(self, rng, held):
        if not held and rng.random() < 0.4:
            return " ".join(rng.choice((word, word, word, first_name, place))(rng) for _ in range(rng.randint(1, 5)))
        noun, quality = word(rng, held, invent=0.1), draw(rng, lambda: rng.choice(common.QUALITIES), False)
        return rng.choice((f"{quality} {noun}", f"{noun} in {place(rng, held)}", f"{quality} hotels in {place(rng, held)}",
                           f"how to {rng.choice(common.ACTIONS)} a {noun}", f"the history of {place(rng, held)}", f"{noun} recipes",
                           f"{first_name(rng, held)} the {rng.choice(common.PEOPLE)}", f"news about {noun}",
                           f"{quality} {noun} for {rng.choice(common.PEOPLE)}", f"songs of {first_name(rng, held)}"))  # fmt: skip

    def request(self, rng, held):
        q = self._thing(rng, held)
        return Request(phrase(rng, self.ASK, held, self.FORMS).format(q=q), {"query": q})

    def join(self, rng, a, b):
        form = "(Search|Look|Search the web) for {a} and (for|also for|then for) {b}."
        return expand(rng, form).format(a=a.values["query"], b=b.values["query"])

    def outcome(self, rng, values):
        found = " ".join(word(rng, False, invent=0.05) for _ in range(rng.randint(2, 6))).capitalize()
        return rng.choice(("{}", '{{"title": "{}"}}', '{{"result": "{}"}}')).format(found), f"I found this: {found}."


KINDS = {"weather": Weather(), "timer": Timer(), "calculator": Calculator(), "units": Units(), "reminder": Reminder(),
         "search": Search()}  # fmt: skip


def variant(rng, kind):
    """The first name of a tool is the one most programs give it."""
    variants = KINDS[kind].VARIANTS
    return variants[0] if rng.random() < 0.4 else rng.choice(variants)
