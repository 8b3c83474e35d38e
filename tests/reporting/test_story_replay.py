"""What the report finds by going through the training once more, and where it cannot."""

from dataclasses import replace

import pytest

import downslope as ds
from downslope.insight import generalization, surface
from downslope.reporting import story_replay
from downslope.reporting.material import LEFT_OUT, Material
from downslope.reporting.pieces import Picture, Words
from downslope.reporting.story_replay import the_gap, the_layers, the_surface
from tests.plain import PLAIN


def told(pieces):
    """What is said, and the names of the pictures."""
    pieces = list(pieces)
    return (
        [one.text for one in pieces if isinstance(one, Words)],
        [one.name for one in pieces if isinstance(one, Picture)],
    )


@pytest.fixture(scope="module")
def material(waves_run):
    return Material(waves_run)


def test_one_walk_comes_by_all_states_and_the_others_find_them(waves_run):
    said = []
    material = Material(replace(waves_run), on_progress=lambda *so_far: said.append(so_far))
    assert material.unseen == ""
    steps = waves_run.outcome.step
    assert said[-1] == (steps, steps)
    assert [done for done, _ in said] == sorted(done for done, _ in said)
    said.clear()
    list(the_layers(material))
    generalization(material.run, on_progress=material.on_progress)
    assert said == []  # nothing was walked again


def test_the_gap_in_the_words_of_the_command(material, waves_run):
    text = generalization(waves_run).summary.replace("\n", " ")
    assert told(the_gap(material)) == ([text], ["generalization"])


def test_the_surface_in_the_words_of_the_command(material, waves_run):
    (text,), names = told(the_surface(material))
    assert text.endswith(surface(waves_run).summary) and names == ["surface"]


def test_layers_and_filters_where_there_are_images(material, crowd_run, digits_run):
    assert told(the_layers(material)) == ([], ["layers"])
    assert told(the_layers(Material(crowd_run))) == ([], ["layers"])  # its patches are pixels
    assert told(the_layers(Material(digits_run))) == ([], ["layers", "filters"])


def test_a_surface_of_a_large_network_is_coarser_or_left_out(waves_run, monkeypatch):
    asked = {}

    def note(run, **settings):
        asked.update(settings)
        return surface(run, **settings)

    monkeypatch.setattr(story_replay, "surface", note)
    # 8 weights in and 8 out, for each of the points and samples
    each = 16 * 25**2 * (512 + len(waves_run.dataset.validation))
    monkeypatch.setattr(story_replay, "MOST_SURVEYED", each)
    assert told(the_surface(Material(waves_run)))[1] == ["surface"]
    assert (asked["points"], asked["most_samples"]) == (25, 512)
    monkeypatch.setattr(story_replay, "MOST_SURVEYED", each - 1)
    assert told(the_surface(Material(waves_run))) == (
        [
            "The loss surface is left out, because computing it for so large a network takes long. "
            "The command surface shows it."
        ],
        [],
    )


def test_a_path_that_does_not_turn(waves_run):
    run = ds.train(waves_run.network, waves_run.dataset, options=PLAIN, batch_size="full", epochs=1)
    text = "The loss surface cannot be shown: The path lies on a straight line, which spans no "
    assert told(the_surface(Material(run))) == ([f"{text}plane."], [])


def left_out(run):
    material = Material(run)
    (text,), names = told([*the_gap(material), *the_layers(material), *the_surface(material)])
    assert names == [] and text.startswith(LEFT_OUT)
    return text.removeprefix(LEFT_OUT)


def test_what_cannot_be_gone_through_once_more_is_said_once(waves_run):
    more = ds.train(
        waves_run.network,
        waves_run.dataset,
        options=PLAIN,
        learning_rate=0.02,
        epochs=1,
        start=waves_run,
    )
    assert left_out(more) == (
        " the run went on from another one, whose weights are not part of it."
    )
    losses = waves_run.trace.steps["batch_loss"].copy()
    losses[1] *= 2
    steps = {**waves_run.trace.steps, "batch_loss": losses}
    other = replace(waves_run, trace=replace(waves_run.trace, steps=steps))
    assert left_out(other).startswith(" at step 2 the replayed training has the batch loss")
    long = replace(waves_run, seconds=replace(waves_run.seconds, training=75.4))
    assert left_out(long) == (
        " they require repeating the training, which took 75 s. The commands "
        "generalization, layers and surface show them."
    )
