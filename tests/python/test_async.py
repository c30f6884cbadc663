# SPDX-License-Identifier: MIT
"""Streams in an event loop: awaited, iterated, cancelled, many at once."""
from __future__ import annotations

import asyncio
from typing import List

import lm

ENDLESS = lm.Sampling(temperature=0, ignore_eos=True)


def test_await_gives_the_whole_text(model: lm.Model) -> None:
    async def main() -> str:
        return await model.generate("Once", max_tokens=10, temperature=0)

    assert asyncio.run(main()) == model.generate("Once", max_tokens=10, temperature=0).result() != ""


def test_async_iteration_gives_the_same_pieces(model: lm.Model) -> None:
    async def main() -> List[str]:
        async with model.generate("Once", max_tokens=10, temperature=0) as generation:
            return [piece async for piece in generation]

    assert asyncio.run(main()) == list(model.generate("Once", max_tokens=10, temperature=0))


def test_a_cancelled_task_stops_its_generation(model: lm.Model) -> None:
    async def main() -> None:
        generation = model.generate("Once", sampling=ENDLESS)
        started = asyncio.Event()

        async def work() -> None:
            async for _ in generation:
                started.set()

        task = asyncio.create_task(work())
        await started.wait()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            assert generation.finish == lm.Finish.CANCELLED and generation._is_closed
        else:
            assert generation.finish == lm.Finish.LENGTH  # it was faster
        assert model._idle is not None

    asyncio.run(main())


def test_a_time_limit_stops_an_answer(chat_model: lm.Model) -> None:
    async def main() -> None:
        with chat_model.chat(sampling=ENDLESS, n_ctx=4096) as chat:
            answer = chat.send("hi")
            first = await answer.__anext__()
            assert first.text
            try:
                await asyncio.wait_for(answer, 0.01)
            except asyncio.TimeoutError:
                assert answer._is_closed and chat.messages[-1]["role"] == "assistant"
                assert answer._result().finish in (lm.Finish.CANCELLED, lm.Finish.LENGTH)  # it may have been faster
            assert (await chat.send("again", max_tokens=3)).finish == lm.Finish.LENGTH

    asyncio.run(main())


def test_many_streams_run_in_one_loop(model: lm.Model) -> None:
    async def main() -> List[str]:
        return list(await asyncio.gather(*[model.generate("Once", max_tokens=8, seed=seed) for seed in range(12)]))

    texts = asyncio.run(main())
    assert len(set(texts)) > 1
    assert texts == [model.generate("Once", max_tokens=8, seed=seed).result() for seed in range(12)]
