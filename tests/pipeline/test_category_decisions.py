"""Decisions of text classifiers: fitted, kept, saved, shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import ferrule
from ferrule.cli.app import app
from ferrule.errors import SerializationError
from ferrule.ml.calibration import NEVER
from ferrule.tokens import DocBin
from ferrule.training.example import Example

WORDS = {"POS": ["good", "fine", "great"], "NEG": ["bad", "poor", "awful"], "ODD": ["odd", "queer", "weird"]}


def examples(nlp: Any, seed: int, n: int = 60, noise: float = 0.25, *, names: Any = WORDS) -> list[Example]:
    draw = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        label = str(draw.choice(list(names)))
        about = label if draw.random() > noise else str(draw.choice(list(names)))
        words = ["the", str(draw.choice(names[about])), str(draw.choice(["film", "book", "trip"]))]
        made.append(
            Example.from_dict(
                nlp.make_doc(" ".join(words)), {"cats": {name: float(name == label) for name in names}}
            )
        )
    return made


@pytest.fixture(params=["textcat", "textcat_multilabel"])
def nlp(request: pytest.FixtureRequest) -> Any:
    model = {
        "@architectures": "spacy.TextCatBOW.v3",
        "exclusive_classes": request.param == "textcat",
        "ngram_size": 1,
        "no_output_layer": False,
        "length": 512,
    }
    nlp = ferrule.blank("en")
    nlp.add_pipe(request.param, name="cats", config={"model": model, "loss": "cross_entropy"})
    train = examples(nlp, 0, noise=0.0)  # cleaner than what comes later: it will be too sure
    nlp.initialize(lambda: train)
    sgd = ferrule.optimizer.Adam(0.05, use_averages=False, L2=0.0)
    for _ in range(60):
        nlp.update(train, sgd=sgd)
    return nlp


def predicted(nlp: Any, made: list[Example]) -> list[Example]:
    return [Example(nlp(example.predicted.copy()), example.reference) for example in made]


def test_calibrating_lowers_the_error_and_changes_no_order(nlp: Any) -> None:
    pipe, dev = nlp.get_pipe("cats"), examples(nlp, 1, 200)
    docs = [example.predicted for example in dev]
    before = pipe.predict(docs)
    found = pipe.calibrate(dev)
    assert found["ece_after"] < found["ece_before"]
    assert found["temperature"] > 1.0
    assert pipe.cfg["calibration"] == found
    after = pipe.predict(docs)
    assert (after.argmax(axis=1) == before.argmax(axis=1)).all()
    assert pipe.calibrate(dev) == found  # from the model's own probabilities each time
    scores = pipe.score(predicted(nlp, dev))
    assert scores["cats_ece"] == pytest.approx(found["ece_after"], abs=1e-6)


def test_a_wanted_precision_is_kept_where_it_was_fitted_and_costs_coverage(nlp: Any) -> None:
    pipe, dev = nlp.get_pipe("cats"), examples(nlp, 1, 200)
    pipe.calibrate(dev)
    pipe.fit_thresholds(dev, precision=0.5)
    some = pipe.score(predicted(nlp, dev))
    pipe.fit_thresholds(dev, precision=0.85)
    few = pipe.score(predicted(nlp, dev))
    assert few["cats_coverage"] < some["cats_coverage"]
    for label, row in few["cats_decided_per_type"].items():
        assert row["threshold"] == pipe.threshold_of(label)
        assert row["p"] >= 0.85 or row["threshold"] == NEVER


def test_decisions_follow_thresholds_and_abstaining(nlp: Any) -> None:
    pipe, doc = nlp.get_pipe("cats"), nlp.make_doc("x")
    doc.cats = {"POS": 0.6, "NEG": 0.55, "ODD": 0.1}
    exclusive = not pipe.support_missing_values
    assert pipe.decide(doc) == (("POS",) if exclusive else ("POS", "NEG"))
    pipe.cfg["thresholds"] = {"POS": 0.7, "NEG": 0.5}
    assert pipe.decide(doc) == (() if exclusive else ("NEG",))
    pipe.cfg["thresholds"] = {}
    pipe.abstain_below = 0.58
    assert pipe.decide(doc) == ("POS",)
    pipe.abstain_below = 0.61
    assert pipe.decide(doc) == ()


def test_what_was_fitted_is_saved_and_renamed_with_its_label(nlp: Any, tmp_path: Path) -> None:
    pipe, dev = nlp.get_pipe("cats"), examples(nlp, 1)
    pipe.calibrate(dev)
    pipe.fit_thresholds(dev)
    pipe.abstain_below = 0.3
    pipe.rename_label("ODD", "STRANGE")
    nlp.to_disk(tmp_path / "nlp")
    again = ferrule.load(tmp_path / "nlp").get_pipe("cats")
    assert again.cfg == pipe.cfg
    assert set(again.cfg["thresholds"]) == {"POS", "NEG", "STRANGE"}
    docs = [example.predicted for example in dev]
    np.testing.assert_array_equal(again.predict(docs), pipe.predict(docs))
    pipe.cfg["temperature"] = -1.0
    data = pipe.to_bytes(exclude=["vocab"])
    with pytest.raises(SerializationError, match="temperature must be a number above 0"):
        pipe.from_bytes(data, exclude=["vocab"])


def test_the_commands_fit_and_show(nlp: Any, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "nlp")
    references = [example.reference for example in examples(nlp, 1, 120)]
    DocBin(docs=references).to_disk(tmp_path / "dev.spacy")
    run = CliRunner().invoke
    arguments = [str(tmp_path / "nlp"), str(tmp_path / "dev.spacy")]
    done = run(
        app, ["calibrate", *arguments, str(tmp_path / "fitted"), "--beta", "0.5", "--abstain-below", "0.2"]
    )
    assert done.exit_code == 0, done.output
    assert "cats: temperature" in done.output and "thresholds for 3 of 3 labels" in done.output
    plain = run(app, ["evaluate", *arguments]).output
    assert "cats_decided" not in plain
    shown = run(app, ["evaluate", str(tmp_path / "fitted"), arguments[1]])
    assert shown.exit_code == 0, shown.output
    for name in ("cats_ece", "cats_coverage", "cats_decided_f", "threshold"):
        assert name in shown.output


def test_arguments_that_make_no_sense_are_refused(nlp: Any) -> None:
    pipe = nlp.get_pipe("cats")
    with pytest.raises(ValueError, match="needs examples with tokens, found none"):
        pipe.calibrate([])
    with pytest.raises(ValueError, match="precision must be between 0 and 1"):
        pipe.fit_thresholds(examples(nlp, 1), precision=1.5)
    with pytest.raises(ValueError, match="beta must be above 0"):
        pipe.fit_thresholds(examples(nlp, 1), beta=0.0)
    with pytest.raises(ValueError, match="abstain_below must be between 0 and 1"):
        pipe.abstain_below = 2.0
