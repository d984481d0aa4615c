#!/bin/bash
# What "make install" and "make uninstall" do with SUFFIX and NO_IPVSTOP, in folders
# below target; the programs are built if they are not.
#
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed.
# shellcheck disable=SC2016,SC2317 # the checks are called by name, and by eval

set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit
trees=$(realpath -m "${CARGO_TARGET_DIR:-target}")/install
failures=0

check() {
    local what=$1
    shift
    if "$@" >"$trees/output" 2>&1; then
        echo "ok      $what"
    else
        echo "FAILED  $what (exit status $?): $*"
        sed 's/^/        /' "$trees/output"
        failures=$((failures + 1))
    fi
}

# into TREE WHAT...: make does it there.
into() {
    "${MAKE:-make}" -s -f packaging/install.mk DESTDIR="$trees/$1" "${@:2}"
}

files() {
    (cd "$trees/$1" && find . ! -type d) | sort
}

says() {
    "${@:2}" | tee /dev/stderr | grep -e "$1"
}

# none COMMAND...: it prints nothing.
none() {
    ! "$@" | grep .
}

rm -rf "$trees"
mkdir -p "$trees"

check "make install" into plain install
cp -R "$trees/plain" "$trees/both"

echo "== SUFFIX=-rs"
check "make install" into suffixed install SUFFIX=-rs
check "no path is shared" none comm -12 <(files plain) <(files suffixed)
check "there are as many" eval '[ "$(files plain | wc -l)" = "$(files suffixed | wc -l)" ]'
check "the programs run" "$trees/suffixed/usr/sbin/ipvsadm-rs" -h
check "the manuals call them so" none grep -rE '^(ipvsadm(-save|-restore)?|ipvstop) ' "$trees/suffixed/usr/share/man"
check "the service calls them" grep -qx 'ipvsadm_save=/usr/sbin/ipvsadm-save-rs' \
    "$trees/suffixed/usr/libexec/ipvsadm-rs/ipvsadm-service"
check "and leaves the machine to the service of C ipvsadm" grep -q '^Condition.*!/etc/init.d/ipvsadm$' \
    "$trees/suffixed/usr/lib/systemd/system/ipvsadm-rs.service"
check "which ours, in its place, does not" none grep -r '^Condition.*ipvsadm' "$trees/plain/usr/lib/systemd"
completion=$trees/suffixed/usr/share/bash-completion/completions/ipvsadm-rs
check "the completion completes them, and nothing else" diff <(printf '%s\n' ipvsadm{-restore,,-save}-rs ipvstop-rs) <(
    bash -c '. "$0"; complete -p' "$completion" | sed 's/.* //' | sort)
check "make install beside the other" into both install SUFFIX=-rs
check "make uninstall" into both uninstall SUFFIX=-rs
check "leaves the other as it was, and its own settings and rules" diff <(files plain) \
    <(files both | grep -vx -e ./etc/default/ipvsadm-rs -e ./etc/ipvsadm-rs.rules)

echo "== NO_IPVSTOP=1"
check "make install" into without install NO_IPVSTOP=1
check "only ipvstop is missing" diff <(files plain | grep -v ipvstop) <(files without)
check "nothing completes it" none grep -rE '^(complete|#compdef) .*ipvstop' "$trees/without"
check "nor is it built, nor what only it needs" says '^packaging/cargo build .*-p ipvsadm$' into without -n build NO_IPVSTOP=1
check "make uninstall" into without uninstall NO_IPVSTOP=1
check "leaves settings and rules" diff <(printf '%s\n' ./etc/default/ipvsadm ./etc/ipvsadm.rules) <(files without)

rm -rf "$trees"
[ $failures = 0 ] && echo "all ok" && exit
echo "$failures FAILED"
exit 1
