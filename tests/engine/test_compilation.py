"""What is compiled is kept: for the next call, and for the next process."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jax
import numpy as np
import pytest

from downslope.engine import compilation

TRAIN = """
import hashlib, json, sys
import jax, jax.monitoring

if sys.argv[1]:
    jax.config.update("jax_compilation_cache_dir", sys.argv[1])
counts = {"cache_hits": 0, "cache_misses": 0}

def count(name, **kwargs):
    counts[name.split("/")[-1]] = counts.get(name.split("/")[-1], 0) + 1

jax.monitoring.register_event_listener(count)
import downslope as ds

run = ds.train(ds.parse_network("dense 2"), ds.load("xor"), epochs=1)
digest = hashlib.sha256(b"".join(one.tobytes() for one in run.parameters[0].values()))
from downslope.engine.compilation import use_cache
folder = jax.config.jax_compilation_cache_dir or use_cache()
said = {"bits": digest.hexdigest(), "folder": folder and str(folder)}
print(json.dumps(said | {"hits": counts["cache_hits"], "misses": counts["cache_misses"]}))
"""


DATA_HOME = Path(tempfile.mkdtemp(prefix="downslope-secret-"))


def train(setting, own="") -> dict:
    """Train in a process of its own; what it says of its cache.

    Args:
        setting: Of our cache.
        own: The folder that the user gives to JAX, if any.
    """
    environment = {**os.environ, "DOWNSLOPE_CACHE": str(setting)}
    environment["JAX_ENABLE_COMPILATION_CACHE"] = "true"
    environment["XDG_DATA_HOME"] = str(DATA_HOME)  # where the secret of the cache lies
    words = [sys.executable, "-c", TRAIN, own]
    prediction = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert prediction.stderr == ""
    return json.loads(prediction.stdout)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache that a first process has filled, and what that one said."""
    folder = tmp_path_factory.mktemp("cache")
    return folder, train(folder)


def test_a_second_process_compiles_nothing_and_learns_the_same_bits(filled):
    folder, first = filled
    assert first["misses"] > 0 == first["hits"]
    second = train(folder)
    assert second["misses"] == 0 < second["hits"]
    assert second["bits"] == first["bits"] == train("off")["bits"]


def test_a_broken_entry_is_compiled_and_replaced(filled):
    folder, first = filled
    entries = [path for path in folder.rglob("*") if path.is_file()]
    assert entries
    for path in entries:
        path.write_bytes(b"broken")
    assert train(folder)["bits"] == first["bits"]
    train(folder)  # writes what the one before removed
    again = train(folder)
    assert again["misses"] == 0
    assert again["bits"] == first["bits"]


def test_an_entry_exchanged_for_another_is_compiled_and_never_runs(filled):
    folder, first = filled
    train(folder)
    entries = sorted(path for path in folder.rglob("*.program"))
    assert len(entries) > 1
    contents = [path.read_bytes() for path in entries]
    for path, content in zip(entries, [*contents[1:], contents[0]], strict=True):
        path.write_bytes(content)
    again = train(folder)
    assert again["hits"] == 0 < again["misses"]
    assert again["bits"] == first["bits"]


def test_a_folder_that_cannot_be_written_means_no_cache(tmp_path):
    (tmp_path / "file").write_text("")
    said = train(tmp_path / "file")
    assert said["folder"] is None
    assert said["hits"] == said["misses"] == 0


def test_what_the_user_chose_in_jax_stays(tmp_path):
    own = str(tmp_path / "own")
    assert train(tmp_path / "ours", own)["folder"] == own
    assert not (tmp_path / "ours").exists()


def test_options_that_xla_does_not_know_are_left_out():
    def double(program, numbers):
        return program * numbers

    numbers = np.arange(3, dtype=np.float32)
    run = compilation.compiled(double, 2, numbers, options=(("no_such_option", "1"),))
    np.testing.assert_array_equal(run(numbers), 2 * numbers)
    assert isinstance(run(numbers), jax.Array)


def times(program, x):
    return program * x


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="needs /proc")
def test_a_program_that_is_let_go_is_gone():
    """A process has room for some tens of thousands of pieces of memory, and a program has many."""

    def pieces() -> int:
        with open("/proc/self/maps", encoding="ascii") as file:
            return sum(1 for _ in file)

    counts = []
    for program in range(100):  # more than are kept
        found = compilation.compiled(times, program + 0.5, np.float32(2))
        assert float(found(np.float32(2))) == 2 * program + 1
        counts.append(pieces())
    assert counts[99] - counts[69] < 30
