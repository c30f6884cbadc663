# SPDX-License-Identifier: MIT
"""Calling the tools that are offered, one or two at a time, and answering from their results."""
from .. import toolbox
from ..conversation import calls, exchange, result, says, user
from ..pools import careless, small_start, vary
from . import chat, copying, counting, extraction, facts, refusal, sorting, spelling

JOINTS = [" and ", ", and ", ", then ", " and also ", ", ", " and then ", " and please ", ". Also, ", ". Then ", "; ", " plus ", ", also "]


def _offer(rng, needed):
    """A list of tools with those needed somewhere in it."""
    others = [k for k in toolbox.KINDS if k not in needed]
    kinds = list(needed) + rng.sample(others, min(len(others), rng.choice((0, 1, 2, 3, 5))))
    rng.shuffle(kinds)
    return {k: toolbox.variant(rng, k) for k in kinds}


def case(rng, held):
    r = rng.random()
    if r < 0.12:  # an ordinary request with tools on the table
        skill = rng.choice((facts, chat, copying, spelling, facts, refusal))
        if not held and rng.random() < 0.3:
            skill = rng.choice((counting, extraction, sorting))
        made = refusal.case(rng, held, sums=False) if skill is refusal else skill.case(rng, held)
        offered = _offer(rng, ())
        if not offered:
            offered = _offer(rng, ("weather",))
        return made | {"tools": [v.schema() for v in offered.values()]}
    if r < 0.22:  # a request for a tool that is not there
        kind = rng.choice(list(toolbox.KINDS))
        offered = _offer(rng, (rng.choice([k for k in toolbox.KINDS if k != kind]),))
        offered.pop(kind, None)
        if kind == "calculator":
            return case(rng, held)
        question = toolbox.KINDS[kind].request(rng, held).text
        return exchange(vary(rng, question, small=True), refusal.NO_TOOL) | {"tools": [v.schema() for v in offered.values()]}
    if r < 0.26:  # none at all
        kind = rng.choice([k for k in toolbox.KINDS if k != "calculator"])
        return exchange(vary(rng, toolbox.KINDS[kind].request(rng, held).text, small=True), refusal.ANSWER)

    if rng.random() < (0.35 if held else 0.45):
        kinds = rng.choices(list(toolbox.KINDS), k=2)
        if rng.random() < 0.3:
            kinds[1] = kinds[0]
    else:
        kinds = [rng.choice(list(toolbox.KINDS))]
    offered = _offer(rng, dict.fromkeys(kinds))
    wanted = [toolbox.KINDS[k].request(rng, held) for k in kinds]
    if len(kinds) == 2 and kinds[0] == kinds[1]:
        joined = toolbox.KINDS[kinds[0]].join(rng, *wanted)
    elif len(kinds) == 2:
        a, b = (w.text.rstrip(".?") for w in wanted)
        joined = a + rng.choice(JOINTS if not held else JOINTS[:4]) + small_start(b) + "."
    else:
        joined = wanted[0].text
    return _dialogue(rng, joined, offered, kinds, wanted) | {"tools": [v.schema() for v in offered.values()]}


def _dialogue(rng, text, offered, kinds, wanted):
    text = vary(rng, text)
    if rng.random() < 0.08:  # what is typed without capitals is copied without
        text, wanted = careless(rng, text), [w.small() for w in wanted]
    made = [(offered[k].name, offered[k].arguments(w.values)) for k, w in zip(kinds, wanted)]
    results, answers = zip(*(toolbox.KINDS[k].outcome(rng, w.values) for k, w in zip(kinds, wanted)))
    return {"messages": [user(text), calls(*made), *(result(r) for r in results), says(" ".join(answers))]}


def request_for(rng, schemas):
    """Another exchange in a conversation that offers these tools."""
    kind, variant = rng.choice([(k, v) for s in schemas for k, c in toolbox.KINDS.items() for v in c.VARIANTS if v.schema() == s])
    wanted = toolbox.KINDS[kind].request(rng, False)
    return _dialogue(rng, wanted.text, {kind: variant}, [kind], [wanted])
