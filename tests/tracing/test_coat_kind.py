"""What is coated stays what it was: to `inspect`, `typing`, `asyncio`, `isinstance`, and to a reader."""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
import typing
import weakref
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from aotel import coat
from tests.tracing import callables
from tests.tracing.callables import COATED, PLAIN, Coated, CoatedClass, Plain, PlainClass
from tests.tracing.kinds import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recording import Recorded

every_kind = pytest.mark.parametrize("kind", KINDS, ids=attrgetter("id"))

PREDICATES: list[Callable[[Any], bool]] = [
    callable,
    inspect.isfunction,
    inspect.ismethod,
    inspect.isbuiltin,
    inspect.isclass,
    inspect.isroutine,
    inspect.isabstract,
    inspect.isgeneratorfunction,
    inspect.iscoroutinefunction,
    inspect.isasyncgenfunction,
    inspect.isdatadescriptor,
    inspect.ismethoddescriptor,
    inspect.isgenerator,
    inspect.isawaitable,
]


@pytest.mark.filterwarnings("ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning")
@every_kind
def test_predicates_say_what_they_say_of_the_twin(kind: Kind) -> None:
    for predicate in [*PREDICATES, asyncio.iscoroutinefunction]:
        assert predicate(kind.coated) == predicate(kind.twin), predicate


@every_kind
def test_type_is_that_of_the_twin(kind: Kind) -> None:
    expected = type(kind.twin)
    assert isinstance(kind.coated, expected)
    assert kind.coated.__class__ is expected


@every_kind
def test_signature_is_that_of_the_twin(kind: Kind) -> None:
    try:
        expected = inspect.signature(kind.twin)
    except ValueError:  # some builtins have none
        with pytest.raises(ValueError):
            inspect.signature(kind.coated)
        return
    assert inspect.signature(kind.coated) == expected


@every_kind
def test_documentation_is_that_of_the_twin(kind: Kind) -> None:
    assert inspect.getdoc(kind.coated) == inspect.getdoc(kind.twin)
    assert kind.coated.__doc__ == kind.twin.__doc__


@every_kind
def test_name_and_module_are_kept(kind: Kind) -> None:
    for attribute in ("__name__", "__qualname__", "__module__"):
        original = inspect.unwrap(kind.coated)
        if hasattr(original, attribute):
            assert getattr(kind.coated, attribute) == getattr(original, attribute)
        else:
            assert not hasattr(kind.coated, attribute)


@every_kind
def test_type_hints_are_those_of_the_twin(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    # Names that the module imports for type checkers alone.
    for name in ("AsyncGenerator", "Callable", "Coroutine", "Generator"):
        monkeypatch.setattr(callables, name, getattr(typing, name), raising=False)
    try:
        expected = typing.get_type_hints(kind.twin)
    except TypeError:  # a partial has none to give
        with pytest.raises(TypeError):
            typing.get_type_hints(kind.coated)
        return
    assert typing.get_type_hints(kind.coated) == expected


@every_kind
def test_source_is_found(kind: Kind) -> None:
    def source(fn: Any) -> str | None:
        try:
            return inspect.getsourcefile(inspect.unwrap(fn))
        except TypeError:
            return None

    assert source(kind.coated) == source(kind.twin)
    try:
        text = inspect.getsource(kind.twin)
    except TypeError:  # an object or a builtin has none
        return
    documentation = (inspect.getdoc(kind.twin) or "").splitlines()[0]
    assert documentation in text
    assert documentation in inspect.getsource(kind.coated)


@every_kind
def test_unwrap_finds_the_original(kind: Kind) -> None:
    original = inspect.unwrap(kind.coated)
    if inspect.isclass(kind.twin):
        assert original is kind.coated
    elif kind.coated.__class__ is types.MethodType and kind.span.startswith("Coated"):
        assert original.__code__.co_name == kind.twin.__name__
    else:
        assert original is not kind.coated
        assert type(original) is type(inspect.unwrap(original))


@every_kind
def test_representation_is_that_of_the_original(kind: Kind) -> None:
    original = getattr(kind.coated, "__wrapped__", kind.coated)
    if type(kind.coated) is types.FunctionType:
        assert repr(kind.coated).startswith(f"<function {original.__qualname__} at ")
    elif type(kind.coated) is not types.MethodType:
        assert repr(kind.coated) == repr(original)


@every_kind
def test_it_hashes_compares_and_is_weakly_referable_like_the_twin(kind: Kind) -> None:
    assert kind.coated == kind.coated
    assert hash(kind.coated) == hash(kind.coated)
    assert kind.coated != kind.twin
    try:
        weakref.ref(kind.twin)
    except TypeError:
        return
    assert weakref.ref(kind.coated) is not None


def test_bound_methods_of_an_object_are_equal() -> None:
    for name in ("method", "async_method", "generator_method", "async_generator_method"):
        assert getattr(COATED, name) == getattr(COATED, name)
        assert getattr(COATED, name).__self__ is COATED
        assert hash(getattr(COATED, name)) == hash(getattr(COATED, name))
        assert getattr(COATED, name) != getattr(Coated(), name)


def test_functions_of_a_class_are_functions_there() -> None:
    for name in ("method", "async_method", "generator_method", "async_generator_method"):
        twin, coated = getattr(Plain, name), getattr(Coated, name)
        assert inspect.isfunction(coated)
        assert not inspect.ismethod(coated)
        assert list(inspect.signature(coated).parameters) == list(inspect.signature(twin).parameters)


def test_members_of_the_class_are_the_same_kinds() -> None:
    plain = {item.name: item.kind for item in inspect.classify_class_attrs(Plain)}
    coated = {item.name: item.kind for item in inspect.classify_class_attrs(Coated)}
    assert coated == plain


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.flow == "generate"], ids=attrgetter("id"))
def test_what_a_generator_function_makes_is_a_generator(kind: Kind) -> None:
    twin, coated = kind.twin(int), kind.coated(int)
    assert type(coated) is type(twin) is types.GeneratorType
    assert inspect.getgeneratorstate(coated) == inspect.GEN_CREATED
    assert coated.__name__ == inspect.unwrap(kind.coated).__name__ if kind.id != "generator partial" else True
    coated.close()
    twin.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.flow == "async generate"], ids=attrgetter("id"))
async def test_what_an_async_generator_function_makes_is_an_async_generator(kind: Kind) -> None:
    twin, coated = kind.twin(int), kind.coated(int)
    assert type(coated) is type(twin) is types.AsyncGeneratorType
    assert coated.__qualname__.rpartition(".")[2] == kind.span.rpartition(".")[2]
    await coated.aclose()
    await twin.aclose()


ASYNC_FUNCTIONS = [kind for kind in KINDS if kind.flow == "await" and inspect.iscoroutinefunction(kind.twin)]


@pytest.mark.parametrize("kind", ASYNC_FUNCTIONS, ids=attrgetter("id"))
def test_what_an_async_function_makes_is_a_coroutine(kind: Kind) -> None:
    coroutine = kind.coated(int)
    assert type(coroutine) is types.CoroutineType
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
    coroutine.close()


async def test_a_coroutine_that_a_plain_function_returns_keeps_its_name(recorded: Recorded) -> None:
    coroutine: Any = callables.coated_returning_coroutine(int)
    assert type(coroutine) is types.CoroutineType
    assert coroutine.__name__ == "plain_async"
    assert await coroutine == 0
    assert recorded.operation.outcome == "ok"


def test_attributes_of_the_original_can_be_read_and_set() -> None:
    def generator() -> Any:
        yield 1

    coated: list[Any] = [coat(lambda: 1), coat(generator)]
    for fn in coated:
        fn.mark = "set"
        assert fn.mark == "set"
        assert "mark" in dir(fn)
        del fn.mark
        assert not hasattr(fn, "mark")


def test_cache_of_a_cached_function_is_within_reach(recorded: Recorded) -> None:
    @coat("tool")
    @functools.lru_cache
    def cached(value: int) -> object:
        return object()

    assert cached(1) is cached(1)
    assert cached.cache_info().hits == 1
    cached.cache_clear()
    assert cached.cache_info().hits == 0
    assert len(recorded.operations) == 2


def test_a_cache_over_a_coated_function_hides_hits(recorded: Recorded) -> None:
    @functools.lru_cache
    @coat("tool")
    def cached(value: int) -> object:
        return object()

    assert cached(1) is cached(1)
    assert len(recorded.operations) == 1


def test_a_coated_partial_is_still_a_partial() -> None:
    for coated in (callables.COATED_PARTIAL, callables.COATED_ASYNC_PARTIAL):
        assert isinstance(coated, functools.partial)
        assert coated.args == (1,)
        assert coated.keywords == {}


def test_a_partial_of_a_coated_function_runs_it(recorded: Recorded) -> None:
    assert functools.partial(callables.coated_plain, lambda: 5)() == 5
    assert list(functools.partial(callables.coated_generator, lambda: 5)()) == [5]
    assert [operation.span.name for operation in recorded.operations] == ["coated_plain", "coated_generator"]


def test_a_coated_class_is_the_same_class() -> None:
    class Original:
        def __init__(self, value: int) -> None:
            self.value = value

    original = Original
    coated = coat("tool", Original)
    assert coated is original
    assert type(coated) is type
    assert isinstance(coated(1), original)
    assert inspect.isclass(CoatedClass)
    assert str(inspect.signature(CoatedClass)) == str(inspect.signature(PlainClass))
    match coated(3):
        case Original(value=value):
            assert value == 3


def test_a_coated_exception_class_is_caught(recorded: Recorded) -> None:
    @coat("guardrail")
    class Refused(Exception):
        def __init__(self, why: str) -> None:
            super().__init__(why)
            self.why = why

    with pytest.raises(Refused, match="no") as caught:
        raise Refused("no")
    assert caught.value.why == "no"
    assert recorded.operation.outcome == "ok"


@pytest.mark.parametrize("declares", ["nothing", "__new__", "__init__", "both"])
def test_signature_of_a_coated_class_is_kept(declares: str) -> None:
    def new(cls: type, value: int = 1) -> Any:
        return object.__new__(cls)

    def init(self: object, value: int = 1) -> None:
        """Initialise."""

    members: dict[str, Any] = {}
    if declares in {"__new__", "both"}:
        members["__new__"] = new
    if declares in {"__init__", "both"}:
        members["__init__"] = init
    twin, coated = type("Twin", (), dict(members)), coat("tool", type("Twin", (), dict(members)))
    assert str(inspect.signature(coated)) == str(inspect.signature(twin))
    assert type(coated()) is coated
    if declares == "nothing":
        with pytest.raises(TypeError):
            coated(1)
    else:
        assert type(coated(1)) is coated


def test_existing_object_is_not_changed() -> None:
    assert not hasattr(callables.plain, "__wrapped__")
    assert callables.COATED_EXISTING is not callables.plain
    assert "method" not in vars(PLAIN)
