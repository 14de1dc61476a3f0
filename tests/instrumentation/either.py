"""Values, streams and contexts of sync and async clients alike, for tests that run over both."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AsyncExitStack


async def got(value: Any) -> Any:
    """Return a value, also of an async client."""
    return await value if inspect.isawaitable(value) else value


async def each(values: Any) -> AsyncIterator[Any]:
    """Yield the items of a stream, also of an async client."""
    if hasattr(values, "__aiter__"):
        async for value in values:
            yield value
    else:
        for value in values:
            yield value


async def entered(stack: AsyncExitStack, manager: Any) -> Any:
    """Enter a context, also of an async client."""
    if hasattr(manager, "__aenter__"):
        return await stack.enter_async_context(manager)
    return stack.enter_context(manager)
