"""`ferrule init config`: write a complete config, without asking anything."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["init_config"]


class Size(str, Enum):
    """How large the network is."""

    small = "small"
    medium = "medium"
    large = "large"


def init_config(
    output: Annotated[Path, typer.Argument(help="The config file to write; - is standard output.")],
    lang: Annotated[str, typer.Option("--lang", "-l", help="Language code; xx for any.")] = "en",
    pipeline: Annotated[
        str, typer.Option("--pipeline", "-p", help="Components, separated by commas.")
    ] = "tagger",
    size: Annotated[Size, typer.Option("--size", "-s", help="Size of the network.")] = Size.medium,
    fast: Annotated[
        bool, typer.Option("--fast", help="A network that is faster, but that spaCy cannot open.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-F", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a complete config with good settings for a pipeline and a size."""
    if output.exists() and not force:
        raise ValueError(f"{output} is there already; --force replaces it")
    from thinc.config import Config

    from ferrule.language import get_lang_class, load_from_config
    from ferrule.storage import write_whole
    from ferrule.training.presets import starting_config

    get_lang_class(lang)  # refuses, with the nearest, a language there is no data for
    components = [name.strip() for name in pipeline.split(",") if name.strip()]
    settings = Config(starting_config(lang, components, size.value, fast=fast))
    text = in_order(load_from_config(settings).config.to_str())
    if str(output) == "-":
        typer.echo(text)
        return
    write_whole(output, text + "\n")
    typer.echo(f"Saved: {output}")
    typer.echo(f"Train: ferrule train {output} --output out --paths.train FILE --paths.dev FILE")


def in_order(text: str) -> str:
    """The sections of a config with each one's parts right behind it, and the first ones as in SECTION_ORDER.

    >>> print(in_order("[b]\\n[nlp]\\n[b.c]\\nd = 1"))
    [nlp]
    <BLANKLINE>
    [b]
    <BLANKLINE>
    [b.c]
    d = 1
    """
    import re

    from ferrule.language.config import SECTION_ORDER

    blocks = {
        tuple(block[1 : block.index("]")].split(".")): block.strip()
        for block in re.split(r"\n(?=\[)", text.strip())
    }
    first = {(name,): place - len(SECTION_ORDER) for place, name in enumerate(SECTION_ORDER)}
    for place, path in enumerate(blocks):
        for length in range(1, len(path) + 1):
            first.setdefault(path[:length], place)
    order = sorted(blocks, key=lambda path: [first[path[:length]] for length in range(1, len(path) + 1)])
    return "\n\n".join(blocks[path] for path in order)
