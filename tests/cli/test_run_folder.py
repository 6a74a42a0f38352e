"""What happens to the folder of a run on a bad day: nothing that was there is lost."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

import ferrule
from ferrule.cli import main
from ferrule.cli.run_folder import check_folder
from ferrule.storage import write_whole
from ferrule.tokens import Doc, DocBin
from ferrule.training.outputs import RunFolder, unfinished_step


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus, a config, and a run that came to its end."""
    folder = tmp_path_factory.mktemp("project")
    vocab = ferrule.blank("en").vocab
    docs = [Doc(vocab, words=["Anna", "left"], tags=["NNP", "VBD"]) for _ in range(4)]
    DocBin(docs=docs).to_disk(folder / "a.spacy")
    DocBin(docs=[Doc(vocab, words=["Anna"])]).to_disk(folder / "plain.spacy")
    assert run("init", "config", folder / "a.cfg", "--size", "small") == 0
    assert run(*command(folder), "-o", folder / "out") == 0
    return folder


def command(folder: Path, dev: str = "a.spacy") -> list[str]:
    steps = ["--training.max_steps", "2", "--training.eval_frequency", "1"]
    paths = ["--paths.train", f"{folder}/a.spacy", "--paths.dev", f"{folder}/{dev}"]
    return ["train", f"{folder}/a.cfg", *steps, *paths]


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def unfinished(project: Path, folder: Path) -> Path:
    """A copy of the finished run that says it is not."""
    import shutil

    shutil.copytree(project / "out", folder)
    file = folder / "checkpoint" / "run.json"
    file.write_text(file.read_text().replace('"finished": true', '"finished": false'))
    return folder


def test_a_run_that_is_not_done_is_not_replaced(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unfinished_step(project / "out") is None
    out = unfinished(project, tmp_path / "out")
    assert unfinished_step(out) == 2
    before = contents(out)
    assert run(*command(project), "-o", out) == 1
    error = capsys.readouterr().err
    assert "stopped after step 2" in error and "--resume" in error and "--force" in error
    assert contents(out) == before
    assert run(*command(project), "-o", out, "--force") == 0
    assert unfinished_step(out) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume"], "--resume needs --output"),
        (["--resume", "-o", "nothing"], "no checkpoint to resume from"),
    ],
)
def test_there_must_be_something_to_resume(
    project: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*command(project), *arguments) == 1
    assert message in capsys.readouterr().err


def test_two_runs_do_not_share_a_folder(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nlp = ferrule.blank("en")
    settings = None  # a claim does not look at them
    with RunFolder(tmp_path / "out", nlp, settings).claimed():  # type: ignore[arg-type]
        assert run(*command(project), "-o", tmp_path / "out") == 1
        assert "another run is writing there" in capsys.readouterr().err
        assert contents(tmp_path / "out") == {}
    assert run(*command(project), "-o", tmp_path / "out") == 0


def test_a_full_disk_leaves_the_run_before_as_it_was(project: Path, tmp_path: Path) -> None:
    before = contents(project / "out")
    limit = 100_000  # bytes of one file, less than a model has

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = subprocess.run(
        [sys.executable, "-m", "ferrule", *command(project), "-o", str(project / "out")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files,
    )
    assert process.returncode == 1
    assert f"{project / 'out' / 'model-last'}: File too large; free some space" in process.stderr
    assert "Traceback" not in process.stderr
    assert contents(project / "out") == before
    assert not list((project / "out").glob(".*ferrule*"))


@pytest.mark.filterwarnings("default::UserWarning")
def test_a_development_corpus_without_annotation_is_pointed_out(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*command(project, dev="plain.spacy"), "-o", tmp_path / "out") == 0
    assert "ferrule: warning: the development corpus has no annotation for tag_acc" in capsys.readouterr().err


def test_a_damaged_corpus_is_named_with_what_to_do(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cut.spacy").write_bytes((project / "a.spacy").read_bytes()[:-20])
    assert run("evaluate", project / "out" / "model-best", tmp_path / "cut.spacy") == 1
    error = capsys.readouterr().err
    assert "cut.spacy cannot be read as a .spacy file" in error and "ferrule convert" in error


def test_the_folder_of_a_run_is_not_the_folder_of_a_pipeline(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("evaluate", project / "out", project / "a.spacy") == 1
    assert f"expected a folder, such as {project / 'out' / 'model-best'}" in capsys.readouterr().err


def test_a_pipeline_of_a_newer_version_is_pointed_out(project: Path, tmp_path: Path) -> None:
    nlp = ferrule.load(project / "out" / "model-best")
    nlp.to_disk(tmp_path / "model")
    meta = tmp_path / "model" / "meta.json"
    (tmp_path / "model" / "ferrule.sha256").unlink()
    version = ferrule.__version__
    meta.write_text(meta.read_text().replace(f'"ferrule_version":"{version}"', '"ferrule_version":"99.1.0"'))
    with pytest.warns(UserWarning, match="saved by Ferrule 99.1.0"):
        ferrule.load(tmp_path / "model")


def test_a_file_is_written_whole_or_stays(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.txt"
    write_whole(file, "first")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "second \ud800")
    assert file.read_text() == "first"
    assert [each.name for each in file.parent.iterdir()] == ["a.txt"]
    with pytest.raises(OSError, match=r"a\.txt"):
        write_whole(file / "below", "third")


def test_a_file_is_no_folder_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"--output .*file is a file; name a folder"):
        check_folder(tmp_path / "file", resume=False, force=False)
