"""The terminal is given back, however it ends; and it is shared with whoever needs it in between."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from tests.view.live.watching import is_given_back, unknown, watching
from tests.view.terminal import Screen, Terminal

_BEGUN = """
say("before")
say("half ", end="")
run = start("agent", "research")
tell("resource", cpu_percent=1)
view.drain(5)
time.sleep(0.3)
say("ready", end="")
"""


def _rule(seen: Terminal) -> list[int]:
    return [place for place, row in enumerate(seen.rows) if row.startswith("── agent.py")]


def _wait_for_panel(seen: Terminal) -> None:
    seen.wait_for_text("half ready")
    seen.wait_for(lambda: _rule(seen) == [len(seen.rows) - 4])


@pytest.mark.parametrize("how", ["interrupt", "exception", "exit", "end"])
def test_terminal_is_given_back_without_a_close(how: str) -> None:
    ends = {"interrupt": "time.sleep(30)", "exception": "raise ValueError('crash')", "exit": "sys.exit(3)", "end": ""}
    with watching(f"{_BEGUN}time.sleep(0.5)\nsay('')\n{ends[how]}") as seen:
        _wait_for_panel(seen)
        assert seen.screen.margins is not None
        if how == "interrupt":
            seen.pump(1)
            seen.type("\x03")
        assert seen.finish() == {"interrupt": -signal.SIGINT, "exception": 1, "exit": 3, "end": 0}[how]
        assert is_given_back(seen)
        assert _rule(seen) == []
        assert "half ready" in seen.rows
        assert ("KeyboardInterrupt" in seen.text) is (how == "interrupt")
        assert unknown(bytes(seen.written)) == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_terminal_is_given_back_by_signals_that_end_the_process(number: signal.Signals) -> None:
    with watching(_BEGUN + "time.sleep(30)") as seen:
        _wait_for_panel(seen)
        seen.signal(number)
        assert seen.finish() == -number
        assert is_given_back(seen)
        assert _rule(seen) == []


def test_signals_that_somebody_handles_are_left_to_them() -> None:
    program = f"signal.signal(signal.SIGTERM, lambda *_: (say('mine'), os._exit(5)))\n{_BEGUN}time.sleep(30)"
    opened = "view.close(None)\nview = open_view('rich', stream=sys.stderr, title='agent.py')\n"
    with watching(opened + program) as seen:
        _wait_for_panel(seen)
        seen.signal(signal.SIGTERM)
        assert seen.finish() == 5
        assert "mine" in seen.text


def test_after_closing_signals_do_what_they_did() -> None:
    program = """
import threading
thread = threading.Thread(target=view.close, args=(None,))
thread.start(); thread.join()
say("ready")
time.sleep(30)
"""
    with watching(program) as seen:
        seen.wait_for_text("ready")
        seen.signal(signal.SIGTERM)
        assert seen.finish() == -signal.SIGTERM


_SHELL = """
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if child:
    os.setpgid(child, child)
    os.tcsetpgrp(0, child)
    os.waitpid(child, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpgrp())
    print("stopped", flush=True)
    time.sleep(1)
    os.tcsetpgrp(0, child)
    os.kill(child, signal.SIGCONT)
    os.waitpid(child, 0)
    os._exit(0)
os.setpgid(0, 0)
signal.signal(signal.SIGTTOU, signal.SIG_DFL)
time.sleep(0.2)
"""


def test_stopped_it_leaves_the_terminal_and_continued_it_takes_it_again() -> None:
    with watching(_BEGUN + "time.sleep(2); say(' continued'); time.sleep(30)", before=_SHELL) as seen:
        _wait_for_panel(seen)
        seen.type("\x1a")
        seen.wait_for_text("stopped")
        assert _rule(seen) == []
        assert is_given_back(seen)
        seen.wait_for(lambda: _rule(seen) == [20])
        assert seen.screen.margins is not None
        seen.wait_for_text("continued")


def test_suspended_by_its_owner_it_writes_nothing() -> None:
    program = (
        _BEGUN
        + """
view.suspend()
say(" gone")
tell("file_open", path="/hidden", mode="read", count=1)
time.sleep(1)
say("back")
view.resume()
view.resized()
time.sleep(30)
"""
    )
    with watching(program) as seen:
        seen.wait_for_text("half ready gone")
        seen.wait_for(lambda: not _rule(seen))
        assert is_given_back(seen)
        seen.pump(0.5)
        assert "/hidden" not in seen.text
        seen.wait_for_text("back")
        seen.wait_for_text("read /hidden")
        seen.wait_for(lambda: _rule(seen) == [20])


@pytest.mark.parametrize("pulls_back", [False, True])
@pytest.mark.parametrize(("columns", "rows"), [(80, 40), (120, 24), (64, 16), (100, 12)])
def test_with_another_size_the_panel_stands_at_the_new_bottom(columns: int, rows: int, *, pulls_back: bool) -> None:
    program = (
        "for number in range(30): say(f'line {number}')\n" + _BEGUN + "time.sleep(0.8); say(' goes on'); time.sleep(30)"
    )
    with watching(program) as seen:
        _wait_for_panel(seen)
        assert isinstance(seen.screen, Screen)
        seen.screen.pulls_back = pulls_back
        seen.resize(columns, rows)
        seen.wait_for(lambda: _rule(seen) == [rows - 4])
        seen.wait_for_text("half ready goes on")
        seen.pump(0.3)
        assert len(_rule(seen)) == 1
        assert len(seen.rows[rows - 4]) == columns
        lines = [line for line in seen.everything.splitlines() if re.match(r"line \d+$", line)]
        assert lines == [f"line {number}" for number in range(30)]


def test_a_screen_that_is_too_low_has_no_panel_until_it_is_higher() -> None:
    with watching(_BEGUN + "time.sleep(30)") as seen:
        _wait_for_panel(seen)
        seen.resize(80, 5)
        seen.wait_for(lambda: seen.screen.margins is None and not _rule(seen))
        seen.resize(80, 24)
        seen.wait_for(lambda: _rule(seen) == [20])


def test_while_somebody_reads_keys_nothing_is_drawn() -> None:
    """An editor, a pager or a prompt has the terminal: what it draws must stay."""
    program = (
        _BEGUN
        + """
import termios, tty
before = termios.tcgetattr(0)
tty.setcbreak(0)
time.sleep(1.5)
say(" mine")
tell("file_open", path="/hidden", mode="read", count=1)
time.sleep(2)
say("mine still")
time.sleep(0.3)
termios.tcsetattr(0, termios.TCSADRAIN, before)
time.sleep(30)
"""
    )
    with watching(program) as seen:
        seen.wait_for_text("ready mine")
        seen.pump(1)
        before = len(seen.written)
        seen.wait_for_text("mine still")
        assert len(seen.written) - before < 50
        assert "/hidden" not in seen.text
        seen.wait_for_text("read /hidden")
        seen.wait_for(lambda: _rule(seen) == [20])


def test_a_wiped_screen_gets_its_panel_back() -> None:
    with watching(_BEGUN + "say('\\x1b[r\\x1b[2J\\x1b[H', end=''); time.sleep(30)") as seen:
        seen.wait_for(lambda: "before" not in seen.text and _rule(seen) == [20] and seen.screen.margins)


def test_a_forked_child_leaves_the_panel_alone() -> None:
    program = (
        _BEGUN
        + """
import warnings
warnings.simplefilter("ignore")  # of forks beside threads, since Python 3.12
child = os.fork()
if child == 0:
    start("tool", "in the child")
    view.suspend(); view.resume(); view.close(reader.summary())
    sys.exit(0)
os.waitpid(child, 0)
say(" waited")
time.sleep(30)
"""
    )
    with watching(program) as seen:
        seen.wait_for_text("ready waited")
        seen.pump(0.5)
        assert _rule(seen) == [20]
        assert seen.screen.margins is not None
        assert "in the child" not in seen.everything


def test_a_terminal_that_is_gone_is_no_error() -> None:
    program = (
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        + _BEGUN
        + """
time.sleep(1)
start("tool", "t")
view.drain(5)
time.sleep(0.5)
view.suspend()
view.resume()
view.close(reader.summary())
os._exit(6)
"""
    )
    with watching(program) as seen:
        _wait_for_panel(seen)
        os.close(seen.master)
        seen.master = os.open(os.devnull, os.O_RDONLY)
        assert seen.process.wait(10) == 6


def test_stuck_terminal_does_not_keep_a_signal_from_ending_the_process() -> None:
    with watching(
        _BEGUN + "\nwhile True: tell('file_open', path='x' * 200, mode='read', count=1)", columns=300
    ) as seen:
        time.sleep(3)  # nobody reads: what the terminal takes is full
        seen.signal(signal.SIGTERM)
        assert seen.process.wait(5) == -signal.SIGTERM
