#!/bin/bash
# Other machines: compiles the programs for each, and runs the unit tests, in
# QEMU's emulation, on one whose numbers have the low byte first and one with the
# high byte first. Needs rustup for the standard libraries; the linkers, C
# libraries and QEMU come from Debian.
# Usage: targets.sh [--if-there]: what is not available here is reported, and is not a failure.

set -euo pipefail
cd "$(dirname "$0")/.."
checked=(aarch64-unknown-linux-gnu armv7-unknown-linux-gnueabihf
    i686-unknown-linux-gnu s390x-unknown-linux-gnu)
# Rust's name, Debian's name, QEMU's name, package of the C library.
emulated=('aarch64-unknown-linux-gnu aarch64-linux-gnu qemu-aarch64 libc6-dev-arm64-cross'
    's390x-unknown-linux-gnu s390x-linux-gnu qemu-s390x libc6-dev-s390x-cross')
missing=()

is_there() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ] ||
        timeout 300 rustup target add "$1" >&2
}

has_tools() {
    if ! command -v "$1-gcc" || ! command -v "$2" || [ ! -e "/usr/$1/lib/libc.so.6" ]; then
        install "gcc-$1" "$3" qemu-user
    fi >/dev/null
}

install() {
    local sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo -n --)
    echo "targets: installing $*" >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

for target in "${checked[@]}"; do
    if is_there "$target"; then
        echo "targets: cargo check for $target"
        cargo check --quiet --locked --workspace --target "$target"
    else
        missing+=("$target: its standard library (rustup target add $target)")
    fi
done
for entry in "${emulated[@]}"; do
    read -r target debian emulator libc <<<"$entry"
    is_there "$target" || continue
    if has_tools "$debian" "$emulator" "$libc"; then
        echo "targets: unit tests on $target"
        variable=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$target")
        env "${variable}_LINKER=$debian-gcc" "${variable}_RUNNER=$emulator -L /usr/$debian" \
            cargo test --quiet --locked --lib --target "$target"
    else
        missing+=("unit tests on $target: gcc-$debian, $libc, qemu-user")
    fi
done
for what in "${missing[@]}"; do
    echo "targets: NOT CHECKED, not to be had here: $what" >&2
done
[ ${#missing[@]} -eq 0 ] || [ "${1:-}" = --if-there ]
