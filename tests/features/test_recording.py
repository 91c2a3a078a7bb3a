import numpy as np
import pytest
import samples

from simlib.features import RecordingFeatures

FRONT_END = samples.front_end()


@pytest.fixture
def features():
    """Twelve seconds: three blocks of five seconds, four patches of three."""
    frames = round(12 * FRONT_END.frame_rate)
    log_mel = np.arange(frames, dtype=np.float32)[:, None]
    patches = np.arange(4, dtype=np.float16)[:, None]
    return RecordingFeatures(log_mel, np.arange(3.0)[:, None], {"musicnn": patches})


@pytest.mark.parametrize(
    ("start", "end", "blocks", "patches"),
    [
        (0.0, 12.0, [0, 1, 2], [0, 1, 2, 3]),
        (0.0, 3.0, [0], [0]),
        (2.9, 3.1, [0], [0, 1]),
        (6.0, 9.0, [1], [2]),
        (11.9, 12.0, [2], [3]),
    ],
)
def test_an_excerpt_has_what_holds_its_seconds(features, start, end, blocks, patches):
    excerpt = features.between(start, end, FRONT_END)
    assert excerpt.descriptor[:, 0].tolist() == blocks
    assert excerpt.backbones["musicnn"][:, 0].tolist() == patches
    rate = FRONT_END.frame_rate
    assert excerpt.log_mel[:, 0].tolist() == list(range(round(start * rate), round(end * rate)))


def test_a_patch_that_was_padded_is_in_every_excerpt():
    """A recording of one second has one patch of three, and one block of five."""
    log_mel = np.zeros((round(FRONT_END.frame_rate), 1), dtype=np.float32)
    features = RecordingFeatures(log_mel, np.ones((1, 1)), {"vgg": np.ones((1, 1))})
    excerpt = features.between(0.8, 1.0, FRONT_END)
    assert len(excerpt.descriptor) == len(excerpt.backbones["vgg"]) == 1
