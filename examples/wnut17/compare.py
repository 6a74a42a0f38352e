"""Train `ner.cfg` in Ferrule and in spaCy, some seeds each, and print both F1 on the test part.

    python examples/wnut17/compare.py CORPUS [--libraries ferrule spacy] [--seeds 0 1 2] [--keep FOLDER]

CORPUS is the folder that ``ferrule convert`` filled with ``wnut17-train.spacy``, ``-dev`` and ``-test``.
Each run keeps the model that is best on the development split, and the last one; those of both libraries are
scored by the same lines, below. Each evaluation on the way is printed. With ``--keep`` models and figures
stay, as ``FOLDER/ferrule-0/model-best`` and so on; a run that has its ``figures.json`` is not trained again.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).with_name("ner.cfg")
FIGURES = "figures.json"
# A normal variable is, in 95 of 100 cases, above its mean less so many standard errors.
ONE_SIDED = 1.645
Evaluation = dict[str, float]


def train(library: str, corpus: Path, seed: int, folder: Path) -> list[Evaluation]:
    """One run, which leaves ``model-best`` and ``model-last`` in `folder`; what was found on the way."""
    overrides = {
        "paths.train": str(corpus / "wnut17-train.spacy"),
        "paths.dev": str(corpus / "wnut17-dev.spacy"),
        "system.seed": seed,
    }
    evaluations: list[Evaluation] = []
    logger = {"@loggers": "wnut17.Evaluations.v1"}
    registry = importlib.import_module(library).registry
    registry.loggers("wnut17.Evaluations.v1", func=lambda: _logger(evaluations))
    if library == "spacy":
        from spacy.training.initialize import init_nlp
        from spacy.training.loop import train as run
        from spacy.util import load_config
        from thinc.api import NumpyOps

        config = load_config(CONFIG, overrides=overrides)
        config["training"]["logger"] = logger
        nlp = init_nlp(config)
        # NumPy's BLAS in place of blis, which knows few CPUs: the same products, up to twice as fast.
        for _, component in nlp.pipeline:
            for node in component.model.walk():
                node.ops = NumpyOps(use_blis=False)
    else:
        from ferrule.cli.overrides import read_config
        from ferrule.training.initialize import init_nlp
        from ferrule.training.loop import train as run

        config = read_config(CONFIG, overrides)
        config["training"]["logger"] = logger
        nlp = init_nlp(config)
    folder.mkdir(parents=True, exist_ok=True)
    run(nlp, folder, stdout=io.StringIO())
    return evaluations


def _logger(evaluations: list[Evaluation]) -> Callable[..., Any]:
    """A logger for either library that appends each evaluation on the development split."""

    def log_step(info: dict[str, Any] | None) -> None:
        if info is not None:
            scores = {name: info["other_scores"][f"ents_{name}"] for name in "fpr"}
            evaluations.append({"step": info["step"], "loss": float(info["losses"]["ner"]), **scores})

    return lambda nlp, stdout, stderr: (log_step, lambda: None)


def entity_f1(library: str, model: Path, path: Path) -> float:
    """F1 of the entities, each right when its tokens and its label are, on the corpus's own tokens."""
    nlp = importlib.import_module(library).load(model)
    tokens = importlib.import_module(f"{library}.tokens")
    n_gold = n_found = n_right = 0
    for reference in tokens.DocBin().from_disk(path).get_docs(nlp.vocab):
        doc = tokens.Doc(nlp.vocab, [t.text for t in reference], [bool(t.whitespace_) for t in reference])
        for _, component in nlp.pipeline:
            doc = component(doc)
        gold, found = ({(e.start, e.end, e.label_) for e in each.ents} for each in (reference, doc))
        n_gold, n_found, n_right = n_gold + len(gold), n_found + len(found), n_right + len(gold & found)
    return 2 * n_right / (n_gold + n_found) if n_gold + n_found else 0.0


def figures(library: str, corpus: Path, seed: int, folder: Path) -> dict[str, Any]:
    """Evaluations and F1 of a run in `folder`, trained now or before."""
    if (folder / FIGURES).exists():
        return dict(json.loads((folder / FIGURES).read_text()))
    start = time.perf_counter()
    evaluations = train(library, corpus, seed, folder)
    result = {"seconds": time.perf_counter() - start, "evaluations": evaluations}
    dev, test = corpus / "wnut17-dev.spacy", corpus / "wnut17-test.spacy"
    result["best_dev"] = entity_f1(library, folder / "model-best", dev)
    result["best_test"] = entity_f1(library, folder / "model-best", test)
    result["last_test"] = entity_f1(library, folder / "model-last", test)
    (folder / FIGURES).write_text(json.dumps(result))
    return result


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """The mean, and its standard error, which is NaN for one value."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return statistics.mean(values), error


def show_run(library: str, seed: int, run: dict[str, Any]) -> None:
    """Print a run: every evaluation on the development split, then what its two models are worth.

    The loss since the evaluation before is in nats in Ferrule, a sum of squared gradients in spaCy.
    """
    for e in run["evaluations"]:
        print(
            f"  step {e['step']:5}: F1 {e['f']:.4f}, precision {e['p']:.4f}, recall {e['r']:.4f}",
            f"dev; loss {e['loss']:.1f}",
        )
    # The earliest of equals, as both libraries choose; spaCy would save a later one of the same score.
    best = max(run["evaluations"], key=lambda e: e["f"])["step"]
    print(
        f"{library:8} seed {seed}: best at step {best}, F1 {run['best_dev']:.4f} dev,",
        f"{run['best_test']:.4f} test; last {run['last_test']:.4f} test; {run['seconds']:.0f} s",
        flush=True,
    )


def show_curves(runs: dict[str, list[dict[str, Any]]]) -> None:
    """Print the mean F1 on the development split at each evaluation, with its standard error."""
    for library, of in runs.items():
        curves = [{int(e["step"]): e["f"] for e in run["evaluations"]} for run in of]
        points = {step: mean_and_error([curve[step] for curve in curves]) for step in curves[0]}
        told = "  ".join(f"{step} {mean:.3f} ± {error:.3f}" for step, (mean, error) in points.items())
        print(f"{library:8} F1 dev by step: {told}")


def show_all(runs: dict[str, list[dict[str, Any]]]) -> None:
    """Print each library's means over its seeds, and how far apart two libraries are."""
    for name, title in (("best_test", "best on dev"), ("last_test", "last")):
        means = {each: mean_and_error([run[name] for run in of]) for each, of in runs.items()}
        for library, (mean, error) in means.items():
            seeds = f"mean of {len(runs[library])} seeds ± standard error"
            print(f"{library:8} {title}: F1 {mean:.4f} ± {error:.4f} test, {seeds}")
        if len(means) == 2:
            (first, first_error), (second, second_error) = means.values()
            error = math.hypot(first_error, second_error)
            print(f"difference, {title}: {first - second:+.4f} ± {error:.4f};", end=" ")
            print(f"with 95 % confidence at least {first - second - ONE_SIDED * error:+.4f}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--libraries", nargs="+", default=["ferrule", "spacy"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    runs: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as passing:
        for library in options.libraries:
            for seed in options.seeds:
                folder = (options.keep or Path(passing)) / f"{library}-{seed}"
                run = figures(library, options.corpus, seed, folder)
                runs.setdefault(library, []).append(run)
                show_run(library, seed, run)
    show_curves(runs)
    show_all(runs)


if __name__ == "__main__":
    main()
