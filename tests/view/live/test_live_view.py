"""The rich view in a real terminal: what a person sees."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pytest

from tests.view.live.watching import is_given_back, unknown, watching

if TYPE_CHECKING:
    from pathlib import Path

_RUN = """
say("$ aotel run")
tell("process_start", pid=3, command=["python", "agent.py"])
run = start("agent", "research", args=("'ships'",))
model = start("llm", "chat gpt-x", run)
time.sleep(0.02)
end(model, run, llm={"request_model": "gpt-x", "input_tokens": 1204, "output_tokens": 87, "cost_usd": 0.0042})
tool = start("tool", "search", run, args=("'cutty sark'",))
tell("net_connect", host="api.example.com", port=443, count=2, trace_id="tr_1", span_id=tool)
end(tool, run)
time.sleep(0.02)
tool = start("tool", "write", run)
time.sleep(0.02)
show(agent.fail(tool, run, at(), ("PermissionError", "not yours")))
tell("policy_violation", success=False, kind="host", value="evil.example", decision="would block")
for number in range(4):
    tell("resource", processes=2, cpu_percent=[20, 50, 75, 95][number], memory_bytes=212e6, memory_limit_bytes=1e9,
         net_sent_bytes=1e6 * number ** 2, net_received_bytes=0, disk_read_bytes=5e5 * number, disk_write_bytes=0)
    time.sleep(0.02)
show(agent.emit(run, "progress", {"name": "indexing", "done": 450, "total": 1000, "state": "advanced"}, at()))
wait = start("tool", "slow", run)
view.drain(5)
"""


def test_tree_and_panel_are_on_the_screen() -> None:
    with watching(_RUN + "time.sleep(1.2); say('goes on'); time.sleep(30)") as seen:
        seen.wait_for_text("goes on")
        seen.wait_for_text("1.")
        rows = [re.sub(r"^\d\d:\d\d:\d\d ", "", row) for row in seen.rows]
        first = rows.index("· started python agent.py")
        tree = [re.sub(r"\s+[\d.]+ m?s$", "", row) for row in rows[first + 1 : first + 9]]
        assert tree == [
            "◆ agent research  'ships'",
            "├ ✦ llm chat gpt-x                            1.2k→87  $0.0042",
            "├ ▪ tool search  'cutty sark'",
            "│ ├ ⇄ connected to api.example.com:443, 2 times",
            "│ ╰ ✓ tool search",
            "├ ✗ tool write  PermissionError: not yours",
            "⊘ not allowed (would block): host evil.example",
            "goes on",
        ]
        panel = seen.rows[-5:]
        assert re.fullmatch(r"── agent\.py ─+ [\d.]+ m?s ──", panel[0])
        assert re.fullmatch(r" research ▸ ▪ tool slow\s+[\d.]+ s", panel[1])
        assert re.fullmatch(r" » indexing  █+[▏▎▍▌▋▊▉]?░+\s+45%  450 of 1,000", panel[2])
        assert re.fullmatch(r" cpu █+[▏▎▍▌▋▊▉]?░*  95%  mem █▎░+ 212 MB  net [▁-█]+ .+/s  disk [▁-█]+ .+/s", panel[3])
        assert panel[4] == " 3 operations  1 failed  1 violation  1.2k→87 tokens  $0.0042  1 host"
        assert seen.screen.margins is not None
        assert seen.screen.margins.bottom == 24 - 5 - 1
        assert unknown(bytes(seen.written)) == b""


def test_at_the_end_there_are_a_timeline_and_a_summary_and_the_terminal_is_given_back() -> None:
    with watching(_RUN + "end(wait, run); end(run); view.close(reader.summary()); say('$ after')", rows=50) as seen:
        assert seen.finish() == 0
        assert is_given_back(seen)
        text = seen.text
        assert "── agent.py ─" in text
        assert "5 operations, 1 error, 1 violation ──" in text
        timeline = text[text.index("── agent.py ─") :].splitlines()[2:7]
        assert [re.sub(r"\s*━.*", "", row) for row in timeline] == [
            " ◆ agent research",
            "   ✦ llm chat gpt-x",
            "   ▪ tool search",
            "   ✗ tool write",
            "   ▪ tool slow",
        ]
        assert all("━" in row for row in timeline)
        for words in (" tokens      1,204 in, 87 out, $0.0042", " errors      tool write failed after", " slowest "):
            assert words in text
        assert re.search(r" operations +3  tool +.+ +1 failed", text)
        after = seen.rows.index("$ after")
        assert not any(seen.rows[after + 1 :])
        assert unknown(bytes(seen.written)) == b""


def test_it_is_the_terminals_width_that_rows_are_cut_at() -> None:
    for columns in (60, 200):
        with watching(_RUN + "time.sleep(30)", columns=columns, rows=30) as seen:
            seen.wait_for_text("▪ tool slow")
            seen.wait_for_text("operations")
            assert len(seen.rows[-5]) == columns
            assert any("212 MB of 1.0 GB" in row for row in seen.rows) is (columns == 200)
            assert seen.rows[-1].startswith(" 3 operations")


def test_output_of_the_program_and_its_half_lines_survive() -> None:
    program = """
for number in range(40):
    say(f"out {number} ", end="")
    tool = start("tool", f"t{number}")
    end(tool)
    if number % 8 == 0:
        time.sleep(0.15)
    say("end")
say("no line end", end="")
view.close(reader.summary())
say("next")
"""
    with watching(program, rows=15) as seen:
        assert seen.finish() == 0
        lines = seen.everything.splitlines()
        assert [line for line in lines if line.startswith("out ")] == [f"out {number} end" for number in range(40)]
        assert sum(bool(re.search(r"▪ tool t\d+ ", line)) for line in lines) >= 40
        assert "no line end" in lines
        assert "next" in lines


_HOSTILE = r"\x1b[2J\x1b]0;title\x07\x9b31m[red]x[/red]\r\n\u202etxt\u2028\x00"


@pytest.mark.parametrize("how", ["name", "path", "message", "emit", "title", "runner"])
def test_nothing_that_is_shown_can_steer_the_terminal(how: str) -> None:
    program = f"""
bad = "{_HOSTILE}"
how = "{how}"
run = start("agent", bad if how == "name" else "a", args=(bad,))
tool = start("tool", bad * 20 if how == "name" else "t", run, args=(bad,))
if how == "path":
    tell("file_open", path=bad, mode="write", count=1, span_id=tool, trace_id="tr_1")
    tell("artifact", path=bad, bytes=1, status=bad, message=bad)
    tell("process_start", pid=1, command=[bad, bad])
    tell("policy_violation", success=False, kind=bad, value=bad, decision=bad)
    tell("install", packages=[bad], state="progress", message=bad, done=1, total=3)
if how == "message":
    show(agent.fail(tool, run, at(), (bad, bad)))
if how == "emit":
    show(agent.emit(tool, bad, bad, at()))
    show(agent.emit(tool, "notify", {{"kind": "warning", "message": bad, bad: bad}}, at()))
    show(agent.emit(tool, "progress", {{"name": bad, "done": 1, "total": 2, "state": "advanced"}}, at()))
if how == "runner":
    view.show(Event(Kind.ERROR, Level.ERROR, time.time(), bad, {{}}))
view.drain(5)
time.sleep(0.3)
view.close(reader.summary())
say("after")
"""
    if how == "title":
        program = (
            f'bad = "{_HOSTILE}"\nview.close(None)\nview = open_view("rich", stream=sys.stderr, title=bad)\n' + program
        )
    with watching(program, level="DEBUG", columns=200, rows=40) as seen:
        assert seen.finish() == 0
        assert unknown(bytes(seen.written)) == b""
        assert seen.screen.title == ""
        assert is_given_back(seen)
        assert "\\x1b[2J" in seen.everything
        assert "[red]x[/red]" in seen.everything


def test_what_is_not_known_is_shown_as_missing() -> None:
    program = """
for used in (1e8, 2e8, 4e8):
    tell("resource", processes=1, memory_bytes=used)
view.drain(5)
time.sleep(30)
"""
    with watching(program) as seen:
        seen.wait_for_text("400 MB")
        row = seen.rows[-2]
        assert re.fullmatch(r" cpu ░+ +—  mem ▁+▃▅█ 400 MB  net ░+ +—  disk ░+ +—", row), row


def test_wide_and_combining_characters_break_no_row() -> None:
    program = 'start("tool", "日本語" * 40); start("llm", "e\\u0301" * 90); tell("artifact", path="😀" * 99, bytes=1)\n'
    with watching(program + "view.drain(5); time.sleep(30)", rows=16) as seen:
        seen.wait_for_text("operations")
        seen.pump(0.3)
        assert re.match(r"── agent\.py ─+ .+ ──$", seen.rows[-4])
        assert "\xe9" * 20 in unicodedata.normalize("NFC", seen.rows[-3])
        assert "collected 😀" in seen.text
        assert sum("── agent.py" in row for row in seen.rows) == 1


def test_without_its_characters_the_encoding_gets_plainer_ones() -> None:
    environ = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    with watching(_RUN + "end(wait, run); end(run); view.close(reader.summary())", environ=environ, rows=50) as seen:
        assert seen.finish() == 0
        assert seen.written.isascii()
        assert "|-* llm chat gpt-x" in seen.text
        assert "-- agent.py -" in seen.text


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 7), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)])
def test_levels_choose_lines(level: str, lines: int) -> None:
    program = """
run = start("agent", "a")
show(agent.emit(run, "thought", 1, at()))
show(agent.emit(run, "progress", {"name": "n", "done": 1, "total": 2, "state": "advanced"}, at()))
tell("limit_warning", resource="cpu", percent=91, state="over", message="cpu at 91 %")
tool = start("tool", "t")
show(agent.fail(tool, "", at()))
other = start("tool", "u")
end(other)
tell("resource", cpu_percent=1)
view.drain(5)
time.sleep(0.4)
view.close(None)
"""
    with watching(program, level=level) as seen:
        assert seen.finish() == 0
        assert len([row for row in seen.rows if re.match(r"\d\d:\d\d:\d\d", row)]) == lines


def test_ten_thousand_events_a_second_freeze_nothing() -> None:
    program = """
begin = time.time()
run = start("agent", "busy")
count = 0
while time.time() - begin < 2:
    for _ in range(100):
        tell("file_open", path=f"/tmp/{count}", mode="read", count=1, trace_id="tr_1", span_id=run)
        count += 1
    ahead = count / 10_000 - (time.time() - begin)
    if ahead > 0:
        time.sleep(ahead)
tell("limit_warning", resource="cpu", percent=91, state="over", message="seen in the flood")
took = time.time() - begin
closing = time.time()
end(run)
view.close(reader.summary())
say(f"fed {count} closed {time.time() - closing:.1f}")
"""
    with watching(program, rows=60) as seen:
        assert seen.finish(30) == 0
        text = seen.everything
        told = re.search(r"fed (\d+) closed ([\d.]+)", text)
        assert told is not None
        assert float(told[2]) < 3
        frames = seen.written.count(b"\x1b[?2026h")
        assert frames <= 8 * 3.5
        assert "more lines, too fast to be read" in text
        assert "seen in the flood" in text
        assert f"{int(told[1]):,} read" in text or "10,000 read" in text
        assert len(seen.written) < 2_000_000


def test_what_is_idle_writes_little() -> None:
    with watching("start('agent', 'a'); time.sleep(30)") as seen:
        seen.wait_for_text("agent a")
        seen.pump(1.0)
        before = len(seen.written)
        seen.pump(2.0)
        assert len(seen.written) - before < 8_000


def test_a_terminal_that_takes_nothing_holds_nobody_up(tmp_path: Path) -> None:
    """As after Ctrl-S, or with a window that hangs."""
    program = """
for number in range(30_000):
    tell("file_open", path="x" * 100, mode="read", count=1)
    if number % 100 == 0:
        time.sleep(0.005)
begin = time.monotonic()
view.close(reader.summary())
with open(os.environ["TOLD"], "w") as told:
    told.write(f"{time.monotonic() - begin:.0f}")
os._exit(7)
"""
    told = tmp_path / "told"
    with watching(program, columns=500, rows=200, environ={"TOLD": str(told)}) as seen:
        assert seen.process.wait(25) == 7  # nobody reads
        assert int(told.read_text()) <= 5
