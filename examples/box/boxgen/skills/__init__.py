# SPDX-License-Identifier: MIT
"""What the box can do, a skill each: case(rng, held) makes one conversation, from held-out material where held is true."""
from . import arithmetic, chat, copying, counting, extraction, facts, refusal, sorting, spelling, stories, tools

ALL = {
    m.__name__.rsplit(".", 1)[1]: m
    for m in (arithmetic, chat, copying, counting, extraction, facts, refusal, sorting, spelling, stories, tools)
}
