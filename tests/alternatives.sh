#!/bin/bash
# ipvsadm-rs beside Debian's own ipvsadm, chosen, given up again, removed in every
# order, and replaced by the package that takes C's place, while the table and what is
# behind the names are watched. For a machine that is thrown away afterwards:
#
#   make deb
#   tests/lab/lab run -- tests/alternatives.sh target/ipvsadm-rs_*.deb target/ipvsadm_*.deb
#
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed.
# shellcheck disable=SC2016,SC2317 # the checks are called by name, and by eval

set -u
deb=$(readlink -f "${1:?say which package}")
instead=$(readlink -f "${2:?say which package replaces C ipvsadm}")
# shellcheck source=tests/checks.sh
. "$(dirname "$0")/checks.sh" "$deb"

init=/etc/init.d/ipvsadm
rules=/etc/ipvsadm.rules
settings=/etc/default/ipvsadm
ours=/usr/lib/ipvsadm-rs
original=$ours/original
alternatives=/usr/libexec/ipvsadm-rs/alternatives
names='ipvsadm ipvsadm-save ipvsadm-restore'

# Debian's own package, as it was installed; with $1, in /usr/sbin, as in Debian 13.
repack() {
    local version=$1 tree=$work/repack file
    rm -rf "$tree"
    mkdir -p "$tree/DEBIAN"
    dpkg-query -s ipvsadm | sed "/^Status:/d; /^Conffiles:/,/^[^ ]/{/^Conffiles:/d; /^ /d}; s/^Version:.*/Version: $version/" >"$tree/DEBIAN/control"
    for file in conffiles postinst prerm postrm; do
        cp "/var/lib/dpkg/info/ipvsadm.$file" "$tree/DEBIAN/$file"
    done
    dpkg-query -L ipvsadm | while read -r file; do
        [ ! -f "$file" ] || install -D -m "$(stat -c %a "$file")" "$file" "$tree$file"
    done
    [ "${2:-}" != /usr/sbin ] || mv "$tree/sbin" "$tree/usr/sbin"
    (cd "$tree" && find ./*bin usr -type f -exec md5sum {} + >DEBIAN/md5sums) 2>/dev/null
    dpkg-deb -Znone -b "$tree" "$work/c-$version.deb" >"$work/output"
}

table_is() {
    ipvsadm -Sn >"$work/table" && diff <(printf '%s' "$1") "$work/table"
}

# in_force FOLDER: it is what all three names lead to, and it works.
in_force() {
    local name status=0
    for name in $names; do
        [ "$(readlink -f "/sbin/$name")" = "$1/$name" ] || ! echo "$name is $(readlink -f "/sbin/$name")" || status=1
    done
    [ "$(ipvsadm-save -n)" = "$(ipvsadm -Sn)" ] && return "$status"
}

# C's package and nothing of ours: its own files in their places.
c_alone() {
    [ -z "$(find /usr/sbin /usr/share/man/man8 -name 'ipvsadm*' \( -type l -o -name '*.*.*.gz' -o -name '*.*istrib*' \))" ] &&
        ! dpkg-divert --list | grep ipvsadm && ! update-alternatives --query ipvsadm 2>/dev/null &&
        [ "$(ipvsadm-save -n)" = "$(ipvsadm -Sn)" ] && dpkg -V ipvsadm
}

choose() {
    update-alternatives --quiet --set ipvsadm "$1/ipvsadm"
}

# What happens meanwhile: whether the table has lost the service that all rules here
# have, and whether a name has led to no program.
watch() {
    local name
    while [ -e "$work/watching" ]; do
        [[ $(</proc/net/ip_vs) == *0A000001* ]] || echo "the table lacks its service"
        for name in $names; do
            [ -x "/sbin/$name" ] || echo "there is no $name"
        done
        read -rt 0.02 <>"$work/never"
    done >>"$work/seen"
}
watch_begins() {
    : >"$work/seen"
    touch "$work/watching"
    watch & watcher=$!
}
nothing_seen() {
    rm "$work/watching"
    wait "$watcher"
    sort "$work/seen" | uniq -c | tee /dev/stderr | refuses grep -q .
}
mkfifo "$work/never"

printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
printf '%s' "$saved" >$rules
# It restarts its service when it is upgraded, and that clears the table and loads it.
set_up false none
# Nor is the index of the manuals made anew with each package.
rm -f /var/lib/man-db/auto-update
keep rules cat $rules
keep settings cat $settings
# Ours as often as they are unpacked here.
plain() {
    dpkg-deb -R "$1" "$work/plain" && dpkg-deb -Znone -b "$work/plain" "$work/$2" >"$work/output"
    rm -r "$work/plain"
}
plain "$deb" beside.deb
plain "$instead" instead.deb
deb=$work/beside.deb instead=$work/instead.deb
repack 1:1.31-1+b1
repack 1:1.31-5 /usr/sbin

echo "== C ipvsadm's package alone"
check "its service loads the rules" $init load
check "a rule that is not saved" ipvsadm -A -t 10.0.0.3:80
check "its rules are loaded" table_is "$unsaved"
watch_begins

echo "== beside"
check "installed" dpkg -i "$deb"
check "C is in force" in_force $original
check "its files are whole" dpkg -V ipvsadm
check "so are ours" silent_about '^..5' dpkg -V ipvsadm-rs
check "the table is as it was" table_is "$unsaved"
check "the manual is C's" refuses zgrep -q json /usr/share/man/man8/ipvsadm.8.gz
check "ours has another name" zgrep -q json /usr/share/man/man8/ipvsadm-rs.8.gz
check "nothing completes what C does not have" refuses test -e /usr/share/bash-completion/completions/ipvsadm
check "ipvstop is there" ipvstop -V
check "with its completion" test -s /usr/share/bash-completion/completions/ipvstop
check "no service of ours is enabled" refuses test -e /etc/systemd/system/multi-user.target.wants/ipvsadm-rs.service
check "installed again" dpkg -i "$deb"
check "C is in force" in_force $original

echo "== chosen"
check "chosen" choose $ours
check "ours is in force" in_force $ours
check "it says so" says rust ipvsadm -v
check "the table is as it was" table_is "$unsaved"
check "the manual is ours" zgrep -q json /usr/share/man/man8/ipvsadm.8.gz
for file in /usr/share/bash-completion/completions/ipvsadm /usr/share/bash-completion/completions/ipvsadm-save \
    /usr/share/fish/vendor_completions.d/ipvsadm.fish /usr/share/zsh/vendor-completions/_ipvsadm; do
    check "there is $file" test -s $file
done
check "C's service calls ours: status" says '10.0.0.2:80 *Masq' $init status
check "save" $init save
check "the rules are saved" grep -q 10.0.0.3 $rules
check "C's program is there" silent_about rust $original/ipvsadm -v
cp "$work/rules" $rules

echo "== called by other names"
ln -s $ours/ipvsadm "$work/lvs"
check "by a link" says 'lvs -A' "$work/lvs" -h
check "it works" says 10.0.0.3 "$work/lvs" -Sn
check "without a name" says 10.0.0.3 bash -c 'exec -a "" ipvsadm -Sn'
check "by ipvsadm-save's" says 10.0.0.3 bash -c 'exec -a ipvsadm-save ipvsadm -Sn'
check "ipvsadm-save by ipvsadm's" says 10.0.0.3 bash -c 'exec -a ipvsadm ipvsadm-save -n'

echo "== upgrades"
for version in 1:1.31-5 1:1.31-1+b1; do
    check "C's package becomes $version" dpkg -i "$work/c-$version.deb"
    check "ours is in force" in_force $ours
    check "C's files are whole" dpkg -V ipvsadm
    choose $original
    check "C's can be chosen" in_force $original
    check "and is of that version" cmp $original/ipvsadm "$(dpkg-divert --truename "$(dpkg -L ipvsadm | grep bin/ipvsadm$)")"
    choose $ours
done
check "ours is installed again" dpkg -i "$deb"
check "and in force" in_force $ours
check "the administrator leaves it to the priorities" update-alternatives --quiet --auto ipvsadm
check "C is in force" in_force $original
for version in 1:1.31-5 1:1.31-1+b1; do
    check "C's package becomes $version" dpkg -i "$work/c-$version.deb"
    check "it is in force" in_force $original
done
check "the table is as it was" table_is "$unsaved"
check "neither it nor a name was missing" nothing_seen

echo "== an upgrade that is cut off, and a removal then"
choose $ours
check "ours is unpacked, and no more" dpkg --unpack "$deb"
check "it is removed" dpkg -r ipvsadm-rs
check "C is alone" c_alone
check "the table is as it was" table_is "$unsaved"
check "ours is installed again" dpkg -i "$deb"
watch_begins

echo "== back"
choose $ours
check "C is chosen again" choose $original
check "it is in force" in_force $original
check "the table is as it was" table_is "$unsaved"
choose $ours
check "ours is removed while it is chosen" dpkg -r ipvsadm-rs
check "C is alone" c_alone
check "the table is as it was" table_is "$unsaved"
check "purged" dpkg -P ipvsadm-rs
leftovers() {
    find / -xdev \( -name '*ipvsadm-rs*' -o -name '*ipvstop*' -o -name '*distrib' -name 'ipvs*' \) \
        -not -path '/var/log/*' -not -path "$work/*" -not -path '/tmp/*' -not -path "$repository"
}
check "nothing is left" refuses says . leftovers

echo "== without C's package"
check "both at once, C's package new" dpkg -i "$deb" "$work/c-1:1.31-1+b1.deb"
choose $ours
check "what needs ipvsadm does not keep C's package from being removed" dpkg -r ipvsadm
check "ours is in force" in_force $ours
check "the table is as it was" table_is "$unsaved"
check "what needs ipvsadm is content" apt-get check
check "it would be installed" says '^Inst ldirectord\|ldirectord is already' apt-get install -s ldirectord keepalived
check "the rules stay" same rules cat $rules
check "so does C's service, with our program" $init status
check "C's package comes back" dpkg -i "$work/c-1:1.31-1+b1.deb"
check "ours stays chosen" in_force $ours
check "and C's can be" eval 'choose $original && in_force $original'
check "removed while it is chosen" dpkg -r ipvsadm
check "ours takes its place" in_force $ours
check "C's package comes back, as Debian 13's" dpkg -i "$work/c-1:1.31-5.deb"
check "C is in force: nobody has chosen" in_force $original
check "its files are whole" dpkg -V ipvsadm
choose $ours
check "neither the table nor a name was missing but from the end of C's files to that of dpkg" eval '
    sed -i "/^there is no/d" "$work/seen"; nothing_seen'

echo "== replaced"
watch_begins
check "the package that replaces C takes the place of both" dpkg -i "$instead"
check "ours is gone" says "^Status: .* config-files" dpkg -s ipvsadm-rs
check "it is no alternative" says rust /usr/sbin/ipvsadm -v
check "nor a diversion" refuses says ipvsadm dpkg-divert --list
check "its files are whole" dpkg -V ipvsadm
check "the table is as it was" table_is "$unsaved"
check "the rules are kept" same rules cat $rules
check "the package beside C is refused beside it" refuses dpkg -i "$deb"
check "so is the pair" refuses dpkg -i "$deb" "$instead"
check "its files are whole" dpkg -V ipvsadm
check "it works" table_is "$unsaved"
check "C's package comes back" dpkg -i --force-confold "$work/c-1:1.31-1+b1.deb"
check "it is alone" c_alone
check "the table is as it was" table_is "$unsaved"
check "neither the table nor a name was missing" nothing_seen

echo "== steps that fail"
# The programs that change something: each command fails once, as on a full disk.
mkdir "$work/steps"
for program in cp dpkg-divert ln mkdir mv update-alternatives; do
    printf '#!/bin/sh
grep -qxF "%s $*" %s/failed || { echo "%s $*" >>%s/failed; echo "No space left on device" >&2; exit 2; }
exec %s "$@"\n' $program "$work" $program "$work" "$(command -v $program)" >"$work/steps/$program"
    chmod +x "$work/steps/$program"
done
# A run that says nothing for long is ended.
exec 3>&1
# Until nothing is left to fail; each time, the names have programs that work.
each_step_fails() {
    local count status=0
    : >"$work/failed"
    for count in {1..99}; do
        PATH=$work/steps:$PATH $alternatives "$1" >/dev/null 2>&1 && break
        works || { echo "after: $(tail -n 1 "$work/failed")"; status=1; }
        printf . >&3
    done
    echo " $count steps" >&3
    [ "$count" -gt 10 ] && [ "$count" -lt 99 ] && return "$status"
}
works() {
    [ "$(ipvsadm -Sn)" = "${unsaved%$'\n'}" ] && [ "$(ipvsadm-save -n)" = "${unsaved%$'\n'}" ] && [ -x /sbin/ipvsadm-restore ]
}
check "installed" dpkg -i "$deb"
choose $ours
check "withdraw: something works after each" each_step_fails withdraw
check "in the end, C is alone" c_alone
check "register: something works after each" each_step_fails register
check "in the end, ours is chosen as before" in_force $ours
check "C's files are whole" dpkg -V ipvsadm
# As above, with the calls of update-alternatives itself.
each_call_fails() {
    local call failing status=0
    for call in symlink rename; do
        for failing in {1..40}; do
            strace -o "$work/strace" -e trace="$call" -e inject="$call:error=ENOSPC:when=$failing" \
                update-alternatives --quiet --set ipvsadm "$1/ipvsadm" >/dev/null 2>&1
            works || { echo "after $call $failing"; status=1; }
            printf . >&3
            grep -q INJECTED "$work/strace" || break
        done
        choose "$1" || status=1
        in_force "$1" || status=1
        choose "$2" || status=1
    done
    return "$status"
}
check "choosing ours: something works after each" each_call_fails $ours $original
check "choosing C's: something works after each" each_call_fails $original $ours

echo "== a full disk"
dpkg -r ipvsadm-rs >/dev/null
mkdir "$work/space" "$work/root"
mount -t tmpfs space "$work/space"
mkdir "$work/space/upper" "$work/space/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/space/upper,workdir=$work/space/work" "$work/root"
for dir in proc sys dev run; do mount --rbind /$dir "$work/root/$dir"; done
cp "$deb" /var/tmp/package.deb # where the chroot sees it
in_full() {
    chroot "$work/root" "$@"
}
still_works() {
    check "C's program works" says 10.0.0.3 in_full /sbin/ipvsadm -Sn
    check "so does ipvsadm-save" says 10.0.0.3 in_full /sbin/ipvsadm-save -n
}
fill() {
    dd if=/dev/zero of="$work/space/filler" bs=4k 2>/dev/null
}
mount -o remount,size=4m "$work/space"
check "with little space, it is not installed" refuses in_full dpkg -i /var/tmp/package.deb
still_works
mount -o remount,size=40m "$work/space"
check "with space, it is installed" in_full dpkg -i /var/tmp/package.deb
fill
in_full update-alternatives --set ipvsadm $ours/ipvsadm >/dev/null 2>&1
still_works
check "it is not removed" refuses in_full dpkg -r ipvsadm-rs
still_works
rm "$work/space/filler"
check "with space, it is" in_full dpkg -r ipvsadm-rs
still_works
check "C's files are whole" in_full dpkg -V ipvsadm
umount -l "$work/root"
umount "$work/space"
rmdir "$work/root" "$work/space"

echo "== under systemd"
# shellcheck source=tests/container.sh
. "$(dirname "$0")/container.sh"
settings=$work/root/etc/default/ipvsadm
check "a root file system for systemd" make_root
cp "$work/c-1:1.31-1+b1.deb" "$root/var/tmp/c.deb"
set_up true none
printf '%s' "$saved" >"$root$rules"
check "systemd is up" boot
check "C's service is active" inside systemctl is-active ipvsadm
check "its rules are loaded" table_is "$saved"
check "ours beside it" inside dpkg -i /var/tmp/package.deb
check "chosen" inside update-alternatives --quiet --set ipvsadm $ours/ipvsadm
check "C's service restarts with it" inside systemctl restart ipvsadm
check "its rules are loaded" table_is "$saved"
check "a rule that is not saved" inside ipvsadm -A -t 10.0.0.3:80
check "our own service is enabled" inside systemctl enable --now ipvsadm-rs
check "and leaves the machine to C's" fails 3 inside systemctl is-active ipvsadm-rs
check "the table is as it was" table_is "$unsaved"
check "C's package is purged" inside dpkg -P ipvsadm
printf 'AUTO=true\n' >"$root/etc/default/ipvsadm-rs"
printf '%s' "$saved" >"$root/etc/ipvsadm-rs.rules"
check "our own service starts" inside systemctl start ipvsadm-rs
check "it is active" inside systemctl is-active ipvsadm-rs
check "its rules are loaded" table_is "$saved"
check "a rule that is not saved" inside ipvsadm -A -t 10.0.0.3:80
check "ours is upgraded" inside dpkg -i /var/tmp/package.deb
check "C's package comes back" inside dpkg -i /var/tmp/c.deb
check "the table is as it was" table_is "$unsaved"
check "ours is purged" inside dpkg -P ipvsadm-rs
check "its service was stopped" table_is ''
check "systemd knows no unit" fails 4 inside systemctl status ipvsadm-rs
check "nothing of ours is left" refuses says . inside find / -xdev -name '*ipvsadm-rs*' -not -path '/tmp/*' \
    -not -path '/var/tmp/systemd-private*' -not -path "$repository/*"
check "systemd ends" shut_down

finish
