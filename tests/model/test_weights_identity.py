"""The digest of weights changes with all that changes an embedding, and with nothing else."""

import pytest
import samples

from simlib.model import Embedder, weights_digest


def model_of(**changes):
    arguments = {"segment_seconds": 0.5, "architecture": samples.ARCHITECTURE, "seed": 7} | changes
    model = Embedder.untrained(samples.front_end(), **arguments)
    model.subspaces = {name: model.new_subspace(name) for name in ("genre", "tempo")}
    return model


def test_the_provenance_and_the_file_change_nothing(tmp_path):
    expected = weights_digest(model_of())
    for name in ("a", "b"):
        path = tmp_path / f"{name}.safetensors"
        model_of().save(path, made_on=name)
        loaded = Embedder.load(path)
        assert weights_digest(loaded) == expected
        loaded.encoder.eval()
        assert weights_digest(loaded) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 8},
        {"segment_seconds": 0.6},
        {"architecture": samples.ARCHITECTURE | {"shares": {"sound": {"encoder": 2.0}}}},
    ],
)
def test_another_architecture_or_seed_has_another_digest(changes):
    assert weights_digest(model_of(**changes)) != weights_digest(model_of())


def test_every_tensor_counts_but_the_number_of_batches():
    model = model_of()
    parts = (model.encoder, model.descriptor_branch, *model.subspaces.values())
    tensors = [item for part in parts for item in part.state_dict().items()]
    before = weights_digest(model)
    for name, tensor in tensors:
        former = tensor.clone()
        tensor[(-1,) * tensor.ndim] += 1
        counts = not name.endswith("num_batches_tracked")
        assert (weights_digest(model) != before) == counts, name
        tensor.copy_(former)
        assert weights_digest(model) == before


def test_the_names_and_the_order_of_subspaces_count():
    model, other = model_of(), model_of()
    other.subspaces = {"mood": other.subspaces["genre"], "tempo": other.subspaces["tempo"]}
    assert weights_digest(other) != weights_digest(model)
    other.subspaces = dict(reversed(model_of().subspaces.items()))
    assert weights_digest(other) != weights_digest(model)
