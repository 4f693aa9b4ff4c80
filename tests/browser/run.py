#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Opens the page of a matrix in headless Chromium: console, requests, filters, sorting, links, labels, contrast.

  tests/browser/run.py [TEXT]      only tests whose name holds TEXT

With $IMG_TEST_SCREENSHOTS a folder, pictures of the page are left there.
"""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from browser import Browser, BrowserError  # noqa: E402
from harness import Failure, Results, Skip, imgcheck, need, need_equal, need_program, run, scratch  # noqa: E402
from report_samples import samples  # noqa: E402

# Texts whose colour is nearer to what is behind them than 4.5 to 1 (WCAG 2, AA). A background that lets light through is
# looked at with what lies under it.
CONTRAST = """
(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const bad = {};
  let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !node.checkVisibility()) continue;
    if (['SCRIPT', 'STYLE', 'OPTION'].includes(node.tagName)) continue;
    ++looked;
    const [one, other] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) bad[node.tagName + '.' + node.className] = ratio.toFixed(2);
  }
  return {looked, bad};
})()
"""

SHOWN = "[...document.querySelectorAll('#gpu-table tbody tr')].filter((row) => !row.hidden)"


class Pages:
    """The browser, and the pages that the tests open."""

    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder
        for name in ("matrix", "hostile"):
            reports = ("cu128", "cu130", "blocked", "tested") if name == "matrix" else ("hostile", "cu128")
            files = [self.write(one) for one in reports]
            run(imgcheck(), "matrix", *files, "-o", folder / f"{name}.html")

    def write(self, name):
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(samples()[name]), encoding="utf-8")
        return path

    def address(self, name="matrix", fragment=""):
        return (self.folder / f"{name}.html").as_uri() + fragment

    def open(self, fragment="", name="matrix"):
        self.browser.open(self.address(name, fragment))

    def choose(self, key, value):
        self.browser.run(
            f"(() => {{ const field = document.getElementById('filters').elements.namedItem('{key}'); "
            f"field.value = {value!r}; field.dispatchEvent(new Event('input', {{bubbles: true}})); }})()")


def quiet(pages):
    """Nothing on the console, and no request but the page itself."""
    pages.open()
    need_equal([], pages.browser.logged(), "console")
    need_equal([pages.address()], pages.browser.requested(), "requests")


def notices(pages):
    """The two probes above can see: a page that does what ours must not."""
    bad = pages.folder / "bad.html"
    bad.write_text("<!DOCTYPE html><html lang=en><title>x</title><img src='missing.png'><p style='color:#aaa'>pale</p>"
                   "<script>console.error('x'); undefinedName();</script>")
    pages.browser.open(bad.as_uri())
    need(len(pages.browser.logged()) >= 2, f"the console is not seen: {pages.browser.logged()}")
    need(len(pages.browser.requested()) >= 2, "requests are not seen")
    need(pages.browser.run(CONTRAST)["bad"], "pale text is not seen")


def filters(pages):
    browser = pages.browser
    pages.open()
    total = browser.run(f"{SHOWN}.length")
    need_equal(3 * 19, total, "rows of three images and all GPUs")
    pages.choose("gpu", "H100")
    need_equal(["H100"] * 3, browser.run(f"{SHOWN}.map((row) => row.cells[0].firstChild.textContent)"), "rows of one GPU")
    need_equal("3 of 57 rows shown", browser.run("document.getElementById('shown').textContent"), "count")
    pages.choose("driver", "R580")
    need_equal(["GPU", "R580"], browser.run(
        "[...document.querySelectorAll('#gpu-table thead th')].filter((head) => !head.hidden).map((head) => head.textContent)"),
        "columns of one branch")
    pages.choose("basis", "tested")
    need_equal(1, browser.run(f"{SHOWN}.length"), "rows that were tested")
    pages.choose("basis", "")
    pages.choose("q", "BLOCKED")
    need_equal(1, browser.run(f"{SHOWN}.length"), "rows found by a word")
    need_equal("#gpu=H100&driver=R580&q=BLOCKED", browser.run("location.hash"), "address of this view")
    browser.run("document.querySelector('#filters button[type=reset]').click()")
    browser.run("new Promise((done) => setTimeout(done, 50))")
    need_equal(total, browser.run(f"{SHOWN}.length"), "rows after 'Show all'")
    need_equal("", browser.run("location.hash"), "address after 'Show all'")


def filters_by_state(pages):
    """Blocked is never among what works."""
    pages.open("#state=works")
    names = pages.browser.run(f"{SHOWN}.map((row) => row.cells[0].lastChild.textContent)")
    need("pytorch-cuda:2.8.0" in names, f"what works is not shown: {names}")
    need("pytorch-cuda:blocked" not in names, "a blocked image is among what works")
    pages.open("#image=none-of-these&gpu=H100")
    need_equal(3, pages.browser.run(f"{SHOWN}.length"), "rows when the address names an image that is not there")


def sorts(pages):
    browser = pages.browser
    pages.open()
    column = browser.run("[...document.querySelectorAll('#gpu-table thead th')].findIndex((h) => h.textContent === 'R580')")
    head = f"document.querySelectorAll('#gpu-table thead th')[{column}]"
    values = f"[...document.querySelectorAll('#gpu-table tbody tr')].map((row) => Number(row.cells[{column}].dataset.sort))"
    unsorted = browser.run(values)
    browser.run(f"{head}.querySelector('button').click()")
    need_equal("descending", browser.run(f"{head}.getAttribute('aria-sort')"), "aria-sort")
    need_equal(sorted(unsorted, reverse=True), browser.run(values), "what works is on top")
    browser.run(f"{head}.querySelector('button').click()")
    need_equal("ascending", browser.run(f"{head}.getAttribute('aria-sort')"), "aria-sort")
    need_equal(sorted(unsorted), browser.run(values), "the other way round")
    need(unsorted != sorted(unsorted), "the table was sorted before: this test shows nothing")
    fragment = browser.run("location.hash")
    pages.open(fragment)
    need_equal(sorted(unsorted), browser.run(values), "order by the address")
    browser.run("document.querySelectorAll('#check-table thead button')[1].click()")
    need_equal(1, browser.run("document.querySelectorAll('#check-table th[aria-sort]').length"), "checks are sorted too")


def links(pages):
    """Every cell has an address that explains it."""
    browser = pages.browser
    pages.open("#gpu=H100&cell=pytorch-cuda-2-8-0~H100~R580")
    need_equal(True, browser.run("document.getElementById('details').open"), "details of the cell in the address")
    text = browser.run("document.getElementById('details').textContent")
    for part in ("H100 under R580", "works, tested", "2026-11-26 on NVIDIA H100 80GB HBM3, driver 580.95.05", "DRIVER-FLOOR"):
        need(part in text, f"'{part}' is not in the details: {text}")
    browser.press("Escape", number=27)
    need_equal(False, browser.run("document.getElementById('details').open"), "details after Escape")
    need_equal("#gpu=H100", browser.run("location.hash"), "address after Escape")
    pages.open("#check=LOAD-TORCH~pytorch-cuda-blocked")
    need("no container runtime" in browser.run("document.getElementById('details').textContent"), "the reason is not told")
    for nonsense in ("#cell=x", "#cell=%E0%A4%A", "#check=a~b", "#sort=999d", "#sort=x", "#gpu=%3Cimg%3E"):
        pages.open(nonsense)
        need_equal(False, browser.run("document.getElementById('details').open"), f"details for {nonsense}")
        need_equal([], browser.logged(), f"console for {nonsense}")


def keyboard(pages):
    browser = pages.browser
    pages.open()
    browser.run("document.querySelector('#gpu-table a.cell').focus()")
    browser.press("Enter", number=13)
    need_equal(True, browser.run("document.getElementById('details').open"), "Enter on a cell")
    need_equal(True, browser.run("document.getElementById('details').contains(document.activeElement)"), "focus is inside")
    browser.press("Escape", number=27)
    need_equal("cell", browser.run("document.activeElement.classList[0] || document.activeElement.tagName"),
               "focus goes back to the cell")


def labels(pages):
    browser = pages.browser
    pages.open("#cell=pytorch-cuda-2-8-0~H100~R580")
    asked = {"button", "link", "combobox", "searchbox", "textbox", "table", "region", "navigation", "form", "dialog", "list"}
    seen = set()
    for where in ("dialog", "page"):
        nameless = []
        for role, name in browser.accessible_nodes():
            seen.add(role)
            # Lists inside the details are part of their heading's text.
            if role in asked and not name.strip() and not (role == "list" and where == "dialog"):
                nameless.append(role)
        need_equal([], [role for role in nameless if role != "list"], f"roles without a name ({where})")
        browser.press("Escape", number=27)
    need({"button", "link", "combobox", "searchbox", "table", "dialog"} <= seen, f"roles are missing: {sorted(map(str, seen))}")
    need_equal("en", browser.run("document.documentElement.lang"), "language")
    need_equal([], browser.run(
        "(() => { const ids = [...document.querySelectorAll('[id]')].map((n) => n.id);"
        " return ids.filter((id, at) => ids.indexOf(id) !== at); })()"), "ids that are there twice")
    need_equal(0, browser.run("document.querySelectorAll('th:not([scope])').length"), "heads without a scope")
    need_equal(0, browser.run("document.querySelectorAll('table:not(:has(caption))').length"), "tables without a caption")


def contrast(pages):
    for dark in (False, True):
        pages.browser.view(1280, 900, dark=dark)
        pages.open()
        for where in ("page", "details"):
            found = pages.browser.run(CONTRAST)
            need(found["looked"] > 500, f"only {found['looked']} texts were looked at")
            need_equal({}, found["bad"], f"pale texts ({'dark' if dark else 'light'} {where})")
            pages.browser.run("document.querySelector('#gpu-table a.cell').click()")
    pages.browser.view(1280, 900)


def phone(pages):
    browser = pages.browser
    browser.view(390, 844, phone=True)
    pages.open()
    need_equal(True, browser.run("document.documentElement.scrollWidth <= innerWidth"), "the page is as wide as the phone")
    small = browser.run("[...document.querySelectorAll('a.cell, button, select, input')].filter((n) => n.checkVisibility())"
                        ".map((n) => n.getBoundingClientRect()).filter((box) => box.height < 24 || box.width < 24).length")
    need_equal(0, small, "targets smaller than 24 pixels")
    first = browser.run("(() => { const box = document.querySelector('#gpu-table').parentElement; box.scrollLeft = 300;"
                        " return box.scrollLeft > 0 ? document.querySelector('#gpu-table tbody th').getBoundingClientRect().left"
                        " - box.getBoundingClientRect().left : -1; })()")
    need(0 <= first <= 2, f"the GPU's name does not stay while its row is scrolled: {first}")
    browser.view(1280, 900)


def hostile(pages):
    """A report cannot put anything into the page but text."""
    pages.open(name="hostile")
    need_equal(None, pages.browser.run("window.hostile"), "a script of a report ran")
    need_equal([pages.address("hostile")], pages.browser.requested(), "requests")
    need_equal([], pages.browser.logged(), "console")
    need_equal(0, pages.browser.run("document.querySelectorAll('img, iframe, object, script:not([type]):nth-of-type(n+3)').length"),
               "elements of a report")


def report_page(pages):
    """The page of one report is as quiet."""
    run(imgcheck(), "render", pages.write("cu128"), "--format", "html", "-o", pages.folder / "report.html")
    pages.open(name="report")
    need_equal([], pages.browser.logged(), "console")
    need_equal([pages.address("report")], pages.browser.requested(), "requests")


def pictures(pages, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for dark in (False, True):
        shade = "dark" if dark else "light"
        for name, width, height, is_phone in (("desktop", 1280, 1000, False), ("phone", 390, 844, True)):
            pages.browser.view(width, height, is_phone, dark)
            for view, fragment in (("top", ""), ("cell", "#cell=pytorch-cuda-2-8-0~H100~R580"), ("checks", "")):
                pages.open(fragment)
                if view == "checks":
                    pages.browser.run("document.getElementById('checks').scrollIntoView()")
                if view == "top" and is_phone:
                    pages.browser.screenshot(folder / f"{name}-{shade}-head.png")
                    pages.browser.run("document.getElementById('gpus').scrollIntoView()")
                pages.browser.screenshot(folder / f"{name}-{shade}-{view}.png")


def main():
    results = Results("browser", sys.argv[1] if len(sys.argv) > 1 else None)

    def whole():
        program = need_program("chromium")
        with scratch("browser") as folder, Browser(program) as browser:
            browser.view(1280, 900)
            pages = Pages(browser, folder)
            for test in (quiet, notices, filters, filters_by_state, sorts, links, keyboard, labels, contrast, phone, hostile,
                         report_page):
                results.run(test.__name__, test, pages)
            if os.environ.get("IMG_TEST_SCREENSHOTS"):
                pictures(pages, pathlib.Path(os.environ["IMG_TEST_SCREENSHOTS"]))

    before = dict(results.counts)
    try:
        whole()
    except Skip as reason:
        results.record("skip", "start", str(reason))
    except (BrowserError, Failure, OSError) as problem:
        # What keeps the browser from starting is a result of its own.
        results.record("fail", "start", str(problem))
    if results.counts == before:
        results.record("fail", "start", "no test ran")
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
