"""The Settings tab: what holds in one browser."""

from __future__ import annotations

from html import escape

from assistant.page.widgets import LABELS, intro, panel
from assistant.page.words import WORDS


def settings_tab() -> None:
    """Lay out the tab; script.js remembers the language and opens the page anew in it."""
    options = "".join(
        f'<option value="{code}" lang="{code}">{escape(words("name"))}</option>'
        for code, words in WORDS.items()
    )
    intro("settings")
    panel(
        str(LABELS("settings.answers")),
        '<label class="language"><span>${label}</span>'
        f'<select id="language">{options}</select></label><p class="about">${{value}}</p>',
        label=LABELS("settings.language"),
        js_on_load="element.querySelector('select').value = otsLanguage;",
    )
