#!/bin/bash
# From the archives of a release alone, and without network: in a new root of a
# Debian release with that release's own Rust, by a user who cannot write to the
# source, all of it is built, tested, installed, and made into packages.
#
#   make dist deb-source srpm
#   tests/archives.sh bookworm trixie
#
# Needs root and mmdebstrap, and takes a quarter of an hour for each. Roots that
# are in $IPVSADM_ROOTS are taken as they are, and new ones stay there.
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed. What
# the commands said is in target/archives.
# shellcheck disable=SC2016,SC2317 # the checks are called by name, and by sh -c

set -u
cd "$(dirname "$0")/.." || exit
target=$(realpath "${CARGO_TARGET_DIR:-target}")
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
logs=$target/archives
mkdir -p "$logs"
work=$(mktemp -d -p "${TMPDIR:-/var/tmp}")
trap 'rm -rf --one-file-system "$work"' EXIT
roots=${IPVSADM_ROOTS:-$work}
status=0

# check NAME COMMAND...: and how long it took.
check() {
    local begun=$SECONDS
    if "${@:2}" >"$logs/$suite-${1//[^a-z]/-}.log" 2>&1; then
        echo "ok: $suite: $1 ($((SECONDS - begun)) s)"
    else
        echo "FAILED: $suite: $1, see $logs/$suite-${1//[^a-z]/-}.log"
        tail -n 20 "$logs/$suite-${1//[^a-z]/-}.log"
        status=1
    fi
}

# Debian 12 has its newer Rust under another name, among its security updates.
make_root() {
    local rust=rustc,cargo
    [ "$suite" != bookworm ] || rust=rustc-web,cargo-web
    [ -d "$root" ] ||
        mmdebstrap --variant=minbase --include="build-essential,debhelper,dh-apparmor,rpm,xz-utils,zstd,$rust" \
            "$suite" "$root" || return
    rm -rf "$root"/{src,archives,home/builder}
    mkdir "$root/archives"
    echo "127.0.0.1 localhost" >"$root/etc/hosts" # as any tool that builds packages does
    { chroot "$root" id builder || chroot "$root" useradd builder; } &&
        mkdir "$root/home/builder" &&
        chroot "$root" chown builder /home/builder &&
        cp "$target/dist"/ipvsadm-*.zst "$target/deb-source"/*.{dsc,xz} "$root/archives"
}

# As a user, where there is no network and nothing of ours but the archives.
as_builder() {
    unshare --net --mount --pid --fork --kill-child sh -c 'mount -t proc proc "$0/proc" && exec "$@"' "$root" \
        chroot --userspec=builder "$root" env -i HOME=/home/builder PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        LC_ALL=C.UTF-8 CARGO_TARGET_DIR=/home/builder/target \
        sh -e -c "cd ${folder:-/src/ipvsadm-$version} && $1"
}

unpack() {
    mkdir -p "$root/src" && chroot "$root" tar -C /src -x -f "/archives/ipvsadm-$version$1.tar.zst"
}

fails_with() {
    ! as_builder "$2" >"$work/said" 2>&1 && cat "$work/said" && grep -q "$1" "$work/said"
}

# What make test-offline has tested is not tested again.
deb_build='dpkg-source -x /archives/*.dsc deb && cd deb && unset CARGO_TARGET_DIR && DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc'
rpm_build="unset CARGO_TARGET_DIR; rpmbuild --nodeps --nocheck -ba --define '_topdir /home/builder/rpm' \
    --define '_sourcedir /archives' /src/ipvsadm-$version/packaging/ipvsadm.spec"

for suite in "${@:-bookworm}"; do
    root=$roots/$suite
    check "a new root" make_root
    check "the source" unpack ""
    check "make without the libraries says what is missing" \
        fails_with "^The libraries are missing: unpack ipvsadm-$version-vendor" make
    check "make dist without git says so" fails_with "^dist: needs git" "packaging/dist"
    check "the libraries" unpack -vendor
    check "make" as_builder make
    check "make test-offline" as_builder "make test-offline"
    check "make install" as_builder "make install DESTDIR=/home/builder/tree"
    check "the program" as_builder "/home/builder/tree/usr/sbin/ipvsadm -v"
    check "the source is as it was unpacked" as_builder '! find . -mindepth 1 -newer /archives | grep .'
    folder=/home/builder
    check "dpkg-buildpackage" as_builder "$deb_build"
    check "rpmbuild -ba" as_builder "$rpm_build"
    unset folder
    find "$root/home/builder" -name '*.deb' -o -name '*.rpm' | sed 's|.*/|    |'
done
exit $status
