"""Descriptors that we keep open: a program may close them, as daemons close all, and reuse their numbers."""

from __future__ import annotations

import errno
import os


class Descriptor:
    """The number of an open file of ours, for as long as it stands for that file.

    Args:
        number: as `os.open` returned it; it is closed where this raises.

    Attributes:
        size: bytes of the file when it was opened.

    Raises:
        OSError: the system does not tell which file it is.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._open = True
        try:
            self._file = os.fstat(number)
        except OSError:
            os.close(number)
            raise
        self.size = self._file.st_size

    def status(self) -> os.stat_result | None:
        """Return what the system says of the file; None where the program has closed it."""
        if not self._open:
            return None
        try:
            status = os.fstat(self._number)
        except OSError as error:
            return None if error.errno == errno.EBADF else self._file  # It is open, on a disk that fails.
        return status if os.path.samestat(status, self._file) else None

    def number(self) -> int | None:
        """Return the number; None where the program has closed it, so that it may be one of its own files by now."""
        return None if self.status() is None else self._number

    def close(self) -> None:
        """Close the file, if nobody has; doing it twice does nothing."""
        number, self._open = self.number(), False
        if number is not None:
            os.close(number)
