"""Neural network trees, built from thinc layers under the names spaCy's configs use.

Every builder here returns a `thinc.model.Model` with the same nodes, names, dimensions, parameters,
references and order as the spaCy 3.8 architecture it is registered as, so the bytes of one load into
the other; those registered under Ferrule's name are its own. One architecture lives in one file; importing
this package registers them all.
"""

from __future__ import annotations

from ferrule.ml.char_embed import CharEmbed
from ferrule.ml.character_embed import CharacterEmbed
from ferrule.ml.extract_ngrams import ExtractNgrams
from ferrule.ml.feature_extractor import FeatureExtractor
from ferrule.ml.ferrule_encoder import FerruleHashEmbedCNN, FerruleMaxoutWindowEncoder
from ferrule.ml.hash_embed_cnn import HashEmbedCNN
from ferrule.ml.listener import Tok2VecListener
from ferrule.ml.maxout_window_encoder import MaxoutWindowEncoder
from ferrule.ml.mish_window_encoder import MishWindowEncoder
from ferrule.ml.multi_hash_embed import MultiHashEmbed
from ferrule.ml.sparse_linear import SparseLinear
from ferrule.ml.static_vectors import StaticVectors
from ferrule.ml.tagger import Tagger
from ferrule.ml.textcat_attention import TextCatParametricAttention
from ferrule.ml.textcat_bow import TextCatBOW
from ferrule.ml.textcat_ensemble import TextCatEnsemble
from ferrule.ml.textcat_ngrams import TextCatNgrams
from ferrule.ml.textcat_reduce import TextCatCNN, TextCatReduce
from ferrule.ml.tok2vec import Tok2Vec
from ferrule.ml.transition import TransitionBasedParser

__all__ = [
    "CharEmbed",
    "CharacterEmbed",
    "ExtractNgrams",
    "FeatureExtractor",
    "FerruleHashEmbedCNN",
    "FerruleMaxoutWindowEncoder",
    "HashEmbedCNN",
    "MaxoutWindowEncoder",
    "MishWindowEncoder",
    "MultiHashEmbed",
    "SparseLinear",
    "StaticVectors",
    "Tagger",
    "TextCatBOW",
    "TextCatCNN",
    "TextCatEnsemble",
    "TextCatNgrams",
    "TextCatParametricAttention",
    "TextCatReduce",
    "Tok2Vec",
    "Tok2VecListener",
    "TransitionBasedParser",
]
