"""Looks for planted strings in everything that was written: all files of a place, as text, escaped or in base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path


def leaks(planted: Iterable[str], *places: Path, output: str = "") -> list[str]:
    """Say which of *planted* stands where: in a file at or below *places*, or in *output*."""
    files = [path for place in places for path in (place, *place.rglob("*")) if path.is_file()]
    contents = {str(path): path.read_bytes() for path in files} | {"output": output.encode()}
    return [
        f"{secret} in {name}"
        for secret in planted
        for name, content in contents.items()
        if any(form in content for form in _forms(secret))
    ]


def _forms(secret: str) -> set[bytes]:
    return {secret.encode(), json.dumps(secret)[1:-1].encode(), base64.b64encode(secret.encode()).rstrip(b"=")}
