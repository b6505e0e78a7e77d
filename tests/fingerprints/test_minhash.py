"""Signatures: native ones and their band keys; signatures of different configurations are never mixed."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from datasketch import LeanMinHash, MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.config import Config, SignatureConfig
from dedup.errors import SignatureError
from dedup.fingerprints.minhash import Signatures, band_rows, sign_rows
from tests import oracle
from tests.arabic import edited, news

TEXTS = ["قَالَ الرئيسُ إنّ الطريق طويل", "سجل المتحف ١٬٥٠٠ زائر أمس", "خبر", "", news(1), edited(news(1), 20), news(2)]


SCHEMES = ["native", "datasketch", "datasketch-legacy"]


def config(**settings):
    return Config(signatures=SignatureConfig(**settings))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_minhashlsh_of_datasketch_finds_near_copies_by_signatures_of_each_scheme(scheme):
    texts = [news(seed) for seed in range(20)]
    sketches = dedup.sign([*texts, edited(texts[7], 20, 50)], config(scheme=scheme)).to_datasketch()
    lsh = MinHashLSH(threshold=0.6, num_perm=128)
    for name, sketch in enumerate(sketches[:20]):
        lsh.insert(name, sketch)
    assert lsh.query(sketches[20]) == [7]


def test_native_signatures_compare_neither_with_those_of_datasketch_nor_with_other_versions():
    signatures = dedup.sign([news(1)])
    older = Signatures(signatures.values, "native", 1, version=1)
    for other in (MinHash(), older.to_datasketch()[0]):
        with pytest.raises(ValueError, match="seeds"):
            signatures.to_datasketch()[0].jaccard(other)


def test_datasketch_estimates_and_unites_native_signatures():
    one, other = ([oracle.mix64(i) for i in numbers] for numbers in (range(90), range(30, 120)))
    signatures = Signatures(sign_rows(oracle.flat([one, other, sorted({*one, *other})]), SignatureConfig()), "native", 1)
    first, second, both = signatures.to_datasketch()
    assert first.jaccard(second) == signatures.jaccard(0, b=1) == pytest.approx(0.5, abs=0.1)
    assert LeanMinHash.union(first, second) == both


def test_datasketch_never_updates_a_native_signature():
    lean = dedup.sign([news(1)]).to_datasketch()[0]
    assert pickle.loads(pickle.dumps(lean)) == lean
    with pytest.raises(ValueError, match="Seed"):
        MinHash(seed=lean.seed, hashvalues=lean.hashvalues, scheme=lean.scheme)


def test_the_schemes_give_different_values():
    native, new, old = (dedup.sign([news(1)], config(scheme=scheme)).values for scheme in SCHEMES)
    assert not (native == new).any()
    assert not (new == old).any()


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
    assert str(error.value) == "signatures with version 2 and 3 cannot be compared. Sign both with the same configuration."


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


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=8), max_size=4), st.sampled_from([8, 13]), st.integers(0, 2**32 - 1))
def test_native_signatures_are_similarity_sketches(rows, slots, seed):
    signatures = sign_rows(oracle.flat(rows), SignatureConfig(permutations=slots, seed=seed))
    assert (signatures.dtype, signatures.shape) == (np.uint32, (len(rows), slots))
    assert signatures.tolist() == oracle.sketch_rows(rows, list(range(len(rows))), slots, 2 << 32 | seed ^ 0x6E617469)


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


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_text_without_shingles_is_all_ones(scheme):
    assert (dedup.sign(["", "،"], config(scheme=scheme)).values == 2**32 - 1).all()
    assert dedup.sign([], config(scheme=scheme)).values.shape == (0, 128)
