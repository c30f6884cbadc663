# SPDX-License-Identifier: MIT
"""Objects shared by threads: calls queue or are refused by name, and a running call can be stopped from elsewhere."""
from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterator, List

import pytest

import lm
from conftest import CHAT, PLAIN
from lm import _raw as raw

TOKENS = [3, 14, 15, 9, 26]
ENDLESS = lm.Sampling(temperature=0, ignore_eos=True)


class Executor:
    """Runs tasks in turn and, in the middle of an evaluation, something else first."""

    def __init__(self, inside: Callable[[], None]) -> None:
        self.inside = inside
        self.is_armed = False

    def __call__(self, n: int, task: Callable[[int], None]) -> None:
        if self.is_armed:
            self.is_armed = False
            self.inside()
        for i in range(n):
            task(i)


def interrupt() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


can_interrupt = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to threads here")


@pytest.fixture
def interrupts() -> Iterator[None]:
    """They are raised, also where the suite is started with them ignored, as shells start what runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_threads_share_a_context_in_turns(model: lm.Model) -> None:
    with model.context(n_ctx=256, n_seqs=4) as context, model.context(n_ctx=256) as alone:
        alone.eval(TOKENS * 8)
        wanted = bytes(alone.logits())

        def work(seq: int) -> None:
            for _ in range(10):
                context.clear(seq)
                for _ in range(8):
                    context.eval_batch([lm.BatchItem(seq, TOKENS)])
            assert context.tokens(seq) == TOKENS * 8

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        context.trim(len(TOKENS) * 8 - 1, 2)
        context.eval_batch([lm.BatchItem(2, TOKENS[-1:])])
        assert bytes(context.logits()) == wanted


def test_threads_share_everything_while_it_is_closed() -> None:
    """Whatever is called while another thread closes it gives a result or an error that says why not."""
    for _ in range(15):
        model = lm.Model(CHAT, n_threads=1)
        context, sampler = model.context(n_ctx=128), model.sampler()
        grammar = lm.Grammar.from_gbnf("root ::= [a-z]*")
        matcher = grammar.matcher(model)
        context.eval(TOKENS)
        calls: List[Callable[[], Any]] = [
            lambda: model.tokenize("some text"), lambda: context.sync(TOKENS), lambda: context.sample(sampler), context.logits,
            lambda: matcher.allowed(), lambda: grammar.matcher(model), model.context, context.cancel, lambda: sampler.clone(),
            lambda: lm.ChatSession(context), lambda: model.generate("ab", max_tokens=2).result(), lambda: model.info]
        start = threading.Barrier(len(calls) + 1)

        def work(call: Callable[[], Any]) -> None:
            start.wait()
            for _ in range(20):
                try:
                    call()
                except (lm.ClosedError, lm.CancelledError, lm.StateError):  # nothing to sample from after a cancelled sync
                    pass

        with ThreadPoolExecutor(len(calls)) as pool:
            done = [pool.submit(work, call) for call in calls]
            start.wait()
            for handle in (context, sampler, model, matcher, grammar):
                handle.close()
            for one in done:
                one.result()


def test_generations_at_once_have_a_context_each(model: lm.Model) -> None:
    wanted = model.generate("Once", max_tokens=12, sampling=ENDLESS).result()
    first, second = (model.generate("Once", max_tokens=12, sampling=ENDLESS) for _ in range(2))
    pairs = list(zip(first, second))
    assert len(pairs) > 3 and all(a == b for a, b in pairs)
    first.close()
    second.close()
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda _: model.generate("Once", max_tokens=12, sampling=ENDLESS).result(), range(8)))
    assert set(texts) == {wanted}


def test_a_sequence_changed_by_others_is_noticed(model: lm.Model) -> None:
    with model.context(n_ctx=128) as context:
        generation = context.generate("Once", sampling=ENDLESS)
        next(generation)
        context.eval(TOKENS)
        with pytest.raises(lm.StateError, match="sequence 0 was changed"):
            generation.result()


def test_calls_from_inside_of_a_call_are_refused() -> None:
    seen: List[str] = []

    def inside() -> None:
        for call in (lambda: context.eval([5]), lambda: context.close(), lambda: context.logits(), lambda: session.run(request),
                     lambda: session.stream(request)):
            try:
                call()
            except lm.BusyError as error:
                seen.append(error.message)

    executor = Executor(inside)
    with lm.Model(CHAT, runtime=lm.Runtime(2, executor=executor)) as model, model.context(n_ctx=64) as context:
        session, request = lm.ChatSession(context), lm.Request([{"role": "user", "content": "a"}])
        executor.is_armed = True
        context.eval(TOKENS)
        assert len(seen) == 5 and all("context is in use" in message for message in seen)
        assert context.tokens() == TOKENS


def test_an_evaluation_is_cancelled_from_another_thread() -> None:
    def inside() -> None:
        other = threading.Thread(target=context.cancel)
        other.start()
        other.join()

    executor = Executor(inside)
    with lm.Model(PLAIN, runtime=lm.Runtime(2, executor=executor)) as model, model.context(n_ctx=64) as context:
        executor.is_armed = True
        with pytest.raises(lm.CancelledError):
            context.eval(TOKENS)
        assert context.length() == 0
        context.eval(TOKENS)
        assert context.length() == len(TOKENS)


@can_interrupt
@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("what", ["eval", "sync", "embed", "generate", "run", "run with a callback", "ask"])
def test_an_interrupt_stops_the_evaluation_and_is_raised(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes while C is at work and has called an executor: neither may it be raised there, nor may a task be left out."""
    stopped = threading.Event()

    def inside() -> None:
        interrupt()
        stopped.wait()

    def stop(run: Callable[..., None]) -> Callable[..., None]:
        def stopping(pointer: Any) -> None:
            run(pointer)
            stopped.set()
        return stopping

    for name in ("lm_context_cancel", "lm_chat_session_cancel"):
        monkeypatch.setattr(raw, name, stop(getattr(raw, name)))
    executor = Executor(inside)
    tokens, request = TOKENS * 3, lm.Request([{"role": "user", "content": "a"}], sampling=ENDLESS, max_tokens=20)
    with lm.Model(CHAT, runtime=lm.Runtime(2, executor=executor)) as model, model.context(n_ctx=256) as context:
        session, chat = lm.ChatSession(context), model.chat(context=context, messages=[{"role": "system", "content": "b"}])
        calls: Dict[str, Callable[[], Any]] = {
            "eval": lambda: context.eval(tokens), "sync": lambda: context.sync(tokens), "embed": lambda: model.embed([tokens]),
            "generate": lambda: context.generate(tokens).result(), "run": lambda: session.run(request),
            "run with a callback": lambda: session.run(request, lambda delta: None), "ask": lambda: chat.ask("a", sampling=ENDLESS)}
        executor.is_armed = True
        with pytest.raises(KeyboardInterrupt):
            calls[what]()
        assert context.length() == 0 and stopped.is_set() and len(chat.messages) == 1
        context.eval(tokens)
        with lm.Model(CHAT) as plain, plain.context(n_ctx=256) as other:
            other.eval(tokens)
            assert bytes(context.logits()) == bytes(other.logits())


@can_interrupt
@pytest.mark.usefixtures("interrupts")
def test_callbacks_of_a_run_are_made_in_its_thread_and_may_be_interrupted(chat_model: lm.Model) -> None:
    threads: List[int] = []

    def on_delta(delta: lm.Delta) -> None:
        threads.append(threading.get_ident())
        if len(threads) == 3:
            interrupt()
            while True:  # here it is raised
                pass

    with chat_model.context(n_ctx=512) as context, lm.ChatSession(context) as session:
        with pytest.raises(KeyboardInterrupt):
            session.run(lm.Request([{"role": "user", "content": "a"}], sampling=ENDLESS, max_tokens=50), on_delta)
        assert threads == [threading.get_ident()] * 3
        assert session.run(lm.Request([{"role": "user", "content": "a"}], max_tokens=1)).n_generated == 1


def test_a_generation_is_cancelled_from_another_thread(model: lm.Model) -> None:
    generation = model.generate("Once", sampling=ENDLESS)
    started = threading.Event()

    def work() -> str:
        next(generation)
        started.set()
        return generation.result()

    with ThreadPoolExecutor(1) as pool:
        text = pool.submit(work)
        started.wait()
        generation.cancel()
        text.result()
    if generation.finish == lm.Finish.LENGTH:
        assert len(generation.tokens) > 500  # it was faster
    else:
        assert generation.finish == lm.Finish.CANCELLED


def test_cancelling_one_generation_leaves_others_alone(model: lm.Model) -> None:
    with model.context(n_ctx=512, n_seqs=4) as context:
        wanted = context.generate("Once", max_tokens=60, sampling=ENDLESS).result()

        def work(seq: int) -> str:
            if seq % 2:
                generation = context.generate("Twice", seq=seq, sampling=ENDLESS)
                for _ in range(4):
                    next(generation)
                generation.close()
                return wanted
            return context.generate("Once", max_tokens=60, seq=seq, sampling=ENDLESS).result()

        with ThreadPoolExecutor(4) as pool:
            for _ in range(5):
                assert list(pool.map(work, range(4))) == [wanted] * 4


def test_leaving_a_loop_gives_the_context_back(model: lm.Model) -> None:
    for _ in model.generate("Once", sampling=ENDLESS):
        break
    kept = model._idle
    assert kept is not None
    generation = model.generate("Once", sampling=ENDLESS)
    next(generation)
    assert model._idle is None and generation.reused is not None and generation.reused.n_reused > 0
    generation.close()
    assert model._idle is kept and generation.finish == lm.Finish.CANCELLED and list(generation) == []


def test_streams_are_collected_at_any_moment(chat_model: lm.Model) -> None:
    """As the collector does, in the middle of what holds a lock of theirs."""
    generation = chat_model.generate("Once", sampling=ENDLESS)
    next(generation)
    with chat_model._idle_lock:
        generation.close()
    assert chat_model._idle is generation._context
    with chat_model.context(n_ctx=4096) as context, lm.ChatSession(context) as session:
        turn = context._turn
        assert turn is not None
        turn._lock.acquire()  # so that the stream's thread waits ...
        stream = session.stream(lm.Request([{"role": "user", "content": "a"}], sampling=ENDLESS))
        turn._owner = threading.get_ident()  # ... for this one
        stream.close()
        turn.__exit__()
        assert list(stream) == []
        stream._run.thread.join()
        assert stream.report is None or stream.report.finish == lm.Finish.CANCELLED


def test_closing_a_context_stops_what_runs_on_it(chat_model: lm.Model) -> None:
    context = chat_model.context()
    session = lm.ChatSession(context)
    stream = session.stream(lm.Request([{"role": "user", "content": "a"}], sampling=ENDLESS))
    next(stream)
    session.close()
    context.close()
    report = stream.result()
    assert report.finish in (lm.Finish.CANCELLED, lm.Finish.LENGTH) and report.n_generated > 0
