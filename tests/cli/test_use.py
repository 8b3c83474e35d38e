"""Using a run: test, predict, count."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import downslope as ds
from tests.cli.conftest import documented
from tests.cli.folders import photo, shanghaitech


def test_test_measures_the_test_part(call, xor_run):
    run = ds.open_run(xor_run).with_data()
    before, test = run.test_evaluations, run.dataset.test
    made = json.loads(call("test", xor_run, "--json").stdout)
    assert set(made) <= documented("test")
    assert made == {
        "run": str(xor_run),
        "data": {"name": "xor", "samples": 160},
        "test": run.test(),
        "baseline": run.baseline(),
        "linear": made["linear"],  # held to scikit-learn in tests/runs/test_linear.py
        "test_interval": {name: list(pair) for name, pair in run.intervals(test).items()},
        "test_interval_note": "",
        "baseline_note": made["baseline_note"],  # see tests/cli/test_few.py
        "classes": run.class_metrics(test).plain(),
        "targets": None,
        "targets_note": "",
        "test_evaluations": before + 1,
        "opened_now": True,
        "part": "its test part",
        "is_generated": True,
        "findings": [],
        "notes": [],
        "summary": made["summary"],
        "pictures": [],
    }
    assert made["summary"].startswith("Accuracy: ")
    text = call("test", xor_run).stdout
    assert "160 samples of xor: its test part." in text
    assert (
        f"You have seen the test score {before + 3} times. If you changed anything because of it, "
        f"it is too optimistic. Check on new data: downslope test {xor_run} --data NEW"
    ) in text
    assert "the most frequent class: 54.4 %." in text


def test_python_gives_what_the_commands_print(call, xor_run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    seen = "You have seen the test score"
    run = ds.open_run(xor_run)
    printed = call("test", xor_run).stdout.rstrip().split("\n")
    found = ds.evaluate(run)
    told = str(found).split("\n")
    assert [one for one in told if seen not in one] == [one for one in printed if seen not in one]
    assert "<th" in found._repr_html_()
    points = np.array([[0.5, 0.5], [-0.5, 0.5], [0.5, -0.5]])
    np.savetxt("points.csv", points, delimiter=",")
    names = [("points.csv", row) for row in (1, 2, 3)]
    predicted = ds.predictions(run, points, names=names)
    assert call("predict", xor_run, "points.csv").stdout == f"{predicted}\n"
    assert call("predict", xor_run, "points.csv", "--csv").stdout == predicted.to_csv()
    made = json.loads(call("predict", xor_run, "points.csv", "--json").stdout)
    assert made["predictions"] == predicted.to_dict()["predictions"]


def test_a_run_is_evaluated_on_other_samples_in_memory(xor_run):
    run = ds.open_run(xor_run).with_data()
    test, before = run.dataset.test, run.test_evaluations
    alone = ds.Samples(test.inputs, test.targets)
    names = [run.data.class_names[index] for index in test.targets]
    for given in ((test.inputs, test.targets), (test.inputs, names), alone):
        found = ds.evaluate(run, given)
        assert (found.test, found.opened_now) == (run.measure(alone), False)
        assert found.baseline == run.measure_baseline(alone)
    assert run.test_evaluations == before
    assert ds.evaluate(run, test).opened_now
    assert run.test_evaluations == before + 1
    with pytest.raises(ds.DataError, match="The targets have the class 'neither'"):
        ds.evaluate(run, (test.inputs, ["neither"] * len(test)))


def test_a_description_is_what_train_prints(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    rows = "".join(f"{i},{i % 3},{'yes' if i % 2 else 'no'}\n" for i in range(60))
    Path("a.csv").write_text("x,x,y\n".replace("x,x", "row,z") + rows)
    printed = call("train", "a.csv", "--target", "y", "--epochs", 1, "--no-pictures").stdout
    found = ds.describe(ds.load("a.csv", target="y"))
    assert printed.startswith(f"{found}\n")
    assert found.rows == {"read": 60, "used": 60, "left_out": {}}
    assert found.to_dict()["columns"][0]["name"] == "row"


def test_the_data_it_was_trained_on_is_told_apart(call, xor_run, crowd_run, crowd_folder):
    text = call("test", xor_run, "--data", "xor").stdout
    assert "160 samples of xor: the data it was trained on, so only the test part was used." in text
    copy = crowd_folder.with_name("copy")
    copy.symlink_to(crowd_folder)
    text = call("test", crowd_run, "--data", copy).stdout
    assert "4 samples of copy: the data it was trained on, so only the test part was used." in text


def images(folder, size, names=("dark", "light"), mode="L", brighter=0):
    for name in names:
        for index in range(12):
            path = folder / name / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", size, brighter + {"dark": 40}.get(name, 200) + index).convert(mode).save(
                path
            )
    return folder


def test_images_of_another_size_are_brought_to_the_runs(call, tmp_path):
    network = ("--network", "flatten, dense 2", "--no-pictures", "--learning-rate", "0.01")
    made = call("train", images(tmp_path / "a", (12, 8)), *network, "--out", "r")
    assert made.exit_code == 0, made.output
    other = images(tmp_path / "b", (30, 44), mode="RGB", brighter=20)
    told = json.loads(call("test", "r", "--data", other, "--json").stdout)
    assert (told["data"]["samples"], told["test"]["accuracy"]) == (24, 1.0)
    dark = images(tmp_path / "c", (30, 44), ("dark",))
    told = json.loads(call("test", "r", "--data", dark, "--json").stdout)
    assert (told["data"]["samples"], told["test"]["accuracy"]) == (12, 1.0)
    result = call("test", "r", "--data", images(tmp_path / "d", (30, 44), ("dark", "grey")))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        f"Error: The folder {tmp_path}/d has the class 'grey'. Expected the classes of the "
        "training: dark, light. Rename it, or add training images of it."
    )


def test_image_files_are_as_bright_as_the_arrays_of_the_training(call, tmp_path):
    levels = np.repeat([40, 200], 20)[:, None, None, None] + np.zeros((1, 8, 12, 1))
    levels += np.arange(40)[:, None, None, None] % 20
    np.savez(
        tmp_path / "a.npz", X=(levels / 255).astype(np.float32), y=np.repeat(["dark", "light"], 20)
    )
    network = ("--network", "flatten, dense 2", "--no-pictures", "--learning-rate", "0.01")
    assert call("train", "a.npz", *network, "--out", "r").exit_code == 0
    told = json.loads(call("test", "r", "--data", images(tmp_path / "b", (12, 8)), "--json").stdout)
    assert told["test"]["accuracy"] == 1.0


def test_a_table_from_raw_columns_to_answers(call, tmp_path):
    rng = np.random.default_rng(0)
    size, town = rng.uniform(0, 9, 120), rng.choice(["Bern", "Rome"], 120)
    sizes = zip(size, town, strict=True)
    rows = [f"{one:.2f},{index},{'big' if one > 5 else 'small'}" for one, index in sizes]
    Path("a.csv").write_text("size,town,is\n" + "\n".join(rows) + "\n")
    words = ("--target", "is", "--epochs", 40, "--no-pictures", "--out", "r")
    result = call("train", "a.csv", *words)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["column", "type", "values", "missing", "inputs"]
    assert lines[2].split() == ["town", "category", "2", "2"]
    assert lines[3].split() == ["is", "target", "2"]
    Path("ask.csv").write_text("town,size\nRome,1\nOslo,8.5\n,\n")
    predictions = predict(call, "r", "ask.csv")
    assert [one["class"] for one in predictions[:2]] == ["small", "big"]
    Path("odd.csv").write_text("town,size\nRome,1\nOslo,<0.1\n")  # among others and alone
    alone = Path("alone.csv")
    alone.write_text("town,size\nOslo,<0.1\n")
    assert predict(call, "r", alone)[0]["class"] == predict(call, "r", "odd.csv")[1]["class"]
    assert "has no number in any row" in " ".join(call("predict", "r", alone).stderr.split())
    Path("less.csv").write_text("town\nRome\n")
    assert "The table has no column 'size'." in call("predict", "r", "less.csv").stderr
    lines = call("predict", "r", "ask.csv", "--csv").stdout.splitlines()
    assert lines[0] == "prediction,probability big,probability small,standard deviation"
    assert [line.partition(",")[0] for line in lines[1:3]] == ["small", "big"]
    assert call("predict", "r", "ask.csv", "--out", "b.csv").stdout == ""
    assert Path("b.csv").read_text().splitlines() == lines
    assert "b.csv is there already." in call("predict", "r", "ask.csv", "--out", "b.csv").stderr
    Path("b.csv").unlink()
    text = call("test", "r", "--data", "a.csv").stdout
    assert "so only the test part was used." in text
    Path("b.csv").write_text("town,size,is\n" + "Rome,1,small\nBern,8,big\n" * 10)
    made = json.loads(call("test", "r", "--data", "b.csv", "--json").stdout)
    assert made["data"]["samples"] == 20
    assert made["test"]["accuracy"] == 1.0


def test_a_class_that_spreadsheets_would_run_is_written_as_a_text(call, tmp_path):
    names = ["=cmd|' /C calc'!A0", "-1", "@SUM(1)", "+1-2", "-"]
    rows = "".join(f'{index % 5},"{names[index % 5]}"\n' for index in range(100))
    Path("a.csv").write_text("x,y\n" + rows)
    words = ("--target", "y", "--epochs", 60, "--learning-rate", 0.05, "--no-pictures")
    assert call("train", "a.csv", *words, "--task", "classification", "--out", "r").exit_code == 0
    Path("ask.csv").write_text("x\n0\n1\n2\n3\n4\n")
    rows = list(csv.reader(call("predict", "r", "ask.csv", "--csv").stdout.splitlines()))
    assert [row[0] for row in rows[1:]] == [f"'{names[0]}", "-1", "'@SUM(1)", "'+1-2", "-"]
    assert [one["class"] for one in predict(call, "r", "ask.csv")] == names


def test_answers_in_a_pipe(call, tmp_path):
    rows = "".join(f"{index % 7},{3 * (index % 7) + 0.5}\n" for index in range(60))
    Path("a.csv").write_text("x,y\n" + rows)
    words = ("--target", "y", "--epochs", 2, "--no-pictures", "--out", "r")
    assert call("train", "a.csv", *words).exit_code == 0
    done = subprocess.run(
        [sys.executable, "-c", START, "predict", "r", "-", "--csv"],
        input=b"x\n3\n4\n",
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().splitlines()[0] == "prediction,standard deviation"
    assert len(done.stdout.decode().splitlines()) == 3


def test_other_data_is_used_whole(call, crowd_run, tmp_path):
    other = shanghaitech(tmp_path / "other", 7)
    made = json.loads(call("test", crowd_run, "--data", other, "--json").stdout)
    assert made["data"] == {"name": "other", "samples": 7}
    assert made["opened_now"] is False and made["findings"] == []
    assert set(made["test"]) == set(made["baseline"]) == {"loss", "mae", "rmse"}
    text = call("test", crowd_run, "--data", other).stdout
    assert "7 samples of other: all its samples." in text
    assert " people (no 95 % interval: fewer than 10 samples are too few " in text
    assert made["test_interval"] is None
    why = "fewer than 10 samples are too few for an interval"
    assert made["test_interval_note"] == why
    assert ". Always predicting the training median: " in text


START = "from downslope.cli.main import main; main()"
TABLE = np.array([[0.5, 0.5], [-0.5, 0.5]], np.float32)


def predict(call, *words):
    result = call("predict", *words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found) == {"predictions", "summary", "pictures"} <= documented("predict")
    return found["predictions"]


def test_tables_of_every_kind_give_the_same_answers(call, xor_run):
    np.save("a.npy", TABLE)
    np.savez("a.npz", TABLE)
    np.savez("b.npz", inputs=TABLE, targets=[0, 1])
    Path("a.csv").write_text("0.5,0.5\n-0.5,0.5\n")
    Path("named.csv").write_text("y,x,class\n0.5,0.5,0\n0.5,-0.5,1\n")  # chosen by their names
    run = ds.open_run(xor_run)
    names = [run.data.class_names[one] for one in run.predict(TABLE)]
    fractions = run.probabilities(TABLE)
    for path in ("a.npy", "a.npz", "b.npz", "a.csv", "named.csv"):
        assert predict(call, xor_run, path) == [
            {
                "input": path,
                "row": row,
                "class": name,
                "probability": pytest.approx(float(fraction.max())),
            }
            for row, name, fraction in zip((1, 2), names, fractions, strict=True)
        ]
    lines = call("predict", xor_run, "a.csv").stdout.splitlines()
    assert lines[0].split() == ["input", "row", "class", "probability"]
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.csv has no rows."),
        ("a,b\n1,2\n3,x\n", "Line 3 of x.csv has the value 'x'."),
        ("1,2\n3\n", "Line 2 of x.csv has 1 value."),
        ("1,2\n3,\n", "Line 2 of x.csv has the value ''."),
        ("1,2\n3,nan\n", "Row 2 of x.csv has a value that is not a finite number."),
    ],
)
def test_tables_with_mistakes(refused, xor_run, text, message):
    Path("x.csv").write_text(text)
    assert refused("predict", xor_run, "x.csv").startswith(message)


def test_damaged_arrays(refused, xor_run):
    for name in ("x.npy", "x.npz"):
        Path(name).write_bytes(b"nothing of the kind")
        assert refused("predict", xor_run, name).startswith(f"The file {name} cannot be read: ")
    np.savez("two.npz", a=TABLE, b=TABLE)
    assert refused("predict", xor_run, "two.npz") == (
        'two.npz holds the arrays a, b. Expected one array, or one called "inputs" or "X". '
        "Keep only the inputs in it."
    )
    np.save("words.npy", np.array([["a", "b"]]))
    assert refused("predict", xor_run, "words.npy").startswith("words.npy holds values of type")


def test_one_form_of_answers(refused, xor_run):
    Path("a.csv").write_text("0.5,0.5\n")
    assert refused("predict", xor_run, "a.csv", "--csv", "--json") == (
        "Both --json and --csv were asked for. Expected one form of output: --json prints JSON, "
        "--csv prints CSV, --out writes CSV to a file. Leave one of them out."
    )
    assert refused("predict", xor_run, "a.csv", "--out", "b.csv", "--json").startswith(
        "Both --json and --out were asked for."
    )


def test_folders_of_images(call, refused, xor_run, tmp_path):
    for number in range(12):
        photo(tmp_path / "data" / f"{number}.png", number, (8, 8))
    rows = [f"{number}.png,{'ab'[number % 2]}" for number in range(12)]
    (tmp_path / "data" / "labels.csv").write_text("\n".join(["file,label", *rows]))
    words = ("--network", "flatten, dense 2", "--epochs", 1, "--no-pictures", "--out", "r")
    result = call("train", "data", *words)
    assert result.exit_code == 0, result.output
    predictions = predict(call, "r", "data", "data/3.png")
    names = sorted(f"data/{number}.png" for number in range(12))
    assert [one["input"] for one in predictions] == [*names, "data/3.png"]
    assert {one["class"] for one in predictions} <= {"a", "b"}
    assert refused("predict", xor_run, "data") == (
        "The folder data is one of images. Expected inputs like those of xor, on which the run was "
        "trained. Name files, or a folder with images for a run that was trained on images."
    )
    (tmp_path / "none").mkdir()
    assert refused("predict", "r", "none").startswith("The folder none holds no images. ")


@pytest.mark.parametrize("white", [1, 255])
def test_images_are_answered_to_on_the_scale_of_the_training(call, refused, tmp_path, white):
    from PIL import Image

    from downslope.cli.inputs import read_inputs

    draw = np.random.default_rng(0)
    images = (draw.integers(0, 256, (40, 8, 8)) * (white / 255)).astype(np.float32)
    np.savez("a.npz", X=images, y=np.arange(40) % 2)
    words = ("--network", "flatten, dense 2", "--epochs", 1, "--no-pictures", "--out", "r")
    assert call("train", "a.npz", *words).exit_code == 0
    Image.fromarray(np.rint(images[0] * (255 / white)).astype(np.uint8)).save("a.png")
    card = ds.open_run("r").data
    np.testing.assert_allclose(read_inputs(Path("a.png"), card)[0].values[..., 0], images[0])
    assert len(predict(call, "r", "a.npz")) == 40
    np.savez("b.npz", X=images - white / 2, y=np.arange(40) % 2)
    assert call("train", "b.npz", *words[:-1], "s").exit_code == 0
    assert refused("predict", "s", "a.png") == (
        "a.png is an image, and the run was trained on images whose numbers are no pixels of 0 to "
        "1 or 0 to 255. Expected inputs of the same numbers (.npy or .npz). Prepare it as the "
        "training images were, and save it as an array."
    )


def test_images_of_digits_come_back_as_they_were(tmp_path, monkeypatch):
    from PIL import Image

    from downslope.cli.inputs import read_inputs
    from downslope.runs.run_folder import DataSummary

    data = ds.load("digits")
    monkeypatch.chdir(tmp_path)
    digit = data.test.inputs[0]
    pixels = np.rint(digit.reshape(8, 8) / 16 * 255).astype(np.uint8)
    card = DataSummary.of(data)
    for side in (1, 12):
        Image.fromarray(pixels.repeat(side, 0).repeat(side, 1)).save(f"{side}.png")
        (one,) = read_inputs(Path(f"{side}.png"), card)
        np.testing.assert_array_equal(one.values, digit)


def test_counts_of_photos(call, crowd_run, tmp_path):
    paths = [photo(tmp_path / "a.png", 1), photo(tmp_path / "b.jpg", 2, (80, 40))]
    result = call("count", crowd_run, *paths, "--json", "--no-pictures")
    made = json.loads(result.stdout)
    run = ds.open_run(crowd_run)
    from downslope.data import read_photo

    truth = [float(run.predict(read_photo(path, run.data.photo_side)[None])[0]) for path in paths]
    assert set(made) == documented("count")
    assert [set(one) for one in made["photos"]] == [{"path", "count"}] * 2
    assert [one["path"] for one in made["photos"]] == [str(path) for path in paths]
    assert [one["count"] for one in made["photos"]] == pytest.approx(truth, rel=1e-6)
    counts = [one["count"] for one in predict(call, crowd_run, *paths)]
    assert counts == pytest.approx(truth, abs=1e-4)


def test_pictures_of_counts_are_numbered(call, crowd_run, tmp_path):
    path = photo(tmp_path / "a.png", 1)
    first = call("count", crowd_run, path, "--out", "mine")
    assert first.exit_code == 0, first.output
    assert f"Picture: {tmp_path}/mine/a-count.png" in first.stdout
    second = call("count", crowd_run, path, "--out", "mine", "--json")
    assert f"Picture: {tmp_path}/mine/a-count-2.png" in second.stderr
    assert list(json.loads(second.stdout)) == ["photos"]
    for name in ("a-count.png", "a-count-2.png"):
        assert (tmp_path / "mine" / name).read_bytes().startswith(b"\x89PNG")
    third = call("count", crowd_run, path)
    assert f"Picture: {crowd_run}/pictures/a-count.png" in third.stdout


def test_a_run_with_parts_of_its_users_own_is_opened_from_python(refused, tmp_path):
    network = ds.Network([ds.Dense(2, activation=lambda z: z**2)])
    ds.train(network, "xor", epochs=1, loss=lambda y, t: (y**2).sum(axis=1)).save(tmp_path / "own")
    said = (
        "The run has parts of its user's own: the activation lambda and the loss lambda. Expected "
        "these functions or objects, since code is never stored. Open it from Python with "
        "open_run(folder, activations=[lambda], losses=[lambda])."
    )
    for command in ("test", "layers", "report", "export"):
        more = ["--to", "numpy"] if command == "export" else []
        assert refused(command, tmp_path / "own", *more) == said


def test_help_lists_the_names_of_the_records(call):
    from downslope.cli.options import registered
    from downslope.engine.optimizers import OPTIMIZERS, SCHEDULES
    from downslope.nn.losses import LOSSES

    assert registered("nn.losses", "LOSSES") == list(LOSSES)
    assert registered("engine.optimizers", "OPTIMIZERS") == list(OPTIMIZERS)
    assert registered("engine.optimizers", "SCHEDULES") == list(SCHEDULES)
    said = " ".join(call("train", "--help").output.replace("│", " ").split())
    assert "Optimizer: sgd, momentum, nesterov, rmsprop, adam or adamw." in said


def test_a_copy_of_the_training_table_is_known_where_numbers_enter_as_ranks(tmp_path):
    draw = np.random.default_rng(0)
    rows = [f"{a:.4f},{b:.4f},{a + b * b:.4f}" for a, b in draw.normal(size=(200, 2))]
    (tmp_path / "a.csv").write_text("\n".join(["a,b,y", *rows]))
    (tmp_path / "copy.csv").write_text((tmp_path / "a.csv").read_text())
    data = ds.load(tmp_path / "a.csv", target="y")
    run = ds.train("piecewise 4, dense 1", data, epochs=1, folder=tmp_path / "run")
    assert run.data.encoding is not None and len(run.data.encoding.ranked) == 2
    found = ds.evaluate(run, tmp_path / "copy.csv")
    assert (found.data.samples, found.opened_now) == (len(data.test), True)
