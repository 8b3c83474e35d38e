"""`downslope learn`: the path walked with right, wrong and nonsensical answers."""

import json
import os
import select
import signal
import subprocess
import sys
import time

import click
import pytest

from downslope.cli import lesson
from downslope.cli.commands import learn
from downslope.learn.chapter import Chapter
from downslope.learn.path import chapters
from tests.cli.conftest import START, documented
from tests.learn.conftest import usual, worked

# a shell lets what it runs in the background ignore Ctrl-C
HEAR = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
EVERY = pytest.mark.parametrize("chapter", chapters(), ids=lambda one: one.name)
NONSENSE = ("what?", "1e999", "0,5", "\x1b[2J")


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """The user's folder for data."""
    folder = tmp_path / "data"
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: folder / name)
    return folder / "downslope"


@pytest.fixture
def walk(call, data_folder, monkeypatch):
    """Walk with scripted lines; when they end, Ctrl-C is pressed."""
    monkeypatch.setattr(Chapter, "work", worked)
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


def wrong(chapter) -> str:
    """An answer that is wrong."""
    question = worked(chapter, usual(chapter)).question
    if question.choices:
        return next(
            letter for letter, one in zip("abcdef", question.choices, strict=False)
            if one != question.answer
        )  # fmt: skip
    return str(2 * abs(question.answer) + 7)


def fits(text: str, columns: int) -> bool:
    """Whether no line is longer than the terminal, but for paths."""
    return all(len(line) <= columns for line in text.splitlines() if "/" not in line)


@EVERY
@pytest.mark.parametrize("columns", [80, 120])
def test_every_chapter_answers_whatever_is_typed(walk, chapter, columns):
    question = worked(chapter, usual(chapter)).question
    chosen = [str(one) for one in usual(chapter).values()]
    strange = [text for one in chosen for text in (*NONSENSE, one)]
    number, leave = ("--no-pictures", chapter.number), ["q"]
    right = walk(*number, lines=[*chosen, question.right, *leave], columns=columns)
    assert right.exit_code == 0, right.output
    assert "Right. " in right.output and "Not quite" not in right.output
    hinted = walk(
        *number, lines=[*strange, *NONSENSE, wrong(chapter), question.right, *leave],
        columns=columns,
    )  # fmt: skip
    assert hinted.exit_code == 0
    assert hinted.output.count("Expected") == len(NONSENSE) * (len(chapter.asks) + 1)
    assert hinted.output.count("Not quite. ") == hinted.output.count("Right. ") == 1
    told = walk(*number, lines=[*chosen, wrong(chapter), wrong(chapter), *leave], columns=columns)
    assert told.exit_code == 0
    assert told.output.count("Not quite. ") == 2
    answer = " ".join(told.output.split())
    assert f"The answer is {question.right}. {' '.join(question.worked.split())}" in answer
    for one in (right, hinted, told):
        assert fits(one.output, columns), one.output
        assert "\x1b" not in one.output
        assert "The same in Python" in one.output


def test_the_path_goes_on_where_it_was_left(walk, call, data_folder):
    first, second, third = chapters()[:3]
    question = worked(second, second.defaults).question
    stopped = walk("--no-pictures", 2, lines=[""])  # Ctrl-C at the second number
    assert stopped.exit_code == 130
    assert stopped.stdout.endswith("Finished chapters are kept. Go on with: downslope learn\n")
    going = [*[""] * len(second.asks), question.right]
    left = walk("--no-pictures", lines=[*going, "", "q"])  # to the third, which is left
    assert left.exit_code == 0
    assert left.stdout.startswith(f"2 · {second.title}\n")
    assert f"Next: 3 · {third.title}" in left.stdout
    assert json.loads((data_folder / "learn.json").read_text())["done"] == [second.name]
    assert walk("--no-pictures", lines=[]).stdout.startswith(f"3 · {third.title}\n")
    listed = call("learn", "--list").stdout
    assert [line.split()[1] for line in listed.splitlines()[2:4]] == ["done", "next"]
    plain = json.loads(call("learn", "--list", "--json").stdout)
    assert set(plain) == documented("learn --list")
    assert [one["is_done"] for one in plain["chapters"]][:3] == [False, True, False]
    assert plain["next"] == 3
    assert first.title in listed


def test_nothing_is_asked_in_a_pipe(call, data_folder, monkeypatch):
    monkeypatch.setattr(Chapter, "work", worked)
    shown = call("learn", 5, "--plain")
    assert shown.exit_code == 0, shown.output
    assert "Answer: 200. " in shown.stdout
    assert "Pictures: figures\n  derivative.png\n" in shown.stdout
    assert call("learn", 5, "--no-pictures").stdout.count("\n") < shown.stdout.count("\n")
    assert not data_folder.exists()  # nothing was answered
    plain = json.loads(call("learn", 5, "--json").stdout)
    assert set(plain) == documented("learn")
    assert plain["worked"]["question"]["answer"] == 200


def test_all_chapters_done(call, data_folder):
    data_folder.mkdir(parents=True)
    names = [one.name for one in chapters()]
    (data_folder / "learn.json").write_text(json.dumps({"done": names}))
    assert "All chapters are done." in call("learn").stdout


def test_a_progress_file_of_something_else_is_one_message(refused, data_folder):
    data_folder.mkdir(parents=True)
    (data_folder / "learn.json").write_text("{}]")
    assert "Nothing was changed. Move the file elsewhere" in refused("learn")
    assert "Nothing was changed." in refused("learn", "--list")
    assert (data_folder / "learn.json").read_text() == "{}]"


def test_a_disk_that_refuses_keeps_nobody_from_learning(walk, data_folder):
    data_folder.parent.write_text("a file")
    chapter = chapters()[4]
    question = worked(chapter, usual(chapter)).question
    lines = [*[""] * len(chapter.asks), question.right]
    result = walk("--no-pictures", 5, lines=[*lines, "q"])
    assert result.exit_code == 0
    assert result.stderr.count("Your progress is not kept.") == 1
    assert f"Next: 6 · {chapters()[5].title}" in result.stdout


def test_a_chapter_that_is_not_there(refused, data_folder):
    assert "All chapters: downslope learn --list" in refused("learn", 99)


def type_into(terminal: int, seen: list[str], until: str, text: str) -> None:
    """Read a terminal until a text is there, then type."""
    end = time.monotonic() + 120
    while until not in "".join(seen):
        assert time.monotonic() < end, "".join(seen)
        if select.select([terminal], [], [], 1)[0]:
            seen.append(os.read(terminal, 4096).decode())
    seen.clear()
    os.write(terminal, text.encode())


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_chapter_in_a_real_terminal(tmp_path):
    import pty

    def start(*words):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", HEAR + START, "learn", "--no-pictures", *words],
            cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "XDG_DATA_HOME": str(tmp_path), "HOME": str(tmp_path)},
        )  # fmt: skip
        os.close(theirs)
        return process, ours, []

    process, terminal, seen = start("5")
    type_into(terminal, seen, "people in the photo [500]: ", "400\n")
    type_into(terminal, seen, "a first prediction [350]: ", "nothing\n")
    type_into(terminal, seen, "a first prediction [350]: ", "\n")
    type_into(terminal, seen, "a second prediction [600]: ", "\n")
    type_into(terminal, seen, "> ", "400\n")
    type_into(terminal, seen, "Enter goes on, q leaves: ", "\n")
    type_into(terminal, seen, "the input x [1.5]: ", "")
    process.send_signal(signal.SIGINT)
    type_into(terminal, seen, "Go on with: downslope learn", "")
    assert process.wait(60) == 130
    os.close(terminal)
    process, terminal, seen = start()
    type_into(terminal, seen, "the input x [1.5]: ", "q\n")
    type_into(terminal, seen, "Go on with: downslope learn", "")
    assert process.wait(60) == 0
    os.close(terminal)
