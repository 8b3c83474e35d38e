"""One writer for each folder, also among processes, and whatever ends them."""

import errno
import os
import signal
import subprocess
import sys

import pytest

import downslope as ds
from downslope.storage import lock
from downslope.storage.lock import locked

pytestmark = pytest.mark.skipif(lock.fcntl is None, reason="the system has no such locks")
HOLD = (
    "import sys, pathlib\n"
    "from downslope.storage.lock import locked\n"
    "with locked(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def told(folder) -> str:
    with pytest.raises(ds.StorageError) as caught, locked(folder):
        pass
    return str(caught.value)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_the_second_of_two_processes_is_told(tmp_path, holder):
    assert told(tmp_path) == (
        f"Another training is writing into {tmp_path}. Expected a folder that nobody else writes "
        "into. Wait until it has ended, or choose another folder."
    )


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, None])
def test_the_lock_ends_with_its_process(tmp_path, holder, end):
    assert told(tmp_path)
    if end is None:
        holder.stdin.close()
    else:
        holder.send_signal(end)
    holder.wait()
    with locked(tmp_path):
        assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_it_can_be_had_again_also_after_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), locked(tmp_path):
        raise KeyboardInterrupt
    with locked(tmp_path):
        assert told(tmp_path)
    with locked(tmp_path):
        pass


def test_a_folder_that_is_not_there_reads_as_intended(tmp_path):
    assert told(tmp_path / "none") == (
        f"No such file or directory: {tmp_path / 'none'} cannot be written. Expected a folder "
        "that can be written. Choose another."
    )


def test_where_there_are_no_locks_nothing_is_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    with locked(tmp_path), locked(tmp_path):
        pass


def test_a_disk_that_fails_while_the_lock_is_given_back_is_no_matter(tmp_path, monkeypatch):
    close = os.close

    def fail(handle):
        close(handle)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with locked(tmp_path):
        monkeypatch.setattr(lock.os, "close", fail)
    monkeypatch.undo()
    with locked(tmp_path):  # and it was given back
        pass
