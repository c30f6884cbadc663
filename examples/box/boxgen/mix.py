# SPDX-License-Identifier: MIT
"""From cases to training rows: conversations of several turns, tokenised, packed, with a weight for every token."""
import numpy as np

from .render import render
from .skills import ALL, arithmetic, chat, copying, counting, facts, refusal, sorting, spelling, stories, tools

PLAIN = (facts, chat, copying, spelling, arithmetic, refusal, counting, sorting)
SYSTEM = ["You are a helpful assistant.", "You are Box.", "Be brief.", "Answer in English.", "You are a friendly assistant.",
          "You are a small language model.", "Use the tools when they help."]  # fmt: skip
REST_WEIGHT = 0.1


def conversation(rng, skill, turns):
    """A case of the skill among turns - 1 exchanges of plain skills."""
    made = ALL[skill].case(rng, False)
    messages = list(made["messages"])
    thinks, has_tools = "enable_thinking" in made, "tools" in made
    while turns > 1 and not thinks and "alone" not in made:
        other = rng.choice(PLAIN)
        if has_tools and rng.random() < 0.4:
            other = tools
        if other is tools:
            more = tools.request_for(rng, made["tools"])
        elif other is refusal:
            more = refusal.case(rng, False, sums=not has_tools)
        else:
            more = other.case(rng, False)
        if "enable_thinking" in more or "alone" in more or (has_tools and other is arithmetic):
            continue
        messages = more["messages"] + messages if rng.random() < 0.6 else messages + more["messages"]
        turns -= 1
    if rng.random() < 0.1:
        messages.insert(0, {"role": "system", "content": rng.choice(SYSTEM)})
    return {k: v for k, v in made.items() if k != "alone"} | {"messages": messages}


class Packer:
    def __init__(self, tokenizer, rng):
        self.tokenizer, self.rng = tokenizer, rng
        self.start, self.end = (tokenizer.token_to_id(t) for t in ("<|im_start|>", "<|im_end|>"))
        self.think = tokenizer.token_to_id("<think>")
        self.assistant = tokenizer.encode("assistant").ids

    def weights(self, ids):
        """Of the prediction of each token: in what the assistant says, up to its end mark, an answer counts by the root of its
        length; elsewhere REST_WEIGHT."""
        if ids[0] != self.start:
            return np.ones(len(ids), np.float32)
        weights = np.full(len(ids), REST_WEIGHT, np.float32)
        n, at = len(self.assistant), 0
        while at < len(ids):
            if ids[at] == self.start and ids[at + 1 : at + 1 + n] == self.assistant:
                end = ids.index(self.end, at)
                weights[at + 2 + n : end + 1] = min(max((16 / (end - at)) ** 0.5, 0.5), 2)
                if ids[at + 2 + n] == self.think:  # asked for by the prompt, not the model's to choose
                    weights[at + 2 + n : at + 4 + n] = 0
                at = end
            at += 1
        return weights

    def encoded(self, skills, skill_weights, n, long):
        """Ids of n texts."""
        texts = []
        for name in self.rng.choices(skills, skill_weights, k=n):
            turns = self.rng.randint(2, 12) if long else self.rng.choices((1, 2, 3), (75, 17, 8))[0]
            if name == "stories" and self.rng.random() < 0.3:  # for those who continue a text
                texts.append(stories.plain(self.rng) + "<|im_end|>\n")
            else:
                texts.append(render(conversation(self.rng, name, turns)))
        return [e.ids for e in self.tokenizer.encode_batch(texts)]

    def rows(self, n_rows, length, skills, skill_weights, long=False):
        """ids, weights, document numbers, each [n_rows, length + 1]. The longest texts are placed first, each in the fullest row
        that has room; the last ones are cut."""
        ids = np.zeros((n_rows, length + 1), np.int64)
        weights = np.zeros((n_rows, length + 1), np.float32)
        documents = np.zeros((n_rows, length + 1), np.int32)
        texts, room = [], n_rows * (length + 1)
        while room > 0:
            texts += self.encoded(skills, skill_weights, 8, long)
            room -= sum(min(len(t), length + 1) for t in texts[-8:])
        fill = [0] * n_rows
        for number, text in enumerate(sorted(texts, key=len, reverse=True), 1):
            fits = [r for r in range(n_rows) if fill[r] + len(text) <= length + 1]
            row = max(fits, key=fill.__getitem__) if fits else min(range(n_rows), key=fill.__getitem__)
            at, part = fill[row], text[: length + 1 - fill[row]]
            if len(part) < 2:
                continue
            ids[row, at : at + len(part)] = part
            weights[row, at : at + len(part)] = self.weights(text)[: len(part)]
            weights[row, at] = 0
            documents[row, at : at + len(part)] = number
            fill[row] += len(part)
        return ids, weights, documents
