"""Ctrl-C and SIGTERM during training; a run that was stopped, however hard, is resumed to the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ferrule
from ferrule.cli import main
from ferrule.tokens import Doc, DocBin
from ferrule.training.interrupts import DeferredInterrupt


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_interrupt_waits_and_the_second_does_not() -> None:
    before = signal.getsignal(signal.SIGINT)
    with DeferredInterrupt() as deferred:
        assert deferred.received is None
        interrupt()
        assert deferred.received is signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_waits_and_is_passed_on_afterwards() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        with DeferredInterrupt() as deferred:
            os.kill(os.getpid(), signal.SIGTERM)
            assert deferred.received is signal.SIGTERM
            assert seen == []
            os.kill(os.getpid(), signal.SIGTERM)  # a second one does not wait
            assert seen == [signal.SIGTERM]
        deferred.deliver()
        assert seen == [signal.SIGTERM] * 2
        with DeferredInterrupt() as other:
            interrupt()
        other.deliver()
        assert seen == [signal.SIGTERM] * 2
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_handler_is_restored_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), DeferredInterrupt():
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def run() -> None:
        with DeferredInterrupt():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]


# Sends the process a signal before the step of that number, once: a resumed run finds the file.
CODE = """
import os, pathlib, signal
import ferrule

@ferrule.registry.callbacks("tests.stop.v1")
def stop(step: int, signal_name: str, once: str):
    def before_update(nlp, info):
        if info["step"] == step and not pathlib.Path(once).exists():
            pathlib.Path(once).touch()
            os.kill(os.getpid(), getattr(signal, signal_name))
    return before_update
"""
STEP = 3
EXIT = {"SIGINT": 130, "SIGTERM": -signal.SIGTERM, "SIGKILL": -signal.SIGKILL}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small corpus, a config, and what both commands come to when nothing stops them."""
    folder = tmp_path_factory.mktemp("stopped")
    vocab = ferrule.blank("en").vocab
    docs = [
        Doc(
            vocab,
            words=["Anna", "left", "Ely"][: 2 + number % 2],
            tags=["NNP", "VBD", "NN"][: 2 + number % 2],
        )
        for number in range(12)
    ]
    DocBin(docs=docs).to_disk(folder / "a.spacy")
    (folder / "code.py").write_text(CODE)
    assert run("init", "config", folder / "a.cfg", "--size", "small") == 0
    for name, command in (("train", ["train"]), ("distill", teaching(folder))):
        assert run(*command, folder / "a.cfg", *settings(folder), "-o", folder / name) == 0
    return folder


def teaching(folder: Path) -> list[str]:
    """The command with its first argument: the pipeline that was trained without a stop."""
    return ["distill", str(folder / "train" / "model-best")]


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


def settings(folder: Path) -> list[str]:
    paths = ["--paths.train", f"{folder}/a.spacy", "--paths.dev", f"{folder}/a.spacy"]
    return [*paths, "--training.max_steps", "6", "--training.eval_frequency", "2"]


def weights(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("model"))}


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("command", ["train", "distill"])
def test_a_stopped_run_is_resumed_to_the_same_bits(
    command: str, name: str, corpus: Path, tmp_path: Path
) -> None:
    stopping = tmp_path / "stopping.cfg"
    block = '\n[training.before_update]\n@callbacks = "tests.stop.v1"\n'
    block += f'step = {STEP}\nsignal_name = "{name}"\nonce = "{tmp_path / "once"}"\n'
    stopping.write_text((corpus / "a.cfg").read_text().replace("before_update = null\n", "") + block)
    start = teaching(corpus) if command == "distill" else ["train"]
    arguments = [*start, str(stopping), *settings(corpus), "--code", str(corpus / "code.py")]
    process = subprocess.run(
        [sys.executable, "-m", "ferrule", *arguments, "-o", str(tmp_path / "stopped")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == EXIT[name], process.stderr
    if name != "SIGKILL":
        assert f"Stopped by {name} after step {STEP}." in process.stderr
        assert "--resume" in process.stderr
    assert run(*arguments, "-o", tmp_path / "stopped", "--resume") == 0
    for model in ("model-last", "model-best"):
        found = weights(tmp_path / "stopped" / model)
        assert found
        assert found == weights(corpus / command / model)
