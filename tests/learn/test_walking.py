"""`downslope learn`: left and taken up again, listed, in a pipe, in a real terminal."""

import json
import os
import select
import signal
import subprocess
import sys
import time

import pytest

from downslope.learn.chapter import Chapter
from downslope.learn.path import chapters
from tests.cli.conftest import START, documented
from tests.learn.conftest import usual, worked

# a shell lets what it runs in the background ignore Ctrl-C
HEAR = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


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


def refusal(result) -> str:
    """The one message of a command that refuses."""
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("Error: ") and "Traceback" not in result.stderr
    return " ".join(result.stderr.split())


def test_a_progress_file_of_something_else_is_one_message(call, data_folder):
    data_folder.mkdir(parents=True)
    (data_folder / "learn.json").write_text("{}]")
    assert "Nothing was changed. Move the file elsewhere" in refusal(call("learn"))
    assert "Nothing was changed." in refusal(call("learn", "--list"))
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


def test_a_chapter_that_is_not_there(call, data_folder):
    assert "All chapters: downslope learn --list" in refusal(call("learn", 99))


def type_into(terminal: int, seen: list[str], until: str, text: str) -> None:
    """Read a terminal until a text is there, then type."""
    end = time.monotonic() + 120
    while until not in "".join(seen):
        assert time.monotonic() < end, "".join(seen)
        if select.select([terminal], [], [], 1)[0]:
            seen.append(os.read(terminal, 4096).decode())
    seen.clear()
    os.write(terminal, text.encode())


def press_ctrl_c(process, terminal: int) -> None:
    """As somebody would: again where nothing happens.

    Python's line editor shows its prompt just before it begins to wait, and overlooks a signal
    that comes between the two.
    """
    for _ in range(6):
        process.send_signal(signal.SIGINT)
        if select.select([terminal], [], [], 10)[0]:
            return


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
    press_ctrl_c(process, terminal)
    type_into(terminal, seen, "Go on with: downslope learn", "")
    assert process.wait(60) == 130
    os.close(terminal)
    process, terminal, seen = start()
    type_into(terminal, seen, "the input x [1.5]: ", "q\n")
    type_into(terminal, seen, "Go on with: downslope learn", "")
    assert process.wait(60) == 0
    os.close(terminal)
