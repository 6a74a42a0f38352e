"""How sure `ner` is: probabilities of entities and analyses, calibration, thresholds, beams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from thinc.api import fix_random_seed

import ferrule
from ferrule.errors import LabelError
from ferrule.tokens import Doc, Span
from ferrule.training.example import Example

SENTENCES = [
    ("Anna lives in Rome", ["U-PER", "O", "O", "U-LOC"]),
    ("Ben Hur left New York", ["B-PER", "L-PER", "O", "B-LOC", "L-LOC"]),
    ("nobody left", ["O", "O"]),
    # Nobody can tell: the same words, other labels.
    ("Paris called", ["U-PER", "O"]),
    ("Paris called", ["U-LOC", "O"]),
]
# Sums over analyses of which those below a ten-thousandth were not followed.
TOLERANCE = 1e-3
N_STEPS, LEARN_RATE = 60, 0.003


def _examples(nlp: Any) -> list[Example]:
    return [
        Example.from_dict(Doc(nlp.vocab, words=text.split()), {"entities": tags}) for text, tags in SENTENCES
    ]


def _doc(nlp: Any, text: str) -> Doc:
    return Doc(nlp.vocab, words=text.split())


@pytest.fixture(scope="module")
def saved() -> bytes:
    """A recognizer that has learned the sentences, and is undecided about Paris."""
    fix_random_seed(0)
    nlp = ferrule.blank("en")
    ner = nlp.add_pipe("ner")
    examples = _examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = LEARN_RATE
    for _ in range(N_STEPS):
        nlp.update(examples, sgd=optimizer)
    return bytes(ner.to_bytes(exclude=["vocab"]))


@pytest.fixture
def pipeline(saved: bytes) -> Any:
    nlp = ferrule.blank("en")
    nlp.add_pipe("ner").from_bytes(saved, exclude=["vocab"])
    return nlp


def test_probabilities_tell_sure_from_unsure(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    doc = _doc(pipeline, "Paris called")
    (found,) = ner.entity_probabilities([doc])
    of = {(entity.start, entity.end, entity.label): entity.probability for entity in found}
    assert 0.2 < of[0, 1, "PER"] < 0.8
    assert 0.2 < of[0, 1, "LOC"] < 0.8
    assert [entity.probability for entity in found] == sorted(of.values(), reverse=True)
    ((anna, *_),) = ner.entity_probabilities([_doc(pipeline, "Anna lives in Rome")])
    assert anna[:3] in ((0, 1, "PER"), (3, 4, "LOC"))
    assert anna.probability > 0.9
    assert not doc.ents


def test_an_entitys_probability_is_the_sum_over_the_analyses_that_have_it(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    docs = [_doc(pipeline, text) for text, _ in SENTENCES]
    for analyses, entities in zip(
        ner.analyses(docs, n_best=500), ner.entity_probabilities(docs), strict=True
    ):
        assert sum(analysis.probability for analysis in analyses) == pytest.approx(1.0, abs=TOLERANCE)
        for entity in entities:
            total = sum(a.probability for a in analyses if entity[:3] in a.entities)
            assert entity.probability == pytest.approx(total, abs=TOLERANCE)


def test_analyses_come_best_first_and_no_more_than_asked(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    (analyses,) = ner.analyses([_doc(pipeline, "Paris called")], n_best=3)
    probabilities = [analysis.probability for analysis in analyses]
    assert len(analyses) == 3
    assert probabilities == sorted(probabilities, reverse=True)
    assert {str(a.entities) for a in analyses[:2]} == {"[(0, 1, 'PER')]", "[(0, 1, 'LOC')]"}
    assert ner.analyses([Doc(pipeline.vocab)]) == [[([], 1.0)]]
    with pytest.raises(ValueError, match="n_best"):
        ner.analyses([_doc(pipeline, "Paris")], n_best=0)


def test_scores_are_kept_beside_the_entities(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    ner.scores_key, ner.save_activations = "sure", True
    doc = pipeline("Anna lives in Rome")
    group = doc.spans["sure"]
    assert [(s.start, s.end, s.label_) for s in group] == [(e.start, e.end, e.label_) for e in doc.ents]
    assert len(doc.ents) == 2
    expected = {e[:3]: e.probability for e in ner.entity_probabilities([_doc(pipeline, doc.text)])[0]}
    assert group.attrs["scores"] == [expected[s.start, s.end, s.label_] for s in group]
    kept = doc.activations["ner"]["entity_scores"]
    assert np.array_equal(kept, np.array(group.attrs["scores"], dtype=np.float32))


def test_a_threshold_drops_unsure_entities_and_keeps_those_that_were_set(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    assert len(pipeline("Paris called").ents) == 1
    ner.threshold = 0.85
    assert not pipeline("Paris called").ents
    assert len(pipeline("Anna lives in Rome").ents) == 2
    doc = _doc(pipeline, "Paris called")
    doc.set_ents([Span(doc, 0, 1, label="LOC")], default="missing")
    ner.threshold = 1.0
    assert [ent.label_ for ent in ner(doc).ents] == ["LOC"]


def test_a_low_threshold_adds_entities_that_are_probable_enough(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    (candidates,) = ner.entity_probabilities([_doc(pipeline, "nobody left Paris")])
    assert len(candidates) >= 2
    ner.threshold = candidates[-1].probability
    found = [(ent.start, ent.end, ent.label_) for ent in ner(_doc(pipeline, "nobody left Paris")).ents]
    # Of those that overlap the most probable, in their order.
    expected: list[Any] = []
    for start, end, label, _ in candidates:
        if all(end <= other[0] or start >= other[1] for other in expected):
            expected.append((start, end, label))
    assert found == sorted(expected)


def test_a_label_may_have_a_threshold_of_its_own(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    ner.thresholds = {"LOC": 1.0}
    assert [ent.label_ for ent in pipeline("Anna lives in Rome").ents] == ["PER"]
    with pytest.raises(LabelError, match="ODD"):
        ner.thresholds = {"ODD": 0.5}
    with pytest.raises(ValueError, match="LOC"):
        ner.thresholds = {"LOC": 2.0}
    with pytest.raises(ValueError, match="threshold"):
        ner.threshold = -0.1


def test_calibration_makes_an_overconfident_recognizer_less_sure(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    nlp = ferrule.blank("en")
    # Half of what it is sure of is wrong here.
    wrong = [
        Example.from_dict(_doc(nlp, text), {"entities": tags})
        for text, tags in [
            ("Anna lives in Rome", ["O", "O", "O", "U-LOC"]),
            ("Ben Hur left New York", ["B-PER", "L-PER", "O", "O", "O"]),
        ]
    ]
    report = ner.calibrate(wrong)
    assert report.temperature == pytest.approx(ner.temperature)
    assert ner.temperature > 2.0
    assert report.ece_after < report.ece_before
    assert report.n_predictions == 4
    # Four entities, each right or wrong by chance: no probabilities but 0 and 1 could do without an error.
    assert 0.1 < report.ece_by_chance < 0.5
    again = ferrule.blank("en").add_pipe("ner")
    again.from_bytes(ner.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert again.temperature == ner.temperature


def test_a_label_that_is_mostly_wrong_gets_lower_odds(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    tags = [["U-PER", "O", "O", "O"], ["B-PER", "L-PER", "O", "O", "O"]]
    texts = ["Anna lives in Rome", "Ben Hur left New York"]
    examples = [
        Example.from_dict(_doc(pipeline, text), {"entities": own})
        for text, own in zip(texts, tags, strict=True)
    ]
    ner.calibrate(examples * 5)
    assert ner.odds["LOC"] < ner.odds[""] < ner.odds["PER"]
    doc = _doc(pipeline, "Anna lives in Rome")
    of = {entity[:3]: entity.probability for entity in ner.entity_probabilities([doc])[0]}
    assert of[0, 1, "PER"] > 0.7
    assert of[3, 4, "LOC"] < 0.3
    # What is set is certain, whatever its label.
    doc.set_ents([Span(doc, 3, 4, label="LOC")], default="missing")
    of = {entity[:3]: entity.probability for entity in ner.entity_probabilities([doc])[0]}
    assert of[3, 4, "LOC"] == pytest.approx(1.0)
    again = ferrule.blank("en").add_pipe("ner")
    again.from_bytes(ner.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert again.odds == ner.odds


@pytest.mark.parametrize("is_it", [False, True])
def test_entities_that_are_not_found_get_odds_of_their_own(pipeline: Any, is_it: bool) -> None:
    ner = pipeline.get_pipe("ner")
    text = "Paris called"
    found = pipeline(text).ents[0].label_
    missed = {"PER": "LOC", "LOC": "PER"}[found]
    gold = [f"U-{missed if is_it else found}", "O"]
    examples = [Example.from_dict(_doc(pipeline, text), {"entities": gold}) for _ in range(10)]
    # One example of what it knows, so that not everything is wrong.
    examples.append(Example.from_dict(_doc(pipeline, SENTENCES[0][0]), {"entities": SENTENCES[0][1]}))

    def probabilities() -> dict[str, float]:
        entities = ner.entity_probabilities([_doc(pipeline, text)], floor=1e-4)[0]
        return {entity.label: entity.probability for entity in entities if entity.end == 1}

    before = probabilities()
    ner.calibrate(examples)
    assert (ner.odds_unless_found > 1.0) is is_it
    assert (probabilities()[missed] > before[missed]) is is_it
    # A floor counts for what comes of the odds, whatever the probability was before.
    floor = probabilities()[missed] * 0.99
    (above,) = ner.entity_probabilities([_doc(pipeline, text)], floor=floor)
    assert missed in {entity.label for entity in above}
    again = ferrule.blank("en").add_pipe("ner")
    again.from_bytes(ner.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert again.odds_unless_found == ner.odds_unless_found
    ner.calibrate(examples, per_label=False)
    assert ner.odds_unless_found == 1.0


def test_fitted_thresholds_drop_what_is_mostly_wrong_and_are_saved(pipeline: Any) -> None:
    ner = pipeline.get_pipe("ner")
    label = pipeline("Paris called").ents[0].label_
    examples = [
        Example.from_dict(_doc(pipeline, "Paris called"), {"entities": ["O", "O"]}),
        Example.from_dict(_doc(pipeline, "Anna lives in Rome"), {"entities": SENTENCES[0][1]}),
    ]
    found = ner.fit_thresholds(examples)
    assert found == ner.thresholds
    assert found[label] > 0.0
    assert not pipeline("Paris called").ents
    assert len(pipeline("Anna lives in Rome").ents) == 2
    again = ferrule.blank("en").add_pipe("ner")
    again.from_bytes(ner.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert again.thresholds == found
    assert ner.fit_thresholds(examples, per_label=False, min_precision=1.0)[""] == ner.threshold > 0.0


def test_scores_report_the_calibration_error_where_probabilities_are_kept(pipeline: Any) -> None:
    examples = _examples(pipeline)
    assert "ents_ece" not in pipeline.evaluate(examples)
    pipeline.get_pipe("ner").scores_key = "sure"
    scores = pipeline.evaluate(_examples(pipeline))
    assert 0.0 < scores["ents_ece"] < 0.5
    assert 0.0 < scores["ents_ece_by_chance"] < 0.5


@pytest.mark.parametrize("beam_width", [1, 8])
def test_a_beam_finds_at_least_what_greedy_decoding_finds(saved: bytes, beam_width: int) -> None:
    nlp = ferrule.blank("en")
    greedy = nlp.add_pipe("ner").from_bytes(saved, exclude=["vocab"])
    beam = nlp.add_pipe("beam_ner", config={"beam_width": beam_width, "beam_density": 0.0})
    beam.from_bytes(saved, exclude=["vocab", "cfg"])
    for text, _ in SENTENCES:
        found = [
            [(ent.start, ent.end, ent.label_) for ent in pipe(_doc(nlp, text)).ents]
            for pipe in (greedy, beam)
        ]
        if beam_width == 1:
            assert found[0] == found[1]
        (analyses,) = greedy.analyses([_doc(nlp, text)], n_best=50)
        of = {str(analysis.entities): analysis.probability for analysis in analyses}
        assert of[str(found[1])] >= of[str(found[0])]


def test_beam_settings_are_spacys_and_are_checked() -> None:
    nlp = ferrule.blank("en")
    config = {"beam_width": 4, "beam_density": 0.5, "beam_update_prob": 0.1}
    beam = nlp.add_pipe("beam_ner", config=config)
    assert {key: beam.cfg[key] for key in config} == config
    for wrong in ({"beam_width": 0}, {"beam_density": 1.5}, {"beam_update_prob": -1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ferrule.blank("en").add_pipe("beam_ner", config=wrong)
