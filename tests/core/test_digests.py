import hashlib

import pytest

from simlib.core import (
    digest_of,
    digest_of_code,
    digest_of_file,
    digests,
    import_closure,
)


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
