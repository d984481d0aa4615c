#!/bin/sh
# Licences, advisories, sources and duplicates of the libraries, by deny.toml.
# Usage: deny.sh [--if-there]: without cargo-deny, say so and succeed.

set -eu
cd "$(dirname "$0")/.."
if ! cargo deny --version >/dev/null 2>&1; then
    echo "deny: NOT CHECKED: no cargo-deny here (cargo install --locked cargo-deny)" >&2
    [ "${1:-}" = --if-there ]
    exit
fi
cargo deny --log-level warn check --hide-inclusion-graph licenses bans sources
# The database of advisories is fetched; where that fails, nothing is known.
if advisories=$(cargo deny --log-level warn check --hide-inclusion-graph advisories 2>&1); then
    echo "$advisories"
elif echo "$advisories" | grep -q 'failed to fetch advisory database'; then
    echo "deny: NOT CHECKED: the database of advisories cannot be had here" >&2
    [ "${1:-}" = --if-there ]
else
    echo "$advisories"
    exit 1
fi
