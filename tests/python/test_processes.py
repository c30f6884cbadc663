# SPDX-License-Identifier: MIT
"""Other processes, and the end of this one: what was opened before a fork is refused in the child, nothing is pickled, and a program
ends whatever is still running."""
from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from typing import Any, List

import pytest

import lm
from conftest import CHAT, PLAIN

ENDLESS = lm.Sampling(temperature=0, ignore_eos=True)
can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

FORKING = """
import os, sys
import lm

def refused(call):
    try:
        call()
    except lm.StateError as error:
        assert "before this process was forked" in error.message, error
    else:
        raise AssertionError("not refused")

model = lm.Model(sys.argv[1], n_threads=2)
context, grammar = model.context(n_ctx=64), lm.Grammar.from_gbnf('root ::= "a"')
generation, chat = model.generate("Once"), model.chat()
next(generation)
wanted = lm.Model(sys.argv[1]).generate("Once", max_tokens=4, temperature=0).result()
answer = chat.send("hi")
context._turn.take()  # as another thread may have at that moment
child = os.fork()
if child == 0:
    for call in (lambda: model.tokenize("a"), lambda: model.generate("a"), lambda: context.eval([5]), context.cancel, lambda: next(generation),
                 lambda: grammar.memory, lambda: chat.session.run(lm.Request([])), lambda: model.info, lambda: next(answer)):
        refused(call)
    for one in (generation, answer, context, model):
        one.close()
        one.close()
    assert repr(model) == "<lm.Model (closed)>" and model.closed
    with lm.Model(sys.argv[1]) as own:
        assert own.generate("Once", max_tokens=4, temperature=0).result() == wanted
    sys.exit(7)
context._turn.__exit__()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
answer.close()
assert model.generate("Once", max_tokens=4, temperature=0).result() == wanted
"""

#: Programs that end with something under way, and their exit status.
ENDING = {
    "generation": ("stream = model.generate('Once', sampling=endless); next(stream)", 0),
    "answer": ("chat = model.chat(sampling=endless); stream = chat.send('Hi'); next(stream)", 0),
    "answer and an exit": ("chat = model.chat(sampling=endless); stream = chat.send('Hi'); next(stream); sys.exit(3)", 3),
    "threads": ("spin(lambda: model.generate('Once', sampling=endless).result())", 0),
    "threads with answers": ("spin(lambda: model.chat(sampling=endless).ask('Hi'))", 0),
    "an executor": ("model = lm.Model(sys.argv[1], runtime=lm.Runtime(2, executor=in_turn))\n"
                    "spin(lambda: model.generate('Once', sampling=endless).result())", 0),
    "a view": ("context = model.context(n_ctx=64); context.eval([3]); view = context.logits(); atexit.register(lambda: print(view[0]))", 0),
    "a cycle": ("class Cycle: pass\none = Cycle(); one.one = one; one.stream = model.generate('Once', sampling=endless); next(one.stream)", 0),
}
PROLOGUE = """
import atexit, sys, threading
import lm

def in_turn(n, task):
    for i in range(n):
        task(i)

def spin(work):
    begun = threading.Semaphore(0)
    def loop():
        while True:
            begun.release()
            work()
    for _ in range(3):
        threading.Thread(target=loop, daemon=True).start()
    for _ in range(3):
        begun.acquire()

model, endless = lm.Model(sys.argv[1]), lm.Sampling(temperature=0, ignore_eos=True)
"""


def run(program: str) -> "subprocess.CompletedProcess[str]":
    # What is still there at such an end is the system's to take back: no leak.
    return subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, str(CHAT)], capture_output=True, text=True,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})


@can_fork
def test_what_was_opened_before_a_fork_is_refused_in_the_child() -> None:
    result = run(FORKING)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("what", ENDING)
def test_a_program_ends_whatever_is_running(what: str) -> None:
    code, status = ENDING[what]
    result = run(PROLOGUE + code)
    assert result.returncode == status, result.stderr
    if "spin(" in code:  # threads may see at the very end that what they use is closed
        assert "Fatal" not in result.stderr
    else:
        assert result.stderr == ""


def test_what_belongs_to_a_process_is_not_copied(model: lm.Model) -> None:
    with model.context(n_ctx=64) as context, model.chat() as chat, model.generate("a") as generation:
        things: List[Any] = [model, context, chat, generation, model.metadata, model.sampler(), lm.Grammar.from_gbnf('root ::= "a"')]
        for thing in things:
            for call in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match="neither copied nor pickled"):
                    call(thing)


def test_values_and_errors_go_to_other_processes(model: lm.Model) -> None:
    with pytest.raises(lm.FormatError) as raised:
        lm.Grammar.from_gbnf('root ::= "a"\nother ::= (')
    there = pickle.loads(pickle.dumps(raised.value))
    assert type(there) is lm.FormatError and (there.message, there.line, there.offset) == (
        raised.value.message, raised.value.line, raised.value.offset)
    for value in (model.info, lm.Sampling(seed=1), lm.Request([{"role": "user", "content": "a"}]), lm.Finish.END, lm.Plan):
        assert pickle.loads(pickle.dumps(value)) == value


def test_reprs_say_what_things_are() -> None:
    with lm.Model(PLAIN) as model, model.chat(system="a") as chat:
        assert repr(model).startswith("<lm.Model ") and "llama" in repr(model) and "parameters" in repr(model)
        generation = model.generate("a", max_tokens=1)
        assert repr(generation) == "<lm.Generation of 0 tokens, running>"
        generation.result()
        assert repr(generation) == "<lm.Generation of 1 tokens, LENGTH>" and repr(chat) == "<lm.Conversation of 1 messages>"
        metadata = model.metadata
        assert "keys" in repr(metadata)
    assert [repr(one) for one in (model, metadata)] == ["<lm.Model (closed)>", "<lm.Metadata (closed)>"] and "closed" in repr(chat)
    assert lm.FormatError.__module__ == "lm"


def test_what_could_not_be_made_is_closed() -> None:
    class Failing(lm.Model):
        def __init__(self) -> None:
            raise KeyError("early")

    half = Failing.__new__(Failing)
    assert half.closed and "closed" in repr(half)
    half.close()
    with pytest.raises(lm.ClosedError):
        half.tokenize("a")
