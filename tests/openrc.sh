#!/bin/bash
# "make install OPENRC=1" under a running OpenRC, see container.sh.
#
#   make -f packaging/install.mk install OPENRC=1 DESTDIR=$PWD/target/openrc
#   tests/lab/lab run -- tests/openrc.sh target/openrc
#
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed.
# shellcheck disable=SC2016,SC2317 # the checks are called by name, and by eval

set -u
tree=$(readlink -f "${1:?say where it is installed}")
# shellcheck source=tests/checks.sh
. "$(dirname "$0")/checks.sh" "$tree"
# shellcheck source=tests/container.sh
. "$(dirname "$0")/container.sh"

rules=$root/var/lib/ipvsadm/rules-save
settings=$root/etc/conf.d/ipvsadm

serve() {
    inside rc-service ipvsadm "$1"
}

# service_is STATE [RUNLEVEL], as rc-service and rc-update tell.
service_is() {
    diff <(printf '%s\n' "$@") <(
        inside rc-service ipvsadm status | sed 's/.*: //'
        inside rc-update show | awk '$1 == "ipvsadm" { print $3 }'
    )
}

check "a root file system" make_openrc_root
chroot "$root" dpkg -P ldirectord ipvsadm >/dev/null
cp -a "$tree/." "$root"
chown -R 0:0 "$root"/{etc,usr,var/lib}

echo "== a machine with OpenRC"
check "OpenRC is up" boot_openrc
check "it knows the service" service_is stopped
check "and what it can do" says 'checkconfig: Says' inside rc-service ipvsadm describe
check "checkconfig" says 'in order' serve checkconfig
check "it is part of a runlevel" inside rc-update add ipvsadm default
check "start" serve start
check "it is started" service_is started default
inside sh -c 'ip link add sync0 type dummy && ip address add 10.99.0.1/24 dev sync0 && ip link set sync0 up'
printf '%s' "$unsaved" | inside ipvsadm -R
check "save" serve save
check "writes the table, with numbers" eval 'diff <(printf "%s" "$unsaved") <(grep -v "^#" "$rules")'
check "beside nothing" says '^rules-save$' eval 'ls "$(dirname "$rules")"'
printf '%s' "$saved" >"$rules"
check "reload" serve reload
check "puts an edited file in force" table_is "$saved"
check "stop" serve stop
check "clears the table" table_is ''
check "it is stopped" service_is stopped default
check "a stopped one cannot be reloaded" refuses serve reload

echo "== a boot"
set_up true master
check "OpenRC ends" shut_down_openrc
check "and is up again" boot_openrc
check "the service is started" service_is started default
check "the rules are loaded" table_is "$saved"
check "the sync daemon runs" says '^master.*sync0, syncid=9' inside ipvsadm -L --daemon
echo 'SAVE="true"' >>"$settings"
inside ipvsadm -A -t 10.0.0.3:80
check "OpenRC ends" shut_down_openrc
check "the table was saved" grep -q 10.0.0.3 "$rules"
check "OpenRC is up again" boot_openrc
check "the saved rules are loaded" table_is "$unsaved"
check "a network that is restarted" inside rc-service network restart
check "takes no rules with it" table_is "$unsaved"

echo "== wrong rules"
set_up true master
printf '%s' "$saved" >"$rules"
check "restart" serve restart
check "loads the rules" table_is "$saved"
printf '%s-A -t nonsense\n' "$saved" | sed s/10.0.0.2/10.0.0.4/ >"$rules"
for action in reload restart checkconfig; do
    check "$action tells" says 'line 3: ' refuses serve $action
    check "it changes nothing" table_is "$saved"
    check "the sync daemon runs" says '^master' inside ipvsadm -L --daemon
    check "the service is started" service_is started default
done
check "stop" serve stop
check "start tells" says 'line 3: ' refuses serve start
check "nothing is loaded" table_is ''
check "the service is stopped" service_is stopped default
check "an unknown verb is refused" refuses serve frobnicate
chown games "$settings"
check "settings of another user are not run" says 'is not read, and nothing is done' refuses serve start
chown root "$settings"
printf '%s' "$saved" >"$rules"

echo "== the first steps"
first_steps
check "clear, in use" eval 'serve start && serve clear'
check "clears the table" table_is ''
check "OpenRC ends" shut_down_openrc

finish
