"""The shape of the code: who may import whom, how long a file may be, who may print. Read from the source itself."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import dedup

PACKAGE = Path(dedup.__file__).parent
LONGEST_FILE = 400

#: Floors from the ground up. A module imports from the floors below its own and, on its own floor, nothing but what
#: ``BESIDE`` grants. A folder is one module here; ``kernels`` and ``readers`` have rules of their own inside.
FLOORS = [
    {"errors", "schema", "config", "bands", "version", "folding", "stems", "background", "counts_file"},
    {"kernels"},
    {"archive", "buffers", "durable", "lock", "pairs", "peak", "remote", "remote_errors", "spill", "threads"},
    {
        "agencies", "candidates", "canonicals", "commonness", "continuity", "cues", "documents", "facts", "groups", "keywords", "leads", "lines",
        "matches", "page_ids", "pages", "phrases", "postings", "profiles", "readers", "shingles", "signatures", "spellings", "stories", "texts", "upload", "vectors",
        "words",
    },
    {"copies", "events", "fingerprint", "headlines", "idf", "recall", "storybook", "tables"},
    {
        "chronicle", "corpus", "doubts", "earlier", "forms", "identity", "index", "inspection", "parts", "pipeline", "remote_workspace",
        "result", "saved", "workspace",
    },
    {"cli", "serve"},
    {"__init__", "__main__"},
]  # fmt: skip

#: What a module may import from its own floor.
BESIDE = {
    "config": {"bands", "errors", "version"},
    "bands": {"errors"},
    "background": {"counts_file"},
    "counts_file": {"errors", "folding", "stems"},
    # One stage in five files: page -> documents.
    "cues": {"spellings"},
    "lines": {"cues", "spellings"},
    "pages": {"cues", "lines"},
    "agencies": {"spellings"},
    "documents": {"agencies", "pages"},
    # Matches weigh what is common; keywords are words as texts fold them.
    "matches": {"commonness"},
    "keywords": {"phrases", "texts", "words"},
    "leads": {"profiles", "words"},
    "words": {"texts"},
    "copies": {"fingerprint", "headlines"},
    "idf": {"fingerprint"},
    "tables": {"copies"},
    "earlier": {"result"},
    "chronicle": {"corpus", "earlier"},
    "doubts": {"corpus"},
    "index": {"result"},
    "inspection": {"result"},
    "cli": {"serve"},
    # What lasts: files and the journal; tables in them; what was read, part by part; what stages found.
    "spill": {"durable"},
    "workspace": {"result"},
    # What is elsewhere: file systems behind URLs, and a run that sends its results there.
    "remote": {"remote_errors"},
    "remote_workspace": {"result", "workspace"},
    "saved": {"workspace"},
    "parts": {"saved", "workspace"},
    "corpus": {"parts", "saved"},
    "forms": {"chronicle", "saved"},
    "pipeline": {"chronicle", "corpus", "doubts", "earlier", "forms", "identity", "parts", "result", "saved", "workspace"},
}

#: Kernels know arrays only.
KERNEL_IMPORTS = {"__future__", "numpy", ".jit", ".hashing"}
KERNEL_EXTRA = {
    "jit": {"numba", "numba.core.config", "os", "stat", "tempfile", "collections.abc", "pathlib", "typing"},
    "terms": {".tokens"},
    "replaced": {".search", ".terms"},
    "overlap": {".search"},
    "stars": {".search"},
    "coverage": {".terms"},
    "cosine": {".search"},
    "linkage": {".search"},
    "chunks": {".machine", ".terms", ".tokens"},
    "machine": {"numba", "numba.extending"},
    "joining": {".resembling", ".weighing"},
    "listing": {".resembling", ".weighing"},
    "resembling": {".weighing"},
    "varints": {".machine"},
}

PARQUET = {"archive", "cli.verdicts", "index.past_run", "inspection", "readers.parquet", "result"}
DRAWERS = {"utils", "util", "common", "misc", "helpers", "helper", "tools", "core", "base"}


def modules():
    """Every module of the package by its dotted name below it."""
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names[".".join(parts)] = path
    return names


MODULES = modules()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
every_module = pytest.mark.parametrize("name", MODULES)


def package_of(name):
    """The package that a module's relative imports start from."""
    parts = name.split(".")
    return parts[:-1]


def imports(name):
    """What a module imports, lazily or not: modules of this package as ``.dotted.name``, others by their own name."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {"." + alias.name.removeprefix("dedup.") if alias.name.startswith("dedup.") else alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= _imports_from(node, name)
    return found


def _imports_from(node, name):
    if node.level == 0 and (node.module or "").partition(".")[0] != "dedup":
        return {node.module}
    inside = package_of(name)
    base = inside[: len(inside) - node.level + 1] if node.level else []
    module = [*base, *(node.module or "").removeprefix("dedup").strip(".").split(".")]
    dotted = ".".join(part for part in module if part)
    answer = set()
    for alias in node.names:
        child = f"{dotted}.{alias.name}" if dotted else alias.name
        answer.add("." + (child if child in MODULES or f"{child}.__init__" in MODULES else dotted))
    return answer


def own_imports(name):
    """The modules of this package that a module imports."""
    answer = set()
    for item in imports(name):
        if item.startswith("."):
            dotted = item[1:]
            answer.add(dotted if dotted in MODULES else f"{dotted}.__init__" if dotted else "__init__")
    return answer


def room(name):
    """The file or folder in ``dedup/`` that a module is, or stands in."""
    return name.partition(".")[0]


def floor(name):
    for number, rooms in enumerate(FLOORS):
        if room(name) in rooms:
            return number
    raise AssertionError(f"{name} has no floor: put it on one in {Path(__file__).name}")


#: Kernels that are compared with the twins of others: ``document_rows`` gives what ``token_rows`` and ``term_rows`` give.
PARTS = {"document_rows"}
DATA = {"data.__init__"}


@every_module
def test_every_module_has_a_floor(name):
    assert name in DATA or floor(name) >= 0


def test_no_module_stands_on_two_floors_and_none_is_missing():
    rooms = [room for rooms in FLOORS for room in rooms]
    assert len(rooms) == len(set(rooms))
    assert set(rooms) == {room(name) for name in MODULES if name not in DATA}


@every_module
def test_a_module_imports_from_below_or_from_what_it_may_beside_it(name):
    if name in DATA:
        return
    wrong = {
        other
        for other in own_imports(name)
        if room(other) != room(name) and not (floor(other) < floor(name) or room(other) in BESIDE.get(room(name), set()))
    }
    assert wrong == set()


def test_nothing_is_granted_that_is_not_used():
    used: dict[str, set[str]] = {}
    for name in MODULES:
        used.setdefault(room(name), set()).update(room(other) for other in own_imports(name))
    for name, granted in BESIDE.items():
        assert granted <= used[name], name


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) == "kernels"])
def test_kernels_import_arrays_and_each_other_by_the_rule(name):
    own = {item.replace(".kernels.", ".") for item in imports(name)}
    assert own <= KERNEL_IMPORTS | KERNEL_EXTRA.get(name.partition(".")[2], set())


def test_imports_have_no_cycle():
    graph = {name: own_imports(name) for name in MODULES}
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            path.append(name)
            for other in sorted(graph[name]):
                visit(other)
            path.pop()
            done.add(name)

    for name in graph:
        visit(name)


@every_module
def test_no_file_is_longer_than_can_be_read_at_once(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@every_module
def test_no_module_is_a_drawer(name):
    assert not DRAWERS & set(name.split("."))


@every_module
def test_parquet_is_read_and_written_in_one_place_each(name):
    assert ("pyarrow.parquet" in imports(name)) <= (name in PARQUET)


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@every_module
def test_only_the_command_line_prints_or_exits(name):
    if room(name) == "cli" or name == "__main__":
        return
    forbidden = {"print", "exit", "quit", "sys.exit", "os._exit", "input", "sys.stdout.write", "sys.stderr.write"}
    assert forbidden & set(_calls(TREES[name])) == set()
    raised = {ast.unparse(node.exc) for node in ast.walk(TREES[name]) if isinstance(node, ast.Raise) and node.exc}
    assert not any(text.startswith("SystemExit") for text in raised)


@every_module
def test_no_module_asserts_on_data(name):
    assert not any(isinstance(node, ast.Assert) for node in ast.walk(TREES[name]))


@every_module
def test_every_module_says_what_it_is_for(name):
    assert ast.get_docstring(TREES[name]) or not MODULES[name].read_text(encoding="utf-8").strip()


def test_public_names_are_sorted_and_exist():
    assert dedup.__all__ == sorted(dedup.__all__)
    assert len(dedup.__all__) == len(set(dedup.__all__))
    assert all(hasattr(dedup, name) for name in dedup.__all__)


@pytest.mark.parametrize("name", [name for name in dedup.__all__ if not name.startswith("__")])
def test_every_public_name_is_explained(name):
    assert (getattr(dedup, name).__doc__ or "").strip()


def test_no_public_function_hides_a_module_of_its_name():
    for name in dedup.__all__:
        assert name not in MODULES or name in {"__init__"}, name


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) == "kernels" and name not in ("kernels.__init__", "kernels.jit")])
def test_every_kernel_has_a_twin(name):
    oracles = [importlib.import_module(f"tests.{name}") for name in ("oracle", "oracle_index")]
    jitted = [node.name for node in TREES[name].body if isinstance(node, ast.FunctionDef) and _is_kernel(node)]
    assert {kernel for kernel in jitted if not any(hasattr(oracle, kernel) for oracle in oracles)} <= PARTS


def _is_kernel(node):
    return any(ast.unparse(decorator) == "jit" for decorator in node.decorator_list)
