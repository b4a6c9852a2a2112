"""The task pane and the custom functions in a headless Chromium, with Excel played by the mock of Office.js.

With MLSIM_SCREENSHOTS=docs the pictures of the documentation are written there.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from officejs.running import OFFICE_HOST, Served, browser, serving
from openpyxl import Workbook

from mlsim_addin import host
from mlsim_workbooks.functions import CATALOGUE

CALL = """
const done = arguments[arguments.length - 1];
const shown = (v) => v instanceof CustomFunctions.Error ? {code: v.code, message: v.message} : v;
Promise.allSettled(arguments[0].map(([name, ...given]) => excel.associated[name](...given, {})))
  .then((all) => done(all.map((r) => r.status === "fulfilled" ? r.value.map((row) => row.map(shown)) : shown(r.reason))));
"""
COUNT = """
window.sent = [];
const real = window.fetch;
window.fetch = (path, options) => { sent.push([path, options.body ? JSON.parse(options.body).calls.length : 0]); return real(path, options); };
"""


def book() -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Plan"
    sheet.append(["", "", "Weights (GB)", "KV cache (GiB)", "Total (GB)"])
    sheet.append(["", "", 140, 24, "=C2+D2"])
    sheet.append(["", "", "Price ($/GPU-h)", "Hours (h)", "Cost ($)"])
    sheet.append(["", "", 2.5, 720, "=C4+D4"])
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


class Pane:
    """The open task pane."""

    def __init__(self, window: Any, served: Served) -> None:
        self.window, self.served = window, served

    def open(self, width: int = 320, height: int = 640, scheme: str = "light") -> Pane:
        self.size(width, height, scheme)
        self.window.get(f"{self.served.origin}/pane.html")
        self.until(lambda: self.text("value"))
        self.window.get_log("browser")
        return self

    def size(self, width: int, height: int, scheme: str = "light") -> None:
        self.window.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def until(self, true: Callable[[], Any]) -> Any:
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.window, 20, 0.05).until(lambda _: true())

    def js(self, script: str, *given: Any) -> Any:
        return self.window.execute_script(script, *given)

    def find(self, name: str) -> Any:
        return self.window.find_element("id", name)

    def text(self, name: str) -> str:
        return self.find(name).text

    def keys(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.window).send_keys(*keys).perform()

    def focus(self) -> str:
        return self.js("return document.activeElement.id || document.activeElement.textContent")

    def call(self, *calls: Any) -> list[Any]:
        return self.window.execute_async_script(CALL, list(calls))

    def give_book(self, content: bytes) -> None:
        self.js(
            "excel.book = Array.from(atob(arguments[0]), (c) => c.charCodeAt(0))", base64.b64encode(content).decode()
        )

    def picture(self, name: str) -> None:
        if folder := os.environ.get("MLSIM_SCREENSHOTS"):
            self.window.save_screenshot(str(Path(folder) / name))


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Served]]:
    home = tmp_path_factory.mktemp("pane")
    with serving(home) as served, browser(served, home / "profile") as opened:
        yield opened, served


@pytest.fixture
def pane(window: tuple[Any, Served]) -> Pane:
    return Pane(*window).open()


# --- custom functions ------------------------------------------------------------------------------------------------


def test_the_script_is_the_mock_and_the_page_breaks_no_rule(window: tuple[Any, Served]) -> None:
    pane = Pane(*window).open()
    assert pane.js("return document.scripts[0].src") == f"https://{OFFICE_HOST}/lib/1/hosted/office.js"
    assert pane.js("return 'associated' in window.excel")
    pane.window.refresh()
    pane.until(lambda: pane.text("value"))
    assert pane.window.get_log("browser") == []  # no error, no breach of the policy


def test_the_whole_catalogue_is_associated(pane: Pane) -> None:
    assert pane.js("return Object.keys(excel.associated)") == [n.removeprefix("MLSIM_") for n in CATALOGUE]


def test_values_errors_and_matrices(pane: Pane) -> None:
    one = [[1]]
    results = pane.call(
        ["DECODE_LATENCY", [["Llama-3-70B"]], [["MI300X"]], one, [[4096]], None, None, None, None],
        ["TPOT", [["nope"]], [["H100"]], None, None, None, None, None, None],
        ["FITS", [["140 GB"]], [["80 TFLOP/s"]], None, None, None, None, None],
        ["DECODE_LATENCY", [["Llama-3-8B"], ["nope"]], [["H100"]], one, None, None, None, None, None],
        ["ADD", [[["14 GB"]], [["26 GiB", ""], ["", "1 GB"]]]],
        ["WHY", [["MLSIM_FITS"]], [[["140 GB"]], [["80 TFLOP/s"]]]],
        ["FITS", [["Llama-3-8B"]], [["H100"]], None, None, None, None, None],
        ["LIST", [["hardware"]]],
        ["LINT", [["/etc/passwd"]]],
        ["FITS", [["Llama-3-8B"]], [["H100"]]],  # without a null for each argument left out
        ["ADD", None],
    )
    value, unknown, unit, column, total, why, truth, names, lint, short, none = results
    assert value == [[host.call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "MI300X", 1, 4096])]]
    assert unknown["code"] == "#N/A"
    assert unit["code"] == "#VALUE!"
    assert "80 TFLOP/s" in unit["message"]
    assert column[0][0] == host.call("MLSIM_DECODE_LATENCY", ["Llama-3-8B", "H100"])
    assert column[1][0]["code"] == "#N/A"
    assert total == [[host.call("MLSIM_ADD", ["14 GB", [["26 GiB", ""], ["", "1 GB"]]])]]
    assert why == [[host.call("MLSIM_WHY", ["MLSIM_FITS", "140 GB", "80 TFLOP/s"])]]
    assert truth == short == [[True]]
    assert none["code"] == host.call("MLSIM_ADD", []).code
    assert names == host.call("MLSIM_LIST", ["hardware"])
    assert "task pane" in lint["message"]


@pytest.mark.parametrize("code", host.CODES)
def test_an_error_goes_in_and_comes_out_as_itself(pane: Pane, code: str) -> None:
    given = "new CustomFunctions.Error(Object.values(CustomFunctions.ErrorCode).find((c) => c === arguments[0]))"
    script = f"const done = arguments[1]; excel.associated.TPOT([[{given}]], [['H100']], null, null, null, null, null, null, {{}})"
    assert pane.window.execute_async_script(f"{script}.then(done, (e) => done(e.code))", code) == code


def test_a_thousand_calls_of_one_tick_are_one_request(pane: Pane) -> None:
    pane.js(COUNT)
    calls = [["CONVERT", [[f"{i} GB"]], [["GiB"]]] for i in range(1, 1001)]
    results = pane.call(*calls)
    assert pane.js("return sent") == [["calculate", 1000]]
    assert results == [[[pytest.approx(i * 1e9 / 2**30, rel=1e-12)]] for i in range(1, 1001)]


def test_more_than_a_request_takes_goes_in_several(pane: Pane) -> None:
    pane.js(COUNT)
    script = """
    const done = arguments[0];
    const all = Array.from({length: 20500}, (_, i) => excel.associated.CONVERT([[`${i + 1} byte`]], [["bit"]], {}));
    Promise.all(all).then((r) => done(r.every(([[v]], i) => v === 8 * (i + 1))));
    """
    assert pane.window.execute_async_script(script) is True
    assert pane.js("return sent") == [["calculate", 10000], ["calculate", 10000], ["calculate", 500]]
    pane.js("sent.length = 0")
    wide = "x" * 900_000
    results = pane.call(*[["CHECK", [[wide]], [["GB"]]]] * 5)
    assert [count for _, count in pane.js("return sent")] == [2, 2, 1]
    assert all(isinstance(r[0][0], str) for r in results)
    too_wide = pane.call(["CHECK", [["é" * 4_500_000]], [["GB"]]])
    assert too_wide == [{"code": "#VALUE!", "message": "The request is larger than 8 MiB, which is the limit."}]


def test_a_cancelled_call_is_not_sent_and_spoils_no_other(pane: Pane) -> None:
    pane.js(COUNT)
    script = """
    const done = arguments[0];
    const one = {}, other = {};
    const first = excel.associated.CONVERT([["1 byte"]], [["bit"]], one);
    const second = excel.associated.CONVERT([["2 byte"]], [["bit"]], other);
    one.onCanceled();
    Promise.allSettled([first, second]).then((r) => done([r[0].reason.code, r[1].value, sent]));
    """
    assert pane.window.execute_async_script(script) == ["#N/A", [[16]], [["calculate", 1]]]
    aborted = """
    const done = arguments[0];
    const real = window.fetch, one = {};
    window.fetch = (path, options) => new Promise((_, no) => {
      options.signal.addEventListener("abort", () => { done("aborted"); no(new Error("gone")); });
      one.onCanceled();
    });
    excel.associated.CONVERT([["1 byte"]], [["bit"]], one).catch(() => {});
    """
    assert pane.window.execute_async_script(aborted) == "aborted"


def test_a_silent_server_and_an_old_page_are_sentences(pane: Pane) -> None:
    pane.js("window.real = window.fetch; window.fetch = () => Promise.reject(new TypeError('Failed to fetch'))")
    assert pane.call(["LIST", [["hardware"]]]) == [
        {"code": "#N/A", "message": "MLSIM's server does not answer: start `mlsim serve`."}
    ]
    pane.js("window.fetch = (p, o) => real(p, {...o, headers: {...o.headers, 'X-Mlsim-Token': 'old'}})")
    (refused,) = pane.call(["LIST", [["hardware"]]])
    assert refused["code"] == "#VALUE!"
    assert "close the workbook and open it again" in refused["message"]


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classic", "office"),
    [
        ('=MLSIM_FITS("a","b")', '=MLSIM.FITS("a","b")'),
        ("=1+_xll.MLSIM_ADD( MLSIM_MUL(A1,2),[1]!MLSIM_ADD(B2))", "=1+MLSIM.ADD( MLSIM.MUL(A1,2),MLSIM.ADD(B2))"),
        ("='C:\\dir\\mlsim.xlam'!MLSIM_WHY(A1)", "=MLSIM.WHY(A1)"),
        ("=mlsim.xlsm!MLSIM_WHY(A1)", "=MLSIM.WHY(A1)"),
        ("=_xldudf_MLSIM_KV_CACHE(A1)", "=MLSIM.KV_CACHE(A1)"),
        ("=mlsim_fits (A1)", "=MLSIM.FITS (A1)"),
        ('="MLSIM_FITS(" & "say ""MLSIM_ADD("" "', '="MLSIM_FITS(" & "say ""MLSIM_ADD("" "'),
        ("='MLSIM_FITS(1)'!A1+MLSIM_ADD('it''s'!B2)", "='MLSIM_FITS(1)'!A1+MLSIM.ADD('it''s'!B2)"),
        ("=T['#x]+MLSIM_ADD(T['#y])", "=T['#x]+MLSIM.ADD(T['#y])"),
        ("=MY_MLSIM_ADD(1)+MLSIM_NOPE(2)+MLSIM_ADD+XMLSIM_ADD(3)", "=MY_MLSIM_ADD(1)+MLSIM_NOPE(2)+MLSIM_ADD+XMLSIM_ADD(3)"),
        ("MLSIM_ADD(1)", "MLSIM_ADD(1)"),
        ("=Plan!MLSIM_ADD(1)", "=Plan!MLSIM_ADD(1)"),
        ("=@MLSIM_LIST(A1)", "=@MLSIM.LIST(A1)"),
    ],
)  # fmt: skip
def test_names_are_the_hosts(pane: Pane, classic: str, office: str) -> None:
    rename = "return renameCalls(arguments[0], arguments[1], MLSIM.names)"
    assert pane.js(rename, classic, ".") == office
    assert pane.js(rename, office, ".") == office
    back = pane.js(rename, office, "_")
    assert pane.js(rename, back, ".") == office
    assert "MLSIM." not in back


def test_renaming_takes_linear_time(pane: Pane) -> None:
    script = "const t = performance.now(); renameCalls(arguments[0], '.', MLSIM.names); return performance.now() - t"
    for piece in ("MLSIM_ADD(", "'", "[", "a!", "[[", '"', "x.xl!", "'a'!"):
        assert pane.js(script, "=" + piece * 4000) < 1000, piece


def test_the_workbooks_formulas_are_renamed(pane: Pane) -> None:
    pane.find("tab-names").click()
    pane.find("to-office").click()
    pane.until(lambda: pane.text("names-status") == "3 formulas now use MLSIM.X.")
    written = "Object.entries(excel.cells).filter(([, c]) => Array.isArray(c.formulas)).map(([a, c]) => [a, c.formulas[0][0]])"
    formulas = pane.js(f"return Object.fromEntries({written})")
    assert formulas["Plan!C1"] == "=MLSIM.DECODE_LATENCY(A2,B2)"
    assert formulas["Plan!D1"] == '="say ""MLSIM_FITS("" "&MLSIM.FITS(A2,B2)'
    assert formulas["Plan!D3"] == '=MLSIM.SPEC(B2,"memory","GiB")'
    assert len(formulas) == 3  # not D4: D3 spills into it


# --- the pane --------------------------------------------------------------------------------------------------------


def test_a_formula_is_previewed_and_inserted(pane: Pane) -> None:
    expected = host.call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "MI300X", 1, 4096])
    pane.until(lambda: pane.text("value") == f"{expected:.6g} ms")
    assert pane.text("formula") == '=MLSIM.DECODE_LATENCY("Llama-3-70B","MI300X",1,4096)'
    hardware = pane.find("argument-1")
    hardware.clear()
    hardware.send_keys("=D2")  # the cell holds H100
    pane.until(lambda: pane.text("formula") == '=MLSIM.DECODE_LATENCY("Llama-3-70B",D2,1,4096)')
    other = host.call("MLSIM_DECODE_LATENCY", ["Llama-3-70B", "H100", 1, 4096])
    pane.until(lambda: pane.text("value") == f"{other:.6g} ms")
    pane.find("put").click()
    pane.until(lambda: pane.text("inserted") == "Inserted into Plan!C1.")
    written = '=MLSIM.DECODE_LATENCY("Llama-3-70B",D2,1,4096)'
    assert pane.js("return excel.cells['Plan!C1'].formulas") == [[written]]


def test_a_unit_error_is_shown_as_its_sentence(pane: Pane) -> None:
    hardware = pane.find("argument-1")
    hardware.clear()
    hardware.send_keys('80 "TFLOP/s"')
    pane.until(lambda: "error" in pane.find("value").get_attribute("class"))
    assert pane.text("value").startswith("#VALUE! ")
    assert '"80 ""TFLOP/s"""' in pane.text("formula")


def test_every_functions_example_has_a_preview(pane: Pane) -> None:
    from selenium.webdriver.common.keys import Keys

    for name in ("FITS", "ADD", "LIST", "SERVING_TPOT", "WHY", "TRAIN_TIME", "CALIBRATE"):
        pane.js("const f = document.getElementById('function'); f.focus(); f.select(); window.before = f")
        pane.keys(name, Keys.ENTER)
        pane.until(lambda name=name: pane.text("formula").startswith(f"=MLSIM.{name}("))
        assert pane.find("function").get_attribute("value") == name
        if name == "LIST":
            pane.until(lambda: "Spills over" in pane.text("value"))
        if name == "ADD":
            total = host.call("MLSIM_ADD", ["14 GB", "26 GiB"])
            pane.until(lambda total=total: pane.text("value") == total)
        if name == "FITS":
            pane.until(lambda: pane.text("value") in ("TRUE", "FALSE"))


def test_the_open_workbook_is_checked(pane: Pane) -> None:
    pane.give_book(book() + b"")
    pane.js("Object.assign(window, {slices: 0}); const g = Office.context.document.getFileAsync;"
            "Office.context.document.getFileAsync = (k, o, r) => g.call(Office.context.document, k, {sliceSize: 1000}, r)")  # fmt: skip
    pane.find("tab-check").click()
    pane.find("run-check").click()
    pane.until(lambda: pane.text("check-status") == "2 errors in 2 formulas.")
    first, second = pane.window.find_elements("css selector", "#findings button")
    assert "Plan!E2" in first.text
    assert "binary-prefix" in first.text
    assert "money-rate" in second.text
    first.click()
    pane.until(lambda: pane.js("return excel.active()") == "Plan!E2")
    pane.size(340, 520)
    pane.picture("pane-check.png")


def test_a_workbook_that_cannot_be_read_is_a_sentence(pane: Pane) -> None:
    pane.give_book(b"no workbook")
    pane.find("tab-check").click()
    pane.find("run-check").click()
    pane.until(lambda: pane.text("check-status") == "The workbook is not an Excel workbook (.xlsx or .xlsm).")


def test_sources_of_a_name_and_of_the_active_cell(pane: Pane) -> None:
    from selenium.webdriver.common.keys import Keys

    pane.find("tab-sources").click()
    pane.find("source-name").send_keys("mi300x", Keys.ARROW_DOWN, Keys.ENTER)
    pane.until(lambda: "memory bandwidth" in pane.text("source-list").lower())
    link = pane.window.find_element("css selector", "#source-list a")
    assert link.get_attribute("href").startswith("https://")
    assert link.get_attribute("rel") == "noopener noreferrer"
    pane.find("from-cell").click()
    pane.until(lambda: pane.text("sources-status") == "Plan!C1 names no chip, model or runtime.")
    pane.js("excel.cells['Plan!C1'].formulas = [['=MLSIM.FITS(\"Llama-3-8B\",D2)']]")
    pane.find("from-cell").click()
    pane.until(lambda: pane.text("sources-status") == "Plan!C1: Llama-3-8B, H100-SXM-80GB.")


def test_a_late_answer_does_not_replace_a_newer_one(pane: Pane) -> None:
    pane.find("tab-sources").click()
    pane.js("""
      const real = window.fetch, field = document.getElementById("source-name");
      window.late = false;
      window.fetch = async (path, options) => {
        const answer = await real(path, options);
        if (options.body.includes("A100")) {
          await new Promise((then) => setTimeout(then, 600));
          setTimeout(() => (window.late = true), 100);
        }
        return answer;
      };
      for (const name of ["A100", "H100"]) {
        field.value = name;
        field.dispatchEvent(new Event("change"));
      }""")
    pane.until(lambda: pane.js("return window.late"))
    assert pane.js("return [...document.querySelectorAll('h3')].map((e) => e.textContent)") == ["H100-SXM-80GB"]


def test_the_keyboard_alone_will_do(pane: Pane) -> None:
    from selenium.webdriver.common.keys import Keys

    pane.give_book(book())
    pane.keys(Keys.TAB)
    assert pane.focus() == "tab-insert"
    pane.keys(Keys.TAB)
    assert pane.focus() == "function"
    pane.keys("prefill", Keys.ENTER, Keys.TAB)
    pane.until(lambda: pane.text("formula").startswith("=MLSIM.PREFILL_LATENCY("))
    assert pane.focus() == "argument-0"
    pane.keys(Keys.ARROW_DOWN, Keys.ESCAPE, Keys.TAB, Keys.TAB, Keys.TAB, Keys.TAB)
    assert pane.focus() == "More arguments"
    pane.keys(Keys.TAB)
    assert pane.focus() == "put"
    pane.keys(Keys.ENTER)
    pane.until(lambda: pane.text("inserted") == "Inserted into Plan!C1.")
    assert pane.focus() == "put"
    pane.js("document.getElementById('tab-insert').focus()")
    pane.keys(Keys.ARROW_RIGHT)
    assert pane.focus() == "tab-check"
    pane.keys(Keys.TAB, Keys.SPACE)
    pane.until(lambda: pane.text("check-status").startswith("2 errors"))
    pane.keys(Keys.TAB, Keys.TAB, Keys.ENTER)
    pane.until(lambda: pane.js("return excel.active()") == "Plan!E4")
    pane.js("document.getElementById('tab-check').focus()")
    pane.keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert pane.focus() == "tab-names"
    pane.keys(Keys.HOME, Keys.END, Keys.TAB, Keys.ENTER)
    pane.until(lambda: "now use MLSIM.X" in pane.text("names-status"))


@pytest.mark.parametrize("width", [200, 250, 320, 450])
@pytest.mark.parametrize("tab", ["insert", "check", "sources", "names"])
def test_nothing_is_wider_than_the_pane(pane: Pane, width: int, tab: str) -> None:
    pane.give_book(book())
    pane.size(width, 640)
    pane.find(f"tab-{tab}").click()
    if tab == "insert":
        pane.js("document.getElementById('more').open = true")
        pane.find("function").click()
    if tab == "check":
        pane.find("run-check").click()
        pane.until(lambda: pane.text("findings"))
    if tab == "sources":
        pane.js("document.getElementById('source-name').value = 'H100'")
        pane.js("document.getElementById('source-name').dispatchEvent(new Event('change'))")
        pane.until(lambda: pane.text("source-list"))
    assert pane.js("return document.documentElement.scrollWidth") <= width
    too_wide = "return [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).length"
    assert pane.js(too_wide) == 0


def test_everything_has_a_name_and_enough_contrast(window: tuple[Any, Served]) -> None:
    pane = Pane(*window)
    for scheme in ("light", "dark"):
        pane.open(scheme=scheme)
        unnamed = pane.js("""
          return [...document.querySelectorAll("input, button, [role=tabpanel]")].filter((e) =>
            !(e.labels?.length || e.textContent.trim() || e.getAttribute("aria-labelledby"))).map((e) => e.id)""")
        assert unnamed == []
        described = pane.js("""
          return [...document.querySelectorAll("[aria-describedby], [aria-controls], [aria-labelledby]")].flatMap((e) =>
            ["aria-describedby", "aria-controls", "aria-labelledby"].map((a) => e.getAttribute(a)).filter(Boolean))""")
        assert all(pane.js("return !!document.getElementById(arguments[0])", name) for name in described)
        for front, back in (("text", "page"), ("muted", "page"), ("muted", "raised"), ("accent", "page"), ("accent-text", "accent"),
                            ("error", "error-page"), ("warning", "warning-page"), ("good", "page"), ("text", "pick")):  # fmt: skip
            assert contrast(pane, front, back) >= 4.5, (scheme, front, back)
        assert contrast(pane, "strong", "page") >= 3  # the frame of an input


def contrast(pane: Pane, front: str, back: str) -> float:
    """Return the contrast of two of the style sheet's colours, as WCAG 2 defines it."""

    def light(name: str) -> float:
        text = pane.js("return getComputedStyle(document.documentElement).getPropertyValue(arguments[0])", f"--{name}")
        parts = [int(text.strip()[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(front), light(back)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_picture_of_the_pane(window: tuple[Any, Served]) -> None:
    pane = Pane(*window).open(340, 740)
    pane.until(lambda: pane.text("value").endswith("ms"))
    assert pane.find("put").is_displayed()
    bottom = pane.js("return document.getElementById('put').getBoundingClientRect().bottom")
    assert bottom < 740  # in sight without scrolling
    pane.picture("pane.png")


def test_a_foreign_page_reads_neither_the_token_nor_a_result(window: tuple[Any, Served], tmp_path: Path) -> None:
    """Include the scripts and fetch the page from another origin, in a real browser."""
    opened, served = window
    page = f"""<!doctype html><script src="{served.origin}/functions.js"></script>
      <script src="{served.origin}/pane.html"></script><iframe src="{served.origin}/pane.html"></iframe>"""
    opened.get("data:text/html;base64," + base64.b64encode(page.encode()).decode())
    opened.set_script_timeout(20)
    script = """
    const done = arguments[1], origin = arguments[0];
    const tries = [fetch(origin + "/pane.html"), fetch(origin + "/functions.json"),
      fetch(origin + "/calculate", {method: "POST", headers: {"Content-Type": "application/json", "X-Mlsim-Token": "x"}, body: "{}"}),
      fetch(origin + "/calculate", {method: "POST", body: "{}"})];
    Promise.allSettled(tries).then((r) => done(r.map((t) => t.status).concat(typeof MLSIM, typeof MLSIM_FUNCTIONS)));
    """
    assert opened.execute_async_script(script, served.origin) == ["rejected"] * 4 + ["undefined", "undefined"]
