"""Redaction: every string is looked at, JSON stays JSON, hostile texts take no longer, a quick look misses nothing."""

from __future__ import annotations

import base64
import json
import random
import string
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flywheel_log.event import Wire
from flywheel_log.health import health
from flywheel_log.pipeline.redact import Redactor
from flywheel_log.pipeline.redact.anchors import suspicious
from flywheel_log.pipeline.redact.assignments import ASSIGNMENTS
from flywheel_log.pipeline.redact.commands import COMMANDS
from flywheel_log.pipeline.redact.custom import OVERLAP, PIECE, Custom
from flywheel_log.pipeline.redact.loose import LOOSE
from flywheel_log.pipeline.redact.pattern import Family, Finder
from flywheel_log.pipeline.redact.personal import PERSONAL
from flywheel_log.pipeline.redact.tokens import TOKENS
from flywheel_log.serialise import dumps

KEY = "sk-proj-4fT9aQ2xLr8ZkW1vB7nM"
EVENT: dict[str, Any] = {"timestamp": "2026-01-02T03:04:05.000Z", "kind": "llm", "client_id": "shop"}
SECRETS, ALL = Redactor(("secrets",)), Redactor(("secrets", "pii"))


def redacted(redactor: Redactor, **fields: Any) -> dict[str, Any]:
    clean = redactor(dumps({**EVENT, **fields}))
    assert clean is not None
    return {key: value for key, value in clean.items() if key not in EVENT}


def test_every_string_is_looked_at_and_counted_by_kind() -> None:
    assert redacted(
        SECRETS,
        request={"messages": [{"role": "user", "content": f"use {KEY}."}], "tools": [{"d": [KEY]}]},
        response={"choices": [{"message": {"content": f"{KEY}"}}]},
        error={"message": f"Incorrect API key provided: {KEY}"},
        tags=[KEY],
        metadata={"deep": {"er": [KEY]}, KEY: 1},
        user_id=KEY,
        prompt={"variables": {"x": KEY}},
        retrieval_docs=[{"text": KEY}],
    ) == {
        "request": {"messages": [{"role": "user", "content": "use [openai_key]."}], "tools": [{"d": ["[openai_key]"]}]},
        "response": {"choices": [{"message": {"content": "[openai_key]"}}]},
        "error": {"message": "Incorrect API key provided: [openai_key]"},
        "tags": ["[openai_key]"],
        "metadata": {"deep": {"er": ["[openai_key]"]}, "[openai_key]": 1},
        "user_id": "[openai_key]",
        "prompt": {"variables": {"x": "[openai_key]"}},
        "retrieval_docs": [{"text": "[openai_key]"}],
        "redactions": {"openai_key": 10},
    }


def test_a_clean_line_is_left_alone() -> None:
    assert SECRETS(dumps({**EVENT, "request": Wire(b'{"content": "task-list, e_mail, A, J: =@"}')})) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sk-abcdefghijklmnopqrstuvwx", "[openai_key]"),  # What somebody types who tries it out.
        ("sk-1234567890abcdef1234567890abcdef", "[openai_key]"),
        ("sk-spinner-three-bounce-wave", "sk-spinner-three-bounce-wave"),
        ("sk-learn-2-preprocessing-tools", "sk-learn-2-preprocessing-tools"),
    ],
)
def test_a_key_is_told_from_a_name_with_hyphens(text: str, expected: str) -> None:
    clean = SECRETS(dumps({**EVENT, "request": {"content": text}}))
    assert (clean["request"] if clean else {"content": text}) == {"content": expected}


@pytest.mark.parametrize("key", ["name", "key"])
def test_a_pair_of_a_name_and_a_value_reads_as_a_key_and_its_value(key: str) -> None:
    pairs = [
        {key: "DB_PASSWORD", "value": "letmein"},
        {"value": "letmein", "enabled": True, key: "X-Api-Key"},
        {key: "DEPLOY_TOKEN", "value": "a1b2c3d4e5f6g7"},
        {"value": "a1b2c3d4e5f6g7", key: "deploy_token"},
    ]
    for pair in pairs:
        arguments = redacted(SECRETS, request={"arguments": json.dumps({"env": [pair]})})["request"]["arguments"]
        (clean,) = json.loads(arguments)["env"]
        assert clean["value"] in {"[password]", "[token]"}
        assert clean | {"value": ""} == pair | {"value": ""}


@pytest.mark.parametrize("pair", [{"name": "token", "value": "a word"}, {"name": 1, "key": "password", "values": "v"}])
def test_other_pairs_are_left_alone(pair: dict[str, Any]) -> None:
    assert SECRETS(dumps({**EVENT, "request": pair})) is None


@pytest.mark.parametrize(
    "arguments",
    [["password="], {"label": "Password:"}, {"text": "API key:", "submit": True}, ["pwd:", 5, 6]],
)
def test_the_quote_behind_a_name_that_ends_a_text_begins_no_value(arguments: Any) -> None:
    assert SECRETS.event({**EVENT, "request": {"arguments": json.dumps(arguments)}}) is None  # type: ignore[typeddict-item]


def test_the_bytes_of_the_wire_are_looked_at() -> None:
    raw = json.dumps({"content": f"für\n{KEY}"}).encode()
    assert redacted(SECRETS, request=Wire(raw))["request"] == {"content": "für\n[openai_key]"}


@pytest.mark.parametrize("spelled", ["\\u0073k-proj-4fT9aQ2xLr8ZkW1vB7nM", "sk\\u002dproj-4fT9aQ2xLr8ZkW1vB7nM"])
def test_a_secret_spelled_in_escapes_is_found(spelled: str) -> None:
    raw = b'{"content": "%s"}' % spelled.encode()
    assert redacted(SECRETS, request=Wire(raw))["request"] == {"content": "[openai_key]"}


NAMES = (
    *(
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "credentials",
        "cookie",
        "authorization",
        "api_key",
        "api-key",
    ),
    *(
        "apikey",
        "access key",
        "private_key",
        "accountkey",
        "encryption-key",
        "signing_key",
        "subscription-key",
        "auth_key",
    ),
    *("masterkey", "service key", "secret-key", "access_token", "auth-token", "refreshtoken", "session_token"),
    *("security-token", "apitoken", "bot_token", "id-token", "db_pass", "databasepass", "smtp-pass", "emailpass"),
    *(
        "mail_pass",
        "ftp-pass",
        "mysqlpass",
        "postgres_pass",
        "pg-pass",
        "redispass",
        "admin_pass",
        "root-pass",
        "userpass",
    ),
    *("passwort", "kennwort", "mot de passe", "mot_de_passe", "contrasena", "contrase\u00f1a", "senha", "wachtwoord"),
    *("haslo", "has\u0142o", "heslo", "salasana", "passord", "adgangskode", "losenord", "l\u00f6senord", "jelszo"),
    *("jelsz\u00f3", "sifre", "\u015fifre", "\u043f\u0430\u0440\u043e\u043b\u044c", "\u5bc6\u7801", "\u5bc6\u78bc"),
    *("\u30d1\u30b9\u30ef\u30fc\u30c9", "\ube44\ubc00\ubc88\ud638"),
)


@pytest.mark.parametrize("written", [str, str.upper, str.title], ids=["lower", "upper", "title"])
@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_known_by_every_name_it_has(name: str, written: Callable[[str], str]) -> None:
    for ascii_only in (True, False):
        key, text = {f"my_{written(name)}": "hunter2!"}, f"{written(name)}: hunter2!"
        raw = json.dumps({"a": key, "b": text}, ensure_ascii=ascii_only).encode()
        clean = redacted(SECRETS, request=Wire(raw))["request"]
        assert "hunter2!" not in str(clean)


@pytest.mark.parametrize("before", ["IDENTIFIED BY", "identified with a by password", "PASSWORD", "password"])
def test_a_statement_in_a_text_of_a_program_that_escapes_its_quotes_is_found(before: str) -> None:
    clean = redacted(SECRETS, request=Wire(json.dumps({"content": f"'… {before} \\'hunter2!\\'"}).encode()))
    assert "hunter2!" not in str(clean["request"])


def test_the_value_under_a_telling_key_goes_whatever_it_looks_like() -> None:
    metadata = {"db_password": "letmein", "Authorization": "Basic dXNlcjpwYXNz", "api_key": 12345, "max_tokens": 5}
    assert redacted(SECRETS, metadata={**metadata, "cookie": ["a=b"], "secret": None, "password": "string"}) == {
        "metadata": {
            "db_password": "[password]",
            "Authorization": "[password]",
            "api_key": "[password]",
            "max_tokens": 5,
            "cookie": ["[password]"],
            "secret": None,
            "password": "string",
        },
        "redactions": {"password": 4},
    }


def test_names_in_the_plural_name_secrets_and_count_tokens() -> None:
    metadata = {"passwords": ["letmein", "swordfish"], "apiKeys": "one", "tokens": ["Hello", "tkn-Zq81xTplainvalue"]}
    kept = {"max_tokens": 512, "completion_tokens": 12, "tokens": 512, "secret_tokens": 3, "access_tokens": [1, 2]}
    assert redacted(SECRETS, metadata=[metadata, kept, {"credentials": 12345}]) == {
        "metadata": [
            {"passwords": ["[password]"] * 2, "apiKeys": "[password]", "tokens": ["Hello", "[token]"]},
            kept,
            {"credentials": "[password]"},
        ],
        "redactions": {"password": 4, "token": 1},
    }


def test_a_list_of_secrets_in_a_text_is_a_list_of_secrets() -> None:
    texts = ("API_KEYS=abc123def,ghi456jkl", 'use passwords = ["hunter2!", "swordf1sh"], 10 times', "pwd='a1', 'b2'")
    assert redacted(SECRETS, tags=texts)["tags"] == [
        "API_KEYS=[password],[password]",
        'use passwords = ["[password]", "[password]"], 10 times',
        "pwd='[password]', 'b2'",
    ]


def test_log_probabilities_are_no_secret_tokens() -> None:
    assert (
        SECRETS(dumps({**EVENT, "response": {"logprobs": {"content": [{"token": "Hello", "logprob": -0.1}]}}})) is None
    )


SPELLED = [{"token": piece, "logprob": -0.1, "bytes": [*piece.encode()]} for piece in ("use ", KEY[:9], KEY[9:])]
SAID, HIDDEN = f"use {KEY}", "use [openai_key]"
ANSWERS: dict[str, tuple[Any, Any]] = {
    "chat": (
        {"message": {"content": SAID}, "logprobs": {"content": SPELLED}},
        {"message": {"content": HIDDEN}, "logprobs": None},
    ),
    "completions": (
        {"logprobs": {"tokens": ["use ", KEY[:9], KEY[9:]]}, "text": SAID},
        {"logprobs": None, "text": HIDDEN},
    ),
    "responses": ({"text": SAID, "logprobs": SPELLED}, {"text": HIDDEN, "logprobs": None}),
    "google": (
        {"content": {"parts": [{"text": SAID}]}, "logprobsResult": {"chosenCandidates": SPELLED}},
        {"content": {"parts": [{"text": HIDDEN}]}, "logprobsResult": None},
    ),
}


@pytest.mark.parametrize("surface", ANSWERS)
def test_a_secret_is_not_spelled_out_by_log_probabilities(surface: str) -> None:
    answer, clean = ANSWERS[surface]
    other = {"message": {"content": "no"}, "logprobs": {"content": [{"token": "no"}]}}
    assert redacted(SECRETS, response={"choices": [answer, other]})["response"] == {"choices": [clean, other]}


PROMPT_TOKENS = {"prompt_logprobs": [None, {"9": {"decoded_token": KEY[:9]}}], "prompt_token_ids": [9, 8]}


def test_a_secret_of_the_prompt_is_not_spelled_out_by_its_tokens() -> None:
    """VLLM's answers can tell the prompt's tokens: of a chat beside its choices, of a completion in each of them."""
    answer = {**PROMPT_TOKENS, "choices": [{"text": "ok", "token_ids": [1], **PROMPT_TOKENS}]}
    nothing = dict.fromkeys(PROMPT_TOKENS)
    clean = redacted(SECRETS, request={"prompt": SAID}, response=answer)
    assert clean["response"] == {**nothing, "choices": [{"text": "ok", "token_ids": [1], **nothing}]}
    assert redacted(SECRETS, request={"prompt": "hi"}, response=answer, user_id=KEY)["response"] == answer


def test_a_secret_of_the_answer_is_not_spelled_out_by_numbers_of_tokens() -> None:
    clean = redacted(SECRETS, response={"choices": [{"message": {"content": SAID}, "token_ids": [7, 8]}]})
    assert clean["response"]["choices"] == [{"message": {"content": HIDDEN}, "token_ids": None}]


def test_under_a_bare_name_only_what_looks_random_is_a_secret() -> None:
    metadata = {"token": "tkn-Zq81xTplainvalue", "auth": "user:Zq81xTplain", "page_token": "Zq81xTplainvalue"}
    assert redacted(SECRETS, metadata={**metadata, "other": {"token": "Hello", "auth": "oauth2 by the book"}}) == {
        "metadata": {
            "token": "[token]",
            "auth": "[token]",
            "page_token": "Zq81xTplainvalue",
            "other": {"token": "Hello", "auth": "oauth2 by the book"},
        },
        "redactions": {"token": 2},
    }


def test_the_arguments_of_a_tool_stay_json() -> None:
    arguments = json.dumps({"to": "bob@example.com", "note": f'say "hi"\n{KEY}', "card": 4111111111111111, "n": 1})
    event = redacted(ALL, response={"tool_calls": [{"function": {"arguments": arguments}}]})
    assert json.loads(event["response"]["tool_calls"][0]["function"]["arguments"]) == {
        "to": "[email]",
        "note": 'say "hi"\n[openai_key]',
        "card": "[card]",
        "n": 1,
    }


def test_arguments_that_are_cut_off_keep_their_escapes() -> None:
    cut = '{"text": "mail\\nbob@example.com\\tand\\nsk-proj-4fT9aQ2xLr8ZkW1vB7nM", "password": "hun\\u0074er2", "x": "'
    [clean] = redacted(ALL, tags=[cut])["tags"]
    assert clean == '{"text": "mail\\n[email]\\tand\\n[openai_key]", "password": "[password]", "x": "'


def test_pseudonyms_are_the_same_for_the_same_value_and_key() -> None:
    one, two = (Redactor(("pii",), replace_with="pseudonym", key=key) for key in ("k1", "k2"))
    texts = ["bob@example.com", "eve@example.com", "bob@example.com"]
    bob, eve, again = redacted(one, tags=texts)["tags"]
    assert (bob, bob == eve, bob == redacted(two, tags=texts)["tags"][0]) == (again, False, False)
    assert redacted(Redactor(("pii",), replace_with="pseudonym", key="k1"), tags=texts)["tags"] == [bob, eve, again]
    assert bob == "[email:78c203042f0d]"


@pytest.mark.parametrize(
    ("kind", "said", "called_with"),
    [
        ("email", "Bob@Example.com", "bob@example.com"),
        ("email", "bob@bücher.example", "BOB%40bücher.example"),
        ("card", "4111 1111 1111 1111", 4111111111111111),
        ("card", "4111\u00a01111\u00a01111\u00a01111", "4111-1111-1111-1111"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("phone", "+1 (202) 555-0143", "+12025550143"),
    ],
)
def test_a_value_has_one_pseudonym_however_a_tool_call_spells_it(kind: str, said: str, called_with: str | int) -> None:
    pseudonyms = Redactor(("pii",), replace_with="pseudonym", key="k1")
    arguments = json.dumps({"of": called_with}, ensure_ascii=False)
    clean = redacted(pseudonyms, request={"content": said, "arguments": arguments})["request"]
    assert json.loads(clean["arguments"]) == {"of": clean["content"]}
    assert clean["content"].startswith(f"[{kind}:")


def test_a_pseudonym_without_a_key_is_warned_about() -> None:
    one, two = (Redactor(("pii",), replace_with="pseudonym") for _ in range(2))
    assert redacted(one, user_id="bob@example.com") != redacted(two, user_id="bob@example.com")
    assert (
        "FLYWHEEL_LOG_REDACT_KEY is not set, so pseudonyms of different processes cannot be compared" in health._warned
    )


def test_dropped_values_leave_nothing() -> None:
    assert redacted(Redactor(("pii",), replace_with="drop"), user_id="<bob@example.com>")["user_id"] == "<>"


def test_keys_that_become_the_same_are_kept_apart() -> None:
    metadata = {"bob@example.com": 1, "eve@example.com": 2}
    assert redacted(ALL, metadata=metadata)["metadata"] == {"[email]": 1, "[email]#1": 2}


def test_own_patterns_are_found_by_their_kind_and_first() -> None:
    own = Redactor(("secrets",), patterns={"customer": r"C-(\d{6})", "tiny": r"\bq\d\b"})
    assert redacted(own, user_id="C-123456", tags=["q7"]) == {
        "user_id": "C-[customer]",
        "tags": ["[tiny]"],
        "redactions": {"customer": 1, "tiny": 1},
    }


def test_own_patterns_see_pieces_of_a_long_text_and_miss_nothing_at_their_seams() -> None:
    text = "x" * (PIECE - 3) + "C-123456" + "y" * PIECE + "C-654321"
    starts = {start for start, _, _ in Custom("customer", r"C-\d{6}").spans(text)}
    assert starts == {PIECE - 3, 2 * PIECE + 5}
    assert OVERLAP < PIECE


def test_a_finder_that_raises_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="Expecting property name"):
        ALL(b"{")


TEXTS = st.text(st.sampled_from("sk-ant_AKIZabeyJ.:=@/\\\"' \n0123passwordécret"), max_size=80)
PARTS = (
    *(
        "sk-",
        "ghp_",
        "AKIA",
        "eyJ",
        ".eyJ",
        "Bearer ",
        "password",
        '"',
        "\\",
        "'",
        ":",
        "=",
        " ",
        "\n",
        "é",
        "://u:",
        "@h",
    ),
    *(
        "xoxb-",
        "sk_live_",
        "-----BEGIN PRIVATE KEY-----",
        "a1B2" * 10,
        "ABCD2345EFGH7654",
        "hunter2!",
        "api_key",
        *(
            "token",
            "AUTH",
            'token\\": ',
            "SG.",
            "dop_v1_",
            "?sig=",
            "X-Amz-Signature=",
            "curl -u me:",
            "a/B1" * 4,
            "a1B2" * 3,
        ),
        *("a1B2" * 3, "tokens", "TOKENS", "s", "[", "]", ", ", ",", "\u200b", "\u200d", "\u00ad", "\\u200b"),
        "{",
        "}",
    ),
    "\\u0073",
    *(
        "mysql ",
        "sshpass ",
        " -p",
        "redis-cli -a ",
        "IDENTIFIED BY '",
        "PASSWORD '",
        "machine a ",
        "password ",
        "|",
        ";",
    ),
    *(
        "\t",
        "user,",
        "contraseña",
        "Пароль",
        "密码",
        "\uff1a",
        "mot de passe",
        "DB_PASS",
        "glpat-",
        "dapi",
        "12345678:AA",
    ),
    *("Q~", "https://hooks.slack.com/services/", "AGE-SECRET-KEY-1", "Private-Lines: 1", "hvs.", "0f" * 16, "lsv2_pt_"),
    *("1//0", "name", "value"),
)
PIECES = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)
VALUES = st.recursive(
    TEXTS | PIECES | st.fixed_dictionaries({"name": PIECES, "value": PIECES}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | PIECES, inner, max_size=3),
)


@given(VALUES, st.booleans(), st.integers(0, 2), st.sampled_from(["/", r"\/"]))
@example({'x"api_key': "hunter2!"}, False, 2, "/")
@example({"name": "user[password]", "value": "hunter2!"}, False, 1, "/")
@example({"value": "hunter2!", "key": "Password: "}, False, 1, "/")
@example({"name": "tokens", "value": "a1B2" * 4}, False, 0, "/")
@example({"value": "a1B2" * 4, "name": "tokens"}, False, 0, "/")
@example("1//0" + "a1B2" * 9, False, 1, r"\/")
def test_a_quick_look_never_overlooks_what_the_walk_finds(value: Any, ascii_only: bool, depth: int, slash: str) -> None:
    for _ in range(depth):
        value = {"arguments": json.dumps(value, ensure_ascii=ascii_only)}
    raw = json.dumps({"content": value}, ensure_ascii=ascii_only).replace("/", slash).encode()
    line = dumps({**EVENT, "request": Wire(raw)})
    if not suspicious(line):
        assert SECRETS.event(orjson.loads(line)) is None


def families(finders: Sequence[Finder]) -> Iterator[Family]:
    for one in finders:
        if isinstance(one, Family):
            yield from (one, *families(one.finders))


FAMILIES = [*families((*TOKENS, *ASSIGNMENTS, *COMMANDS, *LOOSE, *PERSONAL))]
WORDS = ("Phone", "tel", "call me at", "SSN", "Social Security Number", "is", "number", "nr", "é", "123 45 6789")
ASKED = st.lists(st.sampled_from(WORDS) | st.text("0179 :.+()-\n", max_size=9), max_size=6).map("".join)


@given(ASKED | TEXTS | PIECES)
@example("Phone is number (0171) 234567")
@example("SSN is 123 45 6789")
def test_a_family_never_passes_over_what_one_of_its_finders_finds(text: str) -> None:
    for family in FAMILIES:
        assert [*family.spans(text)] == [span for finder in family.finders for span in finder.spans(text)]


@given(VALUES)
@example(["redis-cli -a "])
@example({"IDENTIFIED BY '": "0'"})
@example("密码@h.sk")
@example("--PASSWORD '")
def test_json_in_strings_stays_json(value: Any) -> None:
    clean = ALL.event({**EVENT, "metadata": {"arguments": json.dumps(value)}})
    assert clean is None or is_json(clean["metadata"]["arguments"] or '""')


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


HOSTILE = [
    *("01 ", "01-", "(01)"),
    *(
        "a" * 9,
        "sk-",
        "sk-ant-",
        "eyJaaaaaaaaaa.",
        "AKIA",
        "1 ",
        "1-",
        "1",
        "A1",
        "AB12 ",
        ":a",
        "::",
        "a:",
        "1.",
        "255.",
    ),
    *(
        "+1 ",
        "+1(",
        "(234) ",
        "a@",
        "a.",
        "@a.",
        "://a:",
        "://",
        "password=",
        'password="',
        "pwd:'\\",
        "-----BEGIN PRIVATE KEY-----",
    ),
    *("Bearer ", "phone ", "SSN ", "\\", '"', "{", "x y", "ghp_", "token: ", "\\n", "-----BEGIN A "),
    *("passwords=a1,", "passwords=['a1', ", "a1,b2,c3,", "tokens=[", "\u200b", "\u200bsk-"),
    *("token=", "auth=a1", "curl ", "curl -u a:", "&sig=", "SG."),
    *("mysql ", "mysql -p", "mongo -p a ", "machine a login b ", "IDENTIFIED WITH a BY ", "SET PASSWORD FOR a", "a|"),
    *("password|a\n", "a,password\n", "a1b2c3,", "MTA1" * 6, "12345678:", "Private-Lines: 1\n", "/api/webhooks/"),
    *("password=" * 28 + "a1" * 2000, "://u:" + "a1" * 2000, "<secret>" + "a1" * 2000),
]


@pytest.mark.parametrize("head", ["sk-", "pa-", "hvs.", "glpat-"])
def test_data_that_goes_on_and_on_is_no_key(head: str) -> None:
    data = head + "".join(random.Random(2).choices(string.ascii_letters + string.digits + "-_", k=4000))
    assert SECRETS(dumps({**EVENT, "user_id": data})) is None
    assert redacted(SECRETS, user_id=data[:2000])["user_id"].startswith("[")
    assert redacted(SECRETS, user_id=data[:2048])["user_id"].startswith("[")
    assert SECRETS(dumps({**EVENT, "user_id": data[:2049]})) is None


@pytest.mark.parametrize("key", ["hf_" + "a1B2" * 9, "ghp_" + "a1B2" * 9, "glpat-" + "a1B2" * 5, "pa-" + "a1B2" * 9])
def test_what_looks_like_a_key_inside_of_encrypted_reasoning_is_none(key: str) -> None:
    data = "".join(random.Random(3).choices(string.ascii_letters + string.digits + "-_", k=1500))
    item = {"type": "reasoning", "encrypted_content": f"gAAAA{data}-{key}-{data}=="}
    assert SECRETS(dumps({**EVENT, "metadata": item})) is None
    assert ALL.event({**EVENT, "metadata": {"arguments": json.dumps(item)}}) is None
    assert key not in str(redacted(ALL, user_id=f"{data} {key} {data}"))
    assert key not in str(redacted(ALL, metadata={"password": item["encrypted_content"]}))


def test_a_private_key_in_one_long_line_ends_where_it_ends() -> None:
    body = "".join(random.Random(4).choices(string.ascii_letters + string.digits + "+/", k=3200))
    text = f"-----BEGIN PRIVATE KEY-----{body}-----END PRIVATE KEY-----and then"
    assert redacted(SECRETS, user_id=text)["user_id"] == "[private_key]and then"


@pytest.mark.parametrize("length", [300, 1700, 4000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PRIVATE_KEY={}== and more", "PRIVATE_KEY=[password] and more"),
        ('export SECRET_KEY="{}"', 'export SECRET_KEY="[password]"'),
        ("Authorization: Basic {}\nHost: h", "Authorization: Basic [password]\nHost: h"),
        ("https://_json_key_base64:{}@host/simple/", "https://_json_key_base64:[url_password]@host/simple/"),
        ("<secret>{}</secret>", "<secret>[password]</secret>"),
    ],
)
def test_a_secret_with_a_name_is_redacted_to_its_end(text: str, expected: str, length: int) -> None:
    key = "".join(random.Random(length).choices(string.ascii_letters + string.digits, k=length))
    assert redacted(SECRETS, user_id=text.format(key))["user_id"] == expected
    assert redacted(SECRETS, metadata={"a": json.dumps(["x", text.format(key)])})["metadata"]["a"] == json.dumps(
        ["x", expected]
    )


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\n    ", "\\\n"])
@pytest.mark.parametrize("width", [64, 76])
def test_a_secret_with_a_name_is_redacted_over_its_lines(width: int, break_: str) -> None:
    key = base64.b64encode(random.Random(width).randbytes(450)).decode()
    lines = break_.join(key[at : at + width] for at in range(0, len(key), width))
    for text in (f"PRIVATE_KEY={lines}{{}}", f'PRIVATE_KEY="{lines}"{{}}', f"PRIVATE_KEY=\n{lines}{{}}"):
        shown = redacted(SECRETS, user_id=text.format("\nDEBUG=1 and more"))["user_id"]
        assert key[-10:] not in shown
        assert not any(key[at : at + 10] in shown for at in range(0, len(key), width))
        assert shown.endswith("\nDEBUG=1 and more")


@pytest.mark.parametrize("size", [64, 90, 96])
@pytest.mark.parametrize("seed", range(12))
def test_the_last_line_of_a_secret_is_part_of_it_and_an_empty_variable_is_not(size: int, seed: int) -> None:
    """As `openssl rand -base64 64` makes it, in two lines."""
    key = base64.b64encode(b"k" + random.Random(seed).randbytes(size - 1)).decode()
    lines = "\n".join(key[at : at + 64] for at in range(0, len(key), 64))
    for more in ("DEBUG=", "DEBUG=1", "and more"):
        shown = redacted(SECRETS, user_id=f"SECRET_KEY={lines}\n{more}\n")["user_id"]
        assert shown == f"SECRET_KEY=[password]\n{more}\n"


@pytest.mark.parametrize("sign", ["=", ":", "= ", '="'])
def test_a_secret_may_begin_with_a_slash_as_one_of_64_in_base64_does(sign: str) -> None:
    for seed in range(12):
        key = base64.b64encode(b"\xff\0" + random.Random(seed).randbytes(30)).decode()
        assert key not in redacted(SECRETS, user_id=f"export SECRET_KEY{sign}{key}")["user_id"]
    assert SECRETS(dumps({**EVENT, "user_id": "see secret://docs1 and password://host1/x"})) is None


@pytest.mark.parametrize("sign", ["|", "|-", ">", ">-", "|2+"])
@pytest.mark.parametrize("break_", ["\n", "\r\n"])
def test_a_secret_in_a_block_of_yaml_is_redacted_with_all_its_lines(sign: str, break_: str) -> None:
    block = break_.join(("    MIIEpAIBAAKCAQEA7", "    q3Fz0pT9", "", "      tail-of-it", "  ", "", "    xyz"))
    text = break_.join(("spec:", f"  private_key: {sign}", "{}", "  replicas: 3", ""))
    assert redacted(SECRETS, user_id=text.format(block))["user_id"] == text.format("    [password]")


def test_a_block_of_yaml_that_tells_no_secret_stays() -> None:
    for text in (
        "password: |\n  the one of the database\n",
        "secret: |\n  <your secret>\n",
        "  | Password: |\n  |---|\n  | none |\n",
        "summary: |\n  hunter2 is no secret\n",
    ):
        assert SECRETS(dumps({**EVENT, "user_id": text})) is None


def test_what_follows_a_secret_of_one_line_is_none_of_it() -> None:
    digest = "0123456789abcdef" * 4
    for more in ("USER1", "2026-11-27", "thanks", "PATH=/bin", "DATABASE"):
        text = f"SECRET_KEY={digest}\n{more}\n"
        assert redacted(SECRETS, user_id=text)["user_id"] == f"SECRET_KEY=[password]\n{more}\n"


def least_seconds(work: Callable[[], object]) -> float:
    """Processor time of the quickest of three: the garbage collector may look through the whole program in one."""

    def seconds() -> float:
        before = time.thread_time()
        work()
        return time.thread_time() - before

    return min(seconds() for _ in range(3))


@pytest.mark.parametrize("signs", ["+/", "-_", " "])
def test_random_text_is_looked_through_in_one_pass(signs: str) -> None:
    alphabet = string.ascii_letters + string.digits + signs
    line = dumps({**EVENT, "user_id": "".join(random.Random(1).choices(alphabet, k=200_000))})
    looked = least_seconds(lambda: suspicious(line))
    # What an interpreter takes for each character; the engine takes less.
    assert looked < 10 * least_seconds(lambda: sum(byte > 1 for byte in line))


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_of_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    def seconds(length: int) -> float:
        event = {**EVENT, "user_id": (piece * (length // len(piece) + 1))[:length]}
        return least_seconds(lambda: (ALL.event(event), suspicious(dumps(event))))

    assert seconds(200_000) < 40 * seconds(20_000) + 0.5


@pytest.mark.parametrize("number", ["555-123-4567", "(555) 123-4567", "555.123.4567"])
def test_the_numbers_that_people_make_up_are_numbers(number: str) -> None:
    event: Any = {"kind": "llm", "timestamp": "t", "request": {"prompt": f"It is {number}."}}
    assert Redactor(("pii",)).event(event)["request"] == {"prompt": "It is [phone]."}
