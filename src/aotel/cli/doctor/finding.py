"""What the doctor finds: one line each, with what to do about it."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

State: TypeAlias = Literal["ok", "info", "warning", "problem"]


class Finding(NamedTuple):
    """One thing that was looked at.

    Args:
        about: what, in a word or two.
        state: "ok"; "info" where it is no matter of well or ill; "warning" for what is likely not meant; "problem" for
            what does not work.
        text: what was found.
        advice: what to do about it, if there is something to do.
    """

    about: str
    state: State
    text: str
    advice: str = ""


class Section(NamedTuple):
    """Findings that belong together.

    Args:
        title: what they are about.
        findings: in the order in which they are shown.
    """

    title: str
    findings: list[Finding]
