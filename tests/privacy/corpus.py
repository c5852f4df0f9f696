"""A labelled corpus: for each kind a hundred values and more, and as many things that only look like one."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ALNUM = string.ascii_letters + string.digits
B64URL = ALNUM + "-_"
HEX = "0123456789abcdef"
AROUND = (
    "{}",
    "please use {} for this",
    "I wrote {}, and then it failed.",
    "first line\n{}\nlast line",
    'curl -d "{}"',
    "({})",
    "see <{}>",
    "Übrigens: {}!",
    "a\t{}\tb",
    "It is {}.",
)


@dataclass(frozen=True)
class Sample:
    """A text, and the value in it that must go; None where nothing must."""

    text: str
    value: str | None


Make = Callable[[random.Random], str]


def _chars(count: int, of: str = ALNUM) -> Make:
    return lambda dice: "".join(dice.choices(of, k=count))


def _with(*parts: str | Make) -> Make:
    return lambda dice: "".join(part if isinstance(part, str) else part(dice) for part in parts)


def _any(*makes: Make) -> Make:
    return lambda dice: dice.choice(makes)(dice)


def _digits(*counts: int, sep: str = "-") -> Make:
    return lambda dice: sep.join("".join(dice.choices("23456789", k=count)) for count in counts)


def _luhn(head: str, length: int, group: int = 0) -> Make:
    def make(dice: random.Random) -> str:
        body = head + "".join(dice.choices(string.digits, k=length - len(head) - 1))
        total = sum(sum(divmod(2 * int(one), 10)) for one in body[::-2]) + sum(int(one) for one in body[-2::-2])
        number = body + str(-total % 10)
        return " ".join(number[at : at + group] for at in range(0, length, group)) if group else number

    return make


def _broken(make: Make) -> Make:
    """The same with its last digit, the check digit, changed."""

    def changed(dice: random.Random) -> str:
        number = make(dice)
        return number[:-1] + str((int(number[-1]) + dice.randint(1, 9)) % 10)

    return changed


def _iban(country: str, length: int, *, spaced: bool) -> Make:
    def make(dice: random.Random) -> str:
        body = "".join(dice.choices(string.digits, k=length - 4))
        check = 98 - int("".join(str(int(one, 36)) for one in f"{body}{country}00")) % 97
        number = f"{country}{check:02d}{body}"
        return " ".join(number[at : at + 4] for at in range(0, length, 4)) if spaced else number

    return make


def _wrong_iban(dice: random.Random) -> str:
    number = _iban("DE", 22, spaced=dice.random() < 0.5)(dice)
    return number[:2] + f"{(int(number[2:4]) + dice.randint(1, 90)) % 100:02d}" + number[4:]


def _ipv4(dice: random.Random) -> str:
    return ".".join(str(dice.randint(1, 254)) for _ in range(4)).replace("127.", "128.", 1)


def _ipv6(dice: random.Random) -> str:
    return ":".join(["2001", "db8", *(f"{dice.randrange(1, 1 << 16):x}" for _ in range(6))])


def _choice(*items: str) -> Make:
    return lambda dice: dice.choice(items)


_WORD = _choice("spinner", "three", "bounce", "learn", "toggle", "container", "menu", "fading", "circle")
_NAME = _choice(
    "alice", "bob.smith", "j.doe+news", "carla_99", "d-e", "x", "anna.maria.lopez", "oneil", "jörg.müller", "дарья"
)
_HOST = _choice("example.com", "mail.example.org", "sub.domain.co.uk", "uni-ulm.de", "a1.io", "firm.museum")
_SECRET_NAME = _choice(
    *("password", "PASSWORD", "db_password", "passwd", "pwd", "api_key", "API_KEY", "apikey", "x-api-key", "secret"),
    *("client_secret", "AWS_SECRET_ACCESS_KEY", "access_token", "auth-token", "refresh_token", "passphrase", "apiKey"),
    *("passwords", "API_KEYS", "apiKeys", "secrets", "access_tokens"),
)
_SECRET = _any(
    _with(_chars(6), _digits(2), "!"),
    _with(_digits(1), _chars(20)),
    _with(_chars(3), "#", _chars(5)),
    _with("hunter", _digits(1)),
)
_KEY_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"

VALUES: dict[str, Make] = {
    "openai_key": _any(_with("sk-", _chars(48)), _with("sk-proj-", _chars(80, B64URL)), _with("sk-", _chars(32, HEX))),
    "anthropic_key": _with("sk-ant-api03-", _chars(93, B64URL), "AA"),
    "aws_access_key": _with(_choice("AKIA", "ASIA"), _chars(16, string.ascii_uppercase + "234567")),
    "github_token": _any(
        _with(_choice("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _chars(36)),
        _with("github_pat_", _chars(22), "_", _chars(59)),
    ),
    "gitlab_token": _any(
        _with(_choice("glpat-", "glrt-t1_", "gldt-", "glagent-"), _chars(20, B64URL)),
        _with("glpat-", _chars(27), ".01.", _chars(9, HEX)),
    ),
    "slack_token": _with(_choice("xoxb-", "xoxp-", "xoxa-"), _digits(12, 12), "-", _chars(24)),
    "google_key": _with("AIza", _chars(35, B64URL)),
    "stripe_key": _with(_choice("sk_live_", "sk_test_", "rk_live_"), _chars(24)),
    "huggingface_token": _with("hf_", _chars(34)),
    "npm_token": _with("npm_", _chars(36)),
    "api_key": _any(
        *(_with("gsk_", _chars(52)), _with("nvapi-", _chars(64, B64URL)), _with("xai-", _chars(80))),
        *(_with("dapi", _chars(32, HEX)), _with("lsv2_pt_", _chars(32, HEX), "_", _chars(10, HEX))),
        *(_with("hvs.", _chars(90)), _with("ya29.", _chars(100, B64URL)), _with("GOCSPX-", _chars(28))),
        *(
            _with("csk-", _chars(48)),
            _with("pcsk_", _chars(64)),
            _with("tvly-dev-", _chars(32)),
            _with("r8_", _chars(37)),
        ),
        *(_with("dckr_pat_", _chars(27)), _with("pypi-", _chars(150, B64URL)), _with("ATATT3", _chars(170, B64URL))),
        _with("sk-lf-", *(part for count in (8, 4, 4, 4) for part in (_chars(count, HEX), "-")), _chars(12, HEX)),
        _with("pat", _chars(14), ".", _chars(64, HEX)),
    ),
    "azure_secret": _with(_chars(3), _digits(1), "Q~", _chars(34, B64URL)),
    "telegram_token": _with(_digits(10), ":AA", _chars(33, B64URL)),
    "discord_token": _with("MTA", _chars(23), ".", _chars(6), ".", _chars(38, B64URL)),
    "webhook": _any(
        _with("T0", _chars(9, ALNUM.upper()), "/B0", _chars(9, ALNUM.upper()), "/", _chars(24)),
        _with(_chars(18, string.digits), "/", _chars(68, B64URL)),
    ),
    "sendgrid_key": _with("SG.", _chars(22, B64URL), ".", _chars(43, B64URL)),
    "digitalocean_token": _with("dop_v1_", _chars(64, HEX)),
    "token": _with(_chars(6), _digits(2), _chars(8)),
    "signature": _any(_chars(64, HEX), _with(_chars(43), "%3D")),
    "basic_auth": _with(_chars(6), _digits(2)),
    "jwt": _with("eyJ", _chars(30, B64URL), ".eyJ", _chars(60, B64URL), ".", _chars(43, B64URL)),
    "bearer_token": _with(_chars(20), _digits(2), _chars(10)),
    "private_key": _any(
        _with("-----BEGIN PRIVATE KEY-----\n", _KEY_BODY, "\n", _chars(64), "\n-----END PRIVATE KEY-----"),
        _with("AGE-SECRET-KEY-1", _chars(58, ALNUM.upper())),
    ),
    "url_password": _with(_chars(8), _digits(2), _choice("", "%40", "!")),
    "password": _SECRET,
    "email": _with(_NAME, _choice("@", "@", "%40"), _HOST),
    "phone": _any(
        _with("+49 ", _digits(3, 7, sep=" ")),
        _with("+1 ", _digits(3, 3, 4)),
        _with("(", _digits(3), ") ", _digits(3, 4)),
        _digits(3, 3, 4, sep="-"),
        _digits(3, 3, 4, sep="."),
        _with("+44 20 ", _digits(4, 4, sep=" ")),
        _with("+336", _digits(8)),
        *(
            _with("0171 ", _digits(7)),
            _with("06 ", _digits(2, 2, 2, 2, sep=" ")),
            _with("020 ", _digits(4, 4, sep=" ")),
        ),
        *(_with("(030) ", _digits(6)), _with("090-", _digits(4, 4)), _with("0731/", _digits(7))),
    ),
    "card": _any(_luhn("4", 16, 4), _luhn("4", 16), _luhn("53", 16, 4), _luhn("37", 15), _luhn("6011", 16)),
    "iban": _any(
        _iban("DE", 22, spaced=True),
        _iban("DE", 22, spaced=False),
        _iban("NO", 15, spaced=True),
        _iban("CH", 21, spaced=True),
    ),
    "ip": _any(
        _ipv4, _ipv6, _choice("fe80::1ff:fe23:4567:890a", "2001:db8::8a2e:370:7334", "10.0.0.7", "192.168.1.254")
    ),
    "ssn": _with(_choice("123", "456", "519", "078"), "-", _digits(2, 4)),
}

# Where the value does not stand alone: what comes before it and after it.
SETTINGS: dict[str, tuple[str, ...]] = {
    "bearer_token": ("Authorization: Bearer {}", "Bearer {}", "curl -H 'Authorization: bearer {}' x"),
    "token": (
        "export TOKEN={}",
        '{"token": "{}"}',
        "auth: {}, and so on",
        "DEPLOY_TOKEN={}",
        'cut off {\\"token\\": \\"{}\\"',
        "https://example.com/?token={}",
        "DEPLOY_TOKENS={}",
        'cut off {"tokens": ["{}", "',
        '{"tokens": ["Hello", "{}"]}',
    ),
    "signature": (
        "https://a.blob.example.com/b?sv=2024&sig={}",
        "https://b.example.com/k?X-Amz-Date=1&X-Amz-Signature={}&x=1",
    ),
    "webhook": ("https://hooks.slack.com/services/{}", "(https://discord.com/api/webhooks/{})"),
    "telegram_token": (*AROUND, "https://api.telegram.org/bot{}/getMe"),
    "basic_auth": ("curl -u user:{} https://x.example.com", "curl -s --user 'user:{}' x", 'curl -X POST -u "me:{}" x'),
    "card": (*AROUND, "{} 12/26", "{} 123", "12/26 {} 12 26", "2 {}", "{} 4242 4242 4242 4242"),
    "email": (*AROUND, "https://example.com/?to={}&x=1", "logo@2x.png {}"),
    "url_password": (
        "postgres://app:{}@db:5432/prod",
        "use https://user:{}@proxy.example.com/x now",
        "redis://:{}@cache",
    ),
}

# What a secret is assigned by in code, in configurations, in commands and in Markdown.
ASSIGNED = (
    'os.environ["NAME"] = "{}"',
    "cfg['NAME']='{}'",
    "NAME: str = '{}'",
    'let NAME: &str = "{}";',
    'NAME := "{}"',
    "'NAME' => '{}',",
    "if NAME == '{}':",
    "const NAME = `{}`",
    'NAME = """{}"""',
    'NAME=f"{}"',
    'NAME=SecretStr("{}")',
    'NAME         = "{}"',
    "**NAME:** {}",
    "**NAME**: `{}`",
    "--NAME {}",
    "--NAME '{}'",
    "<NAME>{}</NAME>",
    '{"NAME ": "{}"}',
    "-H 'NAME: {}='",
)

# What is said without a sign, in other languages, and in tables.
SAID = (
    *("mysql -u root -p{} shop", "mysqldump -uroot -p'{}' shop", "sshpass -p {} ssh host", "redis-cli -h x -a {} PING"),
    *("docker login -u me -p {} registry.example.com", "mongosh --username me -p {}", "PGPASSWORD={} psql"),
    *("IDENTIFIED BY '{}';", "ALTER USER bob IDENTIFIED WITH caching_sha2_password BY '{}'", "LOGIN PASSWORD '{}'"),
    *("SET PASSWORD FOR 'bob'@'%' = '{}'", "machine a.example.com login bob password {}", "with password '{}'"),
    *("machine a\n  login b\n  password {}\n", "DB_PASS={}", "smtp_pass: {}"),
    *("Passwort: {}", "mot de passe : {}", "Contraseña: {}", "senha={}", "wachtwoord: {}", "hasło: {}", "heslo: {}"),
    *("Пароль: {}", "密码\uff1a{}", "パスワード: {}", "비밀번호: {}", "şifre: {}", "lösenord: {}"),
    *("\n| user | password |\n|---|---|\n| bob | {} |", "\n| API key | URL |\n|:-:|--:|\n| `{}` | x |"),
    *("\n user | password \n------+---------\n bob  | {} \n", "\nuser,password\nbob,{}\n", "\nuser\tpwd\nbob\t{}"),
)

LOOKALIKES: dict[str, Make] = {
    "openai_key": _any(
        _with("sk-", _WORD, "-", _WORD, "-", _WORD), _with("task-", _chars(20)), _with("sk-", _chars(6))
    ),
    "anthropic_key": _any(_with("sk-ant-", _chars(5)), _choice("sk-ant-… keys", "the sk-ant- prefix")),
    "aws_access_key": _any(
        _with("AKIA", _chars(6, string.ascii_uppercase)),
        _with("xAKIA", _chars(16, "ABC2")),
        _with("AKIA", _chars(30, "ABC2")),
    ),
    "github_token": _any(_with("ghp_", _chars(8)), _with("high", "p_", _WORD), _with("ghs_", _WORD)),
    "gitlab_token": _any(_with("glpat-", _chars(6)), _choice("glpat-<token>", "a glpat- token")),
    "slack_token": _any(_with("xoxb-", _WORD), _with("foxoxb", _chars(12)), _choice("xoxo-kisses-and-hugs")),
    "google_key": _any(_with("AIza", _chars(12)), _with("MAIza", _chars(35))),
    "stripe_key": _any(_with("sk_live_", _chars(4)), _with("task_live_", _chars(20)), _choice("sk_test_...")),
    "huggingface_token": _any(_with("hf_", _WORD, "_hub"), _with("hf_", _chars(10)), _with("shf_", _chars(34))),
    "npm_token": _any(_with("npm_", _WORD), _with("npm_config_", _WORD), _with("npm_", _chars(12))),
    "api_key": _any(
        *(_with("gsk_", _WORD), _with("nvapi-", _chars(8)), _with("xai-", _WORD)),
        *(_with("pa-", _WORD, "-", _WORD, "-", _WORD, "-", _WORD, "-", _WORD), _with("secret_", _WORD, "_", _WORD)),
        *(
            _with("task-key-", _chars(31, HEX)),
            _with("SK", _chars(40, HEX)),
            _with("path", _chars(14), ".", _chars(9, HEX)),
        ),
        *(_chars(40, HEX), _with("sha256:", _chars(64, HEX)), _with("data:image/png;base64,iVBORw0KGgo", _chars(80))),
        *(_with("#", _chars(6, HEX)), _with("ISBN 978-3-16-", _digits(6, 1)), _with("order ORD-", _chars(10, HEX))),
    ),
    "azure_secret": _any(_with(_chars(3), "Q~", _chars(34)), _with(_chars(3), "1Q~", _WORD), _with("8Q~", _chars(12))),
    "telegram_token": _any(_with(_digits(10), ":", _chars(35)), _with(_digits(4), ":AA", _chars(33)), _digits(10, 35)),
    "discord_token": _any(
        _with("Node.", _WORD, ".", _chars(27)), _with("MTA", _chars(23), ".", _WORD, ".x"), _with("O", _chars(60))
    ),
    "webhook": _any(
        _with("https://hooks.slack.com/services/", _WORD), _choice("discord.com/api/webhooks/<id>/<token>")
    ),
    "sendgrid_key": _any(_with("SG.", _chars(8), ".", _chars(43)), _with("MSG.", _chars(22), ".", _chars(43))),
    "digitalocean_token": _any(_with("dop_v1_", _WORD), _with("shop_v1_", _WORD)),
    "token": _any(
        _with("token = ", _WORD, "_base64_decode(x)"),
        _with('{"token": "', _WORD, " ", _digits(9), '"}'),
        _with("token: ", _digits(12)),
        _with("max_tokens=", _digits(12)),
        _with("next_page_token=", _chars(10), _digits(4)),
        _with("author: ", _chars(10), _digits(4)),
        _with("token=", _WORD),
        _with("tokens: ", _digits(3)),
        _with("max_tokens=", _digits(3), "/total_tokens=", _digits(4)),
        _with("prompt_tokens: ", _digits(3), ".", _digits(2), "k/request"),
        _with("tokens = batch_", _digits(1), ".input_ids"),
        _with("tokens: 2024-10-", _digits(2), "T00:00:00"),
        _with('{"completion_tokens": ', _digits(4), ', "tokens": ["', _WORD, '", "', _WORD, '"]}'),
    ),
    "signature": _any(_with("?sig=", _WORD), _with("msig=", _chars(40)), _with("X-Amz-Signature=", _WORD)),
    "basic_auth": _any(
        _with("curl -u ", _WORD, " x"), _with("python -u ", _WORD, ":", _WORD), _choice("curl --user x")
    ),
    "jwt": _any(
        _with("eyJ", _chars(30)),
        _with("eyJ", _chars(5), ".", _chars(4)),
        _with("heyJ", _chars(12), ".", _chars(12), ".", _chars(12)),
    ),
    "bearer_token": _any(
        _with("bearer of ", _WORD, " news"), _with("Bearer ", _WORD), _choice("a bearer token", "Bearer <token>")
    ),
    "private_key": _choice(
        "-----BEGIN PUBLIC KEY-----\nMFww", "your PRIVATE KEY", "-----BEGIN PRIVATE KEY-----", "BEGIN PRIVATE"
    ),
    "url_password": _any(
        _with("https://example.com:", _digits(4), "/a@b"),
        _with("see https://", _WORD, ".com/@", _NAME),
        _with("http://", _WORD, "@host/x"),
    ),
    "password": _any(
        _with(
            _SECRET_NAME,
            _choice("=", ": "),
            _choice("None", "os.environ", "str", "<secret>", "${VAR}", "settings.key", "********"),
        ),
        _with("the ", _SECRET_NAME, " is ", _WORD),
        _with("max_tokens=", _digits(4)),
        _with('{"secret_tokens": ', _digits(4), ', "api_keys": [', _digits(1), "]}"),
        _with("secrets: ", _WORD, ", ", _WORD),
        _with("keyword: ", _digits(8)),
        _with('<a accesskey="', _chars(1), '">', _WORD, "</a>"),
        _with("docker run --name mongo -p ", _digits(4), ":", _digits(4), " mongo"),
        _choice("mysql -u root -p shop", "mysql -p$PASS1 x", "redis-cli -a <password> x", "IDENTIFIED BY '<password>'"),
        _with("machine learning needs no login and password ", _WORD),
        _with("\n| column | type |\n|---|---|\n| password | ", _choice("varchar(64)", "string", "CHAR(60)"), " |"),
        _with(
            "\n| Feature | Password | SSO |\n|---|---|---|\n| ", _WORD, " | ", _choice("yes", "✓", "min. 8"), " | no |"
        ),
        _with("my user, my password\nand ", _WORD, ", ", _digits(8)),
        _with("from x import a,password\n", _WORD, "_1,", _WORD, "_2"),
        _with("--", _SECRET_NAME, " ", _choice("<secret>", "$VAR1", "--other-1", "YOUR_KEY_1")),
        _with("<", _SECRET_NAME, ">", _choice("string", "Enter it here", "<b>1</b>"), "</"),
        _with(
            _SECRET_NAME,
            _choice(
                ' = os.environ["KEY_1"]',
                ' = getenv("KEY_1")',
                ': getpass("Type 8 characters")',
                ": str, user: str = 'me1'",
                "`: how, see 1",
                ":** `string`",
                "` must have 8 characters",
                " == None, 1",
                " := get(KEY_1)",
            ),
        ),
        _choice(
            '"password": "string"', "token: 12345678", "forgot your password? click", "Secret: the story of my life"
        ),
    ),
    "email": _any(
        _with("@", _NAME),
        _with(_NAME, "@"),
        _with(_WORD, "@localhost"),
        _choice("@property", "a @ b.com", "x@y", "me@2.5", "icon@3x.jpg", "50%40"),
    ),
    "phone": _any(
        lambda dice: (
            f"20{dice.randint(10, 30)}-{dice.randint(10, 12)}-{dice.randint(10, 28)} {dice.randint(10, 23)}:15:00"
        ),
        _with("17", _digits(8)),
        lambda dice: f"0{dice.randint(1, 9)}-{dice.randint(10, 12)}-20{dice.randint(10, 30)} {dice.randint(10, 23)}:15",
        _with("Boston, MA 0", _digits(4, 4)),
        *(_with("0-306-", _digits(5, 1)), _with("0", _digits(2), " ", _digits(3)), _with("0.", _digits(3, 8, sep=" "))),
        _with("order ", _digits(10)),
        lambda dice: f"{dice.randint(1, 99)}.{dice.randint(1, 999)},00",
        _with("1e", _digits(4)),
        _with("v", _digits(1, 1, 2, sep=".")),
        _with(_chars(8, HEX), "-", _chars(4, HEX), "-", _chars(4, HEX), "-", _chars(4, HEX), "-", _chars(12, HEX)),
        _with("+", _digits(3)),
        _with("3.", _digits(15)),
    ),
    "card": _any(
        _broken(_luhn("4", 16)),
        _luhn("17", 16),
        _with("id ", _chars(20, string.digits)),
        _with("0.", _chars(16, "23456789")),
    ),
    "iban": _any(
        _wrong_iban,
        _with("DE", _digits(4)),
        _with("ABCD", _chars(18, ALNUM.upper())),
        _with("XX", _chars(20, string.digits)),
    ),
    "ip": _any(
        _with("version ", _digits(1, 1, 1, 1, sep=".")),
        _with("v", _digits(1, 2, 1, 1, sep=".")),
        lambda dice: f"{dice.randint(256, 999)}.1.1.1",
        _digits(2, 2, 2, sep=":"),
        _with(_digits(1), ".", _digits(1), ".", _digits(1)),
        _choice("127.0.0.1", "0.0.0.0", "std::vector", "::", "00:1b:44:11:3a:b7", "::1", "1.2.3.4.5.6"),
        _choice("x==1.2.3.4", "x>=1.2.3.4"),
    ),
    "ssn": _any(
        _with(_choice("000", "666", "912"), "-", _digits(2, 4)),
        _digits(3, 3, 4),
        _digits(4, 2, 4),
        _with(_digits(3, 2, 4), "-1"),
    ),
}


def samples(kind: str, make: Make, count: int = 120) -> Iterator[Sample]:
    """Yield *count* texts with a value of *kind*, each in another setting."""
    dice = random.Random(kind)
    for number in range(count):
        value = make(dice)
        yield Sample(_setting(kind, number, dice).replace("{}", value), value)


def _setting(kind: str, number: int, dice: random.Random) -> str:
    if kind == "password":
        quote = dice.choice(('"', "'", ""))
        if number % 3 == 0:
            return SAID[number // 3 % len(SAID)]
        assigned = f"{_SECRET_NAME(dice)}{dice.choice(('=', ': ', ' = '))}{quote}{{}}{quote}"
        return f"config {dice.choice((assigned, dice.choice(ASSIGNED))).replace('NAME', _SECRET_NAME(dice))} end"
    settings = SETTINGS.get(kind, AROUND)
    return settings[number % len(settings)]


def lookalikes(kind: str, count: int = 120) -> Iterator[Sample]:
    """Yield *count* texts with something that is not a value of *kind*."""
    dice = random.Random(f"not {kind}")
    for number in range(count):
        yield Sample(AROUND[number % len(AROUND)].replace("{}", LOOKALIKES[kind](dice)), None)
