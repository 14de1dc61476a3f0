"""What is known of a call before it is made: one site a combination, and few of them."""

from __future__ import annotations

from typing import Any

import pytest

from aotel.instrumentation import sites
from aotel.instrumentation.formats.openai_chat import CHAT_COMPLETIONS
from aotel.instrumentation.formats.openai_embeddings import EMBEDDINGS
from aotel.instrumentation.openai import _provider_of
from aotel.instrumentation.sites import new_site, site_for


class Url:
    def __init__(self, host: str, scheme: str = "https", port: int | None = None) -> None:
        self.host = host
        self.scheme = scheme
        self.port = port


class Client:
    def __init__(self, url: Url) -> None:
        self.base_url = url


class AzureOpenAI(Client):
    pass


class Derived(AzureOpenAI):
    pass


def attributes(client: Client, model: Any = "m") -> dict[str, Any]:
    return dict(site_for(_provider_of, client, CHAT_COMPLETIONS, model).attributes)


def test_equal_calls_share_a_site_and_others_do_not() -> None:
    client = Client(Url("api.openai.com"))
    one = site_for(_provider_of, client, CHAT_COMPLETIONS, "m")
    assert site_for(_provider_of, client, CHAT_COMPLETIONS, "m") is one
    assert site_for(_provider_of, client, CHAT_COMPLETIONS, "n") is not one
    assert site_for(_provider_of, client, EMBEDDINGS, "m") is not one
    assert site_for(_provider_of, Client(Url("elsewhere")), CHAT_COMPLETIONS, "m") is not one


@pytest.mark.parametrize(
    ("client", "provider"),
    [
        (Client(Url("api.openai.com")), "openai"),
        (Client(Url("localhost")), "openai"),
        (AzureOpenAI(Url("localhost")), "azure.ai.openai"),
        (Derived(Url("gateway.example")), "azure.ai.openai"),
        (Client(Url("mine.openai.azure.com")), "azure.ai.openai"),
        (Client(Url("api.deepseek.com")), "deepseek"),
        (Client(Url("api.mistral.ai")), "mistral_ai"),
        (Client(Url("api.groq.com")), "groq"),
    ],
)
def test_who_serves_the_model(client: Client, provider: str) -> None:
    assert attributes(client)["gen_ai.provider.name"] == provider


@pytest.mark.parametrize(
    ("url", "port"), [(Url("h"), 443), (Url("h", "http"), 80), (Url("h", "http", 8080), 8080), (Url("h", "unix"), None)]
)
def test_where_it_is_served(url: Url, port: int | None) -> None:
    assert attributes(Client(url))["server.address"] == "h"
    assert attributes(Client(url)).get("server.port") == port


@pytest.mark.parametrize("model", [None, 7, ["m"], {}])
def test_a_model_that_is_no_text_is_none(model: Any) -> None:
    site = site_for(_provider_of, Client(Url("h")), CHAT_COMPLETIONS, model)
    assert site.name == "chat"
    assert "gen_ai.request.model" not in site.attributes


def test_a_model_s_name_is_short_and_no_secret() -> None:
    site = new_site("llm", "chat", "sk-proj-" + "Ab3dEf6hIj9lMn2pQr5t" * 2, "openai")
    assert "sk-proj-Ab3d" not in f"{site.name} {site.attributes}"
    assert len(new_site("llm", "chat", "m" * 100_000, "openai").name) < 300


def test_there_are_few_of_them() -> None:
    client = Client(Url("h"))
    for number in range(5_000):
        site_for(_provider_of, client, CHAT_COMPLETIONS, f"m{number}")
        site_for(_provider_of, Client(Url("h")), CHAT_COMPLETIONS, "m")
    held = [value for value in vars(sites).values() if isinstance(value, dict) and value]
    assert all(len(value) <= 513 for value in held if value is not vars(sites)["__builtins__"])
