"""How what is said to a model and by it is written: under one capture mode, and not at all where a switch hides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from aotel.content import Mode, active, to_json
from aotel.instrumentation.plain import key_of, weight_of
from aotel.instrumentation.recall import Recall
from aotel.operation import Message, TextPart, ToolDefinition

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.content import Capture
    from aotel.instrumentation.plain import Plain
    from aotel.operation import MessagePart

T = TypeVar("T", Message, ToolDefinition)

_RECALL: Final = Recall()
_LEGIBLE: Final = frozenset({Mode.REDACTED, Mode.RAW})
_FORMS: Final = 3  # in which a message is kept: itself, and what two vocabularies say of it
_MOST: Final = 1_024  # messages, and tools: the newest messages, the first tools


class Reading:
    """Makes messages and tools of plain values, clean under a capture mode; what it made of equal ones, again.

    Args:
        capture: how content is written.

    Attributes:
        inputs: whether anything of the request's content is written.
        outputs: whether anything of the answer's is.
        tools: whether tool definitions are.
    """

    __slots__ = ("_capture", "inputs", "outputs", "tools")

    def __init__(self, capture: Capture) -> None:
        hidden = active().hidden
        self._capture = capture
        self.inputs = capture.writes and hidden.isdisjoint({"inputs", "input_messages", "input_text"})
        self.outputs = capture.writes and hidden.isdisjoint({"outputs", "output_messages", "output_text"})
        self.tools = capture.writes and hidden.isdisjoint({"inputs", "llm_tools"})

    def messages(self, items: Plain, read: Callable[[Any], Message]) -> tuple[Message, ...]:
        """Return the messages of a conversation.

        Args:
            items: a list of plain values, or a text.
            read: makes a message of a clean one.
        """
        if type(items) is not list:
            items = [] if items is None else [items]
        return tuple([self._made(item, read, _closed_message) for item in items[-_MOST:]])

    def definitions(self, items: Plain, read: Callable[[Any], ToolDefinition | None]) -> tuple[ToolDefinition, ...]:
        """Return the tools that a model may call.

        Args:
            items: a list of plain values.
            read: makes a definition of a clean one, or None.
        """
        if type(items) is not list or not self.tools:
            return ()
        nameless = ToolDefinition("")

        def definition(clean: Any) -> ToolDefinition:
            return read(clean) or nameless

        made = [self._made(item, definition, _closed_tool, read) for item in items[:_MOST]]
        return tuple([tool for tool in made if tool.name])

    def parts(self, items: Plain, read: Callable[[Any], Message]) -> tuple[MessagePart, ...]:
        """Return the parts of instructions, which stand beside the messages; arguments as for `messages`."""
        return tuple([part for message in self.messages(items, read) for part in message.parts])

    def text(self, value: Plain) -> str | None:
        """Return a text, or anything else as JSON, as it is written."""
        if value is None or not self._capture.writes:
            return None
        shown = self._capture.value(value)
        return shown if type(shown) is str else to_json(shown)

    def _made(self, item: Plain, read: Callable[[Any], T], close: Callable[[Plain, str], T], by: object = None) -> T:
        key = (self._capture, by or read, key_of(item))
        made: T | None = _RECALL.get(key)
        if made is None:
            clean = self._capture.value(item)
            if self._capture.mode in _LEGIBLE:
                made = read(clean)
            else:
                made = close(item, clean if type(clean) is str else to_json(clean))
            made.remembered = {}
            _RECALL.put(key, made, weight_of(item) + _FORMS * weight_of(clean))
        return made


def _closed_message(item: Plain, shown: str) -> Message:
    """Return a message under a mode that shows its hash or its shape: who speaks is no content."""
    role = item.get("role") if type(item) is dict else None
    return Message(role if type(role) is str else "user", (TextPart(shown),))


def _closed_tool(item: Plain, shown: str) -> ToolDefinition:
    name = item.get("name") if type(item) is dict else None
    return ToolDefinition(name if type(name) is str else "tool", description=shown)
