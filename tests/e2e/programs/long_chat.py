"""A chat of 200 messages with 60 tools: more than any span may hold by default."""

import json
import sys
from typing import Any

import openai

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"tool_{number}",
            "description": f"Does thing {number}.",
            "parameters": {"type": "object", "properties": {f"argument_{number}": {"type": "string"}}},
        },
    }
    for number in range(60)
]


def message(number: int) -> dict[str, Any]:
    """Return a message: every second one asks for a tool, and the next has what it said."""
    text = f"This is message {number}. " + f"It says word {number} again. " * 20
    if number % 4 == 1:
        function = {"name": f"tool_{number % 60}", "arguments": json.dumps({f"argument_{number % 60}": text})}
        call = {"id": f"call_{number}", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if number % 4 == 2:
        return {"role": "tool", "tool_call_id": f"call_{number - 1}", "content": text}
    return {"role": "assistant" if number % 4 == 3 else "user", "content": text}


def main() -> None:
    messages = [message(number) for number in range(199)]
    messages.append({"role": "user", "content": "And this is the end."})
    asked: Any = {"model": "gpt-5", "messages": messages, "tools": TOOLS}
    client: Any = openai.OpenAI()
    if len(sys.argv) > 1:
        list(client.chat.completions.create(**asked, stream=True))
    else:
        client.chat.completions.create(**asked)


main()
