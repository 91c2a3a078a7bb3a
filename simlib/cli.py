"""The command line: arguments to calls, errors to one line and exit code 2."""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

# Each loads what it holds when it is used: help and checks stay fast.
import simlib.evaluation as evaluation
import simlib.features as features
import simlib.index as index
import simlib.relevance as relevance
import simlib.reporting as reporting
import simlib.search as search
import simlib.training as training
from simlib.core import Project, SimlibError, printable, written_aside

if TYPE_CHECKING:
    from simlib.core import Section

app = typer.Typer(
    help="Find songs that sound alike.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip

OptionalQuery = Annotated[str | None, typer.Argument(help="An audio file, or a track id.")]
WordsOption = Annotated[
    str | None, typer.Option(help="In place of a query: 'female vocals, slow'.")
]
LengthOption = Annotated[int, typer.Option("-k", help="Length of the list.")]
WeightOption = Annotated[
    list[str] | None, typer.Option("-w", help="ASPECT=NUMBER: how much an aspect counts.")
]
M3uOption = Annotated[Path | None, typer.Option(help="Write a playlist, too.")]
CsvOption = Annotated[Path | None, typer.Option(help="Write a table for spreadsheets, too.")]
TrackArgument = Annotated[str, typer.Argument(help="A track id.")]


@app.command()
def query(  # noqa: PLR0913 - each parameter is an option of the command line
    query: OptionalQuery = None,
    k: LengthOption = 10,
    words: WordsOption = None,
    weight: WeightOption = None,
    start: Annotated[float | None, typer.Option(help="Seconds of the query: from,")] = None,
    end: Annotated[float | None, typer.Option(help="and to.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="genre=Jazz, artist!=Miles Davis, bpm=90..110.")
    ] = None,
    own_artist: Annotated[
        bool,
        typer.Option("--own-artist", help="Also list the query's own artist, and several of one."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    m3u: M3uOption = None,
    csv: CsvOption = None,
):
    """Rank the catalogue by similarity to a query, or by words."""
    _check_query(query, words)
    per_artist = None if own_artist else 1
    if words is not None:
        if weight or start is not None or end is not None:
            cause = "have neither aspects nor seconds"
            raise SimlibError("words", cause, "leave out --weight, --start and --end")
        searcher = search.Searcher()
        found = searcher.query_words(words, k, where or (), per_artist)
        _write_lists(searcher, found, m3u, csv)
        _print_words(found, as_json)
        return
    weights = dict(map(_weight, weight or []))
    searcher = search.Searcher()
    found = searcher.query(
        query, k, weights, start=start, end=end, where=where or (), own_artist=own_artist,
        per_artist=per_artist,
    )  # fmt: skip
    _write_lists(searcher, found, m3u, csv)
    if found.attrs["no_close_match"]:
        print("simlib: nothing in the catalogue is similar to this", file=sys.stderr)
    if found.empty:
        others = "other recording" if own_artist else "recording by another artist"
        hint = "" if own_artist else "; --own-artist lists those of the query's artist"
        print(f"simlib: no {others} meets the conditions{hint}", file=sys.stderr)
    if as_json:
        _print_json(found)
        return
    width = max(20, shutil.get_terminal_size().columns - 67)
    ids = [printable(track_id) for track_id in found["track_id"]]
    longest = max(map(len, ids), default=8)
    print(f"rank  closer than   seconds    of query  {'track':<{longest}}  title – artist")
    for row, track_id in zip(found.itertuples(), ids, strict=True):
        name = printable(reporting.title_and_artist(row.title, row.artist))[:width]
        same = f"  ({search.sameness(row)})" if row.same_seconds else ""
        seconds = f"{row.start:.0f}–{row.end:.0f}"
        of_query = f"{row.query_start:.0f}–{row.query_end:.0f}"
        score = f"{row.rank:>4}  {row.closer_than:>10.1f}%  {seconds:>8}  {of_query:>10}"
        print(f"{score}  {track_id:<{longest}}  {name}{same}")
        _print_auto_tags(row)


def _write_lists(searcher, found, m3u, csv):
    """Write a list to the files that are asked for."""
    if m3u is not None:
        searcher.to_m3u(found, m3u)
        print(f"simlib: {m3u}: a playlist of {len(found)} tracks", file=sys.stderr)
    if csv is not None:
        search.write_csv(found, csv)
        print(f"simlib: {csv}: a table of {len(found)} rows", file=sys.stderr)


@app.command()
def path(
    first: TrackArgument,
    last: TrackArgument,
    steps: Annotated[int, typer.Option(help="Steps of the path.")] = 8,
    weight: WeightOption = None,
    m3u: M3uOption = None,
    csv: CsvOption = None,
):
    """Make a playlist from one track of the catalogue to another."""
    searcher = search.Searcher()
    found = searcher.path(first, last, steps, dict(map(_weight, weight or [])))
    _show_playlist(searcher, found, m3u, csv)


@app.command()
def radio(
    seed: TrackArgument,
    length: Annotated[int, typer.Option(help="Tracks after the first.")] = 20,
    weight: WeightOption = None,
    m3u: M3uOption = None,
    csv: CsvOption = None,
):
    """Make a playlist around one track of the catalogue."""
    searcher = search.Searcher()
    found = searcher.radio(seed, length, dict(map(_weight, weight or [])))
    _show_playlist(searcher, found, m3u, csv)


def _show_playlist(searcher, found, m3u, csv):
    """Print a playlist, and write it to the files that are asked for."""
    _write_lists(searcher, found, m3u, csv)
    ids = [printable(track_id) for track_id in found["track_id"]]
    longest = max(map(len, ids))
    print(f"step  {'track':<{longest}}  title – artist")
    for row, track_id in zip(found.itertuples(), ids, strict=True):
        name = printable(reporting.title_and_artist(row.title, row.artist))
        print(f"{row.step:>4}  {track_id:<{longest}}  {name}")


def _check_query(query, words):
    if (query is None) == (words is None):
        hint = "give a track id, an audio file or --words"
        raise SimlibError("query", "is needed, or words, and not both", hint)


def _print_words(found, as_json):
    """Print a list that words were ranked by."""
    if found.empty:
        print("simlib: no recording meets the conditions and fits these words", file=sys.stderr)
    if as_json:
        _print_json(found)
        return
    ids = [printable(track_id) for track_id in found["track_id"]]
    longest = max(map(len, ids), default=8)
    print(f"rank   seconds  {'track':<{longest}}  title – artist")
    for row, track_id in zip(found.itertuples(), ids, strict=True):
        name = printable(reporting.title_and_artist(row.title, row.artist))
        seconds = f"{row.start:.0f}–{row.end:.0f}"
        print(f"{row.rank:>4}  {seconds:>8}  {track_id:<{longest}}  {name}")
        fits = ", ".join(f"{printable(word)} {share:.0f}%" for word, share in row.why.items())
        print(f"      fits better than: {fits}")
        _print_auto_tags(row)


def _print_json(found):
    print(json.dumps(found.to_dict("records"), ensure_ascii=False, indent=2))


def _print_auto_tags(row):
    if row.auto_tags:
        print(f"      automatic tags: {row.auto_tags}")


def _weight(text):
    """Read `ASPECT=NUMBER`."""
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise SimlibError(f"weight '{text}'", "is no ASPECT=NUMBER", "try -w tempo=0.5") from None


@app.command()
def embed(
    paths: Annotated[list[Path], typer.Argument(help="Audio files, or folders of them.")],
    out: Annotated[Path, typer.Option(help="The .npz file to write: ids, emb, sim.")],
    weights: Annotated[
        Path | None, typer.Option(help="Weights; models/, else pretrained/.")
    ] = None,
    backbone: Annotated[
        Path | None, typer.Option(help="In place of the model: a network in ONNX, or its card.")
    ] = None,
    card: Annotated[Path | None, typer.Option(help="The card of the backbone.")] = None,
):
    """Embed audio files with the model, or with a backbone alone."""
    import numpy as np

    arrays, failed = search.embed(paths, weights, backbone=backbone, card=card)
    for error in failed:
        print(f"simlib: left out: {error}", file=sys.stderr)
    if not len(arrays["ids"]):
        cause = f"none of the {len(failed)} could be embedded"
        raise SimlibError("files", cause, "see the lines above")
    if out.suffix != ".npz":
        out = out.with_name(f"{out.name}.npz")
    with written_aside(out) as aside:
        np.savez(aside, **arrays)  # type: ignore[arg-type]
    print(f"{len(arrays['ids'])} embedded, {len(failed)} left out: {out}")


@app.command()
def catalogue(source: Annotated[Path, typer.Argument(help="A folder of music.")]):
    """Import a folder of music into data/, in place of what is there."""
    from simlib.catalogue import import_folder

    taken, rejected = import_folder(source, Project.find().data)
    print(f"{taken} recordings imported into data/, {rejected} entries listed in data/rejected.csv")


@app.command()
def pretrain(epochs: Annotated[int | None, typer.Option(help="In place of train.epochs.")] = None):
    """Train on all of data/ the weights that come with simlib, pretrained/."""
    project = Project.find()
    section = project.params()["train"]
    settings = training.TrainSettings.of(section | ({"epochs": epochs} if epochs else {}))
    checkpoint = project.checkpoints / "pretrained.safetensors"
    store = features.FeatureStore(project.features)
    model, provenance = training.pretrain(store, settings, checkpoint)
    model.save(project.pretrained_weights, **provenance)
    count = len(provenance["learned_from"])
    print(f"{project.pretrained_weights}: learned from {count} recordings")


@app.command()
def compare(
    file: Annotated[Path, typer.Argument(help="An .npz with ids and emb, or ids and sim.")],
):
    """Add another system to the evaluation: copies its file into comparisons/."""
    copy = evaluation.add_comparison(file, Project.find().comparisons)
    print(f"{copy.parent.name}/{copy.name} joins the next evaluation: make repro")


@app.command()
def fetch_index(
    revision: Annotated[str, typer.Argument(help="A revision of the project, as git names it.")],
):
    """Fetch the index of an earlier revision, for 'make changes' to compare with."""
    root, folder = Project.find().root, evaluation.BEFORE_FOLDER
    commit = evaluation.fetch_index(root, revision, root / folder)
    print(f"{folder}: the index of {revision} ({commit[:7]})")


@app.command()
def report(
    notebook: Annotated[Path, typer.Argument(help="An executed notebook.")],
    page: Annotated[Path, typer.Argument(help="The HTML file to write.")],
):
    """Turn an executed notebook into one HTML page without code, kernel or network."""
    reporting.export_report(notebook, page)


@app.command()
def strip(
    notebooks: Annotated[list[Path], typer.Argument(help="Notebooks.")],
    into: Annotated[Path, typer.Option(help="The folder of the copies.")],
):
    """Copy notebooks without outputs and editors' notes, for the stages to depend on."""
    for notebook in notebooks:
        reporting.strip_notebook(notebook, into / notebook.name)


@app.command()
def evaluation_notebook():
    """Print the notebook of the evaluation: another one if the catalogue is too small for it."""
    project = Project.find()
    tracks = features.FeatureStore(project.features).tracks()
    split = relevance.SplitSettings.of(project.params()["split"])
    small = evaluation.unmeasurable(tracks, relevance.split_artists(tracks, split))
    print(f"notebooks/.stripped/{'overview' if small else 'evaluate'}.ipynb")


@app.command()
def query_report(query: OptionalQuery = None, k: LengthOption = 10, words: WordsOption = None):
    """Answer a query, or words, on one page to listen to and to mail, reports/query.html."""
    _check_query(query, words)
    project = Project.find()
    name = "query_report" if words is None else "words_report"
    executed = project.reports / "notebooks" / f"{name}.ipynb"
    asked = {"query": query} if words is None else {"words": words}
    parameters = {**asked, "k": k}
    reporting.execute_notebook(project.notebooks / executed.name, executed, parameters)
    reporting.export_report(executed, project.reports / "query.html", "query-page")


def sections() -> "dict[str, type[Section]]":
    """Return the settings of each section of params.yaml."""
    return {settings.section: settings for settings in (
        features.ExtractSettings, relevance.SplitSettings, training.TrainSettings,
        index.IndexSettings, search.SearchSettings, evaluation.EvaluateSettings,
    )}  # fmt: skip


@app.command()
def check():
    """Check params.yaml, section by section."""
    content, known = Project.find().params(), sections()
    for name in content:
        if name not in known:
            raise SimlibError("params.yaml", f"unknown section '{name}'", "take it out")
    for name, section in known.items():
        section.of(content.get(name))


def main():
    """Run the command line; an error that the user can correct is one line and exit code 2."""
    try:
        app()
    except SimlibError as error:
        print(f"simlib: {error}", file=sys.stderr)
        sys.exit(2)
