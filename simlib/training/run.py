"""The state of a training run: one epoch, validation, and the checkpoint to resume from."""

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from simlib.core import SimlibError, written_aside
from simlib.features import compute_dtype
from simlib.model import Embedder
from simlib.training.batches import SegmentBatches
from simlib.training.settings import TrainSettings
from simlib.training.validation import Validation


def averaged(module: nn.Module, decay: float) -> AveragedModel:
    """Return an exponential moving average of a module's weights and buffers."""
    return AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


@dataclass
class Progress:
    """How far a run is: what its checkpoint holds beside tensors.

    Attributes
    ----------
    epoch, step : int
        Epochs and steps done.
    losses : list of float
        Of the steps since the last validation.
    curves : list of dict
        A row for each validation; see `simlib.training.train`.
    without_improvement : int
        Validations since the best one.
    best_score : float
    best_epoch : int or None
        None before weights are kept.
    """

    epoch: int = 0
    step: int = 0
    losses: list = field(default_factory=list)
    curves: list = field(default_factory=list)
    without_improvement: int = 0
    best_score: float = -math.inf
    best_epoch: int | None = None


class TrainingRun:
    """A training of the encoder.

    Parameters
    ----------
    settings : simlib.training.TrainSettings
    model : simlib.model.Embedder
        Its encoder becomes the average of the weights that are trained.
    objective : torch.nn.Module
        Embeddings and rows to a loss; see `simlib.training.Objective`.
    steps : int
        Batches in an epoch.
    tuning : bool
        Whether the model has been trained before; its weights then move slower.
    """

    def __init__(
        self,
        settings: TrainSettings,
        model: Embedder,
        objective: nn.Module,
        steps: int,
        tuning: bool = False,
    ):
        torch.use_deterministic_algorithms(True, warn_only=True)
        self.settings, self.model = settings, model
        self.steps_total = settings.epochs * steps
        self.rate = settings.learning_rate * (settings.fine_tuning_rate if tuning else 1.0)
        self.dtype = compute_dtype(model.device)
        self.objective = objective.to(model.device)
        self.encoder = model.encoder
        self.average = averaged(self.encoder, settings.ema_decay)
        # The averaged weights are validated and kept.
        model.encoder = self.average.module  # type: ignore[assignment]
        self.optimizer = torch.optim.AdamW(
            [*self.encoder.parameters(), *self.objective.parameters()],
            lr=self.rate,
            weight_decay=settings.weight_decay,
        )
        self.best: dict[str, torch.Tensor] = {}
        self.progress = Progress()

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.progress.epoch

    def train_epoch(self, segments: SegmentBatches, on_step: Callable[[], object]) -> None:
        """Train on the batches of one epoch; `on_step` is called after each.

        Raises
        ------
        SimlibError
            If the loss is not finite.
        """
        device = self.model.device
        torch.manual_seed(self.settings.seed * 100_003 + self.epoch)
        self.encoder.train()
        for arrays in segments.epoch(self.epoch):
            for group in self.optimizer.param_groups:
                group["lr"] = self._learning_rate()
            batch, rows = (torch.from_numpy(array).to(device) for array in arrays)
            with torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32):
                raw = self.encoder.raw(batch)
            loss = self.objective(raw, rows)
            if not torch.isfinite(loss):
                raise SimlibError(
                    "training", "the loss is no longer finite", "lower train.learning_rate"
                )
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.average.update_parameters(self.encoder)
            self.progress.step += 1
            self.progress.losses.append(loss.item())
            on_step()
        self.progress.epoch += 1

    def _learning_rate(self):
        step, total = self.progress.step, self.steps_total
        warm_up = max(1, int(total * self.settings.warm_up))
        if step < warm_up:
            return self.rate * (step + 1) / warm_up
        done = (step - warm_up) / max(1, total - warm_up)
        return self.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def validate(self, validation: Validation) -> None:
        """Score the averaged weights on the validation artists and remember the best."""
        progress = self.progress
        scores = validation.scores(self.model)
        mean = float(np.mean(list(scores.values()))) if scores else None
        row = {
            "epoch": self.epoch,
            "loss": round(float(np.mean(progress.losses)), 6) if progress.losses else None,
            "learning_rate": round(self._learning_rate(), 9),
        }
        if scores:
            row["validation"] = round(mean, 6)
            row |= {f"validation_{name}": round(value, 6) for name, value in scores.items()}
        progress.losses = []
        progress.curves.append(row)
        if 0 < self.epoch < self.settings.keep_from * self.settings.epochs:
            return
        # Without validation recordings, the last weights are kept.
        progress.without_improvement += 1
        if mean is None or mean > progress.best_score:
            progress.without_improvement = 0
            progress.best_epoch = self.epoch
            progress.best_score = -math.inf if mean is None else mean
            self.best = {k: v.clone() for k, v in self.model.encoder.state_dict().items()}

    def keep_best(self) -> None:
        """Put the best weights into the model."""
        self.model.encoder.load_state_dict(self.best)

    def _modules(self):
        return {"encoder": self.encoder, "objective": self.objective, "average": self.average}

    def save(self, path: str | os.PathLike, key: str) -> None:
        """Write the checkpoint; safetensors, so that reading it back runs no code.

        Parameters
        ----------
        path : path-like
        key : str
            A digest of all that the run depends on.
        """
        states = {name: module.state_dict() for name, module in self._modules().items()}
        states["best"] = self.best
        for number, state in self.optimizer.state_dict()["state"].items():
            states[f"optimizer.{number}"] = state
        tensors = {
            f"{prefix}.{name}": tensor.cpu().contiguous()
            for prefix, state in states.items()
            for name, tensor in state.items()
        }
        metadata = {"key": key, "progress": json.dumps(asdict(self.progress))}
        with written_aside(path) as aside:
            save_file(tensors, aside, metadata)

    def resume(self, path: str | os.PathLike, key: str) -> None:
        """Continue from the checkpoint, if it is there, intact and of this key."""
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (FileNotFoundError, SafetensorError):
            return
        if metadata.get("key") != key:
            return

        def under(prefix):
            return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

        self.progress = Progress(**json.loads(metadata["progress"]))
        self.best = under("best.")
        for name, module in self._modules().items():
            module.load_state_dict(under(f"{name}."))
        state: dict[int, dict] = {}
        for name, value in under("optimizer.").items():
            number, _, name = name.partition(".")
            state.setdefault(int(number), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
