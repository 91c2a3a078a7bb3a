"""Backbones in ONNX: any network that a card describes, run by onnxruntime."""

from functools import cache
from os import PathLike
from pathlib import Path
from types import ModuleType

import numpy as np

from simlib.core import SimlibError, digest_of, digest_of_code, digest_of_file
from simlib.features.backbones.activations import MelActivations, WaveformActivations
from simlib.features.backbones.front_ends import MelFrontEnd
from simlib.features.backbones.onnx_card import OnnxCard, read_onnx_card


class OnnxBackbone:
    """A network in ONNX whose activations are features; make one with `load_onnx`.

    Parameters
    ----------
    path : pathlib.Path
        Of the card; named if there is an error.
    card : OnnxCard
    onnx : pathlib.Path
        The file of the network.

    Attributes
    ----------
    variant : str
        Digest of the network and of what the card says of its numbers: what a query must use, too.
    digest : str
        Of all that the numbers depend on: the variant, onnxruntime's version and code.
    """

    def __init__(self, path: Path, card: OnnxCard, onnx: Path):
        self.card, self.size = card, card.output.size
        self._path, self._onnx = path, onnx
        runtime = _onnxruntime()
        numbers = card.model_dump(mode="json", include={"front_end", "input", "output"})
        self.variant = digest_of([numbers, [digest_of_file(file) for file in _files(onnx)]])
        code = digest_of_code(__name__)
        self.digest = digest_of([self.variant, runtime.__version__, code])
        self._session = _session(runtime, onnx)
        self._check()

    @property
    def name(self) -> str:
        """The name that the card gives."""
        return self.card.name

    def activations(self, patches: np.ndarray) -> np.ndarray:
        """Compute the activations of patches, one at a time.

        Parameters
        ----------
        patches : numpy.ndarray of float32, shape (n_patches, ...)
            As the front end of the card makes them.

        Returns
        -------
        numpy.ndarray of float32, shape (n_patches, size)

        Raises
        ------
        SimlibError
            If the network fails, or returns another shape than the card says, or no numbers.
        """
        return np.array([self._row(patch) for patch in patches]).reshape(-1, self.size)

    def feature(self) -> MelActivations | WaveformActivations:
        """Return a feature of one recording, for `compute_features`."""
        front_end = self.card.front_end
        if isinstance(front_end, MelFrontEnd):
            return MelActivations(self, front_end)
        return WaveformActivations(self, front_end)

    def _row(self, patch):
        output = self.card.output
        # The axes of the patch, in the order of the input, with the axes of length 1 among them.
        own = list(self.card.front_end.patch)
        order = [own.index(axis) for axis in self.card.input if axis in own]
        shape = self._input_shape()
        fed = {self._input: np.ascontiguousarray(patch.transpose(order)).reshape(shape)}
        try:
            [found] = self._session.run([output.name], fed)
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base of their own
            cause = f"its network fails on an input of shape {shape} ({_first_line(error)})"
            raise SimlibError(self._path, cause, "correct 'front_end' and 'input'") from None
        axis = output.axes.index("features")
        if found.ndim != len(output.axes) or found.shape[axis] != output.size:
            cause = f"its network returns the shape {found.shape}, not ({', '.join(output.axes)})"
            hint = f"correct 'output': 'features' has the length {output.size}"
            raise SimlibError(self._path, cause, hint)
        others = tuple(n for n in range(found.ndim) if n != axis)
        row = found.astype(np.float32).mean(axis=others)
        if not np.isfinite(row).all():
            hint = "correct 'front_end', or use another network"
            raise SimlibError(self._path, "its network returns values that are no numbers", hint)
        return row

    def _input_shape(self):
        lengths = self.card.front_end.patch
        return tuple(lengths.get(axis, 1) for axis in self.card.input)

    def _check(self):
        """Compare the card with what the network says of itself."""
        inputs = self._session.get_inputs()
        if len(inputs) > 1:
            names = ", ".join(one.name for one in inputs)
            hint = "export it with one, the patch"
            raise SimlibError(self._onnx, f"has several inputs ({names})", hint)
        [only] = inputs
        self._input = only.name
        if only.type != "tensor(float)":
            cause = f"takes {only.type}, not float32"
            raise SimlibError(self._onnx, cause, "export it in float32")
        given = self._input_shape()
        # The length of an axis that may vary is a text or None.
        fits = len(only.shape) == len(given) and all(
            not isinstance(wanted, int) or wanted == length
            for wanted, length in zip(only.shape, given, strict=True)
        )
        if not fits:
            axes = ", ".join(self.card.input)
            cause = f"gives the shape {list(given)} ({axes}), but the network takes {only.shape}"
            raise SimlibError(self._path, cause, "correct 'input' and 'front_end'")
        outputs = [one.name for one in self._session.get_outputs()]
        if self.card.output.name not in outputs:
            cause = f"names the output '{self.card.output.name}', which the network does not have"
            hint = f"set 'output.name' to one of {', '.join(outputs)}"
            raise SimlibError(self._path, cause, hint)


def load_onnx(path: str | PathLike, onnx: str | PathLike | None = None) -> OnnxBackbone:
    """Load a network in ONNX, or return the one that was loaded before.

    Parameters
    ----------
    path : path-like
        Of the card.
    onnx : path-like, optional
        The network; by default the one that the card names.

    Returns
    -------
    OnnxBackbone

    Raises
    ------
    SimlibError
        If onnxruntime is not installed, card or network cannot be read, or the two do not fit.
    """
    path = Path(path)
    card = read_onnx_card(path)
    if onnx is None and card.onnx is None:
        raise SimlibError(path, "names no network", "add the key 'onnx' with its file")
    file = Path(onnx) if onnx is not None else path.parent / card.onnx
    if not file.is_file():
        hint = "name the network" if onnx is not None else f"correct 'onnx' in {path}"
        raise SimlibError(file, "is not there", hint)
    state = tuple((each.stat().st_mtime_ns, each.stat().st_size) for each in _files(file))
    return _loaded(path, card.model_dump_json(), file.absolute(), state)


# A large network takes seconds to load. One that changes while a notebook runs is loaded again.
@cache
def _loaded(path, text, onnx, state):
    return OnnxBackbone(path, OnnxCard.model_validate_json(text), onnx)


def _files(onnx):
    """Return the files of a network: large ones keep their weights in a second one."""
    names = [f"{onnx.name}{suffix}" for suffix in ("", ".data", "_data")]
    return [path for path in map(onnx.with_name, names) if path.exists()]


def _onnxruntime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError:
        hint = "run 'pip install onnxruntime' in the environment of simlib"
        raise SimlibError("backbone in ONNX", "onnxruntime is not installed", hint) from None
    return onnxruntime


def _session(runtime, onnx):
    options = runtime.SessionOptions()
    # The number of threads decides the last bits of a sum. Extraction runs one process a core.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" in runtime.get_available_providers():
        # TF32 would round the products to 10 bits.
        providers.insert(0, ("CUDAExecutionProvider", {"use_tf32": 0}))
    try:
        return runtime.InferenceSession(str(onnx), options, providers=providers)
    except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base of their own
        cause = f"cannot be loaded by onnxruntime {runtime.__version__} ({_first_line(error)})"
        raise SimlibError(onnx, cause, "download or export it again") from None


def _first_line(error):
    return str(error).strip().splitlines()[0][:200]
