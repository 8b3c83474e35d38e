"""A session and its pages: nothing is queued, nothing is lost."""

import asyncio

import numpy as np
import pytest

from downslope.lab.messages import Frame, Ready, Scene, packed, unpacked
from downslope.lab.session import Page, Session


@pytest.fixture
def session():
    """A session whose worker is this test."""
    made = Session("xor", ".")
    made.sent = []
    made.send = made.sent.append
    return made


def hear(session, message):
    """Let the session hear a message as if the worker had sent it."""

    class Given:
        def recv_bytes(self):
            return message

    session._connection = Given()
    session._hear()


def frame(session, step, losses, at=0):
    """A frame after `step` steps, with the losses since the last one."""
    header = Frame("training", step, step, 0, 0.0, at, 0)
    arrays = {"losses": np.float32(losses), "rows": np.empty((0, 3)), "weights.0": np.full(4, step)}
    hear(session, packed(header, arrays))


def next_of(page):
    return [unpacked(one) for one in asyncio.run(page.next())]


def test_a_slow_page_gets_all_losses_and_only_the_newest_weights(session):
    slow, quick = Page(session), Page(session)
    session.join(slow)
    session.join(quick)
    slow.ready()
    quick.ready()
    assert session.sent == [Ready()]  # the worker is asked once
    frame(session, 2, [1.0, 0.9])
    assert len(next_of(quick)) == len(next_of(slow)) == 1
    for step in range(3, 8):  # the slow page draws still
        quick.ready()
        frame(session, step, [1 / step], step - 1)
        next_of(quick)
    slow.ready()
    ((header, arrays),) = next_of(slow)
    assert header.step == 7
    assert header.losses_from == 2
    assert np.allclose(arrays["losses"], [1 / 3, 1 / 4, 1 / 5, 1 / 6, 1 / 7])
    assert (arrays["weights.0"] == 7).all()
    assert session.sent == [Ready()] * 7  # the last one stands


def test_a_page_that_comes_late_gets_all(session):
    first = Page(session)
    session.join(first)
    first.ready()
    frame(session, 2, [1.0, 0.9])
    late = Page(session)
    session.join(late)
    late.ready()
    ((header, arrays),) = next_of(late)
    assert header.losses_from == 0
    assert np.allclose(arrays["losses"], [1.0, 0.9])


def test_a_page_that_is_not_ready_is_sent_no_frame(session):
    page = Page(session)
    session.join(page)
    frame(session, 2, [1.0, 0.9])

    async def nothing_comes():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(page.next(), 0.05)

    asyncio.run(nothing_comes())


def test_words_for_a_page_that_never_reads_are_bounded(session):
    page = Page(session)
    for _ in range(1000):
        page.tell(b"....")
    assert len(page._waiting) == Page.MOST_WAITING


def test_another_scene_begins_the_curves_anew(session):
    page = Page(session)
    session.join(page)
    page.ready()
    frame(session, 2, [1.0, 0.9])
    next_of(page)
    empty = dict.fromkeys(("inputs", "input_shape", "classes", "targets", "findings"), ())
    scene = Scene(
        session="s", place="", data="x", source="x", task="regression", sizes={}, layers=(),
        network="dense 1",
        settings={}, loss="l", metrics=(), baseline={}, steps=1, steps_per_epoch=1, folder="",
        command="", python="", choices={}, **empty,
    )  # fmt: skip
    hear(session, packed(scene))
    page.ready()
    frame(session, 1, [5.0])
    found = next_of(page)
    assert [type(header).__name__ for header, _ in found] == ["Scene", "Frame"]
    assert found[1][0].losses_from == 0
    assert found[1][1]["losses"].tolist() == [5.0]
