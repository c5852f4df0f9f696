"""The promises of every sink, on a real server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from flywheel_log.contract import SinkContract
from flywheel_log.sinks import Sink, open_sink

from .api import Api
from .sink import url_of


class TestElasticsearch(SinkContract):
    """Documents of one index, in the order in which the server stored them."""

    exactly_once = True

    @pytest.fixture(autouse=True)
    def _server(self, api: Api, index: str) -> None:
        self.api, self.index = api, index

    def make_sink(self, tmp_path: Path) -> Sink:
        return open_sink(url_of(self.api.url, self.index))

    def stored_ids(self) -> Sequence[str]:
        self.api.refresh(self.index)
        hits = self.api("POST", f"{self.index}/_search", {"size": 100, "sort": ["_seq_no"]})["hits"]["hits"]
        return [hit["_id"] for hit in hits]
