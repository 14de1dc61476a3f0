"""The first call of a program that configures nothing: recorded like all later ones, and as the environment says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.distro.programs import Programs
from tests.envelope_schema import assert_paired, assert_valid

if TYPE_CHECKING:
    from pathlib import Path

FIRST = {
    "function": """
        @aotel.coat("tool")
        def first(text): return text
        first("benign-token")
    """,
    "async function": """
        import asyncio
        @aotel.coat("tool")
        async def first(text): return text
        asyncio.run(first("benign-token"))
    """,
    "generator": """
        @aotel.coat("tool")
        def first(text): yield text
        list(first("benign-token"))
    """,
    "class": """
        @aotel.coat("tool")
        class First:
            def __init__(self, text): self.text = text
        First("benign-token")
    """,
    "step": """
        with aotel.step("first", text="benign-token"):
            aotel.set_result("benign-token")
    """,
    "session": """
        with aotel.session("s", metadata={"text": "benign-token"}):
            aotel.tie("first", {"text": "benign-token"})
    """,
    "stream": """
        with aotel.stream("first", envelopes=True, text="benign-token") as first:
            first.event("piece", "benign-token")
    """,
    "run": """
        @aotel.run
        def first(text): return text
        first("benign-token")
    """,
    "error": """
        @aotel.coat("tool")
        def first(text): raise LookupError(text)
        try: first("benign-token")
        except LookupError: pass
    """,
}


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


@pytest.mark.parametrize("what", FIRST)
def test_content_is_written_as_the_environment_says(what: str, programs: Programs) -> None:
    ended = programs.run(
        "import aotel",
        FIRST[what],
        instrumented=False,
        environment={"AOTEL_CAPTURE": "none", "OTEL_TRACES_EXPORTER": "console"},
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert len(ended.envelopes) >= 2
    assert_valid(ended.envelopes)
    assert_paired(ended.envelopes)
    assert {envelope["capture"]["content"] for envelope in ended.envelopes} == {"none"}
    assert "benign-token" not in repr(ended.envelopes)
    assert "benign-token" not in ended.stdout
    assert '"name": ' in ended.stdout  # the span was exported


def test_first_calls_of_many_threads_are_all_recorded(programs: Programs) -> None:
    ended = programs.run(
        """
        import aotel, threading

        ready = threading.Barrier(8)

        @aotel.coat("tool")
        def first(text):
            return text

        def work():
            ready.wait()
            first("benign-token")

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """,
        instrumented=False,
        environment={"AOTEL_CAPTURE": "hash"},
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert len(ended.envelopes) == 16
    assert "benign-token" not in repr(ended.envelopes)
    assert {envelope["capture"]["content"] for envelope in ended.envelopes} == {"hash"}


@pytest.mark.parametrize("variable", ["AOTEL_DISABLED", "OTEL_SDK_DISABLED"])
def test_switched_off_nothing_is_set_up(variable: str, programs: Programs) -> None:
    ended = programs.run(
        """
        import aotel, sys, threading
        from opentelemetry import trace

        @aotel.coat("tool")
        def first(text):
            return text

        with aotel.session("s"), aotel.step("t"), aotel.stream("u") as stream:
            stream.event("piece")
            aotel.tie("note")
            aotel.set_result(first("text"))
        print(first("text"), type(trace.get_tracer_provider()).__name__, threading.active_count())
        """,
        instrumented=False,
        environment={variable: "true"},
    )
    assert (ended.code, ended.stderr, ended.envelopes) == (0, "", [])
    assert ended.stdout == "text ProxyTracerProvider 1\n"


def test_import_starts_nothing(programs: Programs) -> None:
    ended = programs.run(
        """
        import sys, threading
        import aotel

        @aotel.coat("tool")
        def decorated(): ...

        heavy = ("opentelemetry.sdk", "grpc", "msgspec", "wrapt", "opentelemetry.exporter", "asyncio")
        print([name for name in heavy if name in sys.modules], threading.active_count())
        """,
        instrumented=False,
    )
    assert (ended.code, ended.stderr, ended.stdout, ended.envelopes) == (0, "", "[] 1\n", [])


def test_set_up_that_fails_leaves_the_program_alone(programs: Programs) -> None:
    ended = programs.run(
        """
        import sys
        sys.modules["opentelemetry.sdk.trace"] = None  # as if it were not installed
        import logging; logging.basicConfig()
        import aotel

        @aotel.coat("tool")
        def first(text):
            return text

        print(first("text"), first("text"))
        """,
        instrumented=False,
    )
    assert (ended.code, ended.stdout, ended.envelopes) == (0, "text text\n", [])
    assert ended.stderr.count("WARNING") == 1
    assert "aotel failed in configuration" in ended.stderr


def test_call_at_the_end_of_the_interpreter_is_delivered(programs: Programs) -> None:
    ended = programs.run(
        """
        import atexit, aotel

        @aotel.coat("tool")
        def leaf(text):
            return text

        leaf("first")
        atexit.register(leaf, "from atexit")
        """,
        instrumented=False,
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert [
        envelope["payload"].get("result_preview") for envelope in ended.envelopes if "ok" in envelope["payload"]
    ] == [
        "'first'",
        "'from atexit'",
    ]


@pytest.mark.parametrize("ending", ["sys.exit(3)", "raise SystemExit('bye')", "raise KeyboardInterrupt", "1 / 0"])
def test_program_that_ends_inside_an_operation(ending: str, programs: Programs) -> None:
    ended = programs.run(
        f"""
        import sys, aotel

        @aotel.coat("agent")
        def main():
            {ending}

        main()
        """,
        instrumented=False,
    )
    outcome = {"sys.exit(3)": None, "raise KeyboardInterrupt": "interrupted"}.get(ending)
    assert ended.code != 0
    assert_paired(ended.envelopes)
    assert ended.envelopes[-1]["kind"] == "coat.error"
    assert ended.envelopes[-1]["payload"].get("outcome") == outcome
