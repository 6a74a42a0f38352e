"""A transformer in spaCy as teacher, where spacy-transformers is installed; tiny, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.training import Example

import ferrule
from ferrule.interop.spacy import spacy_teachers

pytestmark = pytest.mark.filterwarnings("ignore:.*torch:FutureWarning", "ignore::DeprecationWarning")
torch = pytest.importorskip("torch", reason="no PyTorch here")
transformers = pytest.importorskip("transformers", reason="no transformers here")
pytest.importorskip("spacy_transformers", reason="no spacy-transformers here: pip install spacy-transformers")

TEXTS = ["Anna saw boats in Paris .", "Bob likes old London trains ."]
TAGS = [["NNP", "VBD", "NNS", "IN", "NNP", "."], ["NNP", "VBZ", "JJ", "NNP", "NNS", "."]]
STUDENT = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    **{"width": 16, "depth": 1, "embed_size": 100, "window_size": 1, "maxout_pieces": 2},
    **{"subword_features": True, "pretrained_vectors": None},
}


def tiny_bert(folder: Path) -> Path:
    letters = "abcdefghijklmnopqrstuvwxyz."
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(pieces), "utf8")
    torch.manual_seed(0)
    settings = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = transformers.BertConfig(vocab_size=len(pieces), **settings)
    transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def trained_teacher(folder: Path) -> Any:
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy-transformers.TransformerModel.v3", "name": str(tiny_bert(folder))}
    nlp.add_pipe("transformer", config={"model": model})
    listener = {
        "@architectures": "spacy-transformers.TransformerListener.v1",
        "grad_factor": 1.0,
        "pooling": {"@layers": "reduce_mean.v1"},
    }
    nlp.add_pipe("tagger", config={"model": {"tok2vec": listener}})
    examples = [
        Example.from_dict(nlp.make_doc(text), {"tags": tags}) for text, tags in zip(TEXTS, TAGS, strict=True)
    ]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)
    return nlp


def test_a_student_learns_the_tags_of_a_transformer(tmp_path: Path) -> None:
    teacher = trained_teacher(tmp_path)
    expected = [[token.tag_ for token in doc] for doc in teacher.pipe(TEXTS)]
    assert len({tag for tags in expected for tag in tags}) > 3
    student = ferrule.blank("en")
    student.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": STUDENT}})
    tagged = [
        ferrule.training.Example.from_dict(student.make_doc(text), {"tags": tags})
        for text, tags in zip(TEXTS, TAGS, strict=True)
    ]
    student.initialize(lambda: tagged)
    plain = [ferrule.training.Example(student.make_doc(text), student.make_doc(text)) for text in TEXTS]
    teachers = spacy_teachers(teacher)
    for _ in range(60):
        student.distill({"tagger": teachers["tagger"]}, plain)
    assert [[token.tag_ for token in doc] for doc in student.pipe(TEXTS)] == expected
