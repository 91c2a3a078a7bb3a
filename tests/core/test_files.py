import json
import math

import pytest

from simlib.core import (
    SimlibError,
    read_json,
    write_json,
    written_aside,
)


def test_a_file_appears_whole_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "new" / "a.json"
    write_json(path, {"b": 1, "a": "ü"})
    assert path.read_text(encoding="utf-8") == '{\n  "a": "ü",\n  "b": 1\n}\n'
    with written_aside(path) as aside:
        assert aside.parent == path.parent
        assert aside.suffix == path.suffix
        aside.write_text("new")
        assert path.read_text(encoding="utf-8").startswith("{"), "changed before it was whole"
    assert path.read_text() == "new"
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failed_writing_keeps_the_old_file_and_leaves_nothing(tmp_path, failure):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(failure), written_aside(path) as aside:
        aside.write_text("half")
        raise failure
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_name_as_long_as_a_file_system_takes_can_be_written(tmp_path):
    path = tmp_path / ("x" * 250 + ".npy")
    with written_aside(path) as aside:
        aside.write_text("whole")
    assert path.read_text() == "whole"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_that_has_no_such_number_is_refused_and_the_old_file_kept(tmp_path, value):
    path = tmp_path / "metrics.json"
    write_json(path, {"value": 1.0})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"value": value})
    assert json.loads(path.read_text()) == {"value": 1.0}


def test_json_is_read_back_or_refused_with_what_to_do(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(SimlibError, match="is not there; run it"):
        read_json(path, "run it")
    path.write_text("{")
    with pytest.raises(SimlibError, match="is not valid JSON .*; run it"):
        read_json(path, "run it")
    write_json(path, [1, "ü", None])
    assert read_json(path, "run it") == [1, "ü", None]
