"""The browser page: pure HTML rendering, its style and script, and a guard on what may load."""
