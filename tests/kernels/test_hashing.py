"""Hashes: pinned by golden vectors, because stored signatures and indexes depend on them.

If a vector changes, every stored signature and every index is invalid: increase ``SIGNATURE_VERSION`` and ``RULES`` of the
index.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.fingerprints.datasketch_schemes import legacy_permutations, permutations
from dedup.fingerprints.minhash import SIGNATURE_VERSION
from dedup.kernels.fingerprints.minhash import band_keys
from dedup.kernels.fingerprints.shingles import row_hashes, shingle_hash
from dedup.kernels.hashing import extend, mix64
from dedup.kernels.text.tokens import hash_letters
from tests import oracle
from tests.kernels.text.test_tokens import token_rows

WORDS64 = st.integers(0, 2**64 - 1)
TEXT = "أعلنت وزارة الصحة أمس عن افتتاح مستشفى جديد في مدينة الفيوم يضم 250 سريرا"


@given(WORDS64)
def test_mix64_matches_the_reference(value):
    assert int(mix64(np.uint64(value))) == oracle.mix64(value)


@given(WORDS64, WORDS64)
def test_extend_matches_the_reference(state, value):
    assert int(extend(np.uint64(state), np.uint64(value))) == oracle.extend(state, value)


@given(st.text(max_size=256))
def test_hash_letters_matches_the_reference(word):
    letters = np.array([ord(letter) for letter in word], np.uint32)
    assert int(hash_letters(letters, len(word))) == oracle.hash_letters(word)


@pytest.mark.parametrize(
    ("value", "golden"),
    [
        (0, 0),
        (1, 0x5692161D100B05E5),
        (0x9E3779B97F4A7C15, 0xE220A8397B1DCDAF),  # the first number of SplitMix64 with seed 0
        (0xF000000000000000, 0xE9EDA7C2ED90D56E),
        (2**64 - 1, 0xB4D055FCF2CBBD7B),
    ],
)
def test_mix64_never_changes(value, golden):
    assert int(mix64(np.uint64(value))) == golden


@pytest.mark.parametrize(
    ("state", "value", "golden"),
    [
        (0, 0, 0),
        (1, 2, 0xDAA66D2CA7791913),
        (2**64 - 1, 0x243F6A8885A308D3, 0x69E60A5C31F79CC0),
    ],
)
def test_extend_never_changes(state, value, golden):
    assert int(extend(np.uint64(state), np.uint64(value))) == golden


@pytest.mark.parametrize(
    ("word", "golden"),
    [
        ("", 0xE9E0033E3BADAF36),
        ("ا", 0x19C91FF544E64C13),
        ("مصر", 0x1F783BD547CCBC3F),
        ("السلام", 0x8883861F4BAE8A1D),
        ("1500", 0x176603D3432C1205),
        ("reuters", 0x20D766B7CE44B285),
    ],
)
def test_the_hash_of_a_word_never_changes(word, golden):
    letters = np.array([ord(letter) for letter in word], np.uint32)
    assert int(hash_letters(letters, len(word))) == golden


@pytest.mark.parametrize(
    ("values", "golden"),
    [
        ([7], 0xEC9F6154736F6578),
        ([7, 8], 0xA4065D5225B2F039),
        ([8, 7], 0xE8015512BD77B248),
        ([7, 8, 9], 0x0E84B84B42E87106),
        ([0, 0], 0x38CF57DCC2F74BE6),
    ],
)
def test_the_hash_of_a_shingle_never_changes(values, golden):
    assert int(shingle_hash(np.array(values, np.uint64), 0, len(values))) == golden


def test_the_hash_of_a_row_never_changes():
    hashes = row_hashes(*oracle.flat([[], [1, 2]]))
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == [0x3985D54AA046B5B2, 0xE2CC78780704730E]


def test_the_tokens_and_the_digest_of_a_text_never_change():
    tokens, offsets, digests = token_rows(*oracle.utf8(["قال مسؤول: 1,500"]))
    assert offsets.tolist() == [0, 3]
    assert tokens.tolist() == [13110673687723106261, 3804413912029327208, 1686039316396773893]
    assert digests.tolist() == [[8169967113718256637, 16076367907505006660]]


def test_a_band_key_never_changes():
    keys = band_keys(np.arange(8, dtype=np.uint32)[None], 2, 4)
    assert keys.tolist() == [[0x23D5BC0EFFE17E1A], [0xD7B836935DD0F324]]


def test_the_permutations_never_change():
    multipliers, increments = permutations(128, 1)
    assert multipliers[:2].tolist() == [3582191691, 4270784983]
    assert increments[:2].tolist() == [214548472, 3287733501]
    multipliers, increments = legacy_permutations(128, 1)
    assert multipliers[:2].tolist() == [775169054918279404, 2109959069025162]
    assert increments[:2].tolist() == [1758426461858698312, 965365488286768773]


def test_the_native_signature_of_a_text_never_changes():
    signature = dedup.sign([TEXT])
    assert (SIGNATURE_VERSION, signature.values.dtype, signature.values.shape) == (2, np.uint32, (1, 128))
    assert signature.values[0, :6].tolist() == [28594486, 71560181, 91898022, 36130115, 94888739, 214564006]
    assert hashlib.sha256(signature.values.astype("<u4").tobytes()).hexdigest()[:32] == "e6f9c530b59f4b767ded1ff8776e6f96"


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="this run is not compiled")
def test_hashes_are_the_same_without_the_compiler():
    words = "-k", "not without_the_compiler and not native_signature"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, *words]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
