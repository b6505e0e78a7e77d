"""Where compiled kernels are kept when neither the package nor a home can be written."""

import stat

import numba.core.config
import pytest

from dedup.kernels import jit as compiling


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What Numba is asked for; as on a machine where it finds no folder of its own to cache in."""
    options = []

    def compiled(function, **wanted):
        options.append(wanted)
        if wanted["cache"] and not numba.core.config.CACHE_DIR:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    monkeypatch.setattr(compiling, "_compiled", compiled)
    monkeypatch.setattr(numba.core.config, "CACHE_DIR", "")
    monkeypatch.setattr(compiling.tempfile, "gettempdir", lambda: str(tmp_path))
    return options


def test_kernels_are_kept_in_a_private_temporary_folder(asked, tmp_path):
    compiling.jit(len)
    (folder,) = tmp_path.iterdir()
    assert str(folder) == numba.core.config.CACHE_DIR
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [options["cache"] for options in asked] == [True, True]


def test_a_folder_that_others_can_write_is_not_trusted(asked, tmp_path):
    (folder,) = [compiling._private_folder()]
    folder.chmod(0o777)
    compiling.jit(len)
    assert numba.core.config.CACHE_DIR == ""
    assert [options["cache"] for options in asked] == [True, False]


def test_a_link_in_the_place_of_the_folder_is_not_followed(asked, tmp_path):
    folder = compiling._private_folder()
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    compiling.jit(len)
    assert [options["cache"] for options in asked] == [True, False]


def test_without_any_folder_kernels_are_compiled_anew(asked, monkeypatch):
    monkeypatch.setattr(compiling, "_private_folder", lambda: None)
    compiling.jit(len)
    assert [options["cache"] for options in asked] == [True, False]
