"""An operation as a block: `with` and `async with`, around whatever stands inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

from aotel.calls.call import Call, CallSite, enclosing_call
from aotel.calls.port import PORT
from aotel.calls.scope import detach

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from typing_extensions import Self


class Block:
    """A sync and async context manager around one operation; each entering makes a span of its own."""

    def __init__(self, site: CallSite) -> None:
        self._site = site
        self._entered: list[tuple[Call, Token[Context]]] = []

    def _open(self) -> Call:
        return Call(self._site)

    @property
    def _call(self) -> Call | None:
        return self._entered[-1][0] if self._entered else None

    def __enter__(self) -> Self:
        """Start the operation's span and make it current."""
        if PORT.enabled:
            call = self._open()
            self._entered.append((call, otel_context.attach(call.start())))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the span; the exception, if there is one, passes on. Leaving in another task or thread is fine."""
        entered = self._leave()
        if entered is None:
            return
        call, token = entered
        detach(token)
        self._close(call)
        if error is None:
            call.succeed()
        else:
            call.fail(error)

    def _leave(self) -> tuple[Call, Token[Context]] | None:
        # One object may be entered in several tasks and threads at once: the one to leave is the one that is current.
        current = enclosing_call()
        for entered in reversed(tuple(self._entered)):
            if entered[0] is current:
                self._entered.remove(entered)
                return entered
        try:
            return self._entered.pop()
        except IndexError:
            return None

    def _close(self, call: Call) -> None:
        """Say the last of `call` before its span ends."""

    async def __aenter__(self) -> Self:
        """Start the operation's span and make it current."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the span; the exception, if there is one, passes on."""
        self.__exit__(kind, error, traceback)
