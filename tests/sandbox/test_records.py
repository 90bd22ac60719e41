"""What is known of a thread's session, as it is written down."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sandbox.records import KeptFile, Record, from_json, to_json

names = st.lists(st.text(max_size=10), max_size=4).map(tuple)
kept_files = st.builds(KeptFile, st.text(max_size=64), st.integers(0, 2**63), st.floats(allow_nan=False))
records = st.builds(
    Record,
    container=st.none() | st.text(max_size=64),
    boot=st.text(max_size=16),
    kernel=st.integers(0, 1000),
    variables=names,
    not_saved=names,
    has_run=st.booleans(),
    files=st.dictionaries(st.text(max_size=20), kept_files, max_size=4),
    packages=st.dictionaries(st.text(max_size=20), st.text(max_size=64), max_size=4),
)


@given(records)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert from_json(json.loads(json.dumps(to_json(record)))) == record


def test_a_thread_without_a_record_has_an_empty_one() -> None:
    assert from_json(None) == Record()
