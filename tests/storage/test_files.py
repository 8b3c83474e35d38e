"""Files are whole or absent, folders have one owner, and refusals are said plainly."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import downslope as ds
from downslope.storage import files
from downslope.storage.files import (
    damaged,
    free_bytes,
    is_there,
    make_folder,
    memory_bytes,
    most_bytes,
    read_file,
    remove_unfinished,
    sync_folder,
    write_file,
)
from downslope.storage.lock import claim_folder, claim_numbered_folder


def refuse(number):
    """A function that fails as the operating system does."""

    def fail(*_arguments, **_settings):
        raise OSError(number, os.strerror(number))

    return fail


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "file"
    write_file(path, b"first")
    write_file(path, b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_failed_writing_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, moment):
    path = tmp_path / "file"
    write_file(path, b"old")
    monkeypatch.setattr(files.os, moment, refuse(errno.ENOSPC))
    with pytest.raises(ds.StorageError):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_an_interrupted_writing_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_file(path, b"old")

    def interrupt(_file):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (
            errno.ENOSPC,
            "The disk is full: PATH cannot be written. Expected free space on it. "
            "Free some space and try again.",
        ),
        (
            errno.EDQUOT,
            "Your share of the disk is full: PATH cannot be written. Expected free space. "
            "Free some and try again.",
        ),
        (
            errno.EROFS,
            "The disk is read-only: PATH cannot be written. Expected a disk that can be written. "
            "Choose another folder.",
        ),
        (
            errno.EACCES,
            "Writing is not permitted: PATH cannot be written. Expected a folder of yours. "
            "Choose another folder.",
        ),
        (
            errno.EPERM,
            "Writing is not permitted: PATH cannot be written. Expected a folder of yours. "
            "Choose another folder.",
        ),
        (
            errno.EIO,
            "Input/output error: PATH cannot be written. Expected a folder that can be written. "
            "Choose another.",
        ),
    ],
)
def test_a_refusal_to_write_reads_as_intended(tmp_path, monkeypatch, number, message):
    path = tmp_path / "file"
    monkeypatch.setattr(files.os, "fsync", refuse(number))
    with pytest.raises(ds.StorageError) as caught:
        write_file(path, b"new")
    assert str(caught.value) == message.replace("PATH", str(path))


def test_a_file_in_the_way_reads_as_intended(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "folder"
    with pytest.raises(ds.StorageError) as caught:
        claim_folder(path)
    assert str(caught.value) == (
        f"A part of the path is a file: {path} cannot be written. Expected a folder. "
        "Choose another folder."
    )


def test_a_name_too_long_reads_as_intended(tmp_path):
    path = tmp_path / ("n" * 300)
    with pytest.raises(ds.StorageError) as caught:
        claim_folder(path)
    assert str(caught.value) == (
        f"The name is too long: {path} cannot be written. Expected a shorter name. "
        "Choose another folder."
    )


def test_a_claimed_folder_is_new_and_empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = claim_folder(files.Path("some") / "where").path
    assert path == tmp_path / "some" / "where"
    assert list(path.iterdir()) == []


def test_a_folder_with_something_in_it_is_never_claimed(tmp_path):
    (tmp_path / "mine").write_bytes(b"precious")
    with pytest.raises(ds.StorageError) as caught:
        claim_folder(tmp_path)
    assert str(caught.value) == (
        f"The folder {tmp_path} is not empty. Expected a new or empty folder. "
        "Choose another; nothing is ever overwritten."
    )
    assert (tmp_path / "mine").read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["mine"]


def test_numbers_that_are_taken_are_passed_over(tmp_path):
    for taken in ("digits-1", "digits-2", "other-3"):
        (tmp_path / taken).mkdir()
    assert claim_numbered_folder(tmp_path, "digits").path == tmp_path / "digits-3"


def test_claims_at_the_same_time_get_different_folders(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        claims = [pool.submit(claim_numbered_folder, tmp_path / "runs", "x") for _ in range(24)]
    paths = {claim.result().path for claim in claims}
    assert paths == {tmp_path / "runs" / f"x-{number}" for number in range(1, 25)}


def test_the_home_folder_can_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert claim_numbered_folder(files.Path("~/runs"), "x").path == tmp_path / "runs" / "x-1"
    assert os.listdir(tmp_path) == ["runs"]


def test_a_numbered_folder_that_cannot_be_written_is_not_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(ds.StorageError):
        claim_numbered_folder(tmp_path, "x")
    assert os.listdir(tmp_path) == []


ADVICE = "Expected a file as written by a training. Restore the file, or train again."


def refused(folder, name, most=100) -> str:
    with pytest.raises(ds.RunError) as caught:
        read_file(folder, name, most)
    return str(caught.value)


def test_a_file_is_read_also_in_a_folder_that_is_a_link(tmp_path):
    (tmp_path / "own" / "inner").mkdir(parents=True)
    (tmp_path / "own" / "inner" / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "own")
    assert read_file(tmp_path / "link", "inner/file", 7) == b"content"


@pytest.mark.parametrize("kind", ["link", "dead link", "folder above", "device"])
def test_links_are_not_followed(tmp_path, kind):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(b"secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "inner" if kind == "folder above" else folder / "file"
    targets = {"link": "../outside/file", "dead link": "nowhere", "folder above": "../outside"}
    path.symlink_to(targets.get(kind, "/dev/zero"))
    name = "inner/file" if kind == "folder above" else "file"
    assert refused(folder, name) == (
        f"{path} cannot be read (it is a link, which may lead anywhere). {ADVICE}"
    )


def test_a_pipe_keeps_nobody_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path, "pipe") == (
        f"{tmp_path / 'pipe'} cannot be read (it is not a file). {ADVICE}"
    )


def test_what_is_no_file_reads_as_intended(tmp_path):
    (tmp_path / "folder").mkdir()
    for name, why in [
        ("folder", "Is a directory"),
        ("none", "No such file or directory"),
        ("n" * 300, "File name too long"),
        ("a\0b", "embedded null byte"),
    ]:
        said = refused(tmp_path, name)
        assert f"cannot be read ({why}" in said or "null character" in said


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert refused(tmp_path, "file") == (
        f"{path} cannot be read (it has 1,099,511,627,776 bytes instead of at most 100). {ADVICE}"
    )
    monkeypatch.setattr(files, "most_bytes", lambda: 1 << 30)
    assert refused(tmp_path, "file", 1 << 62) == (
        f"{path} cannot be read (its 1,099,511,627,776 bytes are too many for this machine). "
        f"{ADVICE}"
    )


def test_what_is_quoted_from_a_file_is_short_and_in_one_line(tmp_path):
    said = str(damaged(tmp_path, "it says\n\n" + "x" * 10_000))
    assert "\n" not in said
    assert len(said) < 600


def test_a_folder_is_made_once(tmp_path):
    make_folder(tmp_path / "new")
    make_folder(tmp_path / "new")
    assert (tmp_path / "new").is_dir()
    sync_folder(tmp_path)


def test_a_link_is_not_taken_for_a_folder(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(ds.StorageError) as caught:
        make_folder(tmp_path / "link")
    assert str(caught.value) == (
        f"{tmp_path / 'link'} is a link, which may lead anywhere. Expected a folder. "
        "Remove the link."
    )


def test_a_disk_that_knows_no_syncing_of_folders_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", refuse(errno.EINVAL))
    sync_folder(tmp_path)
    monkeypatch.setattr(files.os, "fsync", refuse(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        sync_folder(tmp_path)


def test_a_link_in_the_place_of_an_unfinished_file_is_not_followed(tmp_path):
    (tmp_path / "outside").write_bytes(b"precious")
    unfinished = tmp_path / f".file.{os.getpid()}.unfinished"
    unfinished.symlink_to(tmp_path / "outside")
    write_file(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "outside").read_bytes() == b"precious"


def synced_by(monkeypatch, act) -> list:
    """The folders and files that are synced while something is done."""
    seen, sync = [], os.fsync

    def note(handle):
        seen.append(os.readlink(f"/proc/self/fd/{handle}"))
        sync(handle)

    monkeypatch.setattr(files.os, "fsync", note)
    act()
    return seen


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_a_new_folder_and_its_new_parents_outlive_a_loss_of_power(tmp_path, monkeypatch):
    seen = synced_by(monkeypatch, lambda: claim_folder(tmp_path / "runs" / "deep" / "first"))
    assert seen[:3] == [str(tmp_path), str(tmp_path / "runs"), str(tmp_path / "runs" / "deep")]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_a_folder_that_somebody_made_just_now_outlives_it_as_well(tmp_path, monkeypatch):
    (tmp_path / "first").mkdir()
    assert str(tmp_path) in synced_by(monkeypatch, lambda: claim_folder(tmp_path / "first"))
    seen = synced_by(monkeypatch, lambda: claim_numbered_folder(tmp_path / "runs", "digits"))
    assert str(tmp_path / "runs") in seen


def test_a_folder_above_that_cannot_be_read_is_no_matter(tmp_path, monkeypatch):
    opened = os.open

    def refuse(path, *arguments, **named):
        if path == tmp_path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(path, *arguments, **named)

    monkeypatch.setattr(files.os, "open", refuse)
    assert claim_folder(tmp_path / "first").path == tmp_path / "first"


def test_what_is_there_is_told_from_what_cannot_be_looked_at(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert is_there(tmp_path) and is_there(tmp_path / "file")
    assert not is_there(tmp_path / "other") and not is_there(tmp_path / "file" / "below")
    with pytest.raises(ds.RunError, match=r"link cannot be read \(it is a link"):
        is_there(tmp_path / "link")
    monkeypatch.setattr(files.os, "lstat", refuse(errno.EIO))
    with pytest.raises(ds.RunError, match=r"file cannot be read \(Input/output error\)"):
        is_there(tmp_path / "file")


def test_only_what_is_meant_is_removed_as_unfinished(tmp_path):
    names = [".run.json.1.unfinished", ".run.json.22.unfinished"]
    others = [
        "run.json",
        ".other.json.1.unfinished",
        ".run.json.unfinished",
        ".runxjson.1.unfinished",
    ]
    for name in (*names, *others):
        (tmp_path / name).write_bytes(b"")
    remove_unfinished(tmp_path, r"run\.json")
    assert sorted(os.listdir(tmp_path)) == sorted(others)


def groups(folder, monkeypatch, own, limits):
    """Let this process be in control groups, whose limits are files below a folder."""
    (folder / "own").write_text(own)
    for name, limit in limits.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{limit}\n")
    monkeypatch.setattr(files, "_GROUPS", folder)
    monkeypatch.setattr(files, "_GROUPS_OF_PROCESS", folder / "own")
    memory_bytes.cache_clear()


V1 = "5:devices:/docker/ab\n4:cpuacct,memory:/docker/ab\n"
LIMITS = [  # of which control groups, their files, and what may be used
    ("0::/a/b\n", {"a/b/memory.max": 1 << 28}, 1 << 28),
    ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": 1 << 27}, 1 << 27),
    ("0::/a/b\n", {"a/b/memory.max": 1 << 26, "memory.max": 1 << 27}, 1 << 26),
    ("0::/\n", {"memory.max": 1 << 26, "memory/memory.limit_in_bytes": 1 << 20}, 1 << 26),
    ("0::/seen/from/outside\n", {"memory.max": 1 << 26}, 1 << 26),  # inside a container
    (V1, {"memory/memory.limit_in_bytes": 3 << 26}, 3 << 26),
    (V1, {"memory/docker/ab/memory.limit_in_bytes": 5 << 24, "memory.max": 1}, 5 << 24),
    (f"{V1}0::/\n", {"memory/memory.limit_in_bytes": 9223372036854771712, "memory.max": 7}, 7),
    ("0::/\n", {"memory.max": "max"}, None),
    ("0::/../../out\n", {"memory.max": "what"}, None),
    ("nothing\n\n", {}, None),
    ("3:cpu:/\n", {"memory/memory.limit_in_bytes": 4}, None),
]


@pytest.mark.parametrize(("own", "limits", "least"), LIMITS)
def test_the_memory_is_what_the_container_may_use(tmp_path, monkeypatch, own, limits, least):
    groups(tmp_path, monkeypatch, own, limits)
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        assert memory_bytes() == (pages if least is None else min(least, pages))
        assert most_bytes() == memory_bytes() // 2
        assert 0 <= free_bytes() <= memory_bytes()
    finally:
        memory_bytes.cache_clear()


@pytest.mark.parametrize("most", [3 << 30, 5 << 29, 2**32 + 4096])
def test_the_memory_is_what_the_user_allows(most):
    code = (
        "import resource\n"
        "from downslope.storage.files import free_bytes, memory_bytes\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({most}, {most}))\n"
        "print(memory_bytes(), free_bytes())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    known, free = map(int, done.stdout.split())
    assert known == min(most, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    assert 0 < free < most
