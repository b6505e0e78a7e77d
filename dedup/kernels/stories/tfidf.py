"""The weight rule of stories, shared by batch runs and the online index; works on arrays and in kernels."""

from __future__ import annotations

from typing import Any

import numpy as np


def smoothed_idf(documents: Any, frequency: Any) -> Any:
    """Inverse document frequency, ``ln((1 + documents) / (1 + frequency)) + 1``, as in scikit-learn."""
    return np.log((1 + documents) / (1 + frequency)) + 1
