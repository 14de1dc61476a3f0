"""A program that knows nothing of tracing: it asks a model through `openai`, plain, streamed, and with a tool."""

from typing import Any

import openai

client: Any = openai.OpenAI()
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def main() -> None:
    try:
        client.chat.completions.create(model="gone", messages=[{"role": "user", "content": "Are you there?"}])
    except openai.NotFoundError as error:
        print(error)
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where do spans go?"}]
    print(client.chat.completions.create(model="gpt-5", messages=asked).choices[0].message.content)
    for chunk in client.chat.completions.create(model="gpt-5", messages=asked, stream=True):
        print(chunk.choices[0].delta.content or "", end="")
    asked = [{"role": "user", "content": "Call a tool."}]
    print(client.chat.completions.create(model="gpt-5", messages=asked, tools=[WEATHER]).choices[0].message.tool_calls)
    print(client.responses.create(model="gpt-5", input="What is a span?").output_text)


main()
