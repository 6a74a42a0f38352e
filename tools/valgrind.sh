#!/usr/bin/env bash
# The tests of the pure crates under valgrind memcheck, with debug assertions. Arguments are test filters.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v valgrind >/dev/null || { echo "valgrind.sh: valgrind is not installed; install it first" >&2; exit 1; }
# Some optimization, with the assertions: without any a whole run takes hours.
export CARGO_PROFILE_TEST_OPT_LEVEL=${CARGO_PROFILE_TEST_OPT_LEVEL:-1} CARGO_PROFILE_TEST_DEBUG_ASSERTIONS=true
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target/valgrind}
for crate in ferrule-kernels ferrule-text; do
    tests=$(cargo test -p "$crate" --lib --no-run --locked 2>&1 | sed -n 's/.*Executable.*(\(.*\))$/\1/p')
    echo "valgrind.sh: $crate, $tests"
    # Property tests try fewer cases: each takes about fifty times as long here.
    PROPTEST_CASES=${PROPTEST_CASES:-8} valgrind -q --error-exitcode=9 "$tests" --test-threads=1 "$@"
done
