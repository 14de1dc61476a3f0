from __future__ import annotations

from aotel.view import EntryReader
from aotel.view.digest import digest, headline
from tests.view.agents import Agent, entry, one_of_each


def test_everything_is_added_up() -> None:
    reader = EntryReader()
    one_of_each(reader)
    summary = reader.summary()
    assert {name: (group.count, group.failed, group.stopped) for name, group in summary.operations.items()} == {
        "llm": (1, 0, 0),
        "tool": (1, 1, 0),
        "retrieval": (1, 0, 0),
        "step": (1, 0, 1),
        "agent": (1, 0, 0),
    }
    assert summary.seconds == 3.0
    assert summary.tokens == {"input_tokens": 1204, "output_tokens": 87}
    assert summary.cost_usd == 0.01
    assert [span.name for span in summary.slowest] == ["chat gpt-x", "search", "look_up"]
    assert [(span.name, span.depth) for span in summary.timeline][:2] == [("research", 0), ("chat gpt-x", 1)]
    assert summary.files_read == {"/tmp/data.csv": 3}
    assert summary.files_written == {"/tmp/out.md": 1}
    assert summary.hosts == {"api.example.com:443": 2}
    assert summary.artifacts == {"out/a.md": 12_345}
    assert summary.refused == ["refused ../b: it is outside"]
    assert summary.violation_count == 2
    assert summary.peak_memory_bytes == 212_000_000
    assert summary.processes == 1
    assert summary.error_count == 4
    assert summary.still_open == 0


def test_the_words_have_what_the_facts_have() -> None:
    reader = EntryReader()
    one_of_each(reader)
    words = dict(digest(reader.summary()))
    labels = ["operations", "slowest", "tokens", "errors", "violations", "files", "hosts", "artifacts", "machine"]
    assert list(words) == labels
    assert words["tokens"] == ["1,204 in, 87 out, $0.0100"]
    assert words["hosts"] == ["api.example.com:443 (2 times)"]
    assert headline(reader.summary()) == "3.0 s, 5 operations, 4 errors, 2 violations, 8 warnings"


def test_what_never_ended_is_said() -> None:
    agent = Agent()
    agent.start("agent", "hangs")
    agent.reader.feed(entry("process_exit", at=9.0, pid=1, signal="SIGKILL"))
    summary = agent.reader.summary()
    assert "1 without an end" in headline(summary)
    assert [(span.name, span.state, span.seconds) for span in summary.timeline] == [("hangs", "open", 9.0)]


def test_a_run_without_anything_has_a_summary() -> None:
    summary = EntryReader().summary()
    assert headline(summary) == "0.0 ms, 0 operations"
    assert digest(summary) == []


def test_memory_is_bounded() -> None:
    agent = Agent()
    for number in range(12_000):
        agent.reader.feed(entry("file_open", path=f"/{number}", mode="read", count=1))
    for number in range(500):
        span, _ = agent.start("tool", f"f{number}")
        agent.fail(span, at=number / 100)
    summary = agent.reader.summary()
    assert len(summary.files_read) == 10_000
    assert summary.left_out
    assert len(summary.timeline) == 64
    assert (len(summary.errors), summary.error_count) == (100, 500)
