"""Redaction by name: which names stand for a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content.names import LONGEST_NAME, Names, words_of
from aotel.semconv import attributes as semconv


def names(*extra: str) -> Names:
    return Names(extra, str)


@pytest.mark.parametrize(
    "name",
    [
        "key",
        "api_key",
        "apikey",
        "apiKey",
        "APIKey",
        "API-KEY",
        "OPENAI_API_KEY",
        "x-api-key",
        "XAPIKEY",
        "api_keys",
        "privateKey",
        "secret-access-key",
        "token",
        "access_token",
        "accessToken",
        "accesstoken",
        "access_tokens",
        "refreshToken",
        "X-Amz-Security-Token",
        "password",
        "Password1",
        "user.password",
        "passwd",
        "pwd",
        "MYSQL_PWD",
        "PGPASSWORD",
        "dbpassword",
        "DB_PASS",
        "passphrase",
        "secret",
        "client_secret",
        "secrets",
        "Authorization",
        "proxy-authorization",
        "http.request.header.authorization",
        "auth",
        "authToken",
        "OAuth",
        "oauth",
        "bearer",
        "credential",
        "credentials",
        "aws_creds",
        "cookie",
        "Set-Cookie",
        "cookies",
        "jwt",
        "X-Envpod-Access-Token-Id",
        "X-Envpod-Access-Pod",
        "x_envpod_access_user",
        "X-Amz-Signature",
        "--password",
    ],
)
def test_names_of_secrets_are_secret(name: str) -> None:
    assert names().is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "input_tokens",
        "max_tokens",
        "completion_tokens_details",
        "token_count",
        "tokenCount",
        "token_type",
        "token_usage",
        "tokens",
        "tokenizer",
        "monkey",
        "keyboard",
        "keys",
        "keyword",
        "turkey",
        "author",
        "authors",
        "authentic",
        "KeyError",
        "AuthError",
        "secretary",
        "compass",
        "pass",
        "passage",
        "bypass",
        "passed",
        "cookiecutter",
        "path",
        "text",
        "",
        "_",
        "llm.token_count.prompt",
        "llm.token_count.prompt_details.cache_read",
        "gen_ai.usage.input_tokens",
    ],
)
def test_other_names_are_not_secret(name: str) -> None:
    assert not names().is_secret(name)


@pytest.mark.parametrize("name", sorted(semconv.NAMES))
def test_no_name_of_the_registry_is_secret(name: str) -> None:
    assert not names().is_secret(name)


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ("ssn", "user_ssn"),
        ("ssn", "userSsn"),
        ("employee-id", "EMPLOYEE_ID"),
        ("employee_id", "theEmployeeId"),
        ("größe", "GRÖSSE".lower().replace("ss", "ß")),
    ],
)
def test_names_that_the_user_adds_are_secret_wherever_their_words_stand(extra: str, name: str) -> None:
    assert names(extra).is_secret(name)
    assert not names().is_secret(name)


def test_a_name_that_the_user_adds_is_matched_by_whole_words() -> None:
    assert not names("ssn").is_secret("session")
    assert not names("employee_id").is_secret("employee_name")


def test_an_empty_name_that_the_user_adds_changes_nothing() -> None:
    assert not names("", "_", "-").is_secret("path")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("access_token", ("access", "token")),
        ("accessToken", ("access", "token")),
        ("AccessToken", ("access", "token")),
        ("ACCESS-TOKEN", ("access", "token")),
        ("HTTPServerKey2", ("http", "server", "key", "2")),
        ("a.b c", ("a", "b", "c")),
        ("OAuthToken", ("oauth", "token")),
    ],
)
def test_a_name_is_split_into_words(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


def test_verdicts_are_remembered_and_bounded() -> None:
    judge = names()
    for index in range(10_000):
        judge.is_secret(f"name{index}")
    assert 0 < len(judge.verdicts) <= 4096
    assert judge.is_secret("password")


def test_a_very_long_name_is_judged_by_its_ends_and_not_remembered() -> None:
    judge = names()
    assert judge.is_secret("a_" * 500_000 + "password")
    assert judge.is_secret("password" + "_a" * 500_000)
    assert not judge.is_secret("a" * 1_000_000)
    assert all(len(name) <= LONGEST_NAME for name in judge.verdicts)


def test_a_name_that_holds_a_secret_is_cleaned() -> None:
    judge = Names((), lambda name: name.replace("hunter2", "*"))
    assert judge.verdict("is hunter2 here").name == "is * here"
    assert not judge.verdict("is hunter2 here").secret


@given(st.text())
def test_any_text_can_be_judged(name: str) -> None:
    judge = names("extra", "größe")
    assert judge.is_secret(name) == judge.is_secret(name)


@given(
    st.lists(st.sampled_from(["user", "x", "http", "value", "id", "2"]), max_size=20),
    st.sampled_from(["_", "-", ".", " "]),
)
def test_the_words_around_a_secret_one_do_not_matter(words: list[str], separator: str) -> None:
    assert names().is_secret(separator.join([*words, "password", *words]))
    assert not names().is_secret(separator.join(words))
