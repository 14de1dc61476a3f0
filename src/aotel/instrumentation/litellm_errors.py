"""Errors of litellm: all have the status of an answer, also where no answer came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.instrumentation.trouble import Trouble, verdict_on

if TYPE_CHECKING:
    from aotel.instrumentation.trouble import Verdict

_MOST: Final = 16  # errors of a chain
_WITHOUT_ANSWER: Final = frozenset({Trouble.CONNECTION, Trouble.TIMEOUT})
_BELOW: Final = frozenset({"aiohttp", "httpcore", "httpx", "httpx2", "openai"})
"""Who makes litellm's requests, and says what happened to them."""


def verdict_without_answer(error: BaseException, handled: int) -> Verdict | None:
    """Return what a failure is that met no answer, as the error says that litellm made its own of; else None.

    Args:
        error: of litellm.
        handled: the id of an error that was there before the call.
    """
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) == handled or id(each) in seen:
            continue
        seen.add(id(each))
        if type(each).__module__.partition(".")[0] in _BELOW:
            verdict = verdict_on(each)
            return verdict if verdict.status is None and verdict.trouble in _WITHOUT_ANSWER else None
        waiting += [each.__context__, each.__cause__, getattr(each, "original_exception", None)]
    return None
