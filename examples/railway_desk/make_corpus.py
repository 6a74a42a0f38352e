"""Write train.conllu and dev.conllu from sentences.txt, the same bytes every time.

Run it from anywhere: `python examples/railway_desk/make_corpus.py`. What a line of sentences.txt means
stands in the README beside this file.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SEED = 7
FILLINGS_PER_LINE = 3  # sentences made from one line that has slots
DEV_EVERY = 5  # every fifth line goes to dev, with all its fillings: no pattern stands on both sides

# Words that have one tag wherever they stand in this corpus; they need no tag in sentences.txt.
ONE_TAG = {
    "DT": "a an the this any no",
    "IN": "in of on at from with without for by about under if between as",
    "CC": "and or but",
    "PRP": "i you he she it we they me him us them myself ourselves",
    "PRP$": "my your his our their",
    "MD": "can could will would should must 'd 'll",
    "RB": "not n't",
    "UH": "please",
    ".": ". ? !",
    ",": ",",
    ":": ": ;",
    "$": "£",
}
TAG_OF = {word: tag for tag, words in ONE_TAG.items() for word in words.split()}

SLOTS = {
    "place": (
        "Ashcombe/NNP|Brackwater/NNP|Eastvale/NNP|Hollin/NNP Junction/NNP|Kirkdale/NNP|Lower/NNP Finch/NNP"
        "|Millford/NNP|Port/NNP Ellery/NNP|Saint/NNP Orin/NNP|Tarn/NNP Hill/NNP|Wexby/NNP"
        "|Old/NNP Harbour/NNP",
        "PLACE",
    ),
    "man": (
        "Mr./NNP Okafor/NNP|Tom/NNP Hale/NNP|Luis/NNP|Kenji/NNP Mori/NNP|Noah/NNP Petersen/NNP",
        "PERSON",
    ),
    "woman": ("Anna/NNP Berg/NNP|Mrs./NNP Lindqvist/NNP|Priya/NNP|Grace/NNP Miller/NNP|Fatima/NNP", "PERSON"),
    "date": (
        "Monday/NNP|Tuesday/NNP|Friday/NNP|Saturday/NNP|12/CD May/NNP|1/CD August/NNP|the 3rd/JJ of June/NNP"
        "|21/CD October/NNP|Christmas/NNP Eve/NNP|New/NNP Year/NNP 's/POS Day/NNP",
        "DATE",
    ),
    "time": ("7.15/CD|8.40/CD|9/CD am/NN|noon/NN|14:20/CD|17:05/CD|6/CD pm/NN|21:50/CD|midnight/NN", "TIME"),
    "money": (
        "£ 4.50/CD|£ 12/CD|£ 30/CD|£ 86/CD|seven/CD pounds/NNS|forty/CD pounds/NNS|£ 9.95/CD",
        "MONEY",
    ),
    "thing": (
        "black/JJ rucksack/NN|red/JJ umbrella/NN|silver/JJ watch/NN|green/JJ scarf/NN|wooden/JJ flute/NN"
        "|leather/NN wallet/NN|camera/NN|phone/NN charger/NN|yellow/JJ raincoat/NN|walking/NN stick/NN",
        "",
    ),
    "berth": (
        "lower/JJR berth/NN|window/NN seat/NN|quiet/JJ compartment/NN|family/NN compartment/NN|couchette/NN",
        "",
    ),
    "dish": (
        "lentil/NN soup/NN|vegetable/NN curry/NN|tomato/NN soup/NN|rice/NN pudding/NN|pumpkin/NN stew/NN"
        "|bean/NN chili/NN|fish/NN chowder/NN|mushroom/NN risotto/NN|porridge/NN",
        "",
    ),
}
SLOTS["person"] = (f"{SLOTS['man'][0]}|{SLOTS['woman'][0]}|Dr./NNP Amara/NNP Singh/NNP", "PERSON")

NO_SPACE_BEFORE = re.compile(r"[.,?!:;]|'\w*|n't")
NO_SPACE_AFTER = {"£"}


class Token(NamedTuple):
    """One word of a sentence; `tag` is empty until `with_tags` has settled it."""

    form: str
    tag: str
    entity: str  # B-LABEL, I-LABEL or O


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    output = parser.parse_args().output
    for split, blocks in build((HERE / "sentences.txt").read_text(encoding="utf8")).items():
        (output / f"{split}.conllu").write_text("".join(blocks), encoding="utf8", newline="\n")


def build(source: str) -> dict[str, list[str]]:
    """The CoNLL-U blocks of each split, shuffled with a fixed seed."""
    rng = random.Random(SEED)
    splits: dict[str, list[tuple[str, list[Token]]]] = {"train": [], "dev": []}
    for number, (category, pattern) in enumerate(patterns(source)):
        split = "dev" if number % DEV_EVERY == 3 else "train"
        splits[split] += [(category, sentence) for sentence in sentences(pattern, rng)]
    for examples in splits.values():
        rng.shuffle(examples)
    return {
        split: [block(f"{split}-{n:03}", *example) for n, example in enumerate(examples, 1)]
        for split, examples in splits.items()
    }


def patterns(source: str) -> Iterator[tuple[str, str]]:
    """(category, pattern) for each line that is neither empty, a comment nor a `== category` heading."""
    category = ""
    for line in source.splitlines():
        if line.startswith("== "):
            category = line[3:].strip()
        elif line.strip() and not line.startswith("#"):
            yield category, line


def sentences(pattern: str, rng: random.Random) -> list[list[Token]]:
    """The different sentences one pattern gives: one without slots, else FILLINGS_PER_LINE."""
    wanted = FILLINGS_PER_LINE if "{" in pattern else 1
    found: dict[str, list[Token]] = {}
    while len(found) < wanted:
        filled = fill(pattern, rng)
        found[filled] = with_tags(tokens(filled))
    return list(found.values())


def fill(pattern: str, rng: random.Random) -> str:
    """The pattern with every {slot} replaced; two slots of one name never get the same words."""
    pools = {name: rng.sample(choices.split("|"), k=3) for name, (choices, _) in SLOTS.items()}

    def choose(match: re.Match[str]) -> str:
        name = match[1]
        words, label = pools[name].pop(), SLOTS[name][1]
        return f"[{words}]{label}" if label else words

    return re.sub(r"\{(\w+)\}", choose, pattern)


def tokens(line: str) -> list[Token]:
    """The tokens of a filled line; square brackets with a label behind them mark an entity."""
    found = []
    for words, label, plain in re.findall(r"\[([^\]]+)\]([A-Z]+)|(\S+)", line):
        for n, word in enumerate((words or plain).split()):
            form, _, tag = word.partition("/")
            entity = f"{'I' if n else 'B'}-{label}" if label else "O"
            found.append(Token(form, tag, entity))
    first = found[0]
    found[0] = first._replace(form=first.form[0].upper() + first.form[1:])
    return found


def with_tags(sentence: list[Token]) -> list[Token]:
    """The sentence with tags from TAG_OF where the line gave none; "to" is TO before a verb, else IN."""
    tagged: list[Token] = []
    for n, token in enumerate(sentence):
        tag = token.tag or TAG_OF.get(token.form.lower(), "")
        if not tag and token.form.lower() == "to":
            tag = "TO" if sentence[n + 1].tag == "VB" else "IN"
        if not tag:
            raise ValueError(f"no tag for {token.form!r} in: {' '.join(t.form for t in sentence)}")
        tagged.append(token._replace(tag=tag))
    return tagged


def block(sent_id: str, category: str, sentence: list[Token]) -> str:
    """One CoNLL-U sentence: tag in XPOS, entity and SpaceAfter in MISC, the category in a comment."""
    lines, text = [], ""
    for n, token in enumerate(sentence):
        following = sentence[n + 1].form if n + 1 < len(sentence) else ""
        glued = bool(following) and (
            token.form in NO_SPACE_AFTER or bool(NO_SPACE_BEFORE.fullmatch(following))
        )
        text += token.form + ("" if glued else " ")
        misc = "|".join(filter(None, [f"NE={token.entity}", "SpaceAfter=No" if glued else ""]))
        lines.append("\t".join([str(n + 1), token.form, "_", "_", token.tag, "_", "_", "_", "_", misc]))
    header = [f"# sent_id = {sent_id}", f"# text = {text.rstrip()}", f"# category = {category}"]
    return "\n".join([*header, *lines, "", ""])


if __name__ == "__main__":
    main()
