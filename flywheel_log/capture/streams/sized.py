"""Cut bytes, as they arrive, into chunks of a given size."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing


class _Cutter:
    def __init__(self, size: int) -> None:
        self._size = size
        self.rest = b""

    def cut(self, piece: bytes) -> list[bytes]:
        """Return the whole chunks that there are with *piece*."""
        data, size = self.rest + piece, self._size
        whole = len(data) - len(data) % size
        self.rest = data[whole:]
        return [data[at : at + size] for at in range(0, whole, size)]


def sized(pieces: Generator[bytes, None, None], size: int) -> Generator[bytes, None, None]:
    """Yield *pieces* in chunks of *size* bytes; the last one may be shorter."""
    cutter = _Cutter(size)
    with closing(pieces):
        for piece in pieces:
            yield from cutter.cut(piece)
        if cutter.rest:
            yield cutter.rest


async def asized(pieces: AsyncGenerator[bytes, None], size: int) -> AsyncGenerator[bytes, None]:
    """Yield *pieces* in chunks of *size* bytes; the last one may be shorter."""
    cutter = _Cutter(size)
    async with aclosing(pieces):
        async for piece in pieces:
            for chunk in cutter.cut(piece):
                yield chunk
        if cutter.rest:
            yield cutter.rest
