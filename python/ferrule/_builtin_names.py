"""Which module of Ferrule registers which name, so that nothing is imported before it is asked for.

Strings only: this is the one place that lets a low room find a function of a higher one, by its name. `"*"`
stands for the module to import when a name of that kind is not known yet. A test imports every module of the
package and fails if a registered name cannot be found through this table.
"""

from __future__ import annotations

__all__ = ["PROVIDERS"]

# kind of function -> registered name -> module that registers it
PROVIDERS: dict[str, dict[str, str]] = {
    "architectures": {"*": "ferrule.ml"},
    "augmenters": {"*": "ferrule.training.augment"},
    "batchers": {"*": "ferrule.training.batchers"},
    "callbacks": {"spacy.copy_from_base_model.v1": "ferrule.training.callbacks"},
    "factories": {
        "tok2vec": "ferrule.pipeline.tok2vec",
        "tagger": "ferrule.pipeline.tagger",
        "textcat": "ferrule.pipeline.textcat_factories",
        "textcat_multilabel": "ferrule.pipeline.textcat_factories",
        "beam_ner": "ferrule.pipeline.ner_factories",
        "ner": "ferrule.pipeline.ner_factories",
    },
    "layers": {"*": "ferrule.ml"},
    "loggers": {"*": "ferrule.training.loggers"},
    "misc": {
        "ferrule.fit.v1": "ferrule.training.fit",
        "ferrule.foreign.spacy.v1": "ferrule.interop.spacy.foreign",
        "ferrule.load.v1": "ferrule.language.loading",
        "ferrule.teacher.spacy.v1": "ferrule.interop.spacy.teacher",
    },
    "optimizers": {"*": "ferrule.optimizer"},
    "readers": {"*": "ferrule.training.corpus"},
    "scorers": {"*": "ferrule.scorer.registered"},
    "tokenizers": {
        "spacy.ja.JapaneseTokenizer": "ferrule.lang.others",
        "spacy.ko.KoreanTokenizer": "ferrule.lang.others",
        "spacy.th.ThaiTokenizer": "ferrule.lang.others",
        "spacy.vi.VietnameseTokenizer": "ferrule.lang.others",
        "spacy.zh.ChineseTokenizer": "ferrule.lang.others",
        "*": "ferrule.tokenizer",
    },
    "vectors": {"spacy.Vectors.v1": "ferrule.language.word_vectors"},
}
