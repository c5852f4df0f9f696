"""The doctor and indices that fit but take no documents: each is seen, and each fix that is named mends it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flywheel_log import cli
from flywheel_log.sinks.elasticsearch.mapping import INDEX

from .api import Api
from .proxy import proxied

FLOOD = "index.blocks.read_only_allow_delete"
READ_ONLY = f"the index INDEX is read-only ({FLOOD}), which Elasticsearch sets when its disk is nearly full"
WRITE = "the index INDEX takes no documents (index.blocks.write)"
PIPELINE = "index.default_pipeline"
NO_PIPELINE = f"the index INDEX sends documents through the pipeline none-such ({PIPELINE}), which does not exist"

Request = tuple[Any, ...]


def settings(name: str, value: object) -> Request:
    return ("PUT", "INDEX/_settings", {name: value})


@pytest.fixture
def carry_out(api: Api, index: str):
    def send(request: Request) -> None:
        method, path, *body = request
        assert api(method, path.replace("INDEX", index), *body)["acknowledged"]

    return send


@pytest.mark.parametrize(
    ("hurt", "what", "fix"),
    [
        (("POST", "INDEX/_close"), "the index INDEX is closed", ("POST", "INDEX/_open")),
        (settings(FLOOD, value=True), READ_ONLY, settings(FLOOD, None)),
        (settings("index.blocks.write", value=True), WRITE, settings("index.blocks.write", None)),
        (settings(PIPELINE, "none-such"), NO_PIPELINE, settings(PIPELINE, None)),
    ],
)
def test_an_index_that_is_shut_is_seen_and_how_to_open_it(
    *, url, index, carry_out, monkeypatch, capsys, hurt, what, fix
):
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", url)
    carry_out(("PUT", "INDEX", INDEX))
    assert cli.run(["doctor"]) == 0
    capsys.readouterr()
    carry_out(hurt)
    assert cli.run(["doctor", "--json"]) == 1
    (wrong,) = [one for one in map(json.loads, capsys.readouterr().out.splitlines()) if not one["ok"]]
    method, path, *body = fix
    said = " ".join([method, f"/{path}", *map(json.dumps, body)]).replace("INDEX", index)
    assert wrong["what"] == what.replace("INDEX", index)
    assert wrong["fix"].endswith(said)
    carry_out(fix)
    assert cli.run(["doctor"]) == 0


def test_behind_an_alias_only_the_index_counts_that_is_written_to(*, url, api, index, carry_out, monkeypatch, capsys):
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", f"{url}-alias")
    for number in (1, 2):
        carry_out(("PUT", f"INDEX-{number}", {**INDEX, "aliases": {f"{index}-alias": {}}}))
    assert cli.run(["doctor"]) == 1
    said = f"FIX  the alias {index}-alias stands for 2 indices, and none is the one to write to: name one: "
    assert said in capsys.readouterr().out
    written = {"index": f"{index}-2", "alias": f"{index}-alias", "is_write_index": True}
    carry_out(("POST", "_aliases", {"actions": [{"add": written}]}))
    carry_out(("PUT", "INDEX-1/_settings", {"index.blocks.write": True}))
    assert cli.run(["doctor"]) == 0
    carry_out(("POST", "INDEX-2/_close"))
    assert cli.run(["doctor"]) == 1
    assert f"FIX  the index {index}-2 is closed: open it: POST /{index}-2/_open" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "fix"),
    [
        ({"number": "6.8.23"}, "it is too old; Elasticsearch 7.17, 8 and 9 serve, and OpenSearch 2"),
        ({"number": "2.19.1", "distribution": "opensearch"}, ""),
        ({"number": "9.0.0"}, ""),
        ("hidden", ""),
    ],
)
def test_a_server_that_is_too_old_is_seen_by_its_number(*, version, fix, url, monkeypatch, capsys):
    server = url.rpartition("/")[0].removeprefix("elasticsearch://")

    def answering(exchange):
        if exchange.path == "/":
            exchange.answer(200, json.dumps({"version": version}).encode())
        else:
            exchange.answer(*exchange.forward())

    with proxied(f"http://{server}") as proxy:
        proxy.fault = answering
        monkeypatch.setenv("FLYWHEEL_LOG_SINKS", url.replace(server, proxy.url.removeprefix("http://")))
        assert cli.run(["doctor", "--json"]) == int(bool(fix))
    found = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    named = "Elasticsearch 6.8.23" if fix else "Elasticsearch"
    assert {"ok": not fix, "what": f"{named} at {proxy.url}", "fix": fix} in found
