"""The Settings tab: what holds in one browser."""

from __future__ import annotations

from html import escape

import gradio as gr

from assistant.page.choice import Choice, Offer, settled
from assistant.page.here import ARRIVE, read_here
from assistant.page.widgets import QUICK, Answering, intro, panel
from assistant.page.words import WORDS, Words, words_of


def settings_tab(tab: gr.Tab, assistant: Answering, blocks: gr.Blocks) -> None:
    """Lay out the tab; script.js remembers what is chosen, and sends it with the next question."""
    intro("settings")
    here = gr.Textbox(visible=False)
    form = panel("", "${value}", elem_id="choices")

    def show(here: str, request: gr.Request) -> str:
        return settings_html(words_of(request), read_here(here).choice, assistant.offer)

    # Chosen anew with the tab: another window of the browser may have changed it.
    for event in (blocks.load, tab.select):
        event(show, [here], [form], js=ARRIVE, **QUICK)


def settings_html(say: Words, choice: Choice, offer: Offer) -> str:
    """The form as a browser remembers it."""
    chosen = settled(choice, offer)
    return (
        f"<h3>{say.html('settings.answering')}</h3>"
        f"{_mode_html(say, chosen, offer)}{_model_html(say, chosen, offer)}"
        f"{_passages_html(say, chosen, offer)}"
        '<p class="noted" role="status"></p>'
        f"<h3>{say.html('settings.page')}</h3>{_language_html(say)}"
    )


def _mode_html(say: Words, chosen: Choice, offer: Offer) -> str:
    if not offer.models:
        return f"<p>{say.html('settings.only_quotes')}</p>"
    mode = chosen.mode or ("quotes" if offer.quotes else "written")
    radios = "".join(
        '<label class="tick"><input type="radio" name="mode" data-choice="mode" '
        f'value="{value}"{" checked" if value == mode else ""}>'
        f"<span>{say.html(f'settings.{value}')}</span></label>"
        for value in ("written", "quotes")
    )
    return f"<fieldset><legend>{say.html('settings.mode')}</legend>{radios}</fieldset>"


def _model_html(say: Words, chosen: Choice, offer: Offer) -> str:
    """A choice of models; where there is one, its name."""
    if not offer.models:
        return ""
    label = say.html("settings.model")
    if len(offer.models) == 1:
        return f'<p class="field">{label}: <b>{escape(offer.models[0])}</b></p>'
    model = chosen.model or offer.models[0]
    options = "".join(
        f'<option value="{escape(name)}"{" selected" if name == model else ""}>'
        f"{escape(name)}</option>"
        for name in offer.models
    )
    hint = f'<p class="hint" id="model-hint">{say.html("settings.elsewhere")}</p>'
    away = any(name.endswith(")") for name in offer.models)
    described = ' aria-describedby="model-hint"' if away else ""
    return (
        f'<label class="field"><span>{label}</span>'
        f'<select data-choice="model"{described}>{options}</select></label>{hint if away else ""}'
    )


def _passages_html(say: Words, chosen: Choice, offer: Offer) -> str:
    number = chosen.passages or offer.passages
    hint = say.html("settings.passages_hint", most=offer.most, usual=offer.passages)
    return (
        f'<label class="field"><span>{say.html("settings.passages")}</span>'
        f'<input type="number" data-choice="passages" min="1" max="{offer.most}" step="1" '
        f'value="{number}" data-usual="{offer.passages}" aria-describedby="passages-hint"></label>'
        f'<p class="hint" id="passages-hint">{hint}</p>'
    )


def _language_html(say: Words) -> str:
    options = "".join(
        f'<option value="{code}" lang="{code}"{" selected" if words is say else ""}>'
        f"{escape(words('name'))}</option>"
        for code, words in WORDS.items()
    )
    return (
        f'<label class="field"><span>{say.html("settings.language")}</span>'
        f'<select id="language" aria-describedby="language-hint">{options}</select></label>'
        f'<p class="hint" id="language-hint">{say.html("settings.answers")}</p>'
    )
