#!/usr/bin/env bash
# The whole path, from an annotated corpus to tags for your own text. Each command is shown before it runs.
# Usage: demo.sh FOLDER TEXT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$1 text=$2

shown() { # a command line, with quotes where they are needed
    local word line=
    for word; do
        case $word in '' | *[!a-zA-Z0-9_./,=-]*) word=${word@Q} ;; esac
        line+="${line:+ }$word"
    done
    printf '%s' "$line"
}

step() { # what it does, then the command
    printf '\n\033[1m%s\033[0m\n$ ' "$1"
    shift
    printf '%s\n' "$(shown "$@")"
    "$@"
}

step "1. Convert the example corpus" \
    ferrule convert examples/railway_desk "$folder/corpus"
step "2. Write a config" \
    ferrule init config "$folder/config.cfg" --lang en --pipeline tagger,ner --size small --force
step "3. Train, and save the best and the last model" \
    ferrule train "$folder/config.cfg" --output "$folder" \
    --paths.train "$folder/corpus/train.spacy" --paths.dev "$folder/corpus/dev.spacy" \
    --training.max_steps 300 --training.eval_frequency 50 --force
step "4. Evaluate the saved model" \
    ferrule evaluate "$folder/model-best" "$folder/corpus/dev.spacy" --output "$folder/scores.json"
step "5. Load it in a new process and annotate your text" \
    ferrule annotate "$folder/model-best" --text "$text" --to conllu
step "6. Show what it finds as a page, with its probabilities" \
    ferrule visualize "$folder/model-best" --text "$text" --output "$folder/documents.html"

cat <<END
Done. What was written:
  $folder/corpus/       the corpus as .spacy files
  $folder/config.cfg    every setting of the training run
  $folder/model-best/   the pipeline: ferrule.load("$folder/model-best")
  $folder/report.html   curves and scores of the run; open it in a browser
  $folder/documents.html  your text with tags and entities; open it in a browser
  $folder/scores.json   how good it is on sentences it has not seen
Try: make demo TEXT="The last train was late, but the soup was wonderful."
END
