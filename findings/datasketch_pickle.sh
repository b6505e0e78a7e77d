#!/bin/sh
# datasketch 2.0.0 opens a MinHashLSH that datasketch 1.10.0 pickled and finds nothing in it, without an error.
#
# The store keeps no scheme: datasketch 2 makes sketches of scheme "affine32" by default, the store holds "legacy" ones, and
# MinHashLSH checks the scheme only against sketches that were inserted since it was opened.
# Workaround: MinHash(scheme="legacy"), or signatures.scheme = "datasketch-legacy" here.
# Needs: Python 3.9 or newer with venv, and a package index. Exits with 0 if the behaviour is as described.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 1.10.0 2.0.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install -q "datasketch==$version"
done
cd "$folder"

1.10.0/bin/python - <<'PYTHON'
import pickle
from datasketch import MinHash, MinHashLSH

sketch = MinHash(num_perm=128)
sketch.update_batch([b"one", b"two", b"three"])
store = MinHashLSH(threshold=0.5, num_perm=128)
store.insert("a", sketch)
with open("store.pickle", "wb") as file:
    pickle.dump(store, file)
print("datasketch 1.10.0 finds", store.query(sketch))
PYTHON

2.0.0/bin/python - <<'PYTHON'
import pickle
from datasketch import MinHash

with open("store.pickle", "rb") as file:
    store = pickle.load(file)
found = {}
for scheme in (None, "legacy"):
    sketch = MinHash(num_perm=128, scheme=scheme)
    sketch.update_batch([b"one", b"two", b"three"])
    found[scheme] = store.query(sketch)
    print("datasketch 2.0.0 finds", found[scheme], "with scheme", scheme)
assert found == {None: [], "legacy": ["a"]}
PYTHON
