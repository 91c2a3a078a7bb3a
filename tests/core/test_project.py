import pytest

from simlib.core import (
    Project,
    SimlibError,
)


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
