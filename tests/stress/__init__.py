"""Tests that kill processes, damage files at random, and attack single parts of the engine.

All are marked ``slow``. ``pytest -m slow tests/stress --stress 50`` makes each of them fifty times as long;
``--stress-corpus FILE`` lets the killed processes read real pages in place of invented ones.
"""
