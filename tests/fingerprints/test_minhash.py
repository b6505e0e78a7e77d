"""Signatures: equal to those of datasketch with its scheme, and never mixed between configurations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from datasketch import LeanMinHash, MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.config import Config, SignatureConfig
from dedup.errors import SignatureError
from dedup.fingerprints.minhash import Signatures, band_rows, sign_rows, sign_shingles
from tests import oracle
from tests.arabic import edited, news

TEXTS = ["قَالَ الرئيسُ إنّ الطريق طويل", "سجل المتحف ١٬٥٠٠ زائر أمس", "خبر", "", news(1), edited(news(1), 20), news(2)]


def config(**settings):
    return Config(signatures=SignatureConfig(**settings))


def datasketch_signature(text, settings):
    sketch = MinHash(num_perm=settings.signatures.permutations, seed=settings.signatures.seed)
    for shingle in dedup.shingle(text, settings):
        sketch.update(shingle.encode())
    return sketch


@pytest.mark.parametrize(("permutations", "seed"), [(128, 1), (128, 42), (256, 1), (160, 2**32 - 1), (128, 0)])
def test_the_datasketch_scheme_gives_the_values_of_datasketch(permutations, seed):
    settings = config(scheme="datasketch", permutations=permutations, seed=seed)
    signatures = dedup.sign(TEXTS, settings)
    for text, values in zip(TEXTS, signatures.values, strict=True):
        assert values.tolist() == datasketch_signature(text, settings).hashvalues.tolist()


def test_datasketch_scheme_signatures_compare_with_those_of_datasketch():
    settings = config(scheme="datasketch")
    lean = dedup.sign([news(1)], settings).to_datasketch()[0]
    assert isinstance(lean, LeanMinHash)
    assert lean.jaccard(datasketch_signature(news(1), settings)) == 1.0
    assert lean == LeanMinHash(datasketch_signature(news(1), settings))


@pytest.mark.parametrize("scheme", ["native", "datasketch"])
def test_minhashlsh_of_datasketch_finds_near_copies_by_native_signatures(scheme):
    texts = [news(seed) for seed in range(20)]
    sketches = dedup.sign([*texts, edited(texts[7], 20, 50)], config(scheme=scheme)).to_datasketch()
    lsh = MinHashLSH(threshold=0.6, num_perm=128)
    for name, sketch in enumerate(sketches[:20]):
        lsh.insert(name, sketch)
    assert lsh.query(sketches[20]) == [7]


def test_native_signatures_do_not_compare_with_those_of_datasketch():
    native = dedup.sign([news(1)]).to_datasketch()[0]
    with pytest.raises(ValueError, match="seed"):
        native.jaccard(datasketch_signature(news(1), Config()))


def test_the_two_schemes_give_different_values():
    assert not (dedup.sign([news(1)]).values == dedup.sign([news(1)], config(scheme="datasketch")).values).any()


MIXED = {
    "scheme": ({"scheme": "datasketch"}, "signatures with scheme 'native' and 'datasketch' cannot be compared."),
    "seed": ({"seed": 2}, "signatures with seed 1 and 2 cannot be compared."),
    "length": ({"permutations": 256}, "signatures of 128 and 256 permutations cannot be compared."),
}


@pytest.mark.parametrize(("settings", "message"), MIXED.values(), ids=MIXED)
def test_signatures_of_different_configurations_cannot_be_compared_or_joined(settings, message):
    one, other = dedup.sign([news(1)]), dedup.sign([news(1)], config(**settings))
    for action in (lambda: one.jaccard(0, other), lambda: one.join(other)):
        with pytest.raises(SignatureError) as error:
            action()
        assert str(error.value) == f"{message} Sign both with the same configuration."


def test_signatures_of_different_versions_cannot_be_compared():
    one = dedup.sign([news(1)])
    other = Signatures(one.values, one.scheme, one.seed, version=one.version + 1)
    with pytest.raises(SignatureError) as error:
        one.jaccard(0, other)
    assert str(error.value) == "signatures with version 1 and 2 cannot be compared. Sign both with the same configuration."


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 0.95])
def test_the_estimate_is_within_four_standard_errors(share):
    n = 1024
    universe = np.random.default_rng(7).integers(0, 2**64, 4000, np.uint64)
    common = int(2000 * share)
    rows = [universe[:2000], np.concatenate([universe[:common], universe[2000 : 4000 - common]])]
    exact = common / (4000 - common)
    values, offsets = np.concatenate(rows), np.array([0, 2000, 4000])
    signatures = Signatures(sign_rows((values, offsets), SignatureConfig(permutations=n)), "native", 1)
    assert abs(signatures.jaccard(0, b=1) - exact) <= 4 * math.sqrt(exact * (1 - exact) / n)


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=8), max_size=4))
def test_native_signatures_use_the_high_bits_of_a_shingle(rows):
    multipliers, increments = (part.tolist() for part in dedup.fingerprints.minhash.permutations(SignatureConfig(permutations=8)))
    signatures = sign_rows(oracle.flat(rows), SignatureConfig(permutations=8))
    assert (signatures.dtype, signatures.shape) == (np.uint32, (len(rows), 8))
    assert signatures.tolist() == oracle.signature_rows(rows, list(range(len(rows))), multipliers, increments)


def test_signatures_of_chosen_rows_equal_those_among_all_rows():
    rows, chosen = oracle.flat([[oracle.mix64(i * 100 + j) for j in range(i)] for i in range(9)]), np.array([7, 0, 3])
    assert sign_rows(rows, SignatureConfig(), chosen).tolist() == sign_rows(rows, SignatureConfig())[chosen].tolist()


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_band_keys_of_chosen_rows_follow_from_their_signatures(threads):
    rows = [[oracle.mix64(i * 100 + j) for j in range(i % 6)] for i in range(3000)]
    chosen, settings = np.arange(0, 3000, 2)[::-1].copy(), SignatureConfig(permutations=16)
    keys = band_rows(oracle.flat(rows), chosen, settings, 5, 3, threads=threads)
    assert (keys.dtype, keys.shape) == (np.uint64, (5, 1500))
    signatures = sign_rows(oracle.flat(rows), settings)[chosen].tolist()
    assert keys.tolist() == oracle.band_keys(signatures, 5, 3)


def test_joined_signatures_equal_those_of_all_texts():
    joined = dedup.sign(TEXTS[:3]).join(dedup.sign(TEXTS[3:]))
    assert joined.values.tolist() == dedup.sign(TEXTS).values.tolist()
    assert len(joined) == len(TEXTS)


@pytest.mark.parametrize("scheme", ["native", "datasketch"])
def test_a_text_without_shingles_is_all_ones(scheme):
    assert (dedup.sign(["", "،"], config(scheme=scheme)).values == 2**32 - 1).all()
    assert dedup.sign([], config(scheme=scheme)).values.shape == (0, 128)


def test_repeated_shingles_do_not_change_a_signature():
    settings = SignatureConfig(scheme="datasketch")
    assert sign_shingles([["أ ب", "ج د"]], settings).tolist() == sign_shingles([["ج د", "أ ب", "أ ب"]], settings).tolist()
