"""The controller and a worker, with contenders of a few lines."""

import os
import sys
import time

import pytest

from benchmarks.driver import Worker, WorkerError

ECHO = """
import sys
print('{"ready": true}', flush=True)
for line in sys.stdin:
    print('{"word": "%s"}' % line.strip(), flush=True)
"""


def worker(program: str) -> Worker:
    return Worker("Somebody", (sys.executable, "-c", program))


def test_a_worker_answers_in_turn():
    with worker(ECHO) as one:
        assert one.answer(20) == {"ready": True}
        assert [one.ask(word, 20) for word in ("run", "loss")] == [
            {"word": "run"},
            {"word": "loss"},
        ]


def test_a_worker_is_gone_when_its_block_is_left():
    with worker(ECHO) as one:
        one.answer(20)
        process = one._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_children_of_a_worker_end_with_it(tmp_path):
    index = tmp_path / "pid"
    program = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"open({str(index)!r}, 'w').write(str(child.pid)); print('{{}}', flush=True);"
        "time.sleep(60)"
    )
    with worker(program) as one:
        one.answer(20)
    deadline = time.monotonic() + 10
    while _runs(int(index.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('no such thing')", "Somebody ended with code 1: no such thing"),
        ("import os; os._exit(3)", "Somebody ended with code 3: it said nothing"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
         "Somebody ended with code -9: it said nothing"),
        ("print('hello')", "Somebody answered b'hello', which is no JSON"),
        ("""print('{"error": "ValueError: too wide"}')""", "ValueError: too wide"),
    ],
)  # fmt: skip
def test_a_worker_that_fails_says_why(program, message):
    with worker(program) as one, pytest.raises(WorkerError) as caught:
        one.answer(20)
    assert str(caught.value) == message


def test_a_worker_that_hangs_is_stopped_in_time():
    with worker("import time; time.sleep(60)") as one, pytest.raises(WorkerError) as caught:
        one.ask("run", 0.2)
    assert str(caught.value) == "Somebody did not answer 'run' within 0 s and was stopped"


def test_asking_a_worker_that_is_gone_says_how_it_ended():
    with worker("import sys; sys.exit('out of memory')") as one:
        one._process.wait()
        with pytest.raises(WorkerError, match="ended with code 1: out of memory"):
            one.ask("run", 20)
