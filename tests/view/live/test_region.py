from __future__ import annotations

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.view.live.region import Region, insert, new_line

COLUMNS, ROWS, HEIGHT = 40, 12, 4
PANEL = [f"panel {place}".ljust(COLUMNS) for place in range(HEIGHT)]


class Screen:
    """A terminal that a program and a region write to in turns."""

    def __init__(self, rows: int = ROWS) -> None:
        self.screen = pyte.HistoryScreen(COLUMNS, rows, history=1_000)
        self.stream = pyte.Stream(self.screen)
        self.region = Region()

    def write(self, text: str) -> None:
        self.stream.feed(text.replace("\n", "\r\n"))

    def control(self, text: str) -> None:
        self.stream.feed(text)

    @property
    def rows(self) -> list[str]:
        return [row.rstrip() for row in self.screen.display]

    @property
    def lines(self) -> list[str]:
        """All that was ever written above the panel, but for empty rows at its end."""
        above = ["".join(line[x].data for x in range(COLUMNS)).rstrip() for line in self.screen.history.top]
        everything = above + self.rows[: len(self.rows) - self.region.height]
        while everything and not everything[-1]:
            everything.pop()
        return everything


def test_panel_stands_at_the_bottom_and_output_scrolls_above_it() -> None:
    seen = Screen()
    seen.write("$ before\n")
    seen.control(seen.region.fit(COLUMNS, ROWS, HEIGHT) + seen.region.draw(PANEL))
    for number in range(30):
        seen.write(f"line {number}\n")
    assert seen.rows[-HEIGHT:] == [row.rstrip() for row in PANEL]
    assert seen.lines == ["$ before", *[f"line {number}" for number in range(30)]]


def test_opening_at_the_last_row_keeps_what_stands_there() -> None:
    seen = Screen()
    seen.write("\n".join(f"old {number}" for number in range(30)))
    seen.control(seen.region.fit(COLUMNS, ROWS, HEIGHT) + seen.region.draw(PANEL))
    seen.write(" goes on\n")
    assert seen.lines[-2:] == ["old 28", "old 29 goes on"]


def test_lines_go_in_above_a_line_that_is_half_written() -> None:
    seen = Screen()
    seen.control(seen.region.fit(COLUMNS, ROWS, HEIGHT) + seen.region.draw(PANEL))
    seen.write("name: ")
    seen.control(insert(["one", "two"], seen.region.room))
    seen.write("Ada\n")
    assert seen.lines == ["one", "two", "name: Ada"]


def test_colour_of_the_programs_half_line_goes_on_after_ours() -> None:
    seen = Screen()
    seen.control(seen.region.fit(COLUMNS, ROWS, HEIGHT))
    seen.control("\x1b[31mred ")
    seen.control(insert(["\x1b[32mgreen\x1b[0m"], seen.region.room) + seen.region.draw(PANEL))
    seen.control("still red")
    row = seen.lines.index("red still red")
    assert {seen.screen.buffer[row][x].fg for x in range(13)} == {"red"}


def test_what_is_too_wide_is_cut_and_pushes_nothing_down() -> None:
    seen = Screen()
    seen.control(seen.region.fit(COLUMNS, ROWS, HEIGHT))
    seen.control(seen.region.draw([row + "x" * 90 for row in PANEL]) + insert(["y" * 90, "next"], seen.region.room))
    assert [row[:7] for row in seen.rows[-HEIGHT:]] == ["panel 0", "panel 1", "panel 2", "panel 3"]
    assert seen.lines == ["y" * COLUMNS, "next"]


def test_closing_leaves_the_whole_screen_and_no_trace() -> None:
    seen = Screen()
    seen.control(seen.region.fit(COLUMNS, ROWS, HEIGHT) + seen.region.draw(PANEL))
    seen.write("a\nb")
    seen.control("\x1b[?25l" + seen.region.close())
    assert seen.screen.margins is None
    assert not seen.screen.cursor.hidden
    seen.write("c\n")
    assert seen.rows[:3] == ["a", "bc", ""]
    assert not any("panel" in row for row in seen.rows)


def test_a_new_line_begins_only_where_there_is_something_on_this_one() -> None:
    for before, expected in (("", ["end"]), ("x", ["x", "end"]), ("x\n", ["x", "end"]), ("y" * 39, ["y" * 39, "end"])):
        seen = Screen()
        seen.write(before)
        seen.control(new_line(COLUMNS))
        seen.write("end")
        assert seen.lines == expected


def test_growing_and_shrinking_lose_nothing() -> None:
    seen = Screen()
    seen.control(seen.region.fit(COLUMNS, ROWS, 2))
    for number in range(20):
        seen.write(f"line {number}\n")
    seen.control(seen.region.fit(COLUMNS, ROWS, 5) + seen.region.draw([*PANEL, "panel 4"]))
    seen.write("more\n")
    seen.control(seen.region.fit(COLUMNS, ROWS, 2) + seen.region.draw(PANEL))
    seen.write("yet more\n")
    assert seen.lines == [*[f"line {number}" for number in range(20)], "more", "yet more"]
    assert seen.rows[-2:] == ["panel 0", "panel 1"]


def test_only_rows_that_changed_are_drawn() -> None:
    region = Region()
    region.fit(COLUMNS, ROWS, HEIGHT)
    drawn = region.draw(PANEL)
    assert all(row in drawn for row in PANEL)
    assert region.draw(PANEL) == ""
    changed = [*PANEL[:-1], "changed".ljust(COLUMNS)]
    drawn = region.draw(changed)
    assert "changed" in drawn
    assert "panel 0" not in drawn


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.text("abc ", min_size=1, max_size=9)),
        st.tuples(st.just("end line"), st.just("")),
        st.tuples(st.just("insert"), st.integers(1, 9)),
        st.tuples(st.just("height"), st.integers(1, 6)),
        st.tuples(st.just("draw"), st.just("")),
    ),
    max_size=40,
)


@settings(max_examples=40)
@given(_steps, st.integers(0, 30))
def test_whatever_comes_in_whatever_order_nothing_is_lost_and_the_panel_stands(
    steps: list[tuple[str, str | int]], before: int
) -> None:
    seen = Screen()
    expected = [f"old {number}" for number in range(before)]
    seen.write("".join(f"{line}\n" for line in expected))
    seen.control(seen.region.fit(COLUMNS, ROWS, HEIGHT))
    line, ours = "", 0
    for kind, value in [*steps, ("draw", "")]:
        if kind == "write" and len(line) + len(str(value)) < COLUMNS:
            line += str(value)
            seen.write(str(value))
        elif kind == "end line":
            expected.append(line.rstrip())
            line = ""
            seen.write("\n")
        elif kind == "insert":
            made = [f"ours {ours + number}" for number in range(int(value))]
            ours += len(made)
            expected += made
            seen.control(insert(made, seen.region.room))
        elif kind == "height":
            seen.control(seen.region.fit(COLUMNS, ROWS, int(value)))
        panel = [f"panel {place}".ljust(COLUMNS) for place in range(seen.region.height)]
        seen.control(seen.region.draw(panel))
    expected.append(line.rstrip())
    assert [row for row in seen.lines if row] == [row for row in expected if row]
    assert seen.rows[-seen.region.height :] == [f"panel {place}" for place in range(seen.region.height)]
