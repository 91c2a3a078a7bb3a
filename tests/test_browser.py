"""The search notebook as people meet it: in JupyterLab, and as the page that `make app` serves."""

import http.client
import socket
from urllib.parse import urlsplit

import numpy as np
import pytest
import samples

pytest_plugins = ["browser"]


def test_a_track_is_chosen_by_typing_and_a_result_plays(tab):
    choice = tab.page.get_by_role("combobox", name="Track")
    # The list that drops down is the browser's own, and a headless one shows none.
    choice.press_sequentially("Song 3 – Artist 1 [s03]")
    choice.press("Enter")
    line = tab.page.locator(".widget-hbox:has(> .widget-html .simlib-result)").first
    assert tab.play(line.locator("audio")) > 0.3


def test_a_file_of_more_than_10_mb_is_taken(tab, tmp_path):
    sound = np.tile(samples.chord(1.0, rate=44100), 70)
    path = samples.write(tmp_path / "long.wav", np.stack([sound] * 2, axis=1), 44100)
    assert path.stat().st_size > 12e6
    with tab.page.expect_file_chooser() as chosen:
        tab.page.get_by_role("button", name="or a file").click()
    chosen.value.set_files(path)
    tab.page.get_by_text("long.wav").first.wait_for()


def test_the_page_shows_no_code(tab):
    shown = tab.page.get_by_text("from simlib").count()
    assert (shown > 0) == (tab.frontend == "lab")


def test_the_page_is_for_this_machine_alone(voila_server):
    port = urlsplit(voila_server).port
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=5):
        pass
    # A page elsewhere whose name leads to this machine, for a browser that has come by it.
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/", headers={"Host": f"elsewhere.example:{port}"})
    assert connection.getresponse().status == 403
