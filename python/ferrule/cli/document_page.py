"""Annotated documents as one HTML page: entities, tags and categories with their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from ferrule.cli.entity_scores import entity_scores
from ferrule.training.report.page import page

if TYPE_CHECKING:
    from ferrule.tokens import Doc, Span, Token

__all__ = ["render_documents"]

COLOURS = ("#3b82f6", "#ef6c4d", "#22a565", "#a855f7", "#d99a1c", "#14a3b8", "#e0529c", "#7c8694")
SURE = 0.9
"""From here on a tag's probability is left to the tooltip."""
MOST_CATEGORIES = 10

STYLE = resources.files("ferrule.cli").joinpath("document_page.css").read_text("utf8")


def render_documents(docs: Iterable[Doc], title: str) -> str:
    """A page with one block a document; nothing in it needs the network or a script.

    An entity shows its label and, where a span group of the document has scores, its probability in per cent;
    a tag its probability, in the tooltip and, below 90 %, beside it, where ``doc.activations`` has
    ``"probabilities"`` of the tagger; categories a bar each.
    """
    blocks = [_document(doc, number) for number, doc in enumerate(docs, start=1)]
    if not blocks:
        blocks = ["<p>There are no documents.</p>"]
    note = "<p>Figures are probabilities in per cent; those of tags from 90 on are in the tooltips only.</p>"
    return page(title, note + "\n".join(blocks), STYLE)


def _document(doc: Doc, number: int) -> str:
    tagged = ' class="tagged"' if any(token.tag_ for token in doc) else ""
    text = "".join(_pieces(doc)) if len(doc) else "<p>(empty)</p>"
    return (
        f'<article id="doc-{number}"{tagged}>'
        f'<p>{number}</p><div class="text" dir="auto">{text}</div>{_categories(doc)}</article>'
    )


def _pieces(doc: Doc) -> Iterator[str]:
    scores, probabilities = entity_scores(doc), _tag_probabilities(doc)
    starts = {ent.start: ent for ent in doc.ents}
    place = 0
    while place < len(doc):
        ent = starts.get(place)
        end = ent.end if ent else place + 1
        inner = "".join(
            _token(doc[at], probabilities[at] if probabilities else None, space=at + 1 < end)
            for at in range(place, end)
        )
        yield _entity(ent, inner, scores.get((ent.start, ent.end, ent.label_))) if ent else inner
        yield doc[end - 1].whitespace_
        place = end


def _token(token: Token, probability: float | None, *, space: bool) -> str:
    word = escape(token.text)
    after = token.whitespace_ if space else ""
    if not token.tag_ or token.is_space:
        return word + after
    tag = escape(token.tag_)
    if probability is None:
        return f'<span class="token">{word}<small>{tag}</small></span>{after}'
    below = f"<small>{tag}</small>"
    if probability < SURE:
        below = f'<small class="unsure">{tag} {100 * probability:.0f}</small>'
    return f'<span class="token" title="{tag} {100 * probability:.1f} %">{word}{below}</span>{after}'


def _entity(ent: Span, inner: str, score: float | None) -> str:
    colour = COLOURS[sum(ent.label_.encode()) % len(COLOURS)]
    shown = "" if score is None else f"<i>{100 * score:.0f}</i>"
    title = "" if score is None else f' title="{escape(ent.label_)} {100 * score:.1f} %"'
    return f'<mark style="background:{colour}38"{title}>{inner}<b>{escape(ent.label_)}</b>{shown}</mark>'


def _categories(doc: Doc) -> str:
    ranked = sorted(doc.cats.items(), key=lambda each: -each[1])
    rows = [
        f"<span>{escape(label)}</span>"
        f'<div><i style="width:{100 * min(max(score, 0.0), 1.0):.1f}%"></i></div><em>{100 * score:.1f}</em>'
        for label, score in ranked[:MOST_CATEGORIES]
    ]
    rest = len(ranked) - len(rows)
    more = f"<p>and {rest} less probable categories</p>" if rest else ""
    return f'<div class="cats">{"".join(rows)}</div>{more}' if rows else ""


def _tag_probabilities(doc: Doc) -> list[float] | None:
    """The probability of each token's tag, where a tagger has kept them."""
    for kept in doc.activations.values():
        if "probabilities" in kept and "label_ids" in kept and len(kept["label_ids"]) == len(doc):
            best = zip(kept["probabilities"], kept["label_ids"], strict=True)
            return [float(row[int(label)]) for row, label in best]
    return None
