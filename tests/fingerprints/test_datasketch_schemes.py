"""Signatures equal to those of datasketch, and found in stores that were made with it."""

from __future__ import annotations

import base64
import hashlib
import pickle
import zlib

import pytest
from datasketch import LeanMinHash, MinHash

import dedup
from dedup.config import CandidateConfig, Config, SignatureConfig
from dedup.fingerprints.datasketch_schemes import sign_shingles
from tests.arabic import edited, news

HOSPITAL = "أعلنت وزارة الصحة أمس عن افتتاح مستشفى جديد في مدينة الفيوم يضم 250 سريرا"
MUSEUM = "سجل المتحف ١٬٥٠٠ زائر أمس وهو أكبر عدد منذ افتتاحه"
TEXTS = ["قَالَ الرئيسُ إنّ الطريق طويل", MUSEUM, "خبر", "", news(1), edited(news(1), 20), news(2)]
#: ``zlib.compress(pickle.dumps(store, protocol=4))`` of datasketch 1.10.0: ``MinHashLSH(num_perm=16, params=(4, 4))`` with a
#: ``LeanMinHash`` of HOSPITAL under "hospital" and one of MUSEUM under "museum", seed 1.
OLD_STORE = (
    "eNqFkstrE1EUxptXm9iYFkN9FKIRrcSFdeGjIsQKigQmFTWoKNphZnKTM+00SefeUaut2oVB6xUDveLGpZqNLt21SBGE/gM+NoJQrAtBUBDcqPfcRGxc6CzO"
    "jzn3fuf7mDnXg/cGA23q4bG8wQw6SpgF/Q4FwVcN2aWMQSGby4hZsX1aTIkUj+qmVygQV6f2ZSKGjr3gPhBaN/eZQgtyn4s1UnFJxbZGHSJu8bjuknHPdolu"
    "TjBC9VEyQWU7DHJywStZ4ij36xnBw6ZnO8wuUcE7ioQZjLnSFQI80hBeNCqiKk7IWKhkhukQKs7LRGtW5Kas7BpFInjssG2xHGG5ZqOZn4f0vDwQvNMqOw6x"
    "mF1Gw848KRiew9TZbEuWACXYuiGdU4eS+KFiL6+OIPd5AyHk6i9vHyC76vWauCsDhaFMKzYzHFFrKPxz3w8iN/3IVpCnvz37gIz7Nn9UivYxjxJvTNQ8asI6"
    "lRR6IQHJFbZtpxbziveT44gDC/vjyN7htX4cAn1Nt63zehoZWlx6j9SWjvxUws8z79TF1L9sYgvLu5Eb5uZnlGrqawLRceXkkxabyKM7oC68nh5WdtbyBWS7"
    "Nvn4/zb+c/WbyOCukb1qWvW4q5i+drbFJvFw8hNyffTSKyU4c7sHGXj65vkfG9LYCtcoFRtbobVpwarcRS0sa1iLyhrVuquC8KBaQOjhXbgiWZv+vSMq60Ye"
    "dOTR7z8PfXImbIEdsAfSBFL4tg12wgAMEmnvmf2/AMGKFz8="
)
schemes = pytest.mark.parametrize(("scheme", "theirs"), [("datasketch", "affine32"), ("datasketch-legacy", "legacy")])


def config(**settings):
    return Config(signatures=SignatureConfig(**settings), candidates=CandidateConfig(bands=4, rows=4))


def datasketch_signature(text, settings, scheme):
    sketch = MinHash(num_perm=settings.signatures.permutations, seed=settings.signatures.seed, scheme=scheme)
    for shingle in dedup.shingle(text, settings):
        sketch.update(shingle.encode())
    return sketch


def old_store():
    return pickle.loads(zlib.decompress(base64.b64decode(OLD_STORE)))


@schemes
@pytest.mark.parametrize(("permutations", "seed"), [(128, 1), (128, 42), (256, 1), (160, 2**32 - 1), (128, 0)])
def test_signatures_have_the_values_of_datasketch(scheme, theirs, permutations, seed):
    settings = config(scheme=scheme, permutations=permutations, seed=seed)
    signatures = dedup.sign(TEXTS, settings)
    for text, values in zip(TEXTS, signatures.values, strict=True):
        assert values.tolist() == datasketch_signature(text, settings, theirs).hashvalues.tolist()


@schemes
def test_converted_signatures_are_those_of_datasketch(scheme, theirs):
    settings = config(scheme=scheme)
    expected = datasketch_signature(news(1), settings, theirs)
    lean = dedup.sign([news(1)], settings).to_datasketch()[0]
    assert isinstance(lean, LeanMinHash)
    assert lean.jaccard(expected) == 1.0
    assert lean == LeanMinHash(expected)
    assert pickle.dumps(lean) == pickle.dumps(LeanMinHash(expected))


@pytest.mark.parametrize(
    ("seed", "permutations", "first", "digest"),
    [
        (1, 128, [247889514, 947205893, 234019228, 262645648], "9649501dfafc33d245bd23d53f317f64"),
        (42, 128, [262930762, 736250584, 57666747, 66007405], "87ce26b09b9373977b5f4e2b082c5fda"),
        (2**32 - 1, 16, [475343341, 129711603, 526312534, 443489874], "ff82c7fca6883a09eefa2eb1543d0ee6"),
    ],
)
def test_legacy_signatures_have_the_values_of_datasketch_1_10(seed, permutations, first, digest):
    values = dedup.sign([HOSPITAL], config(scheme="datasketch-legacy", seed=seed, permutations=permutations)).values[0]
    assert values[:4].tolist() == first
    assert hashlib.sha256(values.astype("<u4").tobytes()).hexdigest()[:32] == digest


def test_legacy_signatures_are_found_in_a_store_of_datasketch_1_10():
    store, settings = old_store(), config(scheme="datasketch-legacy", permutations=16)
    hospital, museum, harbour = dedup.sign([HOSPITAL, MUSEUM, news(3)], settings).to_datasketch()
    assert [store.query(sketch) for sketch in (hospital, museum, harbour)] == [["hospital"], ["museum"], []]
    store.insert("harbour", harbour)
    assert store.query(harbour) == ["harbour"]


@pytest.mark.parametrize("scheme", ["datasketch", "native"])
def test_other_signatures_find_nothing_in_a_store_of_datasketch_1_10(scheme):
    """The manual warns of it: datasketch 2 does not refuse them until a signature is inserted."""
    store = old_store()
    sketches = dedup.sign([HOSPITAL, MUSEUM], config(scheme=scheme, permutations=16)).to_datasketch()
    assert [store.query(sketch) for sketch in sketches] == [[], []]
    store.insert("again", dedup.sign([HOSPITAL], config(scheme="datasketch-legacy", permutations=16)).to_datasketch()[0])
    with pytest.raises(ValueError, match="scheme"):
        store.query(sketches[0])


@pytest.mark.parametrize("scheme", ["datasketch", "datasketch-legacy"])
def test_repeated_shingles_do_not_change_a_signature(scheme):
    settings = SignatureConfig(scheme=scheme)
    assert sign_shingles([["أ ب", "ج د"]], settings).tolist() == sign_shingles([["ج د", "أ ب", "أ ب"]], settings).tolist()
