"""The search for what a file holds already is the same however much of it is read at once."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flywheel_log.contract import event
from flywheel_log.sinks.file.tail import Part, unstored

numbers = st.integers(0, 30)
contents = st.lists(
    st.builds(lambda number, size: event(number, "x" * size) + b"\n", numbers, st.integers(0, 200))
    | st.builds(lambda size: b'{"id":"other-7","x":"' + b"x" * size + b'"}\n', st.integers(0, 600))
    | st.just(b"\n")
    | st.just(b"rubbish\n"),
    max_size=12,
)


@given(contents, st.sets(numbers), st.sampled_from([b"", b'{"id":"a1b2-3",']), st.integers(32, 1000))
def test_any_chunk_finds_what_the_whole_file_shows(content, wanted, torn, chunk):
    lines = [event(number) for number in sorted(wanted)]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "genai.log"
        path.write_bytes(b"".join(content) + torn)
        assert unstored(lines, [Part(path)], chunk) == unstored(lines, [Part(path)])


@given(st.lists(numbers, unique=True).map(sorted), st.sets(numbers), st.integers(32, 1000))
def test_what_a_process_stored_in_its_order_is_found(there, wanted, chunk):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "genai.log"
        path.write_bytes(b"".join(event(number) + b"\n" for number in there))
        found = unstored([event(number) for number in sorted(wanted)], [Part(path)], chunk)
    assert found == [event(number) for number in sorted(wanted - set(there))]
