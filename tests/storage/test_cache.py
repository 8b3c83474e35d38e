"""Where compiled programs are kept, and that nothing of it ever fails."""

import os
from pathlib import Path

import pytest

from downslope.storage import cache


@pytest.mark.parametrize("word", ["off", "OFF", " off "])
def test_one_setting_turns_it_off(word, monkeypatch):
    monkeypatch.setenv(cache.SETTING, word)
    assert cache.cache_folder() is None


def test_the_setting_moves_it(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.SETTING, str(tmp_path / "here"))
    folder = cache.cache_folder()
    assert folder == tmp_path / "here" / "programs" / cache.machine()
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0 or os.name == "nt"  # nobody else may write


def test_without_the_setting_it_is_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.delenv(cache.SETTING, raising=False)
    monkeypatch.setattr(cache.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    assert cache.cache_folder() == tmp_path / "downslope" / "programs" / cache.machine()


def test_a_place_that_cannot_be_used_means_no_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for index in (tmp_path / "file", tmp_path / "file" / "below", "/proc/nothing", "a\0b"):
        monkeypatch.setenv(cache.SETTING, str(index)) if "\0" not in str(index) else None
        assert cache.cache_folder() is None


def test_a_full_disk_means_no_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.SETTING, str(tmp_path))
    monkeypatch.setattr(cache, "LEAST_FREE", 1 << 60)
    assert cache.cache_folder() is None


def test_no_home_means_no_cache(monkeypatch):
    def refuse(name):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(cache.SETTING, raising=False)
    monkeypatch.setattr(cache.platformdirs, "user_cache_path", refuse)
    assert cache.cache_folder() is None


def test_the_oldest_go_first_and_some_room_is_left(tmp_path):
    paths = [tmp_path / "one" / f"{age}" for age in range(8)]
    paths[0].parent.mkdir()
    for age, path in enumerate(paths):
        path.write_bytes(bytes(100))
        os.utime(path, (age, age))
    cache.trim(tmp_path, 800)
    assert len(list(tmp_path.rglob("?"))) == 8  # all fit
    cache.trim(tmp_path, 799)
    assert sorted(int(path.name) for path in tmp_path.rglob("?")) == [3, 4, 5, 6, 7]


def test_what_another_process_removes_meanwhile_is_no_matter(tmp_path, monkeypatch):
    (tmp_path / "gone").write_bytes(bytes(10))
    monkeypatch.setattr(Path, "unlink", lambda self: (_ for _ in ()).throw(FileNotFoundError()))
    cache.trim(tmp_path, 1)


def test_the_name_of_a_machine_is_short_and_stays():
    assert cache.machine() == cache.machine()
    assert len(cache.machine()) == 16
