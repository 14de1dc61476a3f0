"""Environment variables that aotel reads.

Generated from `semconv/registry`: change it there, then run `make semconv`.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Variable(NamedTuple):
    """One variable; `aliases` are read in turn when `name` is unset or empty."""

    name: str
    aliases: tuple[str, ...]
    default: str | None
    brief: str
    members: tuple[str, ...] = ()
    minimum: int = 0
    secret: bool = False


ENVPOD_POD_ID: Final = Variable("ENVPOD_POD_ID", (), None, "Id of the pod that the process runs in.")
ENVPOD_SOCKET: Final = Variable("ENVPOD_SOCKET", (), "/run/envpod/queue.sock", "Queue socket of that pod.")
AOTEL_CAPTURE: Final = Variable(
    "AOTEL_CAPTURE",
    ("ENVPOD_COAT_CAPTURE",),
    None,
    (
        "What is written of arguments, results and messages. The operator's switch, it wins over code; "
        "without it content is `redacted`."
    ),
    members=("none", "redacted", "hash", "summary", "raw"),
)
AOTEL_PREVIEW_LEN: Final = Variable(
    "AOTEL_PREVIEW_LEN",
    ("ENVPOD_COAT_PREVIEW_LEN",),
    "200",
    "Characters of a preview in an envelope; longer ones are cut and end in `...`.",
)
AOTEL_CONTENT_LIMIT: Final = Variable(
    "AOTEL_CONTENT_LIMIT", (), "32768", "Characters of one text in a span attribute; longer ones are cut."
)
AOTEL_AGENT_ID: Final = Variable(
    "AOTEL_AGENT_ID", ("ENVPOD_AGENT_ID",), None, "Agent that the process speaks for, where no pod says it."
)
AOTEL_AGENT_ROLE: Final = Variable("AOTEL_AGENT_ROLE", ("ENVPOD_AGENT_ROLE",), None, "Role of that agent.")
AOTEL_SESSION_ID: Final = Variable(
    "AOTEL_SESSION_ID", (), None, "Session to continue; without it each process has its own, at random."
)
AOTEL_RUN_ID: Final = Variable(
    "AOTEL_RUN_ID",
    (),
    None,
    "Run to continue, `run_` and 16 hexadecimal digits; without it a run is named after its trace.",
)
AOTEL_ENVELOPES: Final = Variable(
    "AOTEL_ENVELOPES",
    (),
    "auto",
    "Where envelopes go; `auto` and `none` stand alone.",
    members=("auto", "pod", "otlp", "stderr", "file:PATH", "none"),
)
AOTEL_BACKEND: Final = Variable(
    "AOTEL_BACKEND",
    (),
    None,
    "Backends that spans go to, each by its preset; several may be named.",
    members=("phoenix", "arize", "datadog", "langfuse", "otlp", "pod"),
)
AOTEL_DIALECTS: Final = Variable(
    "AOTEL_DIALECTS",
    (),
    "genai,openinference",
    (
        "Attribute vocabularies that are written. Where `AOTEL_BACKEND` alone says where spans go, the "
        "default is those that the backends read."
    ),
    members=("genai", "openinference", "openllmetry"),
)
AOTEL_KEEP: Final = Variable(
    "AOTEL_KEEP",
    (),
    "off",
    ("What is exported though the sampler dropped it; `errors` is every agent run in which an operation failed."),
    members=("off", "errors"),
)
AOTEL_KEEP_MAX_BYTES: Final = Variable(
    "AOTEL_KEEP_MAX_BYTES",
    (),
    "33554432",
    "Bytes of memory, roughly, for spans of runs of which it is not known yet whether they fail.",
    minimum=1,
)
AOTEL_PROPAGATE: Final = Variable(
    "AOTEL_PROPAGATE",
    (),
    None,
    (
        "What travels beyond trace context. `session` is session and run ids in baggage, which third parties "
        "see too. `processes` is trace, session and run in the environment of child processes; `aotel run` "
        "adds it."
    ),
    members=("session", "processes"),
)
AOTEL_REDACT_NAMES: Final = Variable("AOTEL_REDACT_NAMES", (), None, "Further names whose values are secret.")
AOTEL_REDACT_PATTERNS: Final = Variable(
    "AOTEL_REDACT_PATTERNS",
    (),
    None,
    (
        "Further regular expressions whose matches are secret, separated by commas or line breaks. A comma "
        "inside brackets, or escaped with a backslash, belongs to the pattern."
    ),
)
AOTEL_REDACTION_KEY: Final = Variable(
    "AOTEL_REDACTION_KEY",
    (),
    None,
    ("Key of the markers that stand for secrets, so that they compare across processes; without it, random."),
    secret=True,
)
AOTEL_HASH_KEY: Final = Variable(
    "AOTEL_HASH_KEY", (), None, "Key of the `hash` capture mode; without it, random.", secret=True
)
AOTEL_INSTRUMENT: Final = Variable(
    "AOTEL_INSTRUMENT",
    (),
    "all",
    "Libraries whose calls become spans; `all` is every one that aotel knows, `none` is none of them.",
    members=("all", "none", "openai", "anthropic", "litellm", "mcp"),
)
AOTEL_CONSOLE: Final = Variable(
    "AOTEL_CONSOLE",
    (),
    "off",
    "Live view in the process itself, on standard error; `aotel run` has its own.",
    members=("off", "rich", "simple", "json"),
)
AOTEL_CONSOLE_LEVEL: Final = Variable(
    "AOTEL_CONSOLE_LEVEL", (), "INFO", "The least that the view shows.", members=("DEBUG", "INFO", "WARNING", "ERROR")
)
AOTEL_SENSOR: Final = Variable(
    "AOTEL_SENSOR",
    (),
    "off",
    "What the process tells the pod of its own doings; `off` is nothing.",
    members=("off", "files", "network", "processes"),
)
AOTEL_SENSOR_POLICY: Final = Variable(
    "AOTEL_SENSOR_POLICY",
    (),
    None,
    "Which hosts and paths are allowed, as `aotel run` writes it for the program that it runs.",
)
AOTEL_DURABILITY: Final = Variable(
    "AOTEL_DURABILITY",
    (),
    "memory",
    (
        "What becomes of envelopes and spans that wait when the process is killed, or its destinations are "
        "away for long. `memory` loses them; `journal` keeps them in files, which survive the process; "
        "`fsync` also has the disk confirm them, some tenths of a second later, so that they survive the "
        "machine."
    ),
    members=("memory", "journal", "fsync"),
)
AOTEL_SPOOL_DIR: Final = Variable(
    "AOTEL_SPOOL_DIR",
    (),
    None,
    "Where those files are, private to the user; by default `aotel` in the user's state directory.",
)
AOTEL_SPOOL_MAX_BYTES: Final = Variable(
    "AOTEL_SPOOL_MAX_BYTES",
    (),
    "268435456",
    "What they may take together, in bytes; past that what has waited longest goes, counted and said.",
    minimum=524288,
)
AOTEL_FLUSH: Final = Variable(
    "AOTEL_FLUSH",
    (),
    "auto",
    (
        "What the end of a root span does with what waits. `background` has it sent soon, `wait` before the "
        "span's end returns (at most the flush timeout), `off` leaves it to the usual intervals; `auto` is "
        "`wait` on a serverless platform and `background` elsewhere."
    ),
    members=("auto", "background", "wait", "off"),
)
AOTEL_SIGTERM: Final = Variable(
    "AOTEL_SIGTERM",
    (),
    "flush",
    (
        "What SIGTERM does where the program leaves it to the system. `flush` sends what waits first, at most "
        "for the flush timeout, and ends the process as the system would; `off` leaves the signal alone."
    ),
    members=("flush", "off"),
)
AOTEL_DISABLED: Final = Variable("AOTEL_DISABLED", (), "false", "Everything off.")
OTEL_SDK_DISABLED: Final = Variable("OTEL_SDK_DISABLED", (), "false", "Everything off.")
OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: Final = Variable(
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    (),
    None,
    "`NO_CONTENT` or `false`, set explicitly, turns content off; no value turns it on.",
)
TRACELOOP_TRACE_CONTENT: Final = Variable(
    "TRACELOOP_TRACE_CONTENT", (), None, "OpenLLMetry's switch: `false` turns content off; no value turns it on."
)
OTEL_TRACES_SAMPLER: Final = Variable(
    "OTEL_TRACES_SAMPLER",
    (),
    "parentbased_always_on",
    "Which traces are exported; `aotel_session_ratio` keeps sessions together.",
)
OTEL_TRACES_SAMPLER_ARG: Final = Variable(
    "OTEL_TRACES_SAMPLER_ARG", (), None, "The sampler's argument, a share from 0 to 1 for those that take one."
)
OTEL_TRACES_EXPORTER: Final = Variable("OTEL_TRACES_EXPORTER", (), None, "Where spans go.")
OTEL_LOGS_EXPORTER: Final = Variable(
    "OTEL_LOGS_EXPORTER", (), None, "Where logs go; `otlp` makes it the choice of `AOTEL_ENVELOPES=auto`."
)
OTEL_EXPORTER_OTLP_ENDPOINT: Final = Variable("OTEL_EXPORTER_OTLP_ENDPOINT", (), None, "OTLP receiver of every signal.")
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Final = Variable(
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", (), None, "OTLP receiver of spans."
)
OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: Final = Variable(
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    (),
    None,
    "OTLP receiver of logs; makes `otlp` the choice of `AOTEL_ENVELOPES=auto`.",
)
OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: Final = Variable(
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    ("OTEL_EXPORTER_OTLP_PROTOCOL",),
    "grpc",
    "How spans travel.",
    members=("grpc", "http/protobuf"),
)
OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: Final = Variable(
    "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
    ("OTEL_EXPORTER_OTLP_PROTOCOL",),
    "grpc",
    "How envelopes travel.",
    members=("grpc", "http/protobuf"),
)
OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: Final = Variable(
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",),
    None,
    "Characters of an attribute; JSON is cut at its leaves and stays JSON.",
)
OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: Final = Variable(
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    ("OTEL_ATTRIBUTE_COUNT_LIMIT",),
    None,
    "Attributes of a span; unless set, aotel makes room for long conversations.",
)
TRACEPARENT: Final = Variable(
    "TRACEPARENT",
    (),
    None,
    "Span that this process continues, as W3C Trace Context writes it; a root span becomes its child.",
)
TRACESTATE: Final = Variable("TRACESTATE", (), None, "Vendors' part of that.")
PHOENIX_COLLECTOR_ENDPOINT: Final = Variable(
    "PHOENIX_COLLECTOR_ENDPOINT",
    (),
    "http://localhost:6006",
    (
        "Address of a Phoenix. Spans go to it over gRPC, or over HTTP if `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL` "
        "says so, or if it is an `https` one."
    ),
)
PHOENIX_GRPC_PORT: Final = Variable("PHOENIX_GRPC_PORT", (), None, "Its port for gRPC; 4317 unless set.", minimum=1)
PHOENIX_API_KEY: Final = Variable("PHOENIX_API_KEY", (), None, "Key of a Phoenix that asks for one.", secret=True)
PHOENIX_CLIENT_HEADERS: Final = Variable(
    "PHOENIX_CLIENT_HEADERS", (), None, "Further headers for Phoenix, as `name=value,name=value`.", secret=True
)
PHOENIX_PROJECT: Final = Variable(
    "PHOENIX_PROJECT",
    ("PHOENIX_PROJECT_NAME",),
    None,
    "Project in Phoenix; without it the one that the resource names, else `default`.",
)
ARIZE_SPACE_ID: Final = Variable("ARIZE_SPACE_ID", (), None, "Space in Arize.")
ARIZE_API_KEY: Final = Variable("ARIZE_API_KEY", (), None, "Key of Arize.", secret=True)
ARIZE_PROJECT_NAME: Final = Variable(
    "ARIZE_PROJECT_NAME",
    (),
    None,
    "Project in Arize; without it the one that the resource names, else the service's name.",
)
ARIZE_COLLECTOR_ENDPOINT: Final = Variable(
    "ARIZE_COLLECTOR_ENDPOINT",
    (),
    "https://otlp.arize.com/v1",
    "Address of Arize's collector; that of Europe is `https://otlp.eu-west-1a.arize.com/v1`.",
)
DD_API_KEY: Final = Variable("DD_API_KEY", (), None, "Key of Datadog.", secret=True)
DD_SITE: Final = Variable("DD_SITE", (), "datadoghq.com", "Site of Datadog.")
LANGFUSE_PUBLIC_KEY: Final = Variable("LANGFUSE_PUBLIC_KEY", (), None, "Public half of a key of Langfuse.")
LANGFUSE_SECRET_KEY: Final = Variable("LANGFUSE_SECRET_KEY", (), None, "Secret half of it.", secret=True)
LANGFUSE_BASE_URL: Final = Variable(
    "LANGFUSE_BASE_URL", ("LANGFUSE_HOST",), "https://cloud.langfuse.com", "Address of a Langfuse."
)
AWS_LAMBDA_FUNCTION_NAME: Final = Variable("AWS_LAMBDA_FUNCTION_NAME", (), None, "Set by AWS Lambda.")
K_SERVICE: Final = Variable("K_SERVICE", (), None, "Set by Google Cloud Run and Cloud Functions, and by Knative.")
FUNCTIONS_WORKER_RUNTIME: Final = Variable("FUNCTIONS_WORKER_RUNTIME", (), None, "Set by Azure Functions.")
OPENINFERENCE_HIDE_INPUTS: Final = Variable(
    "OPENINFERENCE_HIDE_INPUTS", (), "false", "No input value, input messages or tool definitions."
)
OPENINFERENCE_HIDE_OUTPUTS: Final = Variable(
    "OPENINFERENCE_HIDE_OUTPUTS", (), "false", "No output value or output messages."
)
OPENINFERENCE_HIDE_INPUT_MESSAGES: Final = Variable(
    "OPENINFERENCE_HIDE_INPUT_MESSAGES", (), "false", "No input messages."
)
OPENINFERENCE_HIDE_OUTPUT_MESSAGES: Final = Variable(
    "OPENINFERENCE_HIDE_OUTPUT_MESSAGES", (), "false", "No output messages."
)
OPENINFERENCE_HIDE_INPUT_TEXT: Final = Variable(
    "OPENINFERENCE_HIDE_INPUT_TEXT", (), "false", "No text in input messages."
)
OPENINFERENCE_HIDE_OUTPUT_TEXT: Final = Variable(
    "OPENINFERENCE_HIDE_OUTPUT_TEXT", (), "false", "No text in output messages."
)
OPENINFERENCE_HIDE_INPUT_IMAGES: Final = Variable(
    "OPENINFERENCE_HIDE_INPUT_IMAGES", (), "false", "No images in input messages."
)
OPENINFERENCE_HIDE_PROMPTS: Final = Variable(
    "OPENINFERENCE_HIDE_PROMPTS", (), "false", "No prompts of completions requests."
)
OPENINFERENCE_HIDE_CHOICES: Final = Variable(
    "OPENINFERENCE_HIDE_CHOICES", (), "false", "No choices of completions answers."
)
OPENINFERENCE_HIDE_LLM_INVOCATION_PARAMETERS: Final = Variable(
    "OPENINFERENCE_HIDE_LLM_INVOCATION_PARAMETERS", (), "false", "No parameters of requests."
)
OPENINFERENCE_HIDE_LLM_TOOLS: Final = Variable("OPENINFERENCE_HIDE_LLM_TOOLS", (), "false", "No tool definitions.")
OPENINFERENCE_HIDE_EMBEDDINGS_VECTORS: Final = Variable(
    "OPENINFERENCE_HIDE_EMBEDDINGS_VECTORS",
    ("OPENINFERENCE_HIDE_EMBEDDING_VECTORS",),
    "false",
    "No vectors of embeddings.",
)
OPENINFERENCE_HIDE_EMBEDDINGS_TEXT: Final = Variable(
    "OPENINFERENCE_HIDE_EMBEDDINGS_TEXT", (), "false", "No texts of embeddings."
)
OPENINFERENCE_HIDE_RETRIEVAL_DOCUMENTS: Final = Variable(
    "OPENINFERENCE_HIDE_RETRIEVAL_DOCUMENTS", (), "false", "No documents that were found."
)

VARIABLES: Final = (
    ENVPOD_POD_ID,
    ENVPOD_SOCKET,
    AOTEL_CAPTURE,
    AOTEL_PREVIEW_LEN,
    AOTEL_CONTENT_LIMIT,
    AOTEL_AGENT_ID,
    AOTEL_AGENT_ROLE,
    AOTEL_SESSION_ID,
    AOTEL_RUN_ID,
    AOTEL_ENVELOPES,
    AOTEL_BACKEND,
    AOTEL_DIALECTS,
    AOTEL_KEEP,
    AOTEL_KEEP_MAX_BYTES,
    AOTEL_PROPAGATE,
    AOTEL_REDACT_NAMES,
    AOTEL_REDACT_PATTERNS,
    AOTEL_REDACTION_KEY,
    AOTEL_HASH_KEY,
    AOTEL_INSTRUMENT,
    AOTEL_CONSOLE,
    AOTEL_CONSOLE_LEVEL,
    AOTEL_SENSOR,
    AOTEL_SENSOR_POLICY,
    AOTEL_DURABILITY,
    AOTEL_SPOOL_DIR,
    AOTEL_SPOOL_MAX_BYTES,
    AOTEL_FLUSH,
    AOTEL_SIGTERM,
    AOTEL_DISABLED,
    OTEL_SDK_DISABLED,
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT,
    TRACELOOP_TRACE_CONTENT,
    OTEL_TRACES_SAMPLER,
    OTEL_TRACES_SAMPLER_ARG,
    OTEL_TRACES_EXPORTER,
    OTEL_LOGS_EXPORTER,
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL,
    OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT,
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT,
    TRACEPARENT,
    TRACESTATE,
    PHOENIX_COLLECTOR_ENDPOINT,
    PHOENIX_GRPC_PORT,
    PHOENIX_API_KEY,
    PHOENIX_CLIENT_HEADERS,
    PHOENIX_PROJECT,
    ARIZE_SPACE_ID,
    ARIZE_API_KEY,
    ARIZE_PROJECT_NAME,
    ARIZE_COLLECTOR_ENDPOINT,
    DD_API_KEY,
    DD_SITE,
    LANGFUSE_PUBLIC_KEY,
    LANGFUSE_SECRET_KEY,
    LANGFUSE_BASE_URL,
    AWS_LAMBDA_FUNCTION_NAME,
    K_SERVICE,
    FUNCTIONS_WORKER_RUNTIME,
    OPENINFERENCE_HIDE_INPUTS,
    OPENINFERENCE_HIDE_OUTPUTS,
    OPENINFERENCE_HIDE_INPUT_MESSAGES,
    OPENINFERENCE_HIDE_OUTPUT_MESSAGES,
    OPENINFERENCE_HIDE_INPUT_TEXT,
    OPENINFERENCE_HIDE_OUTPUT_TEXT,
    OPENINFERENCE_HIDE_INPUT_IMAGES,
    OPENINFERENCE_HIDE_PROMPTS,
    OPENINFERENCE_HIDE_CHOICES,
    OPENINFERENCE_HIDE_LLM_INVOCATION_PARAMETERS,
    OPENINFERENCE_HIDE_LLM_TOOLS,
    OPENINFERENCE_HIDE_EMBEDDINGS_VECTORS,
    OPENINFERENCE_HIDE_EMBEDDINGS_TEXT,
    OPENINFERENCE_HIDE_RETRIEVAL_DOCUMENTS,
)
"""Every variable, in the order of the documentation."""
