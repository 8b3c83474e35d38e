"""What lies in the cache is the user's own, or is not run."""

import os
import stat

import pytest

from downslope.storage import cache
from downslope.storage.cache import Sealed, is_own, secret

KEY = bytes(range(32))
posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="the system has no such owners")


@pytest.fixture
def sealed(tmp_path):
    return Sealed(tmp_path, KEY)


def entry(folder, name="one"):
    return folder / f"{name}.program"


def test_an_entry_comes_back_as_it_was_put(sealed, tmp_path):
    assert sealed.get("one") is None
    sealed.put("one", b"machine code")
    assert Sealed(tmp_path, KEY).get("one") == b"machine code"
    sealed.put("one", b"")
    assert sealed.get("one") == b""
    assert [path.name for path in tmp_path.iterdir()] == ["one.program"]


def test_an_entry_under_the_name_of_another_never_runs(sealed, tmp_path):
    sealed.put("one", b"the first")
    sealed.put("two", b"the second")
    entry(tmp_path, "two").replace(entry(tmp_path))
    assert sealed.get("one") is None


@pytest.mark.parametrize("index", [0, 31, 32, -1])
def test_an_entry_with_one_other_bit_never_runs(sealed, tmp_path, index):
    sealed.put("one", b"machine code")
    content = bytearray(entry(tmp_path).read_bytes())
    content[index] ^= 1
    entry(tmp_path).write_bytes(content)
    assert sealed.get("one") is None


@pytest.mark.parametrize("content", [b"", b"short", bytes(32), bytes(32) + b"code"])
def test_what_was_planted_never_runs(sealed, tmp_path, content):
    entry(tmp_path).write_bytes(content)
    assert sealed.get("one") is None


def test_a_mark_made_without_the_secret_is_none(sealed, tmp_path):
    Sealed(tmp_path, bytes(32)).put("one", b"planted by one who knows the form")
    assert sealed.get("one") is None


def test_a_link_and_a_path_are_no_entries(sealed, tmp_path):
    sealed.put("one", b"machine code")
    entry(tmp_path, "two").symlink_to(entry(tmp_path))
    assert sealed.get("two") is None
    assert sealed.get("../one") is None
    with pytest.raises(ValueError, match=r"\.\./one"):
        sealed.put("../one", b"")


@posix
def test_a_folder_is_ones_own_only_all_the_way_down(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True, mode=0o700)
    (tmp_path / "a").chmod(0o755)
    assert is_own(inner)
    for part, mode in ((inner, 0o777), (inner, 0o770), (tmp_path / "a", 0o757)):
        before = stat.S_IMODE(part.stat().st_mode)
        part.chmod(mode)
        assert not is_own(inner)
        part.chmod(before)
    (tmp_path / "a").chmod(0o1777)  # as /tmp, but of a user
    assert is_own(inner) == (os.getuid() == 0)
    (tmp_path / "a").chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert is_own(tmp_path / "link" / "b")  # where it leads is what counts
    (tmp_path / "a").chmod(0o777)
    assert not is_own(tmp_path / "link" / "b")


@posix
def test_a_folder_that_others_may_write_is_no_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.SETTING, str(tmp_path / "cache"))
    folder = cache.cache_folder()
    assert folder is not None
    for part in (folder, folder.parent, tmp_path / "cache"):
        part.chmod(0o777)
        assert cache.cache_folder() is None
        part.chmod(0o700)
    assert cache.cache_folder() == folder


@posix
def test_the_secret_is_made_once_and_is_ones_own(tmp_path, monkeypatch):
    monkeypatch.setattr(cache.platformdirs, "user_data_path", lambda name: tmp_path / name)
    key = secret()
    assert key is not None
    assert len(key) == 32 and secret() == key
    path = tmp_path / "downslope" / "cache-key"
    assert [one.name for one in path.parent.iterdir()] == ["cache-key"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert secret() is None
    path.chmod(0o600)
    path.write_bytes(b"short")
    assert secret() is None
