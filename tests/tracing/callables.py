"""Every kind of callable there is, each beside its coated twin; at module level, so that pickle finds them by name.

All of them do the same: they call the `action` they are given and hand back (or yield) what it returns.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from aotel import coat

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Generator

Action = Any


def plain(action: Action) -> object:
    """Call what it is given."""
    return action()


@coat
def coated_plain(action: Action) -> object:
    """Call what it is given."""
    return action()


async def plain_async(action: Action) -> object:
    """Call what it is given, a step later."""
    await asyncio.sleep(0)
    return action()


@coat
async def coated_async(action: Action) -> object:
    """Call what it is given, a step later."""
    await asyncio.sleep(0)
    return action()


def plain_generator(action: Action) -> Generator[object, object, str]:
    """Yield what comes of what it is given."""
    yield action()
    return "returned"


@coat
def coated_generator(action: Action) -> Generator[object, object, str]:
    """Yield what comes of what it is given."""
    yield action()
    return "returned"


async def plain_async_generator(action: Action) -> AsyncGenerator[object, object]:
    """Yield what comes of what it is given, a step later."""
    await asyncio.sleep(0)
    yield action()


@coat
async def coated_async_generator(action: Action) -> AsyncGenerator[object, object]:
    """Yield what comes of what it is given, a step later."""
    await asyncio.sleep(0)
    yield action()


class Plain:
    """What a class can hold."""

    def method(self, action: Action) -> object:
        """Call what it is given."""
        return action()

    async def async_method(self, action: Action) -> object:
        """Call what it is given, a step later."""
        await asyncio.sleep(0)
        return action()

    def generator_method(self, action: Action) -> Generator[object, object, str]:
        """Yield what comes of what it is given."""
        yield action()
        return "returned"

    async def async_generator_method(self, action: Action) -> AsyncGenerator[object, object]:
        """Yield what comes of what it is given, a step later."""
        await asyncio.sleep(0)
        yield action()

    @classmethod
    def class_method(cls, action: Action) -> object:
        """Call what it is given."""
        return action()

    @classmethod
    def inner_class_method(cls, action: Action) -> object:
        """Call what it is given."""
        return action()

    @classmethod
    async def async_class_method(cls, action: Action) -> object:
        """Call what it is given, a step later."""
        await asyncio.sleep(0)
        return action()

    @staticmethod
    def static_method(action: Action) -> object:
        """Call what it is given."""
        return action()

    @staticmethod
    def inner_static_method(action: Action) -> object:
        """Call what it is given."""
        return action()

    @staticmethod
    def static_generator(action: Action) -> Generator[object, object, str]:
        """Yield what comes of what it is given."""
        yield action()
        return "returned"


class Coated:
    """What a class can hold."""

    @coat
    def method(self, action: Action) -> object:
        """Call what it is given."""
        return action()

    @coat
    async def async_method(self, action: Action) -> object:
        """Call what it is given, a step later."""
        await asyncio.sleep(0)
        return action()

    @coat
    def generator_method(self, action: Action) -> Generator[object, object, str]:
        """Yield what comes of what it is given."""
        yield action()
        return "returned"

    @coat
    async def async_generator_method(self, action: Action) -> AsyncGenerator[object, object]:
        """Yield what comes of what it is given, a step later."""
        await asyncio.sleep(0)
        yield action()

    @coat
    @classmethod
    def class_method(cls, action: Action) -> object:
        """Call what it is given."""
        return action()

    @classmethod
    @coat
    def inner_class_method(cls, action: Action) -> object:
        """Call what it is given."""
        return action()

    @coat
    @classmethod
    async def async_class_method(cls, action: Action) -> object:
        """Call what it is given, a step later."""
        await asyncio.sleep(0)
        return action()

    @coat
    @staticmethod
    def static_method(action: Action) -> object:
        """Call what it is given."""
        return action()

    @staticmethod
    @coat
    def inner_static_method(action: Action) -> object:
        """Call what it is given."""
        return action()

    @staticmethod
    @coat
    def static_generator(action: Action) -> Generator[object, object, str]:
        """Yield what comes of what it is given."""
        yield action()
        return "returned"


class Worker:
    """An object that can be called."""

    def __call__(self, action: Action) -> object:
        """Call what it is given."""
        return action()


class AsyncWorker:
    """An object whose call is awaited."""

    async def __call__(self, action: Action) -> object:
        """Call what it is given, a step later."""
        await asyncio.sleep(0)
        return action()


class PlainClass:
    """What is constructed calls what it is given."""

    def __init__(self, action: Action) -> None:
        self.came_of_it = action()


@coat
class CoatedClass:
    """What is constructed calls what it is given."""

    def __init__(self, action: Action) -> None:
        self.came_of_it = action()


def plain_returning_coroutine(action: Action) -> Coroutine[Any, Any, object]:
    """Return what is to be awaited."""
    return plain_async(action)


@coat
def coated_returning_coroutine(action: Action) -> Coroutine[Any, Any, object]:
    """Return what is to be awaited."""
    return plain_async(action)


def plain_returning_task(action: Action) -> asyncio.Task[object]:
    """Return what runs by itself."""
    return asyncio.ensure_future(plain_async(action))


@coat
def coated_returning_task(action: Action) -> asyncio.Task[object]:
    """Return what runs by itself."""
    return asyncio.ensure_future(plain_async(action))


def plain_returning_future(action: Action) -> asyncio.Future[object]:
    """Return a place where the result will be."""
    return _settled_later(action)


@coat
def coated_returning_future(action: Action) -> asyncio.Future[object]:
    """Return a place where the result will be."""
    return _settled_later(action)


def _settled_later(action: Action) -> asyncio.Future[object]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def settle() -> None:
        if future.done():
            return
        try:
            future.set_result(action())
        except asyncio.CancelledError:
            future.cancel()
        except Exception as error:  # noqa: BLE001 - a future holds what is raised
            future.set_exception(error)

    loop.call_soon(settle)
    return future


@functools.cache
def plain_cached(action: Action) -> object:
    """Call what it is given, once."""
    return action()


@coat
@functools.cache
def coated_cached(action: Action) -> object:
    """Call what it is given, once."""
    return action()


def two(first: object, action: Action) -> object:
    """Call the second of two."""
    return action()


async def two_async(first: object, action: Action) -> object:
    """Call the second of two, a step later."""
    await asyncio.sleep(0)
    return action()


def two_generator(first: object, action: Action) -> Generator[object, object, str]:
    """Yield what comes of the second of two."""
    yield action()
    return "returned"


PLAIN, COATED, WORKER, ASYNC_WORKER = Plain(), Coated(), Worker(), AsyncWorker()
PARTIAL, ASYNC_PARTIAL = functools.partial(two, 1), functools.partial(two_async, 1)
GENERATOR_PARTIAL = functools.partial(two_generator, 1)
COATED_PARTIAL, COATED_ASYNC_PARTIAL = coat("tool", PARTIAL), coat("tool", ASYNC_PARTIAL)
COATED_GENERATOR_PARTIAL = coat("tool", GENERATOR_PARTIAL)
COATED_BUILTIN = coat("tool", functools.reduce)
COATED_WORKER, COATED_ASYNC_WORKER = coat("tool", WORKER), coat("tool", ASYNC_WORKER)
COATED_EXISTING = coat("tool", plain)
COATED_EXISTING_ASYNC = coat("tool", plain_async)
COATED_BOUND_METHOD = coat("tool", PLAIN.method)
COATED_ASYNC_BOUND_METHOD = coat("tool", PLAIN.async_method)
COATED_GENERATOR_BOUND_METHOD = coat("tool", PLAIN.generator_method)
