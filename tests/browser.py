"""The search notebook in JupyterLab and on the Voila page, in a headless Chromium."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, sync_playwright

from simlib.index import project_to_plane, save_projection

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = "search.ipynb"
# The title, artist and genre of a track.
HOSTILE = '<img src=x onerror="window.hurt = 1"><script>window.hurt = 2</script>'
# Seconds; a kernel on a busy machine takes its time to import all that it needs.
PATIENCE = 120
ARGUMENTS = [
    "--autoplay-policy=no-user-gesture-required",
    # What needs a network fails here as it does on a machine that has none.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
RUN_ALL = """() => {
  const panel = jupyterapp.shell.currentWidget;
  panel.sessionContext.ready.then(() => jupyterapp.commands.execute("notebook:run-all-cells"));
}"""
# What a page of Voila leaves running when it is closed.
SHUT_DOWN = """async () => {
  const config = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  document.cookie = "_xsrf=closing";
  await fetch(`/voila/api/shutdown/${config.kernelId}`,
    {method: "POST", headers: {"X-XSRFToken": "closing"}});
}"""


class Tab:
    """The notebook, run, in one tab of the browser.

    Attributes
    ----------
    page : playwright.sync_api.Page
    frontend : str
        `lab` or `voila`.
    project : pathlib.Path
        The project that is served.
    troubles : list of str
        What went wrong so far, in the page or in its kernel: none of it shows in the page.
    """

    def __init__(self, page: Page, frontend, project):
        self.page, self.frontend, self.project = page, frontend, project
        self.troubles = []
        page.set_default_timeout(30_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("requestfinished", self._request)
        page.on("requestfailed", self._request)
        page.on("websocket", lambda socket: socket.on("framereceived", self._frame))

    def _console(self, message):
        if message.type == "error" and "fontawesome" not in message.text:
            self.troubles.append(f"console: {message.text}")

    def _request(self, request):
        # Voila's own template asks a server for icons that it has anyway; its policy forbids it.
        if request.failure == "csp":
            return
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.troubles.append(f"a request to {request.url}")

    def _frame(self, payload):
        content = payload.encode() if isinstance(payload, str) else payload
        if (at := content.find(b'"ename"')) >= 0:
            said = content[at : at + 2000].decode(errors="replace")
            self.troubles.append(f"kernel: {said}")

    def play(self, audio):
        """Press play on a player; return the seconds that it has played after a while."""
        audio.wait_for()
        height = audio.bounding_box()["height"]
        audio.click(position={"x": height / 2, "y": height / 2})
        started = audio.evaluate("player => player.currentTime")
        self.page.wait_for_timeout(1000)
        return audio.evaluate("player => player.currentTime") - started


# --- servers -------------------------------------------------------------------------------


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _serving(project, home, port, probe, *words):
    """Run `make WORDS` in a project, with a home of Jupyter's own, until the block ends."""
    # A screen, too: there make would open a browser.
    forgotten = (
        "JUPYTER", "IPYTHON", "MPLBACKEND", "MAKE", "MFLAGS", "DISPLAY", "WAYLAND_DISPLAY",
    )  # fmt: skip
    ours = {k: v for k, v in os.environ.items() if not k.startswith(forgotten)}
    places = {
        "JUPYTER_CONFIG_DIR": home,
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
    }
    with (home / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            # As if the environment were just installed: it is the one that runs the tests.
            ["make", "--old-file=.venv/.ready", *words], cwd=project, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env=ours | {k: str(v) for k, v in places.items()} | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/{probe}", process, home / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        # The whole group: make dies of a signal and would leave the server behind.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(address, process, log):
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(urllib.error.URLError):
            return urllib.request.urlopen(address, timeout=5).close()
        time.sleep(0.1)
    return pytest.fail(f"the server does not come up:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="session")
def served(built, tmp_path_factory):
    """The folder of a small project, with its notebooks, that may be changed."""
    folder = tmp_path_factory.mktemp("served") / "project"
    shutil.copytree(built.root, folder)
    plane = project_to_plane(built.index.vectors(), built.index.settings.map)
    save_projection(plane, built.index.neighbours.keys, folder / "index")
    table = folder / "index" / "tracks.parquet"
    tracks = pd.read_parquet(table)
    tracks.loc[11, ["title", "artist", "genre"]] = HOSTILE
    tracks.to_parquet(table, index=False)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


@pytest.fixture(scope="session")
def lab_server(chromium, served, tmp_path_factory):
    """The address of JupyterLab as `make lab` starts it, without a token."""
    home, port = tmp_path_factory.mktemp("lab"), _free_port()
    settings = {
        "ServerApp": {"port": port, "port_retries": 0, "open_browser": False, "allow_root": True},
        "IdentityProvider": {"token": ""},
        "LabApp": {"expose_app_in_browser": True},
    }
    (home / "jupyter_lab_config.json").write_text(json.dumps(settings))
    with _serving(served, home, port, "api", "lab") as address:
        yield address


@pytest.fixture(scope="session")
def voila_server(chromium, served, tmp_path_factory):
    """The address of the page as `make app` serves it."""
    home, port = tmp_path_factory.mktemp("voila"), _free_port()
    with _serving(served, home, port, "voila/static/voila.js", "app", f"PORT={port}") as address:
        yield address


# --- the browser ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium():
    """The path of Debian's Chromium; without one, its tests are skipped."""
    path = shutil.which("chromium")
    if path is None:
        # .ci/run installs one, and there nothing may be skipped.
        stop = pytest.fail if os.environ.get("SIMLIB_NEEDS_BROWSER") else pytest.skip
        stop("there is no chromium on this machine's PATH")
    return path


@pytest.fixture(scope="module")
def chrome(chromium):
    """A headless browser. Not for longer than a module: meanwhile no test can run asyncio."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["lab", "voila"])
def opened(request, chrome, served):
    """The notebook in either front end, all of it run; one tab for the tests of a module."""
    frontend = request.param
    address = request.getfixturevalue(f"{frontend}_server")
    tab = Tab(chrome.new_page(viewport={"width": 1280, "height": 1000}), frontend, served)
    if frontend == "lab":
        tab.page.goto(f"{address}/lab/tree/{NOTEBOOK}")
        tab.page.locator(".jp-Notebook").wait_for()
        tab.page.evaluate(RUN_ALL)
    else:
        tab.page.goto(address, timeout=1000 * PATIENCE)
    panel = tab.page.locator(".simlib-panel")
    failure = tab.page.get_by_text("There was an error when executing").or_(
        tab.page.locator("[data-mime-type='application/vnd.jupyter.error']")
    )
    panel.or_(failure).first.wait_for(timeout=1000 * PATIENCE)
    if panel.count() == 0:
        pytest.fail(f"no panel: {tab.page.locator('body').inner_text()[-4000:]}")
    yield tab
    if frontend == "lab":
        tab.page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
    else:
        tab.page.evaluate(SHUT_DOWN)
    tab.page.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory):
    """The folder with a picture of what each test has left on the page."""
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture
def tab(request, opened, screenshots):
    """The tab of the module; afterwards nothing may have gone wrong in it unseen."""
    yield opened
    opened.page.screenshot(path=screenshots / f"{request.node.name}.png")
    troubles, opened.troubles = opened.troubles, []
    assert troubles == []
