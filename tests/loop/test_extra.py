"""Libraries that are not always there."""

from __future__ import annotations

import sys

import pytest

from flywheel_log.loop.extra import need


def test_what_is_installed_is_imported():
    assert need("json.decoder", "any") is sys.modules["json.decoder"]


def test_what_is_not_says_how_to_install_it():
    with pytest.raises(ModuleNotFoundError) as raised:
        need("no_such_library.part", "analysis")
    expected = "no_such_library is not installed; install it with: pip install 'flywheel-log[analysis]'"
    assert str(raised.value) == expected
