#!/bin/sh
# The programs that others get do not tell where they were built.
# Usage: paths.sh FOLDER...

set -eu
status=0
home=${HOME%/}
for folder; do
    for program in ipvsadm ipvsadm-save ipvsadm-restore ipvstop; do
        for path in ${home:+"$home/"} "$PWD/" "${CARGO_HOME:-$home/.cargo}/" /registry/src/ /vendor/; do
            ! grep -aqF -e "$path" "$folder/$program" || {
                echo "FAILED: $folder/$program names $path" >&2
                status=1
            }
        done
    done
done
exit $status
