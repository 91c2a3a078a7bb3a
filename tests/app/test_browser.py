"""The search notebook as people meet it: in JupyterLab, and as the page that `make app` serves."""

import http.client
import socket
from urllib.parse import urlsplit

import numpy as np
import pytest
import samples
from browser import HOSTILE
from playwright.sync_api import expect

pytest_plugins = ["browser"]


def lines(tab):
    """The lines of the list that is shown."""
    return tab.page.locator(".widget-hbox:has(> .widget-html .simlib-result)")


def choose(tab, name):
    choice = tab.page.get_by_role("combobox", name="Track")
    # The list that drops down is the browser's own, and a headless one shows none.
    choice.fill("")
    choice.press_sequentially(name)
    choice.press("Enter")
    title = name.partition(" [")[0]
    tab.page.locator(".simlib-panel h3").get_by_text(title, exact=True).wait_for()
    # The last to come are the players.
    lines(tab).last.locator("audio").wait_for()


def settled(tab, before):
    """Wait until the list is another one; return its texts."""
    for _ in range(100):
        now = lines(tab).all_inner_texts()
        if now != before:
            return now
        tab.page.wait_for_timeout(100)
    raise AssertionError("the list has not changed")


def test_a_track_is_chosen_by_typing_and_a_result_plays(tab):
    choose(tab, "Song 3 – Artist 1 [s03]")
    assert lines(tab).count() == 6, "one by each other artist"
    assert tab.play(lines(tab).first.locator("audio")) > 0.3


def test_seconds_are_dragged_over_the_picture_or_moved_by_keys(tab):
    choose(tab, "Song 3 – Artist 1 [s03]")
    before = lines(tab).all_inner_texts()
    readout = tab.page.locator(".simlib-panel .widget-readout").first
    assert readout.inner_text() == "0.0 – 2.8"
    box = tab.page.locator(".bqplot .overlay").first.bounding_box()
    across = [box["x"] + box["width"] * share for share in (0.3, 0.4, 0.5, 0.6, 0.7)]
    tab.page.mouse.move(across[0], box["y"] + 40)
    tab.page.mouse.down()
    for x in across[1:]:
        tab.page.mouse.move(x, box["y"] + 40)
    tab.page.mouse.up()
    after = settled(tab, before)
    start, end = (float(seconds) for seconds in readout.inner_text().split(" – "))
    assert (start, end) == (pytest.approx(0.8, abs=0.15), pytest.approx(1.9, abs=0.15))
    handle = tab.page.locator(".simlib-panel .noUi-handle").first
    handle.focus()
    for _ in range(3):
        handle.press("ArrowLeft")
    settled(tab, after)
    assert float(readout.inner_text().split(" – ")[0]) < start
    tab.page.get_by_role("button", name="All of it").click()
    expect(readout).to_have_text("0.0 – 2.8")


def test_a_slider_and_a_filter_change_the_list(tab):
    choose(tab, "Song 3 – Artist 1 [s03]")
    before = lines(tab).all_inner_texts()
    tab.page.get_by_text("Aspects and conditions").click()
    handle = tab.page.locator(".simlib-panel .jp-Collapse .noUi-handle, .simlib-panel "
                              ".widget-accordion .noUi-handle").first  # fmt: skip
    handle.focus()
    for _ in range(4):
        handle.press("ArrowRight")
    settled(tab, before)
    only = tab.page.get_by_placeholder("column=value")
    only.fill("genre=drums")
    only.press("Enter")
    expect(lines(tab)).to_have_count(2)
    found = lines(tab).all_inner_texts()
    assert all("drums" in text for text in found)
    only.fill("gender=drums")
    only.press("Enter")
    tab.page.get_by_text("there is no column 'gender'").wait_for()
    only.fill("")
    only.press("Enter")
    expect(lines(tab)).to_have_count(6)
    tab.page.get_by_text("Aspects and conditions").click()


def test_the_map_shows_a_track_and_a_click_plays_it_and_searches_with_it(tab):
    choose(tab, "Song 3 – Artist 1 [s03]")
    before = lines(tab).all_inner_texts()
    dot = tab.page.locator(".bqplot .dot").nth(8)
    dot.scroll_into_view_if_needed()
    dot.hover()
    tip = tab.page.locator(".bqplot_tooltip_div, .tooltip_div").filter(has_text="Song 8")
    tip.wait_for()
    dot.click()
    settled(tab, before)
    expect(tab.page.locator(".simlib-panel h3").first).to_contain_text("Song 8")
    tab.page.wait_for_function(
        "() => document.querySelector('.simlib-panel audio').currentTime > 0.1"
    )


def test_a_thumb_is_written_down(tab):
    file = tab.project / "data" / "triplets.csv"
    file.unlink(missing_ok=True)
    choose(tab, "Song 5 – Artist 2 [s05]")
    second = lines(tab).nth(1)
    second.locator("button:has(.fa-thumbs-up)").click()
    for _ in range(50):
        if file.exists():
            break
        tab.page.wait_for_timeout(100)
    first, second = (text.split()[1:3] for text in lines(tab).all_inner_texts()[:2])
    ids = ["s" + words[1].zfill(2) for words in (second, first)]
    assert file.read_text() == f"reference,nearer,farther\ns05,{','.join(ids)}\n"


def test_names_full_of_script_run_nothing(tab):
    """Track s11 is called so in the project that is served; see `browser.HOSTILE`."""
    choose(tab, "Song 10 – Artist 5 [s10]")
    name = tab.page.get_by_text(HOSTILE).first
    tab.page.get_by_role("button", name="Radio").click()
    name.wait_for()
    dot = tab.page.locator(".bqplot .dot").nth(11)
    dot.scroll_into_view_if_needed()
    dot.hover()
    tab.page.wait_for_timeout(500)
    dot.click()
    tab.page.locator(".simlib-panel h3").get_by_text(HOSTILE).first.wait_for()
    assert tab.page.evaluate("window.hurt") is None
    assert tab.page.locator(".simlib-panel img[src=x]").count() == 0


def test_a_file_of_more_than_10_mb_is_taken(tab, tmp_path):
    sound = np.tile(samples.chord(1.0, rate=44100), 70)
    path = samples.write(tmp_path / "long.wav", np.stack([sound] * 2, axis=1), 44100)
    assert path.stat().st_size > 12e6
    with tab.page.expect_file_chooser() as chosen:
        tab.page.get_by_role("button", name="or a file").click()
    chosen.value.set_files(path)
    tab.page.get_by_text("long.wav").first.wait_for()


def test_the_page_shows_no_code(tab):
    shown = tab.page.get_by_text("simlib.app.SearchPanel").count()
    assert (shown > 0) == (tab.frontend == "lab")


def test_the_page_is_for_this_machine_alone(voila_server):
    port = urlsplit(voila_server).port
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=5):
        pass
    # A page elsewhere whose name leads to this machine, for a browser that has come by it.
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/", headers={"Host": f"elsewhere.example:{port}"})
    assert connection.getresponse().status == 403
