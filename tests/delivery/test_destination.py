"""A set of sinks has one directory, whatever their order, and no secrets in it."""

import json
import os
import resource
import stat

import pytest

from flywheel_log.delivery.destination import Destination


def test_order_and_repetition_do_not_matter(tmp_path):
    one = Destination.of(["stdout:", "file:/a.log"], tmp_path)
    assert one == Destination.of(["file:/a.log", "stdout:", "stdout:"], tmp_path)
    assert one.urls == ("file:/a.log", "stdout:")


def test_the_key_never_changes(tmp_path):
    assert Destination.of(["file:/var/log/genai.log"], tmp_path).directory == tmp_path / "07ae5f1b35df58e5"


def test_a_relative_file_is_another_one_in_another_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Destination.of(["file:genai.log?keep=2"], tmp_path).names == (f"file:{tmp_path}/genai.log?keep=2",)


def test_an_elasticsearch_of_the_environment_is_written_out(tmp_path, monkeypatch):
    monkeypatch.setenv("ELASTICSEARCH_URL", "https://user:secret@one:9200")
    monkeypatch.setenv("ELASTICSEARCH_INDEX", "calls")
    names = Destination.of(["elasticsearch:?timeout=3"], tmp_path).names
    assert names == ("elasticsearch://one:9200/calls?tls=true&timeout=3",)


def test_credentials_are_used_and_not_written(tmp_path):
    url = "elasticsearch://user:secret@host:9200/index?api_key=secret&flavour=a"
    destination = Destination.of([url], tmp_path)
    destination.prepare()
    assert destination.urls == (url,)
    assert json.loads((destination.directory / "sinks.json").read_bytes()) == {
        "sinks": ["elasticsearch://host:9200/index?flavour=a"]
    }


def test_a_destination_is_read_back_from_its_directory(tmp_path):
    destination = Destination.of(["file:/a.log"], tmp_path)
    destination.prepare()
    destination.prepare()
    assert Destination.load(destination.directory) == destination


def test_directory_and_description_are_the_users_alone(tmp_path):
    destination = Destination.of(["file:/a.log"], tmp_path / "journal")
    destination.prepare()
    paths = [tmp_path / "journal", destination.directory, destination.directory / "sinks.json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o700, 0o700, 0o600]


def test_a_directory_without_a_description_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Destination.load(tmp_path)


def test_two_processes_of_one_number_as_containers_have_them_may_make_it_at_once(tmp_path, monkeypatch):
    destination = Destination.of(["stdout:"], tmp_path)
    rename, others = os.rename, [destination.prepare]

    def meanwhile(source, target):
        if others:  # The other one goes all the way between our write and our rename.
            others.pop()()
        rename(source, target)

    monkeypatch.setattr(os, "rename", meanwhile)
    destination.prepare()
    assert Destination.load(destination.directory).names == destination.names
    assert [path.name for path in destination.directory.iterdir()] == ["sinks.json"]


def test_half_a_description_is_none(tmp_path):
    """What waits in the directory would be delivered by nobody: which sinks it is for could not be read."""
    destination = Destination.of(["file:/a.log"], tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            destination.prepare()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(destination.directory.iterdir()) == []
    destination.prepare()
    assert Destination.load(destination.directory) == destination
