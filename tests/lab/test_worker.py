"""The worker: what the page asks for, done with the engine of every other door."""

import threading
from dataclasses import replace
from multiprocessing import Pipe

import msgspec
import numpy as np
import pytest

import downslope as ds
from downslope.lab.messages import unpacked
from downslope.lab.worker import Worker

SETUP = {"network": "dense 4 tanh, dense 2", "epochs": 3, "learning_rate": 0.05}


class Desk:
    """The page's end of a worker that runs in a thread."""

    def __init__(self, source):
        self.connection, theirs = Pipe()
        self.thread = threading.Thread(target=Worker(theirs, source).serve, daemon=True)
        self.thread.start()
        self.losses = np.empty(0)
        self.notices = []

    def ask(self, **command):
        self.connection.send_bytes(msgspec.json.encode(command))

    def until(self, kind, condition=lambda header: True):
        """The next message of a kind that is as asked; frames are asked for on the way."""
        self.ask(do="ready")
        while True:
            assert self.connection.poll(60), "the worker is silent"
            header, arrays = unpacked(self.connection.recv_bytes())
            name = type(header).__name__
            if name == "Notice" and header.level == "error":
                self.notices.append(header.text)
                if kind == "Error":
                    return header, arrays
            if name == "Scene":
                self.losses = np.empty(0)
            if name == "Frame":
                if "losses" in arrays:
                    self.losses = np.append(self.losses[: header.losses_from], arrays["losses"])
                self.ask(do="ready")
            if name == kind and condition(header):
                return header, arrays

    def end(self):
        self.connection.close()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Desk("moons")
    made.until("Scene")
    made.ask(do="setup", **SETUP)
    made.until("Scene")
    yield made
    made.end()


def test_a_training_is_stepped_played_looked_back_at_and_branched_off(desk, tmp_path):
    desk.ask(do="play", steps=2)
    header, _ = desk.until("Frame", lambda one: one.state == "paused")
    assert header.step == header.at == 2
    desk.ask(do="play", epochs=1)
    header, _ = desk.until("Frame", lambda one: one.state == "paused" and one.step > 2)
    assert header.step == 18  # the end of the epoch
    desk.ask(do="play")
    header, arrays = desk.until("Frame", lambda one: one.state == "ended")
    run = ds.open_run(tmp_path / "runs" / "moons-1")
    assert header.step == run.outcome.step == 54
    assert np.array_equal(desk.losses, run.trace.batch_loss.astype(np.float32))
    for index, layer in enumerate(run.parameters):
        assert np.array_equal(arrays[f"weights.{index}"], layer["weights"])
    # it is the training that every other door makes, bit for bit
    whole = ds.train(SETUP["network"], "moons", epochs=3, learning_rate=0.05)
    assert np.array_equal(whole.trace.batch_loss, run.trace.batch_loss)

    desk.ask(do="goto", step=7)
    header, arrays = desk.until("Frame", lambda one: one.at == 7)
    assert header.step == 54
    then = ds.replay(run).parameters(7)
    assert np.array_equal(arrays["weights.0"], np.asarray(then[0]["weights"]))

    desk.ask(do="setup", **{**SETUP, "learning_rate": 0.5})
    header, _ = desk.until("Frame")
    assert header.at == 7  # what is looked at stays
    desk.ask(do="play", steps=1)
    header, _ = desk.until("Frame", lambda one: one.state == "paused" and one.step == 8)
    other = ds.open_run(tmp_path / "runs" / "moons-2")
    assert (other.parent.steps, other.outcome.step, other.settings.learning_rate) == (7, 8, 0.5)


def test_one_step_is_told_as_six_with_its_own_numbers(desk):
    desk.ask(do="play", steps=3)
    desk.until("Findings")
    desk.ask(do="walk")
    header, _ = desk.until("Told")
    assert header.step == 3
    assert [head[:1] for head, _ in header.parts] == list("123456")
    run = ds.open_run("runs/moons-1")
    traced = ds.insight.trace_step(run.with_data(), 3)
    assert header.title == traced.summary
    assert all(text for _, text in header.parts)


def test_the_surface_is_that_of_insight(desk):
    desk.ask(do="play", steps=20)
    desk.until("Findings")
    desk.ask(do="draw", points=5)
    header, arrays = desk.until("Relief")
    found = ds.insight.surface(ds.open_run("runs/moons-1"), points=5)
    assert header.text == found.summary
    assert np.array_equal(arrays["heights"], found.train_loss.astype(np.float32))
    assert np.allclose(arrays["path"][:, 3], found.walked.train_loss)
    assert arrays["path"][-1, 0] == 20


def test_what_cannot_be_used_is_told_and_all_stays_as_it_was(desk):
    for wrong in (
        {"network": "dense 4 tanh, dense 9"}, {"network": "dens 4"}, {"learning_rate": -1.0},
        {"optimizer": "adma"}, {"epochs": 0}, {"batch_size": 10**9},
    ):  # fmt: skip
        desk.ask(do="setup", **{**SETUP, **wrong})
        header, _ = desk.until("Error")
        assert "Expected" in header.text
    for command in ({"do": "walk"}, {"do": "diagnose"}, {"do": "test"}):
        desk.ask(**command)
        assert "Nothing has been trained yet." in desk.until("Error")[0].text
    desk.ask(do="play", steps=1)
    header, _ = desk.until("Frame", lambda one: one.step == 1)
    assert header.at == 1


def test_a_table_is_chosen_and_its_column(desk, tmp_path):
    rows = ["size,colour,price"]
    rows += [f"{index},{'red' if index % 3 else 'blue'},{2 * index + 5}" for index in range(60)]
    (tmp_path / "things.csv").write_text("\n".join(rows))
    desk.ask(do="choose", data=str(tmp_path / "things.csv"))
    assert "target" in desk.until("Error")[0].text
    desk.ask(do="choose", data=str(tmp_path / "things.csv"), target="price")
    header, arrays = desk.until("Scene")
    assert (header.task, header.targets) == ("regression", ("price",))
    layer = next(at for at, one in enumerate(header.layers, 1) if one.text.startswith("dense"))
    desk.ask(do="look", layer=layer, unit=0, weight="1", sample=3)
    told, _ = desk.until("Looked")  # the columns as the network takes them
    assert (told.layer, told.sample, told.weight) == (layer, 3, "weights[1,0]")
    _, arrays = desk.until("Frame")
    assert arrays["pairs"].shape == (2, header.sizes["validation"])


def test_a_run_is_opened_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = ds.train(
        "dense 4 tanh, dense 1", "waves", epochs=2, folder="runs/mine", loss="huber",
        optimizer=ds.Optimizer("momentum", momentum=0.8), schedule=ds.Schedule("step"),
        learning_rate=0.01, batch_size=32, stop=ds.Stop(keep="best"),
    )  # fmt: skip
    desk = Desk("runs/mine")
    header, _ = desk.until("Scene")
    assert header.folder == str(tmp_path / "runs" / "mine")
    metrics = header.metrics
    header, arrays = desk.until("Frame")
    assert (header.state, header.step) == ("ended", run.outcome.step)
    assert np.array_equal(arrays["weights.0"], run.parameters[0]["weights"])
    named = dict(zip(("step", *metrics), arrays["rows"].T, strict=True))  # in the scene's order
    for name, column in named.items():
        assert np.array_equal(column, run.trace.epochs[name].astype(np.float32)), name
    # what the page does not know of a run stays as it is
    page = {
        "network": "dense 4 tanh, dense 1", "optimizer": "momentum", "learning_rate": 0.01,
        "schedule": "step", "batch_size": 32, "epochs": 3, "weight_decay": 0.0, "seed": 0,
    }  # fmt: skip
    desk.ask(do="setup", **page)
    header, _ = desk.until("Frame", lambda one: one.branches)
    desk.ask(do="play")
    desk.until("Frame", lambda one: one.state == "ended" and one.step > header.step)
    other = ds.open_run("runs/waves-1")
    assert other.parent.steps == run.outcome.step
    assert other.settings == replace(run.settings, epochs=3)
    desk.end()


def test_a_page_that_asks_for_nothing_gets_no_frame(desk):
    desk.until("Frame")
    desk.ask(do="play")
    kinds = []
    while "Findings" not in kinds:
        assert desk.connection.poll(60)
        kinds.append(type(unpacked(desk.connection.recv_bytes())[0]).__name__)
    assert kinds.count("Frame") <= 1  # the one that was asked for before


def test_the_plane_is_what_the_network_predicts(desk):
    desk.ask(do="play", steps=5)
    _, arrays = desk.until("Frame", lambda one: one.step == 5)
    run = ds.open_run("runs/moons-1")
    dataset = run.with_data().dataset
    points = np.asarray(dataset.train.inputs, np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.15 * (high - low)
    across = np.linspace(low[0] - margin[0], high[0] + margin[0], 40)
    down = np.linspace(high[1] + margin[1], low[1] - margin[1], 40)
    grid = np.array([(x, y) for y in down for x in across])
    expected = run.probabilities(grid).T
    assert np.allclose(arrays["predicted"], expected, atol=1e-5)
    table = arrays["confusion"]
    truth = dataset.validation.targets
    chosen = run.predict(dataset.validation.inputs)
    assert table[0, 1] == ((truth == 0) & (chosen == 1)).sum()
