"""What listeners say sounds more alike: read, kept, compared with, and fitted to.

A judgement is a triplet of track ids in `triplets.csv` of the catalogue: to the `reference`, the
`nearer` one sounds more alike than the `farther` one. Listeners contradict each other and
themselves, so a judgement that contradicts another, or repeats it, is data like any other.
"""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from simlib.artefacts import SimlibError, printable, written_aside
from simlib.catalogue import parsed, refuse
from simlib.evaluate import bootstrap

FILE = "triplets.csv"
COLUMNS = ("reference", "nearer", "farther")
# Of fewer references, no interval is to be believed.
FEWEST = 10
FOLDS = 5
# How strongly the fit is pulled towards the default weights: cross-validation chooses.
PULLS = tuple(10.0**power for power in range(-5, 2))
# Judgements that never contradict the weights would have them grow for ever.
_RIDGE = 1e-6


def read(data, tracks):
    """Read the judgements of a catalogue.

    Parameters
    ----------
    data : path-like
        The folder with `triplets.csv`; it need not have one.
    tracks : pandas.DataFrame
        The recordings that there are.

    Returns
    -------
    triplets : pandas.DataFrame
        Columns `reference, nearer, farther`: track ids, one row a judgement, in the file's order.
    left_out : pandas.DataFrame
        Columns `row, track_id`: the judgements that do not count, since a recording was rejected or
        removed, and which. The file keeps them: another catalogue may have it again.

    Raises
    ------
    SimlibError
        With all problems of the file at once.
    """
    _, rows = read_table(Path(data) / FILE)
    ids = {track_id.strip(): track_id for track_id in tracks["track_id"].to_numpy(dtype=object)}
    triplets, left_out = [], []
    for number, row in rows:
        absent = [row[name] for name in COLUMNS if row[name] not in ids]
        if absent:
            left_out.append((number, absent[0]))
        else:
            triplets.append([ids[row[name]] for name in COLUMNS])
    return (
        pd.DataFrame(triplets, columns=list(COLUMNS), dtype="str"),
        pd.DataFrame(left_out, columns=["row", "track_id"]).astype({"row": int, "track_id": "str"}),
    )


def read_table(path, known=None):
    """Read and check a `triplets.csv`.

    Parameters
    ----------
    path : path-like
        UTF-8, comma-separated, with a header; columns beside the three are kept and mean nothing.
    known : set of str, optional
        The track ids that may be named; any by default.

    Returns
    -------
    header : list of str
        The table's columns; the three, if there is no such file.
    rows : list of (int, dict)
        Number of the row, counted from the header's 1, and column to text.

    Raises
    ------
    SimlibError
        One error that lists every problem found.
    """
    path = Path(path)
    try:
        if not path.is_file():
            return list(COLUMNS), []
        raw = path.read_bytes()
    except OSError as error:
        cause = f"cannot be read ({error.strerror})"
        raise SimlibError(path, cause, "check its permissions and the disk") from None
    header, rows, problems = parsed(raw)
    lacking = [name for name in COLUMNS if header.count(name) != 1]
    problems += [f"there is no column '{name}', or more than one" for name in lacking]
    if not lacking:
        for number, row in rows:
            ids = [row.get(name, "") for name in COLUMNS]
            problems += [f"row {number}{problem}" for problem in _row_problems(ids, known)]
    refuse(path, problems)
    return header, rows


def _row_problems(ids, known):
    if "" in ids:
        return [f" names no '{COLUMNS[ids.index('')]}'"]
    problems = []
    if ids[0] in ids[1:]:
        problems.append(f" compares '{printable(ids[0])}' with itself")
    if ids[1] == ids[2]:
        problems.append(f" has '{printable(ids[1])}' as nearer and as farther")
    strangers = [] if known is None else [i for i in dict.fromkeys(ids) if i not in known]
    return problems + [f": there is no track '{printable(i)}'" for i in strangers]


def append(data, reference, nearer, farther):
    """Add a judgement to a catalogue's `triplets.csv`; the file is made if there is none.

    Parameters
    ----------
    data : path-like
        The catalogue.
    reference, nearer, farther : str
        Track ids.

    Raises
    ------
    SimlibError
        If the three are not three recordings, or the file has problems.
    """
    path, ids = Path(data) / FILE, (reference, nearer, farther)
    problems = _row_problems([track_id.strip() for track_id in ids], None)
    if problems:
        raise SimlibError(path, f"a judgement{problems[0]}", "name three different recordings")
    header, _ = read_table(path)
    before = path.read_bytes() if path.exists() else (",".join(header) + "\n").encode()
    if not before.endswith(b"\n"):
        before += b"\n"
    line = io.StringIO()
    writer = csv.DictWriter(line, header, restval="", lineterminator="\n")
    writer.writerow(dict(zip(COLUMNS, ids, strict=True)))
    # Not in place: the file may be a link into DVC's cache.
    with written_aside(path) as aside, open(aside, "wb") as stream:
        stream.write(before + line.getvalue().encode("utf-8"))
        stream.flush()
        os.fsync(stream.fileno())


def rows_of(triplets, tracks):
    """Find the recordings of judgements in a table.

    Parameters
    ----------
    triplets : pandas.DataFrame
        From `read`.
    tracks : pandas.DataFrame
        Of the catalogue, or of one side of the split.

    Returns
    -------
    numpy.ndarray of int64, shape (n_triplets, 3)
        Rows of `tracks`; judgements with a recording that is not there are left out.
    """
    index = pd.Index(tracks["track_id"].to_numpy(dtype=object))
    columns = [index.get_indexer(triplets[name].to_numpy(dtype=object)) for name in COLUMNS]
    rows = np.stack(columns, axis=1).astype(np.int64)
    return rows[(rows >= 0).all(axis=1)]


def agreement(margin, triplets, settings):
    """Share of the judgements in which the nearer recording is nearer; a tie counts half.

    Parameters
    ----------
    margin : numpy.ndarray of float64, shape (n_triplets,)
        By how much it is more similar to the reference than the farther one.
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)
        From `rows_of`.
    settings : simlib.settings.EvaluateSettings

    Returns
    -------
    dict
        `value`, `low`, `high` and `n`; the interval is over references, see `evaluate.bootstrap`.
    """
    return _interval(_agreed(margin), triplets, settings)


def _agreed(margin):
    return (np.sign(margin) + 1) / 2


def _interval(values, triplets, settings):
    return bootstrap(values, triplets[:, 0], settings.bootstrap, settings.seed)


def margins(parts, triplets):
    """By how much the nearer recording is nearer, part by part.

    Parameters
    ----------
    parts : dict of str to numpy.ndarray of float32, shape (n_tracks, d)
        Unit vectors.
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)

    Returns
    -------
    numpy.ndarray of float64, shape (n_triplets, n_parts)
        cos(reference, nearer) - cos(reference, farther).
    """
    reference, nearer, farther = triplets.T
    return np.stack(
        [
            ((part[nearer] - part[farther]).astype(np.float64) * part[reference]).sum(axis=1)
            for part in parts.values()
        ],
        axis=1,
    )


def fit(parts, triplets, default, settings):
    """Fit the weights of an embedding's parts to judgements.

    The model is Bradley and Terry's (1952) on similarities: a listener calls `nearer` the nearer
    one with probability 1 / (1 + exp(-sum_p b_p x_p)), where x_p is the margin of part p (see
    `margins`), b_p >= 0, and the weights are b / sum(b); the size of b is how sure listeners are.
    The mean logistic loss is convex in b, as in learning a metric from relative comparisons
    (Schultz and Joachims 2003; McFee and Lanckriet 2011), with a weight for each part in place of
    one for each dimension.

    Parts are correlated: where two say the same of all judged triplets, judgements cannot share a
    weight out between them. So the square of b's distance from the direction of the default
    weights, |b - sum(b) default|^2, is added; its strength is chosen by cross-validation over
    references. That is done anew, inside, for each fold that agreement is measured on: no weight
    has seen a judgement on a reference that it is scored on.

    Parameters
    ----------
    parts : dict of str to numpy.ndarray of float32, shape (n_tracks, d)
        Unit vectors.
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)
        From `rows_of`.
    default : dict of str to float
        The weights that the parts have, of sum 1.
    settings : simlib.settings.EvaluateSettings

    Returns
    -------
    dict
        `weights`: by part, of sum 1; `default`, `fitted`: the agreement with the default weights
        and, out of fold, with fitted ones; `gain`: their paired difference; `sentence`: whether it
        is beyond chance. With judgements on fewer than 10 references the default weights stay.
    """
    x, before = margins(parts, triplets), np.array([default[name] for name in parts])
    usual = _agreed(x @ before)
    references = len(np.unique(triplets[:, 0]))
    if references < FEWEST or len(parts) < 2:
        weights, held = before, np.full(len(x), np.nan)
    else:
        folds = _folds(triplets[:, 0])
        held = np.empty(len(x))
        for fold in range(FOLDS):
            learned = _chosen(x[folds != fold], triplets[folds != fold, 0], before)
            held[folds == fold] = _agreed(x[folds == fold] @ learned)
        weights = _chosen(x, triplets[:, 0], before)
    found = {
        "weights": {name: round(float(w), 6) for name, w in zip(parts, weights, strict=True)},
        "default": _interval(usual, triplets, settings),
        "fitted": _interval(held, triplets, settings),
        "gain": _interval(held - usual, triplets, settings),
    }
    return found | {"sentence": _sentence(found, references)}


def _sentence(found, references):
    gain, fitted = found["gain"], found["fitted"]
    if gain["value"] is None:
        reason = (
            f"Judgements on {references} reference(s) are too few to fit weights to, {FEWEST} are "
            "the fewest"
            if references < FEWEST
            else "An embedding of one part has no weights to fit"
        )
        return f"{reason}: the default weights stay."
    side = "beyond chance" if gain["low"] > 0 else "not beyond chance"
    return (
        f"Weights fitted to judgements agree with {fitted['value']:.3f} of those on other "
        f"references, the default ones with {found['default']['value']:.3f}; difference "
        f"{gain['value']:+.3f}, 95% interval {gain['low']:+.3f} to {gain['high']:+.3f}: {side}."
    )


def _folds(references):
    """Deal references out: a fold for each judgement, all on one reference in the same."""
    return np.unique(references, return_inverse=True)[1] % FOLDS


def _chosen(x, references, default):
    """Fit weights with the pull that foretells judgements on other references best."""
    folds, losses = _folds(references), np.zeros(len(PULLS))
    for fold in range(FOLDS):
        learning, held = x[folds != fold], x[folds == fold]
        losses += [-log_expit(held @ _steepness(learning, default, pull)).sum() for pull in PULLS]
    steepness = _steepness(x, default, PULLS[np.argmin(losses)])
    total = steepness.sum()
    # Nothing to go by: judgements speak for no part at all.
    return steepness / total if total > 1e-6 else default


def _steepness(x, default, pull):
    """Minimise the loss of `fit`: float64, shape (n_parts,), none below 0."""
    away = np.eye(len(default)) - default[:, None]
    penalty = pull * away.T @ away + _RIDGE * np.eye(len(default))

    def loss(b):
        agreed = x @ b
        slope = -(expit(-agreed) @ x) / len(x)
        return b @ penalty @ b - log_expit(agreed).mean(), 2 * penalty @ b + slope

    bounds = [(0, None)] * len(default)
    options = {"ftol": 1e-12, "gtol": 1e-8, "maxiter": 1000}
    return minimize(loss, default, jac=True, bounds=bounds, options=options).x
