"""The common look: headings, labels that keep apart, numbers in words, and whole files."""

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import downslope as ds
from downslope.plots import new_figure, save, style
from downslope.text import amount


def test_the_size_in_pixels_is_that_of_the_figure(tmp_path, png_size):
    figure = new_figure("Title", "Subtitle", height=2.0)
    style.dress(figure.subplots())
    width, height = png_size(save(figure, tmp_path / "a.png"))
    assert (width, height) == tuple((figure.get_size_inches() * style.DPI).astype(int))
    assert width == 1440


def test_negative_numbers_of_a_sentence_have_a_true_minus(texts):
    figure = new_figure("A", "From -0.066 to 1-2 (-3 %), x-1, run-2 and 2024-05-31.", height=1.0)
    assert (
        texts(figure)[1]
        == "From \N{MINUS SIGN}0.066 to 1-2 (\N{MINUS SIGN}3 %), x-1, run-2 and 2024-05-31."
    )


def test_nothing_but_the_picture_is_left_and_an_old_one_is_replaced(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    save(new_figure("Title", height=1.0), path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_same_picture_has_the_same_bytes(tmp_path):
    first, second = (save(new_figure("A", "b", height=1.0), tmp_path / name) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_a_folder_that_is_missing_is_said_plainly(tmp_path):
    with pytest.raises(ds.StorageError, match="cannot be written"):
        save(new_figure("A", height=1.0), tmp_path / "missing" / "a.png")


def test_the_heading_never_covers_what_is_drawn(overlaps):
    figure = new_figure("A title", "word " * 70, height=2.0)
    style.dress(figure.subplots(), title="panel", x="across", y="up")
    assert overlaps(figure) == []


def test_global_settings_stay_as_they_are():
    before = dict(matplotlib.rcParams)
    style.dress(new_figure("A", "b", height=1.0).subplots())
    assert dict(matplotlib.rcParams) == before


def test_letters_that_the_font_lacks_and_formula_signs_raise_no_warning(tmp_path, texts):
    figure = new_figure("日本 costs $5 or $6", "x_1 $\\frac{", height=1.0)
    save(figure, tmp_path / "a.png")
    assert texts(figure)[0] == r"日本 costs \$5 or \$6"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_labels_keep_their_order_and_their_distance(indices):
    moved = style.spread_out(indices, 0.1)
    assert all(-1e-9 <= index <= 1 + 1e-9 for index in moved)
    order = np.argsort(indices, kind="stable")
    assert (np.diff(np.array(moved)[order]) >= 0.1 - 1e-9).all()


def test_labels_that_are_far_enough_apart_stay_where_they_are():
    assert style.spread_out([0.9, 0.1, 0.5], 0.2) == [0.9, 0.1, 0.5]


def test_two_labels_at_one_place_move_apart_by_the_same_amount():
    assert style.spread_out([0.5, 0.5], 0.2) == pytest.approx([0.4, 0.6])


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50 %"),
        (0.0421, "4.2 %"),
        (0.9932, "99.3 %"),
        (0.99999, "> 99.9 %"),
        (1e-9, "< 0.1 %"),
        (3.21, "3.21"),
    ],
)
def test_a_percentage_never_claims_more_than_is_so(fraction, text):
    assert style.percent(fraction) == text


def test_amounts_know_the_singular():
    assert amount(1, "photo") == "1 photo"
    assert amount(1200, "photo") == "1,200 photos"
    assert amount(0, "photo") == "0 photos"
