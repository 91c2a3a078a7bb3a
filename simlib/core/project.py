"""Where things are on disk: the one place that knows a project's folders and files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from simlib.core.errors import SimlibError
from simlib.core.root import project_root


@dataclass(frozen=True)
class Project:
    """The paths of a project.

    Attributes
    ----------
    root : pathlib.Path
        The folder that holds `dvc.yaml` and `params.yaml`.
    """

    root: Path

    @classmethod
    def find(cls, start: str | os.PathLike | None = None) -> Project:
        """Find the project around a folder; see `project_root`.

        Parameters
        ----------
        start : path-like, optional
            Where to begin; the working directory by default.

        Returns
        -------
        Project

        Raises
        ------
        SimlibError
            If no folder on the way up is a project.
        """
        return cls(project_root(start))

    @property
    def data(self) -> Path:
        """The catalogue: `tracks.csv`, `triplets.csv` and `audio/`."""
        return self.root / "data"

    @property
    def features(self) -> Path:
        """The feature store, which the extract stage fills."""
        return self.root / "features"

    @property
    def weights(self) -> Path:
        """The trained weights, which the train stage writes."""
        return self.root / "models" / "encoder.safetensors"

    @property
    def pretrained_weights(self) -> Path:
        """The weights that come with simlib."""
        return self.root / "pretrained" / "encoder.safetensors"

    @property
    def index(self) -> Path:
        """The index, which the index stage writes."""
        return self.root / "index"

    @property
    def catalogue_embeddings(self) -> Path:
        """What the index stage computed of each recording, by the trained weights."""
        return self.root / "embeddings" / "catalogue"

    @property
    def previous_index(self) -> Path:
        """What the next index continues of the previous one: the table of neighbours, the map."""
        return self.root / "embeddings" / "index"

    @property
    def evaluation_embeddings(self) -> Path:
        """What the evaluate stage computed of each recording, by other weights."""
        return self.root / "embeddings" / "evaluation"

    @property
    def figures(self) -> Path:
        """The figures of the evaluation."""
        return self.plots / "evaluation"

    @property
    def comparisons(self) -> Path:
        """Other systems' embeddings, to compare with."""
        return self.root / "comparisons"

    @property
    def metrics(self) -> Path:
        """The figures of the evaluation, as JSON."""
        return self.root / "metrics"

    @property
    def plots(self) -> Path:
        """Figures and curves for `dvc plots`."""
        return self.root / "plots"

    @property
    def reports(self) -> Path:
        """Pages to read, and the executed notebooks behind them."""
        return self.root / "reports"

    @property
    def notebooks(self) -> Path:
        """The notebooks that the stages run."""
        return self.root / "notebooks"

    @property
    def checkpoints(self) -> Path:
        """Unfinished work to resume from; git and DVC leave it alone."""
        return self.root / ".checkpoints"

    def params(self) -> dict[str, Any]:
        """Read `params.yaml`.

        Returns
        -------
        dict
            Its sections.

        Raises
        ------
        SimlibError
            If it is not a mapping in YAML.
        """
        path = self.root / "params.yaml"
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split())
            raise SimlibError("params.yaml", f"is no YAML ({reason})", "correct it") from None
        if not isinstance(content, dict):
            raise SimlibError("params.yaml", "holds no sections", "restore it")
        return content
