import numpy as np
import pytest
import samples

from simlib.core import SimlibError
from simlib.features import FeatureStore


def test_a_store_without_features_names_the_command(tmp_path):
    store = FeatureStore(tmp_path)
    for read in (store.tracks, store.front_end, lambda: store.log_mel("0" * 32)):
        with pytest.raises(SimlibError, match="run 'dvc repro extract'"):
            read()


def test_pickled_arrays_in_the_store_are_not_loaded(tmp_path):
    store = FeatureStore(tmp_path)
    store.path("log_mel", "x").parent.mkdir()
    np.save(store.path("log_mel", "x"), np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(SimlibError, match="cannot be read"):
        store.log_mel("x")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_writing_leaves_nothing(tmp_path, monkeypatch, failure):
    def interrupted(path, rows, **options):
        path.write_bytes(rows[:10].tobytes())
        raise failure

    monkeypatch.setattr("simlib.features.store.np.save", interrupted)
    with pytest.raises(failure):
        FeatureStore(tmp_path).save("log_mel", "a", np.zeros((20, 32), dtype=np.float16))
    assert list((tmp_path / "log_mel").iterdir()) == []


@pytest.mark.parametrize("column", ["degraded", "seconds"])
def test_a_store_of_another_version_names_the_command(tmp_path, column):
    log_mels = [samples.log_mel_of("low", 40, 0)]
    store = samples.store_of(tmp_path, log_mels, samples.tracks(1), samples.front_end())
    table = store.tracks().rename(columns={column: "former"})
    table.to_parquet(tmp_path / "tracks.parquet", index=False)
    with pytest.raises(SimlibError, match=f"no column '{column}'.*; run 'dvc repro extract'"):
        store.tracks()
