"""A user's component whose head is a torch module, in thinc's wrapper; imported only where torch is."""

from __future__ import annotations

from typing import Any

import torch
from thinc.api import Model, PyTorchWrapper, chain, with_array
from word_length_tagger import WordLengthTagger, words_as_numbers

from ferrule.language import Language

N_FEATURES = 4


def torch_model() -> Model[Any, Any]:
    head = PyTorchWrapper(torch.nn.Sequential(torch.nn.Linear(N_FEATURES, 2), torch.nn.Softmax(dim=1)))
    return chain(words_as_numbers(N_FEATURES), with_array(head))


@Language.factory("torch_word_length")
def make_torch_word_length(nlp: Language, name: str) -> WordLengthTagger:
    return WordLengthTagger(nlp.vocab, torch_model(), name, labels=["SHORT", "LONG"])
