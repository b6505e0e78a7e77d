"""Arabic text: folding, stems, stop words and document frequencies."""
