"""`--scores`: the probabilities of entities, kept while a pipeline runs and found again in its documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferrule.errors import ConfigError

if TYPE_CHECKING:
    from ferrule.language import Language
    from ferrule.tokens import Doc

__all__ = ["entity_scores", "keep_entity_scores"]

KEY = "ents_scored"


def keep_entity_scores(nlp: Language) -> None:
    """Let each entity recognizer of `nlp` keep probabilities, where it has no `scores_key` under `KEY`.

    Raises ConfigError where the pipeline has no component that knows them.
    """
    able = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "scores_key")]
    if not able:
        raise ConfigError(
            f"--scores: no component of this pipeline ({', '.join(nlp.pipe_names)}) has entities with scores"
        )
    for pipe in able:
        if pipe.scores_key is None:
            pipe.scores_key = KEY


def entity_scores(doc: Doc) -> dict[tuple[int, int, str], float]:
    """The probabilities kept in `doc`: by first token, behind the last one, and label."""
    found = {}
    for group in doc.spans.values():
        for span, score in zip(group, group.attrs.get("scores", ()), strict=False):
            found[span.start, span.end, span.label_] = float(score)
    return found
