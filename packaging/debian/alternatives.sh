#!/bin/sh
# Makes the programs of Debian's package ipvsadm-rs and those of C ipvsadm's
# alternatives to each other. C's package knows nothing of it: its files are where
# the links have to be, and go to other names. Called by the scripts of ipvsadm-rs,
# also when C's package comes, goes or is upgraded. Nothing here touches the table.
#
# At any time, and after a step that failed, as on a full disk, there is a program
# behind each name: a file gets its second name first, and then a link takes its
# place, or it that of the link, in one step. What is done already is not done again.
#
# usage: alternatives register|withdraw

set -e

package=ipvsadm-rs
ours=/usr/lib/ipvsadm-rs
completions=/usr/share/ipvsadm-rs/completions
# C's programs, under names that stay when an upgrade of its package moves them.
original=$ours/original
names='ipvsadm ipvsadm-save ipvsadm-restore'
# There if a removal that may yet fail has found ours chosen.
chosen=/run/ipvsadm-rs.chosen

# FILE:DIVERTED. In C's package, the programs are in /sbin, and from Debian 13 on
# in /usr/sbin, which are one: an upgrade removes the former after it has put the
# latter in place, and so their diverted names must not be the same.
diversions() {
    for name in $names; do
        echo "/usr/sbin/$name:/usr/sbin/$name.distrib"
        echo "/sbin/$name:/sbin/$name.distrib.usr-is-merged"
        echo "/usr/share/man/man8/$name.8.gz:/usr/share/man/man8/$name.distrib.8.gz"
    done
}

# Whether both are one file, or as good as: an overlay, as in a container, gives two
# names of one file different numbers.
is_same() {
    [ ! -L "$2" ] && cmp -s "$1" "$2"
}

# Gives a file a second name, in place of what is called that now.
also_called() {
    ! is_same "$1" "$2" || return 0
    new=$2.$package
    rm -f "$new"
    ln "$1" "$new" 2>/dev/null || cp -p "$1" "$new" || { rm -f "$new"; exit 1; }
    mv -fT "$new" "$2"
}

# Where C's program is now; fails if it is nowhere.
diverted() {
    for place in "/usr/sbin/$1.distrib" "/usr/sbin/$1.distrib.usr-is-merged"; do
        [ ! -e "$place" ] || { echo "$place"; return; }
    done
    return 1
}

register() {
    known=$(LC_ALL=C dpkg-divert --list)
    for entry in $(diversions); do
        file=${entry%:*} moved=${entry#*:}
        case $known in
            *" $file to $moved by $package"*) continue ;;
        esac
        if is_of_c "$file"; then
            also_called "$file" "$moved"
        fi
        dpkg-divert --quiet --package $package --no-rename --divert "$moved" --add "$file"
    done
    if diverted ipvsadm >/dev/null; then
        mkdir -p $original
        for name in $names; do
            also_called "$(diverted "$name")" "$original/$name"
        done
        offer 100 $original .distrib
    else
        update-alternatives --quiet --remove ipvsadm $original/ipvsadm
        rm -rf $original
    fi
    offer 50 $ours -rs
    if [ -e $chosen ]; then
        update-alternatives --quiet --set ipvsadm $ours/ipvsadm
        rm -f $chosen
    fi
}

# Whether that is a file of C's package. Not to be able to tell is a failure: what is
# diverted without its second name is lost sight of.
is_of_c() {
    [ -f "$1" ] && [ ! -L "$1" ] || return 1
    files=$(dpkg-query --listfiles ipvsadm 2>/dev/null) || [ $? = 1 ] || exit 1
    printf '%s\n' "$files" | grep -qxF "$1"
}

# offer PRIORITY FOLDER SUFFIX-OF-MANUALS
offer() {
    priority=$1 folder=$2 suffix=$3
    set --
    for name in $names; do
        [ "$name" = ipvsadm ] || set -- "$@" --slave "/usr/sbin/$name" "$name" "$folder/$name"
        page=/usr/share/man/man8/$name
        set -- "$@" --slave "$page.8.gz" "$name.8.gz" "$page$suffix.8.gz"
        [ "$folder" = $ours ] || continue
        bash=/usr/share/bash-completion/completions/$name
        fish=/usr/share/fish/vendor_completions.d/$name.fish
        set -- "$@" --slave "$bash" "$name.bash" $completions/bash/ipvsadm \
            --slave "$fish" "$name.fish" $completions/fish/ipvsadm.fish
    done
    [ "$folder" != $ours ] || set -- "$@" \
        --slave /usr/share/zsh/vendor-completions/_ipvsadm _ipvsadm $completions/zsh/_ipvsadm
    # A program that somebody else has put there stays, and is told of.
    force=
    are_known && force=--force
    update-alternatives --quiet $force --install /usr/sbin/ipvsadm ipvsadm "$folder/ipvsadm" "$priority" "$@"
}

# Whether all that a link would replace is a link, or has a second name.
are_known() {
    for entry in $(diversions); do
        file=${entry%:*} moved=${entry#*:}
        [ ! -e "$file" ] || [ -L "$file" ] || is_same "$moved" "$file" ||
            is_same "$moved.usr-is-merged" "$file" || is_same "${moved%.usr-is-merged}" "$file" || return
    done
}

withdraw() {
    links=$(update-alternatives --query ipvsadm 2>/dev/null) || links=
    case $links in
        *'Status: manual'*"Value: $ours/ipvsadm"*) : >$chosen ;;
    esac
    for entry in $(diversions); do
        file=${entry%:*} moved=${entry#*:}
        if [ -L "$file" ] && [ -e "$moved" ]; then
            also_called "$moved" "$file"
        fi
    done
    [ -z "$links" ] || update-alternatives --quiet --remove-all ipvsadm
    for entry in $(diversions); do
        file=${entry%:*} moved=${entry#*:}
        dpkg-divert --quiet --package $package --no-rename --divert "$moved" --remove "$file"
        rm -f "$moved"
    done
    rm -rf $original
}

case ${1:-} in
    register | withdraw) "$1" ;;
    *)
        echo "usage: $0 register|withdraw" >&2
        exit 2
        ;;
esac
