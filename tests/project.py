"""A copy of the project in a temporary folder, with a small catalogue of made-up music."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile as sf
import yaml

ROOT = Path(__file__).resolve().parents[1]
RATE = 22050
# The real pipeline at a size that runs in seconds.
SMALL = {
    "split": {"test": 0.4, "validation": 0.2},
    "train": {
        "segment_seconds": 1.0,
        "channels": [4, 8],
        "embedding": 8,
        "epochs": 4,
        "batch_size": 8,
    },
    "evaluate": {"bootstrap": 200},
    "index": {"hop_seconds": 0.5},
}

LEFT_OUT = ("tests/", "demo/genres/")


def tone(seconds, pitch, noise, seed):
    """A recording: a beating chord with some noise, float32 at 22,050 Hz."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * pitch * ratio * time) for ratio in (1, 1.25, 1.5))
    beat = 0.6 + 0.4 * np.sign(np.sin(2 * np.pi * (1 + seed % 3) * time))
    samples = (1 - noise) * chord / 3 * beat + noise * rng.standard_normal(len(time)) / 3
    return (0.5 * samples).astype(np.float32)


def write_music(folder, artists=10, each=3, first=0):
    """Write flac files `Artist 07/song 7-1.flac`; two genres that sound different."""
    for artist in range(first, first + artists):
        bright = artist % 2
        for song in range(each):
            path = folder / f"Artist {artist:02d}" / f"song {artist}-{song}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            pitch = (220 if bright else 440) * 2 ** ((artist + song) / 12)
            samples = tone(3 + song, pitch, 0.3 if bright else 0.02, 100 * artist + song)
            sf.write(path, samples, RATE)


def write_table(folder, renamed):
    """Write a `tracks.csv` for what `write_music` wrote to `audio/`, some texts `renamed`."""
    lines = ["path,title,artist,genre"]
    for path in sorted((folder / "audio").rglob("*.flac")):
        title, artist = (renamed.get(text, text) for text in (path.stem, path.parent.name))
        genre = ("calm", "noisy")[int(path.parent.name[-2:]) % 2]
        lines.append(f"{path.relative_to(folder).as_posix()},{title},{artist},{genre}")
    (folder / "tracks.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


class Project:
    """A working copy of what git tracks here, without the user's catalogue."""

    def __init__(self, folder, settings=SMALL):
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file() and not name.startswith(LEFT_OUT):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        # The environment is the one that runs the tests; make finds it ready.
        (folder / ".venv").symlink_to(Path(sys.prefix))
        for name in ("data.dvc", "dvc.lock"):
            (folder / name).unlink(missing_ok=True)
        self.git("init", "--quiet")
        self.set(settings)

    def set(self, settings):
        """Change values of params.yaml."""
        path = self.folder / "params.yaml"
        content = yaml.safe_load(path.read_text())
        for section, values in settings.items():
            content[section].update(values)
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def git(self, *arguments):
        subprocess.run(["git", *arguments], cwd=self.folder, check=True)

    @property
    def environment(self):
        programs = Path(sys.prefix) / "bin"
        # The tests may be run by make, whose children say where they are unless they forget it.
        ours = {
            k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
        }
        return {**ours, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *command, succeeds=True):
        """Run a command there; return what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert (done.returncode == 0) == succeeds, done.stdout[-4000:]
        return done.stdout

    def make(self, *words, succeeds=True):
        # As if our environment were just installed: only its contents matter here.
        return self.run("make", "--old-file=.venv/.ready", *words, succeeds=succeeds)

    def evaluation(self):
        return json.loads((self.folder / "metrics" / "evaluation.json").read_text())

    def tracks(self):
        import pandas as pd

        return set(pd.read_parquet(self.folder / "index" / "tracks.parquet")["track_id"])

    def rejected(self):
        import pandas as pd

        table = pd.read_csv(self.folder / "reports" / "rejected.csv", keep_default_na=False)
        return dict(zip(table["path"], table["cause"], strict=True))
