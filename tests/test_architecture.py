"""Rules of the architecture that import-linter cannot see: lazy names, and what is loaded when."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simlib.index import save_projection

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "simlib"
MODULES = sorted(PACKAGE.rglob("*.py"))
SUBPACKAGES = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
# A folder inside a subpackage has a public interface, too.
INNER = sorted(path.parent for path in PACKAGE.glob("*/*/__init__.py"))
# Nothing of these is needed to print a help text or to check parameters.
HEAVY = ("torch", "faiss", "librosa", "pandas", "sklearn", "matplotlib")
# Nothing of these is needed to search with a track of the catalogue, or by words.
SLOW = ("torch", "librosa", "sklearn", "scipy.stats", "matplotlib.pyplot")


def of_path(path):
    """Name a module by its path below the package."""
    return path.relative_to(PACKAGE).as_posix()


def imports(tree):
    """Yield (module, names) of every import in a module, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), tuple(alias.name for alias in node.names)


def problems(path, text):
    """Return the rules that a module's imports break."""
    own = path.relative_to(PACKAGE).parts[0]
    found = []
    for module, names in imports(ast.parse(text)):
        parts = module.split(".")
        if module.startswith("."):
            found.append(f"{of_path(path)}: relative import of {module}; name it in full")
        elif module == "simlib":
            found.append(f"{of_path(path)}: imports the package's own root; import a subpackage")
        elif parts[0] == "simlib" and len(parts) > 2 and parts[1] != own:
            found.append(f"{of_path(path)}: {module} is past simlib.{parts[1]}'s public interface")
        elif parts[0] == "simlib" and len(parts) == 2 and parts[1] == own:
            found.append(
                f"{of_path(path)}: inside {own}, import from the module, not the subpackage"
            )
        if own not in ("reporting", "app") and (
            module.startswith("librosa.display") or module == "librosa" and "display" in names
        ):
            found.append(f"{of_path(path)}: librosa.display belongs in reporting")
    return found


def test_modules_keep_to_the_public_interfaces():
    found = [problem for path in MODULES for problem in problems(path, path.read_text("utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("import simlib", "own root"),
        ("from simlib import training", "own root"),
        ("def f():\n    import simlib", "own root"),
        ("import simlib.training.fit", "public interface"),
        ("from simlib.training.fit import train", "public interface"),
        ("from simlib.model import Embedder", "not the subpackage"),
        ("from .segments import cut_segment", "relative"),
        ("import librosa.display", "reporting"),
        ("from librosa import display", "reporting"),
    ],
)
def test_each_rule_is_noticed(line, complaint):
    [found] = problems(PACKAGE / "model" / "embedder.py", line)
    assert complaint in found


def test_every_folder_with_modules_is_a_subpackage_with_a_docstring_and_a_stub():
    folders = {path.parent for path in MODULES} - {PACKAGE}
    assert folders == set(SUBPACKAGES) | {f for f in folders if f.parent in SUBPACKAGES}
    for folder in folders:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))), folder
        assert (folder / "__init__.pyi").is_file(), folder
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "cli.py"}


@pytest.mark.parametrize("folder", SUBPACKAGES + INNER, ids=of_path)
def test_no_module_has_the_name_of_a_public_name(folder):
    stub = ast.parse((folder / "__init__.pyi").read_text("utf-8"))
    names = {a.name for node in stub.body if isinstance(node, ast.ImportFrom) for a in node.names}
    assert not names & {path.stem for path in folder.glob("*.py")}


@pytest.mark.parametrize("folder", SUBPACKAGES + INNER, ids=of_path)
def test_a_subpackages_names_exist_and_have_one_home(folder):
    stub = ast.parse((folder / "__init__.pyi").read_text("utf-8"))
    for node in stub.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        tree = ast.parse((folder / f"{node.module.replace('.', '/')}.py").read_text("utf-8"))
        defined = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        defined |= {n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        assert {alias.name for alias in node.names} <= defined, (folder.name, node.module)
    name = ".".join(("simlib", *folder.relative_to(PACKAGE).parts))
    line = f"import {name} as s; assert s.__all__; [getattr(s, n) for n in s.__all__]"
    subprocess.run([sys.executable, "-c", line], check=True)


def loaded(line, names, folder=ROOT):
    """Run a line of Python in a process of its own; return which of some modules it loaded."""
    lines = [
        "import sys",
        "try:",
        f"    {line}",
        "except SystemExit as stop:",
        "    print('code', stop.code)",
        f"print([name for name in {names!r} if name in sys.modules])",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def command(*arguments):
    """Return the line that runs a command of simlib."""
    return f"sys.argv = ['simlib', *{arguments!r}]; import simlib.cli; simlib.cli.main()"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["query", "--help"], ["check"], ["query", "--no-such-option"]]
)
def test_the_command_line_answers_without_loading_what_it_does_not_need(arguments):
    found, output = loaded(command(*arguments), HEAVY)
    assert not found, output


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["query", "s03", "-k", "3"], "\n   3 "),
        (["query", "no-such-track"], "is neither a track id of the catalogue nor a file"),
        (["query", "--words", "calm", "-k", "3"], "fits better than: calm"),
    ],
)
def test_a_search_in_the_catalogue_loads_no_network(built, arguments, answer):
    found, output = loaded(command(*arguments), SLOW, built.root)
    assert answer in output
    assert not found, output


def test_the_search_page_opens_without_network_and_reports(built, tmp_path):
    root = shutil.copytree(built.root, tmp_path / "project")
    plane = np.zeros((12, 2), dtype=np.float32)
    save_projection(plane, built.index.neighbours.keys, root / "index")
    line = "import simlib; panel = simlib.app.SearchPanel(); print(len(panel.searcher.tracks))"
    found, output = loaded(line, (*SLOW, "nbconvert", "nbformat", "seaborn"), root)
    assert output.splitlines()[0] == "12"
    assert not found, output


def test_cards_of_backbones_load_no_network():
    line = (
        "import sys; from simlib.features import SHIPPED; "
        "from simlib.features.backbones import load_card; [load_card(name) for name in SHIPPED]; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", line], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def public_functions():
    """Yield (name, function node) of every public function and method of the subpackages."""
    for folder in SUBPACKAGES + INNER:
        stub = ast.parse((folder / "__init__.pyi").read_text("utf-8"))
        homes = {
            alias.name: node.module
            for node in stub.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for name, module in homes.items():
            tree = ast.parse((folder / f"{module.replace('.', '/')}.py").read_text("utf-8"))
            for node in tree.body:
                if getattr(node, "name", None) != name:
                    continue
                if isinstance(node, ast.FunctionDef):
                    yield f"{folder.name}.{name}", node
                for method in getattr(node, "body", []):
                    own = isinstance(node, ast.ClassDef) and isinstance(method, ast.FunctionDef)
                    if own and (method.name == "__init__" or not method.name.startswith("_")):
                        yield f"{folder.name}.{name}.{method.name}", method


def test_public_functions_are_annotated():
    missing = []
    for name, function in public_functions():
        arguments = function.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        missing += [
            f"{name}({argument.arg})"
            for argument in named
            if argument.annotation is None and argument.arg not in ("self", "cls")
        ]
        if function.returns is None and function.name != "__init__":
            missing.append(f"{name} -> ?")
    assert not missing, "\n".join(missing)
