"""`ferrule distill`: train a small pipeline on what a large one predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferrule.cli.options import Code, Force, Resume, RunFolder

__all__ = ["distill"]


def distill(
    context: typer.Context,
    teacher: Annotated[
        str,
        typer.Argument(
            help="Folder of a saved pipeline, ours or spaCy's; spacy:NAME, run by spaCy; or a function that "
            "--code registers."
        ),
    ],
    config: Annotated[Path, typer.Argument(help="The student's config.", exists=True, dir_okay=False)],
    output: RunFolder = None,
    scores: Annotated[
        Path | None, typer.Option("--scores", help="Folder to keep the teacher's scores in, or with them.")
    ] = None,
    code: Code = None,
    resume: Resume = False,
    force: Force = False,
) -> None:
    """Train a student. Any setting of its config can be an option: --distillation.temperature 2

    The section "distillation" of the config says what to learn from and how; what it leaves out is as
    "training" says, which also names the corpus to evaluate on.
    """
    from ferrule.cli.debug_config import all_problems_named
    from ferrule.cli.overrides import override, parse_overrides, read_config, run_code
    from ferrule.cli.run_folder import check_folder, say_end
    from ferrule.training.distillation import distill as run_distillation
    from ferrule.training.distillation import distillation_section, init_student
    from ferrule.training.teachers import load_teacher

    check_folder(output, resume=resume, force=force)
    run_code(code)
    settings = read_config(config, {})
    settings.setdefault("distillation", distillation_section())
    overrides = parse_overrides(context.args)
    if scores is not None:
        overrides["distillation.scores"] = str(scores)
    override(settings, overrides)
    taught_by = load_teacher(teacher, code)
    with all_problems_named(config, settings, overrides):
        nlp = init_student(settings, taught_by)
    typer.echo(f"Teacher: {teacher}  Student: {', '.join(nlp.pipe_names)}")
    say_end(run_distillation(nlp, taught_by, output, resume=resume), output)
