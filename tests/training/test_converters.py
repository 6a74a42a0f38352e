"""Corpus files as documents: what is read, what is refused and where."""

from __future__ import annotations

import gzip

import pytest

from ferrule.errors import CorpusError
from ferrule.tokens import Doc
from ferrule.training.converters import convert, detect
from ferrule.vocab import Vocab

CONLLU = """\
# newdoc id = one
# sent_id = 1
# text = Don't go.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVBP\tMood=Imp\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\tPolarity=Neg\t3\tadvmod\t_\t_
3\tgo\tgo\tVERB\tVB\tVerbForm=Inf\t0\troot\t_\tSpaceAfter=No
3.1\tthere\tthere\tADV\tRB\t_\t_\t_\t_\t_
4\t.\t.\tPUNCT\t_\t_\t3\tpunct\t_\t_

# text = In Rome
1\tIn\tin\tADP\tIN\t_\t2\tcase\t_\t_
2\tRome\t_\tPROPN\tNNP\t_\t0\troot\t_\tNER=B-GPE

# newdoc id = two
1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_
"""


@pytest.fixture
def file(tmp_path):
    def write(name: str, content: str | bytes):
        path = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


def read(path, **settings):
    vocab = Vocab()

    def make_doc(text: str) -> Doc:
        return Doc(vocab, words=text.split(), spaces=[True] * (len(text.split()) - 1) + [False])

    return list(convert(path, vocab=vocab, make_doc=make_doc, **settings))


@pytest.mark.parametrize("name", ["a.conllu", "a.conllu.gz"])
def test_conllu_gives_words_annotations_and_the_text(file, name):
    docs = read(file(name, CONLLU))
    assert [doc.text for doc in docs] == ["Don't go.", "In Rome", "Yes"]
    first = docs[0]
    assert [token.text for token in first] == ["Do", "n't", "go", "."]
    assert [token.tag_ for token in first] == ["VBP", "RB", "VB", "PUNCT"]
    assert [token.pos_ for token in first] == ["AUX", "PART", "VERB", "PUNCT"]
    assert [token.head.i for token in first] == [2, 2, 2, 2]
    assert [token.dep_ for token in first] == ["aux", "advmod", "ROOT", "punct"]
    assert str(first[1].morph) == "Polarity=Neg"
    assert [token.lemma_ for token in docs[1]] == ["in", ""]
    assert [(ent.text, ent.label_) for ent in docs[1].ents] == [("Rome", "GPE")]


def test_conllu_words_of_a_multiword_token_can_be_merged(file):
    merged = read(file("a.conllu", CONLLU), merge_subtokens=True)[0]
    assert merged.text == "Don't go."
    assert [token.text for token in merged] == ["Don't", "go", "."]
    assert merged[0].tag_ == "VBP_RB" and merged[0].lemma_ == "do not"
    assert str(merged[0].morph) == "Mood=Imp|Polarity=Neg"
    assert [token.head.i for token in merged] == [1, 1, 1]


def test_sentences_are_grouped_within_the_documents_of_the_file(file):
    path = file("a.conllu", CONLLU)
    assert [len(doc) for doc in read(path, n_sents=10)] == [6, 1]
    assert [len(doc) for doc in read(path, n_sents=0)] == [6, 1]
    grouped = read(path, n_sents=2)[0]
    assert [sent.text for sent in grouped.sents] == ["Don't go.", "In Rome"]
    with pytest.raises(ValueError, match="n_sents"):
        read(path, n_sents=-1)


def test_conllu_features_can_be_appended_to_the_tag(file):
    assert read(file("a.conllu", CONLLU), append_morphology=True)[0][0].tag_ == "VBP__Mood=Imp"


def test_conll_columns_give_entities_and_keep_missing_tags_missing(file):
    path = file("a.iob", "-DOCSTART- O\n\nNew I-GPE\nYork I-GPE\nis O\n\nBob - \nran O\n")
    first, second = read(path)
    assert [(ent.text, ent.label_) for ent in first.ents] == [("New York", "GPE")]
    assert [token.ent_iob for token in second] == [0, 2]
    assert first.has_unknown_spaces


def test_conll_second_of_three_columns_is_the_tag(file):
    (doc,) = read(file("a.conll", "EU\tNNP\tB-ORG\nrejects\tVBZ\tO\n"))
    assert [token.tag_ for token in doc] == ["NNP", "VBZ"]


def test_a_sentence_a_line_is_told_from_columns(file):
    path = file("a.iob", "New|NNP|B-GPE York|NNP|I-GPE is|VBZ|O\nBob|B-PER ran|O\n")
    assert detect(path) == "iob"
    first, second = read(path)
    assert [(ent.text, ent.label_) for ent in first.ents] == [("New York", "GPE")]
    assert first[0].tag_ == "NNP" and second.ents[0].text == "Bob"


def test_jsonl_takes_offsets_categories_and_words(file):
    path = file(
        "a.jsonl",
        '{"text": "Bob went home", "entities": [[0, 3, "PER"]], "cats": {"x": 1.0}}\n\n'
        '{"text": "Bob ran", "spans": [{"start": 0, "end": 3, "label": "PER"}], "meta": {"k": 1}}\n'
        '{"words": ["a", "b"], "spaces": [false, false], "tags": ["X", "Y"]}\n'
        '{"text": "yes", "label": "good"}\n{"text": "no", "label": ["bad", "sad"]}\n',
    )
    docs = read(path)
    assert [ent.text for doc in docs[:2] for ent in doc.ents] == ["Bob", "Bob"]
    assert docs[0].cats == {"x": 1.0}
    assert docs[2].text == "ab" and [token.tag_ for token in docs[2]] == ["X", "Y"]
    assert docs[3].cats == {"good": 1.0, "bad": 0.0, "sad": 0.0}
    assert docs[4].cats == {"good": 0.0, "bad": 1.0, "sad": 1.0}


def test_tables_give_every_category_a_value(file):
    csv = file("a.csv.gz", 'text,label\n"one, two",A\nthree,B\n')
    assert [(doc.text, doc.cats) for doc in read(csv)] == [
        ("one, two", {"A": 1.0, "B": 0.0}),
        ("three", {"A": 0.0, "B": 1.0}),
    ]
    tsv = file("b.tsv", "id\tbody\ttopics\n1\tone\tA|B\n2\ttwo\t\n")
    settings = {"text_column": "body", "label_column": "topics", "label_separator": "|"}
    assert [doc.cats for doc in read(tsv, **settings)] == [{"A": 1.0, "B": 1.0}, {"A": 0.0, "B": 0.0}]


def test_tables_may_have_a_mark_for_the_byte_order_lines_in_fields_and_another_delimiter(file):
    csv = file("a.csv", b'\xef\xbb\xbfText;Label\r\n"one; ""two""\nthree";A\r\n\r\nfour;B\r\n')
    assert [(doc.text, doc.cats["A"]) for doc in read(csv, delimiter=";")] == [
        ('one; "two" three', 1.0),
        ("four", 0.0),
    ]
    with pytest.raises(ValueError, match="one character"):
        read(csv, delimiter="::")


def test_jsonl_labels_may_be_whole_numbers(file):
    docs = read(file("a.jsonl", '{"text": "a", "label": 3}\n{"text": "b", "label": [1, "x"]}\n'))
    assert [doc.cats for doc in docs] == [{"3": 1.0, "1": 0.0, "x": 0.0}, {"3": 0.0, "1": 1.0, "x": 1.0}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.conllu", "1\tDo\tdo\n", r"a.conllu:1: expected 10 columns"),
        ("a.conllu", CONLLU.replace("\n3\tgo", "\n5\tgo"), r"a.conllu:7: expected the word id 3, found 5"),
        ("a.conllu", CONLLU.replace("\t3\taux", "\t9\taux"), r"a.conllu:5: the head is '9'"),
        ("a.conllu", CONLLU.replace("1-2", "1-9"), r"a.conllu:4: the multiword token 1-9"),
        ("a.conllu", CONLLU.replace("3.1", "x"), r"a.conllu:8: expected an id"),
        ("a.conllu", b"# ok\n\xff\xfe\n", r"a.conllu:\d: expected UTF-8"),
        ("a.conllu", "# nothing\n", "no documents in it"),
        ("a.conll", "word\n", r"a.conll:1: expected a word and its tag"),
        ("a.conll", "word O\nword X\n", r"a.conll:2: expected O, -"),
        ("a.conll", "\tO\tO\n", r"a.conll:1: the first column"),
        ("a.iob", "a|B-X b\n", r"a.iob:1: expected a word and its tag|a.iob:1: expected"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', r"a.jsonl:2: expected a JSON object"),
        ("a.jsonl", "[1]\n", r"a.jsonl:1: expected a JSON object, found list"),
        ("a.jsonl", '{"txt": "a"}\n', r"a.jsonl:1: expected 'text' or 'words'"),
        ("a.jsonl", '{"text": "a b", "tags": ["X"]}\n', r"a.jsonl:1: .*'tags' has 1 values, but there are 2"),
        ("a.jsonl", '{"text": "a b", "tgas": ["X"]}\n', r"a.jsonl:1: .*Did you mean 'tags'"),
        ("a.csv", "text,label\na\n", r"a.csv:2: expected 2 fields"),
        ("a.csv", "text,label\na,b\nc,d,e\n", r"a.csv:3: expected 2 fields like the header, found 3"),
        ("a.csv", 'text,label\n"a,b\n', r"a.csv:2: unexpected end of data; a field that begins with"),
        ("a.csv", 'text,label\n"a\nb",c\nd\n', r"a.csv:4: expected 2 fields"),
        ("a.csv", b"text,label\na,b\nc\xe9,d\n", r"a.csv:\d: expected UTF-8, found the byte 0xe9"),
        ("a.csv", "text;label\na;b\n", r"a.csv:1: no text column.*--delimiter"),
        ("a.csv", "text,text,label\na,b,c\n", r"a.csv:1: 2 columns are called 'text'"),
        ("a.jsonl", '{"text": "a", "label": 1.5}\n', r"a.jsonl:1: 'label' must be a label.*found 1.5"),
        ("a.jsonl", '{"text": "a", "cats": {"x": "yes"}}\n', r"a.jsonl:1: 'cats' must have a number"),
        ("a.jsonl", '{"text": "a", "entities": [{"start": 0}]}\n', r"a.jsonl:1: .*no 'end' and no 'label'"),
        ("a.tsv", "text\tlabel\na,b\n", r"a.tsv:2: expected 2 fields like the header, found 1"),
        (
            "a.jsonl",
            '{"text": "a", "label": "b"}\n{"label": "b"}\n',
            r"a.jsonl:2: expected 'text' or 'words'",
        ),
        ("a.csv", "x,y\na,b\n", r"a.csv:1: no text column"),
        ("a.xyz", "x", "cannot tell the format"),
    ],
)
def test_malformed_files_are_refused_with_file_and_line(file, name, content, message):
    with pytest.raises(CorpusError, match=message):
        read(file(name, content))


def test_a_cut_gzip_file_is_refused(file, tmp_path):
    whole = file("a.conllu.gz", (CONLLU + "\n") * 2000).read_bytes()
    (tmp_path / "cut.conllu.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorpusError, match=r"cut.conllu.gz:\d+: the file cannot be read further"):
        read(tmp_path / "cut.conllu.gz")


def test_missing_files_and_unknown_converters_are_refused(tmp_path, file):
    with pytest.raises(CorpusError, match="no such file"):
        read(tmp_path / "none.conllu")
    with pytest.raises(CorpusError, match="a folder"):
        read(tmp_path, converter="conllu")
    with pytest.raises(ValueError, match="did you mean 'conllu'"):
        read(file("a.conllu", CONLLU), converter="conlu")
    with pytest.raises(ValueError, match="make_doc"):
        list(convert(file("b.csv", "text,label\na,b\n"), vocab=Vocab()))


@pytest.mark.data
def test_the_public_corpora_have_the_published_sizes(shared_data):
    def sizes(name, **settings):
        docs = read(shared_data / name, **settings)
        return len(docs), sum(map(len, docs)), sum(len(doc.ents) for doc in docs)

    assert sizes("ud_ewt/en_ewt-ud-dev.conllu.gz") == (2001, 25147, 0)
    assert sizes("ud_ewt/en_ewt-ud-test.conllu.gz", merge_subtokens=True)[:2] == (2077, 24740)
    assert sizes("wnut17/wnut17-dev.conll.gz") == (1009, 15729, 836)
    banking = read(shared_data / "banking77/banking77-test.csv.gz")
    assert len(banking) == 3080 and len(banking[0].cats) == 77


@pytest.mark.data
def test_ewt_documents_have_the_text_of_their_comment(shared_data):
    path = shared_data / "ud_ewt/en_ewt-ud-dev.conllu.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [line[9:].rstrip("\n") for line in lines if line.startswith("# text = ")]
    assert [doc.text for doc in read(path)] == texts
