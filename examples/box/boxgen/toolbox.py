# SPDX-License-Identifier: MIT
"""The six kinds of tools: the names they go by, how people ask for them, what they return and what is said then."""
from dataclasses import dataclass

from .pools import draw, first_name, phrase, place, word
from .words import common


@dataclass
class Request:
    text: str
    values: dict


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
        ("get_weather", "location"), ("check_weather", "city"))]  # fmt: skip
    ASK = ["What is the weather in {p}?", "How is the weather in {p}?", "What's the weather like in {p}?",
           "How is the weather in {p} today?", "Is it raining in {p}?", "Tell me the weather in {p}.", "Weather in {p}?",
           "How warm is it in {p}?", "Is it cold in {p}?", "Check the weather in {p}.", "Is it sunny in {p}?",
           "Do I need an umbrella in {p}?", "What is the temperature in {p}?", "Get me the weather for {p}.",
           "Will I need a coat in {p}?", "Is it foggy in {p}?", "How cold is it in {p}?", "Do I need sunglasses in {p}?"]  # fmt: skip
    BOTH = ["What is the weather in {a} and {b}?", "How is the weather in {a} and in {b}?", "Weather in {a} and {b}?",
            "Tell me the weather in {a} and {b}.", "Check the weather in {a} and {b}."]  # fmt: skip
    SKIES = "sunny cloudy rainy snowy windy foggy stormy clear".split()

    def request(self, rng, held):
        p = place(rng, held)
        return Request(phrase(rng, self.ASK, held).format(p=p), {"place": p})

    def join(self, rng, a, b):
        return rng.choice(self.BOTH).format(a=a.values["place"], b=b.values["place"])

    def outcome(self, rng, values):
        t, sky = rng.randint(-15, 39), rng.choice(self.SKIES)
        form = rng.choice(('{{"temperature": {t}, "sky": "{s}"}}', '{{"sky": "{s}", "temperature": {t}}}', "{t} degrees, {s}",
                           "{s}, {t} degrees"))  # fmt: skip
        return form.format(t=t, s=sky), f"It is {t} degrees and {sky} in {values['place']}."


class Timer:
    VARIANTS = [Variant(n, "Start a timer", {"minutes": ("minutes", "integer")}) for n in (
        "set_timer", "start_timer", "timer")] + [
        Variant(n, "Start a timer", {"duration": ("duration", "string")}) for n in ("set_timer", "create_timer")]  # fmt: skip
    ASK = ["Set a timer for {d}.", "Start a timer for {d}.", "Set a {n} minute timer.", "Timer for {d}.",
           "Please set a timer to {d}.", "I need a timer for {d}.", "Wake me in {d}.", "Can you set a timer for {d}?",
           "Give me a timer of {d}.", "Start the timer: {d}.", "Count down {d}.", "Set the timer to {d}.", "Count {d}.",
           "Count from {d} to zero.", "A timer of {d}, please.", "Time {d}."]  # fmt: skip

    def request(self, rng, held):
        n = draw(rng, lambda: rng.choice((rng.randint(2, 60), rng.randint(2, 180))), held)
        duration = f"{n} minutes"
        return Request(phrase(rng, self.ASK, held).format(d=duration, n=n), {"minutes": n, "duration": duration})

    def join(self, rng, a, b):
        return f"Set a timer for {a.values['duration']} and one for {b.values['duration']}."

    def outcome(self, rng, values):
        return rng.choice(('{"status": "ok"}', "ok", "started")), f"Your timer for {values['duration']} is set."


class Calculator:
    VARIANTS = [Variant(n, "Compute an arithmetic expression", {"expression": (p, "string")}) for n, p in (
        ("calculate", "expression"), ("calculator", "expression"), ("calc", "expression"), ("evaluate", "expression"))]  # fmt: skip
    ASK = ["What is {a} {w} {b}?", "How much is {a} {w} {b}?", "Calculate {a} {w} {b}.", "Compute {a} {w} {b}.",
           "{a} {w} {b} = ?", "Tell me what {a} {w} {b} is.", "What's {a} {w} {b}?", "Work out {a} {w} {b}."]  # fmt: skip
    SIGNS = {"+": ("+", "plus"), "-": ("-", "minus"), "*": ("*", "times"), "/": ("/", "divided by")}

    def request(self, rng, held):
        sign = rng.choice("+-*/")
        make = lambda: rng.choice((rng.randint(100, 999), rng.randint(2, 99), rng.randint(1000, 9999)))  # noqa: E731
        a, b = draw(rng, make, held), draw(rng, make, held)
        text = phrase(rng, self.ASK, held).format(a=a, b=b, w=rng.choice(self.SIGNS[sign]))
        return Request(text, {"expression": f"{a} {sign} {b}"})

    def join(self, rng, a, b):
        return f"What is {a.values['expression']} and what is {b.values['expression']}?"

    def outcome(self, rng, values):
        a, sign, b = values["expression"].split()
        a, b = int(a), int(b)
        value = {"+": a + b, "-": a - b, "*": a * b, "/": round(a / b, 2)}[sign]
        return rng.choice(('{{"result": {}}}', "{}")).format(value), f"{values['expression']} = {value}."


class Units:
    VARIANTS = [
        Variant(n, "Convert a value between units", {"value": (v, "number"), "from": (f, "string"), "to": (t, "string")})
        for n, v, f, t in (("convert_units", "value", "from", "to"), ("convert", "value", "from", "to"),
                           ("unit_converter", "amount", "from_unit", "to_unit"), ("convert_units", "value", "from_unit", "to_unit"))
    ]  # fmt: skip
    ASK = ["Convert {n} {f} to {t}.", "How many {t} are {n} {f}?", "What is {n} {f} in {t}?", "{n} {f} in {t}?",
           "Change {n} {f} into {t}.", "How much is {n} {f} in {t}?", "Convert {n} {f} into {t}.", "Turn {n} {f} into {t}.",
           "I want {n} {f} in {t}.", "Express {n} {f} in {t}.", "Turn {n} {f} to {t}.", "{n} {f} to {t}.",
           "Give me {n} {f} in {t}."]  # fmt: skip
    GROUPS = ["metres feet inches miles kilometres yards centimetres".split(), "kilograms pounds ounces grams stones".split(),
              "litres gallons pints cups".split(), "celsius fahrenheit kelvin".split(),
              "hours minutes seconds days weeks".split()]  # fmt: skip

    def request(self, rng, held):
        f, t = rng.sample(rng.choice(self.GROUPS), 2)
        n = draw(rng, lambda: str(rng.randint(2, 999)) if rng.random() < 0.8 else f"{rng.randint(1, 99)}.{rng.randint(1, 9)}", held)
        return Request(phrase(rng, self.ASK, held).format(n=n, f=f, t=t), {"value": _number(n), "from": f, "to": t})

    def join(self, rng, a, b):
        a, b = a.values, b.values
        return f"Convert {a['value']} {a['from']} to {a['to']} and {b['value']} {b['from']} to {b['to']}."

    def outcome(self, rng, values):
        n = rng.choice((str(rng.randint(1, 9999)), f"{rng.randint(0, 999)}.{rng.randint(1, 99)}"))
        said = f"{values['value']} {values['from']} are {n} {values['to']}."
        return rng.choice(('{{"value": {}}}', '{{"result": {}}}', "{}")).format(n), said


class Reminder:
    VARIANTS = [Variant(n, "Remind of something at a time", {"text": (a, "string"), "time": (b, "string")}) for n, a, b in (
        ("add_reminder", "text", "time"), ("set_reminder", "text", "time"), ("create_reminder", "message", "time"),
        ("remind", "text", "when"))]  # fmt: skip
    ASK = ["Remind me to {x} at {t}.", "Remind me at {t} to {x}.", "Set a reminder to {x} at {t}.",
           "At {t} remind me to {x}.", "Add a reminder to {x} at {t}.", "Please remind me to {x} at {t}.",
           "I have to {x} at {t}, remind me.", "Make a reminder for {t}: {x}.", "Reminder for {t}: {x}.",
           "Make a reminder to {x} at {t}.", "At {t}, please remind me to {x}.", "Remind me: {x} at {t}.",
           "Remind me that I have to {x} at {t}."]  # fmt: skip

    def request(self, rng, held):
        noun = word(rng, held, invent=0.1)
        deed = rng.choice((f"call {first_name(rng, held)}", f"buy {noun}", f"buy a {noun}", f"water the {noun}",
                           f"clean the {noun}", f"visit {first_name(rng, held)}", f"write to {first_name(rng, held)}",
                           f"take out the {noun}", f"{rng.choice(common.ACTIONS)} the {noun}", f"meet {first_name(rng, held)}",
                           f"bring the {noun} to {first_name(rng, held)}", f"fix the {noun}"))  # fmt: skip
        h = rng.randint(1, 12)
        t = rng.choice((f"{h} am", f"{h} pm", f"{h}:{rng.choice((15, 30, 45))} pm", f"{rng.randint(6, 23)}:{rng.randint(0, 59):02}",
                        "noon", "midnight"))  # fmt: skip
        return Request(phrase(rng, self.ASK, held).format(x=deed, t=t), {"text": deed, "time": t})

    def join(self, rng, a, b):
        a, b = a.values, b.values
        return f"Remind me to {a['text']} at {a['time']} and to {b['text']} at {b['time']}."

    def outcome(self, rng, values):
        said = f"I will remind you to {values['text']} at {values['time']}."
        return rng.choice(('{"status": "ok"}', "ok", "saved")), said


class Search:
    VARIANTS = [Variant(n, "Search the web", {"query": (p, "string")}) for n, p in (
        ("search", "query"), ("web_search", "query"), ("search_web", "query"), ("search", "q"))]  # fmt: skip
    ASK = ["Search for {q}.", "Search the web for {q}.", "Look up {q}.", "Find {q} on the web.", "Look for {q}.",
           "Please search for {q}.", "Can you search for {q}?", "Do a search for {q}.", "Look up {q} on the web.",
           "Search {q}.", "Find {q} online.", "Find me {q}.", "Find out about {q}.", "Find me {q} on the internet."]  # fmt: skip

    def _thing(self, rng, held):
        noun, quality = word(rng, held, invent=0.1), draw(rng, lambda: rng.choice(common.QUALITIES), False)
        return rng.choice((f"{quality} {noun}", f"{noun} in {place(rng, held)}", f"{quality} hotels in {place(rng, held)}",
                           f"how to {rng.choice(common.ACTIONS)} a {noun}", f"the history of {place(rng, held)}", f"{noun} recipes",
                           f"{first_name(rng, held)} the {rng.choice(common.PEOPLE)}", f"news about {noun}",
                           f"{quality} {noun} for {rng.choice(common.PEOPLE)}", f"songs of {first_name(rng, held)}"))  # fmt: skip

    def request(self, rng, held):
        q = self._thing(rng, held)
        return Request(phrase(rng, self.ASK, held).format(q=q), {"query": q})

    def join(self, rng, a, b):
        return f"Search for {a.values['query']} and for {b.values['query']}."

    def outcome(self, rng, values):
        found = " ".join(word(rng, False, invent=0.05) for _ in range(rng.randint(2, 6))).capitalize()
        return rng.choice(("{}", '{{"title": "{}"}}', '{{"result": "{}"}}')).format(found), f"I found this: {found}."


KINDS = {"weather": Weather(), "timer": Timer(), "calculator": Calculator(), "units": Units(), "reminder": Reminder(),
         "search": Search()}  # fmt: skip


def variant(rng, kind):
    """The first name of a tool is the one most programs give it."""
    variants = KINDS[kind].VARIANTS
    return variants[0] if rng.random() < 0.4 else rng.choice(variants)
