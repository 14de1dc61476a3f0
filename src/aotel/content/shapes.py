"""Redaction by shape: the keys, tokens and passwords that can be told by their looks, wherever they stand in a text."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aotel.content.marker import Marker

# Where a key can start: not within a word, but after an escaped line break of JSON and after a percent escape.
_START: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))"

# What a key starts with, and the least number of characters after it, by the alphabet of what follows.
_DASHED: Final = (  # letters, digits, `_` and `-`
    (r"sk-", 8),  # OpenAI, Anthropic, OpenRouter, DeepSeek, …
    (r"(?:xox[a-z]|xapp|xwfp)-", 8),  # Slack
    (r"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-", 12),  # GitLab
    (r"(?:pypi|xai|nvapi|pplx|tvly|PMAK|GOCSPX|sq0[a-z]{3}|whsec)[-_]", 16),
    (r"AIza", 20),  # Google
    (r"(?:ya29|hv[sbr]|sl)\.", 16),  # Google OAuth, HashiCorp Vault, Dropbox
    (r"AT(?:ATT3|BB)", 16),  # Atlassian
    (r"(?<=[0-9]{8}:)AA", 30),  # Telegram
    (r"AGE-SECRET-KEY-1", 12),
)
_SNAKE: Final = (  # letters, digits and `_`
    (r"(?:gh[pousr]|github_pat)_", 12),  # GitHub
    (r"[sr]k_(?:live|test|prod)_", 8),  # Stripe, Clerk
    (r"(?:lsv2_(?:pt|sk)|do[opr]_v1|shp(?:at|ss|ca|pa))_", 16),  # LangSmith, DigitalOcean, Shopify
)
_ALNUM: Final = (  # letters and digits
    (r"(?:hf|api_org|npm|gsk|r8|fw|pcsk|figd|dckr_pat|sbp|phx|ntn|glsa|glc|nfp|rubygems|sntry[su]|lin_api)_", 16),
    (r"secret_", 24),  # Notion
    (r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)(?=[A-Z0-9]{12})", 12),  # AWS
    (r"(?:SK|dapi|key-)(?=[0-9a-f]{32})", 32),  # Twilio, Databricks, Mailgun
)
_JWT: Final = r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}"
_SENDGRID: Final = r"SG\.[A-Za-z0-9_-]{12,}\.[A-Za-z0-9_-]{12,}"


def _keys() -> str:
    families = ((_DASHED, "A-Za-z0-9_-"), (_SNAKE, "A-Za-z0-9_"), (_ALNUM, "A-Za-z0-9"))
    keys = [f"{prefix}[{alphabet}]{{{least},}}" for family, alphabet in families for prefix, least in family]
    return rf"{_START}(?:{'|'.join((*keys, _JWT, _SENDGRID))})"


_KEY: Final = re.compile(_keys())

# The rest of a key at the very end of a text that somebody cut. The whole key was longer, and few words of prose or
# code that look like it (`sk-learn`, `npm_config`) have a digit or a capital.
_CUT_KEY: Final = re.compile(
    rf"{_START}(?:(?:(?:sk|xox[a-z]|xapp|glpat|pypi)-|(?:gh[pousr]|github_pat|[sr]k_live|hf|npm|gsk)_)"
    r"(?=[a-z_-]*[A-Z0-9])[A-Za-z0-9_-]{4,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{4,}|AIza[A-Za-z0-9_-]{4,}|eyJ[A-Za-z0-9_-]{12,}|SG\.[A-Za-z0-9_-]{8,})(?:\.{3}|…)?\Z"
)
_CUT_LOOK: Final = 64  # characters at the end of a text in which the rest of a key is looked for
SHORTEST_CUT: Final = 64
"""Characters: nobody cuts a text shorter."""

# Most keys show as a long run of characters that words have too. One byte a character, so that positions agree.
_IN_RUN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
_MASK: Final = bytes(ord("x") if code in _IN_RUN else ord(" ") for code in range(256))
_RUN: Final = b"x" * 15
SHORTEST: Final = 9
"""Characters: nothing shorter has the shape of a secret, or a name and a value worth hiding."""

_PEM: Final = re.compile(
    r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}.*?"
    r"(?:-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}|\Z)",
    re.DOTALL,
)

_URL_PASSWORD: Final = re.compile(
    r"(:(?:\\?/){2}[^\s/:@?#\[\"'<>\\]{0,256}:)"  # scheme and user
    r"(?![0-9]{1,5}(?:[/?#\s]|\Z))"  # a port, and an `@` somewhere in the path
    r"([^\s/?#\"'<>]{1,256}|[^\s\"'<>@]{1,128})@(?=[\w\[%.-])"
)
_WEBHOOK: Final = re.compile(
    r"((?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks/[0-9]+)/)"
    r"([A-Za-z0-9/_+-]{8,})"
)
_SIGNATURE: Final = re.compile(r"([?&](?:sig|signature|X-(?:Amz|Goog)-Signature)=)([^\s&\"'<>]+)", re.IGNORECASE)

_CURL_USER: Final = re.compile(
    r"(\s(?:-u|--user|-U|--proxy-user)[ =]{0,2}[\"']?[^\s:\"']{1,256}:)(?!<redacted:)([^\s\"']+)"
)
_BEARER: Final = re.compile(r"(\b(?:bearer\s+)+)([A-Za-z0-9._~+/=:-]{6,})", re.IGNORECASE)
_BASIC: Final = re.compile(r"(\bbasic\s+)([A-Za-z0-9+/_-]{6,}={0,2})", re.IGNORECASE)
_PROSE: Final = frozenset(
    {
        "authentication",
        "authorization",
        "bearer",
        "certificate",
        "certificates",
        "credential",
        "credentials",
        "format",
        "header",
        "headers",
        "prefix",
        "scheme",
        "security",
        "string",
        "tokens",
    }
)
"""What follows `Bearer` when people write about it; a `token` is too short to be one."""


# Every shape, and every name with its value, has one of these characters, a long run, or one of the words below.
_TELLING: Final = frozenset(b":=-,%<@\"'\\")
_PLAIN_MASK: Final = bytes(
    ord("!") if code in _TELLING else ord("x") if code in _IN_RUN else ord(" ") for code in range(256)
)


def is_plain(text: str) -> bool:
    """Say whether a short text clearly holds no secret: a look that costs half of looking for each kind of them."""
    mask = text.encode().translate(_PLAIN_MASK)
    # `find`, because `in` first tries what bytes are looked for as a number.
    return (
        mask.find(b"!") < 0
        and mask.find(_RUN) < 0
        and "//" not in text
        and "earer" not in text
        and "EARER" not in text
        and "asic " not in text
        and "ASIC " not in text
    )


def scrub_shapes(text: str, marker: Marker) -> str:
    """Return a text with a marker for each secret that is known by its shape.

    Args:
        text: any text; the work is linear in its length, and little where there is nothing to find.
        marker: makes the markers.
    """
    if "/" in text and ("//" in text or "\\/" in text):
        text = _scrub_urls(text, marker)
    capital = "B" in text
    if "bearer" in text or (capital and ("Bearer" in text or "BEARER" in text)):
        text = _BEARER.sub(lambda found: _sealed_bearer(found, marker), text)
    if capital and ("Basic " in text or "BASIC " in text):
        text = _BASIC.sub(lambda found: _sealed_basic(found, marker), text)
    if "-" in text:
        if "PRIVATE KEY" in text:
            text = _PEM.sub(lambda found: marker.of(found[0]), text)
        if "curl" in text:
            text = _CURL_USER.sub(lambda found: f"{found[1]}{marker.of(found[2])}", text)
        if "sk-" in text:
            text = _KEY.sub(lambda found: marker.of(found[0]), text)
    mask = text.encode("latin-1", "replace").translate(_MASK)
    start = mask.find(_RUN)
    if start >= 0:
        text = _scrub_runs(text, mask, start, marker)
    return text if len(text) < SHORTEST_CUT else _scrub_end(text, marker)


def _scrub_urls(text: str, marker: Marker) -> str:
    if "@" in text:
        text = _URL_PASSWORD.sub(lambda found: f"{found[1]}{marker.of(found[2])}@", text)
    if "hooks" in text:
        text = _WEBHOOK.sub(lambda found: f"{found[1]}{marker.of(found[2])}", text)
    if "sig" in text or "Sig" in text:
        text = _SIGNATURE.sub(lambda found: f"{found[1]}{marker.of(found[2])}", text)
    return text


def _sealed_bearer(found: re.Match[str], marker: Marker) -> str:
    return found[0] if found[2].rstrip(".:").lower() in _PROSE else f"{found[1]}{marker.of(found[2])}"


def _sealed_basic(found: re.Match[str], marker: Marker) -> str:
    """Tell `Basic dXNlcjpwYXNz` from `basic understanding`: the former is a user, a colon and a password."""
    try:
        secret = b":" in a2b_base64(found[2].rstrip("=") + "==")
    except Base64Error:
        secret = False
    return f"{found[1]}{marker.of(found[2])}" if secret else found[0]


def _scrub_end(text: str, marker: Marker) -> str:
    end = text[-_CUT_LOOK:]
    if "-" in end or "_" in end or "AKIA" in end or "ASIA" in end or "AIza" in end or "eyJ" in end or "SG." in end:
        found = _CUT_KEY.search(text, max(0, len(text) - _CUT_LOOK))
        if found is not None:
            return text[: found.start()] + marker.of(found[0])
    return text


def _scrub_runs(text: str, mask: bytes, start: int, marker: Marker) -> str:
    """Look for keys in the long runs only: a look at each word of a text would take ten times as long."""
    pieces: list[str] = []
    written = 0
    while start >= 0:
        end = mask.find(b" ", start)
        end = len(text) if end < 0 else end
        for found in _KEY.finditer(text, start, end):
            pieces += (text[written : found.start()], marker.of(found[0]))
            written = found.end()
        start = mask.find(_RUN, end)
    return "".join((*pieces, text[written:])) if pieces else text
