"""Train `ner.cfg` in Ferrule and in spaCy, some seeds each, and print both F1 on the test part.

    python examples/wnut17/compare.py CORPUS [--libraries ferrule spacy] [--seeds 0 1 2] [--keep FOLDER]

CORPUS is the folder that ``ferrule convert`` filled with ``wnut17-train.spacy``, ``-dev`` and ``-test``.
Each run keeps the model that is best on the development split, and the last one; those of both libraries are
scored by the same lines, below. With ``--keep`` they stay, as ``FOLDER/ferrule-0/model-best`` and so on.
"""

from __future__ import annotations

import argparse
import importlib
import io
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).with_name("ner.cfg")


def train(library: str, corpus: Path, seed: int, folder: Path) -> tuple[Any, Any]:
    """The pipeline that was best on the development split, and the one after the last step."""
    module = importlib.import_module(library)
    overrides = {
        "paths.train": str(corpus / "wnut17-train.spacy"),
        "paths.dev": str(corpus / "wnut17-dev.spacy"),
        "system.seed": seed,
    }
    if library == "spacy":
        from spacy.training.initialize import init_nlp
        from spacy.training.loop import train as run
        from spacy.util import load_config
        from thinc.api import NumpyOps

        nlp = init_nlp(load_config(CONFIG, overrides=overrides))
        # NumPy's BLAS in place of blis, which knows few CPUs: the same products, up to twice as fast.
        for _, component in nlp.pipeline:
            for node in component.model.walk():
                node.ops = NumpyOps(use_blis=False)
    else:
        from ferrule.cli.overrides import read_config
        from ferrule.training.initialize import init_nlp
        from ferrule.training.loop import train as run

        nlp = init_nlp(read_config(CONFIG, overrides))
    folder.mkdir(parents=True, exist_ok=True)
    run(nlp, folder, stdout=io.StringIO())
    return module.load(folder / "model-best"), module.load(folder / "model-last")


def entity_f1(library: str, nlp: Any, path: Path) -> float:
    """F1 of the entities, each right when its tokens and its label are, on the corpus's own tokens."""
    tokens = importlib.import_module(f"{library}.tokens")
    n_gold = n_found = n_right = 0
    for reference in tokens.DocBin().from_disk(path).get_docs(nlp.vocab):
        doc = tokens.Doc(nlp.vocab, [t.text for t in reference], [bool(t.whitespace_) for t in reference])
        for _, component in nlp.pipeline:
            doc = component(doc)
        gold, found = ({(e.start, e.end, e.label_) for e in each.ents} for each in (reference, doc))
        n_gold, n_found, n_right = n_gold + len(gold), n_found + len(found), n_right + len(gold & found)
    return 2 * n_right / (n_gold + n_found) if n_gold + n_found else 0.0


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--libraries", nargs="+", default=["ferrule", "spacy"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    for library in options.libraries:
        scores = []
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as passing:
                start = time.perf_counter()
                folder = (options.keep or Path(passing)) / f"{library}-{seed}"
                best, last = train(library, options.corpus, seed, folder)
                seconds = time.perf_counter() - start
            dev, test = options.corpus / "wnut17-dev.spacy", options.corpus / "wnut17-test.spacy"
            scores.append(entity_f1(library, best, test))
            print(
                f"{library:8} seed {seed}: F1 {entity_f1(library, best, dev):.4f} dev,",
                f"{scores[-1]:.4f} test; last {entity_f1(library, last, test):.4f} test; {seconds:.0f} s",
                flush=True,
            )
        print(f"{library:8} mean of {len(scores)} seeds: F1 {statistics.mean(scores):.4f} test", flush=True)


if __name__ == "__main__":
    main()
