"""`flywheel-log export`: a dataset from the log, in the format of a trainer, an evaluator or a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

import orjson
import typer

from flywheel_log.event import JSON
from flywheel_log.loop.export import Dedup, Recipe, export, names
from flywheel_log.loop.export.provenance import provenance
from flywheel_log.loop.filter import Filter
from flywheel_log.loop.replay.origin import are_meant
from flywheel_log.sinks import public
from flywheel_log.wording import counted

from . import Problem, failing, wrong
from ._progress import progress_shown
from ._records import ALL, Given, Records
from ._screen import one_line, put_json
from ._select import selecting
from ._source import AsJson

Form = Annotated[str, typer.Option("--format", metavar="|".join(names()), help="Format of the dataset.")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to create.")]
EvalShare = Annotated[
    float, typer.Option(metavar="SHARE", min=0, max=1, help="Share of the examples used for evaluation.")
]
ValidationShare = Annotated[
    float, typer.Option(metavar="SHARE", min=0, max=1, help="Share of the examples used for validation.")
]
Seed = Annotated[
    int, typer.Option(metavar="NUMBER", help="Random seed of the split; the same seed gives the same sets.")
]
Duplicates = Annotated[
    Dedup, typer.Option(metavar="|".join(get_args(Dedup)), help="Duplicates to leave out; near needs [datasets].")
]
Similarity = Annotated[
    float, typer.Option(metavar="SHARE", min=0, max=1, help="Similarity from which two examples are near duplicates.")
]
MaxTokens = Annotated[
    int, typer.Option(metavar="NUMBER", min=0, help="Leave out examples longer than this; 0 keeps all.")
]
Unsafe = Annotated[bool, typer.Option("--include-unsafe", help="Include calls that are marked unsafe for training.")]
Redact = Annotated[
    str,
    typer.Option(
        metavar="secrets,pii,names", help="What to redact in the dataset, beyond what was redacted in the log."
    ),
]
Again = Annotated[
    Path | None, typer.Option(metavar="MANIFEST", help="Make the dataset of this manifest again, and compare.")
]
_FORM = "openai"
_MANY = 20  # of so many draws and more, not one dataset in a hundred has less than half of them by chance
_DEFAULT = Recipe()


@selecting
def command(
    records: Given = ALL,
    *,
    form: Form = _FORM,
    out: Out = Path("dataset"),
    eval_share: EvalShare = _DEFAULT.eval_share,
    validation_share: ValidationShare = _DEFAULT.validation_share,
    seed: Seed = _DEFAULT.seed,
    dedup: Duplicates = "exact",
    similarity: Similarity = _DEFAULT.similarity,
    max_tokens: MaxTokens = 0,
    include_unsafe: Unsafe = False,
    redact: Redact = "",
    again: Again = None,
    as_json: AsJson = False,
) -> None:
    """Make a dataset from the calls.

    Corrected answers are taken as corrected. Answers that are rated bad, failed, truncated, refused or otherwise unsafe
    are left out, as are those of replays unless --workload names theirs. A conversation is in one set only. A manifest
    beside the files records how they were made: --again makes them again with its format, filters and recipe, and exits
    with 1 if the files differ.
    """
    before = _manifest(again) if again else None
    with wrong(), failing(ImportError):
        if dedup != "near" and similarity != _DEFAULT.similarity:
            raise ValueError("--similarity says what near duplicates are, which --dedup near leaves out; give both")
        replays = are_meant(records.chosen.where)
        numbers = (eval_share, validation_share, seed, dedup, similarity, max_tokens)
        recipe = Recipe(*numbers, unsafe=include_unsafe, replays=replays, redact=redact)
        if before:
            if records.chosen or recipe != _DEFAULT or form != _FORM:
                raise ValueError(f"{again} says what is taken, and how; leave out all but SOURCE, --out and --json")
            form, recipe, made_from = before["format"], Recipe(**before["recipe"]), before["made_from"]
            records = Records(records.given or made_from["sources"], Filter.of(made_from["filter"]))
        manifest = _exported(records, out, form=form, recipe=recipe)
    if not manifest["counts"]["calls"]:
        raise records.nothing("calls")
    _put(manifest, out, as_json=as_json)
    if not manifest["counts"]["taken"]:
        raise Problem(f"no call can be exported{f' that matches {records.chosen}' if records.chosen else ''}")
    if not _rows(manifest):
        raise Problem("no answer has feedback: correct answers, or rate them (a pair needs two of one question)")
    for name, rows, share in _short(manifest):
        told = f"{name} has {counted(rows, 'row')}, and its share would be {share}"
        why = "what belongs to one session, trace or conversation is in one set, and some are large"
        typer.echo(f"flywheel-log: {told}: {why}", err=True)
    if before and (changed := [name for name, file in before["files"].items() if manifest["files"].get(name) != file]):
        raise Problem(f"{', '.join(changed)} differ from those of {again}: {_why(before, manifest)}")


def _why(before: JSON, now: JSON) -> str:
    """Say which of what both datasets were made from is not the same any more."""
    old, new = ({_name(one): one for one in made["made_from"].get("read", ())} for made in (before, now))
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return f"{', '.join(changed)} changed" if changed else "the log is the same, flywheel_log or a setting is not"


def _name(one: JSON) -> str:
    return str(next(one[key] for key in ("file", "index", "source") if key in one))


def _manifest(path: Path) -> JSON:
    try:
        manifest: JSON = orjson.loads(path.read_bytes())
        if missing := {"format", "recipe", "made_from", "files"} - set(manifest):
            raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(f"{path} is not the manifest of a dataset: {error}", param_hint="--again") from None
    return manifest


def _exported(records: Records, out: Path, **how: Any) -> JSON:
    sources, chosen = records.sources, records.chosen
    with wrong("SOURCE"), progress_shown():
        made_from = {
            "sources": [*map(public, sources)],  # a password is no part of a dataset
            "filter": chosen.described(),
            "read": [] if records.once else provenance(sources, chosen.since),
        }
    known = records.feedbacks()
    with records.reading() as events:
        return export(events, known, out, made_from=made_from, **how)


def _empty(manifest: JSON) -> list[str]:
    """The sets that were wanted and have no rows."""
    made = {file["set"] for file in manifest["files"].values()}
    return [name for name, share in Recipe(**manifest["recipe"]).shares.items() if share > 0 and name not in made]


def _short(manifest: JSON) -> Iterator[tuple[str, int, int]]:
    """Yield each set that has less than half of the rows that its share is, which is more than chance, with both."""
    made = {file["set"]: file["rows"] for file in manifest["files"].values()}
    for name, share in Recipe(**manifest["recipe"]).shares.items():
        wanted, rows = round(share * _rows(manifest)), made.get(name, 0)
        if wanted >= _MANY and rows < wanted / 2:
            yield name, rows, wanted


def _rows(manifest: JSON) -> int:
    return sum(file["rows"] for file in manifest["files"].values())


def _put(manifest: JSON, out: Path, *, as_json: bool) -> None:
    if as_json:
        put_json(manifest)
        return
    counts = manifest["counts"]
    taken, rows = f"{counts['taken']:,} of {counted(counts['calls'], 'call')}", _rows(manifest)
    made = taken if rows == counts["taken"] else f"{counted(rows, 'row')} made of {taken}"
    typer.echo(f"{made} in {one_line(str(out))}" if rows else f"{made}; nothing was written")
    for name, file in manifest["files"].items():
        typer.echo(f"  {file['rows']:>8,}  {one_line(name)}")
    for name in _empty(manifest) if rows else ():
        typer.echo(f"  {0:>8}  {name} (no file)")
    for reason, count in counts["dropped"].items():
        typer.echo(f"  {count:>8,}  left out: {one_line(reason.replace('_', ' '))}")
