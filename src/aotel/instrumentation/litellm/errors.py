"""Errors of litellm: all have the status of an answer, also where no answer came, or another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.instrumentation.trouble import Trouble, Verdict, verdict_on

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST: Final = 16  # errors of a chain
_BELOW: Final = frozenset({"aiohttp", "httpcore", "httpx", "httpx2", "openai"})
"""Who makes litellm's requests, and says what happened to them."""


def verdict_below(error: BaseException, handled: int, *, streaming: bool) -> Verdict | None:
    """Return what a failure is, as the error says that litellm made its own of; None where its own says it.

    Args:
        error: of litellm.
        handled: the id of an error that was there before the call.
        streaming: whether the answer had begun to arrive.
    """
    below = next((each for each in _chain(error, handled) if type(each).__module__.partition(".")[0] in _BELOW), None)
    verdict = None if below is None else verdict_on(below)
    if verdict is not None and verdict.status is None:
        if verdict.trouble is Trouble.TIMEOUT:
            return verdict
        if verdict.trouble is Trouble.CONNECTION:
            return Verdict(Trouble.STREAM_ERROR) if streaming else verdict
    # In the middle of a stream, litellm raises what tells its router to go on elsewhere, whatever happened.
    original = getattr(error, "original_exception", None)
    return verdict_on(original, streaming=streaming) if isinstance(original, BaseException) else None


def _chain(error: BaseException, handled: int) -> Iterator[BaseException]:
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) != handled and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__context__, each.__cause__, getattr(each, "original_exception", None)]
