"""Train `ner.cfg` for some steps in Ferrule and in spaCy from the same seeds, and compare all weights.

    python examples/wnut17/same_training.py CORPUS [--steps 200] [--seeds 0 1 2] [--dropout 0.1]

CORPUS as for ``compare.py``. Batches are the same: texts come as the file has them, since the libraries
shuffle differently. Without ``--dropout`` nothing is random once training has begun: printed is, by step,
how far the weights of two trainings are apart, as a share of how far they have come. spaCy is trained twice,
with NumPy's BLAS and with blis, whose sums differ in their last bits: so far rounding alone leads.

With dropout the libraries draw other masks, and only what many trainings have in common can be compared:
printed is, for each array of weights, by how much its norm differs in Ferrule, the mean over the seeds and
its standard error. Of arrays that do not differ, a third is more than one such error from zero, a twentieth
more than two.
"""

from __future__ import annotations

import argparse
import importlib
import io
import math
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from compare import CONFIG
from thinc.api import NumpyOps

LIBRARIES = {"ferrule": "ferrule", "spaCy": "spacy", "spaCy, blis": "spacy"}
SHOWN_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
Weights = dict[str, np.ndarray]


def weights_of(nlp: Any) -> Weights:
    """Copies of all arrays by component, place in its tree, and name; the same names in both libraries."""
    return {
        f"{name} {index} {node.name} {param}": np.array(node.get_param(param))
        for name, component in nlp.pipeline
        for index, node in enumerate(component.model.walk())
        for param in node.param_names
        if node.has_param(param)
    }


def trained(which: str, corpus: Path, seed: int, steps: int, dropout: float) -> dict[int, Weights]:
    """The weights before the first step, 0, and behind some of the steps."""
    library = importlib.import_module(LIBRARIES[which])
    overrides = {
        "paths.train": str(corpus / "wnut17-train.spacy"),
        "paths.dev": str(corpus / "wnut17-dev.spacy"),
        "system.seed": seed,
        # The step behind the last one shown only looks at what that has left.
        "training.max_steps": steps + 1,
        "training.eval_frequency": 10 * steps,
        # Streamed: neither library shuffles then.
        "training.max_epochs": -1,
        "training.dropout": dropout,
    }
    found: dict[int, Weights] = {}

    def keep(nlp: Any, info: dict[str, Any]) -> None:
        if info["step"] in (0, steps, *SHOWN_STEPS):
            found[info["step"]] = weights_of(nlp)

    library.registry.callbacks("wnut17.keep_weights", func=lambda: keep)
    library.registry.loggers("wnut17.silent", func=lambda: lambda nlp, *_: (lambda info: None, lambda: None))
    if library.__name__ == "spacy":
        config = importlib.import_module("spacy.util").load_config(CONFIG, overrides=overrides)
    else:
        config = importlib.import_module("ferrule.cli.overrides").read_config(CONFIG, overrides)
    config["training"]["logger"] = {"@loggers": "wnut17.silent"}
    config["training"]["before_update"] = {"@callbacks": "wnut17.keep_weights"}
    nlp = importlib.import_module(f"{library.__name__}.training.initialize").init_nlp(config)
    if which == "spaCy":
        for _, component in nlp.pipeline:
            for node in component.model.walk():
                node.ops = NumpyOps(use_blis=False)
    importlib.import_module(f"{library.__name__}.training.loop").train(nlp, None, stdout=io.StringIO())
    return found


def distance(a: Weights, b: Weights) -> float:
    """Between all weights of two trainings, Euclid's."""
    return math.sqrt(sum(float(np.square(a[name] - b[name], dtype=np.float64).sum()) for name in a))


def show_distances(runs: dict[str, dict[int, Weights]], seed: int) -> None:
    """Print how far apart the trainings of a seed are at each step that was kept."""
    of_spacy = runs["spaCy"]
    for step, weights in sorted(of_spacy.items()):
        come = distance(weights, of_spacy[0])
        apart = {name: distance(run[step], weights) for name, run in runs.items() if name != "spaCy"}
        told = ", ".join(f"{name} {value / come if come else value:.2g}" for name, value in apart.items())
        print(f"seed {seed}, step {step:4}: from spaCy with NumPy's BLAS {told}", flush=True)


def show_norms(runs: list[dict[str, dict[int, Weights]]], steps: int) -> None:
    """Print how the norm of each array differs between the libraries at the last step."""
    scores = []
    for name in runs[0]["spaCy"][steps]:
        norms = [[float(np.linalg.norm(run[of][steps][name])) for run in runs] for of in ("ferrule", "spaCy")]
        differences = [ours - theirs for ours, theirs in zip(*norms, strict=True)]
        mean, error = statistics.mean(differences), statistics.stdev(differences) / math.sqrt(len(runs))
        scores.append(mean / error if error else 0.0)
        print(f"{name:45} {statistics.mean(norms[1]):9.4f} in spaCy, {mean:+.4f} ± {error:.4f} in Ferrule")
    beyond = sum(abs(score) > 2.0 for score in scores)
    root = math.sqrt(statistics.mean(score**2 for score in scores))
    print(
        f"{len(scores)} arrays: {root:.2f} standard errors from zero (root mean square), {beyond} beyond two"
    )


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--dropout", type=float, default=0.0)
    options = parser.parse_args()
    names = list(LIBRARIES)
    if options.dropout:
        names.remove("spaCy, blis")
    else:
        # What both libraries drop of a state's hidden numbers, whatever the setting is.
        NumpyOps.get_dropout_mask = lambda self, shape, drop: np.ones(shape, dtype="f")  # type: ignore[method-assign]
        importlib.import_module("ferrule.ml.transition").HIDDEN_DROPOUT = 0.0
    runs = []
    for seed in options.seeds:
        run = {name: trained(name, options.corpus, seed, options.steps, options.dropout) for name in names}
        runs.append(run)
        if not options.dropout:
            show_distances(run, seed)
    if options.dropout and len(runs) > 1:
        show_norms(runs, options.steps)


if __name__ == "__main__":
    main()
