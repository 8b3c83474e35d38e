"""Each chapter is worked once for all tests of a process."""

import pytest

from downslope.learn.chapter import Chapter

_work, _found = Chapter.work, {}
# smaller than the numbers that a reader is offered, where the action takes longest
SMALLER = {
    "minima": {"batch_size": 512, "starts": 4},
    "test-set": {"networks": 2},
    "seven-steps": {"photos": 60, "epochs": 2},
}


def usual(chapter):
    """Numbers to walk a chapter with: the defaults, or fewer."""
    return {**chapter.defaults, **SMALLER.get(chapter.name, {})}


def worked(chapter, numbers):
    """What a chapter's action finds, kept."""
    key = (chapter.name, *numbers.values())
    if key not in _found:
        _found[key] = _work(chapter, numbers)
    return _found[key]


@pytest.fixture(autouse=True)
def worked_once(monkeypatch):
    """Chapters keep what they found."""
    monkeypatch.setattr(Chapter, "work", worked)
