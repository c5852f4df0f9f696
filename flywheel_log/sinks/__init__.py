"""Where events end. A sink is a module named after its URL scheme with one function `open(url) -> Sink`."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NamedTuple, Protocol, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from ..process.forks import loading

ENTRY_POINTS = "flywheel_log.sinks"
BATCH_BYTES = 5_000_000  # What a sink is given at once, at most, unless it has a `batch_bytes` of its own.

Opener = Callable[[str], "Sink"]

_SECRETS = ("key", "token", "secret", "password", "auth", "credential")
_SERVER = "; for Elasticsearch write elasticsearch: and set ELASTICSEARCH_URL to this URL"


class Sink(Protocol):
    """The end of the road. Methods are called by one shipper thread at a time, never by the program's own calls.

    Whoever inherits from it need write `write` alone.

    A sink that stores in order may have a method `place() -> bytes`: a word of at most 50 ASCII characters for where it
    ends now. Its `missing(lines, since)` is then told the last one before *lines*, and need look no farther back.

    A sink with a disk behind it may have a method `sync()`, which brings all that it holds to the disk itself, beyond
    the reach of a power failure. It is called about once a second, and the journal forgets nothing before.
    """

    def write(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Store *lines*, each one event as a JSON object in UTF-8 without a newline, in the order of the journal.

        Returns the lines to offer again later (empty when all are stored for good). Raises to have all of them offered
        again; `RetryLater` says when, and `PutOff` which of them need not hold back the others. Never blocks longer
        than its own time-out.
        """

    def missing(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Of *lines* left behind by a crash, return those not stored yet, so that they can be written exactly once.

        All of them, unless a sink can tell: where nobody can be asked, or what comes twice is one event all the same.
        """
        return lines

    def stats(self) -> dict[str, int]:
        """Counters of the sink's own, for `flywheel_log.stats()`: duplicates, dead, … (may be empty)."""
        return {}

    def close(self) -> None:
        """Release what is open. A closed sink is not written to again."""
        return


class RetryLater(Exception):
    """Raised by `Sink.write` when the other side said when to come back.

    Args:
        reason: a short fixed word for `stats()` and the log `flywheel_log`, without the user's data.
        after: seconds to wait at least; None leaves it to the shipper's back-off.
    """

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class PutOff(RetryLater):
    """Raised by `Sink.write` when some lines wait for something that the others need not wait for.

    All other lines of the call are stored, and those behind them are offered first. After a crash at the wrong moment
    some come once more: it is for sinks to which an event may be offered in any order, and twice.

    Args:
        reason, after: as for `RetryLater`.
        lines: those of the call that wait, by a name of what they wait for.
    """

    def __init__(self, reason: str, after: float | None, lines: Mapping[str, Sequence[bytes]]) -> None:
        super().__init__(reason, after)
        self.lines = lines


class Finding(NamedTuple):
    """One thing that was looked at: what it is, and what to do if it is not right ("" if it is)."""

    what: str
    fix: str = ""


def open_sink(url: str) -> Sink:
    """Open the sink that *url* names by its scheme, e.g. `file:genai.log` or `stdout:`.

    Raises:
        ValueError: the scheme is unknown (the message lists the known ones) or the rest of the URL is wrong.
    """
    return opener(url)(url)


def resolve(url: str) -> str:
    """Return *url* with what it takes from the working directory and the environment written out, credentials excepted.

    So it means the same to another process. The module of a sink's `open` may have a `resolve(url)` of its own; without
    one a URL is taken to say everything. Raises what that raises.
    """
    own: Callable[[str], str] | None = _beside(_opener(urlsplit(url).scheme), "resolve")
    return own(url) if own else url


def check(url: str) -> Iterator[Finding]:
    """Look whether the sink of *url* can take events, for `flywheel-log doctor`, and change nothing.

    The module of a sink's `open` may have a `check(url)` of its own; without one a sink that opens is taken to be well.
    """
    what = f"the sink {url.partition(':')[0]}:"
    try:
        open_sink(url).close()
        own: Callable[[str], Iterator[Finding]] | None = _beside(opener(url), "check")
        yield from own(url) if own else (Finding(what),)
    except (ValueError, OSError) as error:
        yield Finding(what, str(error))
    except Exception as error:  # noqa: BLE001 - the sink may be another package's; the others are looked at all the same
        yield Finding(what, f"{type(error).__name__}: {error}")


def public(url: str) -> str:
    """Return *url* without credentials, as it is written to disk and shown."""
    parts = urlsplit(url)
    options = parse_qsl(parts.query, keep_blank_values=True)
    shown = [(name, value) for name, value in options if not any(secret in name.lower() for secret in _SECRETS)]
    if "@" not in parts.netloc and shown == options:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=urlencode(shown)).geturl()


def opener(url: str) -> Opener:
    """Return the function that opens sinks of *url*'s scheme, without opening anything. Raises as `open_sink`."""
    scheme = urlsplit(url).scheme
    if found := _opener(scheme):
        return found
    known = sorted({*_builtin(), *(point.name for point in entry_points(group=ENTRY_POINTS))})
    named = f"{url}:" if url in known else f"file:{url}"
    meant = {"": f"; did you mean {named}?", "http": _SERVER, "https": _SERVER}.get(scheme, "")
    raise ValueError(f"sink {scheme or url!r} is unknown; expected one of {', '.join(known)}{meant}")


def _opener(scheme: str) -> Opener | None:
    with loading():
        if scheme in _builtin():
            return cast(Opener, import_module(f"{__name__}.{scheme}").open)
        foreign = entry_points(group=ENTRY_POINTS, name=scheme) if scheme else ()
        return next((cast(Opener, point.load()) for point in foreign), None)


def _beside(found: Opener | None, name: str) -> Any:
    """What the module of a sink's `open` has under this name, or None."""
    return getattr(sys.modules[found.__module__], name, None) if found else None


def _builtin() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")}
