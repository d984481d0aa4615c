#!/bin/bash
# The service's script, used by those who mean harm and by accident: files and
# folders of other users, environments, signals, two at once, other shells. For a
# machine that is thrown away afterwards:
#
#   make deb
#   tests/lab/lab run -- tests/service.sh target/ipvsadm_*.deb
#
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed.
# shellcheck disable=SC2016,SC2317 # the checks are called by name, and by eval

set -u
deb=$(readlink -f "${1:?say which package}")
# shellcheck source=tests/checks.sh
. "$(dirname "$0")/checks.sh" "$deb"

service=/usr/libexec/ipvsadm/ipvsadm-service
rules=/etc/ipvsadm.rules
settings=/etc/default/ipvsadm

table_is() {
    ipvsadm -Sn >"$work/table" && diff <(printf '%s' "$1") "$work/table"
}

rules_are() {
    diff <(printf '%s' "$1") <(grep -v '^#' "$rules")
}

# Rules, settings and table as at first.
anew() {
    rm -rf $rules $settings
    printf '%s' "$saved" >$rules
    set_up true none
    rm -f /run/ipvsadm.unsaved
    $service load >/dev/null
}

# The mode decides who can write here, not the lab's overlay.
chmod 755 / /etc /srv
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
ip link add sync0 type dummy
ip address add 10.99.0.1/24 dev sync0
ip link set sync0 up
check "the package is installed" dpkg -i "$deb"
mkdir /srv/lvs
anew

echo "== settings that others than root can write"
evil() {
    printf 'touch %s\n' "$work/owned" >>"$1"
}
not_run() {
    check "$1: refused" says 'is not read, and nothing is done' fails 1 $service start
    check "$1: not run" refuses test -e "$work/owned"
    check "$1: nothing is stopped" refuses $service stop
    check "$1: the table is as it was" table_is "$saved"
}
evil $settings
chown games $settings
not_run "of another user"
chown root:games $settings
chmod 664 $settings
not_run "writable by a group"
chmod 646 $settings
not_run "writable by all"
chmod 644 $settings
chmod 777 /etc/default
not_run "in a folder writable by all"
chmod 755 /etc/default
mkdir /srv/lvs/deep
mv $settings /srv/lvs/deep/settings
ln -s /srv/lvs/deep/settings $settings
chown games /srv/lvs
not_run "below a folder of another user"
chown root /srv/lvs
check "a link to a file that only root can write" $service auto
check "is followed" test -e "$work/owned"
anew

echo "== settings like those of other scripts"
printf 'AUTO="true"\nOPTIONS="$OPTIONS -n"\nfalse\n' >$settings
check "a variable that is not set" $service start
printf 'AUTO=true SAVE=yes\nIPVS_SAVE_ON_STOP="yes"\n#IPVS_STATUS_NUMERIC="yes"\n IPVS_MODULES_UNLOAD=no\n' >$settings
check "Red Hat's keys are named, in a line" \
    says '^ipvsadm: /etc/default/ipvsadm: not read: IPVS_MODULES_UNLOAD IPVS_SAVE_ON_STOP; the key is SAVE, here "yes"$' \
    $service start
check "so is a value that is none" says 'SAVE is "yes", not "true"' $service start
check "also by checkconfig" says 'not read: IPVS_MODULES_UNLOAD' $service checkconfig
set_up true none
check "right settings need no word" silent_about "$settings" $service start
set_up true neither
check "checkconfig tells of a wrong one" says 'DAEMON is "neither"' fails 1 $service checkconfig
anew
printf -- '-A -t nonsense\n' >$rules
check "and of wrong rules" says 'line 1: ' fails 1 $service checkconfig
anew
check "and of right ones" says 'in order' $service checkconfig

echo "== a folder of another user"
# Puts a link to the victim in the place of whatever a save makes in the folder.
attack='
import os, sys, time
folder, victim, known = sys.argv[1], sys.argv[2], os.listdir(sys.argv[1])
open(folder + "/ready", "w")
while True:
    for name in os.listdir(folder):
        if name not in known + ["ready"]:
            try:
                os.unlink(folder + "/" + name)
                os.symlink(victim, folder + "/" + name)
            except OSError:
                pass
'
victim=$work/only-root
chmod 755 "$work"
mv $rules /srv/lvs/rules
ln -s /srv/lvs/rules $rules
ipvsadm -A -t 10.0.0.3:80
attacked() {
    echo root only >"$victim"
    chmod 600 "$victim"
    keep victim stat -c '%U %a %s' "$victim"
    setpriv --reuid games --clear-groups python3 -c "$attack" /srv/lvs "$victim" &
    local attacker=$!
    until [ -e /srv/lvs/ready ]; do sleep 0.1; done
    for _ in {1..20}; do
        check "$1: save is refused" says 'others than root can write /srv/lvs' fails 1 $service save
    done
    kill "$attacker"
    wait "$attacker" 2>/dev/null
    rm /srv/lvs/ready
    check "$1: its victim is whole" same victim stat -c '%U %a %s' "$victim"
    check "$1: the rules are as they were" rules_are "$saved"
}
chown games /srv/lvs /srv/lvs/rules
attacked "it owns the folder"
chown root /srv/lvs
chmod 1777 /srv/lvs
attacked "a folder like /tmp"
printf 'AUTO=true SAVE=true\n' >$settings
check "a stop says it" says 'nothing is stopped' fails 1 $service stop
check "and stops nothing" table_is "$unsaved"
check "a start does not load over it" says 'not saved at the last stop' refuses $service start
chmod 755 /srv/lvs
check "in a folder of root, rules of another user are saved" $service save
check "and stay that user's" says '^games$' stat -c %U /srv/lvs/rules
check "and are written" rules_are "$unsaved"
rm -r /srv/lvs/rules
anew

echo "== rules that are no file"
ipvsadm -A -t 10.0.0.3:80
ln -sf /srv/nowhere/rules $rules
check "a link to nowhere: save is refused" fails 1 $service save
check "it stays" test -L $rules
check "start fails" says 'empty or missing' fails 1 $service start
ln -sf $rules $rules
check "a link to itself: save is refused" fails 1 $service save
check "it stays" test -L $rules
rm $rules
mkfifo $rules
check "a pipe: start does not wait for it" fails 0 timeout 10 $service start
check "save is refused" says 'not a regular file' fails 1 timeout 10 $service save
ln -sf /dev/null $rules
check "/dev/null: start has no rules" $service start
check "save is refused" says 'not a regular file' fails 1 $service save
check "it is the device it was" test -c /dev/null
rm $rules
mkdir $rules
check "a folder: start fails" refuses $service start
check "save is refused" refuses $service save
check "the table is as it was" table_is "$unsaved"
anew

echo "== rules that all can write"
chmod 666 $rules
check "are loaded" $service start
check "with a warning" says "anyone can change the rules: $rules is writable by all" $service start
check "so they are by reload" says 'anyone can change the rules' $service reload
anew
check "without, there is none" silent_about 'anyone' $service reload

echo "== environments"
hostile() {
    (cd /srv && umask "$1" && exec env -i PATH=/srv/bin IFS=/ CDPATH=/usr TMPDIR=/nonexistent HOME=/nonexistent \
        ENV=/srv/bin/env BASH_ENV=/srv/bin/env LC_ALL=tr_TR.UTF-8 POSIXLY_CORRECT=1 SHELLOPTS=noglob \
        "$service" "$2")
}
mkdir /srv/bin
printf '#!/bin/sh\ntouch %s\n' "$work/hijacked" | tee /srv/bin/{env,ipvsadm,ipvsadm-restore,ipvsadm-save,mktemp,mv,cp,find} >/dev/null
chmod +x /srv/bin/*
set_up true both
for mask in 000 022 777; do
    rm -f $rules /run/ipvsadm.service.lock
    ipvsadm -A -t 10.0.0.3:80
    check "umask $mask: save" hostile $mask save
    check "the rules are everyone's to read, and root's to write" says '^root 644$' stat -c '%U %a' $rules
    check "the lock is root's alone" says '^root 600$' stat -c '%U %a' /run/ipvsadm.service.lock
    check "umask $mask: restart" hostile $mask restart
    check "the table is as it was" table_is "$unsaved"
    check "the daemons run" says '^backup' ipvsadm -L --daemon
    check "umask $mask: stop" hostile $mask stop
    check "the table is cleared" table_is ''
    check "no daemon runs" silent_about sync0 ipvsadm -L --daemon
    check "umask $mask: start" hostile $mask start
    check "umask $mask: checkconfig" hostile $mask checkconfig
done
check "the caller's programs are not run" refuses test -e "$work/hijacked"
check "another user cannot hold the lock" refuses setpriv --reuid games --clear-groups flock -n /run/ipvsadm.service.lock true
check "without root, nothing is done" refuses setpriv --reuid games --clear-groups --inh-caps=-all $service stop
check "and the table is as it was" table_is "$unsaved"
$service stop >/dev/null
anew

echo "== nobody listens"
printf 'AUTO=true SAVE=true\n' >$settings
nobody() {
    "$service" "$1" | true
    return "${PIPESTATUS[0]}"
}
for action in save reload restart; do
    check "$action with a closed output" fails 0 sh -c "$service $action >&-"
    check "$action to a full disk" fails 0 sh -c "$service $action >/dev/full"
    check "$action to a reader that has gone" nobody $action
    check "the table is as it was" table_is "$saved"
done

echo "== signals"
mount -t tmpfs -o ro none /run
check "a stop that could not be remembered" says 'nothing is stopped' fails 1 $service stop
umount /run
check "stops nothing" table_is "$saved"

# A save that takes three seconds to reach the disk; strace follows the script.
slow() {
    strace -f -o /dev/null -e trace=fsync,syncfs -e inject=fsync,syncfs:delay_enter=3000000 "$service" "$1" >"$work/slow" 2>&1 &
    strace=$!
    local tries=100
    until compgen -G "$rules.saving.*" >/dev/null && script=$(pgrep -P $strace) || [ $((--tries)) = 0 ]; do
        sleep 0.1
    done
    sleep 0.5
}
gone() {
    wait $strace
    sleep 4 # what the killed script has started
}
printf 'AUTO=true SAVE=true\n' >$settings
ipvsadm -A -t 10.0.0.3:80
slow save
check "a save that is killed" kill -KILL "$script"
gone 2>/dev/null
check "leaves the old rules" rules_are "$saved"
check "and its own file" says saving eval 'echo $rules*'
touch -d '2 hours ago' $rules.saving.*
touch $rules.backup $rules.saving.others
touch -d '2 hours ago' $rules.backup $rules.saving.others.too
check "which a later save removes" $service save
check "and nothing else" says "^$rules $rules.backup $rules.saving.others $rules.saving.others.too\$" eval 'echo $rules*'
check "the rules are saved" rules_are "$unsaved"
rm $rules.*
ipvsadm -D -t 10.0.0.3:80
slow save
check "a save that is ended" kill -TERM "$script"
gone
check "leaves the old rules" rules_are "$unsaved"
check "alone" says "^$rules\$" eval 'echo $rules*'
slow stop
check "a stop that is killed as it saves" kill -KILL "$script"
gone 2>/dev/null
check "leaves the table" table_is "$saved"
check "over which no start loads" says 'not saved at the last stop' refuses $service start
check "until it is saved" $service save
check "and then it does" $service start
rm -f $rules.saving.*
slow restart
check "a restart whose terminal goes away" kill -HUP "$script"
wait $strace
check "ends what it began" table_is "$saved"
check "with the rules" rules_are "$saved"

echo "== many at once"
at_once() {
    local one all=() action
    for action in load reload save restart load reload save restart; do
        $service "$action" & all+=($!)
    done
    for one in "${all[@]}"; do wait "$one" || return; done
}
for _ in {1..6}; do
    check "of all kinds, each succeeds" at_once
    check "the table is whole" table_is "$saved"
    check "the rules are whole" rules_are "$saved"
done
check "nothing is left beside them" says "^$rules\$" eval 'echo $rules*'
anew

echo "== verbs"
check "without a verb, it lists them" says '|save|clear|checkconfig$' fails 2 $service
check "so it does for an unknown one" says '|save|clear|checkconfig$' fails 2 $service frobnicate
check "and the init script" says '|save|clear|checkconfig$' fails 2 /etc/init.d/ipvsadm frobnicate
check "the init script has checkconfig" says 'in order' /etc/init.d/ipvsadm checkconfig
check "and panic, as Red Hat's had" /etc/init.d/ipvsadm panic
check "which clears the table" table_is ''
check "and leaves the rules" rules_are "$saved"
anew

# shell_works NAME COMMAND...: the script in that shell.
shell_works() {
    local name=$1
    shift
    echo "== in $name"
    anew
    printf 'AUTO=true SAVE=true DAEMON=both IFACE=sync0 SYNCID=9\n' >$settings
    check "$name: start" "$@" $service start
    check "$name: the rules are loaded" table_is "$saved"
    check "$name: the daemons run" says '^backup' ipvsadm -L --daemon
    ipvsadm -A -t 10.0.0.3:80
    touch -d '2 hours ago' $rules.saving.12345
    check "$name: stop" "$@" $service stop
    check "$name: saves" rules_are "$unsaved"
    check "$name: removes what is left" says "^$rules\$" eval 'echo $rules*'
    check "$name: clears" table_is ''
    check "$name: start" "$@" $service start
    check "$name: the saved rules are loaded" table_is "$unsaved"
    printf '%s' "$saved" >$rules
    check "$name: reload" "$@" $service reload
    check "$name: the edited rules are in force" table_is "$saved"
    check "$name: restart" "$@" $service restart
    check "$name: checkconfig" says 'in order' "$@" $service checkconfig
    check "$name: an unknown verb" fails 2 "$@" $service frobnicate
    chown games /etc/default
    check "$name: a folder of another user" says 'others than root can write /etc/default ' fails 1 "$@" $service start
    chown root /etc/default
    rm $rules
    check "$name: no rules" says 'no rules to load' "$@" $service start
    check "$name: DAEMON" says 'DAEMON is' fails 1 sh -c "echo DAEMON=x >>$settings && $* $service stop"
}
shell_works dash dash
shell_works bash bash
shell_works "bash as sh" bash --posix
# As on Alpine, other tools too, and no flock.
for tool in chmod cp dirname find grep head mktemp mv readlink rm sed sort sync touch xargs; do
    mount --bind /bin/busybox "$(readlink -f "$(command -v $tool)")"
done
mount --bind /dev/null "$(readlink -f "$(command -v flock)")"
shell_works busybox busybox sh

finish
