"""Each chapter is worked once for all tests of a process."""

import click
import pytest
from click.testing import CliRunner

from downslope.cli import lesson
from downslope.cli.commands import learn
from downslope.cli.main import cli
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


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call `downslope` with these words in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """The user's folder for data."""
    folder = tmp_path / "data"
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: folder / name)
    return folder / "downslope"


@pytest.fixture
def walk(call, data_folder, monkeypatch):
    """Walk with scripted lines; when they end, Ctrl-C is pressed."""
    monkeypatch.setattr(learn, "_is_dialogue", lambda: True)

    def walked(*words, lines, columns=80):
        waiting = list(lines)

        def typed(prompt):
            lesson.say(prompt)
            if not waiting:
                raise click.Abort
            return waiting.pop(0)

        monkeypatch.setattr(lesson, "ask_line", typed)
        monkeypatch.setenv("COLUMNS", str(columns))
        result = call("learn", *words)
        assert "Traceback" not in result.output
        assert not waiting, result.output
        return result

    return walked
