"""Python imports this at its start; see `network_guard.py`."""

import network_guard  # noqa: F401
