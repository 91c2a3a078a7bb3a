import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlib.core import (
    Project,
    SimlibError,
    digest_of,
    digest_of_code,
    digest_of_file,
    digests,
    import_closure,
    printable,
    read_json,
    write_json,
    written_aside,
)


def test_an_error_names_subject_cause_and_mend_in_one_line():
    error = SimlibError("a\nb.wav", "is empty", "replace it")
    assert str(error) == r"a\nb.wav: is empty; replace it"
    assert (error.subject, error.cause, error.hint) == ("a\nb.wav", "is empty", "replace it")


def test_an_error_survives_the_way_back_from_a_worker():
    import pickle

    error = pickle.loads(pickle.dumps(SimlibError("s", "c", "m")))  # noqa: S301
    assert (error.subject, error.cause, error.hint) == ("s", "c", "m")


def test_a_notebook_shows_the_sentence_in_place_of_a_traceback():
    error = SimlibError("a.wav", "is empty", "replace it")
    assert error._render_traceback_() == ["SimlibError: a.wav: is empty; replace it"]


@given(st.text(st.characters()) | st.text(st.characters(categories=["Cs", "Cc"])))
def test_printable_text_is_one_line_of_valid_unicode(text):
    shown = printable(text)
    assert shown.isprintable()
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Björk – Jóga", "Björk – Jóga"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\nb\tc", r"a\nb\tc"),
        ("bad\udcff", r"bad\udcff"),
    ],
)
def test_printable_keeps_what_can_be_shown_and_escapes_the_rest(text, shown):
    assert printable(text) == shown


def test_the_project_is_found_from_below(tmp_path, monkeypatch):
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).touch()
    inside = tmp_path / "notebooks" / "deep"
    inside.mkdir(parents=True)
    assert Project.find(inside) == Project(tmp_path.resolve())
    monkeypatch.chdir(inside)
    assert Project.find() == Project(tmp_path.resolve())


def test_half_a_project_is_none(tmp_path):
    (tmp_path / "dvc.yaml").touch()
    with pytest.raises(SimlibError, match="no simlib project.*change into your checkout"):
        Project.find(tmp_path)


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


def test_digests_follow_the_content_and_nothing_else(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert digest_of_file(path) == hashlib.sha256(b"abc").hexdigest()
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
    assert digest_of([1, 2]) != digest_of([2, 1])


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package in which `one.a` imports from `two`, whose name lies in `two.b`."""
    files = {
        "one/__init__.pyi": "from .a import f as f\n",
        "one/a.py": '"""Text."""\nfrom simlib.two import g\n\n\ndef f(x):\n    return g(x)\n',
        "one/other.py": "y = 1\n",
        "two/__init__.pyi": "from .b import g as g\nfrom .c import h as h\n",
        "two/b.py": "def g(x):\n    return x + 1\n",
        "two/c.py": "def h(x):\n    return x\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr("simlib.core.digests.PACKAGE", tmp_path)
    return tmp_path


def code():
    for cached in (digests._imports, digests._homes, digests._syntax):
        cached.cache_clear()
    return digest_of_code("simlib.one.a")


def test_a_digest_of_code_covers_what_a_module_imports_and_nothing_else(package):
    before = code()
    assert import_closure("simlib.one.a") == {"simlib.one.a", "simlib.two.b"}
    for name in ("one/other.py", "two/c.py"):
        (package / name).write_text("changed = True\n")
    assert code() == before
    (package / "two/b.py").write_text("def g(x):\n    return x + 2\n")
    assert code() != before


def test_a_digest_of_code_leaves_out_comments_docstrings_and_layout(package):
    before = code()
    (package / "one/a.py").write_text(
        '"""Other text."""\n\nfrom simlib.two import g\n\n\ndef f(x):\n    """Explain."""\n'
        "    # A comment.\n    return g(\n        x\n    )\n"
    )
    assert code() == before
    (package / "one/a.py").write_text("from simlib.two import g\n\n\ndef f(x):\n    return g(-x)\n")
    assert code() != before


def test_what_only_annotations_name_is_no_part_of_the_code(package):
    (package / "one/a.py").write_text(
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from simlib.two import h\n"
    )
    code()
    assert import_closure("simlib.one.a") == {"simlib.one.a"}


def test_the_package_offers_its_public_names_on_first_use():
    import simlib

    assert {"Searcher", "SimlibError", "embed", "query"} <= set(simlib.__all__)
    assert {"core", "features", "training", "search"} <= set(simlib.__all__)
    assert simlib.Searcher is simlib.search.Searcher
    assert simlib.SimlibError is SimlibError
    assert (simlib.embed, simlib.query) == (simlib.search.embed, simlib.search.query)
    with pytest.raises(AttributeError, match="nothing"):
        _ = simlib.nothing
