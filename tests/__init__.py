"""Tests: ``oracle.py`` says slowly what each kernel must say; ``kernels`` and ``stages`` mirror the package."""
