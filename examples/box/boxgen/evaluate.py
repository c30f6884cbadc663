# SPDX-License-Identifier: MIT
"""Exact match of held-out cases, skill by skill, through liblm: python -m boxgen.evaluate LIBLM [LIBLM_BOX | MODEL.gguf].

Needs no packages. Every case is asked as a conversation of its own; each thing that the assistant has to say in it is
compared, calls as names and arguments. A case with tools counts as right when its calls (or its answer without any) are; the
answer from the tools' results is counted apart. Either sentence of refusal is a refusal.
"""
import argparse
import json
import math
import random
import re

from .library import Chat
from .skills import ALL, refusal, stories

REFUSALS = (refusal.ANSWER, refusal.NO_TOOL)


def called(message):
    calls = []
    for call in message.get("tool_calls") or []:
        arguments = call["function"]["arguments"]
        calls.append((call["function"]["name"], json.loads(arguments) if isinstance(arguments, str) else arguments))
    return calls


def said(message):
    return (message.get("content") or "").strip()


def words(text):
    return set(re.findall("[a-z]+", text.lower()))


def right(skill, expected, got, question):
    if skill == "stories":
        animal = next(h for h in stories.HEROES if h in words(question))
        name = said(got).split(" called ")[-1].split(" ")[0]
        return stories.story_is_sound(said(got), name, animal)
    if said(expected) in REFUSALS and not called(got):
        return said(got) in REFUSALS
    return said(got) == said(expected) and called(got) == called(expected)


def ask(chat, case, skill, wrong):
    """Right or not, for each turn of the assistant; the history stays the expected one."""
    messages, verdicts = case["messages"], []
    variables = {"enable_thinking": True} if case.get("enable_thinking") else None
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        got, _ = chat.run(messages[:i], case.get("tools"), variables=variables)
        verdicts.append(right(skill, message, got, messages[0]["content"]))
        if not verdicts[-1]:
            wrong.append({"skill": skill, "asked": messages[i - 1]["content"], "expected": called(message) or said(message),
                          "got": called(got) or said(got)})  # fmt: skip
    return verdicts


def evaluate(chat, n, seed, skills=None, wrong=None):
    """skill: (right, asked). Tool results have a line of their own."""
    table, wrong = {}, [] if wrong is None else wrong
    for skill in skills or ALL:
        rng = random.Random(f"held-out {skill} {seed}")
        for _ in range(n):
            case = ALL[skill].case(rng, True)
            while skill == "stories" and not words(case["messages"][0]["content"]) & set(stories.HEROES):
                case = ALL[skill].case(rng, True)
            verdicts = ask(chat, case, skill, wrong)
            parts = [(skill, verdicts[0])] + [("answers from results" if skill == "tools" else skill, v) for v in verdicts[1:]]
            for name, verdict in parts:
                hits, total = table.get(name, (0, 0))
                table[name] = hits + verdict, total + 1
    return table


def interval(hits, total):
    """Half the width of the 95 % interval of a share (Wilson)."""
    p, z = hits / total, 1.96
    return z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("liblm")
    p.add_argument("model", help="liblm-box, or a model file that ends in .gguf")
    p.add_argument("-n", type=int, default=300, help="cases of each skill and seed")
    p.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3], help="whose cases are counted together")
    p.add_argument("--skill", action="append", choices=ALL)
    p.add_argument("--wrong", type=int, default=0, help="print so many mistakes of each skill")
    a = p.parse_args()
    chat = Chat(a.liblm, model=a.model) if a.model.endswith(".gguf") else Chat(a.liblm, a.model)
    wrong, table = [], {}
    for seed in a.seed:
        for name, (hits, total) in evaluate(chat, a.n, seed, a.skill, wrong).items():
            table[name] = [x + y for x, y in zip(table.get(name, (0, 0)), (hits, total))]
    for name, (hits, total) in table.items():
        print(f"{name:22} {100 * hits / total:6.1f} % +- {100 * interval(hits, total):.1f}  ({hits} of {total})")
    for skill in ALL:
        for mistake in [w for w in wrong if w["skill"] == skill][: a.wrong]:
            print(json.dumps(mistake))
    chat.close()


if __name__ == "__main__":
    main()
