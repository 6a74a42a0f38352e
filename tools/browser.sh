#!/usr/bin/env bash
# Prints the headless browser that the report's test opens pages with; nothing where there is none.
# Usage: browser.sh [--install]
#   --install: where CI is set and apt works as root, installs one first. Never changes anybody's own machine.
set -u

found() { # of FERRULE_BROWSER and the usual names, the first that starts
    local name
    for name in ${FERRULE_BROWSER:-} chromium-headless-shell chromium chromium-browser google-chrome; do
        if "$name" --version >/dev/null 2>&1; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

found && exit 0
if [ "${1:-}" = "--install" ] && [ -n "${CI:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "make: installing a headless browser for the report's test" >&2
    export DEBIAN_FRONTEND=noninteractive
    if timeout 300 apt-get -qq update >&2; then
        for package in chromium-headless-shell chromium; do
            timeout 300 apt-get -qq install --yes --no-install-recommends "$package" >/dev/null 2>&1 && break
        done
    fi
    found && exit 0
    echo "make: no browser could be installed; the test that opens the report will fail here" >&2
fi
exit 0
