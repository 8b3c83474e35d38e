"""Data that is dropped on the lab's page, in a real browser."""

import gzip
import zipfile

import numpy as np
import pytest
from PIL import Image

import downslope as ds
from downslope.data import read_photo
from downslope.numerals import rounded
from tests.browser.conftest import done

pytestmark = pytest.mark.peers
MARKUP = "<img src=x onerror=alert(1)>"


def draw_pets(folder, classes=("cat", "dog"), count=30, side=12):
    """Images of two classes, one darker than the other."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = rng.integers(60 + 100 * number, 90 + 100 * number, (side, side, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{index}.png")
    return folder


def as_zip(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def trained(page, tmp_path):
    """One epoch of what is on the page, as a run."""
    page.get_by_label("epochs", exact=True).fill("2")
    page.get_by_label("epochs", exact=True).press("Enter")
    page.locator("pre", has_text="--epochs 2").wait_for(state="attached")
    page.get_by_role("button", name="One epoch").click()
    page.locator("code", has_text="runs").wait_for(state="attached", timeout=90_000)
    (folder,) = (tmp_path / "runs").iterdir()
    return ds.open_run(folder)


def test_a_zip_of_images_is_trained(lab, tmp_path):
    page = lab()
    pets = as_zip(draw_pets(tmp_path / "mine" / "pets", ("cat", MARKUP.replace("/", ""))),
                  tmp_path / "pets.zip")  # fmt: skip
    page.on("dialog", lambda dialog: page.complaints.append("a dialog opened"))
    page.get_by_label("Your own table, arrays or zip").set_input_files(pets)
    page.get_by_text("12 × 12 × 3").first.wait_for(timeout=60_000)
    run = trained(page, tmp_path)
    assert run.data.class_names == (MARKUP, "cat")
    assert page.locator(".confusion th", has_text=MARKUP).count() == 2
    assert page.locator("main img").count() == 0
    page.reload()  # it can be chosen again
    page.locator("optgroup option", has_text="pets-").wait_for(state="attached", timeout=30_000)
    assert page.complaints == []


def drag(page, path):
    """Drag a file or a folder onto the page and drop it, as the system does."""
    tools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        tools.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 300, "data": data})


def test_a_folder_a_packed_table_and_what_is_refused(lab, tmp_path):
    page = lab()
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"../{MARKUP}/evil.png", b"x")
    page.on("dialog", lambda dialog: page.complaints.append("a dialog opened"))
    page.get_by_label("Your own table, arrays or zip").set_input_files(path)
    page.get_by_role("alert").wait_for(timeout=30_000)
    assert f"../{MARKUP}/evil.png" in page.get_by_role("alert").inner_text()
    assert page.get_by_role("alert").locator("img").count() == 0
    assert not list(tmp_path.rglob("evil.png"))
    assert [one for one in page.complaints if "415" not in one] == []

    folder = draw_pets(tmp_path / "mine" / "pets")
    page.get_by_label("Your own folder of images").set_input_files(folder)
    page.get_by_text("12 × 12 × 3").first.wait_for(timeout=60_000)
    assert "cat, dog" in page.locator("dd").all_inner_texts()
    said = ", ".join(f"{part} {count}" for part, count in ds.load(folder).sizes.items())
    assert said in page.locator("dd").all_inner_texts()

    drag(page, draw_pets(tmp_path / "other" / "bugs", ("ant", "bee")))
    page.locator("dd", has_text="ant, bee").wait_for(timeout=60_000)

    rows = "size,price\n" + "".join(f"{one},{2 * one + 5}\n" for one in range(60))
    path = tmp_path / "things.csv.gz"
    path.write_bytes(gzip.compress(rows.encode()))
    page.get_by_label("Your own table, arrays or zip").set_input_files(path)
    page.get_by_label("Column to predict").fill("price")
    page.get_by_role("button", name="Read", exact=True).click()
    page.locator("dd", has_text="regression").wait_for(timeout=30_000)
    page.get_by_role("button", name="One step").click()
    done(page, 1)


def draw_crowd(folder, count=120, side=48):
    """Photos with bright heads on a dark ground, and where these are."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = ["image,x,y"]
    for index in range(count):
        pixels = rng.integers(20, 60, (side, side, 3), np.uint8)
        for x, y in rng.integers(4, side - 4, (int(rng.integers(1, 9)), 2)):
            pixels[y - 2 : y + 3, x - 2 : x + 3] = 230
            rows.append(f"{index}.png,{x},{y}")
        Image.fromarray(pixels).save(folder / f"{index}.png")
    (folder / "heads.csv").write_text("\n".join(rows))
    return folder


def test_a_crowd_is_trained_and_a_photo_counted(lab, tmp_path):
    page = lab()
    crowd = as_zip(draw_crowd(tmp_path / "mine" / "crowd"), tmp_path / "crowd.zip")
    page.get_by_label("Your own table, arrays or zip").set_input_files(crowd)
    page.locator("dd", has_text="counting").wait_for(timeout=60_000)
    page.get_by_label("Network", exact=True).fill("conv 8 3 relu, max_pool 8, conv 1 1")
    page.get_by_label("Network", exact=True).press("Tab")
    page.locator("pre", has_text="max_pool 8").first.wait_for(state="attached")
    run = trained(page, tmp_path).with_data()
    photo = np.asarray(run.dataset.test.inputs[0], np.uint8)
    path = tmp_path / "my photo.png"
    Image.fromarray(photo).save(path)
    page.get_by_label("Count the people").set_input_files(path)
    shown = page.locator("[data-people]")
    shown.wait_for(timeout=60_000)
    seen = read_photo(path, run.data.photo_side)
    density = run.densities(seen[None])[0]
    assert float(shown.get_attribute("data-people")) == pytest.approx(density.sum(), rel=1e-6)
    part = run.dataset.validation
    low, high = run.intervals(part)["mae"]
    said = page.locator(".counted figcaption").inner_text()
    assert f"{len(part)} validation photos" in said
    assert f"interval {rounded(low)} to {rounded(high)}" in said
    box = page.locator(".counted canvas").evaluate_all(
        "all => all.map(one => [one.width, one.height])"
    )
    assert box == [[seen.shape[1], seen.shape[0]], [density.shape[1], density.shape[0]]]
    assert page.complaints == []
