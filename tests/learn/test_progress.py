"""How far the reader is, kept in a file."""

import pytest

from downslope.errors import InputError, StorageError
from downslope.learn.path import chapters
from downslope.learn.progress import Progress, ProgressFile, next_chapter

FIRST, SECOND, THIRD = chapters()[:3]


def test_progress_is_kept(tmp_path):
    file = ProgressFile(tmp_path / "new" / "learn.json")
    assert file.read() == Progress()
    file.begin(FIRST)
    assert file.read() == Progress(at=FIRST.name)
    assert file.finish(FIRST) == file.read() == Progress(done=(FIRST.name,), at=FIRST.name)
    file.finish(FIRST)
    assert file.finish(THIRD).done == (FIRST.name, THIRD.name)
    assert [one.name for one in file.path.parent.iterdir()] == ["learn.json"]


def test_chapters_that_are_not_known_here_stay_done(tmp_path):
    file = ProgressFile(tmp_path / "learn.json")
    file.path.write_text('{"format": 1, "done": ["of-later"], "at": "of-later"}')
    assert next_chapter(file.read(), chapters()) is FIRST
    assert file.finish(FIRST).done == ("of-later", FIRST.name)


def test_the_path_goes_on_where_the_reader_left():
    every = chapters()
    assert next_chapter(Progress(), every) is FIRST
    assert next_chapter(Progress(at=SECOND.name), every) is SECOND
    assert next_chapter(Progress(done=(SECOND.name,), at=SECOND.name), every) is THIRD
    all_but_first = tuple(one.name for one in every[1:])
    assert next_chapter(Progress(done=all_but_first, at=every[-1].name), every) is FIRST
    assert next_chapter(Progress(done=(FIRST.name, *all_but_first)), every) is None


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"[]", b'{"format": 2}', b'{"done": [3]}', b'{"lessons": []}',
        b'{"format": 1, "done": ["whole"', b"[" * 70_000,
    ],
)  # fmt: skip
def test_a_file_of_something_else_is_told_and_left_as_it_is(tmp_path, content):
    file = ProgressFile(tmp_path / "learn.json")
    file.path.write_bytes(content)
    for act in (file.read, lambda: file.begin(FIRST), lambda: file.finish(FIRST)):
        with pytest.raises(InputError, match=r"Nothing was changed\. Move the file elsewhere"):
            act()
    assert file.path.read_bytes() == content


def test_a_folder_in_its_place_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        ProgressFile(tmp_path).read()


def test_a_disk_that_refuses_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="A part of the path is a file"):
        ProgressFile(tmp_path / "file" / "folder" / "learn.json").begin(FIRST)
