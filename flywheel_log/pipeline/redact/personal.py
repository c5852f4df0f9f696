"""Personal data that has a shape: e-mail, phone, card, IBAN, IP address, social security number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from .pattern import ESCAPES, Family, Finder, Pattern, Span

_IBANS = (  # country and length
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 "
    "FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LI21 "
    "LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 "
    "SI19 SK24 SM27 TN24 TR26 UA29 VA22 VG24 XK20"
)
_IBAN_LENGTHS = {country[:2]: int(country[2:]) for country in _IBANS.split()}
_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|35\d{14,17}|3[068]\d{12}"
)
_RUN = re.compile(r"\d(?<![\d.].)(?<!\d-.)(?:[ \u00a0-]?\d){12,26}(?!\d|\.\d)")
_NUMBER = re.compile(r"[\d-]+")
_SHORTEST_FIRST = 4  # Digits that a card's number begins with, before a blank.
_MANY = 50


class Card:
    """Finds the numbers of cards among those beside them, as the date and the code that forms ask for."""

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where numbers begin and end."""
        at = 0
        while (run := _RUN.search(text, at)) is not None:
            numbers = [*_NUMBER.finditer(text, *run.span())]
            firsts = ((i, one.start()) for i, one in enumerate(numbers) if len(one[0]) >= _SHORTEST_FIRST)
            parts = ((start, last.end()) for i, start in firsts for last in reversed(numbers[i:]))
            card = next((part for part in parts if _is_card(text[slice(*part)])), None)
            if card is not None:
                yield *card, "card"
            at = run.end() if card is None else card[1]


def _is_card(candidate: str) -> bool:
    digits = re.sub(r"\D", "", candidate)
    return _CARD.fullmatch(digits) is not None and _luhn(digits)


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[::-2]) + sum(doubled)) % 10 == 0


def _iban(candidate: str) -> int:
    """How many characters are the IBAN; a candidate may run on into the words behind it."""
    wanted = _IBAN_LENGTHS.get(candidate[:2], _MANY)
    compact = ""
    for length, char in enumerate(candidate, start=1):
        compact += char.strip(" \u00a0-")
        if len(compact) == wanted:
            ends = not candidate[length : length + 1].isalnum()
            return (
                length if ends and int("".join(str(int(one, 36)) for one in compact[4:] + compact[:4])) % 97 == 1 else 0
            )
    return 0


def _dialled(candidate: str) -> int:
    digits = re.sub(r"\D", "", candidate)
    return len(candidate) if 8 <= len(digits) <= 15 and len(set(digits)) > 2 else 0  # noqa: PLR2004 - E.164


def _ip(candidate: str) -> int:
    try:
        address = IPv6Address(candidate) if ":" in candidate else IPv4Address(candidate)
    except AddressValueError:
        return 0
    return 0 if address.is_loopback or address.is_unspecified or candidate.endswith("::") else len(candidate)


# Of scripts that have blanks between words; where there are none, those beside an address would be taken for it.
_LETTERS = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f\u0370-\u03ff\u0400-\u04ff"
_LOCAL = re.compile(rf"[{_LETTERS}0-9._%+-]*")
_LONGEST_LOCAL = 64
_REST_OF_ESCAPE = re.compile(rf"\Au[0-9A-Fa-f]{{4}}|\A[{ESCAPES}]")
# The sign is another one in the query of a URL; `logo@2x.png` is a picture.
_DOMAIN = re.compile(rf"(?:@|%40)(?!\dx\.)(?:[{_LETTERS}0-9-]{{1,63}}\.){{1,8}}[{_LETTERS}]{{2,24}}(?![{_LETTERS}0-9])")


class Email:
    """Finds e-mail addresses: from each `@` to both sides."""

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where addresses begin and end."""
        if "@" not in text and "%40" not in text:
            return
        for domain in _DOMAIN.finditer(text):
            at = domain.start()
            local = _local_at_end(text[max(0, at - _LONGEST_LOCAL - 1) : at])
            if 0 < len(local) <= _LONGEST_LOCAL:
                yield at - len(local), domain.end(), "email"


def _local_at_end(text: str) -> str:
    backwards = _LOCAL.match(text[::-1])
    local = backwards[0][::-1] if backwards else ""
    if text.removesuffix(local).endswith("\\"):  # In JSON inside a string: the rest of an escape.
        local = _REST_OF_ESCAPE.sub("", local, count=1)
    return local.lstrip(".-")


_DIGITS = tuple("0123456789")
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_GAP = r"[ .\u00a0-]"
_W = "A-Za-z0-9_"  # In a class of characters. `\w` has all letters, and where words have no blanks they stand beside.
_SPOKEN = (
    r"(?:[Pp]hone|PHONE|[Tt]el(?:efon(?:nummer)?|ephone)?|TEL|[Mm]obile?|[Cc]ell|[Ff]ax|[Cc]all(?: me)?(?: at| on)?"
    r"|[Ww]hats[Aa]pp|[Hh]andy|[Ss][Mm][Ss])"
)
_IS = r"[^\w\n+]{0,4}(?:(?:is|number|no|nr)\b[^\w\n+]{0,3}){0,2}"
_INSURED = r"(?:SSN|[Ss]sn|[Ss]ocial [Ss]ecurity(?: [Nn]umber| [Nn]o\.?)?)[^\w\n]{0,4}(?:is )?"


def _phone(expression: str) -> Pattern:
    return Pattern("phone", re.compile(expression), _DIGITS, _dialled)


# An expression begins with a character of the value and looks behind it then: five times as fast to search for.
# One that begins with a word is slow, and asked only where the engine of `anchors` sees such a word; it is slow itself
# to tell where words end.
_IBAN = Pattern("iban", re.compile(r"[A-Z](?<![A-Za-z0-9\\].)[A-Z]\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}"), _DIGITS, _iban)
_NUMBERS: tuple[Finder, ...] = (
    Card(),
    Pattern("ssn", re.compile(r"[0-8](?<![\d.-].)\d\d(?<!000)(?<!666)-(?!00)\d{2}-(?!0000)\d{4}(?!\d|-\d)"), _DIGITS),
    Family(
        [Pattern("ssn", re.compile(rf"{_INSURED}([0-8]\d\d ?\d{{2}} ?\d{{4}})(?!\d)"), _DIGITS)], [rf"{_INSURED}\d"]
    ),
    _phone(
        rf"(?:\+(?<![{_W}+].)|00(?<![{_W}.+-]..))(?=[1-9])\d{{1,3}}(?:{_GAP}?(?:\(\d{{1,4}}\)|\d{{1,6}})){{2,6}}(?!\d)"
    ),
    _phone(rf"\((?<![{_W}+/-].)[2-9]\d\d\) ?[1-9]\d\d{_GAP}\d{{4}}(?![{_W}-])"),
    _phone(rf"[1-9](?<![{_W}.+/-].)(?:(?<=1){_GAP}\(?[2-9])?\d\d\)?{_GAP}[1-9]\d\d{_GAP}\d{{4}}(?![{_W}-])"),
    # With the zero that is dialled within a country: `0171 2345678`, `(030) 123456`; no date, and no ZIP code.
    _phone(
        rf"\(?0(?<![{_W}.,:+/-].)(?!\d[ /-]\d\d[ /-](?:19|20)\d\d|\d{{4}}-\d{{4}}(?!\d))"
        rf"(?=(?:\D{{0,2}}\d){{8,11}}(?!\d|[ /-]?\d|[:.,]\d))"
        rf"[1-9]\d{{0,4}}(?:\) ?|[ /-])\d{{2,8}}(?:[ -]\d{{2,4}}){{0,3}}(?![{_W}:-]|[.,]\d)"
    ),
    Family(
        [_phone(rf"{_SPOKEN}\b{_IS}(\(?0?\d[\d ()/.-]{{6,18}}\d)(?!\d)")], [rf"{_SPOKEN}{_IS}\(?\d".replace(r"\b", "")]
    ),
)
_IP4 = Pattern(
    "ip",
    re.compile(
        rf"\d(?<![{_W}.].)(?<![Vv]ersion .)(?<![=~<>!]=.)"
        rf"\d{{0,2}}\.(?:{_OCTET}\.){{2}}{_OCTET}(?![{_W}-])(?!\.\d)"
    ),
    _DIGITS,
    _ip,
)
_IP6 = Pattern(
    "ip",
    re.compile(
        rf"[0-9A-Fa-f:](?<![{_W}:.].)[0-9A-Fa-f]{{0,3}}:(?:[0-9A-Fa-f]{{0,4}}:){{1,6}}[0-9A-Fa-f]{{0,4}}(?![{_W}:])"
    ),
    (":",),
    _ip,
)

# Each with what it cannot do without: one digit or colon too many should not have a text searched for all of them.
PERSONAL: tuple[Finder, ...] = (
    Family((Email(),), ("@|%40",)),
    Family((_IBAN,), (r"[A-Z]{2}\d{2}[ \u00a0-]?[A-Z0-9]",)),
    Family(_NUMBERS, (r"\d(?:[ ()./\u00a0-]{0,13}\d){6}",)),  # Seven digits close to each other: dialled or paid with.
    Family((_IP4,), (r"\d\.\d{1,3}\.\d{1,3}\.\d",)),
    Family((_IP6,), (r"::|:(?:[0-9A-Fa-f]{1,4}:){6}",)),
)
