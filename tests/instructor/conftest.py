"""Gives the tests of instructor the events of the test, and a stand-in."""

from tests.capture.conftest import events, server, start

__all__ = ["events", "server", "start"]
