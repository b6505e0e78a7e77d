"""The manual: Markdown pages, and a reference that ``dedup_reference`` generates from the code."""

import sys
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE / "_extensions"), str(_HERE.parent)]

from dedup.version import __version__  # noqa: E402

project = "dedup"
author = "the dedup authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "dedup_reference"]
exclude_patterns = ["_generated", "_extensions"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
smartquotes = False  # "--base" is an option, no dash

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
# Types are written as prose ("a folder, or a URL"): they are printed, not looked up.
napoleon_use_param = False
napoleon_use_rtype = False
# Annotations name classes where they are defined, the reference where they are public.
nitpick_ignore_regex = [("py:class", r"(?!dedup\.\w+$).*")]
# scikit-learn adds this method to every estimator; its docstring links to pages of scikit-learn.
autodoc_default_options = {"exclude-members": "set_fit_request"}

html_theme = "furo"
html_title = f"dedup {release}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
