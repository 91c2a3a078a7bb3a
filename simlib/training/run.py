"""Siamese training: pairs of segments, the loop, the checkpoint."""

import copy
import json
import math

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from simlib.core import SimlibError, written_aside
from simlib.model import Embedder, architecture_of, compute_dtype

# Weights that were learned already move so much slower than random ones.
FINE_TUNING_RATE = 0.3


class TrainingRun:
    """The state of a training run: what a checkpoint holds."""

    def __init__(self, settings, front_end, recordings, objective, start=None):
        torch.use_deterministic_algorithms(True, warn_only=True)
        self.settings = settings
        batch = min(settings.batch_size, 2 * recordings)
        self.steps_total = settings.epochs * max(
            1, settings.segments_per_track * recordings // batch
        )
        self.rate = settings.learning_rate
        if start is None:
            architecture = architecture_of(settings, front_end)
            self.model = Embedder.untrained(
                front_end, settings.segment_seconds, architecture, settings.seed
            )
        else:
            self.model = copy.deepcopy(start)
            self.rate *= FINE_TUNING_RATE
        self.dtype = compute_dtype(self.model.device)
        self.objective = objective.to(self.model.device)
        self.encoder = copy.deepcopy(self.model.encoder)
        average = get_ema_multi_avg_fn(settings.ema_decay)
        self.average = AveragedModel(self.encoder, multi_avg_fn=average, use_buffers=True)
        # The averaged weights are the model: what is validated is what is kept.
        self.model.encoder = self.average.module
        self.optimizer = torch.optim.AdamW(
            [*self.encoder.parameters(), *self.objective.parameters()],
            lr=self.rate,
            weight_decay=settings.weight_decay,
        )
        self.best = {}
        self.progress = {
            "epoch": 0, "step": 0, "losses": [], "curves": [], "looks_since_best": 0,
            "best_score": -math.inf, "best_epoch": None,
        }  # fmt: skip

    @property
    def epoch(self):
        return self.progress["epoch"]

    @property
    def curves(self):
        return self.progress["curves"]

    @property
    def best_epoch(self):
        return self.progress["best_epoch"]

    @property
    def epochs_without_improvement(self):
        return self.progress["looks_since_best"]

    def train_epoch(self, segments, bar):
        """One pass over the training recordings."""
        device = self.model.device
        torch.manual_seed(self.settings.seed * 100_003 + self.epoch)
        self.encoder.train()
        for batch, rows in segments.epoch(self.epoch):
            rate = self._learning_rate()
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            batch, rows = torch.from_numpy(batch).to(device), torch.from_numpy(rows)
            with torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32):
                raw = self.encoder.raw(batch)
            value = self.objective(raw, rows.to(device))
            if not torch.isfinite(value):
                raise SimlibError(
                    "training", "the loss is no longer finite", "lower train.learning_rate"
                )
            self.optimizer.zero_grad()
            value.backward()
            self.optimizer.step()
            self.average.update_parameters(self.encoder)
            self.progress["step"] += 1
            self.progress["losses"].append(value.item())
            bar.update()
        self.progress["epoch"] += 1

    def _learning_rate(self):
        step, total = self.progress["step"], self.steps_total
        warm_up = max(1, total // 20)
        if step < warm_up:
            return self.rate * (step + 1) / warm_up
        done = (step - warm_up) / max(1, total - warm_up)
        return self.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def validate(self, validation):
        """Score the averaged weights on the validation artists and remember the best."""
        scores = validation.scores(self.model)
        mean = float(np.mean(list(scores.values()))) if scores else None
        recent = self.progress["losses"]
        row = {
            "epoch": self.epoch,
            "loss": round(float(np.mean(recent)), 6) if recent else None,
            "learning_rate": round(self._learning_rate(), 9),
        }
        if scores:
            row["validation"] = round(mean, 6)
            row |= {f"validation_{name}": round(value, 6) for name, value in scores.items()}
        self.progress["losses"] = []
        self.progress["curves"].append(row)
        # While the learning rate is high, a good look is luck: weights are worth keeping, and
        # patience begins, in the second half. With nobody to validate on, the last are kept.
        if 0 < 2 * self.epoch < self.settings.epochs:
            return
        self.progress["looks_since_best"] += 1
        if mean is None or mean > self.progress["best_score"]:
            self.progress["looks_since_best"] = 0
            self.progress["best_epoch"] = self.epoch
            self.progress["best_score"] = -math.inf if mean is None else mean
            self.best = {k: v.clone() for k, v in self.model.encoder.state_dict().items()}

    def keep_best(self):
        """Put the best weights into the model."""
        self.model.encoder.load_state_dict(self.best)

    def save(self, path):
        """Write the checkpoint; safetensors, so that reading it back runs no code."""
        tensors = {f"best.{k}": v for k, v in self.best.items()}
        tensors |= {f"encoder.{k}": v for k, v in self.encoder.state_dict().items()}
        tensors |= {f"objective.{k}": v for k, v in self.objective.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
        metadata = {"key": self.key, "progress": json.dumps(self.progress)}
        with written_aside(path) as aside:
            save_file({k: v.cpu().contiguous() for k, v in tensors.items()}, aside, metadata)

    def resume(self, path, key):
        """Continue from the checkpoint, if it belongs to this very run."""
        self.key = key
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

        self.progress = json.loads(metadata["progress"])
        self.best = under("best.")
        self.encoder.load_state_dict(under("encoder."))
        self.objective.load_state_dict(under("objective."))
        self.average.load_state_dict(under("average."))
        state = {}
        for name, value in under("optimizer.").items():
            number, _, name = name.partition(".")
            state.setdefault(int(number), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
