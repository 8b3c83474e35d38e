"""In what two trainings are unlike, in the words of the command line."""

import dataclasses

import pytest

import downslope as ds
from downslope.engine.settings import Settings
from downslope.insight.differing_settings import (
    Change,
    Difference,
    DifferingPhase,
    changes_of,
    data_differences,
    differing_phases,
    in_force,
    is_same_folder,
    network_differences,
    setting_differences,
    version_differences,
)
from downslope.nn.notation import parse
from downslope.runs.run_folder import Phase
from tests.plain import PLAIN
from tests.runs import by_hand

USUAL = Settings("cross_entropy")


@pytest.fixture(scope="module")
def run():
    return ds.train(
        parse("dense 3"), by_hand.classes_data(), options=PLAIN, epochs=2, batch_size=25
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"learning_rate": 0.01}, ["learning rate: 0.1 and 0.01"]),
        ({"batch_size": "full", "epochs": 5}, ["batch size: 32 and full", "epochs: 20 and 5"]),
        (
            {"optimizer": ds.Optimizer("momentum", weight_decay=1e-05, clip_norm=1.0)},
            [
                "optimizer: sgd and momentum",
                "weight decay: 0.0 and 1e-05",
                "clip norm: none and 1.0",
            ],
        ),
        ({"optimizer": ds.Optimizer("sgd")}, []),
        ({"optimizer": ds.Optimizer("adam")}, ["optimizer: sgd and adam"]),
        (
            {"optimizer": ds.Optimizer("adam", b1=0.95)},
            ["optimizer: sgd and adam", "b1: none and 0.95"],
        ),
        (
            {"schedule": ds.Schedule("cosine", 0.1)},
            ["schedule: constant and cosine", "warm-up: 0.0 and 0.1"],
        ),
        ({"class_weights": (1.0, 2.5)}, ["class weights: none and 1,2.5"]),
        (
            {"augment": ds.Augment(flip=True, crop=0.8, shift=0.1)},
            ["changes to images: none and flip,shift=0.1,crop=0.8"],
        ),
        (
            {"stop": ds.Stop(0.5, 4, 0.01)},
            ["target loss: none and 0.5", "patience: none and 4", "tolerance: 0.0 and 0.01"],
        ),
        (
            {"record": ds.Record(64, 2)},
            [
                "measured samples: 2048 and 64",
                "epochs between measurements: as seldom as needed and 2",
            ],
        ),
        ({"seed": 7, "loss": "hinge"}, ["loss: cross_entropy and hinge", "seed: 0 and 7"]),
    ],
)
def test_settings_are_told_as_a_user_writes_them(changes, said):
    found = setting_differences(USUAL, dataclasses.replace(USUAL, **changes))
    assert [str(one) for one in found] == said


def test_every_setting_is_looked_at():
    other = {
        "loss": "hinge",
        "optimizer": ds.Optimizer("adam"),
        "learning_rate": 0.5,
        "schedule": ds.Schedule("step"),
        "batch_size": 2,
        "epochs": 3,
        "seed": 4,
        "shuffle": False,
        "class_weights": (1.0,),
        "label_smoothing": 0.1,
        "smooth_toward": "frequencies",
        "augment": ds.Augment(),
        "freeze": 1,
        "record": ds.Record(5),
        "stop": ds.Stop(patience=6),
    }
    assert set(other) == {one.name for one in dataclasses.fields(Settings)}
    for name, value in other.items():
        assert len(setting_differences(USUAL, dataclasses.replace(USUAL, **{name: value}))) == 1


def test_data_is_unlike_only_if_its_numbers_are(run):
    card = run.data
    assert data_differences(card, dataclasses.replace(card, name="elsewhere", source="x.csv")) == ()
    other = dataclasses.replace(
        card, name="others", fingerprint="f" * 64, samples={**card.samples, "train": 1200}
    )
    assert [str(one) for one in data_differences(card, other)] == [
        "data: points and others",
        "training samples: 50 and 1,200",
        f"fingerprint of the data: {card.fingerprint[:12]} and ffffffffffff",
    ]


def test_networks_and_versions(run):
    model = dataclasses.replace(run.model, network=parse("dense 2, dense 3"))
    other = dataclasses.replace(run, model=model)
    assert [str(one) for one in network_differences(run, other)] == [
        'network: "dense 3" and "dense 2, dense 3"'
    ]
    assert network_differences(run, run) == ()
    found = version_differences(
        {"jax": "1", "numpy": "2"}, {"jax": "1", "numpy": "3", "native": "no"}
    )
    assert found == (Difference("numpy", "2", "3"), Difference("native", "unknown", "no"))


def test_what_holds_at_a_step_is_that_of_its_phase(run):
    first = dataclasses.replace(run.settings, learning_rate=0.5)
    second = dataclasses.replace(run.settings, learning_rate=0.2)
    phases = (Phase(3, first, {"jax": "0"}), Phase(5, second, dict(run.versions)))
    later = dataclasses.replace(run, phases=phases)
    rates = [in_force(later, step)[0].learning_rate for step in range(1, 8)]
    assert rates == [0.5, 0.5, 0.5, 0.2, 0.2, 0.1, 0.1]
    assert in_force(later, 3)[1] == {"jax": "0"}
    assert in_force(later, 4)[1] == run.versions
    found = differing_phases(later, run, 8)
    assert [one.first for one in found] == [1, 4, 6]
    assert found[1:] == (
        DifferingPhase(4, (Difference("learning rate", "0.2", "0.1"),), ()),
        DifferingPhase(6, (), ()),
    )
    assert [one.first for one in differing_phases(later, run, 4)] == [1, 4]
    assert differing_phases(run, run, 0) == (DifferingPhase(1, (), ()),)
    assert changes_of(run) == ()
    changes = changes_of(later)
    assert [one.step for one in changes] == [3, 5]
    assert changes[0].changed[0] == Difference("learning rate", "0.5", "0.2")
    assert changes[1] == Change(5, (Difference("learning rate", "0.2", "0.1"),))


def test_folders_are_the_same_wherever_they_are_called_from(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    assert is_same_folder(tmp_path / "run", str(tmp_path / "link"))
    assert not is_same_folder(tmp_path / "run", tmp_path / "other")
    assert not is_same_folder(None, tmp_path)
    assert not is_same_folder("", "")
