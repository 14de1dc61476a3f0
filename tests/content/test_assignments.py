"""Redaction by name inside texts: assignments, headers, options, pairs, XML, JSON that is cut or escaped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content import Redactor

redactor = Redactor(key=b"a key for tests")
SECRET = "hunter2"
MARKER = redactor.marker.of(SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        "password = hunter2",
        "password='hunter2'",
        'password = "hunter2"',
        "password := `hunter2`",
        'password => "hunter2"',
        "password: hunter2",
        "Password:hunter2",
        "PASSWORD=hunter2",
        "export DB_PASSWORD=hunter2",
        "?user=me&password=hunter2&x=1",
        "login(user='me', password='hunter2')",
        "login(password=hunter2, user=me)",
        "{'password': 'hunter2'}",
        "{'password': b'hunter2'}",
        '{"password": "hunter2"',
        '{"password":"hunter2',
        '{\\"password\\": \\"hunter2\\"}',
        '{\\\\\\"password\\\\\\":\\\\\\"hunter2\\\\\\"}',
        'config["password"] = "hunter2"',
        "os.environ['DB_PASSWORD'] = 'hunter2'",
        "self.password: str = 'hunter2'",
        "def login(user, password: str | None = 'hunter2'):",
        "--password hunter2",
        "--password=hunter2",
        '["--password", "hunter2"]',
        "('password', 'hunter2')",
        "[('user', 'me'), ('password', 'hunter2')]",
        "[(b'authorization', b'hunter2')]",
        '[["user", "me"], ["password", "hunter2"]',
        "<password>hunter2</password>",
        '<password type="plain">hunter2</password>',
        '<user password="hunter2"/>',
        "Server=db;User Id=me;Password=hunter2;Encrypt=yes",
        "host=db user=me password=hunter2 dbname=x",
        "Authorization: hunter2",
        "X-Api-Key: hunter2\nAccept: */*",
        "x-envpod-access-token-id: hunter2",
        "-H 'X-Api-Key: hunter2' https://example.org",
        "Cookie: hunter2",
        "line one\\npassword=hunter2\\nline three",
        "line one\npassword=hunter2\nline three",
        "%22password%22%3Ahunter2",
        "password%3Dhunter2",
        "größe=1 password=hunter2 ☃",
        "İstanbul İİİ password=hunter2",
        "access_token=hunter2",
        "accessToken: 'hunter2'",
        "private_key='hunter2'",
        "token: hunter2",
        "password=(hunter2)",
        "API_KEY: Final = 'hunter2'",
        "password: dict[str, str] | None = 'hunter2'",
        "input('Password: ') and password='hunter2'",
        "curl -u me:hunter2 https://example.org",
        "curl --user 'me:hunter2' https://example.org",
        "api_key is set: api_key=hunter2",
    ],
)
def test_values_of_secret_names_are_replaced(text: str) -> None:
    written = redactor.text(text)
    assert written == text.replace(SECRET, MARKER)
    assert redactor.text(written) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Authorization: Bearer hunter2x, ok", "Authorization: Bearer {}, ok"),
        ("authorization: Basic hunter2x", "authorization: Basic {}"),
        ("Authorization: Token hunter2x\nAccept: x", "Authorization: Token {}\nAccept: x"),
        ('"Authorization": "Bearer hunter2x"', '"Authorization": "Bearer {}"'),
        ("{'Proxy-Authorization': 'Basic hunter2x'}", "{'Proxy-Authorization': 'Basic {}'}"),
    ],
)
def test_the_scheme_of_an_authorization_stays(text: str, written: str) -> None:
    assert redactor.text(text) == written.replace("{}", redactor.marker.of("hunter2x"))


@pytest.mark.parametrize(
    "text",
    [
        "db:\n  password: {}\n  user: me",
        "- secret: {}\n- other: x",
        "proxy.auth.password: {}\n",
        "[db]\nuser = me\npassword = {}",
        "x-api-key: {}\r\nAccept: */*",
        "one\\n  password: {}\\n  user: me",
        "Server=db;Password={};Encrypt=yes",
    ],
)
def test_a_value_on_a_line_of_its_own_may_hold_spaces(text: str) -> None:
    value = "correct horse, battery & staple"
    assert redactor.text(text.replace("{}", value)) == text.replace("{}", redactor.marker.of(value))


def test_headers_of_several_parts_go_as_a_whole() -> None:
    assert redactor.text("Cookie: a=b; c=d\nAccept: x") == f"Cookie: {redactor.marker.of('a=b; c=d')}\nAccept: x"
    written = redactor.text('Authorization: AWS4-HMAC-SHA256 Credential=abc/def, Signature=zzzyyy"')
    assert "zzzyyy" not in written
    assert "abc/def" not in written


@pytest.mark.parametrize(
    "text",
    [
        "the key: it opens the door",
        "Token: a thing that stands for another",
        "author: Bob, keyboard=qwerty, monkey: see, monkey=do",
        "max_tokens=5, input_tokens: 17, token_count=12, 'total_tokens': 4",
        '{"token": 12, "key": -1.5e3}',
        "KeyError: 'name'",
        "TokenError: unexpected end",
        "password: str, token: bytes = None, key=lambda x: x",
        "token = get_token(1)",
        "key=os.environ['HOME']",
        "password=None, secret: null, token=''",
        'password=""',
        "secret://path/to and token://x",
        '"required": ["token", "text"]',
        "if key != other and token is not None",
        "press any key, then pass the token on",
        "the passage: authors wrote; secretary: Ann",
        "bypass=1 compass: north",
        "a = b; c: d",
        "sorted(rows, key=str.lower), max(rows, key=len), key=self._sort_key",
        "login(user=user, password=password, token=self.token, secret=config.secret)",
        "password = ask('Password: ')\nreturn ask('Save it? ', ['y'])",
        'print("Enter the secret: ")\nprint("Done: ")',
        "password = ask_for_password(\n    user\n)",
        "passwords[user] = value; table[key] = [table[key], other]",
        "session.auth.prompting = not options.quiet",
        "cookies=self.cookies, authorization: None",
        "a name that ends in `.<key>` stands for `<x>` and </b>",
        "password=********, secret: ..., 'token': 'xxxx'",
        f"password: sha256:{'0' * 64}",
    ],
)
def test_other_values_stay(text: str) -> None:
    assert redactor.text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "capture-and-privacy.md#secrets-of-your-own: Names …",
        "#secrets-of-your-own: Names and patterns from the environment",
        "see password-policy: you must choose a new one\nand keep it",
        "The password: please choose one that is long.",
        "I forgot my password: can you help?",
        "Cookies: we use them to remember you",
        "Secrets: what to do with them",
        "api-key-rotation: How to rotate keys",
        "`password`: The user's password",
        "| `secret_key` | used for signing |",
        "Args:\n    secret: The secret to redact.\n    credentials: How to log in, or not.",
        "Authorization: Bearer is the usual scheme of it.",
        "secret: the recipe of my grandmother's cake",
    ],
)
def test_prose_stays(text: str) -> None:
    assert redactor.text(text) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password: swordfish and the user is me", "swordfish and the user is me"),
        ("my password: swordfish, please log in for me", "swordfish"),
        ("password: the", "the"),
        ("password: The", "The"),
        ("password: the1 user is me", "the1 user is me"),
        ("the password: the1 user is me", "the1"),
        ("password: the quick brown fox jumps over the lazy dog", "the quick brown fox jumps over the lazy dog"),
        ("password: correct horse battery staple", "correct horse battery staple"),
        ("password: it is a 53cret", "it is a 53cret"),
        ("password: it is swordfish", "it is swordfish"),
        ("password = the one that we use", "the one that we use"),
        ("password-for-the-db: swordfish", "swordfish"),
        ("#password-for-the-db: swordfish", "swordfish"),
        ("#password: swordfish", "swordfish"),
        ("https://host/path#access_token=swordfish", "swordfish"),
        ("https://host/path#access_token:swordfish", "swordfish"),
        ("Authorization: the-scheme is swordfish", "the-scheme is swordfish"),
    ],
)
def test_what_only_looks_like_prose_goes(text: str, secret: str) -> None:
    written = redactor.text(text)
    assert written == text.replace(secret, redactor.marker.of(secret))
    assert redactor.text(written) == written


@pytest.mark.parametrize(
    "value",
    [
        "p@ss,w0rd",
        "a|b",
        "x.y-z/+=",
        "päss☃wörd",
        "<angle",
        "1234",
        "$2b$10$abc",
        "it's",
        "a&b",
        "Passw0rd(1",
        "a1(b[c{d",
        "back\\slash",
    ],
)
def test_unquoted_values_may_hold_odd_characters(value: str) -> None:
    assert redactor.text(f"password={value} next") == f"password={redactor.marker.of(value)} next"


@pytest.mark.parametrize(
    "value",
    ['with "quotes"', "it's", "back\\slash", "ends in \\", "line\nbreak", "tab\t", "ünïcode ☃", "\x00", "{}[]()"],
)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_json_in_json_is_read_to_any_depth(value: str, depth: int) -> None:
    text: object = {"password": value, "user": "me"}
    for _ in range(depth):
        text = json.dumps(text)
    assert isinstance(text, str)
    inner: object = redactor.text(text)
    for _ in range(depth):
        assert isinstance(inner, str)
        inner = json.loads(inner)
    assert inner == {"password": redactor.marker.of(value), "user": "me"}


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("end", range(1, 12))
def test_json_that_is_cut_gives_nothing_away(depth: int, end: int) -> None:
    text: str = json.dumps({"text": 'a "quoted" text', "password": 'hunter2 is "the" password', "list": ["a", "b"]})
    for _ in range(depth):
        text = json.dumps(text)
    written = redactor.text(text[:-end])
    assert "hunter2" not in written
    assert "the" not in written.split("password")[1]
    assert "quoted" in written


@pytest.mark.parametrize(
    "text",
    [
        '{"credentials": {"user": "hunter2", "other": "x"}}',
        '{"cookies": ["hunter2", "x"]}',
        '{"credentials": {"user": "hunter2", "other": "x"}, "cut',
        '{"cookies": ["hunter2", "x"], "cut',
        '{"cookies": ["hunter2", "x',
        '{"pass\\u0077ord": "hunter2"}',
        '{"name": "DB_PASSWORD", "value": "hunter2"}',
        '{"key": "Authorization", "value": "hunter2"}',
        '{"password": "x", "password": "hunter2"}',
        '{"password": "hunter2", "password": 1}',
        '[["authorization", "hunter2"], ["accept", "*/*"]]',
        '{"argv": ["login", "--password", "hunter2"]}',
    ],
)
def test_secrets_in_the_structure_of_json_are_found(text: str) -> None:
    assert "hunter2" not in redactor.text(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "password": "hunter2", "b": [1.5, true, null, "ü"]}',
        '{"a":1,"password":"hunter2","b":[1.5,true,null,"\\u00fc"]}',
        '["x", {"password": "hunter2"}]',
    ],
)
def test_json_stays_as_it_was_but_for_the_secret(text: str) -> None:
    assert redactor.text(text) == text.replace("hunter2", MARKER)


def test_json_without_secrets_is_not_touched() -> None:
    text = '{ "key_count" :1.50,"n":12345678901234567890123,"nan":NaN, "path":"a\\/b" , "n": 1}'
    assert redactor.text(text) == text


def test_schemas_of_tools_are_no_secrets() -> None:
    text = json.dumps({"properties": {"token": {"type": "string", "description": "what to look up"}}})
    assert redactor.text(text) == text


_NAMES = st.sampled_from(["password", "api_key", "Authorization", "x-secret", "accessToken"])
_VALUES = st.text(st.characters(exclude_categories=["C"]), min_size=3).map(lambda text: f"{SECRET}{text}{SECRET}")


@given(_NAMES, _VALUES, st.integers(0, 3))
def test_a_secret_of_any_characters_is_found_in_json(name: str, value: str, depth: int) -> None:
    text: object = [{"a": "x", name: value, "b": [value[:2]]}]
    for _ in range(depth + 1):
        text = json.dumps(text, ensure_ascii=bool(depth % 2))
    assert isinstance(text, str)
    assert SECRET not in redactor.text(text)


@given(_NAMES, _VALUES, st.data())
def test_a_secret_of_any_characters_is_found_in_a_repr(name: str, value: str, data: st.DataObject) -> None:
    text = repr({"a": "x", name: value, "b": 1})
    assert SECRET not in redactor.text(text)
    cut = text[: data.draw(st.integers(text.index(SECRET), len(text)))]
    assert SECRET not in redactor.text(cut)


_FORMS = st.sampled_from(
    [
        "password={}",
        "password = {}",
        "password='{}'",
        'password: "{}"',
        '{"password": "{}"}',
        "{'api_key': '{}'}",
        "API_KEY={}",
        "--token {}",
        "?access_token={}&x=1",
        "Authorization: Bearer {}",
        "X-Api-Key: {}",
        "('secret', '{}')",
        "<password>{}</password>",
        '\\"token\\": \\"{}\\"',
        "Password={};Server=x",
        "bearer {}",
    ]
)
_AROUND = st.lists(
    st.sampled_from(
        [
            "key",
            "token",
            "the",
            "password",
            "=",
            ":",
            '"',
            "'",
            "\\n",
            "\\",
            "{",
            "}",
            "(",
            ")",
            "<b>",
            "//a",
            "Bearer",
            "--",
        ]
    )
    | st.text("abc 01\n.,;:!?()[]{}<>=&%$#@/\\|~^*+-_'\"`é☃", max_size=5),
    max_size=4,
).map(" ".join)


@given(_AROUND, _FORMS, st.sampled_from([" ", "\n", " ; "]), st.sampled_from([" ", "\n", ""]), _AROUND)
def test_a_secret_is_found_whatever_stands_around_it(before: str, form: str, gap: str, end: str, after: str) -> None:
    secret = "Hunter2xYz01"
    text = f"{before}{gap}{form.replace('{}', secret)}{end or ' '}{after}"
    written = redactor.text(text)
    assert secret not in written
    assert redactor.text(written) == written


@given(st.text(alphabet="pasword=token:\"'\\ \n()[]{}<>/,-;&%3AbB_.x1"))
def test_any_text_can_be_read_and_is_read_the_same_again(text: str) -> None:
    written = redactor.text(text)
    assert redactor.text(written) == written


@pytest.mark.parametrize(
    "piece",
    [
        "key",
        'token="',
        "password: [",
        '\\"token\\":\\"',
        '["',
        '{"a":',
        "<token>",
        "--token ",
        "('key','",
        "token" + "\\" * 50,
        "cookie: (",
        "cookie: a ",
        "authorization: [",
        "password=a ",
        "<key>",
        'password: "',
        "\n secret: {",
        "--token-",
        "password: the ",
        "password-of: a ",
        "('key',",
        "key" * 20 + "=",
        "https://x:@",
    ],
)
def test_the_work_is_linear(piece: str) -> None:
    # Were it quadratic, this would take minutes: the time limit of tests is what fails it.
    assert len(redactor.text(piece * (400_000 // len(piece)))) > 0
    assert len(redactor.text("</x>'--" + piece * (200_000 // len(piece)))) > 0
