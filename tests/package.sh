#!/bin/bash
# Installs the Debian package over Debian's own ipvsadm, uses its service,
# removes and purges it. For a machine that is thrown away afterwards:
#
#   make deb
#   tests/lab/lab run -- tests/package.sh target/ipvsadm_*.deb
#
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed.
# shellcheck disable=SC2016,SC2317 # the checks are called by name, and by eval

set -u
deb=$(readlink -f "${1:?say which package}")
# shellcheck source=tests/checks.sh
. "$(dirname "$0")/checks.sh" "$deb"

init=/etc/init.d/ipvsadm
rules=/etc/ipvsadm.rules
settings=/etc/default/ipvsadm

table_is() {
    ipvsadm -Sn >"$work/table" && diff <(printf '%s' "$1") "$work/table"
}

# Without an init system, packages start and stop services only if this says so.
printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d

ip link add sync0 type dummy
ip address add 10.99.0.1/24 dev sync0
ip link set sync0 up
printf '# my rules\n%s' "$saved" >$rules
set_up true master
keep rules cat $rules
keep settings cat $settings

echo "== Debian's package, in use"
check "Debian's ipvsadm is there" says '^Version: 1:1\.31-' dpkg -s ipvsadm
check "its service starts" $init start
check "its rules are loaded" table_is "$saved"
check "a rule that is not saved" ipvsadm -A -t 10.0.0.3:80

echo "== a full root file system"
mkdir "$work/space" "$work/root"
mount -t tmpfs space "$work/space"
mkdir "$work/space/upper" "$work/space/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/space/upper,workdir=$work/space/work" "$work/root"
for dir in proc sys dev; do mount --bind /$dir "$work/root/$dir"; done
cp "$deb" /var/tmp/package.deb # where the chroot sees it
in_full() {
    chroot "$work/root" "$@"
}
is_refused() {
    check "with $1, the package is refused" refuses in_full dpkg -i /var/tmp/package.deb
    check "Debian's files are whole" in_full dpkg -V ipvsadm
    check "it works" same rules in_full sh -c 'echo "# my rules"; /sbin/ipvsadm -Sn | head -2'
    check "the rules are kept" same rules in_full cat $rules
}
for size in 1m 2m 4m; do
    mount -o remount,size=$size "$work/space"
    is_refused "$size of space"
done
mount -o remount,size=40m "$work/space"
mount --bind "$work/root/etc" "$work/root/etc"
mount -o remount,ro,bind "$work/root/etc"
is_refused "/etc read-only"
umount "$work/root/etc"
check "with space, it is installed" in_full dpkg -i /var/tmp/package.deb
check "and is whole" in_full dpkg -V ipvsadm
for dir in proc sys dev; do umount "$work/root/$dir"; done
umount "$work/root" "$work/space"
rm /var/tmp/package.deb
ipvsadm -C
$init start >/dev/null 2>&1
ipvsadm -A -t 10.0.0.3:80

echo "== over Debian's package"
check "the package is installed without a question" apt-get install -y "$deb"
check "it is ours" says rust /sbin/ipvsadm -v
check "its files are whole" dpkg -V ipvsadm
check "the rules are kept" same rules cat $rules
check "the settings are kept" same settings cat $settings
check "the table is as it was" table_is "$unsaved"
check "the sync daemon runs" says '^master.*sync0, syncid=9' ipvsadm -L --daemon
for page in ipvsadm ipvsadm-save ipvsadm-restore ipvstop; do
    zcat /usr/share/man/man8/$page.8.gz >"$work/$page.8"
    check "mandoc finds nothing wrong with the manual of $page" refuses says . mandoc -T lint "$work/$page.8"
    check "bash-completion has $page" test -e /usr/share/bash-completion/completions/$page
    check "fish has $page" test -e /usr/share/fish/vendor_completions.d/$page.fish
done
check "the schema of the JSON is there" test -s /usr/share/ipvsadm/ipvsadm.schema.json
check "rules for Prometheus are there" test -s /usr/share/ipvsadm/ipvs.rules.yml
check "a dashboard is there" test -s /usr/share/ipvsadm/ipvs-dashboard.json
check "zsh has ipvsadm" test -e /usr/share/zsh/vendor-completions/_ipvsadm

echo "== the init script"
ipvsadm -C
check "start" $init start
check "loads the rules" table_is "$saved"
check "status lists them" says '10.0.0.2:80 *Masq' $init status
check "rate" says CPS $init rate
ipvsadm -A -t 10.0.0.3:80
check "save" $init save
check "writes them" same rules sh -c "echo '# my rules'; grep -v -e '^#' -e 10.0.0.3 $rules"
check "and the new one" grep -q 10.0.0.3 $rules
check "clear" $init clear
check "clears the table" table_is ''
check "load" $init load
check "loads them" table_is "$unsaved"
ipvsadm -D -t 10.0.0.3:80
check "reload" $init reload
check "makes good what was changed" table_is "$unsaved"
check "restart" $init restart
check "start twice" $init start
check "one daemon" says '^master' ipvsadm -L --daemon
check "stop" $init stop
check "stops the daemon" silent_about master ipvsadm -L --daemon
check "and clears the table" table_is ''
check "stop twice" $init stop
set_up false both
check "start without AUTO" $init start
check "loads nothing" table_is ''
check "starts both daemons" says '^backup' ipvsadm -L --daemon
ipvsadm -A -t 10.0.0.3:80
check "stop without AUTO" $init stop
check "clears nothing" says 10.0.0.3 ipvsadm -Sn
check "anything else is refused" fails 2 $init bogus
set_up true nonsense
check "a wrong DAEMON is an error" fails 1 $init start

echo "== wrong rules, no rules, a full disk"
set_up true master
printf '%s' "$saved" >$rules
$init start >/dev/null
for action in load restart reload; do
    printf '%s-A -t nonsense\n' "$saved" | sed s/10.0.0.2/10.0.0.4/ >$rules
    check "$action of wrong rules fails" refuses $init $action
    check "and changes nothing" table_is "$saved"
    rm $rules
    check "$action without rules fails" refuses $init $action
    check "and changes nothing" table_is "$saved"
done
: >$rules
check "reload of an empty file fails" says 'is empty or missing' fails 1 $init reload
check "and changes nothing" table_is "$saved"
rm $rules
small=/srv/small # where only root can write
mkdir $small
mount -t tmpfs -o size=16k,mode=755 small $small
printf '# old\n' >$small/rules
ln -s $small/rules $rules
dd if=/dev/zero of=$small/filler bs=1k 2>/dev/null
check "save on a full disk fails" says 'No space left' refuses $init save
check "the old rules are there" says '# old' cat $rules
check "and nothing beside them" says '^filler rules$' eval 'echo $(ls $small)'
rm $small/filler
check "save through a symbolic link" $init save
check "keeps the link" test -L $rules
check "writes the rules" grep -q 10.0.0.2 $small/rules
rm $rules
umount $small
rmdir $small

echo "== saves at the same time"
saves_at_once() {
    local save saves=()
    for _ in 1 2 3; do
        $init save & saves+=($!)
    done
    for save in "${saves[@]}"; do wait "$save" || return; done
}
rules_are() {
    diff <(printf '%s' "$1") <(grep -v '^#' "$rules")
}
printf '# old\n' >$rules
chown games:games $rules
chmod 640 $rules
touch "$work/elsewhere"
ln -s "$work/elsewhere" $rules.new
for _ in {1..8}; do
    check "three saves" saves_at_once
    check "the rules are whole" rules_are "$saved"
done
check "they keep their owner and mode" says '^games games 640$' stat -c '%U %G %a' $rules
check "no link beside them is followed" refuses test -s "$work/elsewhere"
rm $rules.new
check "nothing is left beside them" says "^$rules\$" eval 'echo $rules*'
rm $rules
check "rules where there were none" $init save
check "are as readable as those of the package" says '^root root 644$' stat -c '%U %G %a' $rules
printf '# my rules\n%s' "$saved" >$rules

echo "== an upgrade from ourselves"
$init start >/dev/null
ipvsadm -A -t 10.0.0.3:80
check "the package again" dpkg -i "$deb"
check "the table is as it was" table_is "$unsaved"
check "the sync daemon runs" says '^master' ipvsadm -L --daemon
printf 'echo settings\n[ -n "" ]\n' >>$settings
check "again, with settings that print and end in a false test" dpkg -i "$deb"
check "the table is as it was" table_is "$unsaved"

echo "== removal"
dpkg -P ldirectord >/dev/null # needs ipvsadm
check "removed" dpkg -r ipvsadm
check "no program stays" refuses ls /sbin/ipvsadm /sbin/ipvsadm-save /sbin/ipvsadm-restore /sbin/ipvstop
check "the service was stopped" fails 1 grep -q 0A000001 /proc/net/ip_vs
check "the rules stay" same rules cat $rules
check "the settings stay" grep -q sync0 $settings
check "the init script stays" test -f $init
check "and could run for another package" test -x $init
check "but does nothing" $init start
check "installed again" dpkg -i "$deb"
check "the init script runs" $init status
check "the rules are loaded" table_is "$saved"
ipvsadm -C
check "purged" dpkg -P ipvsadm
leftovers() {
    find / -xdev -name '*ipvsadm*' -not -path '/var/log/*' -not -path "$work/*" \
        -not -path '/tmp/*' -not -path "$repository" | grep -v -e '^/var/lib/ipvsadm-lab'
}
check "nothing is left" refuses says . leftovers

echo "== a machine that never had it"
machine() {
    find /etc /usr /var /opt /root -xdev \( -path /var/log -o -path /var/cache -o -path '/var/lib/dpkg/*-old' \) \
        -prune -o ! -type d -printf '%p %m %u %l %s\n' -o -printf '%p %m %u\n' | grep -v '^/var/lib/dpkg/status ' | sort
}
keep machine machine
keep status cat /var/lib/dpkg/status
# The lab's Debian is without documentation.
check "installed" dpkg --path-include='/usr/share/doc/ipvsadm*' -i "$deb"
check "nothing differs from the package" silent_about . dpkg -V ipvsadm
check "the settings are there" grep -q 'AUTO="false"' $settings
check "the rules are there" test -s $rules
check "start loads nothing" says 'not loaded' $init start
check "the commands of the README work" "$(dirname "$0")/readme.sh"
check "purged" dpkg -P ipvsadm
check "the machine is as it was" same machine machine
check "so is its list of packages" same status cat /var/lib/dpkg/status

finish
