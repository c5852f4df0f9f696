"""Elasticsearch as `curl` sees it: what the tests ask the server without going through the package."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class Api:
    """One server's HTTP interface."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """Return the parsed answer, whatever its status."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/{path}", data, {"content-type": "application/json"}, method=method)
        try:
            with urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as error:
            return json.load(error)

    def refresh(self, indices: str) -> None:
        """Let searches find all that *indices* hold."""
        answer = self("POST", f"{indices}/_refresh")
        assert answer.get("_shards", {}).get("failed") == 0, answer

    def sources(self, index: str) -> dict[str, Any]:
        """All documents of *index* by their id."""
        self.refresh(index)
        found: dict[str, Any] = {}
        answer = self("POST", f"{index}/_search?scroll=1m", {"size": 5000})
        while hits := answer["hits"]["hits"]:
            found.update((hit["_id"], hit["_source"]) for hit in hits)
            answer = self("POST", "_search/scroll", {"scroll": "1m", "scroll_id": answer["_scroll_id"]})
        self("DELETE", "_search/scroll", {"scroll_id": answer["_scroll_id"]})
        return found

    def ids(self, index: str) -> set[str]:
        """The ids of all documents of *index*."""
        return set(self.sources(index))

    def remove(self, name: str) -> None:
        """Remove the indices and templates whose names begin with *name*."""
        for found in self("GET", f"_cat/indices/{name}*?format=json&h=index&expand_wildcards=all"):
            self("DELETE", found["index"])
        self("DELETE", f"_index_template/{name}*")
