"""Photos of crowds: the numbers in their titles, their maps, and the scatter of counts."""

import numpy as np
import pytest

import downslope as ds
from downslope.plots import choose_over_range, count_scatter, crowd_samples, draw_count, style
from downslope.plots.crowds import LONE_PERSON


def photos(count, height=48, width=64):
    return np.random.default_rng(0).integers(0, 255, (count, height, width, 3)).astype(np.uint8)


def maps(*counts, height=48, width=64):
    flat = [np.full((height // 4, width // 4, 1), n / (height * width / 16)) for n in counts]
    return np.array(flat, np.float32)


@pytest.mark.parametrize(
    ("counts", "most", "chosen"),
    [
        ([30, 10, 50, 20, 40], 3, [1, 0, 2]),
        ([30, 10, 50, 20, 40], 6, [1, 3, 0, 4, 2]),
        ([7], 6, [0]),
        ([5, 5, 5], 2, [0, 2]),
    ],
)
def test_photos_are_chosen_from_the_emptiest_to_the_fullest(counts, most, chosen):
    assert choose_over_range(np.array(counts, float), most).tolist() == chosen


def test_titles_give_the_true_and_the_estimated_count():
    figure = crowd_samples(photos(2), maps(84, 0), maps(79.3, 2.04))
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert titles == ["true 84, estimated 79.3", "true 0, estimated 2.0"]


def test_each_photo_stands_beside_its_two_maps(texts):
    figure = crowd_samples(photos(1), maps(10), maps(12), note="Drawn by a program.")
    photo, estimated, true = figure.axes
    assert (photo.images[0].get_array() == photos(1)[0]).all()
    np.testing.assert_allclose(estimated.images[0].get_array().sum(), 12, rtol=1e-6)
    np.testing.assert_allclose(true.images[0].get_array().sum(), 10, rtol=1e-6)
    assert estimated.texts[0].get_text() == "estimated"
    assert true.texts[0].get_text() == "true"
    assert true.images[0].get_clim() == estimated.images[0].get_clim()
    assert "Drawn by a program." in " ".join(texts(figure)).replace("\n", " ")


def test_an_empty_square_is_not_made_to_look_full():
    figure = crowd_samples(photos(1), maps(0), maps(1))
    assert figure.axes[1].images[0].get_clim()[1] == pytest.approx(LONE_PERSON)


@pytest.mark.parametrize(("height", "width"), [(48, 64), (96, 48), (32, 128)])
@pytest.mark.parametrize("count", [1, 6])
def test_photos_keep_their_shape_and_nothing_overlaps(overlaps, height, width, count):
    sizes = {"height": height, "width": width}
    few = maps(*range(count), **sizes)
    figure = crowd_samples(photos(count, **sizes), few, few, name="square")
    assert overlaps(figure) == []
    boxes = [axes.get_window_extent() for axes in figure.axes]
    for box in boxes:
        assert box.height / box.width == pytest.approx(height / width, rel=1e-6)
    for index, box in enumerate(boxes):
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_the_scatter_gives_the_error_beside_the_baselines(texts):
    figure = count_scatter(np.array([10.0, 30.0]), np.array([12.0, 27.0]), baseline=20.0)
    shown = " ".join(texts(figure)).replace("\n", " ")
    assert "MAE 2.5 people on 2 test photos" in shown
    assert "always predicting the training median (20.0): 10.0." in shown
    axes = figure.axes[0]
    assert axes.get_xlabel() == "true number of people"
    assert axes.get_ylabel() == "estimated number of people"
    assert axes.collections[-1].get_offsets().tolist() == [[10, 12], [30, 27]]


@pytest.mark.parametrize("estimate", [np.nan, np.inf, 1e30, -1e30])
def test_an_absurd_estimate_does_not_spoil_the_scatter(texts, estimate):
    figure = count_scatter(np.array([10.0, 30.0]), np.array([12.0, estimate]), baseline=20.0)
    low, high = figure.axes[0].get_ylim()
    assert -50 < low < high < 100
    assert "1 prediction lies outside of the picture." in " ".join(texts(figure)).replace("\n", " ")


def test_an_empty_test_scene_alone_is_drawn(overlaps):
    assert overlaps(count_scatter(np.zeros(1), np.zeros(1), baseline=0.0)) == []


@pytest.mark.parametrize(("height", "width"), [(48, 64), (160, 40), (40, 160)])
def test_a_counted_photo_is_written(tmp_path, png_size, height, width):
    path = tmp_path / "count.png"
    density = maps(25, height=height, width=width)[0]
    assert draw_count(photos(1, height, width)[0], density, 25.0, path) == path
    across, up = png_size(path)
    assert 5 * style.DPI <= across <= 9 * style.DPI
    assert up < 9 * style.DPI


def test_a_count_of_nothing_and_of_no_number_are_written(tmp_path):
    draw_count(photos(1)[0], maps(0)[0], 0.0, tmp_path / "a.png")
    draw_count(photos(1)[0], maps(np.nan)[0], float("nan"), tmp_path / "b.png")


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path):
    with pytest.raises(ds.StorageError, match="cannot be written"):
        draw_count(photos(1)[0], maps(1)[0], 1.0, tmp_path / "none" / "a.png")
