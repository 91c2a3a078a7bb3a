"""Records on disk: what is computed once, what a killed or a second writer leaves."""

import errno
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.core import ShardStore, shards


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_RECORDS", 4)


def record_of(key):
    """A record that only its key determines, with arrays of several kinds and lengths."""
    rng = np.random.default_rng(int(key, 16))
    return {
        "vector": rng.standard_normal(6).astype(np.float32),
        "frames": rng.integers(-128, 128, (rng.integers(0, 5), 3)).astype(np.int8),
    }


def keys_of(*numbers):
    return [f"{number:032x}" for number in numbers]


class Counted:
    """Computes records and remembers which."""

    def __init__(self, keys):
        self.keys, self.computed = keys, []

    def __call__(self, position):
        self.computed.append(int(self.keys[position], 16))
        return record_of(self.keys[position])


def complete(folder, *numbers):
    """Ask for records, check them, and return the numbers of those that were computed."""
    keys = keys_of(*numbers)
    compute = Counted(keys)
    found = ShardStore(folder).complete(keys, compute, "records")
    assert len(found) == len(keys)
    for key, record in zip(keys, found, strict=True):
        expected = record_of(key)
        assert set(record) == set(expected)
        for name, array in expected.items():
            assert record[name].dtype == array.dtype
            np.testing.assert_array_equal(record[name], array)
    return compute.computed


def contents(folder):
    return {name: entry[:2] for name, entry in samples.tree(folder).items()}


def shard_names(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def test_what_is_new_is_computed_and_all_else_is_read(tmp_path):
    assert complete(tmp_path / "a", *range(10)) == list(range(10))
    before = samples.tree(tmp_path / "a")
    assert complete(tmp_path / "a", *range(10)) == []
    assert samples.tree(tmp_path / "a") == before, "nothing is written"
    assert complete(tmp_path / "a", 3, 11, 9, 10, 0) == [11, 10]
    after = samples.tree(tmp_path / "a")
    del before["shards.json"]
    assert {name: after[name] for name in before} == before, "old shards stay as they are"
    assert shard_names(tmp_path / "a") == [f"{n:08d}" for n in (1, 2, 3, 4)]


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=20), max_size=6))
def test_any_order_of_requests_gives_the_records(tmp_path_factory, requests):
    folder, known = tmp_path_factory.mktemp("store"), set()
    for numbers in requests:
        assert set(complete(folder, *numbers)) == set(numbers) - known
        known |= set(numbers)


def test_a_key_that_is_asked_for_twice_is_computed_once(tmp_path):
    assert sorted(complete(tmp_path, 5, 7, 5)) == [5, 7]
    assert complete(tmp_path, 5, 5) == []


def test_records_without_rows_are_records(tmp_path):
    empty = {"scores": np.zeros(0, dtype=np.float64)}
    for _ in range(2):
        (found,) = ShardStore(tmp_path).complete(["a"], lambda position: empty, "records")
        assert found["scores"].shape == (0,)


def test_an_error_while_computing_keeps_the_shards_that_are_whole(tmp_path):
    keys = keys_of(*range(10))

    def fails(position):
        if position == 6:
            raise ZeroDivisionError
        return record_of(keys[position])

    with pytest.raises(ZeroDivisionError):
        ShardStore(tmp_path).complete(keys, fails, "records")
    assert complete(tmp_path, *range(10)) == [4, 5, 6, 7, 8, 9]


# --- killed ----------------------------------------------------------------------------------


def killed(action, at):
    """Run an action in a child process that dies at a step of writing; whether it died."""
    steps = itertools.count(1)

    def deadly(real):
        def step(*arguments, **options):
            if next(steps) == at:
                if real is save:
                    arguments[0].write_bytes(b"half a file")
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return step

    save, child = np.save, os.fork()
    if not child:
        code = 1
        try:
            np.save, os.rename, os.replace = map(deadly, (np.save, os.rename, os.replace))
            shutil.rmtree = deadly(shutil.rmtree)
            action()
            code = 0
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


@pytest.mark.parametrize("at", range(1, 14))
def test_a_killed_writer_leaves_what_the_next_run_completes_to_the_same_bytes(tmp_path, at):
    for name in ("killed", "undisturbed"):
        complete(tmp_path / name, *range(6))
    complete(tmp_path / "undisturbed", *range(11))
    died = killed(lambda: complete(tmp_path / "killed", *range(11)), at)
    assert died == (at <= 12), "two shards of four files, each renamed, and listed"
    listed = (at - 1) // 6
    assert complete(tmp_path / "killed", *range(11)) == list(range(6, 11))[4 * listed :]
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")


@pytest.mark.parametrize("at", range(1, 12))
def test_a_killed_packing_loses_nothing(tmp_path, at):
    for name in ("killed", "undisturbed"):
        complete(tmp_path / name, *range(11))
    kept = keys_of(2, 3, 10)
    ShardStore(tmp_path / "undisturbed").drop_stale(kept)
    store = ShardStore(tmp_path / "killed")
    assert killed(lambda: store.drop_stale(kept), at) == (at <= 9)
    assert complete(tmp_path / "killed", 2, 3, 10) == []
    store.drop_stale(kept)
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")


@pytest.mark.parametrize("left", [".part/vector.npy", "00000009/vector.npy", ".shards.7.part.json"])
def test_what_is_not_listed_is_removed_by_the_next_writer(tmp_path, left):
    complete(tmp_path, *range(6))
    before = contents(tmp_path)
    (tmp_path / left).parent.mkdir(exist_ok=True)
    (tmp_path / left).write_bytes(b"left by a killed run")
    complete(tmp_path, 3)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["vector.npy", "keys.npy", "ends.npy"])
@pytest.mark.parametrize("damage", ["absent", "empty", "garbage", "half"])
def test_a_damaged_shard_is_computed_again(tmp_path, name, damage):
    complete(tmp_path, *range(6))
    path = tmp_path / "00000001" / name
    whole = path.read_bytes()
    path.unlink()
    if damage != "absent":
        size = {"empty": 0, "garbage": 0, "half": len(whole) - 20}[damage]
        path.write_bytes(whole[:size] + b"garbage" * (damage == "garbage"))
    assert complete(tmp_path, *range(6)) == [0, 1, 2, 3]
    assert complete(tmp_path, *range(6)) == []
    assert shard_names(tmp_path) == ["00000002", "00000003"]


@pytest.mark.parametrize("text", ["", "{", "3", '["00000001", "00000002"'])
def test_a_damaged_list_of_shards_is_an_empty_one(tmp_path, text):
    complete(tmp_path, *range(6))
    (tmp_path / "shards.json").write_text(text)
    assert complete(tmp_path, *range(6)) == list(range(6))
    assert complete(tmp_path, *range(6)) == []


# --- stale records ---------------------------------------------------------------------------


def test_stale_records_are_dropped_when_they_take_more_than_half_of_the_bytes(tmp_path):
    complete(tmp_path, *range(12))
    before = samples.tree(tmp_path)
    store = ShardStore(tmp_path)
    store.drop_stale(keys_of(*range(9)))
    assert samples.tree(tmp_path) == before, "three of twelve are stale"
    store.drop_stale(keys_of(0, 6, 11, 99))
    assert shard_names(tmp_path) == ["00000004"]
    assert complete(tmp_path, 0, 6, 11) == []
    assert complete(tmp_path, 1) == [1]


def test_records_of_different_layouts_are_packed_apart(tmp_path):
    store = ShardStore(tmp_path)
    wide = {"vector": np.arange(8.0).reshape(2, 4)}
    narrow = {"vector": np.arange(9, dtype=np.float32).reshape(3, 3)}
    other = {"matrix": np.arange(6).reshape(2, 3)}
    records = {"a": wide, "b": narrow, "c": other, "d": wide, "e": narrow}
    for key, record in records.items():
        store.complete([key], lambda position, one=record: one, "records")
    complete(tmp_path, *range(16))
    store.drop_stale(records)
    assert len(shard_names(tmp_path)) == 3
    found = store.complete(list(records), Counted(()), "records")
    for record, expected in zip(found, records.values(), strict=True):
        for name, array in expected.items():
            assert record[name].dtype == array.dtype
            np.testing.assert_array_equal(record[name], array)


def test_many_small_shards_are_packed(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SPARE_SHARDS", 3)
    store, keys = ShardStore(tmp_path), keys_of(*range(10))
    counts = []
    for day in range(10):
        complete(tmp_path, *range(day + 1))
        store.drop_stale(keys[: day + 1])
        counts.append(len(shard_names(tmp_path)))
    assert counts == [1, 2, 3, 4, 5, 6, 7, 2, 3, 4]
    assert complete(tmp_path, *range(10)) == []


def test_records_outlive_the_packing_of_their_shards(tmp_path):
    keys = keys_of(*range(8))
    store = ShardStore(tmp_path)
    found = store.complete(keys, lambda position: record_of(keys[position]), "records")
    store.drop_stale(keys[:1])
    np.testing.assert_array_equal(found[7]["vector"], record_of(keys[7])["vector"])


# --- other writers, other rights -------------------------------------------------------------


def test_two_writers_compute_every_record_once_between_them(tmp_path):
    children = []
    for _ in range(2):
        child = os.fork()
        if not child:
            code = 1
            try:
                computed = complete(tmp_path / "store", *range(40))
                (tmp_path / f"{os.getpid()}.txt").write_text(" ".join(map(str, computed)))
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    texts = [path.read_text().split() for path in tmp_path.glob("*.txt")]
    assert sorted(map(len, texts)) == [0, 40], "the second waited, and read"
    assert complete(tmp_path / "store", *range(40)) == []
    assert len(shard_names(tmp_path / "store")) == 10


def test_a_writer_says_that_it_waits(tmp_path, capsys):
    holds = """
import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("locked", flush=True)
    sys.stdin.read()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", holds, tmp_path / ".store.lock"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    other.stdout.readline()
    threading.Timer(0.3, other.stdin.close).start()
    assert complete(tmp_path / "store", 1) == [1]
    other.wait()
    other.stdout.close()
    assert "Waiting for another run that fills" in capsys.readouterr().err


@pytest.mark.parametrize("locked", [".", "store"])
def test_a_store_that_cannot_be_written_is_read_and_completed_in_memory(unprivileged, locked):
    # Into the folders of pytest, nobody else may look.
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "store"
        complete(folder, *range(6))
        for path in (Path(parent), *Path(parent).rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
        (Path(parent) / ".store.lock").unlink(missing_ok=True)
        (Path(parent) / locked).chmod(0o555)
        before = contents(folder)
        with unprivileged():
            for _ in range(2):
                assert complete(folder, *range(8)) == [6, 7]
            ShardStore(folder).drop_stale(keys_of(1))
        assert contents(folder) == before


def test_a_full_disk_stops_the_storing_and_not_the_run(tmp_path, monkeypatch):
    complete(tmp_path, *range(4))

    def full(path, *arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        assert complete(tmp_path, *range(14)) == list(range(4, 14))
    assert complete(tmp_path, *range(4)) == []
    assert shard_names(tmp_path) == ["00000001"]
