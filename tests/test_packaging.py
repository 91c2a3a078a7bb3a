"""The built wheel is whole: it works elsewhere, without this checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import samples

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from what git tracks."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "simlib", "pyproject.toml", "README.md", "LICENSE"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    source = folder / "source"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = ["build", "--wheel", "--no-isolation", "--skip-dependency-check", "--outdir"]
    done = subprocess.run(
        [sys.executable, "-m", *command, folder, source], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    [path] = folder.glob("*.whl")
    return path


def test_the_wheel_holds_every_file_of_the_package(wheel):
    listed = subprocess.run(
        ["git", "ls-files", "simlib"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    with zipfile.ZipFile(wheel) as archive:
        assert set(listed) <= set(archive.namelist())


def test_the_wheel_holds_the_licence_notice_of_the_backbones(wheel):
    with zipfile.ZipFile(wheel) as archive:
        notices = [name for name in archive.namelist() if name.endswith("LICENSE-musicnn.txt")]
        folders = {name.split("/")[0] for name in notices}
        assert folders == {"simlib", "simlib-0.1.0.dist-info"}
        for name in notices:
            assert "Universitat Pompeu Fabra 2019" in archive.read(name).decode()


def test_the_wheel_embeds_a_file_far_from_the_checkout(wheel, tmp_path):
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    song = samples.write(tmp_path / "song.wav", samples.melody(6.0, 1, 22050), 22050)
    weights = ROOT / "pretrained" / "encoder.safetensors"
    lines = [
        "import sys, simlib.cli",
        f"assert simlib.cli.__file__.startswith({str(installed)!r}), simlib.cli.__file__",
        "simlib.cli.main()",
    ]
    arguments = ["embed", song, "--out", tmp_path / "out.npz", "--weights", weights]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), *map(str, arguments)],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert arrays["ids"].tolist() == ["song"]
        assert np.linalg.norm(arrays["emb"][0]) == pytest.approx(1, abs=1e-5)
