"""Redaction by shape: keys, tokens and passwords that can be told by their looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content import Redactor
from aotel.content.marker import MARKER, Marker
from aotel.content.shapes import is_plain, scrub_shapes
from tests.content.planted import JWT, KEYS, PEM

marker = Marker(b"a key for tests")


def scrub(text: str) -> str:
    return scrub_shapes(text, marker)


@pytest.mark.parametrize("secret", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "my key is {} and no other",
        "key={};next",
        '"{}"',
        "({})",
        "line\n{}\nline",
        'escaped \\n{}\\n and \\"{}\\"',
        "url?x=%20{}&y=1",
        "größe {} ünïcode ☃",
        "{},{}",
        "/path/{}/more",
        "@{}",
    ],
)
def test_provider_keys_are_found_anywhere(text: str, secret: str) -> None:
    written = scrub(text.replace("{}", secret))
    assert secret not in written
    assert MARKER.search(written)


@pytest.mark.parametrize("secret", KEYS.values(), ids=KEYS)
def test_a_provider_key_is_replaced_as_a_whole(secret: str) -> None:
    assert MARKER.sub("", scrub(f"before {secret} after")) in {"before  after", "before 123456789: after"}


@pytest.mark.parametrize(
    "name", ["openai-project", "anthropic", "github", "aws", "google", "slack-bot", "npm", "pypi", "jwt"]
)
@pytest.mark.parametrize("kept", [0.4, 0.7, 0.95])
def test_what_is_left_of_a_key_at_the_end_of_a_cut_text_is_found(name: str, kept: float) -> None:
    secret = KEYS[name]
    rest = secret[: max(16, int(len(secret) * kept))]
    text = "a text that was cut by somebody else at a limit of his own, right within the " + rest
    assert rest not in scrub(text)
    assert rest not in scrub(f"{text}...")


@pytest.mark.parametrize(
    "text",
    [
        "the task-management-system-overview-2024 page",
        "risk-averse investors, desk-bound workers, disk-usage-analyzer",
        "scikit-learn is sk-learn, and this sentence, which is long enough to have been cut, ends with sk-learn",
        "npm_config_registry, npm_config, hf_hub_download and pypi-server at the end: npm_config",
        "a well-known-and-rather-long-hyphenated-word of some_module.some_function_name",
        "d41d8cd98f00b204e9800998ecf8427e 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "https://docs.python.org/3/library/functions.html#functools.singledispatch",
        "http://[::1]:8080/x@y and http://localhost:8080/user@host and //comment: a@b",
        "mailto:me@example.org ssh://git@github.com/me/it",
        "the bearer of bad news; bearer authentication; Bearer tokens are; a Bearer token",
        "Basic understanding of basic authentication; Basic networking",
        "2024-01-01T00:00:00Z 1.2.3.4 10:30:15",
        "AKIAS AKIA eyJ eyJhbGciOiJ SG.",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "",
    ],
)
def test_texts_without_secrets_stay_as_they_are(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        PEM.replace("RSA ", ""),
        PEM.replace("RSA ", "EC "),
        PEM.replace("RSA ", "ENCRYPTED "),
        PEM.replace("RSA ", "OPENSSH "),
        PEM.replace("KEY-----", "KEY BLOCK-----").replace("RSA", "PGP"),
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", " "),
        PEM[:-10],
        PEM[:80],
    ],
)
def test_private_keys_are_found_also_where_they_do_not_end(text: str) -> None:
    written = scrub(f"here: {text}")
    assert written.startswith("here: <redacted:")
    assert "MIIEow" not in written
    assert "q1L0R9" not in written


def test_what_follows_a_whole_private_key_stays() -> None:
    assert scrub(f"{PEM} after").endswith("> after")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgres://user:hunter2@db.example.org/app", "hunter2"),
        ("postgres://user:p@ss:w0rd@db/app", "p@ss:w0rd"),
        ("postgres://user:p/ss?w#rd@db/app", "p/ss?w#rd"),
        ("redis://:hunter2@cache:6379/0", "hunter2"),
        ("mongodb+srv://u:hunter2@cluster.example.org/?retryWrites=true", "hunter2"),
        ("https://me:hunter2@[::1]:8080/x", "hunter2"),
        ('{"url": "amqp://guest:hunter2@mq//"}', "hunter2"),
        ("https:\\/\\/me:hunter2@host\\/path", "hunter2"),
        ("see http://a:8080/x and ftp://u:hunter2@h", "hunter2"),
        ("postgres://user:größe☃@db", "größe☃"),
        ("postgres://user:pa%40ss@db", "pa%40ss"),
    ],
)
def test_passwords_in_urls_are_found(text: str, secret: str) -> None:
    written = scrub(text)
    assert secret not in written
    assert written == text.replace(secret, marker.of(secret))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "T00000000/B00000000/XXXX"),
        ("https://discord.com/api/webhooks/123456789/abcDEF_ghi-JKL0123456789", "abcDEF_ghi-JKL0123456789"),
        ("https://x.blob.core.windows.net/c/b?sv=2022&sig=Zm9vYmFy%3D&se=2024", "Zm9vYmFy%3D"),
        ("https://s3.amazonaws.com/b/k?X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027", "fe5f80f77d5fa3beca0"),
    ],
)
def test_secrets_in_addresses_are_found(text: str, secret: str) -> None:
    assert secret not in scrub(text)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer  "])
@pytest.mark.parametrize("token", ["abcdef", "hunter2-is-it", "a.b.c.d.e.f", "AAAA%%%".replace("%", "="), "x" * 500])
def test_bearer_tokens_are_found(scheme: str, token: str) -> None:
    assert scrub(f"sent {scheme}{token}, got 401") == f"sent {scheme}{marker.of(token)}, got 401"


def test_basic_credentials_are_told_from_prose_by_what_they_say() -> None:
    assert scrub("Basic dXNlcjpodW50ZXIy") == f"Basic {marker.of('dXNlcjpodW50ZXIy')}"


def test_the_same_secret_has_the_same_marker_and_another_key_another() -> None:
    first, second = MARKER.findall(scrub(f"{JWT} and {JWT}"))
    assert first == second
    assert marker.of(JWT) != Marker(b"another key").of(JWT)
    assert Marker().of(JWT) == Marker().of(JWT)
    assert Marker(b"").of(JWT) != JWT
    assert Marker(b"k" * 1000).of(JWT) != Marker(b"k" * 999).of(JWT)


@given(st.text(), st.sampled_from(sorted(KEYS)), st.text(alphabet=st.characters(exclude_categories=["L", "N"])))
def test_keys_are_found_in_any_text(before: str, name: str, after: str) -> None:
    # A letter or digit before a key makes it part of a word.
    secret = KEYS[name]
    written = scrub(f"{before} {secret} {after}")
    assert secret not in written


@given(st.text() | st.text(alphabet="sk-_ghpAIzaeyJSG.@:/=Berr &B\n\\\"'<>0123456789"))
def test_markers_are_not_redacted_again(text: str) -> None:
    written = scrub(text)
    assert scrub(written) == written


@given(st.text(max_size=63) | st.text(alphabet="Bearsic kthpo.J_/0123456789AKIAyeG", max_size=63))
def test_a_text_that_is_plain_at_a_look_has_no_secret(text: str) -> None:
    if is_plain(text):
        assert Redactor()._scrubbed(text) == text


@pytest.mark.parametrize(
    "piece", ["sk-", "eyJa.", "://a:", "@://a:@", "Bearer ", "-----BEGIN PRIVATE KEY-----", "AKIA", "ghp_", "SG.a."]
)
def test_the_work_is_linear(piece: str) -> None:
    # Were it quadratic, this would take minutes: the time limit of tests is what fails it.
    assert len(scrub(piece * (400_000 // len(piece)))) > 0
