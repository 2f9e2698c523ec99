"""The browser page: pure HTML rendering, its style and script, and the guard on what it may load."""
