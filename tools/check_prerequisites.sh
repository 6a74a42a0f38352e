#!/usr/bin/env bash
# Says in one line what is missing to build Ferrule, and the command that installs it; prints the Python to use.
# Usage: check_prerequisites.sh [--lint]    (--lint: rustfmt and clippy as well)
set -u

missing() { # what, how to get it
    printf 'make: %s. Install it with: %s\n' "$1" "$2" >&2
    exit 1
}

as_root=; [ "$(id -u)" = 0 ] || as_root="sudo "

case "$(uname -s)" in
    Darwin) linker="xcode-select --install" python="brew install python@3.13" venv="brew reinstall python@3.13" ;;
    *)
        if command -v dnf >/dev/null; then
            linker="${as_root}dnf install gcc" python="${as_root}dnf install python3.12" venv="${as_root}dnf install python3-pip"
        elif command -v pacman >/dev/null; then
            linker="${as_root}pacman -S gcc" python="${as_root}pacman -S python" venv="${as_root}pacman -S python-pip"
        else
            linker="${as_root}apt-get install gcc libc6-dev" python="${as_root}apt-get install python3 python3-venv"
            venv="${as_root}apt-get install python3-venv"
        fi
        ;;
esac
rust="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"

# A name on the PATH may be a shim that cannot start, so each candidate is run.
found=
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3.10 python3}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
        found=$candidate
        break
    fi
done
[ -n "$found" ] || missing "no Python of version 3.10 or later was found (${PYTHON:-python3.13 … python3})" "$python"
"$found" -c 'import ensurepip, venv' >/dev/null 2>&1 || missing "$found has no venv module with pip" "$venv"

cargo --version >/dev/null 2>&1 || missing "cargo, the Rust build tool, was not found" "$rust"
needed=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
have=$(cargo --version | sed 's/^cargo \([0-9.]*\).*/\1/')
[ "$(printf '%s\n' "$needed" "$have" | sort -V | head -n 1)" = "$needed" ] ||
    missing "cargo $have is too old, $needed or later is needed" "rustup update stable"
command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ||
    missing "no C linker was found (cc, gcc or clang)" "$linker"

if [ "${1:-}" = "--lint" ]; then
    cargo fmt --version >/dev/null 2>&1 || missing "rustfmt was not found" "rustup component add rustfmt"
    cargo clippy --version >/dev/null 2>&1 || missing "clippy was not found" "rustup component add clippy"
fi
printf '%s\n' "$found"
