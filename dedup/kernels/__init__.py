"""Compiled kernels: NumPy arrays in, NumPy arrays out. Sub-packages mirror the stages.

The rules of this layer:

1. Kernels take arrays, scalars and named tuples of these. They return new arrays or write to arrays
   of the caller. They use no Python objects, no I/O, no randomness (seeds are arguments) and no
   state.
2. Rows are ``values[offsets[i]:offsets[i + 1]]`` everywhere: texts, tokens, shingles, postings.
3. Hash arithmetic is ``uint64`` throughout, literals included: Numba makes ``uint64 + int`` signed.
4. Kernels are compiled at their first call (``jit.py``), hold no lock and start no thread. Callers
   split rows into blocks, so a result cannot depend on the number of threads.
5. Kernel files import NumPy, Numba and other kernel files only. Numba caches a function without
   looking at the files that it calls, so ``jit.py`` names the cache folder by a digest of all of
   them.
6. A kernel takes at most eight arguments. Arrays that belong together form a named tuple.
7. Each kernel has a slow reference implementation in ``tests/oracle.py`` or
   ``tests/oracle_index.py``.
"""
