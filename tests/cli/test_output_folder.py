"""What is written beside a run stays in its folder."""

import pytest

import downslope as ds
from downslope.storage.files import make_output_folder


@pytest.mark.parametrize("mark", ["run.json", "manifest.json", "options.json", "checkpoints"])
@pytest.mark.parametrize("name", ["pictures", "export"])
def test_a_link_in_a_runs_folder_is_not_followed(tmp_path, mark, name):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run = tmp_path / "run"
    run.mkdir()
    (run / mark).mkdir()
    (run / name).symlink_to(elsewhere)
    with pytest.raises(ds.StorageError) as caught:
        make_output_folder(run / name)
    assert str(caught.value) == (
        f"{run}/{name} is a link, which may lead anywhere. Expected a folder. Remove the link."
    )
    assert list(elsewhere.iterdir()) == []


def test_a_link_of_the_users_own_is(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "figures").symlink_to(tmp_path / "elsewhere")
    make_output_folder(tmp_path / "figures")
    make_output_folder(tmp_path / "figures" / "new")
    assert (tmp_path / "elsewhere" / "new").is_dir()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pictures", ("layers", "RUN", "--points", 2)),
        ("export", ("export", "RUN", "--to", "numpy")),
        pytest.param(
            "tensorboard",
            ("resume", "RUN", "--epochs", 4, "--no-pictures"),
            marks=pytest.mark.peers,
        ),
    ],
)
def test_commands_that_draw_and_export_follow_none(name, words, call, own_run, tmp_path):
    if name == "tensorboard":
        pytest.importorskip("tensorboardX")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (own_run / name).symlink_to(elsewhere)
    result = call(*(own_run if word == "RUN" else word for word in words))
    assert result.exit_code == 2
    assert f"{name} is a link, which may lead anywhere" in result.stderr
    assert list(elsewhere.iterdir()) == []
