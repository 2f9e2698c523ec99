"""Answers to requests that no single sentence answers: one module a kind."""
