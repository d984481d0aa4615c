#!/bin/sh
# What needs no test to be seen: form, lints, documentation. Says what it cannot
# look at: Debian's Rust comes in parts, and Debian 12 has no clippy for its
# newer one.

set -eu
cd "$(dirname "$0")/.."

has() {
    cargo "$1" --version >/dev/null 2>&1 && return
    echo "lint: NOT CHECKED: this Rust has no cargo $1" >&2
    return 1
}

! has fmt || cargo fmt --check
! has clippy || cargo clippy --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked
