"""What instrumentations of others write on their spans: attribute sets made after what each of them really emits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

WEATHER_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

PIXEL = "iVBORw0KGgo="
"""The start of a PNG, in base64."""

# openinference-instrumentation-openai 0.1: a chat with an image, a tool call and its result.
OPENINFERENCE_CHAT: dict[str, AttributeValue] = {
    "llm.system": "openai",
    "input.value": '{"model": "gpt-4o", "messages": []}',
    "input.mime_type": "application/json",
    "output.value": '{"id": "chatcmpl-1", "choices": []}',
    "output.mime_type": "application/json",
    "llm.tools.0.tool.json_schema": json.dumps(
        {
            "type": "function",
            "function": {"name": "get_weather", "description": "Weather of a city", "parameters": WEATHER_SCHEMA},
        },
    ),
    "llm.invocation_parameters": '{"model": "gpt-4o", "max_tokens": 50, "seed": 7, "stop": ["END"], "user": "u-1"}',
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Weather here?",
    "llm.input_messages.1.message.contents.1.message_content.type": "image",
    "llm.input_messages.1.message.contents.1.message_content.image.image.url": f"data:image/png;base64,{PIXEL}",
    "llm.input_messages.2.message.role": "assistant",
    "llm.input_messages.2.message.content": "Let me look.",
    "llm.input_messages.2.message.tool_calls.0.tool_call.id": "call_1",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "get_weather",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": '{"city": "Rome"}',
    "llm.input_messages.3.message.role": "tool",
    "llm.input_messages.3.message.tool_call_id": "call_1",
    "llm.input_messages.3.message.content": '{"temp": 20}',
    "llm.model_name": "gpt-4o-2024-08-06",
    "llm.token_count.total": 112,
    "llm.token_count.prompt": 100,
    "llm.token_count.completion": 12,
    "llm.token_count.prompt_details.cache_read": 64,
    "llm.token_count.completion_details.reasoning": 8,
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "20 degrees.",
    "llm.finish_reason": "stop",
    "openinference.span.kind": "LLM",
}

# openinference-instrumentation-anthropic 3: contents that hold thoughts and the tool calls that also stand beside them.
OPENINFERENCE_THINKING: dict[str, AttributeValue] = {
    "openinference.span.kind": "LLM",
    "llm.provider": "anthropic",
    "llm.system": "anthropic",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "Weather in Paris?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.contents.0.message_content.type": "reasoning",
    "llm.output_messages.0.message.contents.0.message_content.text": "A tool would know.",
    "llm.output_messages.0.message.contents.0.message_content.signature": "sig-1",
    "llm.output_messages.0.message.contents.1.message_content.type": "tool_use",
    "llm.output_messages.0.message.contents.1.tool_call.id": "toolu_1",
    "llm.output_messages.0.message.contents.1.tool_call.function.name": "get_weather",
    "llm.output_messages.0.message.contents.1.tool_call.function.arguments": '{"city": "Paris"}',
    "llm.output_messages.0.message.contents.2.message_content.type": "web_search_tool_result",
    "llm.output_messages.0.message.contents.2.message_content.text": '{"type": "web_search_tool_result", "n": 0}',
    "llm.output_messages.0.message.contents.3.message_content.type": "fallback",
    "llm.output_messages.0.message.contents.3.message_content.text": "opus -> sonnet",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "toolu_1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_weather",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city": "Paris"}',
    "llm.token_count.prompt": 40,
    "llm.token_count.prompt_details.cache_read": 30,
    "llm.token_count.prompt_details.cache_write": 5,
    "llm.token_count.completion": 9,
    "llm.token_count.total": 49,
    "llm.finish_reason": "tool_use",
}

OPENINFERENCE_RETRIEVER: dict[str, AttributeValue] = {
    "openinference.span.kind": "RETRIEVER",
    "input.value": "capital of France",
    "retrieval.documents.0.document.id": "7",
    "retrieval.documents.0.document.content": "Paris is the capital.",
    "retrieval.documents.0.document.score": 0.9,
    "retrieval.documents.0.document.metadata": '{"page": 3}',
    "retrieval.documents.1.document.content": "Lyon is not.",
    "metadata": '{"thread": "t-1"}',
    "session.id": "s-1",
    "tag.tags": ("a", "b"),
}

OPENINFERENCE_RERANKER: dict[str, AttributeValue] = {
    "openinference.span.kind": "RERANKER",
    "reranker.query": "capital",
    "reranker.model_name": "rerank-3",
    "reranker.top_k": 1,
    "reranker.input_documents.0.document.content": "Lyon",
    "reranker.input_documents.1.document.content": "Paris",
    "reranker.output_documents.0.document.content": "Paris",
    "reranker.output_documents.0.document.score": 0.99,
}

OPENINFERENCE_EMBEDDING: dict[str, AttributeValue] = {
    "openinference.span.kind": "EMBEDDING",
    "llm.system": "openai",
    "embedding.model_name": "text-embedding-3-small",
    "embedding.invocation_parameters": '{"model": "text-embedding-3-small", "encoding_format": "base64"}',
    "embedding.embeddings.0.embedding.text": "hello",
    "embedding.embeddings.0.embedding.vector": (0.1, 0.2, 0.3),
    "embedding.embeddings.1.embedding.text": "world",
    "embedding.embeddings.1.embedding.vector": (0.1, 0.2, 0.3),
    "llm.token_count.prompt": 3,
    "llm.token_count.total": 3,
}

OPENINFERENCE_TOOL: dict[str, AttributeValue] = {
    "openinference.span.kind": "TOOL",
    "tool.name": "get_weather",
    "tool.description": "Weather of a city",
    "tool.parameters": json.dumps(WEATHER_SCHEMA),
    "input.value": '{"city": "Paris"}',
    "input.mime_type": "application/json",
    "output.value": "20 degrees",
}

OPENINFERENCE_DECISION: dict[str, AttributeValue] = {
    "openinference.span.kind": "DECISION",
    "decision.model_name": "jev-2",
    "decision.request.model_name": "jev-latest",
    "decision.response.model_name": "jev-2",
    "decision.provider": "typesafe",
    "decision.token_count.input": 30,
    "decision.token_count.output": 2,
}

# opentelemetry-instrumentation-genai-openai 1.3: today's GenAI names.
GENAI_CHAT: dict[str, AttributeValue] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "server.address": "api.openai.com",
    "server.port": 443,
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.max_tokens": 50,
    "gen_ai.request.stop_sequences": ("END",),
    "gen_ai.request.seed": 7,
    "gen_ai.response.finish_reasons": ("tool_calls",),
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 64,
    "gen_ai.usage.cache_write.input_tokens": 16,
    "gen_ai.usage.reasoning.output_tokens": 8,
    "gen_ai.usage.audio.input_tokens": 4,
    "gen_ai.system_instructions": '[{"content":"Be brief.","type":"text"}]',
    "gen_ai.input.messages": json.dumps(
        [
            {
                "role": "user",
                "parts": [
                    {"content": "Weather here?", "type": "text"},
                    {"mime_type": "image/png", "modality": "image", "content": PIXEL, "type": "blob"},
                    {"modality": "audio", "uri": "https://example.com/a.mp3", "type": "uri"},
                    {"modality": "document", "file_id": "file-1", "type": "file"},
                ],
                "name": None,
            },
            {
                "role": "assistant",
                "parts": [
                    {"arguments": {"city": "Rome"}, "name": "get_weather", "id": "call_1", "type": "tool_call"},
                    {"content": "Let me look.", "type": "text"},
                ],
                "name": None,
            },
            {"role": "tool", "parts": [{"response": {"temp": 20}, "id": "call_1", "type": "tool_call_response"}]},
        ],
    ),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [
                    {"content": "Paris it is.", "type": "reasoning"},
                    {"arguments": {"city": "Paris"}, "name": "get_weather", "id": "call_2", "type": "tool_call"},
                ],
                "finish_reason": "tool_call",
            },
        ],
    ),
    "gen_ai.tool.definitions": json.dumps(
        [
            {"name": "get_weather", "description": "Weather", "parameters": WEATHER_SCHEMA, "type": "function"},
            {"type": "web_search", "name": "web_search", "max_uses": 3},
        ],
    ),
    "gen_ai.prompt.name": "weather",
    "gen_ai.prompt.version": "2",
    "gen_ai.prompt.variable.city": "Paris",
    "gen_ai.conversation.id": "conv-1",
}

GENAI_TOOL: dict[str, AttributeValue] = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "get_weather",
    "gen_ai.tool.call.id": "call_1",
    "gen_ai.tool.type": "function",
    "gen_ai.tool.description": "Weather of a city",
    "gen_ai.tool.call.arguments": '{"city": "Paris"}',
    "gen_ai.tool.call.result": '{"temp": 20}',
}

GENAI_AGENT: dict[str, AttributeValue] = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.provider.name": "openai",
    "gen_ai.agent.name": "Forecaster",
    "gen_ai.agent.id": "asst_1",
    "gen_ai.agent.description": "Tells the weather",
    "gen_ai.usage.input_tokens": 300,
    "gen_ai.usage.output_tokens": 20,
}

GENAI_RETRIEVAL: dict[str, AttributeValue] = {
    "gen_ai.operation.name": "retrieval",
    "gen_ai.data_source.id": "store-1",
    "gen_ai.retrieval.query.text": "capital of France",
    "gen_ai.retrieval.top_k": 2,
    "gen_ai.retrieval.documents": '[{"id": "7", "score": 0.9, "content": "Paris"}, {"id": "9", "score": 0.1}]',
}

# The GenAI conventions of 2024, before `gen_ai.provider.name` and the JSON messages.
GENAI_OLD: dict[str, AttributeValue] = {
    "gen_ai.system": "openai",
    "gen_ai.operation.name": "text_completion",
    "gen_ai.request.model": "gpt-3.5-turbo-instruct",
    "gen_ai.openai.request.seed": 5,
    "gen_ai.usage.prompt_tokens": 5,
    "gen_ai.usage.completion_tokens": 7,
    "gen_ai.usage.cache_creation.input_tokens": 1,
    "gen_ai.prompt": '[{"role": "user", "content": "Say hi"}]',
    "gen_ai.completion": '[{"role": "assistant", "content": "Hi"}]',
}

# opentelemetry-instrumentation-ollama and -openai 0.3x of OpenLLMetry: indexed prompts, `llm.*`.
OPENLLMETRY_CHAT: dict[str, AttributeValue] = {
    "llm.request.type": "chat",
    "gen_ai.system": "OpenAI",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.request.max_tokens": 50,
    "gen_ai.request.temperature": 0.5,
    "llm.frequency_penalty": 0.1,
    "llm.is_streaming": False,
    "llm.user": "u-1",
    "llm.request.functions.0.name": "get_weather",
    "llm.request.functions.0.description": "Weather of a city",
    "llm.request.functions.0.parameters": json.dumps(WEATHER_SCHEMA),
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be brief.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": json.dumps(
        [
            {"type": "text", "text": "Weather here?"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ],
    ),
    "gen_ai.prompt.2.role": "assistant",
    "gen_ai.prompt.2.tool_calls.0.id": "call_1",
    "gen_ai.prompt.2.tool_calls.0.name": "get_weather",
    "gen_ai.prompt.2.tool_calls.0.arguments": '{"city": "Rome"}',
    "gen_ai.prompt.3.role": "tool",
    "gen_ai.prompt.3.content": "20 degrees",
    "gen_ai.prompt.3.tool_call_id": "call_1",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "20 degrees.",
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.prompt_tokens": 100,
    "gen_ai.usage.completion_tokens": 12,
    "llm.usage.total_tokens": 112,
    "gen_ai.usage.cache_read_input_tokens": 64,
    "traceloop.association.properties.session_id": "s-1",
    "traceloop.association.properties.user_id": "u-9",
    "traceloop.association.properties.plan": "pro",
    "traceloop.workflow.name": "trip",
    "traceloop.prompt.key": "weather",
    "traceloop.prompt.version": 3,
    "traceloop.prompt.template": "Weather in {city}?",
    "traceloop.prompt.template_variables.city": "Paris",
}

# Decorators of the Traceloop SDK.
OPENLLMETRY_WORKFLOW: dict[str, AttributeValue] = {
    "traceloop.span.kind": "workflow",
    "traceloop.entity.name": "trip",
    "traceloop.workflow.name": "trip",
    "traceloop.entity.input": '{"args": ["Paris"], "kwargs": {}}',
    "traceloop.entity.output": '"done"',
}

OPENLLMETRY_TASK: dict[str, AttributeValue] = {
    "traceloop.span.kind": "task",
    "traceloop.entity.name": "collect",
    "traceloop.entity.path": "collect",
    "traceloop.workflow.name": "trip",
}

# A span of a web framework inside a session: no operation, whatever rides along.
PLAIN_HTTP: dict[str, AttributeValue] = {
    "http.request.method": "GET",
    "url.full": "https://example.com/",
    "server.address": "example.com",
    "http.response.status_code": 200,
    "session.id": "s-1",
    "user.id": "u-1",
    "gen_ai.conversation.id": "s-1",
    "gen_ai.agent.id": "asst_1",
    "gen_ai.agent.name": "Forecaster",
    "agent.id": "a-1",
    "aot.session_id": "s-1",
    "traceloop.workflow.name": "trip",
    "traceloop.entity.path": "collect",
    "traceloop.association.properties.session_id": "s-1",
    "metadata": "{}",
    "gen_ai.prompt.name": "weather",
}

ALL = {
    name: sample
    for name, sample in list(globals().items())
    if name.isupper() and isinstance(sample, dict) and name not in {"ALL", "WEATHER_SCHEMA"}
}
"""Every sample by its name."""

OPERATIONS = {name: sample for name, sample in ALL.items() if sample is not PLAIN_HTTP}
"""The samples that are operations."""
