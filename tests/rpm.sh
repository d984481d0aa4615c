#!/bin/bash
# The RPM package: in an empty root, then over a package of Red Hat's kind whose
# service is in use, under a running systemd (see container.sh).
#
#   make rpm
#   tests/lab/lab run -- tests/rpm.sh target/ipvsadm-*.rpm
#
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed.
# shellcheck disable=SC2016,SC2317 # the checks are called by name, and by eval

set -u
rpm=$(readlink -f "${1:?say which package}")
# shellcheck source=tests/checks.sh
. "$(dirname "$0")/checks.sh" "$rpm"
# shellcheck source=tests/container.sh
. "$(dirname "$0")/container.sh"

rules=$root/etc/sysconfig/ipvsadm
settings=$root/etc/sysconfig/ipvsadm-config

# build NAME VERSION [SCRIPT]: a package of the files in $work/NAME; SCRIPT runs
# when it is removed or replaced.
build() {
    printf '%s\n' "Name: $1" "Version: $2" 'Release: 17' 'Summary: Another' 'License: GPL-2.0-or-later' \
        '%description' 'Another.' '%install' 'mkdir -p %{buildroot}' "cp -a $work/$1/. %{buildroot}" \
        ${3:+%postun "$3"} '%files' >"$work/$1.spec"
    (cd "$work/$1" && find . ! -type d -printf '/%P\n') |
        sed 's|^/etc|%config(noreplace) &|' >>"$work/$1.spec"
    rpmbuild --quiet -bb --define "_topdir $work/top" --define '_build_id_links none' \
        --define '__os_install_post %{nil}' "$work/$1.spec" &&
        mv "$work"/top/RPMS/*/"$1"-*.rpm "$work/$1.rpm"
}

# Its service saves, and clears the table whether that worked or not. Replaced, it
# restarts the unit, as in EL 8, and has systemd restart it, as in Fedora.
red_hat() {
    mkdir -p "$work"/ipvsadm/{usr/sbin,usr/lib/systemd/system,etc/sysconfig}
    cp /sbin/ipvsadm{,-save,-restore} "$work/ipvsadm/usr/sbin"
    echo 'IPVS_SAVE_ON_STOP="no"' >"$work/ipvsadm/etc/sysconfig/ipvsadm-config"
    cat >"$work/ipvsadm/usr/lib/systemd/system/ipvsadm.service" <<END
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c "ipvsadm-restore </etc/sysconfig/ipvsadm"
ExecStop=/bin/sh -c "ipvsadm-save -n >/etc/sysconfig/ipvsadm"
ExecStop=/usr/sbin/ipvsadm -C
[Install]
WantedBy=multi-user.target
END
    # shellcheck disable=SC2016 # for rpm's shell
    build ipvsadm 1.31 'if [ $1 -ge 1 ]; then
        systemctl daemon-reload
        systemctl try-restart ipvsadm
        systemctl set-property ipvsadm.service Markers=+needs-restart
    fi'
}

foreign() {
    mkdir -p "$work/lvs-tools/usr/sbin"
    echo foreign >"$work/lvs-tools/usr/sbin/ipvsadm"
    build lvs-tools 2
}

# Where there is no shell, no scriptlet can run.
in_empty() {
    rpm --root "$work/empty" --nodeps --noscripts "$@"
}

# All but rpm's database, which is where rpm's version has it.
files() {
    find "$work/empty" ! -type d ! -path '*/.rpmdb/*' ! -path '*/var/lib/rpm/*' -printf '%P %m %u %g\n' | sort
}

echo "== an empty root"
check "a package that has /usr/sbin/ipvsadm already" foreign
check "a package of Red Hat's kind" red_hat
mkdir "$work/empty"
for size in 256k 1m 2m; do
    mount -t tmpfs -o size=$size small "$work/empty"
    check "with $size of space, the package is refused" refuses in_empty -i "$rpm"
    check "and nothing is there" refuses says . files
    umount "$work/empty"
done
check "another package's ipvsadm" in_empty -i "$work/lvs-tools.rpm"
check "is in the way" says 'conflicts with file from package lvs-tools' in_empty -i "$rpm"
check "and stays" grep foreign "$work/empty/usr/sbin/ipvsadm"
check "alone" silent_about ipvsadm-save files
check "without it" in_empty -e lvs-tools
check "the package is installed" in_empty -i "$rpm"
check "its files are whole" in_empty -V ipvsadm
check "it is ours" says rust "$work/empty/usr/sbin/ipvsadm" -v
check "the rules have their place" says '^etc/sysconfig/ipvsadm 644 root root$' files
check "the settings too" grep -q 'AUTO="true"' "$work/empty/etc/sysconfig/ipvsadm-config"
debian_places() {
    find "$work/empty/usr" -path '*/doc/*' -prune -o -type f -print0 |
        xargs -0 zgrep -l -e /etc/ipvsadm.rules -e /etc/default/
}
check "no file tells of Debian's places" refuses says . debian_places
for manual in ipvsadm ipvsadm-save ipvsadm-restore; do
    zcat "$work/empty/usr/share/man/man8/$manual.8.gz" >"$work/$manual.8"
    check "the manual of $manual tells of Red Hat's" grep -q /etc/sysconfig/ipvsadm "$work/$manual.8"
    check "mandoc finds nothing wrong with it" refuses says . mandoc -T lint "$work/$manual.8"
done
check "the schema of the JSON is there" test -s "$work/empty/usr/share/ipvsadm/ipvsadm.schema.json"
check "rules for Prometheus are there" test -s "$work/empty/usr/share/ipvsadm/ipvs.rules.yml"
check "a dashboard is there" test -s "$work/empty/usr/share/ipvsadm/ipvs-dashboard.json"
check "ipvstop is there" test -x "$work/empty/usr/sbin/ipvstop"
echo '# mine' >>"$work/empty/etc/sysconfig/ipvsadm"
check "removed" in_empty -e ipvsadm
check "the rules are kept, as rpm keeps them" says '^etc/sysconfig/ipvsadm.rpmsave 644 root root$' files
check "nothing else" silent_about '^usr' files

echo "== Red Hat's package, in use"
check "a root file system for systemd" make_root
chroot "$root" dpkg -P ldirectord ipvsadm >/dev/null
rm -f "$root/etc/ipvsadm.rules" "$root/etc/default/ipvsadm"
cp "$rpm" "$root/var/tmp/new.rpm"
cp "$work/ipvsadm.rpm" "$root/var/tmp/old.rpm"
mkdir -p "$root/etc/sysconfig"
printf '%s' "$saved" >"$rules"
keep rules cat "$rules"
check "systemd is up" boot
check "the package" inside rpm -U --nodeps /var/tmp/old.rpm
inside systemctl daemon-reload
check "its service" inside systemctl enable --now ipvsadm
check "has loaded the rules" table_is "$saved"
inside ipvsadm -A -t 10.0.0.3:80
echo '# mine' >>"$settings"

echo "== over it"
check "where /etc cannot be written" inside sh -c 'mount --bind /etc /etc && mount -o remount,ro,bind /etc'
check "the package is refused" refuses inside rpm -U --nodeps /var/tmp/new.rpm
check "what was there works" table_is "$unsaved"
inside umount /etc
check "the package is installed" inside rpm -U --nodeps /var/tmp/new.rpm
check "the unit was left alone" says 'left alone while the package is replaced' journal
inside systemctl daemon-reload
check "what systemd is to restart" inside systemctl reload-or-restart --marked
check "the unit is none of it" refuses says 'table cleared' journal
check "it is whole, but for rules and settings" refuses says 'usr' inside rpm -V --nodeps ipvsadm
check "it is ours" says rust inside ipvsadm -v
check "nothing waits for the end of it" refuses inside test -e /run/ipvsadm.replacing
check "the table is as it was" table_is "$unsaved"
check "the rules are kept" same rules cat "$rules"
check "the settings are kept" says '^# mine$' cat "$settings"
check "the unit is active and enabled" unit_is active enabled
check "and ours" says '^ExecStart=.*ipvsadm-service' inside systemctl cat ipvsadm
check "systemd has no warning" silent_about Warning inside systemctl status ipvsadm
keep started started
check "the package again" inside rpm -U --nodeps --replacepkgs /var/tmp/new.rpm
check "the table is as it was" table_is "$unsaved"
check "the unit was not restarted" same started started

echo "== the service"
rules_are() {
    diff <(printf '%s' "$1") <(grep -v '^#' "$rules")
}
check "stop" inside systemctl stop ipvsadm
check "saves the rules" rules_are "$unsaved"
check "and clears the table" table_is ''
check "start" inside systemctl start ipvsadm
check "loads them" table_is "$unsaved"
inside ipvsadm -D -t 10.0.0.3:80
check "restart" inside systemctl restart ipvsadm
check "saves and loads" eval 'rules_are "$saved" && table_is "$saved"'
printf '%s' "$unsaved" >"$rules"
check "reload" inside systemctl reload ipvsadm
check "puts an edited file in force" table_is "$unsaved"
check "systemd ends" shut_down
check "and is up again" boot
check "the rules are loaded" table_is "$unsaved"
set_up true master
check "sync daemons can be set up" inside systemctl restart ipvsadm
check "and run" says '^master.*sync0, syncid=9' inside ipvsadm -L --daemon
sed -i /AUTO/d "$settings"
echo 'SAVE="false"' >>"$settings"
inside ipvsadm -D -t 10.0.0.3:80
check "stop without SAVE" inside systemctl stop ipvsadm
check "saves nothing" rules_are "$unsaved"
check "and clears the table" table_is ''
sed -i /SAVE/d "$settings"

echo "== a full disk, behind a symbolic link"
rm "$rules"
ln -s /srv/lvs/rules "$rules"
mkdir "$root/srv/lvs"
check "a small one" inside mount -t tmpfs -o size=16k,mode=755 small /srv/lvs
printf '%s' "$unsaved" | inside sh -c 'cat >/srv/lvs/rules'
check "start" inside systemctl start ipvsadm
inside ipvsadm -D -t 10.0.0.3:80
inside sh -c 'cat /dev/zero >/srv/lvs/filler' 2>/dev/null
check "restart fails" refuses inside systemctl restart ipvsadm
check "start fails" refuses inside systemctl start ipvsadm
inside systemctl stop ipvsadm
check "the unit has failed" unit_is failed enabled
check "the journal says why" says 'rules not saved, /etc/sysconfig/ipvsadm is as it was' journal
check "and what to do" says 'the table was not saved at the last stop: first "/usr/libexec' journal
check "the table is as it was" table_is "$saved"
check "the rules too, and alone" says '^filler rules$' inside sh -c 'cd /srv/lvs && echo *'
check "they are whole" says 10.0.0.3 inside cat /srv/lvs/rules
inside rm /srv/lvs/filler
check "with space, it still does not load over the table" refuses inside systemctl start ipvsadm
check "save" inside /usr/libexec/ipvsadm/ipvsadm-service save
check "start" inside systemctl start ipvsadm
check "loads what was saved" table_is "$saved"
inside ipvsadm -A -t 10.0.0.3:80
check "stop" inside systemctl stop ipvsadm
check "saves through the link" eval 'test -L "$rules" && inside grep 10.0.0.3 /srv/lvs/rules'
inside cp --remove-destination /srv/lvs/rules /etc/sysconfig/ipvsadm

echo "== wrong rules"
inside systemctl start ipvsadm
printf '%s-A -t nonsense\n' "$saved" >"$rules"
for action in reload restart; do
    check "$action fails" refuses inside systemctl $action ipvsadm
    check "it changes nothing" table_is "$unsaved"
    check "the status says why" says 'line 3: ' status
done
printf '%s' "$saved" >"$rules"
check "with right rules, it starts" inside systemctl start ipvsadm

echo "== removal"
check "removed" inside rpm -e --nodeps ipvsadm
check "the service was stopped" fails 1 grep -q 0A000001 "/proc/$systemd/net/ip_vs"
check "systemd knows no unit" fails 4 inside systemctl status ipvsadm
check "no program stays" refuses inside sh -c 'ls /usr/sbin/ipvsadm*'
check "rules and settings are kept, as rpm keeps them" \
    says '^ipvsadm-config.rpmsave ipvsadm.rpmsave$' eval 'cd "$root/etc/sysconfig" && echo *.rpmsave'
check "systemd ends" shut_down

finish
