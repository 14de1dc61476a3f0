"""Names of every attribute that aotel defines or maps.

Generated from `semconv/registry`: change it there, then run `make semconv`.
"""
# ruff: noqa: S105  (names with "token" in them are no passwords)

from __future__ import annotations

from typing import Final

AOT_OPERATION: Final = "aot.operation"
"""Operation tag: one of the operations, or a tag of the user's own."""
AOT_KIND: Final = "aot.kind"
"""AOT kind of the envelope that closed the operation; on a log record, of that record's envelope."""
AOT_SESSION_ID: Final = "aot.session_id"
"""Session id as in the envelopes."""
AOT_RUN_ID: Final = "aot.run_id"
"""Run id as in the envelopes."""
AOT_CAPTURE_CONTENT: Final = "aot.capture.content"
"""Content mode under which the span was recorded."""
AOT_OUTCOME: Final = "aot.outcome"
"""How an operation ended that neither returned nor failed."""
AOT_ATTRIBUTES: Final = "aot.attributes"
"""Keyword attributes of a `step` or `stream`: `aot.attributes.<name>`."""
AOT_RESULT: Final = "aot.result"
"""Result given to `set_result` on a span that aotel did not make, as JSON."""
AOT_DATA: Final = "aot.data"
"""Data of a `tie` on its span event, as JSON."""
AOT_STREAM_COUNT: Final = "aot.stream.count"
"""Events of the stream."""
AOT_STREAM_BYTES: Final = "aot.stream.bytes"
"""Bytes of the events' data."""
AOT_STREAM_TIME_TO_FIRST_EVENT_MS: Final = "aot.stream.time_to_first_event_ms"
"""Milliseconds from the start to the first event."""
AOT_STREAM_GAP_P50_MS: Final = "aot.stream.gap.p50_ms"
"""Median of the milliseconds between two events."""
AOT_STREAM_GAP_P95_MS: Final = "aot.stream.gap.p95_ms"
"""95th percentile of the milliseconds between two events."""
AOT_STREAM_GAP_MAX_MS: Final = "aot.stream.gap.max_ms"
"""Longest wait between two events, in milliseconds."""
AOT_ERROR_CATEGORY: Final = "aot.error.category"
"""What kind of trouble a call of a model met, in words that are the same for every SDK."""
AOT_ERROR_RETRY_AFTER_S: Final = "aot.error.retry_after_s"
"""Seconds that the server asks to wait before the next attempt."""
AOT_REQUEST_ID: Final = "aot.request_id"
"""Id that the provider gave the HTTP request, for its support."""
AOT_RESPONSE_REFUSED: Final = "aot.response.refused"
"""Why a model call that succeeded brought no answer."""
AOT_RESPONSE_SERVICE_TIER: Final = "aot.response.service_tier"
"""Service tier that answered, where GenAI has no name for it."""
ENVPOD_POD_ID: Final = "envpod.pod_id"
"""Pod that the process runs in."""
ENVPOD_PID: Final = "envpod.pid"
"""Process id, as the process sees it."""
ENVPOD_CLAIM_KIND: Final = "envpod.claim_kind"
"""Whether the process has claimed an agent identity."""
ENVPOD_AGENT_CLAIM_ID: Final = "envpod.agent_claim_id"
"""Id of the claim."""
ENVPOD_ANONYMOUS_PID: Final = "envpod.anonymous.pid"
"""Process id of an unclaimed caller, by the kernel's word."""
ENVPOD_ANONYMOUS_UID: Final = "envpod.anonymous.uid"
"""User id of an unclaimed caller, by the kernel's word."""
ENVPOD_ANONYMOUS_SESSION: Final = "envpod.anonymous.session"
"""Session of an unclaimed caller."""
ENVPOD_ANONYMOUS_FINGERPRINT: Final = "envpod.anonymous.fingerprint"
"""Pid, uid and session of an unclaimed caller in one string."""
AGENT_ID: Final = "agent.id"
"""Id of the agent."""
AGENT_ROLE: Final = "agent.role"
"""Role of the agent."""
AGENT_RUN_ID: Final = "agent.run.id"
"""Run that the span belongs to."""
AGENT_RUN_NAME: Final = "agent.run.name"
"""Name of the run."""
AGENT_RUN_GIT_COMMIT: Final = "agent.run.git_commit"
"""Commit of the source, when it lies in a git work tree."""
AGENT_RUN_SOURCE_FILE: Final = "agent.run.source_file"
"""File that the entry point is defined in."""
AGENT_RUN_SOURCE_SHA256: Final = "agent.run.source_sha256"
"""SHA-256 of that file, in hex."""
AGENT_RUN_DISTRIBUTIONS: Final = "agent.run.distributions"
"""Installed distributions, as `name==version`, sorted."""
AGENT_RUN_DISTRIBUTIONS_SHA256: Final = "agent.run.distributions_sha256"
"""SHA-256 of that list, one a line, in hex."""
GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
"""What the span does."""
GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"
"""Who serves the model, as far as the client can tell."""
GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
"""Model that the request names."""
GEN_AI_REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
"""How many completions were asked for."""
GEN_AI_REQUEST_ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
"""Encodings asked for in an embeddings request."""
GEN_AI_REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
"""Frequency penalty of the request."""
GEN_AI_REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
"""Upper bound of tokens to generate."""
GEN_AI_REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
"""Presence penalty of the request."""
GEN_AI_REQUEST_SEED: Final = "gen_ai.request.seed"
"""Seed of the request."""
GEN_AI_REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
"""Sequences at which the model stops."""
GEN_AI_REQUEST_STREAM: Final = "gen_ai.request.stream"
"""Whether the answer was asked for as a stream."""
GEN_AI_REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
"""Sampling temperature of the request."""
GEN_AI_REQUEST_TOP_K: Final = "gen_ai.request.top_k"
"""Top-k setting of the request."""
GEN_AI_REQUEST_TOP_P: Final = "gen_ai.request.top_p"
"""Top-p setting of the request."""
GEN_AI_RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
"""Why the model stopped, one entry a choice."""
GEN_AI_RESPONSE_ID: Final = "gen_ai.response.id"
"""Id that the provider gave the answer."""
GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
"""Model that answered."""
GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
"""Seconds from sending the request to the first chunk of a streamed answer."""
GEN_AI_USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""Tokens of the input, cached ones included."""
GEN_AI_USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
"""Tokens of the output, reasoning included."""
GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
"""Input tokens that came out of the provider's cache."""
GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
"""Input tokens that went into the provider's cache."""
GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
"""Input tokens that went into the provider's cache, by its newest name."""
GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
"""Output tokens spent on reasoning."""
GEN_AI_USAGE_AUDIO_INPUT_TOKENS: Final = "gen_ai.usage.audio.input_tokens"
"""Input tokens that the provider counted as audio."""
GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: Final = "gen_ai.usage.audio.output_tokens"
"""Output tokens that the provider counted as audio."""
GEN_AI_USAGE_IMAGE_INPUT_TOKENS: Final = "gen_ai.usage.image.input_tokens"
"""Input tokens that the provider counted as images."""
GEN_AI_USAGE_TEXT_INPUT_TOKENS: Final = "gen_ai.usage.text.input_tokens"
"""Input tokens that the provider counted as text."""
GEN_AI_USAGE_TEXT_OUTPUT_TOKENS: Final = "gen_ai.usage.text.output_tokens"
"""Output tokens that the provider counted as text."""
GEN_AI_USAGE_VIDEO_INPUT_TOKENS: Final = "gen_ai.usage.video.input_tokens"
"""Input tokens that the provider counted as video."""
OPENAI_API_TYPE: Final = "openai.api.type"
"""Which API of OpenAI's was called; `completions` is ours."""
OPENAI_REQUEST_SERVICE_TIER: Final = "openai.request.service_tier"
"""Service tier asked for."""
OPENAI_RESPONSE_SERVICE_TIER: Final = "openai.response.service_tier"
"""Service tier that answered."""
OPENAI_RESPONSE_SYSTEM_FINGERPRINT: Final = "openai.response.system_fingerprint"
"""Configuration of the backend that answered."""
GEN_AI_TOKEN_TYPE: Final = "gen_ai.token.type"
"""Which tokens a measurement counts."""
GEN_AI_OUTPUT_TYPE: Final = "gen_ai.output.type"
"""Kind of output the client asked for."""
GEN_AI_INPUT_MESSAGES: Final = "gen_ai.input.messages"
"""Messages sent to the model, in order."""
GEN_AI_OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
"""Messages that came back, one a choice."""
GEN_AI_SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
"""Instructions given to the model apart from the messages."""
GEN_AI_TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
"""Tools that the model or agent may call."""
GEN_AI_TOOL_NAME: Final = "gen_ai.tool.name"
"""Name of the tool."""
GEN_AI_TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
"""What the tool says of itself."""
GEN_AI_TOOL_TYPE: Final = "gen_ai.tool.type"
"""Where the tool runs."""
GEN_AI_TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
"""Id of the call, given by the model."""
GEN_AI_TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
"""Arguments of the tool call."""
GEN_AI_TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"
"""Result of the tool call."""
GEN_AI_RETRIEVAL_QUERY_TEXT: Final = "gen_ai.retrieval.query.text"
"""Text searched for."""
GEN_AI_RETRIEVAL_TOP_K: Final = "gen_ai.retrieval.top_k"
"""How many documents were asked for."""
GEN_AI_RETRIEVAL_DOCUMENTS: Final = "gen_ai.retrieval.documents"
"""Documents found, each with id and score."""
GEN_AI_EMBEDDINGS_DIMENSION_COUNT: Final = "gen_ai.embeddings.dimension.count"
"""Dimensions of the vectors asked for."""
GEN_AI_DATA_SOURCE_ID: Final = "gen_ai.data_source.id"
"""Id of the data source that grounds the answer."""
GEN_AI_MEMORY_QUERY_TEXT: Final = "gen_ai.memory.query.text"
"""Text searched for in a memory."""
GEN_AI_MEMORY_RECORDS: Final = "gen_ai.memory.records"
"""Memory records stored or found."""
GEN_AI_MEMORY_RECORD_ID: Final = "gen_ai.memory.record.id"
"""Id of a memory record."""
GEN_AI_MEMORY_RECORD_COUNT: Final = "gen_ai.memory.record.count"
"""Number of memory records of the operation."""
GEN_AI_MEMORY_STORE_ID: Final = "gen_ai.memory.store.id"
"""Id of the memory store."""
GEN_AI_CONVERSATION_ID: Final = "gen_ai.conversation.id"
"""Id of the conversation (session, thread)."""
GEN_AI_AGENT_ID: Final = "gen_ai.agent.id"
"""Id of the agent."""
GEN_AI_AGENT_NAME: Final = "gen_ai.agent.name"
"""Name of the agent for people."""
GEN_AI_AGENT_DESCRIPTION: Final = "gen_ai.agent.description"
"""What the agent is for."""
GEN_AI_AGENT_VERSION: Final = "gen_ai.agent.version"
"""Version of the agent."""
GEN_AI_WORKFLOW_NAME: Final = "gen_ai.workflow.name"
"""Name of the workflow; few distinct values."""
GEN_AI_PROMPT_NAME: Final = "gen_ai.prompt.name"
"""Name of a managed prompt."""
GEN_AI_PROMPT_VERSION: Final = "gen_ai.prompt.version"
"""Version of a managed prompt."""
GEN_AI_PROMPT_VARIABLE: Final = "gen_ai.prompt.variable"
"""What was filled into a managed prompt, by the variable's name."""
GEN_AI_EVALUATION_NAME: Final = "gen_ai.evaluation.name"
"""Name of the evaluation metric."""
GEN_AI_EVALUATION_SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
"""Score the evaluator gave."""
GEN_AI_EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
"""The score in a word."""
GEN_AI_EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
"""Why the evaluator gave that score."""
GEN_AI_SYSTEM: Final = "gen_ai.system"
"""Provider of the model. Deprecated: gen_ai.provider.name."""
GEN_AI_USAGE_PROMPT_TOKENS: Final = "gen_ai.usage.prompt_tokens"
"""Tokens of the prompt. Deprecated: gen_ai.usage.input_tokens."""
GEN_AI_USAGE_COMPLETION_TOKENS: Final = "gen_ai.usage.completion_tokens"
"""Tokens of the completion. Deprecated: gen_ai.usage.output_tokens."""
GEN_AI_PROMPT: Final = "gen_ai.prompt"
"""The prompt: one JSON string, or indexed entries `gen_ai.prompt.N.*`. Deprecated: gen_ai.input.messages."""
GEN_AI_COMPLETION: Final = "gen_ai.completion"
"""The completion: one JSON string, or indexed entries `gen_ai.completion.N.*`. Deprecated: gen_ai.output.messages."""
GEN_AI_EVENT_CONTENT: Final = "gen_ai.event.content"
"""Body of a message event. Deprecated: gen_ai.input.messages."""
GEN_AI_OPENAI_REQUEST_SEED: Final = "gen_ai.openai.request.seed"
"""Seed of the request. Deprecated: gen_ai.request.seed."""
GEN_AI_OPENAI_REQUEST_RESPONSE_FORMAT: Final = "gen_ai.openai.request.response_format"
"""Format asked for. Deprecated: gen_ai.output.type."""
LANGFUSE_OBSERVATION_INPUT: Final = "langfuse.observation.input"
"""What went in, as JSON."""
LANGFUSE_OBSERVATION_OUTPUT: Final = "langfuse.observation.output"
"""What came out, as JSON."""
LANGFUSE_OBSERVATION_METADATA: Final = "langfuse.observation.metadata"
"""Data that the user attached: `langfuse.observation.metadata.<name>`."""
LANGFUSE_OBSERVATION_STATUS_MESSAGE: Final = "langfuse.observation.status_message"
"""What is said of the outcome, of an error for instance."""
LANGFUSE_EXPERIMENT_ITEM_EXPECTED_OUTPUT: Final = "langfuse.experiment.item.expected_output"
"""What a row of a dataset expects, as JSON."""
LOGFIRE_MSG: Final = "logfire.msg"
"""A sentence for a person, with the arguments of the span in it."""
MCP_METHOD_NAME: Final = "mcp.method.name"
"""Method of an MCP message."""
MCP_SESSION_ID: Final = "mcp.session.id"
"""Session that the server gave the client, over HTTP."""
MCP_PROTOCOL_VERSION: Final = "mcp.protocol.version"
"""Version of the protocol that both sides agreed on."""
MCP_RESOURCE_URI: Final = "mcp.resource.uri"
"""Resource that is read or subscribed to."""
JSONRPC_REQUEST_ID: Final = "jsonrpc.request.id"
"""Id of the request within its connection."""
RPC_RESPONSE_STATUS_CODE: Final = "rpc.response.status_code"
"""JSON-RPC code of the error that was answered."""
NETWORK_TRANSPORT: Final = "network.transport"
"""How the other side is reached."""
NETWORK_PROTOCOL_NAME: Final = "network.protocol.name"
"""Protocol under MCP, where there is one."""
MCP_TRANSPORT: Final = "mcp.transport"
"""Transport of the session."""
MCP_SERVER_NAME: Final = "mcp.server.name"
"""Name that the server gives itself."""
MCP_SERVER_VERSION: Final = "mcp.server.version"
"""Version that the server gives itself."""
OTEL_COMPONENT_NAME: Final = "otel.component.name"
"""The exporter by the name that `aotel.status()` has for it, or `envelopes` for the queue."""
OTEL_COMPONENT_TYPE: Final = "otel.component.type"
"""Class of the component."""
AOT_PHASE: Final = "aot.phase"
"""Which part of an operation an envelope tells of."""
OPENINFERENCE_SPAN_KIND: Final = "openinference.span.kind"
"""What the span is; without it a backend shows UNKNOWN."""
OPENINFERENCE_PROJECT_NAME: Final = "openinference.project.name"
"""Resource attribute: project of the trace."""
INPUT_VALUE: Final = "input.value"
"""What a person wants to read of the input."""
INPUT_MIME_TYPE: Final = "input.mime_type"
"""How to read `input.value`."""
OUTPUT_VALUE: Final = "output.value"
"""What a person wants to read of the output."""
OUTPUT_MIME_TYPE: Final = "output.mime_type"
"""How to read `output.value`."""
INPUT_IMAGES: Final = "input.images"
"""Images of the input."""
OUTPUT_IMAGES: Final = "output.images"
"""Images of the output."""
INPUT_DOCUMENTS: Final = "input.documents"
"""Documents of the input."""
OUTPUT_DOCUMENTS: Final = "output.documents"
"""Documents of the output."""
LLM_MODEL_NAME: Final = "llm.model_name"
"""Model used; backends price a call by it."""
LLM_REQUEST_MODEL_NAME: Final = "llm.request.model_name"
"""Model that the request named."""
LLM_RESPONSE_MODEL_NAME: Final = "llm.response.model_name"
"""Model that answered."""
LLM_PROVIDER: Final = "llm.provider"
"""Who hosts the model."""
LLM_SYSTEM: Final = "llm.system"
"""Whose API it is."""
LLM_INVOCATION_PARAMETERS: Final = "llm.invocation_parameters"
"""Parameters of the request as JSON; may hold what the caller sent."""
LLM_INPUT_MESSAGES: Final = "llm.input_messages"
"""Messages sent to the model."""
LLM_OUTPUT_MESSAGES: Final = "llm.output_messages"
"""Messages that came back."""
LLM_PROMPTS: Final = "llm.prompts"
"""Prompts of a completions request."""
LLM_CHOICES: Final = "llm.choices"
"""Choices of a completions answer."""
LLM_TOOLS: Final = "llm.tools"
"""Tools the model may call."""
LLM_FUNCTION_CALL: Final = "llm.function_call"
"""Function call of the old function API, as JSON."""
LLM_FINISH_REASON: Final = "llm.finish_reason"
"""Why the model stopped."""
LLM_PROMPT_TEMPLATE_TEMPLATE: Final = "llm.prompt_template.template"
"""Template of the prompt."""
LLM_PROMPT_TEMPLATE_VARIABLES: Final = "llm.prompt_template.variables"
"""Variables of the template, as JSON."""
LLM_PROMPT_TEMPLATE_VERSION: Final = "llm.prompt_template.version"
"""Version of the template."""
LLM_TOKEN_COUNT_PROMPT: Final = "llm.token_count.prompt"
"""Tokens of the prompt, cached ones included."""
LLM_TOKEN_COUNT_COMPLETION: Final = "llm.token_count.completion"
"""Tokens of the completion."""
LLM_TOKEN_COUNT_TOTAL: Final = "llm.token_count.total"
"""Tokens of prompt and completion."""
LLM_TOKEN_COUNT_PROMPT_DETAILS: Final = "llm.token_count.prompt_details"
"""Parts of the prompt's tokens."""
LLM_TOKEN_COUNT_PROMPT_DETAILS_AUDIO: Final = "llm.token_count.prompt_details.audio"
"""Audio tokens of the prompt."""
LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_INPUT: Final = "llm.token_count.prompt_details.cache_input"
"""Cached tokens of the prompt."""
LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ: Final = "llm.token_count.prompt_details.cache_read"
"""Prompt tokens read from the cache."""
LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE: Final = "llm.token_count.prompt_details.cache_write"
"""Prompt tokens written to the cache."""
LLM_TOKEN_COUNT_COMPLETION_DETAILS_AUDIO: Final = "llm.token_count.completion_details.audio"
"""Audio tokens of the completion."""
LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING: Final = "llm.token_count.completion_details.reasoning"
"""Reasoning tokens of the completion."""
LLM_COST_PROMPT: Final = "llm.cost.prompt"
"""Cost of the prompt in USD."""
LLM_COST_COMPLETION: Final = "llm.cost.completion"
"""Cost of the completion in USD."""
LLM_COST_TOTAL: Final = "llm.cost.total"
"""Cost of the call in USD."""
LLM_COST_PROMPT_DETAILS: Final = "llm.cost.prompt_details"
"""Parts of the prompt's cost in USD."""
LLM_COST_PROMPT_DETAILS_AUDIO: Final = "llm.cost.prompt_details.audio"
"""Cost of audio in the prompt, in USD."""
LLM_COST_PROMPT_DETAILS_CACHE_INPUT: Final = "llm.cost.prompt_details.cache_input"
"""Cost of cached prompt tokens, in USD."""
LLM_COST_PROMPT_DETAILS_CACHE_READ: Final = "llm.cost.prompt_details.cache_read"
"""Cost of reading the cache, in USD."""
LLM_COST_PROMPT_DETAILS_CACHE_WRITE: Final = "llm.cost.prompt_details.cache_write"
"""Cost of writing the cache, in USD."""
LLM_COST_PROMPT_DETAILS_INPUT: Final = "llm.cost.prompt_details.input"
"""Cost of plain input tokens, in USD."""
LLM_COST_COMPLETION_DETAILS: Final = "llm.cost.completion_details"
"""Parts of the completion's cost in USD."""
LLM_COST_COMPLETION_DETAILS_AUDIO: Final = "llm.cost.completion_details.audio"
"""Cost of audio in the completion, in USD."""
LLM_COST_COMPLETION_DETAILS_OUTPUT: Final = "llm.cost.completion_details.output"
"""Cost of plain output tokens, in USD."""
LLM_COST_COMPLETION_DETAILS_REASONING: Final = "llm.cost.completion_details.reasoning"
"""Cost of reasoning tokens, in USD."""
DECISION_MODEL_NAME: Final = "decision.model_name"
"""Decision model used."""
DECISION_REQUEST_MODEL_NAME: Final = "decision.request.model_name"
"""Decision model that the request named."""
DECISION_RESPONSE_MODEL_NAME: Final = "decision.response.model_name"
"""Decision model that answered."""
DECISION_PROVIDER: Final = "decision.provider"
"""Who hosts the decision model."""
DECISION_SYSTEM: Final = "decision.system"
"""Whose decision API it is."""
DECISION_TOKEN_COUNT_INPUT: Final = "decision.token_count.input"
"""Input tokens of the decision."""
DECISION_TOKEN_COUNT_OUTPUT: Final = "decision.token_count.output"
"""Output tokens of the decision."""
TOOL_NAME: Final = "tool.name"
"""Name of the tool."""
TOOL_DESCRIPTION: Final = "tool.description"
"""What the tool says of itself."""
TOOL_PARAMETERS: Final = "tool.parameters"
"""Arguments of the tool, as JSON."""
TOOL_ID: Final = "tool.id"
"""Id of the tool call that this result belongs to."""
RETRIEVAL_DOCUMENTS: Final = "retrieval.documents"
"""Documents found."""
RERANKER_INPUT_DOCUMENTS: Final = "reranker.input_documents"
"""Documents given to the reranker."""
RERANKER_OUTPUT_DOCUMENTS: Final = "reranker.output_documents"
"""Documents in their new order."""
RERANKER_QUERY: Final = "reranker.query"
"""What the documents were ranked by."""
RERANKER_MODEL_NAME: Final = "reranker.model_name"
"""Model of the reranker."""
RERANKER_TOP_K: Final = "reranker.top_k"
"""How many documents to keep."""
EMBEDDING_MODEL_NAME: Final = "embedding.model_name"
"""Model of the embedding."""
EMBEDDING_EMBEDDINGS: Final = "embedding.embeddings"
"""Texts and their vectors."""
EMBEDDING_INVOCATION_PARAMETERS: Final = "embedding.invocation_parameters"
"""Parameters of the embedding request, as JSON."""
METADATA: Final = "metadata"
"""Data that the user attached, as JSON."""
TAG_TAGS: Final = "tag.tags"
"""Labels of the span."""
AGENT_NAME: Final = "agent.name"
"""Name of the agent."""
GRAPH_NODE_ID: Final = "graph.node.id"
"""Id of the node in the graph of the agent."""
GRAPH_NODE_NAME: Final = "graph.node.name"
"""Name of that node for people."""
GRAPH_NODE_PARENT_ID: Final = "graph.node.parent_id"
"""Id of the node above."""
PROMPT_ID: Final = "prompt.id"
"""Id of a managed prompt."""
PROMPT_URL: Final = "prompt.url"
"""Where to see the managed prompt."""
PROMPT_VENDOR: Final = "prompt.vendor"
"""Who manages the prompt."""
ANNOTATIONS: Final = "annotations"
"""Feedback on the span."""
EVALUATIONS: Final = "evaluations"
"""Evaluations of the span."""
TRACE_ANNOTATIONS: Final = "trace.annotations"
"""Feedback on the trace."""
TRACE_EVALUATIONS: Final = "trace.evaluations"
"""Evaluations of the trace."""
SESSION_ANNOTATIONS: Final = "session.annotations"
"""Feedback on the session."""
SESSION_EVALUATIONS: Final = "session.evaluations"
"""Evaluations of the session."""
MESSAGE_ROLE: Final = "message.role"
"""Who speaks."""
MESSAGE_CONTENT: Final = "message.content"
"""The text, when there is nothing but text."""
MESSAGE_CONTENTS: Final = "message.contents"
"""The parts, when there is more than text."""
MESSAGE_NAME: Final = "message.name"
"""Name of the function that a message of role `function` comes from."""
MESSAGE_TOOL_CALLS: Final = "message.tool_calls"
"""Tool calls that the model asked for."""
MESSAGE_TOOL_CALL_ID: Final = "message.tool_call_id"
"""Tool call that this message answers."""
MESSAGE_FUNCTION_CALL_NAME: Final = "message.function_call_name"
"""Function called, in the old function API."""
MESSAGE_FUNCTION_CALL_ARGUMENTS_JSON: Final = "message.function_call_arguments_json"
"""Arguments of that function, as JSON."""
MESSAGE_CONTENT_TYPE: Final = "message_content.type"
"""What the part is."""
MESSAGE_CONTENT_TEXT: Final = "message_content.text"
"""Text or reasoning."""
MESSAGE_CONTENT_IMAGE: Final = "message_content.image"
"""Image, as `message_content.image.image.url`."""
MESSAGE_CONTENT_AUDIO: Final = "message_content.audio"
"""Audio, as `message_content.audio.audio.url`."""
MESSAGE_CONTENT_VIDEO: Final = "message_content.video"
"""Video, as `message_content.video.video.url`."""
MESSAGE_CONTENT_DOCUMENT: Final = "message_content.document"
"""Document, as `message_content.document.document.url`."""
MESSAGE_CONTENT_ID: Final = "message_content.id"
"""Id that the provider gave the part."""
MESSAGE_CONTENT_SIGNATURE: Final = "message_content.signature"
"""Vendor's signature of the part, opaque."""
MESSAGE_CONTENT_DATA: Final = "message_content.data"
"""Vendor's data of the part, opaque."""
MESSAGE_CONTENT_ENCRYPTED_CONTENT: Final = "message_content.encrypted_content"
"""Encrypted reasoning, opaque."""
TOOL_CALL_ID: Final = "tool_call.id"
"""Id of the call."""
TOOL_CALL_FUNCTION_NAME: Final = "tool_call.function.name"
"""Name of the tool."""
TOOL_CALL_FUNCTION_ARGUMENTS: Final = "tool_call.function.arguments"
"""Arguments, as JSON."""
TOOL_CALL_REASONING_SIGNATURE: Final = "tool_call.reasoning_signature"
"""Vendor's token that ties the call to its reasoning, opaque."""
TOOL_JSON_SCHEMA: Final = "tool.json_schema"
"""Definition of the tool, as JSON."""
DOCUMENT_ID: Final = "document.id"
"""Id of the document."""
DOCUMENT_SCORE: Final = "document.score"
"""Score of the document."""
DOCUMENT_CONTENT: Final = "document.content"
"""Text of the document."""
DOCUMENT_METADATA: Final = "document.metadata"
"""Data about the document, as JSON."""
DOCUMENT_URL: Final = "document.url"
"""Where the document is, or the document itself as a data URI."""
DOCUMENT_MIME_TYPE: Final = "document.mime_type"
"""Type of the document."""
DOCUMENT_NAME: Final = "document.name"
"""File name or title."""
IMAGE_URL: Final = "image.url"
"""Where the image is, or the image itself as a data URI."""
AUDIO_URL: Final = "audio.url"
"""Where the audio is."""
AUDIO_MIME_TYPE: Final = "audio.mime_type"
"""Type of the audio."""
AUDIO_TRANSCRIPT: Final = "audio.transcript"
"""What is said."""
VIDEO_URL: Final = "video.url"
"""Where the video is."""
EMBEDDING_TEXT: Final = "embedding.text"
"""The text."""
EMBEDDING_VECTOR: Final = "embedding.vector"
"""The vector."""
PROMPT_TEXT: Final = "prompt.text"
"""The prompt."""
COMPLETION_TEXT: Final = "completion.text"
"""The text."""
ANNOTATION_NAME: Final = "annotation.name"
"""What is judged."""
ANNOTATION_SCORE: Final = "annotation.score"
"""Score."""
ANNOTATION_LABEL: Final = "annotation.label"
"""The score in a word."""
ANNOTATION_EXPLANATION: Final = "annotation.explanation"
"""Why."""
ANNOTATION_ANNOTATOR_KIND: Final = "annotation.annotator_kind"
"""Who judges."""
ANNOTATION_IDENTIFIER: Final = "annotation.identifier"
"""Id of the result."""
ANNOTATION_METADATA: Final = "annotation.metadata"
"""Further data, as JSON."""
EVALUATION_NAME: Final = "evaluation.name"
"""What is judged."""
EVALUATION_SCORE: Final = "evaluation.score"
"""Score."""
EVALUATION_LABEL: Final = "evaluation.label"
"""The score in a word."""
EVALUATION_EXPLANATION: Final = "evaluation.explanation"
"""Why."""
EVALUATION_ANNOTATOR_KIND: Final = "evaluation.annotator_kind"
"""Who judges."""
EVALUATION_IDENTIFIER: Final = "evaluation.identifier"
"""Id of the result."""
EVALUATION_METADATA: Final = "evaluation.metadata"
"""Further data, as JSON."""
TRACELOOP_SPAN_KIND: Final = "traceloop.span.kind"
"""What the span is."""
TRACELOOP_WORKFLOW_NAME: Final = "traceloop.workflow.name"
"""Workflow the span belongs to."""
TRACELOOP_ENTITY_NAME: Final = "traceloop.entity.name"
"""Name of the workflow, task, agent or tool."""
TRACELOOP_ENTITY_PATH: Final = "traceloop.entity.path"
"""Names of the entities above, joined by dots."""
TRACELOOP_ENTITY_VERSION: Final = "traceloop.entity.version"
"""Version of the entity."""
TRACELOOP_ENTITY_INPUT: Final = "traceloop.entity.input"
"""Input of the entity, as JSON."""
TRACELOOP_ENTITY_OUTPUT: Final = "traceloop.entity.output"
"""Output of the entity, as JSON."""
TRACELOOP_ASSOCIATION_PROPERTIES: Final = "traceloop.association.properties"
"""Data that the user attached to the trace."""
TRACELOOP_ASSOCIATION_PROPERTIES_SESSION_ID: Final = "traceloop.association.properties.session_id"
"""Session that the trace belongs to."""
TRACELOOP_ASSOCIATION_PROPERTIES_USER_ID: Final = "traceloop.association.properties.user_id"
"""User that the trace belongs to."""
TRACELOOP_CORRELATION_ID: Final = "traceloop.correlation.id"
"""Correlation id. Deprecated: traceloop.association.properties."""
TRACELOOP_PROMPT_MANAGED: Final = "traceloop.prompt.managed"
"""Whether the prompt is a managed one."""
TRACELOOP_PROMPT_KEY: Final = "traceloop.prompt.key"
"""Key of the managed prompt."""
TRACELOOP_PROMPT_VERSION: Final = "traceloop.prompt.version"
"""Version of the managed prompt."""
TRACELOOP_PROMPT_VERSION_NAME: Final = "traceloop.prompt.version_name"
"""Name of that version."""
TRACELOOP_PROMPT_VERSION_HASH: Final = "traceloop.prompt.version_hash"
"""Hash of that version."""
TRACELOOP_PROMPT_TEMPLATE: Final = "traceloop.prompt.template"
"""Template of the prompt."""
TRACELOOP_PROMPT_TEMPLATE_VARIABLES: Final = "traceloop.prompt.template_variables"
"""Variables of the template, by name."""
LLM_REQUEST_TYPE: Final = "llm.request.type"
"""What kind of request it is."""
LLM_REQUEST_FUNCTIONS: Final = "llm.request.functions"
"""Tools the model may call: `llm.request.functions.N.name`, …"""
LLM_USAGE_TOTAL_TOKENS: Final = "llm.usage.total_tokens"
"""Tokens of prompt and completion."""
LLM_USAGE_REASONING_TOKENS: Final = "llm.usage.reasoning_tokens"
"""Output tokens spent on reasoning."""
LLM_USAGE_TOKEN_TYPE: Final = "llm.usage.token_type"
"""Which tokens a measurement counts."""
LLM_USER: Final = "llm.user"
"""End user that the request names."""
LLM_HEADERS: Final = "llm.headers"
"""Headers of the request."""
LLM_TOP_K: Final = "llm.top_k"
"""Top-k setting of the request."""
LLM_IS_STREAMING: Final = "llm.is_streaming"
"""Whether the answer was asked for as a stream."""
LLM_FREQUENCY_PENALTY: Final = "llm.frequency_penalty"
"""Frequency penalty of the request."""
LLM_PRESENCE_PENALTY: Final = "llm.presence_penalty"
"""Presence penalty of the request."""
LLM_CHAT_STOP_SEQUENCES: Final = "llm.chat.stop_sequences"
"""Sequences at which the model stops."""
LLM_REQUEST_REPETITION_PENALTY: Final = "llm.request.repetition_penalty"
"""Repetition penalty of the request."""
LLM_REQUEST_REASONING_EFFORT: Final = "llm.request.reasoning_effort"
"""Reasoning effort asked for."""
LLM_RESPONSE_FINISH_REASON: Final = "llm.response.finish_reason"
"""Why the model stopped."""
LLM_RESPONSE_STOP_REASON: Final = "llm.response.stop_reason"
"""Why the model stopped, in the vendor's words."""
GEN_AI_USAGE_TOTAL_TOKENS: Final = "gen_ai.usage.total_tokens"
"""Tokens of prompt and completion."""
GEN_AI_USAGE_REASONING_TOKENS: Final = "gen_ai.usage.reasoning_tokens"
"""Output tokens spent on reasoning."""
GEN_AI_USAGE_TOKEN_TYPE: Final = "gen_ai.usage.token_type"
"""Which tokens a measurement counts."""
OPENLLMETRY_USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read_input_tokens"
"""Input tokens read from the cache."""
OPENLLMETRY_USAGE_CACHE_CREATION_INPUT_TOKENS: Final = "gen_ai.usage.cache_creation_input_tokens"
"""Input tokens written to the cache."""
GEN_AI_USER: Final = "gen_ai.user"
"""End user that the request names."""
GEN_AI_HEADERS: Final = "gen_ai.headers"
"""Headers of the request."""
GEN_AI_IS_STREAMING: Final = "gen_ai.is_streaming"
"""Whether the answer was asked for as a stream."""
GEN_AI_REQUEST_N: Final = "gen_ai.request.n"
"""How many completions were asked for."""
GEN_AI_REQUEST_MAX_COMPLETION_TOKENS: Final = "gen_ai.request.max_completion_tokens"
"""Upper bound of tokens to generate."""
GEN_AI_REQUEST_REPETITION_PENALTY: Final = "gen_ai.request.repetition_penalty"
"""Repetition penalty of the request."""
GEN_AI_REQUEST_REASONING_EFFORT: Final = "gen_ai.request.reasoning_effort"
"""Reasoning effort asked for."""
GEN_AI_REQUEST_REASONING_SUMMARY: Final = "gen_ai.request.reasoning_summary"
"""How the reasoning is to be summed up."""
GEN_AI_REQUEST_STRUCTURED_OUTPUT_SCHEMA: Final = "gen_ai.request.structured_output_schema"
"""Schema that the answer must have, as JSON."""
GEN_AI_RESPONSE_FINISH_REASON: Final = "gen_ai.response.finish_reason"
"""Why the model stopped."""
GEN_AI_RESPONSE_STOP_REASON: Final = "gen_ai.response.stop_reason"
"""Why the model stopped, in the vendor's words."""
GEN_AI_RESPONSE_REASONING_EFFORT: Final = "gen_ai.response.reasoning_effort"
"""Reasoning effort used."""
GEN_AI_TASK_ID: Final = "gen_ai.task.id"
"""Id of the task."""
GEN_AI_TASK_NAME: Final = "gen_ai.task.name"
"""Name of the task."""
GEN_AI_TASK_PARENT_ID: Final = "gen_ai.task.parent.id"
"""Id of the task above."""
GEN_AI_TASK_KIND: Final = "gen_ai.task.kind"
"""Kind of the task."""
GEN_AI_TASK_STATUS: Final = "gen_ai.task.status"
"""How the task ended."""
GEN_AI_TASK_INPUT: Final = "gen_ai.task.input"
"""Input of the task, as JSON."""
GEN_AI_TASK_OUTPUT: Final = "gen_ai.task.output"
"""Output of the task, as JSON."""
MCP_REQUEST_ID: Final = "mcp.request.id"
"""Id of an MCP request."""
MCP_REQUEST_ARGUMENT: Final = "mcp.request.argument"
"""Arguments of an MCP request, as JSON."""
MCP_RESPONSE_VALUE: Final = "mcp.response.value"
"""Result of an MCP request, as JSON."""
MCP_SESSION_INIT_OPTIONS: Final = "mcp.session.init_options"
"""Options of the MCP session, as JSON."""
PROMPT_ENTRY_ROLE: Final = "role"
"""Who speaks."""
PROMPT_ENTRY_CONTENT: Final = "content"
"""The text, or the parts as JSON."""
PROMPT_ENTRY_TOOL_CALL_ID: Final = "tool_call_id"
"""Tool call that this entry answers."""
PROMPT_ENTRY_TOOL_CALLS: Final = "tool_calls"
"""Tool calls that the model asked for."""
COMPLETION_ENTRY_FINISH_REASON: Final = "finish_reason"
"""Why the model stopped."""
COMPLETION_ENTRY_REASONING: Final = "reasoning"
"""Reasoning that came with the answer."""
TOOL_CALL_ENTRY_ID: Final = "id"
"""Id of the call."""
TOOL_CALL_ENTRY_NAME: Final = "name"
"""Name of the tool."""
TOOL_CALL_ENTRY_ARGUMENTS: Final = "arguments"
"""Arguments, as JSON."""
FUNCTION_ENTRY_DESCRIPTION: Final = "description"
"""What the tool says of itself."""
FUNCTION_ENTRY_PARAMETERS: Final = "parameters"
"""Schema of the arguments, as JSON."""
SESSION_ID: Final = "session.id"
"""Session that the span belongs to."""
SESSION_PREVIOUS_ID: Final = "session.previous_id"
"""Session before this one."""
USER_ID: Final = "user.id"
"""User that the span belongs to."""
ERROR_TYPE: Final = "error.type"
"""Class of the error, or a code; few distinct values."""
ERROR_MESSAGE: Final = "error.message"
"""Text of the error. Deprecated: exception.message."""
EXCEPTION_TYPE: Final = "exception.type"
"""Class of the exception."""
EXCEPTION_MESSAGE: Final = "exception.message"
"""Text of the exception."""
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
"""Stack of the exception, as the language prints it."""
EXCEPTION_ESCAPED: Final = "exception.escaped"
"""Whether the exception left the span. Deprecated: nothing; it is no longer recorded."""
SERVER_ADDRESS: Final = "server.address"
"""Host that was called."""
SERVER_PORT: Final = "server.port"
"""Port that was called."""
HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
"""Status code of the HTTP answer."""
HTTP_REQUEST_RESEND_COUNT: Final = "http.request.resend_count"
"""How often the request was sent again."""
PYDANTIC_AI_ALL_MESSAGES: Final = "pydantic_ai.all_messages"
"""Everything that was said in an agent's run, as JSON in the shape of the GenAI messages."""
ALL_MESSAGES_EVENTS: Final = "all_messages_events"
"""The same, earlier, as the JSON of events."""
FINAL_RESULT: Final = "final_result"
"""What an agent's run brought."""
MODEL_REQUEST_PARAMETERS: Final = "model_request_parameters"
"""Tools, output and instructions of a request, as JSON."""
TOOL_ARGUMENTS: Final = "tool_arguments"
"""Arguments of a tool, earlier."""
TOOL_RESPONSE: Final = "tool_response"
"""What a tool returned, earlier."""

NAMES: Final = frozenset(
    {
        "agent.id",
        "agent.name",
        "agent.role",
        "agent.run.distributions",
        "agent.run.distributions_sha256",
        "agent.run.git_commit",
        "agent.run.id",
        "agent.run.name",
        "agent.run.source_file",
        "agent.run.source_sha256",
        "all_messages_events",
        "annotations",
        "aot.attributes",
        "aot.capture.content",
        "aot.data",
        "aot.error.category",
        "aot.error.retry_after_s",
        "aot.kind",
        "aot.operation",
        "aot.outcome",
        "aot.phase",
        "aot.request_id",
        "aot.response.refused",
        "aot.response.service_tier",
        "aot.result",
        "aot.run_id",
        "aot.session_id",
        "aot.stream.bytes",
        "aot.stream.count",
        "aot.stream.gap.max_ms",
        "aot.stream.gap.p50_ms",
        "aot.stream.gap.p95_ms",
        "aot.stream.time_to_first_event_ms",
        "decision.model_name",
        "decision.provider",
        "decision.request.model_name",
        "decision.response.model_name",
        "decision.system",
        "decision.token_count.input",
        "decision.token_count.output",
        "embedding.embeddings",
        "embedding.invocation_parameters",
        "embedding.model_name",
        "envpod.agent_claim_id",
        "envpod.anonymous.fingerprint",
        "envpod.anonymous.pid",
        "envpod.anonymous.session",
        "envpod.anonymous.uid",
        "envpod.claim_kind",
        "envpod.pid",
        "envpod.pod_id",
        "error.message",
        "error.type",
        "evaluations",
        "exception.escaped",
        "exception.message",
        "exception.stacktrace",
        "exception.type",
        "final_result",
        "gen_ai.agent.description",
        "gen_ai.agent.id",
        "gen_ai.agent.name",
        "gen_ai.agent.version",
        "gen_ai.completion",
        "gen_ai.conversation.id",
        "gen_ai.data_source.id",
        "gen_ai.embeddings.dimension.count",
        "gen_ai.evaluation.explanation",
        "gen_ai.evaluation.name",
        "gen_ai.evaluation.score.label",
        "gen_ai.evaluation.score.value",
        "gen_ai.event.content",
        "gen_ai.headers",
        "gen_ai.input.messages",
        "gen_ai.is_streaming",
        "gen_ai.memory.query.text",
        "gen_ai.memory.record.count",
        "gen_ai.memory.record.id",
        "gen_ai.memory.records",
        "gen_ai.memory.store.id",
        "gen_ai.openai.request.response_format",
        "gen_ai.openai.request.seed",
        "gen_ai.operation.name",
        "gen_ai.output.messages",
        "gen_ai.output.type",
        "gen_ai.prompt",
        "gen_ai.prompt.name",
        "gen_ai.prompt.variable",
        "gen_ai.prompt.version",
        "gen_ai.provider.name",
        "gen_ai.request.choice.count",
        "gen_ai.request.encoding_formats",
        "gen_ai.request.frequency_penalty",
        "gen_ai.request.max_completion_tokens",
        "gen_ai.request.max_tokens",
        "gen_ai.request.model",
        "gen_ai.request.n",
        "gen_ai.request.presence_penalty",
        "gen_ai.request.reasoning_effort",
        "gen_ai.request.reasoning_summary",
        "gen_ai.request.repetition_penalty",
        "gen_ai.request.seed",
        "gen_ai.request.stop_sequences",
        "gen_ai.request.stream",
        "gen_ai.request.structured_output_schema",
        "gen_ai.request.temperature",
        "gen_ai.request.top_k",
        "gen_ai.request.top_p",
        "gen_ai.response.finish_reason",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.response.reasoning_effort",
        "gen_ai.response.stop_reason",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.retrieval.documents",
        "gen_ai.retrieval.query.text",
        "gen_ai.retrieval.top_k",
        "gen_ai.system",
        "gen_ai.system_instructions",
        "gen_ai.task.id",
        "gen_ai.task.input",
        "gen_ai.task.kind",
        "gen_ai.task.name",
        "gen_ai.task.output",
        "gen_ai.task.parent.id",
        "gen_ai.task.status",
        "gen_ai.token.type",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.id",
        "gen_ai.tool.call.result",
        "gen_ai.tool.definitions",
        "gen_ai.tool.description",
        "gen_ai.tool.name",
        "gen_ai.tool.type",
        "gen_ai.usage.audio.input_tokens",
        "gen_ai.usage.audio.output_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.image.input_tokens",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.text.input_tokens",
        "gen_ai.usage.text.output_tokens",
        "gen_ai.usage.token_type",
        "gen_ai.usage.total_tokens",
        "gen_ai.usage.video.input_tokens",
        "gen_ai.user",
        "gen_ai.workflow.name",
        "graph.node.id",
        "graph.node.name",
        "graph.node.parent_id",
        "http.request.resend_count",
        "http.response.status_code",
        "input.documents",
        "input.images",
        "input.mime_type",
        "input.value",
        "jsonrpc.request.id",
        "langfuse.experiment.item.expected_output",
        "langfuse.observation.input",
        "langfuse.observation.metadata",
        "langfuse.observation.output",
        "langfuse.observation.status_message",
        "llm.chat.stop_sequences",
        "llm.choices",
        "llm.cost.completion",
        "llm.cost.completion_details",
        "llm.cost.completion_details.audio",
        "llm.cost.completion_details.output",
        "llm.cost.completion_details.reasoning",
        "llm.cost.prompt",
        "llm.cost.prompt_details",
        "llm.cost.prompt_details.audio",
        "llm.cost.prompt_details.cache_input",
        "llm.cost.prompt_details.cache_read",
        "llm.cost.prompt_details.cache_write",
        "llm.cost.prompt_details.input",
        "llm.cost.total",
        "llm.finish_reason",
        "llm.frequency_penalty",
        "llm.function_call",
        "llm.headers",
        "llm.input_messages",
        "llm.invocation_parameters",
        "llm.is_streaming",
        "llm.model_name",
        "llm.output_messages",
        "llm.presence_penalty",
        "llm.prompt_template.template",
        "llm.prompt_template.variables",
        "llm.prompt_template.version",
        "llm.prompts",
        "llm.provider",
        "llm.request.functions",
        "llm.request.model_name",
        "llm.request.reasoning_effort",
        "llm.request.repetition_penalty",
        "llm.request.type",
        "llm.response.finish_reason",
        "llm.response.model_name",
        "llm.response.stop_reason",
        "llm.system",
        "llm.token_count.completion",
        "llm.token_count.completion_details.audio",
        "llm.token_count.completion_details.reasoning",
        "llm.token_count.prompt",
        "llm.token_count.prompt_details",
        "llm.token_count.prompt_details.audio",
        "llm.token_count.prompt_details.cache_input",
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_write",
        "llm.token_count.total",
        "llm.tools",
        "llm.top_k",
        "llm.usage.reasoning_tokens",
        "llm.usage.token_type",
        "llm.usage.total_tokens",
        "llm.user",
        "logfire.msg",
        "mcp.method.name",
        "mcp.protocol.version",
        "mcp.request.argument",
        "mcp.request.id",
        "mcp.resource.uri",
        "mcp.response.value",
        "mcp.server.name",
        "mcp.server.version",
        "mcp.session.id",
        "mcp.session.init_options",
        "mcp.transport",
        "metadata",
        "model_request_parameters",
        "network.protocol.name",
        "network.transport",
        "openai.api.type",
        "openai.request.service_tier",
        "openai.response.service_tier",
        "openai.response.system_fingerprint",
        "openinference.project.name",
        "openinference.span.kind",
        "otel.component.name",
        "otel.component.type",
        "output.documents",
        "output.images",
        "output.mime_type",
        "output.value",
        "prompt.id",
        "prompt.url",
        "prompt.vendor",
        "pydantic_ai.all_messages",
        "reranker.input_documents",
        "reranker.model_name",
        "reranker.output_documents",
        "reranker.query",
        "reranker.top_k",
        "retrieval.documents",
        "rpc.response.status_code",
        "server.address",
        "server.port",
        "session.annotations",
        "session.evaluations",
        "session.id",
        "session.previous_id",
        "tag.tags",
        "tool.description",
        "tool.id",
        "tool.name",
        "tool.parameters",
        "tool_arguments",
        "tool_response",
        "trace.annotations",
        "trace.evaluations",
        "traceloop.association.properties",
        "traceloop.association.properties.session_id",
        "traceloop.association.properties.user_id",
        "traceloop.correlation.id",
        "traceloop.entity.input",
        "traceloop.entity.name",
        "traceloop.entity.output",
        "traceloop.entity.path",
        "traceloop.entity.version",
        "traceloop.prompt.key",
        "traceloop.prompt.managed",
        "traceloop.prompt.template",
        "traceloop.prompt.template_variables",
        "traceloop.prompt.version",
        "traceloop.prompt.version_hash",
        "traceloop.prompt.version_name",
        "traceloop.span.kind",
        "traceloop.workflow.name",
        "user.id",
    }
)
"""Every name above that a span, event or resource carries, whole; leaves of families are not among them."""

CONTENT: Final = frozenset(
    {
        "all_messages_events",
        "annotations",
        "aot.attributes",
        "aot.data",
        "aot.result",
        "embedding.embeddings",
        "embedding.invocation_parameters",
        "error.message",
        "evaluations",
        "exception.message",
        "exception.stacktrace",
        "final_result",
        "gen_ai.completion",
        "gen_ai.evaluation.explanation",
        "gen_ai.event.content",
        "gen_ai.headers",
        "gen_ai.input.messages",
        "gen_ai.memory.query.text",
        "gen_ai.memory.records",
        "gen_ai.output.messages",
        "gen_ai.prompt",
        "gen_ai.prompt.variable",
        "gen_ai.request.structured_output_schema",
        "gen_ai.retrieval.documents",
        "gen_ai.retrieval.query.text",
        "gen_ai.system_instructions",
        "gen_ai.task.input",
        "gen_ai.task.output",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.tool.definitions",
        "input.documents",
        "input.images",
        "input.value",
        "langfuse.experiment.item.expected_output",
        "langfuse.observation.input",
        "langfuse.observation.metadata",
        "langfuse.observation.output",
        "langfuse.observation.status_message",
        "llm.choices",
        "llm.function_call",
        "llm.headers",
        "llm.input_messages",
        "llm.invocation_parameters",
        "llm.output_messages",
        "llm.prompt_template.template",
        "llm.prompt_template.variables",
        "llm.prompts",
        "llm.request.functions",
        "llm.tools",
        "logfire.msg",
        "mcp.request.argument",
        "mcp.resource.uri",
        "mcp.response.value",
        "mcp.session.init_options",
        "metadata",
        "model_request_parameters",
        "output.documents",
        "output.images",
        "output.value",
        "pydantic_ai.all_messages",
        "reranker.input_documents",
        "reranker.output_documents",
        "reranker.query",
        "retrieval.documents",
        "session.annotations",
        "session.evaluations",
        "tool.parameters",
        "tool_arguments",
        "tool_response",
        "trace.annotations",
        "trace.evaluations",
        "traceloop.association.properties",
        "traceloop.entity.input",
        "traceloop.entity.output",
        "traceloop.prompt.template",
        "traceloop.prompt.template_variables",
    }
)
"""Names whose values are content: arguments, results, messages, tool input and output, texts of errors."""

CONTENT_PREFIXES: Final = (
    "annotations.",
    "aot.attributes.",
    "embedding.embeddings.",
    "evaluations.",
    "gen_ai.completion.",
    "gen_ai.prompt.0",
    "gen_ai.prompt.1",
    "gen_ai.prompt.2",
    "gen_ai.prompt.3",
    "gen_ai.prompt.4",
    "gen_ai.prompt.5",
    "gen_ai.prompt.6",
    "gen_ai.prompt.7",
    "gen_ai.prompt.8",
    "gen_ai.prompt.9",
    "gen_ai.prompt.variable.",
    "input.documents.",
    "input.images.",
    "langfuse.observation.metadata.",
    "llm.choices.",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompts.",
    "llm.request.functions.",
    "llm.tools.",
    "output.documents.",
    "output.images.",
    "reranker.input_documents.",
    "reranker.output_documents.",
    "retrieval.documents.",
    "session.annotations.",
    "session.evaluations.",
    "trace.annotations.",
    "trace.evaluations.",
    "traceloop.association.properties.",
    "traceloop.prompt.template_variables.",
)
"""Beginnings of names of families that are content: `llm.input_messages.` and the like."""

CONTENT_EXCEPTIONS: Final = frozenset(
    {
        "traceloop.association.properties.session_id",
        "traceloop.association.properties.user_id",
    }
)
"""Names that begin like such a family and are no content."""


def is_content(name: str) -> bool:
    """Whether the attribute `name` holds content, which the capture mode then decides about."""
    return name in CONTENT or (name.startswith(CONTENT_PREFIXES) and name not in CONTENT_EXCEPTIONS)
