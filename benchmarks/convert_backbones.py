"""Convert the checkpoints of musicnn, and make golden activations of their own graphs.

    python -m venv /tmp/tf && /tmp/tf/bin/pip install tensorflow-cpu==2.21.0 safetensors==0.8.0
    /tmp/tf/bin/pip download --no-deps musicnn==0.1.0
    /tmp/tf/bin/python benchmarks/convert_backbones.py musicnn-0.1.0-py3-none-any.whl

Writes `simlib/features/backbones/weights/<name>.safetensors` and
`tests/features/backbones/goldens/<name>.npz`. TensorFlow computes the goldens from the graph that
is stored beside each checkpoint; no code of this project takes part. The published `models.py` is
not used: its vgg pools otherwise than the stored graph.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file
from tensorflow.core.protobuf import meta_graph_pb2

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "simlib" / "features" / "backbones" / "weights"
GOLDENS = ROOT / "tests" / "features" / "backbones" / "goldens"
FRAMES, BANDS = 187, 96
# Names of the layers here, and of their variables in the checkpoints, by kind.
CONVOLUTIONS = {
    "musicnn": {
        "timbral.0": "conv2d",
        "timbral.1": "conv2d_1",
        "temporal.0": "conv2d_2",
        "temporal.1": "conv2d_3",
        "temporal.2": "conv2d_4",
        "middle.0": "conv2d_5",
        "middle.1": "conv2d_6",
        "middle.2": "conv2d_7",
    },
    "vgg": {f"blocks.{n}": f"{n + 1}CNN" for n in range(5)},
}
DENSE = {"musicnn": {"dense": "dense", "output": "dense_1"}, "vgg": {"output": "dense"}}
# Tensors of the stored graphs whose values are the goldens.
LAYERS = {
    "musicnn": {
        "timbral_0": "model/Squeeze",
        "timbral_1": "model/Squeeze_1",
        "temporal_0": "model/Squeeze_2",
        "temporal_1": "model/Squeeze_3",
        "temporal_2": "model/Squeeze_4",
        "middle": "model/concat_1",
        "maximum": "model/Max",
        "mean": "model/moments/Squeeze",
        "penultimate": "model/batch_normalization_10/batchnorm/add_1",
        "tags": "model/Sigmoid",
    },
    "vgg": {
        "pool_1": "model/max_pooling2d/MaxPool",
        "pool_2": "model/max_pooling2d_1/MaxPool",
        "pool_3": "model/max_pooling2d_2/MaxPool",
        "pool_4": "model/max_pooling2d_3/MaxPool",
        "pool_5": "model/max_pooling2d_4/MaxPool",
        "tags": "model/Sigmoid",
    },
}


def normalisations(name):
    """Pair the batch normalisations here with those in the checkpoint, in their order."""
    convolutions = [f"{layer}.norm" for layer in CONVOLUTIONS[name]]
    others = ["pooled_norm", "dense_norm"] if name == "musicnn" else []
    theirs = ["batch_normalization", *(f"batch_normalization_{n}" for n in range(1, 11))]
    return dict(zip(["input_norm", *convolutions, *others], theirs, strict=False))


def converted(name, variables):
    """Rename variables and bring them into the order of axes that PyTorch has."""
    tensors = {}
    for here, there in CONVOLUTIONS[name].items():
        # (time, bands, in, out) to (out, in, time, bands).
        tensors[f"{here}.weight"] = variables[f"{there}/kernel"].transpose(3, 2, 0, 1)
        tensors[f"{here}.bias"] = variables[f"{there}/bias"]
    for here, there in DENSE[name].items():
        tensors[f"{here}.weight"] = variables[f"{there}/kernel"].T
        tensors[f"{here}.bias"] = variables[f"{there}/bias"]
    for here, there in normalisations(name).items():
        tensors[f"{here}.weight"] = variables[f"{there}/gamma"]
        tensors[f"{here}.bias"] = variables[f"{there}/beta"]
        tensors[f"{here}.running_mean"] = variables[f"{there}/moving_mean"]
        tensors[f"{here}.running_var"] = variables[f"{there}/moving_variance"]
    if sum(t.size for t in tensors.values()) != sum(v.size for v in variables.values()):
        raise ValueError(f"{name}: not every variable was converted")
    return {key: np.ascontiguousarray(tensor) for key, tensor in tensors.items()}


def patches():
    """Make three patches like log-mel spectrograms: silence, noise, and loud tones with beats."""
    rng = np.random.default_rng(0)
    made = np.zeros((3, FRAMES, BANDS), dtype=np.float32)
    made[1] = rng.gamma(2.0, 0.5, (FRAMES, BANDS))
    decay = np.exp(-np.arange(FRAMES) % 31 / 8.0)
    made[2] = 4.5 * decay[:, None] * (rng.random(BANDS) > 0.6) + 0.2 * rng.random((FRAMES, BANDS))
    return made


def activations(folder, variables, name, inputs):
    """Run the stored graph without its gradients, which this TensorFlow no longer reads."""
    meta = meta_graph_pb2.MetaGraphDef()
    meta.ParseFromString((folder / ".meta").read_bytes())
    wanted = list(LAYERS[name].values())
    graph_def = tf.compat.v1.graph_util.extract_sub_graph(meta.graph_def, wanted)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        feed = {"model/Placeholder:0": inputs}
        for node in graph_def.node:
            if node.op == "Placeholder" and node.attr["dtype"].type == tf.bool.as_datatype_enum:
                feed[f"{node.name}:0"] = False
            if node.name.endswith("/read") and node.op == "Identity":
                feed[f"{node.name}:0"] = variables[node.name.removesuffix("/read")]
        with tf.compat.v1.Session(graph=graph) as session:
            values = session.run([f"{tensor}:0" for tensor in wanted], feed)
    return dict(zip(LAYERS[name], values, strict=True))


def main(wheel):
    """Convert both networks of a wheel."""
    inputs = patches()
    with tempfile.TemporaryDirectory() as scratch:
        zipfile.ZipFile(wheel).extractall(scratch)
        for name in CONVOLUTIONS:
            folder = Path(scratch) / "musicnn" / f"MSD_{name}"
            # The files have no name but their suffix: ".index" and ".data-00000-of-00001".
            reader = tf.compat.v1.train.NewCheckpointReader(f"{folder}/")
            kept = (key for key in reader.get_variable_to_shape_map() if not training_only(key))
            variables = {key: reader.get_tensor(key) for key in kept}
            WEIGHTS.mkdir(parents=True, exist_ok=True)
            save_file(converted(name, variables), WEIGHTS / f"{name}.safetensors")
            goldens = activations(folder, variables, name, inputs)
            GOLDENS.mkdir(parents=True, exist_ok=True)
            shortened = {key: shorten(value) for key, value in goldens.items()}
            np.savez_compressed(GOLDENS / f"{name}.npz", patches=inputs, **shortened)
            print(name, len(variables), "variables,", sum(v.size for v in variables.values()))


def shorten(values):
    """Keep the third patch of a whole layer, and of a large one each sixteenth channel."""
    if values.ndim == 2:
        return values
    return values[-1] if values[-1].size < 100_000 else values[-1][..., ::16]


def training_only(key):
    """Tell the optimiser's state from what the network computes with."""
    return "Adam" in key or "power" in key


if __name__ == "__main__":
    main(sys.argv[1])
