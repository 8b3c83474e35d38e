"""Small images: as bright as those that they are among, and numbers around 0."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from downslope.plots.samples import SIGNED, show_image, show_signed


def axes():
    return Figure().subplots()


def test_drawings_are_dark_on_bright_and_photos_as_they_are():
    drawings = np.zeros((3, 4, 4, 1))
    drawings[:, 1, 1] = 16
    panel = axes()
    show_image(panel, drawings[0], drawings)
    shown = panel.images[0]
    assert shown.get_cmap().name == "gray_r"
    assert shown.get_clim() == (0, 16)
    photos = np.random.default_rng(0).integers(0, 255, (2, 4, 4, 1))
    panel = axes()
    show_image(panel, photos[0], photos, title="a photo")
    assert panel.images[0].get_cmap().name == "gray"
    assert panel.get_title(loc="left") == "a photo"


def test_colours_are_shown_from_the_darkest_to_the_brightest():
    images = np.random.default_rng(0).normal(size=(2, 3, 3, 3))
    panel = axes()
    show_image(panel, images[1], images)
    shown = panel.images[0].get_array()
    expected = (images[1] - images.min()) / (images.max() - images.min())
    np.testing.assert_allclose(shown, expected, rtol=1e-6)


@pytest.mark.parametrize(("largest", "limit"), [(2.5, 2.5), (0.0, 1.0), (np.nan, 1.0)])
def test_zero_is_white_in_the_middle(largest, limit):
    panel = axes()
    show_signed(panel, np.array([[-1.0, 0.0, 1.0]]), largest)
    assert panel.images[0].get_clim() == (-limit, limit)
    assert SIGNED(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.02)
