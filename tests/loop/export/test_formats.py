"""Datasets on disk, read by those who will read them."""

from __future__ import annotations

import csv
import hashlib
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter

from flywheel_log.loop.export import Recipe, export, names
from flywheel_log.loop.feedback import Feedbacks
from tests.elasticsearch.contract import fatal, unusable

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"properties": {"city": {"type": "string"}}}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
HISTORY = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Rain?", "name": None},
    {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": None},
    {"role": "tool", "tool_call_id": "c1", "content": "no"},
]


def call(number: int, message: dict[str, Any], *, messages: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    asked = messages or [{"role": "user", "content": f"Question {number}?"}]
    return {
        "id": f"r-{number}",
        "timestamp": f"2026-01-31T10:00:{number:02}.000Z",
        "kind": "llm",
        "client_id": "shop",
        "workload_id": "support",
        "status": "ok",
        "model": "m",
        "prompt": {"name": "p", "version": 3},
        "request": {"model": "m", "messages": asked, "tools": [TOOL], "temperature": None},
        "response": {"id": f"c-{number}", "choices": [{"index": 0, "message": message, "logprobs": None}]},
        "input_tokens": 7,
        "latency_ms": 12.5,
        **fields,
    }


TEXT = {"role": "assistant", "content": "No.", "refusal": None, "audio": None}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL], "function_call": None}
EVENTS = [
    call(1, TEXT, messages=HISTORY),
    call(2, CALLING),
    call(3, {**TEXT, "content": "=1+1"}, quality={"thumbs": "up"}),
    call(4, {**TEXT, "content": "Bad."}, messages=[{"role": "user", "content": "Question 3?"}], quality={"rating": 0}),
    call(5, {**TEXT, "content": "Wrong."}, quality={"correction": "Right.", "thumbs": "down"}),
    call(6, {**TEXT, "content": "Cut"}, training_unsafe=["length"]),
]
ALL = Recipe(eval_share=0, validation_share=0)
Written = Callable[..., list[Any]]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Export the events, all into the file of the training, and return its lines."""

    def lines(form: str, recipe: Recipe = ALL, name: str = "train.jsonl") -> list[Any]:
        export(EVENTS, Feedbacks(EVENTS), tmp_path / form, form=form, recipe=recipe)
        return [json.loads(line) for line in (tmp_path / form / name).read_bytes().splitlines()]

    return lines


def nulls(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(nulls, children)) + (value is None)


def test_openai_takes_the_chats(written: Written):
    rows = written("openai")
    messages, tools = TypeAdapter(list[ChatCompletionMessageParam]), TypeAdapter(list[ChatCompletionToolParam])
    for row in rows:
        list(messages.validate_python(row["messages"], strict=True))
        tools.validate_python(row["tools"], strict=True)
    assert [row["messages"][-1] for row in rows] == [
        {"role": "assistant", "content": "No."},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "assistant", "content": "=1+1"},
        {"role": "assistant", "content": "Right."},
    ]
    assert nulls(rows) == 0


def test_one_tool_at_a_time_is_learnt_as_that(tmp_path: Path):
    one = call(1, CALLING)
    one["request"]["parallel_tool_calls"] = False
    export([one], Feedbacks(()), tmp_path / "d", recipe=ALL)
    row = json.loads((tmp_path / "d" / "train.jsonl").read_bytes())
    assert (row["tools"], row["parallel_tool_calls"]) == ([TOOL], False)


def test_functions_are_learnt_as_tools_and_texts_in_parts_as_texts(tmp_path: Path):
    function, parts = {"name": "f", "arguments": "{}"}, [{"type": "text", "text": one} for one in ("Rain", "or snow?")]
    asked = [
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "function_call": function},
        {"role": "function", "name": "f", "content": "Snow."},
    ]
    one = call(1, {"role": "assistant", "content": None, "function_call": function}, messages=asked)
    one["request"] |= {"functions": [TOOL["function"]], "tools": [{"type": "custom", "custom": {"name": "sql"}}]}
    export([one], Feedbacks(()), tmp_path / "d", recipe=ALL)
    calls = [[{"id": identity, "type": "function", "function": function}] for identity in ("call_1", "call_3")]
    assert json.loads((tmp_path / "d" / "train.jsonl").read_bytes()) == {
        "messages": [
            {"role": "user", "content": "Rain\nor snow?"},
            {"role": "assistant", "tool_calls": calls[0], "weight": 0},
            {"role": "tool", "name": "f", "content": "Snow.", "tool_call_id": "call_1"},
            {"role": "assistant", "tool_calls": calls[1]},
        ],
        "tools": [TOOL],
    }


def test_a_number_too_large_for_a_table_is_unknown(tmp_path: Path):
    export([call(1, TEXT, input_tokens=2**63)], Feedbacks(()), tmp_path / "d", form="parquet", recipe=ALL)
    assert pyarrow.parquet.read_table(tmp_path / "d" / "train.parquet")["input_tokens"].to_pylist() == [None]


def test_other_loggers_times_are_written_as_the_blueprint_reads_them(tmp_path: Path):
    odd = call(1, TEXT) | {"timestamp": "2024-05-16 10:07:54"}
    export([odd], Feedbacks(()), tmp_path / "d", form="flywheel", recipe=ALL)
    document = json.loads((tmp_path / "d" / "train.jsonl").read_bytes())
    assert (document["timestamp"], fatal(document)) == ("2024-05-16T10:07:54.000Z", [])


def test_only_the_last_answer_is_learnt_and_the_history_is_in_known_words(tmp_path: Path):
    history = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Rain?", "name": "ada"},
        {**TEXT, "content": None, "refusal": "I cannot say.", "annotations": [], "reasoning_content": "Hm."},
        {"role": "user", "content": "And now?"},
    ]
    export([call(1, TEXT, messages=history)], Feedbacks(()), tmp_path / "d", recipe=ALL)
    assert json.loads((tmp_path / "d" / "train.jsonl").read_bytes()) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Rain?", "name": "ada"},
            {"role": "assistant", "content": "I cannot say.", "weight": 0},
            {"role": "user", "content": "And now?"},
            {"role": "assistant", "content": "No."},
        ],
        "tools": [TOOL],
    }


def test_an_answer_that_was_begun_in_the_request_is_learnt_whole(tmp_path: Path):
    asked = [{"role": "user", "content": "As JSON?"}, {"role": "assistant", "content": "{"}]
    answer = {"role": "assistant", "content": [{"type": "text", "text": '"rain": false}'}], "stop_reason": "end_turn"}
    one = call(1, TEXT, surface="messages", request={"messages": asked}, response=answer)
    chats = call(2, {**TEXT, "content": "{}"}, messages=asked) | {"surface": "chat.completions"}
    export([one, chats], Feedbacks(()), tmp_path / "d", recipe=ALL)
    assert [json.loads(line)["messages"] for line in (tmp_path / "d" / "train.jsonl").read_bytes().splitlines()] == [
        [asked[0], {"role": "assistant", "content": '{"rain": false}'}],
        [asked[0], {**asked[1], "weight": 0}, {"role": "assistant", "content": "{}"}],
    ]


def test_what_redaction_makes_equal_is_in_the_dataset_once(tmp_path: Path):
    events = [
        call(
            n,
            TEXT,
            messages=[{"role": "user", "content": f"Is user{n}@example.com in?"}],
            session_id=f"s{n}@example.com",
        )
        for n in range(40)
    ]
    counts = export(events, Feedbacks(()), tmp_path / "d", recipe=Recipe(redact="pii"))["counts"]
    assert counts == {"calls": 40, "taken": 1, "dropped": {"duplicate": 39}}


def test_whose_a_call_is_still_divides_what_is_redacted(tmp_path: Path):
    events = [call(n, {**TEXT, "content": f"No {n}."}, session_id=f"s{n}@example.com") for n in range(60)]
    files = export(events, Feedbacks(()), tmp_path / "d", recipe=Recipe(redact="pii"))["files"]
    assert min(file["rows"] for file in files.values()) > 0


def test_hugging_face_loads_the_chats(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    rows = written("openai")
    files = str(tmp_path / "openai" / "train.jsonl")
    loaded = datasets.load_dataset("json", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert [row["messages"][-1].get("content") for row in loaded] == ["No.", None, "=1+1", "Right."]
    assert len(loaded) == len(rows)


def test_nemo_gets_objects_for_arguments_and_content_everywhere(written: Written):
    rows = written("nemo", name="training/train_data.jsonl")
    called = {**CALL, "function": {"name": "weather", "arguments": {"city": "Ulm"}}}
    assert rows[1]["messages"][-1] == {"role": "assistant", "content": "", "tool_calls": [called]}
    assert [message["content"] for message in rows[0]["messages"]] == ["Be brief.", "Rain?", "", "no", "No."]


def test_nemo_evaluates_with_requests_and_responses(written: Written):
    (row, *_) = written("nemo", Recipe(eval_share=1, validation_share=0), "eval/eval_data.jsonl")
    assert row["request"]["messages"][2] == {"role": "assistant", "content": "", "tool_calls": [CALL]}
    assert row["response"] == {"choices": [{"message": {"role": "assistant", "content": "No."}}]}


def test_a_flywheel_takes_every_document(written: Written):
    documents = written("flywheel")
    assert [fatal(document) + unusable(document) for document in documents] == [[]] * 4
    assert documents[3] == {
        "request": {"model": "m", "messages": [{"content": "Question 5?", "role": "user"}], "tools": [TOOL]},
        "response": {"id": "c-5", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Right."}}]},
        "timestamp": "2026-01-31T10:00:05.000Z",
        "client_id": "shop",
        "workload_id": "support",
    }


def test_preferences_are_corrections_and_ratings_of_one_question(written: Written):
    rows = written("dpo")
    pairs = [
        (row["input"]["messages"][-1]["content"], row["preferred_output"], row["non_preferred_output"]) for row in rows
    ]
    assert pairs == [
        ("Question 5?", [{"role": "assistant", "content": "Right."}], [{"role": "assistant", "content": "Wrong."}]),
        ("Question 3?", [{"role": "assistant", "content": "=1+1"}], [{"role": "assistant", "content": "Bad."}]),
    ]


def test_nothing_made_up_is_preferred_nor_an_answer_to_itself(tmp_path: Path):
    asked = [{"role": "user", "content": "Question 3?"}]
    invented = call(
        6, {**TEXT, "content": "Invented."}, messages=asked, hallucination_flag=True, quality={"thumbs": "up"}
    )
    same = call(7, {**TEXT, "content": "Bad."}, messages=asked, quality={"thumbs": "up"})
    recipe = replace(ALL, dedup="none")
    manifest = export([EVENTS[3], invented, same], Feedbacks(()), tmp_path / "d", form="dpo", recipe=recipe)
    assert (manifest["counts"]["taken"], manifest["files"], (tmp_path / "d").exists()) == (3, {}, False)


def test_a_call_of_a_custom_tool_is_neither_preferred_nor_rejected(tmp_path: Path):
    wanted = [{"id": "c1", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]
    events = [call(1, {"role": "assistant", "content": None, "tool_calls": wanted}, quality={"correction": "No."})]
    forms = {form: export(events, Feedbacks(()), tmp_path / form, form=form, recipe=ALL) for form in ("dpo", "trl-kto")}
    assert {form: [one["rows"] for one in made["files"].values()] for form, made in forms.items()} == {
        "dpo": [],
        "trl-kto": [1],
    }


SPELT_OUT = {**CALL, "function": {"name": "weather", "arguments": {"city": "Ulm"}}}


def test_trl_learns_completions_alone_with_objects_for_arguments(written: Written):
    rows = written("trl")
    assert rows[0] == {
        "prompt": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Rain?"},
            {"role": "assistant", "content": "", "tool_calls": [SPELT_OUT]},
            {"role": "tool", "tool_call_id": "c1", "content": "no"},
        ],
        "completion": [{"role": "assistant", "content": "No."}],
        "tools": json.dumps([TOOL], separators=(",", ":")),
    }
    assert rows[1]["completion"] == [{"role": "assistant", "content": "", "tool_calls": [SPELT_OUT]}]


def test_trl_prefers_corrections_and_good_ratings(written: Written):
    rows = written("trl-dpo")
    assert [(row["prompt"][-1]["content"], row["chosen"], row["rejected"]) for row in rows] == [
        ("Question 5?", [{"content": "Right.", "role": "assistant"}], [{"content": "Wrong.", "role": "assistant"}]),
        ("Question 3?", [{"content": "=1+1", "role": "assistant"}], [{"content": "Bad.", "role": "assistant"}]),
    ]
    assert {tuple(row) for row in rows} == {("prompt", "tools", "chosen", "rejected")}


def test_trl_is_told_of_each_judged_answer_whether_it_is_wanted(tmp_path: Path):
    events = [*EVENTS, call(7, {**TEXT, "content": "Invented."}, hallucination_flag=True)]
    export(events, Feedbacks(events), tmp_path / "k", form="trl-kto", recipe=ALL)
    rows = [json.loads(line) for line in (tmp_path / "k" / "train.jsonl").read_bytes().splitlines()]
    assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [
        ("=1+1", True),
        ("Bad.", False),
        ("Right.", True),
        ("Wrong.", False),
        ("Invented.", False),
    ]


IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
FILE = {"type": "file", "file": {"file_id": "file-1"}}


@pytest.mark.parametrize("form", names())
def test_a_trainer_gets_no_media_that_it_would_refuse(tmp_path: Path, form: str):
    text = {"type": "text", "text": "What is it?"}
    contents = ([text, IMAGE], [text, SOUND], [FILE], [text, IMAGE, SOUND], [], [text])
    events = [
        call(number, {**TEXT, "content": f"{number}"}, messages=[{"role": "user", "content": content}])
        for number, content in enumerate(contents)
    ]
    dropped = export(events, Feedbacks(()), tmp_path / form, form=form, recipe=ALL)["counts"]["dropped"]
    refused = {"openai": 4, "dpo": 5, "trl": 5, "trl-dpo": 5, "trl-kto": 5}
    assert dropped == ({"media": refused[form]} if form in refused else {})


@pytest.mark.parametrize("role", ["assistant", "tool", "system"])
def test_openai_is_taught_on_images_of_the_user_alone(tmp_path: Path, role: str):
    """Its service ends a job at an image that an assistant is to have made."""
    history = [{"role": "user", "content": "Draw a cat."}, {"role": role, "content": [IMAGE]}]
    history += [{"role": "user", "content": [{"type": "text", "text": "And this?"}, IMAGE]}]
    told = [
        export([call(1, TEXT, messages=messages)], Feedbacks(()), tmp_path / "d", recipe=ALL)["counts"]["dropped"]
        for messages in (history, history[2:])
    ]
    assert told == [{"media": 1}, {}]


def test_hugging_face_reads_prompts_as_they_are(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import Features, Json, List, Value, load_dataset

    rows = written("trl")
    features = Features(prompt=List(Json()), completion=List(Json()), tools=Value("string"))
    files = str(tmp_path / "trl" / "train.jsonl")
    found = load_dataset("json", data_files=files, features=features, split="train", cache_dir=str(tmp_path / "cache"))
    assert list(found) == rows


def test_arrow_reads_the_types_of_a_table(tmp_path: Path):
    export(EVENTS, Feedbacks(EVENTS), tmp_path / "p", form="parquet", recipe=ALL)
    table = pyarrow.parquet.read_table(tmp_path / "p" / "train.parquet")
    assert str(table.schema.field("latency_ms").type) == "double"
    columns = ["id", "question", "answer", "tool", "input_tokens", "prompt_version", "cost_usd"]
    assert [list(row.values()) for row in table.select(columns).to_pylist()[:2]] == [
        ["r-1", "Rain?", "No.", None, 7, "3", None],
        ["r-2", "Question 2?", "", "weather", 7, "3", None],
    ]


@pytest.mark.parametrize("start", [*"=+-@\t\n＝＋－＠"])  # noqa: RUF001  some spreadsheets take these for the others
def test_no_answer_begins_a_formula(tmp_path: Path, start: str):
    export([call(1, {**TEXT, "content": f"{start}1"})], Feedbacks(()), tmp_path / "c", form="csv", recipe=ALL)
    with (tmp_path / "c" / "train.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["answer"] == f"'{start}1"


def test_a_spreadsheet_runs_nothing(tmp_path: Path):
    export(EVENTS, Feedbacks(EVENTS), tmp_path / "c", form="csv", recipe=ALL)
    with (tmp_path / "c" / "train.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["answer"] for row in rows] == ["No.", "", "'=1+1", "Right."]


def test_a_manifest_says_how_to_make_it_again(tmp_path: Path):
    made_from = {"sources": ["genai.log"], "filter": {}}
    manifest = export(EVENTS, Feedbacks(EVENTS), tmp_path / "d", recipe=ALL, made_from=made_from)
    written = (tmp_path / "d" / "train.jsonl").read_bytes()
    assert json.loads((tmp_path / "d" / "manifest.json").read_text()) == manifest
    assert {name: manifest[name] for name in manifest if name not in ("flywheel_log", "recipe")} == {
        "format": "openai",
        "made_from": made_from,
        "counts": {"calls": 6, "taken": 4, "dropped": {"rated_bad": 1, "unsafe_length": 1}},
        "files": {"train.jsonl": {"set": "train", "rows": 4, "sha256": hashlib.sha256(written).hexdigest()}},
        "prompt_versions": {"p@3": 4},
        "models": {"m": 4},
        "tools": {"weather": 1},
        "first": "2026-01-31T10:00:01.000Z",
        "last": "2026-01-31T10:00:05.000Z",
    }


@pytest.mark.parametrize("form", names())
def test_the_same_log_in_any_order_makes_the_same_bytes(tmp_path: Path, form: str):
    first = export(EVENTS, Feedbacks(EVENTS), tmp_path / "a", form=form)
    again = export(EVENTS[::-1], Feedbacks(EVENTS), tmp_path / "b", form=form)
    assert first["files"] == again["files"]


def test_only_the_owner_can_read_it(tmp_path: Path):
    export(EVENTS, Feedbacks(EVENTS), tmp_path / "d", form="nemo")
    modes = {stat.S_IMODE(path.stat().st_mode): path.is_dir() for path in (tmp_path / "d").rglob("*")}
    assert (modes, stat.S_IMODE((tmp_path / "d").stat().st_mode)) == ({0o600: False, 0o700: True}, 0o700)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_dataset_takes_the_place_of_the_one_that_was_there(tmp_path: Path):
    many = [
        call(n, {**TEXT, "content": f"No {n}."}, messages=[{"role": "user", "content": f"{n}?"}]) for n in range(60)
    ]
    folder = tmp_path / "d"
    export(many, Feedbacks(()), folder)
    (folder / "notes.txt").touch()
    assert files(folder) == {"train.jsonl", "validation.jsonl", "eval.jsonl", "manifest.json", "notes.txt"}
    export(many, Feedbacks(()), folder, recipe=replace(ALL, validation_share=0.2))
    assert files(folder) == {"train.jsonl", "validation.jsonl", "manifest.json", "notes.txt"}
    export(many, Feedbacks(()), folder, form="csv", recipe=ALL)
    assert files(folder) == {"train.csv", "manifest.json", "notes.txt"}


def test_what_fails_in_the_middle_changes_nothing(tmp_path: Path):
    def torn() -> Any:
        yield from EVENTS
        raise KeyboardInterrupt

    for folder in (tmp_path / "new", tmp_path / "old"):
        if folder.name == "old":
            export(EVENTS, Feedbacks(()), folder, recipe=ALL)
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        with pytest.raises(KeyboardInterrupt):
            export(torn(), Feedbacks(()), folder)
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_manifest_moves_no_file_that_is_elsewhere(tmp_path: Path):
    other, folder = tmp_path / "other.jsonl", tmp_path / "d"
    other.touch()
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"files": {"../other.jsonl": {}, str(other): {}}}))
    export(EVENTS, Feedbacks(()), folder, recipe=ALL)
    assert (other.exists(), files(folder)) == (True, {"train.jsonl", "manifest.json"})


def test_what_is_no_dataset_is_not_overwritten(tmp_path: Path):
    (tmp_path / "mine").touch()
    with pytest.raises(FileExistsError, match="holds something else already"):
        export(EVENTS, Feedbacks(()), tmp_path)


def test_an_unknown_format_names_the_known_ones(tmp_path: Path):
    with pytest.raises(
        ValueError, match="format 'xls' is unknown; expected one of csv, dpo, flywheel, nemo, openai, parquet, trl"
    ):
        export(EVENTS, Feedbacks(()), tmp_path, form="xls")


@pytest.mark.parametrize("form", names())
def test_what_is_redacted_is_in_no_file_of_any_format(tmp_path: Path, form: str):
    asked = [{"role": "user", "content": "I am ada@example.com, is it late?"}]
    wanted = {**CALL, "function": {"name": "mail", "arguments": '{"to": "ada@example.com"}'}}
    events = [
        call(1, TEXT, messages=asked, user_id="ada@example.com", session_id="ada@example.com"),
        call(2, {**CALLING, "tool_calls": [wanted]}, quality={"thumbs": "up"}),
        call(3, {**TEXT, "content": "No."}, quality={"correction": "Write to bob@example.com."}),
    ]
    folder = tmp_path / form
    manifest = export(events, Feedbacks(events), folder, form=form, recipe=replace(ALL, redact="pii"))
    text = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".parquet")
    if form == "parquet":
        text += str(pyarrow.parquet.read_table(folder / "train.parquet").to_pylist()).encode()
    assert (b"example.com" in text, b"[email]" in text) == (False, True)
    assert (manifest["recipe"]["redact"], manifest["counts"]["taken"]) == ("pii", 3)


def test_what_is_not_to_be_redacted_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"redact.*secrets.*got.*pi"):
        export(EVENTS, Feedbacks(EVENTS), tmp_path / "d", recipe=Recipe(redact="pi"))
