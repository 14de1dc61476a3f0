"""What type checkers make of the public face: decorators keep the types of what they decorate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import assert_type

import aotel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from typing import Any


@aotel.coat
def plain(number: int, *, name: str = "x") -> str:
    return name * number


@aotel.coat("tool", capture="summary", attributes={"team": "a"})
def tool(number: int) -> list[str]:
    return [str(number)]


@aotel.coat(aotel.Op.LLM, auto_capture=True)
async def model(prompt: str) -> str:
    return prompt


@aotel.coat()
def numbers(limit: int) -> Iterator[int]:
    yield from range(limit)


@aotel.coat("stream")
async def chunks() -> AsyncIterator[str]:
    yield "a"


@aotel.coat("agent")
class Agent:
    def __init__(self, name: str) -> None:
        self.name = name

    @aotel.coat("tool")
    def act(self, number: int) -> int:
        return number

    @aotel.coat
    @classmethod
    def make(cls) -> Agent:
        return cls("a")


@aotel.run("nightly")
def nightly(limit: int) -> int:
    return limit


@aotel.session("chat")
def chat(limit: int) -> int:
    return limit


def test_decorated_functions_keep_their_types() -> None:
    assert_type(plain(1, name="a"), str)
    assert_type(tool(1), "list[str]")
    assert_type(numbers(1), "Iterator[int]")
    assert_type(Agent("a"), Agent)
    assert_type(Agent("a").act(1), int)
    assert_type(Agent.make(), Agent)
    assert_type(nightly(1), int)
    assert_type(chat(1), int)
    direct: Callable[[int], list[str]] = aotel.coat("tool", tool)
    assert direct(1) == ["1"]


async def test_async_functions_keep_their_types() -> None:
    pending: Coroutine[Any, Any, str] = model("a")
    assert_type(await pending, str)
    assert [chunk async for chunk in chunks()] == ["a"]
    async with aotel.session("s", user_id="u") as session, aotel.step("plan", op="planning", goal="x"):
        assert_type(session.session_id, "str | None")


def test_blocks_have_types() -> None:
    with aotel.stream("tokens", envelopes=True) as tokens:
        assert_type(list(tokens.wrap(["a"])), "list[str]")
