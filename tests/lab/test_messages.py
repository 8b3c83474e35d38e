"""Messages between the page and the worker."""

import numpy as np

from downslope.lab import messages
from downslope.lab.messages import Frame, packed, unpacked


def test_a_frame_comes_back_as_it_was():
    given = {"a": np.arange(6.0).reshape(2, 3), "ä": np.empty((0, 4)), "c": np.float32([np.nan])}
    frame = Frame("training", 3, 3, 1, 0.5, 0, 0)
    header, arrays = unpacked(packed(frame, given))
    assert (header.state, header.step, header.losses_from) == ("training", 3, 0)
    assert {name: one.shape for name, one in arrays.items()} == {
        "a": (2, 3), "ä": (0, 4), "c": (1,),
    }  # fmt: skip
    assert np.array_equal(arrays["a"], given["a"])
    assert np.isnan(arrays["c"][0])


def test_the_types_of_the_page_are_those_of_python():
    told = messages.TYPES.read_text(encoding="utf-8")
    assert told == messages.types_for_the_page(), "run python -m downslope.lab.messages"
