"""Reports in a real browser: nothing is loaded, nothing overlaps, and axe finds nothing wrong."""

import pytest

from tests.reporting.conftest import (  # noqa: F401 - fixtures of the same runs
    crowd_run,
    digits_run,
    hostile_run,
    reports,
    waves_run,
)

pytestmark = pytest.mark.peers

KINDS = ("digits", "table", "crowd")
SIGHTS = {
    "light": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
OVERLAPS = """() => {
  const all = [...document.querySelectorAll('h1,h2,p,dl.facts > div,nav,table,figure svg')];
  const boxes = all.map(one => one.getBoundingClientRect());
  const found = [];
  for (let i = 0; i < all.length; i++) for (let j = i + 1; j < all.length; j++) {
    const a = boxes[i], b = boxes[j];
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 1) found.push([i, j].map(k => all[k].outerHTML.slice(0, 80)));
  }
  return found;
}"""
EMPTY = """() => [...document.querySelectorAll('h1,h2,p,td,th,caption,figure,section,svg,dd')]
  .filter(one => {
    const box = one.getBoundingClientRect();
    const says = one.textContent.trim() || one.querySelector('svg') || one.tagName === 'svg';
    return box.width < 4 || box.height < 4 || !(says || one.matches('td'));
  }).map(one => one.outerHTML.slice(0, 100))"""


@pytest.fixture
def opened(browser, reports, tmp_path):  # noqa: F811 - the fixture that is imported above
    """Open a report as a person would, and note what it asks for and complains of."""
    contexts = []

    def open_page(kind, **sight):
        path = reports[kind].save(tmp_path / f"{kind}.html")
        # axe has to be let in, past the page's own policy that nothing may run
        contexts.append(browser.new_context(bypass_csp=True, **sight))
        page = contexts[-1].new_page()
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.goto(path.as_uri())
        assert (asked, said) == ([path.as_uri()], [])
        return page

    yield open_page
    for one in contexts:
        one.close()


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_looked_at(kind, sight, opened, violations):
    page = opened(kind, **SIGHTS[sight])
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    cut = "[...document.querySelectorAll('figure svg')].filter(one => one.getBoundingClientRect()"
    assert page.evaluate(f"{cut}.right > innerWidth).length") == 0
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(EMPTY) == []
    assert violations(page) == []


def test_the_dark_page_is_dark_and_its_figures_with_it(opened):
    colour = "() => getComputedStyle(document.body).backgroundColor"
    letters = (
        """() => getComputedStyle(document.querySelector('figure svg [style*="--ink"]')).fill"""
    )
    light, dark = (opened("digits", **SIGHTS[sight]) for sight in ("light", "dark"))
    assert light.evaluate(colour) == "rgb(255, 255, 255)"
    assert dark.evaluate(colour) == "rgb(20, 23, 28)"
    assert light.evaluate(letters) == "rgb(27, 31, 39)"
    assert dark.evaluate(letters) == "rgb(233, 236, 241)"


def test_in_print_the_dark_page_is_bright_and_no_figure_is_cut(opened):
    page = opened("digits", **SIGHTS["dark"])
    page.emulate_media(media="print")
    assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(27, 31, 39)"
    page.set_viewport_size({"width": 640, "height": 900})  # about a sheet's width
    beyond = """() => [...document.querySelectorAll('figure svg')].filter(
      one => one.getBoundingClientRect().right > innerWidth + 1).length"""
    assert page.evaluate(beyond) == 0
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_page_itself_forbids_whatever_is_not_in_it(browser, reports, tmp_path):  # noqa: F811 - as above
    path = tmp_path / "broken.html"
    hostile = '<script>document.title = "run"</script><img src="https://example.com/a.png">'
    path.write_text(reports["digits"].html.replace("</main>", hostile + "</main>"))
    context = browser.new_context()
    page = context.new_page()
    reached = []
    page.on("requestfinished", lambda request: reached.append(request.url))
    page.goto(path.as_uri())
    assert page.title() == "Training on digits"
    assert reached == [path.as_uri()]
    context.close()


def test_every_region_is_reached_by_the_keyboard(opened):
    page = opened("digits", **SIGHTS["phone"])
    count = page.locator("nav a").count() + page.locator('[tabindex="0"]').count()
    for _ in range(count):
        page.keyboard.press("Tab")
    last = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert last == "The network, layer by layer"
