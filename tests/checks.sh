# shellcheck shell=bash
# What tests/package.sh and tests/systemd.sh share; they source this.
# shellcheck disable=SC2034,SC2154,SC2317 # they set, use and call the rest

[ "${IPVSADM_LAB:-}" = 1 ] || {
    echo "this changes the machine it runs on: tests/lab/lab run -- $0 $*" >&2
    exit 2
}
# A directory of the machine, of whatever name.
repository=$(dirname "$(dirname "$(readlink -f "$0")")")
work=$(mktemp -d)
failures=0

# check WHAT COMMAND...: the command succeeds.
check() {
    local what=$1
    shift
    if "$@" >"$work/output" 2>&1 </dev/null; then
        echo "ok      $what"
    else
        echo "FAILED  $what (exit status $?): $*"
        sed 's/^/        /' "$work/output"
        failures=$((failures + 1))
    fi
}

# fails STATUS COMMAND...: it fails with that exit status.
fails() {
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    [ "$status" = "$wanted" ] || ! echo "exit status $status, not $wanted"
}

refuses() {
    ! "$@"
}

# It is heard to its end: a program may die of a reader that goes away.
says() {
    local words=$1
    shift
    "$@" 2>&1 | tee /dev/stderr | { grep -q -e "$words" && cat >/dev/null; }
}

# silent_about WORDS COMMAND...: it succeeds and does not say that.
silent_about() {
    local words=$1
    shift
    "$@" >"$work/said" 2>&1 && ! grep -e "$words" "$work/said"
}

same() {
    diff "$work/$1" <("${@:2}")
}

keep() {
    "${@:2}" >"$work/$1"
}

# set_up AUTO DAEMON
set_up() {
    printf 'AUTO="%s"\nDAEMON="%s"\nIFACE="sync0"\nSYNCID="9"\n' "$1" "$2" >"$settings"
}

finish() {
    [ $failures = 0 ] && echo "all ok" && exit
    echo "$failures FAILED"
    exit 1
}

saved='-A -t 10.0.0.1:80 -s rr
-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1
'
unsaved="$saved-A -t 10.0.0.3:80 -s wlc
"
