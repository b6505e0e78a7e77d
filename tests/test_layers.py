"""The architecture, checked in the source: layers, and modules that may print or open Parquet."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import dedup

PACKAGE = Path(dedup.__file__).parent

#: A package or root module imports only from earlier layers, and from itself.
LAYERS = [
    {"errors", "schema", "version", "kernels"},
    {"config", "storage", "text"},
    {"arrays", "readers", "result"},
    {"fingerprints", "segmentation"},
    {"copies", "stories"},
    {"batch", "index"},
    {"pipeline", "serve"},
    {"cli", "__init__"},
    {"__main__"},
]

#: Kernels import arrays and their types, Numba, named tuples, and each other.
KERNEL_IMPORTS = {"__future__", "numpy", "numpy.typing", "numba", "numba.extending", "typing"}
KERNEL_COMPILER = {
    *("functools", "hashlib", "os", "shutil", "stat", "tempfile", "threading"),
    *("collections.abc", "pathlib", "typing", "numba.core.config"),
}

PARQUET = {"storage.text_store", "cli.verdict_output", "index.batch_result", "batch.inspection", "readers.parquet", "result"}
CATCH_ALLS = {"utils", "util", "common", "misc", "helpers", "helper", "tools", "core", "base"}


def modules():
    """The file of each module, by its dotted name without ``dedup``."""
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
    """All imports of a module, lazy ones included: modules of this package as ``.dotted.name``."""
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


def package(name):
    """The file or folder directly in ``dedup/`` that holds a module."""
    return name.partition(".")[0]


def layer(name):
    for number, packages in enumerate(LAYERS):
        if package(name) in packages:
            return number
    raise AssertionError(f"{name} has no layer: add its package to a row of LAYERS in {Path(__file__).name}")


#: Kernels without a reference implementation of their own: they combine ``token_rows`` and
#: ``term_rows``.
COMBINED = {"document_rows"}
DATA = {"data.__init__"}


def test_every_package_is_in_exactly_one_layer():
    packages = [name for row in LAYERS for name in row]
    assert len(packages) == len(set(packages))
    assert set(packages) == {package(name) for name in MODULES if name not in DATA}


@every_module
def test_a_package_imports_only_from_earlier_layers(name):
    if name in DATA:
        return
    allowed = {package(name)}.union(*LAYERS[: layer(name)])
    assert {other for other in own_imports(name) if package(other) not in allowed} == set()


@pytest.mark.parametrize("name", [name for name in MODULES if package(name) == "kernels"])
def test_kernels_import_only_arrays_and_kernels(name):
    allowed = KERNEL_IMPORTS | (KERNEL_COMPILER if name == "kernels.jit" else set())
    assert {other for other in imports(name) if not other.startswith(".kernels") and other not in allowed} == set()


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
def test_no_module_is_a_catch_all(name):
    assert not CATCH_ALLS & set(name.split("."))


@every_module
def test_only_listed_modules_read_or_write_parquet(name):
    assert ("pyarrow.parquet" in imports(name)) <= (name in PARQUET)


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@every_module
def test_only_the_command_line_prints_or_exits(name):
    if package(name) == "cli" or name == "__main__":
        return
    forbidden = {"print", "exit", "quit", "sys.exit", "os._exit", "input", "sys.stdout.write", "sys.stderr.write"}
    assert forbidden & set(_calls(TREES[name])) == set()
    raised = {ast.unparse(node.exc) for node in ast.walk(TREES[name]) if isinstance(node, ast.Raise) and node.exc}
    assert not any(text.startswith("SystemExit") for text in raised)


@every_module
def test_no_module_asserts_on_data(name):
    assert not any(isinstance(node, ast.Assert) for node in ast.walk(TREES[name]))


@every_module
def test_every_module_has_a_docstring(name):
    assert ast.get_docstring(TREES[name]) or not MODULES[name].read_text(encoding="utf-8").strip()


def test_public_names_are_sorted_and_exist():
    assert dedup.__all__ == sorted(dedup.__all__)
    assert len(dedup.__all__) == len(set(dedup.__all__))
    assert all(hasattr(dedup, name) for name in dedup.__all__)


@pytest.mark.parametrize("name", [name for name in dedup.__all__ if not name.startswith("__")])
def test_every_public_name_has_a_docstring(name):
    assert (getattr(dedup, name).__doc__ or "").strip()


def test_no_public_function_hides_a_module_of_the_same_name():
    for name in dedup.__all__:
        assert name not in MODULES or name in {"__init__"}, name


@pytest.mark.parametrize(
    "name", [name for name in MODULES if package(name) == "kernels" and name not in ("kernels.__init__", "kernels.jit")]
)
def test_every_kernel_has_a_reference_implementation(name):
    oracles = [importlib.import_module(f"tests.{name}") for name in ("oracle", "oracle_index")]
    jitted = [node.name for node in TREES[name].body if isinstance(node, ast.FunctionDef) and _is_kernel(node)]
    assert {kernel for kernel in jitted if not any(hasattr(oracle, kernel) for oracle in oracles)} <= COMBINED


def _is_kernel(node):
    return any(ast.unparse(decorator) == "jit" for decorator in node.decorator_list)
