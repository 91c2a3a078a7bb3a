import shutil

import numpy as np
import pytest
import samples
from school import School, assert_same

from simlib.training import TrainingData, train


@pytest.fixture
def school(tmp_path):
    return School(tmp_path)


def read(school):
    return TrainingData.read(school.store, school.store.tracks(), school.splits)


def test_rows_of_all_arrays_are_those_of_the_tables(school):
    data = read(school)
    assert data.columns == ["genre"]
    assert data.front_end == samples.front_end()
    stored = school.store.tracks()
    for recordings, split in ((data.train, "train"), (data.validation, "validation")):
        rows = np.flatnonzero(school.splits == split)
        assert recordings.tracks["track_id"].tolist() == stored["track_id"][rows].tolist()
        assert recordings.tracks.index.tolist() == list(range(len(rows)))
        for i, row in enumerate(stored.loc[rows].itertuples()):
            np.testing.assert_array_equal(recordings.log_mels[i], school.store.log_mel(row.log_mel))
            for kind in ("descriptor", "degraded"):
                [expected] = school.store.descriptors([getattr(row, kind)], kind)
                found = recordings.descriptors if kind == "descriptor" else recordings.degraded
                np.testing.assert_array_equal(found[i], expected)


def test_spectrograms_need_no_memory(school):
    data = read(school)
    log_mels = [*data.train.log_mels, *data.validation.log_mels]
    assert len(log_mels) == 10
    assert all(isinstance(log_mel, np.memmap) for log_mel in log_mels)


def test_training_reads_nothing_of_the_store_any_more(school, tmp_path):
    data = read(school)
    shutil.rmtree(school.store.folder)
    settings = samples.train_settings()
    found = train(data, settings, tmp_path / "alone" / "run.safetensors")
    assert_same(found, School(tmp_path / "other").train())
