"""A manifest tells which files belong together, and whether each is as it was written."""

import hashlib
import json

import pytest

import downslope as ds
from downslope.storage.manifest import Mark, read_manifest, read_marked, write_manifest

ADVICE = "Expected a file as written by a training. Restore the file, or train again."
CONTENT = b"so many bytes"
MARKS = {"a": Mark.of(CONTENT), "b/c": Mark.of(b"")}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").write_bytes(CONTENT)
    write_manifest(tmp_path, MARKS)
    return tmp_path


def refusal(function, *arguments) -> str:
    with pytest.raises(ds.RunError) as caught:
        function(*arguments)
    return str(caught.value)


def test_it_comes_back(folder):
    assert read_manifest(folder) == MARKS
    assert read_marked(folder, "a", MARKS) == CONTENT


def test_any_tool_can_check_it(folder):
    told = json.loads((folder / "manifest.json").read_bytes())["files"]["a"]
    assert told == {"bytes": 13, "sha256": hashlib.sha256(CONTENT).hexdigest()}


def test_every_changed_letter_of_it_is_noticed(folder):
    path = folder / "manifest.json"
    content = path.read_bytes()
    for index in range(len(content)):
        path.write_bytes(content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :])
        assert refusal(read_manifest, folder).startswith(f"{path} cannot be read (")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"[" * 10**6, b"\xff", b'{"files": {}}'])
def test_what_is_no_manifest_is_refused(folder, content):
    (folder / "manifest.json").write_bytes(content)
    assert refusal(read_manifest, folder).startswith(f"{folder / 'manifest.json'} cannot be read (")


def test_one_that_is_missing_reads_as_intended(tmp_path):
    assert refusal(read_manifest, tmp_path) == (
        f"{tmp_path / 'manifest.json'} cannot be read (No such file or directory). {ADVICE}"
    )


def test_one_of_very_many_files_is_refused(tmp_path):
    write_manifest(tmp_path, {str(index): MARKS["a"] for index in range(1001)})
    assert refusal(read_manifest, tmp_path) == (
        f"{tmp_path / 'manifest.json'} cannot be read (it names 1,001 files). {ADVICE}"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"so many Bytes", "it is not as it was written: its checksum is another"),
        (b"so many byte", "it is not as it was written: its checksum is another"),
        (b"so many bytes.", "it has 14 bytes instead of at most 13"),
    ],
)
def test_a_changed_file_is_noticed(folder, content, why):
    (folder / "a").write_bytes(content)
    assert refusal(read_marked, folder, "a", MARKS) == (
        f"{folder / 'a'} cannot be read ({why}). {ADVICE}"
    )


def test_a_file_that_is_not_in_it_is_refused(folder):
    assert refusal(read_marked, folder, "b", MARKS) == (
        f"{folder / 'manifest.json'} cannot be read (it has no b). {ADVICE}"
    )


def test_a_length_that_no_file_has_takes_no_memory(folder):
    for length in (2**62, 2**70, -1):
        marks = {"a": Mark(length, MARKS["a"].sha256)}
        assert refusal(read_marked, folder, "a", marks).startswith(f"{folder / 'a'} cannot be")
