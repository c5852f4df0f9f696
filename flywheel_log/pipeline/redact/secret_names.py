"""What secrets are called: `password`, `api_key`, `authToken`, `db_pass`, and a password in seventeen languages."""

from __future__ import annotations

import re
from itertools import product

# German, French, Spanish, Portuguese, Dutch, Polish, Czech, Finnish, Norwegian, Danish, Swedish, Hungarian, Turkish.
_ALONE = (
    *("password", "passwd", "passphrase", "pwd", "secret", "credential", "cookie", "authorization"),
    *("passwort", "kennwort", "mot de passe", "mot_de_passe", "mot de_passe", "mot_de passe", "contrasena", "senha"),
    *("wachtwoord", "haslo", "heslo", "salasana", "passord", "adgangskode", "losenord", "jelszo", "sifre"),
)
# Some of them with their own letters; Russian, Chinese, Japanese, Korean.
_WITH_OTHER_LETTERS = (
    r"contrase\u00f1a|has\u0142o|l\u00f6senord|jelsz\u00f3|\u015fifre|\u043f\u0430\u0440\u043e\u043b\u044c"
    r"|\u5bc6\u7801|\u5bc6\u78bc|\u30d1\u30b9\u30ef\u30fc\u30c9|\ube44\ubc00\ubc88\ud638"
)
_KEYS = (
    *("api", "access", "private", "account", "encryption", "signing", "subscription", "auth", "master", "service"),
    "secret",
)
_TOKENS = ("access", "auth", "refresh", "session", "security", "secret", "api", "bot", "id")
_PASSES = (
    *("db", "database", "smtp", "email", "mail", "ftp", "mysql", "postgres", "pg", "redis", "admin", "root", "user"),
)
NAME = (
    rf"(?:(?ai:{'|'.join(_ALONE)}|(?:{'|'.join(_KEYS)})[_ -]?key|(?:{'|'.join(_TOKENS)})[_-]?token"
    rf"|(?:{'|'.join(_PASSES)})[_-]?pass)|(?i:{_WITH_OTHER_LETTERS}))"
)
"""An expression for a name, which may be the end of a longer one."""
_LETTER = re.compile(r"\\u([0-9a-f]{4})")


def _or_escaped(letter: re.Match[str]) -> str:
    capital = ord(chr(int(letter[1], 16)).upper())
    return rf"(?:{letter[0]}|\\+u(?i:{letter[1]}|{capital:04x}))"


NAMED = _LETTER.sub(_or_escaped, f"{NAME}[sS]?".replace("(?ai:", "(?i:"))
"""The same for the engine of `anchors`, which has no flag `a`; letters of others may be escapes in JSON."""

_PARTS = (
    *("contrase", "senord", "jelsz", "ifre"),
    *("has\u0142", "has\u0141", "u0142", "u0141"),
    *(p + a + r for p, a, r in product("\u043f\u041f", "\u0430\u0410", "\u0440\u0420")),
    *("u043f", "u041f", "\u5bc6", "u5bc6", "\u30d1\u30b9", "u30d1", "\ube44\ubc00", "ube44"),
    *("\u017f", "\u212a"),  # To the engine, a long s and the sign of Kelvin are an s and a k.
)
WORDS = (
    *_ALONE,
    *("".join(parts) for parts in product(_KEYS, ("", "_", " ", "-"), ("key",))),
    *("".join(parts) for parts in product(_TOKENS, ("", "_", "-"), ("token",))),
    *("_pass", "-pass", *(f"{one}pass" for one in _PASSES)),
    *_PARTS,
)
"""One of these is in every name, where A to Z are in lower case."""

LONGEST_NAME = 40
BEFORE_SIGN = " \t\"'`*]!\\"
"""What may stand between a name and its sign, as in `config["password"] = …`, and `!=`."""
_AROUND_NAME = BEFORE_SIGN + ":\uff1a"  # Models write keys such as `"Password: "`, too.
_ENDS_IN_NAME = re.compile(rf"(?:{NAME})[sS]?$")
# Of the last two characters of a name in lower case: few keys have to be looked at again.
_ENDINGS = frozenset(
    {"rd", "wd", "se", "et", "ie", "al", "ls", "ey", "en", "on", "ds", "es", "ts", "ys", "ns", "ss", "rt", "na", "ha"}
    | {"lo", "de", "re", "zo", "\u00f1a", "\u0142o", "z\u00f3", "\u043b\u044c", "\u5bc6\u7801", "\u5bc6\u78bc"}
    | {"\u30fc\u30c9", "\ubc88\ud638"}
)


def names_secret(key: str) -> bool:
    """Whether the value under *key* is a secret by its name alone."""
    key = key.rstrip(_AROUND_NAME)
    return key[-2:].lower() in _ENDINGS and _ENDS_IN_NAME.search(key[-LONGEST_NAME:]) is not None


def counts(key: str) -> bool:
    """Whether a number under *key*, the name of secrets, says how many there are: it is in the plural."""
    return key[-1:] in ("s", "S") and not key.lower().endswith("credentials")
