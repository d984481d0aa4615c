#!/bin/bash
# The same bits twice: the archives and source packages, and then programs, static
# programs, deb and rpm, each made in two folders, homes, time zones, languages
# and umasks, minutes apart; once with the libraries of the archive, once with
# those of cargo's registry. For a commit. What differs is shown by diffoscope, if
# that is installed. Two whole builds: ten minutes.
# Usage: reproducible.sh [--without-static]

set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
# Where cargo and its toolchains are does not count; where its libraries are does.
export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
registry=${CARGO_HOME:-$HOME/.cargo}
work=$(mktemp -d -p "${TMPDIR:-/var/tmp}")
trap 'rm -rf "$work"' EXIT
status=0
static=static
[ "${1:-}" != --without-static ] || static=
unset CARGO_TARGET_DIR SOURCE_DATE_EPOCH

# same FOLDER FOLDER: the files in there.
same() {
    local file
    for file in "$1"/*; do
        if cmp -s "$file" "$2/${file##*/}"; then
            echo "same: $(sha256sum "$file" | sed "s|  .*/|  |")"
        else
            echo "DIFFERENT: ${file##*/}"
            ! command -v diffoscope >/dev/null || diffoscope "$file" "$2/${file##*/}" || true
            status=1
        fi
    done
}

in_one() {
    (umask 022 && cd "$work/one/ipvsadm" && TZ=UTC LC_ALL=C HOME=$work/one/home "$@")
}

in_other() {
    (umask 077 && cd "$work/elsewhere/with/others" && TZ=Asia/Kathmandu LC_ALL=C.UTF-8 \
        HOME=$work/elsewhere/home CARGO_HOME=$registry "$@")
}

# Results of a build, side by side.
gather() {
    mkdir "$work/$1"
    cp "$2"/target/release/{ipvsadm,ipvsadm-save,ipvsadm-restore,ipvstop} "$2"/target/*.{deb,rpm} "$work/$1"
    [ -z "$static" ] || (cd "$2"/target/*-linux-musl/release && for program in ipvsadm ipvsadm-save ipvsadm-restore ipvstop; do
        cp "$program" "$work/$1/static-$program"
    done)
}

mkdir -p "$work"/{one,elsewhere}/home "$work/elsewhere/with"
git clone --quiet . "$work/one/ipvsadm"
git clone --quiet . "$work/elsewhere/with/others"
ln -s "$registry" "$work/one/cargo"
in_one env CARGO_HOME="$work/one/cargo" make --no-print-directory dist deb-source srpm ${static:+static}
in_other make --no-print-directory dist deb-source srpm >/dev/null
for made in dist deb-source; do
    rm -f "$work"/{one/ipvsadm,elsewhere/with/others}/target/deb-source/{log,*.buildinfo,*.changes}
    same "$work/one/ipvsadm/target/$made" "$work/elsewhere/with/others/target/$made"
done

tar -C "$work" -x -f "$work/one/ipvsadm/target/dist/ipvsadm-$version-vendor.tar.zst"
mv "$work/ipvsadm-$version/vendor" "$work/ipvsadm-$version/.cargo" "$work/one/ipvsadm"
in_one make deb rpm
in_other make ${static:+static} deb rpm
gather first "$work/one/ipvsadm"
gather second "$work/elsewhere/with/others"
same "$work/first" "$work/second"
exit $status
