"""The manual builds without a warning: links, references, generated pages."""

import importlib.util
import os
import shutil
import subprocess
import sys

import pytest

from tests.paths import ROOT

NEEDED = ("sphinx", "myst_parser", "furo")
missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
needs_sphinx = pytest.mark.skipif(bool(missing), reason=f"the extra docs is not installed: no {', '.join(missing)}")


def build(folder):
    """Build a copy of the manual, so that parallel builds do not share generated pages."""
    source = folder / "docs"
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("_generated", "__pycache__"))
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-q", source, folder / "html", "-d", folder / "trees"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


@pytest.mark.slow
@needs_sphinx
def test_the_manual_builds_without_a_warning_and_shows_what_the_code_says(tmp_path):
    from dedup.config import settings
    from dedup.readers.reasons import REJECT_REASONS
    from dedup.schema import COLUMN_MEANINGS

    html = build(tmp_path)
    shown = {page: (html / "reference" / f"{page}.html").read_text(encoding="utf-8") for page in ("settings", "rejects", "tables", "cli")}
    assert all(name in shown["settings"] for name, *_ in settings())
    assert all(reason in shown["rejects"] for reason in REJECT_REASONS)
    assert all(column in shown["tables"] for columns in COLUMN_MEANINGS.values() for column in columns)
    assert "dedup index check" in shown["cli"]


@pytest.mark.slow
@needs_sphinx
def test_the_manual_builds_without_optional_extras(tmp_path):
    blocked = "('starlette', 'prometheus_client', 'uvicorn', 'redis', 'resiliparse', 'duckdb', 'polars', 'scrapy')"
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {blocked}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n",
        encoding="utf-8",
    )
    html = build(tmp_path)
    assert "built without it" in (html / "reference" / "metrics.html").read_text(encoding="utf-8")
