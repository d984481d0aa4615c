#!/bin/bash
# Compiles everything, tests too, with exactly the oldest Rust that Cargo.toml
# promises: rustup's, which it gets if it can, or Debian's where that is the one.
# Usage: msrv.sh [--if-there]: where it cannot be had, say so and succeed.

set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# Sets $cargo, the command.
find_cargo() {
    local candidate
    if command -v rustup >/dev/null && { is_version cargo "+$version.0" ||
        timeout 300 rustup toolchain install "$version.0" --profile minimal --no-self-update >&2; }; then
        cargo=(cargo "+$version.0")
        return
    fi
    for candidate in cargo /usr/bin/cargo; do
        is_version "$candidate" && cargo=(env "RUSTC=$(dirname "$(command -v "$candidate")")/rustc" "$candidate") && return
    done
    return 1
}

is_version() {
    "$@" --version 2>/dev/null | grep -q "^cargo $version\."
}

if ! find_cargo; then
    echo "msrv: NOT CHECKED: Rust $version cannot be had here, neither from rustup nor as Debian's" >&2
    [ "${1:-}" = --if-there ]
    exit
fi
echo "msrv: $("${cargo[@]}" --version)"
# A directory of its own: the two compilers would make each other start anew.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/msrv \
    "${cargo[@]}" check --locked --workspace --all-targets
