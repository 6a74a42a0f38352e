"""A pipeline of the shape that spaCy's own trained ones have, small and trained on two sentences."""

from __future__ import annotations

from typing import Any

from spacy.lookups import Lookups
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import load_config_from_str, load_model_from_config
from thinc.api import fix_random_seed

# The widths of listeners are variables, as in the configs that spaCy's commands write and its packages have.
CONFIG = """
[nlp]
lang = "en"
pipeline = ["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer", "ner"]

[components]

[components.tok2vec]
factory = "tok2vec"

[components.tok2vec.model]
@architectures = "spacy.Tok2Vec.v2"

[components.tok2vec.model.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = ${components.tok2vec.model.encode:width}
attrs = ["NORM", "PREFIX", "SUFFIX", "SHAPE", "SPACY", "IS_SPACE"]
rows = [500, 100, 250, 250, 50, 50]
include_static_vectors = false

[components.tok2vec.model.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 24
depth = 2
window_size = 1
maxout_pieces = 3

[components.tagger]
factory = "tagger"

[components.tagger.model]
@architectures = "spacy.Tagger.v2"

[components.tagger.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.encode:width}
upstream = "tok2vec"

[components.parser]
factory = "parser"
min_action_freq = 1

[components.parser.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "parser"
extra_state_tokens = false
hidden_width = 16
maxout_pieces = 2
use_upper = true

[components.parser.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.encode:width}
upstream = "tok2vec"

[components.senter]
factory = "senter"

[components.senter.model]
@architectures = "spacy.Tagger.v2"
tok2vec = ${components.ner.model.tok2vec}

[components.attribute_ruler]
factory = "attribute_ruler"

[components.lemmatizer]
factory = "lemmatizer"
mode = "rule"

[components.ner]
factory = "ner"

[components.ner.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
extra_state_tokens = false
hidden_width = 16
maxout_pieces = 2
use_upper = true

[components.ner.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
width = 24
depth = 2
embed_size = 200
window_size = 1
maxout_pieces = 3
subword_features = true
pretrained_vectors = null
"""
SENTENCES: list[dict[str, Any]] = [
    {
        "words": ["Anna", "saw", "the", "red", "boats", "in", "Paris", "."],
        "tags": ["NNP", "VBD", "DT", "JJ", "NNS", "IN", "NNP", "."],
        "pos": ["PROPN", "VERB", "DET", "ADJ", "NOUN", "ADP", "PROPN", "PUNCT"],
        "heads": [1, 1, 4, 4, 1, 1, 5, 1],
        "deps": ["nsubj", "ROOT", "det", "amod", "dobj", "prep", "pobj", "punct"],
        "ents": ["B-PERSON", "O", "O", "O", "O", "O", "B-GPE", "O"],
    },
    {
        "words": ["Bob", "likes", "old", "London", "trains", "."],
        "tags": ["NNP", "VBZ", "JJ", "NNP", "NNS", "."],
        "pos": ["PROPN", "VERB", "ADJ", "PROPN", "NOUN", "PUNCT"],
        "heads": [1, 1, 4, 4, 1, 1],
        "deps": ["nsubj", "ROOT", "amod", "compound", "dobj", "punct"],
        "ents": ["B-PERSON", "O", "O", "B-GPE", "O", "O"],
    },
]
FOREIGN = ["parser", "senter", "attribute_ruler", "lemmatizer"]


def usual_pipeline() -> Any:
    """The pipeline in spaCy; `senter` is there and disabled, as in spaCy's own."""
    fix_random_seed(0)
    nlp = load_model_from_config(load_config_from_str(CONFIG), auto_fill=True)
    examples = [Example(Doc(nlp.vocab, each["words"]), Doc(nlp.vocab, **each)) for each in SENTENCES]
    tables = Lookups()
    tables.add_table("lemma_rules", {"noun": [["s", ""]], "verb": [["s", ""]], "adj": []})
    tables.add_table("lemma_index", {"noun": ["boat", "train"], "verb": ["like"], "adj": ["red", "old"]})
    tables.add_table("lemma_exc", {"noun": {}, "verb": {"saw": ["see"]}, "adj": {}})
    nlp.get_pipe("lemmatizer").initialize(lambda: examples, nlp=nlp, lookups=tables)
    with nlp.select_pipes(disable=["lemmatizer"]):
        optimizer = nlp.initialize(lambda: examples)
        for _ in range(30):
            with nlp.select_pipes(disable=["attribute_ruler"]):
                nlp.update(examples, sgd=optimizer)
    for each in SENTENCES:
        for tag, pos in zip(each["tags"], each["pos"], strict=True):
            nlp.get_pipe("attribute_ruler").add([[{"TAG": tag}]], {"POS": pos})
    nlp.disable_pipe("senter")
    return nlp
