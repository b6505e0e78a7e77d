"""The sealed floor: NumPy arrays in, NumPy arrays out.

The law of this floor:

1. Arrays and scalars in; fresh arrays or the caller's ``out`` arrays back. No Python objects, no I/O,
   no randomness (seeds arrive as arrays), no state.
2. Rows are ``values[offsets[i]:offsets[i + 1]]`` everywhere: texts, tokens, shingles, postings.
3. Hash arithmetic is ``uint64`` throughout, literals included: Numba makes ``uint64 + int`` signed.
4. Kernels are compiled at first use (``jit``), hold no lock and never start threads: callers split rows
   into blocks, so a result cannot depend on the number of threads.
5. A kernel file imports ``numpy``, ``kernels.jit`` and ``kernels.hashing``, nothing else: Numba's cache
   does not notice a change in another file.
6. Each kernel has a slow and plain twin in ``tests/oracle.py``.
"""
