"""`accelerate`: the same output from a live spaCy pipeline, its bytes untouched, and a way back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from annotation import SCORE_TOLERANCE, assert_same
from spacy.training import Example

import ferrule
from ferrule.interop.spacy import accelerate

ALL_SWAPPED = {
    ("tok2vec", "token encoder"),
    ("tagger", "softmax head"),
    ("ner", "token encoder"),
    ("ner", "transitions"),
    ("textcat", "n-gram counts"),
    ("textcat", "sparse linear layer"),
    ("textcat", "token encoder"),
    ("textcat_multilabel", "n-gram counts"),
    ("textcat_multilabel", "sparse linear layer"),
}


@pytest.fixture
def nlp(spacy_nlp: Any) -> Iterator[Any]:
    """A copy of the pipeline, so that no test changes another's."""
    folder_bytes = spacy_nlp.to_bytes()
    yield spacy.util.load_model_from_config(spacy_nlp.config, auto_fill=False).from_bytes(folder_bytes)


def forwards(nlp: Any) -> list[Any]:
    return [node._func for _, pipe in nlp.components for node in pipe.model.walk()]


def test_every_known_part_is_swapped_and_says_so(nlp: Any) -> None:
    acceleration = accelerate(nlp)
    assert {(swap.component, swap.part) for swap in acceleration.report if swap.swapped} == ALL_SWAPPED
    assert all(not swap.why for swap in acceleration.report)
    assert "token encoder" in str(acceleration)


def test_tags_entities_and_categories_stay_the_same(nlp: Any, spacy_nlp: Any, texts: list[str]) -> None:
    accelerate(nlp)
    assert_same(nlp.pipe(texts), spacy_nlp.pipe(texts))
    assert_same((nlp(text) for text in texts[:10]), (spacy_nlp(text) for text in texts[:10]))


def test_scores_and_shared_vectors_stay_within_the_tolerance(
    nlp: Any, spacy_nlp: Any, texts: list[str]
) -> None:
    accelerate(nlp)
    for ours, theirs in zip(nlp.pipe(texts), spacy_nlp.pipe(texts), strict=True):
        assert np.allclose(ours.tensor, theirs.tensor, atol=SCORE_TOLERANCE)
    docs = [[each.make_doc(text) for text in texts] for each in (nlp, spacy_nlp)]
    for one, other in zip(docs[0], docs[1], strict=True):
        one.tensor = other.tensor = spacy_nlp.get_pipe("tok2vec").predict([other])[0]
    scores = [
        each.get_pipe("tagger").model.predict(d) for each, d in zip((nlp, spacy_nlp), docs, strict=True)
    ]
    for ours, theirs in zip(*scores, strict=True):
        assert np.allclose(ours, theirs, atol=SCORE_TOLERANCE)


def test_undo_and_the_end_of_a_block_give_everything_back(nlp: Any) -> None:
    before = forwards(nlp)
    acceleration = accelerate(nlp)
    assert forwards(nlp) != before
    assert acceleration.undo() == len(ALL_SWAPPED)
    assert forwards(nlp) == before
    assert acceleration.undo() == 0
    with pytest.raises(KeyError), accelerate(nlp):
        raise KeyError("whatever happens in the block")
    assert forwards(nlp) == before


def test_a_second_time_changes_nothing_more(nlp: Any) -> None:
    first = accelerate(nlp)
    during = forwards(nlp)
    second = accelerate(nlp)
    assert forwards(nlp) == during
    assert {swap.why for swap in second.report} == {"was swapped before"}
    assert second.undo() == 0
    assert first.undo() == len(ALL_SWAPPED)


def test_the_pipeline_is_saved_as_before(nlp: Any, spacy_nlp: Any, texts: list[str], tmp_path: Path) -> None:
    models = {name: pipe.model.to_bytes() for name, pipe in nlp.components}
    accelerate(nlp)
    assert {name: pipe.model.to_bytes() for name, pipe in nlp.components} == models
    nlp.to_disk(tmp_path / "fast")
    assert_same(spacy.load(tmp_path / "fast").pipe(texts[:40]), spacy_nlp.pipe(texts[:40]))


def test_training_goes_on_and_is_noticed(nlp: Any, texts: list[str]) -> None:
    """After the same steps, both have learnt the same; the fused parts use the new weights."""
    plain = spacy.util.load_model_from_config(nlp.config, auto_fill=False).from_bytes(nlp.to_bytes())
    accelerate(nlp)
    losses: list[dict[str, float]] = []
    before = [doc.cats for doc in nlp.pipe(texts[:20])]
    for each in (nlp, plain):
        kinds = each.get_pipe("textcat").labels
        chosen = random.Random(0)
        examples = []
        for text in texts[:60]:
            kind = chosen.choice(kinds)
            annotation = {"cats": {label: float(label == kind) for label in kinds}}
            examples.append(Example.from_dict(each.make_doc(text), annotation))
        optimizer = each.resume_training()
        with each.select_pipes(enable=["textcat", "textcat_multilabel"]):
            losses.append({})
            for _ in range(3):
                each.update(examples, sgd=optimizer, losses=losses[-1])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    after = [doc.cats for doc in nlp.pipe(texts[:20])]
    assert max(abs(a[k] - b[k]) for a, b in zip(before, after, strict=True) for k in a) > 0.01
    assert_same(nlp.pipe(texts[:60]), plain.pipe(texts[:60]))


def test_short_and_empty_texts_are_no_error_any_more(nlp: Any) -> None:
    """spaCy's n-grams read past the end of documents that are shorter than they are."""
    with accelerate(nlp), nlp.select_pipes(enable="textcat_multilabel"):
        assert set(nlp("Hi").cats) == set(nlp.get_pipe("textcat_multilabel").labels)


def test_what_is_not_swapped_is_named_with_the_reason() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("tagger", config={"model": {"tok2vec": CHARACTERS}})
    nlp.add_pipe("ner", config={"model": {"tok2vec": MISH}})
    report = {(swap.component, swap.part): swap for swap in accelerate(nlp).report}
    assert report["sentencizer", "Sentencizer"].why == "has no thinc model"
    assert report["tagger", "token encoder"].why == "it embeds characters"
    assert report["tagger", "softmax head"].swapped
    assert report["ner", "token encoder"].why == "its encoder has mish layers"


CHARACTERS = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy.CharacterEmbed.v2",
        **{"width": 32, "rows": 100, "nM": 8, "nC": 4, "include_static_vectors": False},
    },
    "encode": {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        **{"width": 32, "depth": 1, "window_size": 1, "maxout_pieces": 2},
    },
}
MISH = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy.MultiHashEmbed.v2",
        **{"width": 32, "attrs": ["NORM"], "rows": [100], "include_static_vectors": False},
    },
    "encode": {"@architectures": "spacy.MishWindowEncoder.v2", "width": 32, "depth": 1, "window_size": 1},
}


def test_ferrules_own_pipelines_are_refused() -> None:
    with pytest.raises(TypeError, match="fast as they are"):
        accelerate(ferrule.blank("en"))  # type: ignore[arg-type]
