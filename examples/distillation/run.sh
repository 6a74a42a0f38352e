#!/usr/bin/env bash
# A large tagger for UD English-EWT, a small one distilled from it, and the same small one trained on gold alone.
# Usage: run.sh DATA FOLDER    (DATA: the folder with ud_ewt/, wnut17/ and banking77/, see CONTRIBUTING.md)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$1 out=$2

ferrule convert "$data/ud_ewt" "$out/corpus"
python "$here/make_text.py" "$data" "$out/text.txt"
corpora=(--paths.train "$out/corpus/en_ewt-ud-train.spacy" --paths.dev "$out/corpus/en_ewt-ud-dev.spacy"
    --corpora.train.gold_preproc true --corpora.dev.gold_preproc true)
schedule() { # highest learning rate, steps
    printf '{"@schedules": "warmup_linear.v1", "initial_rate": %s, "warmup_steps": 200, "total_steps": %s}' "$1" "$2"
}

ferrule init config "$out/teacher.cfg" --pipeline tagger --size large --force
ferrule train "$out/teacher.cfg" --output "$out/teacher" --force "${corpora[@]}" --training.max_steps 2400 \
    --training.dropout 0.2 --training.optimizer.learn_rate "$(schedule 0.002 2500)"

ferrule init config "$out/student.cfg" --pipeline tagger --size medium --force
student=("${corpora[@]}" --components.tok2vec.model.encode.depth 2 --training.max_steps 3000 --training.patience 0
    --training.optimizer.learn_rate "$(schedule 0.003 3100)")
ferrule distill "$out/teacher/model-best" "$out/student.cfg" --output "$out/student" --force --scores "$out/scores" \
    "${student[@]}" --training.dropout 0.1 --distillation.corpus '["corpora.train", "corpora.text"]' \
    --corpora.text "{\"@readers\": \"spacy.PlainTextCorpus.v1\", \"path\": \"$out/text.txt\"}"
ferrule train "$out/student.cfg" --output "$out/gold" --force "${student[@]}" --training.dropout 0.2

ferrule compare "$out/teacher/model-best" "$out/corpus/en_ewt-ud-test.spacy" --gold-preproc \
    --student "$out/student/model-best" --student "$out/gold/model-best"
