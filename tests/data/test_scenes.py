"""The generated street scenes: repeatable, honest about heads, and varied."""

import numpy as np
import pytest

from downslope.data.scenes.scene import MAX_PEOPLE, Scene, draw_scene

SEED = 20


@pytest.fixture(scope="module")
def series() -> list[Scene]:
    """Draw sixty scenes once for the tests that only look at them."""
    return [draw_scene(SEED, index) for index in range(60)]


def test_same_arguments_give_the_same_scene(series):
    """A scene is a pure function of its arguments."""
    again = draw_scene(SEED, 3)
    assert np.array_equal(again.photo, series[3].photo)
    assert np.array_equal(again.heads, series[3].heads)
    assert np.array_equal(again.sizes, series[3].sizes)


def test_scenes_and_seeds_differ(series):
    """No two scenes look alike."""
    photos = [scene.photo for scene in series[:12]] + [draw_scene(SEED + 1, 0).photo]
    for i, one in enumerate(photos):
        for other in photos[:i]:
            assert np.abs(one.astype(int) - other).mean() > 5


def test_heads_lie_inside_the_frame(series):
    """Positions are float32 pixels of the photo."""
    for scene in series:
        assert scene.heads.dtype == np.float32 and scene.heads.shape == (len(scene.heads), 2)
        assert scene.sizes.shape == (len(scene.heads),)
        assert (scene.heads >= 0).all() and (scene.heads < (256, 192)).all()


def test_counts_cover_the_range(series):
    """Counts run from 0 to 150 without gaps."""
    counts = np.array([len(scene.heads) for scene in series])
    assert counts.min() == 0 and counts.max() <= MAX_PEOPLE
    assert np.histogram(counts, bins=5, range=(0, 150))[0].min() >= 3


@pytest.mark.parametrize("people", [1, 40, 150, 255])
def test_as_many_heads_as_people_asked_for(people):
    """Nobody who was placed is wholly hidden, however dense the crowd."""
    for index in range(3):
        assert len(draw_scene(SEED, index, people=people).heads) == people


def test_no_people():
    """An empty scene has heads of shape (0, 2) and is still a picture."""
    scene = draw_scene(SEED, 0, people=0)
    assert scene.heads.shape == (0, 2) and scene.heads.dtype == np.float32
    assert scene.sizes.shape == (0,)
    assert scene.photo.std() > 5


@pytest.mark.parametrize("people", [-1, 256])
def test_impossible_numbers_of_people_are_refused(people):
    """Only 0 to 255 people can be told apart while drawing."""
    with pytest.raises(ValueError, match="people must be"):
        draw_scene(SEED, 0, people=people)


def test_nearer_heads_are_lower_and_larger(series):
    """Head sizes follow the perspective, some 4 to 12 pixels."""
    for scene in series:
        if len(scene.heads) > 30:
            assert np.corrcoef(scene.heads[:, 1], scene.sizes)[0, 1] > 0.6
    sizes = np.concatenate([scene.sizes for scene in series])
    assert 3 < sizes.min() < 5 and 10 < sizes.max() < 14


def test_heads_are_drawn_where_they_are_said_to_be():
    """A scene with one person differs from the empty one at that person's head."""
    for index in range(8):
        one = draw_scene(SEED, index, people=1)
        x, y = one.heads[0].astype(int)
        r = int(one.sizes[0] / 4)
        head = one.photo[y - r : y + r + 1, x - r : x + r + 1].astype(int)
        w = int(2 * one.sizes[0])
        around = one.photo[max(0, y - w) : y + w, max(0, x - w) : x + w].astype(int)
        assert np.abs(head.mean((0, 1)) - np.median(around, (0, 1))).max() > 4


def test_other_sizes():
    """Width and height are free."""
    scene = draw_scene(SEED, 5, height=96, width=160, people=30)
    assert scene.photo.shape == (96, 160, 3)
    assert (scene.heads < (160, 96)).all() and len(scene.heads) == 30
