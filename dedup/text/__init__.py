"""Arabic text: folding, tokens, light stems, word lists, document frequencies."""
