# SPDX-License-Identifier: MIT
"""The tokenizer: byte-level BPE over Qwen 2's pieces.

A word has the same tokens after a space, after a quote and at the start of a line, because no learned merge reaches across
the edge of a word: what is copied from a request into JSON is copied token by token. Only the words of the phrasings, which
nobody copies, get a second token with their space, and the letters one with a hyphen, for spelling.
"""
import collections
import json
import random
import sys

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from .render import render
from .skills import ALL
from .words import common, people

CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MARKS = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]
SPECIAL = CONTROL + MARKS
SIZE = 1536
SPACED_WORDS = 250
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
EDGES = r"\p{L}+|\p{N}| |[^\s\p{L}\p{N}]+|\s"


def splitter(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])


def corpus(n):
    rng = random.Random(7)
    skills = list(ALL.values())
    for _ in range(n):
        yield render(rng.choice(skills).case(rng, False))


def train(n_texts=60000):
    copied = {w.lower() for w in common.ALL + people.FIRST_NAMES + people.PLACES}
    pieces, spaced = collections.Counter(), collections.Counter()
    cut, cut_words = splitter(EDGES), splitter(QWEN2)
    for text in corpus(n_texts):
        for mark in SPECIAL:
            text = text.replace(mark, "\n")
        pieces.update(p for p, _ in cut.pre_tokenize_str(text))
        spaced.update(p for p, _ in cut_words.pre_tokenize_str(text))
    for word in pieces:
        if word.isalpha() and word.lower() in copied:  # pieces of such a word are wanted, not a token of its own
            pieces[word] = min(pieces[word], 12)
    base = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(vocab_size=SIZE - len(SPECIAL) - SPACED_WORDS - 26, show_progress=False, max_token_length=14,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())  # fmt: skip
    base.train_from_iterator(([w] * c for w, c in sorted(pieces.items())), trainer)
    model = json.loads(base.to_str())["model"]
    vocab = sorted(model["vocab"], key=model["vocab"].get)
    merges = [tuple(m) for m in model["merges"]]
    known = set(vocab)
    extra = [("-", c) for c in "abcdefghijklmnopqrstuvwxyz"]
    copied |= {w.lower() for w in people.FAMILY_STARTS + people.PLACE_STARTS} | {"port", "saint", "upper", "lake"}
    starts = {w[:i] for w in copied for i in range(1, len(w))}
    for piece, count in spaced.most_common():
        if len(extra) == SPACED_WORDS + 26:
            break
        word = piece[1:]
        if piece[0] == "Ġ" and word in known and word.lower() not in copied and (
            count > 1500 or (count > 500 or len(word) > 4) and word.lower() not in starts
        ):
            extra.append(("Ġ", word))
    merges += extra
    vocab = SPECIAL + vocab + [a + b for a, b in extra]
    return build(vocab, merges)


def build(vocab, merges):
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(vocab)}, merges))
    tokenizer.pre_tokenizer = splitter(QWEN2)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


if __name__ == "__main__":
    train().save(sys.argv[1])
