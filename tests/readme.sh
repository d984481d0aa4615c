#!/bin/bash
# Runs every command of the README's blocks that are marked "sh lab", in order,
# with the ipvsadm of $PATH. For a machine that is thrown away afterwards;
# tests/package.sh runs it with the package installed.

set -u
[ "${IPVSADM_LAB:-}" = 1 ] || {
    echo "this changes the machine it runs on: tests/lab/lab run -- $0" >&2
    exit 2
}
readme=$(dirname "$0")/../README.md
count=0 failures=0

while read -r command; do
    count=$((count + 1))
    if output=$(bash -c "$command" 2>&1 </dev/null); then
        echo "ok      $command"
    else
        failures=$((failures + 1))
        echo "FAILED  $command (exit status $?)"
    fi
    [ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/        /'
done < <(awk '/^```/ { inside = $0 == "```sh lab"; next } inside' "$readme")

echo "$count commands, $failures FAILED"
[ $count -gt 5 ] && [ $failures = 0 ]
