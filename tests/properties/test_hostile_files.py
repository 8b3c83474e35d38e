"""Whatever is in a file, it loads or is refused in words: no traceback, no hang, bounded memory.

Each kind is read in a process of its own, with limits of its own: the libraries below could end
it, and a test that ended with it would say nothing.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.properties import hostile

FEW, MANY = 60, 400  # files of each kind; `hostile` says how to read more
MOST_MEMORY = 1000  # MiB in use at once, most of it libraries and one image or table


def survived(kind: str, count: int, tmp_path: Path) -> dict:
    """What became of broken files that a process of its own reads."""
    progress = tmp_path / "progress"
    done = subprocess.run(
        [sys.executable, "-m", "tests.properties.hostile", kind, "0", str(count)],
        env=os.environ | {hostile.PROGRESS: str(progress)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == 0, (progress.read_text(), done.stderr.decode()[-2000:])
    assert done.stderr == b""
    return json.loads(done.stdout)


def check(kind: str, count: int, tmp_path: Path) -> None:
    found = survived(kind, count, tmp_path)
    assert found["crashes"] == []
    assert found["loaded"] + found["refused"] == count
    assert found["refused"] > 0
    assert found["peak"] < MOST_MEMORY


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_a_few_broken_files(kind, tmp_path):
    check(kind, FEW, tmp_path)


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.parametrize("kind", hostile.KINDS)
def test_many_broken_files(kind, tmp_path):
    check(kind, MANY, tmp_path)


def test_whole_files_load(tmp_path):
    for kind, (seeds, name, load) in hostile.KINDS.items():
        for index, content in enumerate(seeds()):
            path = tmp_path / f"{kind}{index}" / name
            path.parent.mkdir()
            path.write_bytes(content)
            load(path)


def test_a_broken_file_is_always_the_same():
    assert hostile.broken("csv", 7) == hostile.broken("csv", 7)
    assert len({hostile.broken("csv", number) for number in range(50)}) > 45
