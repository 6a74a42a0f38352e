"""`ferrule convert`: corpora in other formats to `.spacy` files."""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from ferrule.cli.wording import counted

__all__ = ["convert", "target_files"]


def convert(
    source: Annotated[Path, typer.Argument(help="A corpus file, or a folder of them; .gz too.", exists=True)],
    output: Annotated[Path, typer.Argument(help="Folder for the .spacy files.", file_okay=False)],
    converter: Annotated[
        str, typer.Option("--converter", "-c", help="Format of the input; auto: by the file's name.")
    ] = "auto",
    lang: Annotated[
        str, typer.Option("--lang", "-l", help="Language whose tokenizer cuts raw texts.")
    ] = "en",
    n_sents: Annotated[
        int, typer.Option("--n-sents", "-n", help="Sentences a document; 0: the file's own documents.", min=0)
    ] = 1,
    merge_subtokens: Annotated[
        bool, typer.Option("--merge-subtokens", "-T", help="CoNLL-U: one token for a multiword token.")
    ] = False,
    morphology: Annotated[
        bool, typer.Option("--morphology", "-m", help="CoNLL-U: append features to the tags.")
    ] = False,
    text_column: Annotated[str | None, typer.Option(help="CSV, TSV: the column of the text.")] = None,
    label_column: Annotated[str | None, typer.Option(help="CSV, TSV: the column of the category.")] = None,
    label_separator: Annotated[
        str | None, typer.Option(help="CSV, TSV: what stands between several categories.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="CSV, TSV: what stands between the fields, such as ';'.")
    ] = None,
    dev_share: Annotated[
        float,
        typer.Option(
            "--dev-share", help="Hold out this share of the documents: folders train and dev.", min=0, max=1
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Another one holds out other documents.")] = 0,
) -> None:
    """Convert CoNLL-U, two-column CoNLL, IOB, JSON lines, CSV or TSV to .spacy files."""
    import ferrule
    from ferrule.training.converters import convert as read

    nlp = ferrule.blank(lang)
    for path, target in target_files(source, output, converter):
        docs = read(
            path,
            vocab=nlp.vocab,
            make_doc=nlp.make_doc,
            converter=converter,
            n_sents=n_sents,
            merge_subtokens=merge_subtokens,
            append_morphology=morphology,
            text_column=text_column,
            label_column=label_column,
            label_separator=label_separator,
            delimiter=delimiter,
        )
        for file, n_docs in write(docs, target, dev_share, seed):
            typer.echo(f"Saved: {file} ({counted(n_docs, 'document')}, from {path})")


def write(docs: Iterable[Any], target: Path, dev_share: float, seed: int) -> list[tuple[Path, int]]:
    """Write `docs` to `target`, or with `dev_share` to two folders, `train` and `dev`, in place of its own.

    dev_share: each document's chance to be held out, drawn by a generator of its own that starts at `seed`,
    so that the same file is always cut alike. Returns each file with its number of documents.
    Raises ValueError, and leaves no file, where one of the two parts would be empty.
    """
    from ferrule.tokens import DocBinWriter

    parts = ["train", "dev"] if dev_share else []
    targets = [target.parent / part / target.name for part in parts] or [target]
    draw = random.Random(seed)
    with ExitStack() as stack:
        writers = [stack.enter_context(DocBinWriter(path, store_user_data=True)) for path in targets]
        n_docs = [0] * len(writers)
        for doc in docs:
            held_out = bool(dev_share) and draw.random() < dev_share
            n_docs[held_out] += 1
            writers[held_out].add(doc)
        if parts and 0 in n_docs:
            raise ValueError(
                f"--dev-share {dev_share} puts {n_docs[0]} documents of {target.stem} into train and "
                f"{n_docs[1]} into dev; both need some. Give another share or --seed."
            )
    return [(file, n_docs) for writer in writers for file, n_docs in writer.files]


def target_files(source: Path, output: Path, converter: str) -> list[tuple[Path, Path]]:
    """Each file to read with the `.spacy` file to write.

    In a folder, the files whose names tell their format. Raises ValueError if there is none, or if two
    would be written to one file.
    """
    files = [source] if source.is_file() else [path for path in sorted(source.iterdir()) if _is_corpus(path)]
    if not files:
        raise ValueError(f"{source}: no file in this folder has a name that tells a corpus format")
    targets: dict[Path, Path] = {}
    for path in files:
        target = output / f"{path.name.removesuffix('.gz').rsplit('.', 1)[0]}.spacy"
        if target in targets:
            raise ValueError(
                f"{targets[target]} and {path} would both become {target}; convert one at a time"
            )
        targets[target] = path
    return [(path, target) for target, path in targets.items()]


def _is_corpus(path: Path) -> bool:
    from ferrule.errors import CorpusError
    from ferrule.training.converters import detect

    try:
        detect(path)
    except CorpusError:
        return False
    return path.is_file()
