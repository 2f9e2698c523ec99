"""What made the shipped weights: data, the reader's fitting, its export. Nothing imports it."""
