#!/bin/bash
# The static programs, in an otherwise empty root: musl has another way to start
# a program than glibc, and what a program was called with must get through.
# For a machine that is thrown away afterwards:
#
#   make static
#   tests/lab/lab run -- tests/static.sh target/x86_64-unknown-linux-musl/release target/release
#
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed.
# shellcheck disable=SC2317 # the checks are called by name

set -u
static=$(readlink -f "${1:?say where the static programs are}")
usual=$(readlink -f "${2:?say where the usual programs are}")
# shellcheck source=tests/checks.sh
. "$(dirname "$0")/checks.sh"

root=$work/root
mkdir "$root"
for program in ipvsadm ipvsadm-save ipvsadm-restore ipvstop; do
    # Under one name, so that what they say is the same.
    mkdir "$root/$program"
    cp "$static/$program" "$root/$program"
done

in_root() {
    chroot "$root" "/$1/$1" "${@:2}" 2>&1
}

usual() {
    (exec -a "/$1/$1" "$usual/$1" "${@:2}") 2>&1
}

table_is() {
    "$usual/ipvsadm" -Sn >"$work/table" && diff <(printf '%s' "$1") "$work/table"
}

reads() {
    printf '%s' "$1" | in_root "${@:2}"
}

restores() {
    in_root ipvsadm-save -n >"$work/saved" &&
        in_root ipvsadm -C &&
        table_is '' &&
        in_root ipvsadm-restore <"$work/saved"
}

"$usual/ipvsadm" -Ln >/dev/null # loads the module: the empty root has no modprobe
for program in ipvsadm ipvsadm-save ipvsadm-restore ipvstop; do
    keep help usual $program -h
    check "$program -h" same help in_root $program -h
done
keep version usual ipvsadm -v
check "ipvsadm -v" same version in_root ipvsadm -v
check "a wrong option is one" fails 255 in_root ipvsadm --no-such-option
check "rules" reads "$saved" ipvsadm -R
check "they are there" table_is "$saved"
check "restore with --dry-run" reads "$unsaved" ipvsadm-restore --dry-run
check "changes nothing" table_is "$saved"
check "-R with --dry-run" reads "$unsaved" ipvsadm -R --dry-run
check "changes nothing" table_is "$saved"
check "save, clear, restore" restores
check "all is there again" table_is "$saved"
keep listing usual ipvsadm -Ln
check "a listing" same listing in_root ipvsadm -Ln
# An error takes a backtrace then; the empty root has no /proc to read.
export RUST_BACKTRACE=1
check "an error" fails 1 in_root ipvsadm -Lcn
check "another" fails 255 in_root ipvsadm -D -t 10.0.0.99:80
unset RUST_BACKTRACE
check "ipvstop" says 10.0.0.1:80 in_root ipvstop -b -n 1 -d 1
finish
