"""Documents to arrays: words, digests, shingles, terms and signatures."""
