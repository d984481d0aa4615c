#!/bin/sh
# What needs no test to be seen: form, lints, documentation. Says what it cannot
# look at: Debian's Rust comes in parts, and Debian 12 has no clippy for its
# newer one.

set -eu
cd "$(dirname "$0")/.."

# Another clippy has other lints: what it says is shown, and is no error.
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
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked
