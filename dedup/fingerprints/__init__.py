"""Documents to hashes: shingles, terms and MinHash signatures."""
