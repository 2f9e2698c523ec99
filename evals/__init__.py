"""Evals: how good the answers are, measured with the same `Assistant` people use."""
