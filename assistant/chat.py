"""The assistant: a question in, a growing `Answer` out.

    question, history -> standalone query -> ranked passages -> draft -> claims -> `Answer`

`stream()` is the one way through; `ask()` only takes its last value.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assistant import answer_selection, compose, prompts
from assistant.answerability import is_hopeless
from assistant.answers import lookup
from assistant.answers.write import Writer
from assistant.assembly import assemble
from assistant.compose import Composer
from assistant.conclude import conclude
from assistant.errors import AssistantError, SourceError
from assistant.evidence import Evidence, Part, Ranked
from assistant.grounding import Grounder, Verdict
from assistant.index import SearchIndex
from assistant.judging import Judge
from assistant.languages import language_of
from assistant.local_chat import LocalChat
from assistant.passages import Sentence, sentences
from assistant.phrase import phrase_in
from assistant.questions import (
    Query,
    assumes,
    check_question,
    essence,
    in_conversation,
    leans_on_history,
    parts,
    respell,
    stands_alone,
)
from assistant.reader import Reads
from assistant.reading import Reading
from assistant.repeats import repeats
from assistant.retrieval import Retriever
from assistant.settings import Settings
from assistant.text import tokens
from assistant.turn import Judged, Turn
from assistant.types import (
    Answer,
    ChatModel,
    Document,
    Encoder,
    Message,
    Outcome,
    Passage,
    Progress,
    ScoredPassage,
    silent,
)

_MAX_TRANSLATED_TOKENS = 120
_LEADS = 4
"""Sentences put before the model once more, right beside the question."""
_CHOSEN = 0.1
"""What a sentence needs of the model's choice to be put before it once more."""
_READ = 16
"""Passages of long sources that the reader reads; those that answer best are drawn on."""
_CANDIDATES = 100
"""Passages whose scores count in ranking sentences."""


class Assistant:
    """Answers questions from its documents and cites every sentence it shows.

    `chat_model` is called when a model is first needed: loading one takes seconds and may fail,
    and an assistant without one still answers with quotes. So is `reader`, which judges sources
    that are too long for the chat model to be shown whole. `writer` answers what no single
    sentence does; by default it leaves all to be looked up.
    """

    def __init__(
        self,
        documents: Mapping[str, Document],
        index: SearchIndex,
        encoder: Encoder,
        reader: Callable[[], Reads],
        chat_model: Callable[[], ChatModel | None],
        settings: Settings,
        writer: Writer | None = None,
    ) -> None:
        self.documents = documents
        self._writer = writer or Writer(None, encoder)
        self._chat_model = chat_model
        self._settings = settings
        self._fingerprint = settings.fingerprint()
        self._passages = tuple(index.passages.values())
        self._retriever = Retriever(index, documents, settings)
        self._sentences = {doc_id: sentences(document) for doc_id, document in documents.items()}
        self._judging = Judge(documents, self._sentences, reader)
        self._repeats = repeats(self._sentences.values())
        self._evidence = Evidence(encoder, {doc_id: self._topic(doc_id) for doc_id in documents})
        self._languages = {document.language for document in documents.values()}
        # A word parted at a line's end is whole only in what is shown.
        texts = [document.text for document in documents.values()]
        texts += [one.shown for found in self._sentences.values() for one in found]
        self._vocabulary = {t.folded for text in texts for t in tokens(text)}

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        progress: Progress = silent,
        documents: Mapping[str, Document] | None = None,
        folder: Path | None = None,
    ) -> Assistant:
        """Put the parts together; the index is built or brought up to date where need be.

        It answers from the sources of the settings, or from `documents`, indexed in `folder`.
        """
        return cls(*assemble(settings, progress, documents, folder))

    def warm(self) -> None:
        """Load the models and read the sources ahead of the first question."""
        turn = self._begin("", [], None)
        ranked = self._rank(turn, turn.query)
        model = self._chat_model()
        if isinstance(model, LocalChat):
            model.prime(prompts.RULES)
            if turn.whole:
                model.prime_selection(self._selecting(turn, "", [], ranked)[1][0])

    def quoting(self) -> Assistant:
        """The same without a chat model: it answers in quotes, at once."""
        return self.twin("none", lambda: None, self._settings.top_k)

    def twin(self, chat_model: str, load: Callable[[], ChatModel | None], top_k: int) -> Assistant:
        """The same over the same index with another chat model, the setting and what loads it."""
        twin = copy.copy(self)
        twin._settings = replace(self._settings, chat_model=chat_model, top_k=top_k)
        twin._fingerprint = twin._settings.fingerprint()
        twin._chat_model = load
        return twin

    def ask(
        self,
        question: str,
        history: Sequence[Message] = (),
        doc_ids: Collection[str] | None = None,
    ) -> Answer:
        """The answer to a question. Raises `QuestionError` for one that can't be taken."""
        *_, answer = self.stream(question, history, doc_ids)
        return answer

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),
        doc_ids: Collection[str] | None = None,
    ) -> Iterator[Answer]:
        """The answer as it grows: evidence first, then claim by claim, the last one whole.

        `doc_ids` narrows the sources that may answer.
        """
        self._check(question, doc_ids)
        return self._stream(" ".join(question.split()), list(history), doc_ids)

    def _stream(
        self, question: str, history: list[Message], doc_ids: Collection[str] | None
    ) -> Iterator[Answer]:
        turn = self._begin(question, history, doc_ids)
        turn.mark("first_evidence")
        yield self._answer(turn, "pending")
        if outcome := self._made(turn, history, doc_ids):
            turn.mark("total")
            yield self._answer(turn, outcome)
            return

        model = self._model(turn)
        if model and turn.language not in self._languages:
            # The reader takes any language; where it finds nothing, the question goes in English.
            if turn.whole:
                self._choose(turn)
            if not turn.judged.leads or is_hopeless(turn.judged.probe):
                self._translate(turn, model, doc_ids)
        if turn.judged.leads:
            yield self._looked_up(turn, model)
            return
        if model:
            for _ in self._write(turn, model):
                yield self._answer(turn, "pending")
        turn.parts = self._parts(turn, model)
        drafted = [verdict.text for verdict in turn.verdicts]
        ranked = self._rank(turn, turn.query, drafted)
        end = conclude(
            turn.query, ranked, turn.verdicts, turn.judged, turn.composer, turn.parts, turn.phrase
        )
        turn.mark("total")
        yield replace(self._answer(turn, end.outcome), missing=end.missing, signals=end.signals)

    def _looked_up(self, turn: Turn, model: ChatModel | None) -> Answer:
        """The answer from the sentences that may hold one, told in few words by the chat model."""
        found = turn.judged.leads
        verdicts = None
        if model and not is_hopeless(turn.judged.probe):
            leads = sorted(found, key=lambda lead: (lead.doc_id, lead.start))
            told = [(self.documents[lead.doc_id].title, lead.shown) for lead in leads]
            request = prompts.render_answer(turn.request, told)
            try:
                claims = turn.claims(model.stream(request, self._settings.max_answer_tokens))
                turn.phrase = phrase_in(turn.draft, found, turn.request)
                # What is no words of the sources may still be a statement that they carry.
                verdicts = turn.verdicts = [Grounder(found).judge(claim) for claim in claims]
            except AssistantError as fault:
                turn.fail(fault)
        end = lookup.conclude(turn.judged, turn.phrase, verdicts, turn.composer)
        turn.mark("total")
        return replace(self._answer(turn, end.outcome), missing=end.missing, signals=end.signals)

    def _made(
        self, turn: Turn, history: list[Message], doc_ids: Collection[str] | None
    ) -> Outcome | None:
        """What became of a request that no single sentence answers; None where it is looked up."""
        chosen = [d for d in self.documents if doc_ids is None or d in doc_ids]
        try:
            return self._writer.write(
                turn.question,
                {doc_id: self.documents[doc_id] for doc_id in chosen},
                self._sentences,
                turn.composer,
                lambda: self._read(turn).relevance,
                lambda: self._judging.judge(turn.query.text, turn.passages).relevance,
                [] if turn.whole else _by_weight(turn.hits),
                self._read_alone,
                lambda sentence: self._says_yes(turn, sentence),
                lambda: self._last(history, doc_ids),
                leans=bool(turn.query.before),
            )
        except AssistantError as fault:
            turn.fail(fault)
            return None

    def _read(self, turn: Turn) -> Judged:
        """What is made of the passages, by whatever would judge them were the request looked up."""
        model = self._model(turn) if turn.whole and turn.language in self._languages else None
        if model and not turn.judged.relevance:
            ranked = self._rank(turn, turn.query)
            turn.judged = self._judge(turn, model, turn.asked, turn.history, ranked)
        if turn.judged.relevance:
            return turn.judged
        return self._judging.judge(turn.query.text, turn.passages)

    def _read_alone(self, question: str, doc_id: str) -> tuple[float, Mapping[Sentence, float]]:
        """What the reader makes of the first passages of one document."""
        passages = [p for p in self._passages if p.doc_id == doc_id][:_READ]
        judged = self._judging.judge(question, passages)
        return judged.probe or 0.0, judged.relevance

    def _says_yes(self, turn: Turn, sentence: Sentence) -> float | None:
        model = self._model(turn)
        return model.probe(prompts.render_yes_no(turn.request, [sentence.shown])) if model else None

    def _last(self, history: list[Message], doc_ids: Collection[str] | None) -> Answer | None:
        """The last answer of a conversation, made anew: its history has no more than its text."""
        asked = [at for at, message in enumerate(history) if message["role"] == "user"]
        if not asked:
            return None
        question = " ".join(history[asked[-1]]["content"].split())
        *_, answer = self._stream(question, history[: asked[-1]], doc_ids)
        return answer

    def evidence(self, question: str, history: Sequence[Message] = ()) -> tuple[Turn, list[Ranked]]:
        """What is known of a question before a chat model is asked, and the evidence by fit."""
        turn = self._begin(" ".join(question.split()), list(history), None)
        return turn, self._rank(turn, turn.query)

    def _begin(
        self, question: str, history: list[Message], doc_ids: Collection[str] | None
    ) -> Turn:
        asked = essence(question)
        query = in_conversation(asked, history)
        turn = Turn(question, history if query.before else [], language_of(asked), asked)
        turn.request = prompts.render_question(asked, turn.history)
        self._find(turn, query, doc_ids)
        return turn

    def _parts(self, turn: Turn, model: ChatModel | None) -> list[Part]:
        """Evidence for each question within a question, where there are several."""
        several = parts(turn.query.now)
        return [self._part(turn, text, model) for text in several] if len(several) > 1 else []

    def _part(self, turn: Turn, text: str, model: ChatModel | None) -> Part:
        # A draft often speaks of one part only, and would draw the others to its sentence.
        leant_on = turn.query.text if leans_on_history(text) else turn.query.before
        query = Query(text, leant_on)
        ranked = self._rank(turn, query, relevance={})
        if model is None or turn.error_code or not stands_alone(text):
            return Part(ranked)
        try:
            judged = self._judge(turn, model, text, [], ranked)
        except AssistantError as fault:
            turn.fail(fault)
            return Part(ranked)
        return Part(self._rank(turn, query, relevance=judged.relevance), judged.probe)

    def _judge(
        self,
        turn: Turn,
        model: ChatModel,
        asked: str,
        history: Sequence[Message],
        ranked: Sequence[Ranked],
    ) -> Judged:
        """What the model makes of a question over all that the sources say."""
        found, request = self._selecting(turn, asked, history, ranked)
        selected = model.select(request, len(found))
        if selected:
            return Judged(
                selected.answered,
                dict(zip(found, selected.relevance, strict=True)),
                selected.partly,
                selected.false_premise,
            )
        sources = self._sources(turn)
        question = prompts.render_question(asked, history)
        leads = [lead.shown for lead in _leads(ranked, {})]
        return Judged(model.probe(prompts.render_answerable(sources, question, leads)))

    def _sources(self, turn: Turn) -> Message:
        """What a request shows of the sources ahead of the question, the same for every question.

        Of sources too long to be shown whole that is nothing: the sentences chosen stand beside the
        question anyway, and a local model would take half a minute to read others first.
        """
        return prompts.render_sources(turn.passages if turn.whole else (), self.documents)

    def _selecting(
        self, turn: Turn, asked: str, history: Sequence[Message], ranked: Sequence[Ranked]
    ) -> tuple[list[Sentence], list[Message]]:
        """The sentences that the model may choose from for a question, and the request."""
        found = answer_selection.options(ranked, turn.whole)
        leads = [
            (self.documents[s.doc_id].title, answer_selection.as_read(s, ranked)) for s in found
        ]
        return found, prompts.render_selection(leads, asked, history)

    def _rank(
        self,
        turn: Turn,
        query: Query,
        draft: Sequence[str] = (),
        relevance: Mapping[Sentence, float] | None = None,
    ) -> list[Ranked]:
        """The evidence in view for a query, with what the model made of it."""
        relevance = turn.judged.relevance if relevance is None else relevance
        return self._evidence.rank(query, turn.grounder.windows, turn.candidates, draft, relevance)

    def _find(self, turn: Turn, query: Query, doc_ids: Collection[str] | None) -> None:
        """Retrieve for a query and set out what the answer may draw on."""
        now, before = (respell(part, self._vocabulary) for part in (query.now, query.before))
        turn.query = replace(query, now=now, before=before)
        turn.candidates = self._retriever.retrieve(turn.query.text, _CANDIDATES, doc_ids)
        turn.hits = turn.candidates[: self._settings.top_k]
        turn.passages = self._retriever.context(turn.hits, doc_ids)
        # Where the chat model chooses among lettered sentences, it needs a letter for each.
        count = sum(len(self._sentences[doc_id]) for doc_id in doc_ids or self.documents)
        turn.whole = count <= len(prompts.LETTERS) and len(turn.passages) == sum(
            doc_ids is None or passage.doc_id in doc_ids for passage in self._passages
        )
        if not turn.whole:
            turn.passages = self._choose(turn) or turn.passages
        turn.composer = Composer(
            self.documents, self._passages, turn.language, self._repeated(doc_ids)
        )
        turn.grounder = self._grounder(turn.passages)

    def _choose(self, turn: Turn) -> list[Passage]:
        """Have the reader find what may hold the answer; the passages that answer best."""
        hits, count = turn.candidates[:_READ], len(turn.passages)
        try:
            turn.judged, found = self._judging.choose(turn.query.text, hits, count)
        except AssistantError as fault:
            turn.fail(fault)
            return []
        return self._retriever.in_order(found)

    def _model(self, turn: Turn) -> ChatModel | None:
        try:
            model = self._chat_model()
        except AssistantError as fault:
            turn.fail(fault)
            return None
        if model is None:
            turn.notice = turn.notice or compose.wording(turn.language, "quoting")
        else:
            turn.model = model.name
        return model

    def _translate(self, turn: Turn, model: ChatModel, doc_ids: Collection[str] | None) -> None:
        """Ask on in English, the language of the sources that claims are held against."""
        sources = self._sources(turn)
        request = prompts.render_translate(sources, turn.query.text)
        try:
            lines = "".join(model.stream(request, _MAX_TRANSLATED_TOKENS)).strip().splitlines()
        except AssistantError as fault:
            turn.fail(fault)
            return
        if lines:
            turn.judged = Judged()
            self._find(turn, Query(lines[0]), doc_ids)
            turn.asked, turn.history = turn.query.text, []

    def _write(self, turn: Turn, model: ChatModel) -> Iterator[Verdict]:
        """Draft with the chat model and judge each claim as soon as it is whole."""
        ranked = self._rank(turn, turn.query)
        try:
            if turn.whole and not turn.judged.relevance:
                turn.judged = self._judge(turn, model, turn.asked, turn.history, ranked)
            # Nothing would be shown of a draft then; but where the model can't choose sentences,
            # one that falls for a false premise still points at the sentence that corrects it.
            chose = bool(turn.judged.relevance)
            if is_hopeless(turn.judged.probe) and (chose or not assumes(turn.query.now)):
                return
            leads = _leads(self._rank(turn, turn.query), turn.judged.relevance)
            request = prompts.render_draft(turn.request, [lead.shown for lead in leads])
            claims = turn.claims(model.stream(request, self._settings.max_answer_tokens))
            turn.phrase = phrase_in(turn.draft, leads, turn.request)
            for claim in claims if turn.phrase is None else ():
                turn.verdicts.append(turn.grounder.judge(claim))
                yield turn.verdicts[-1]
        except AssistantError as fault:
            turn.fail(fault)

    def _answer(self, turn: Turn, outcome: Outcome) -> Answer:
        shown = turn.composer
        return Answer(
            text=shown.text,
            outcome=outcome,
            claims=tuple(shown.claims),
            citations=shown.citations,
            retrieved=tuple(turn.hits),
            standalone_query=turn.query.text,
            missing="",
            timings=dict(turn.timings),
            settings_fingerprint=self._fingerprint,
            question=turn.question,
            quoted=not turn.written,
            notice=turn.notice,
            error_code=turn.error_code,
            model=turn.model,
            dropped_markers=turn.dropped_markers,
        )

    def _repeated(self, doc_ids: Collection[str] | None) -> Mapping[Sentence, Sequence[Sentence]]:
        """All places of the sentences that stand in several, in the sources that may answer."""
        if doc_ids is None:
            return self._repeats
        return {
            sentence: [place for place in places if place.doc_id in doc_ids]
            for sentence, places in self._repeats.items()
        }

    def _topic(self, doc_id: str) -> frozenset[str]:
        """The words of a document's title and lead, which every sentence of it is about."""
        lead = " ".join(sentence.shown for sentence in self._sentences[doc_id][:1])
        return Reading(f"{self.documents[doc_id].title}. {lead}").words

    def _grounder(self, passages: Sequence[Passage]) -> Grounder:
        """Over the sentences of these passages; a list that they touch comes whole."""
        return Grounder([s for p in _by_document(passages).values() for s in self._within(p)])

    def _within(self, passages: Sequence[Passage]) -> list[Sentence]:
        found = self._sentences[passages[0].doc_id]
        inside = [s for s in found if any(p.start <= s.start < p.end for p in passages)]
        lists = {s.block for s in inside if s.item}
        return [s for s in found if s in inside or s.block in lists]

    def _check(self, question: str, doc_ids: Collection[str] | None) -> None:
        check_question(question)
        unknown = sorted(set(doc_ids or ()) - set(self.documents))
        if unknown or (doc_ids is not None and not doc_ids):
            raise SourceError(
                f"There is no source '{unknown[0]}'." if unknown else "No source is chosen.",
                "ots-assistant sources list",
            )


def _leads(ranked: Sequence[Ranked], relevance: Mapping[Sentence, float]) -> list[Sentence]:
    """The sentences that bear most on a question, each once; those the model chose, if it did."""
    found = list(dict.fromkeys(s for hit in ranked for s in hit.window.sentences))
    chosen = [sentence for sentence in found if relevance.get(sentence, 0.0) >= _CHOSEN]
    return (chosen or found)[:_LEADS]


def _by_weight(hits: Sequence[ScoredPassage]) -> list[str]:
    """Documents by what their passages score together, best first."""
    scores: dict[str, float] = {}
    for hit in hits:
        scores[hit.passage.doc_id] = scores.get(hit.passage.doc_id, 0.0) + hit.score
    return sorted(scores, key=lambda doc_id: -scores[doc_id])


def _by_document(passages: Sequence[Passage]) -> dict[str, list[Passage]]:
    grouped: dict[str, list[Passage]] = {}
    for passage in passages:
        grouped.setdefault(passage.doc_id, []).append(passage)
    return grouped
