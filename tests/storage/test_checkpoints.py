"""States of long work: the newest is there as a whole, older ones make room, damage is told."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import downslope as ds
from downslope.storage import checkpoints
from downslope.storage.checkpoints import kept, read_state, step_of, stored_steps, write_state
from downslope.storage.manifest import Mark, read_manifest, write_manifest


def state(step: int) -> dict[str, np.ndarray]:
    """A state that differs from that of every other step."""
    return {
        "0.weights": np.arange(6, dtype=np.float32).reshape(2, 3) + step,
        "state.step": np.array(step, np.int32),
        "none": np.zeros((0, 4)),
    }


def store(folder, *steps, lasting=(0,), most=2):
    for step in steps:
        write_state(folder, step, state(step), lasting, most)


def files_in(folder) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def assert_is_state(found, step):
    expected = state(step)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == np.asarray(array).dtype
        np.testing.assert_array_equal(found[name], array)


def test_a_state_is_read_as_it_was_written(tmp_path):
    assert stored_steps(tmp_path) == ()
    store(tmp_path, 0, 12)
    assert stored_steps(tmp_path) == (0, 12)
    for step in (0, 12):
        assert_is_state(read_state(tmp_path, step), step)


def test_older_states_make_room_and_nothing_else_is_left(tmp_path):
    store(tmp_path, 0, 10, 20, 30, 40)
    assert stored_steps(tmp_path) == (0, 30, 40)
    marks = read_manifest(tmp_path / "checkpoints")
    assert files_in(tmp_path) == sorted(["manifest.json", *marks])
    for name, mark in marks.items():
        assert Mark.of((tmp_path / "checkpoints" / name).read_bytes()) == mark


def test_a_step_that_is_stored_again_has_its_new_state(tmp_path):
    store(tmp_path, 0, 10)
    write_state(tmp_path, 10, state(11), (0,), 2)
    assert stored_steps(tmp_path) == (0, 10)
    assert_is_state(read_state(tmp_path, 10), 11)
    assert len(files_in(tmp_path)) == 3


def test_what_a_process_that_ended_left_behind_is_removed_and_nothing_of_others(tmp_path):
    store(tmp_path, 0)
    left = [".step-5-0123abcd.safetensors.77.unfinished", ".manifest.json.1.unfinished",
            "step-5-0123abcd.safetensors"]  # fmt: skip
    others = ["notes.txt", ".step-5.unfinished", "step-05-0123abcd.safetensors", ".hidden"]
    for name in (*left, *others):
        (tmp_path / "checkpoints" / name).write_bytes(b"")
    store(tmp_path, 10)
    assert set(left) & set(files_in(tmp_path)) == set()
    assert set(others) <= set(files_in(tmp_path))


def test_a_state_that_cannot_be_removed_takes_room_and_nothing_else(tmp_path, monkeypatch):
    store(tmp_path, 0, 10, 20)

    unlink = os.unlink

    def refuse(path, **named):
        if step_of(path.name) is not None:
            raise PermissionError(1, "Operation not permitted")
        unlink(path, **named)

    monkeypatch.setattr(os, "unlink", refuse)
    store(tmp_path, 30)
    assert stored_steps(tmp_path) == (0, 20, 30)
    assert len(files_in(tmp_path)) == 5
    monkeypatch.undo()
    store(tmp_path, 40)
    assert len(files_in(tmp_path)) == 4


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("step-0-0123abcd.safetensors", 0),
        ("step-1200-5d41402a.safetensors", 1200),
        ("step-01-5d41402a.safetensors", None),
        ("step--1-5d41402a.safetensors", None),
        ("step-1-5D41402A.safetensors", None),
        ("step-1-5d41402a.safetensors.bak", None),
        ("../step-1-5d41402a.safetensors", None),
        ("step-" + "9" * 19 + "-5d41402a.safetensors", None),
        ("manifest.json", None),
    ],
)
def test_the_name_of_a_state_tells_its_step(name, step):
    assert step_of(name) == step


def test_a_name_that_is_no_state_is_passed_over(tmp_path):
    store(tmp_path, 0, 10)
    index = tmp_path / "checkpoints"
    write_manifest(index, {**read_manifest(index), "../../outside": Mark.of(b"")})
    assert stored_steps(tmp_path) == (0, 10)
    store(tmp_path, 20)
    assert all(step_of(name) is not None for name in read_manifest(index))


def test_a_step_without_a_state_reads_as_intended(tmp_path):
    store(tmp_path, 0)
    with pytest.raises(ds.RunError) as caught:
        read_state(tmp_path, 1200)
    assert str(caught.value) == (
        f"{tmp_path}/checkpoints/manifest.json cannot be read (it has no state of step 1,200). "
        "Expected a file as written by a training. Restore the file, or train again."
    )


def damage_one_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (damage_one_byte, "it is not as it was written: its checksum is another"),
        (
            lambda path: path.write_bytes(b""),
            "it is not as it was written: its checksum is another",
        ),
        (lambda path: path.unlink(), "No such file or directory"),
        (
            lambda path: path.write_bytes(path.read_bytes() + b"!"),
            "it has {more} bytes instead of at most {whole}",
        ),
    ],
)
def test_a_damaged_state_reads_as_intended_and_the_others_are_whole(tmp_path, damage, why):
    store(tmp_path, 0, 10)
    (path,) = (tmp_path / "checkpoints").glob("step-10-*")
    whole = path.stat().st_size
    damage(path)
    with pytest.raises(ds.RunError) as caught:
        read_state(tmp_path, 10)
    assert str(caught.value) == (
        f"{path} cannot be read ({why.format(whole=whole, more=whole + 1)}). "
        "Expected a file as written by a training. Restore the file, or train again."
    )
    assert_is_state(read_state(tmp_path, 0), 0)


def test_a_folder_of_states_that_is_a_link_is_not_followed(tmp_path):
    elsewhere, run = tmp_path / "elsewhere", tmp_path / "run"
    for folder in (elsewhere, run):
        folder.mkdir()
    store(elsewhere, 0)
    (run / "checkpoints").symlink_to(elsewhere / "checkpoints")
    with pytest.raises(ds.RunError, match="it is a link, which may lead anywhere"):
        stored_steps(run)
    with pytest.raises(ds.StorageError, match="is a link, which may lead anywhere"):
        store(run, 10)
    assert stored_steps(elsewhere) == (0,)


def test_a_disk_that_cannot_be_looked_at_is_no_folder_without_states(tmp_path, monkeypatch):
    store(tmp_path, 0, 10)

    def fail(_path, **_named):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "lstat", fail)
    with pytest.raises(ds.RunError) as caught:
        stored_steps(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/checkpoints cannot be read (Input/output error). "
        "Expected a file as written by a training. Restore the file, or train again."
    )


def test_a_reader_that_comes_between_finds_the_newer_state(tmp_path, monkeypatch):
    store(tmp_path, 0, 10)
    read, times = checkpoints.read_marked, []

    def removed_meanwhile(index, name, marks):
        if not times:
            write_state(tmp_path, 10, state(11), (0,), 2)  # and the file of before is gone
        times.append(name)
        return read(index, name, marks)

    monkeypatch.setattr(checkpoints, "read_marked", removed_meanwhile)
    assert_is_state(read_state(tmp_path, 10), 11)
    assert len(times) == 2


@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=30, unique=True),
    st.sets(st.integers(0, 200), max_size=5),
    st.integers(2, 8),
)
def test_the_last_two_and_those_that_last_are_kept_and_not_too_many(steps, lasting, most):
    chosen = kept(steps, lasting, most)
    assert list(chosen) == sorted(set(chosen) & set(steps))
    assert set(sorted(steps)[-2:]) <= set(chosen)
    assert lasting & set(steps) <= set(chosen)
    assert sum(step not in lasting for step in chosen) <= most
    if sum(step not in lasting for step in steps) <= most:
        assert list(chosen) == sorted(steps)


@pytest.mark.parametrize("count", [50, 100, 137, 1000])
def test_what_is_kept_is_spread_over_the_training(count):
    chosen: tuple[int, ...] = (0,)
    for step in range(1, count + 1):
        chosen = kept((*chosen, step), (0,), 6)
    assert chosen[0] == 0 and chosen[-2:] == (count - 1, count)
    gaps = np.diff(chosen)
    assert len(chosen) == 7
    assert (
        gaps.max() <= 2 * count / 5
    )  # five gaps that matter: the widest has at most twice a fraction
