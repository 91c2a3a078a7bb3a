"""What tells the weights of two embedders apart, whether or not they are in a file."""

import hashlib

from torch import nn

from simlib.core import digest_of
from simlib.model.embedder import Embedder


def weights_digest(model: Embedder) -> str:
    """Return a digest of all that a model's embeddings depend on, code and libraries aside.

    `Embedder.digest` is that of a file, and random weights have none. It also changes with the
    provenance, which changes no embedding.

    Parameters
    ----------
    model : Embedder

    Returns
    -------
    str
        SHA-256, in hexadecimal.
    """
    parts: dict[str, nn.Module] = {
        "encoder": model.encoder,
        "descriptor branch": model.descriptor_branch,
        **{f"subspace {name}": branch for name, branch in model.subspaces.items()},
    }
    if model.reduction is not None:
        parts["reduction"] = model.reduction
    # Integers count the batches of training.
    states = {
        f"{part}: {name}": _digest(tensor)
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
        if tensor.is_floating_point()
    }
    # The order of the subspaces is that of the vector.
    built = [model.front_end.as_dict(), model.segment_seconds, model.architecture, list(parts)]
    return digest_of([built, states])


def _digest(tensor):
    array = tensor.detach().cpu().numpy()
    described = f"{array.dtype} {array.shape} ".encode()
    return hashlib.sha256(described + array.tobytes()).hexdigest()
