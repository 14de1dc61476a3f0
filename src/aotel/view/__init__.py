"""Events for a person: live, in a terminal, a log file or a pipe."""

from aotel.view.events import Event, Kind, Level
from aotel.view.opening import FORMS, open_view
from aotel.view.reading import EntryReader
from aotel.view.summary import Summary
from aotel.view.views import View

__all__ = ["FORMS", "EntryReader", "Event", "Kind", "Level", "Summary", "View", "open_view"]
