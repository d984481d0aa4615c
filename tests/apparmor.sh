#!/bin/bash
# The packages' AppArmor profile, enforced: whatever the programs are for is allowed,
# by hand, in the service, and from wherever rules come and listings go.
#
#   make deb
#   tests/lab/lab run --apparmor -- tests/apparmor.sh target/ipvsadm_*.deb
#
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed.
# shellcheck disable=SC2016,SC2317 # the checks are called by name, and by eval

set -u
deb=$(readlink -f "${1:?say which package}")
# shellcheck source=tests/checks.sh
. "$(dirname "$0")/checks.sh" "$deb"
# shellcheck source=tests/container.sh
. "$(dirname "$0")/container.sh"

name=$(dpkg-deb -f "$deb" Package)
profile=/etc/apparmor.d/$name
profiles=/sys/kernel/security/apparmor/profiles

printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
chmod 755 / /etc /srv
mount -t securityfs securityfs /sys/kernel/security
# All of it is logged.
echo 0 >/proc/sys/kernel/printk_ratelimit

check "the kernel has AppArmor" grep -q apparmor /sys/kernel/security/lsm
check "the package is installed" dpkg -i "$deb"
check "its profile is loaded, and complains" grep -qx "$name (complain)" $profiles

# As aa-enforce does it, from a package that is not here.
sed -i 's/, complain)/)/' "$profile"
check "its profile is enforced" apparmor_parser -r "$profile"
check "the kernel says so" grep -qx "$name (enforce)" $profiles
# That of C ipvsadm is no alternative here: what is called is ours, confined.
ipvsadm=$(dpkg -L "$name" | grep 'bin/ipvsadm$\|lib/ipvsadm-rs/ipvsadm$')
PATH=$(dirname "$ipvsadm"):$PATH

# What the kernel has denied since the last look.
denied() {
    local seen
    seen=$(wc -l <"$work/log")
    dmesg | grep "apparmor=\"DENIED\".*profile=\"$name\"" >"$work/log"
    tail -n +"$((seen + 1))" "$work/log" | tee /dev/stderr
}
: >"$work/log"
allowed() {
    local status=0 denied
    "$@" || status=$?
    denied=$(denied)
    [ "$status" = 0 ] && [ -z "$denied" ]
}
allows() {
    check "$1" allowed "${@:2}"
}

echo "== the table"
allows "a service" "$ipvsadm" -A -t 10.0.0.1:80 -s rr
allows "a server" "$ipvsadm" -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m
allows "changed" "$ipvsadm" -e -t 10.0.0.1:80 -r 10.0.0.2:80 --keep -w 3
allows "a scheduler whose module is loaded" "$ipvsadm" -E -t 10.0.0.1:80 -s wlc
allows "a tunnel" "$ipvsadm" -a -t 10.0.0.1:80 -r 10.0.0.3 -i --tun-type gue --tun-port 6080
allows "a persistence engine" "$ipvsadm" -A -u 10.0.0.1:5060 -s rr -p 60 --pe sip -o
without_modules() {
    local module
    "$ipvsadm" -C
    for module in $(grep -o '^ip_vs_[^ ]*' /proc/modules) ip_vs; do
        rmmod "$module" || return
    done
    ! grep -q '^ip_vs ' /proc/modules
}
allows "no module is loaded" without_modules
echo 'blacklist ip_vs' >/etc/modprobe.d/ipvs.conf # the kernel loads it not by itself
allows "modprobe loads it" "$ipvsadm" -A -t 10.0.0.1:80 -s rr
allows "another server" "$ipvsadm" -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m
for options in -L -Ln '-L --stats' '-L --rate' '-Ln --thresholds --persistent-conn' '-L --timeout' '-L --daemon' \
    '-Lcn' '-L -c -n --by client' '-L --json' '-L --openmetrics' '-L --openmetrics node' '-Ln --watch --samples 2' \
    '-S' '-Sn --all' '-S --watch 0.1 --samples 2' '-Z' '--set 900 120 300' '-h' '-v'; do
    # shellcheck disable=SC2086 # these are several words
    allows "ipvsadm $options" eval '"$ipvsadm" '"$options; [ \$? -le 1 ]"
done
# They read all over the machine, and say what they could not read: as much as without.
look() {
    "$ipvsadm" --check --json
    "$ipvsadm" --check-real-server -t 10.0.0.1:80 -r 10.0.0.2:80 -m
}
apparmor_parser -R "$profile"
keep check look
apparmor_parser -a "$profile"
allows "a check of this machine" same check look
check "which can tell" says '"findings"' cat "$work/check"
allows "a sync daemon" eval 'ip link add sync0 type dummy; ip address add 10.99.0.1/24 dev sync0
    ip link set sync0 up; "$ipvsadm" --start-daemon master --mcast-interface sync0 --syncid 9 &&
    "$ipvsadm" --stop-daemon master'
allows "draining" "$ipvsadm" -d -t 10.0.0.1:80 -r 10.0.0.2:80 --drain 5
allows "a host" eval '"$ipvsadm" -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m; "$ipvsadm" -e --all -r 10.0.0.2 --keep -w 2'
allows "ipvstop" eval 'ipvstop -b -d 0.1 -n 2 && ipvstop --hosts -b -n 1 -d 0.1'
allows "ipvstop on a terminal" eval 'script -qec "stty rows 24 cols 80; timeout --foreground 2 ipvstop" /dev/null </dev/null | grep -q Conn/s'

echo "== names"
echo '10.0.0.9 web.example' >>/etc/hosts
allows "of a host and of a port" "$ipvsadm" -A -t web.example:http -s rr
allows "in listings" says web.example "$ipvsadm" -L
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
allows "from a name server that is not there" refuses "$ipvsadm" -A -t nosuch.example:80
allows "as a user of another group" setpriv --reuid games --clear-groups --inh-caps=-all "$ipvsadm" -v

echo "== rules from anywhere, and to anywhere"
"$ipvsadm" -Sn >"$work/rules"
for folder in /root /home /srv /tmp /etc /var/tmp /run /mnt /opt; do
    allows "to $folder" eval 'ipvsadm-save -n >'$folder/rules' && cmp '$folder'/rules "$work/rules"'
    allows "from $folder" eval 'ipvsadm-restore <'$folder'/rules && ipvsadm-restore --replace <'$folder'/rules'
done
chown games /home/rules
chmod 600 /home/rules
allows "another user's" eval 'ipvsadm-restore </home/rules && ipvsadm-save -n >/home/rules'
allows "appended" eval '"$ipvsadm" -Sn >>/srv/rules'
allows "through a pipe" eval 'ipvsadm-save -n | cat | ipvsadm-restore'
allows "through a named one" eval 'mkfifo /srv/pipe; ipvsadm-save -n >/srv/pipe & "$ipvsadm" -R --replace --dry-run </srv/pipe'
allows "through a socket" python3 -c '
import socket, subprocess, sys
ours, theirs = socket.socketpair()
subprocess.run(["ipvsadm-save", "-n"], stdout=theirs, check=True)
theirs.close()
rules = ours.makefile().read()
assert rules == open(sys.argv[1]).read(), rules' "$work/rules"
allows "a file without a name" python3 -c '
import subprocess, tempfile
with tempfile.TemporaryFile() as file:
    subprocess.run(["ipvsadm-save", "-n"], stdout=file, check=True)
    file.seek(0)
    subprocess.run(["ipvsadm-restore"], stdin=file, check=True)'
allows "the service's script" eval 'printf "AUTO=true\n" >/etc/default/ipvsadm; printf "%s" "$saved" >/etc/ipvsadm.rules
    for verb in start save reload checkconfig stop load; do /usr/libexec/$name/ipvsadm-service $verb || return; done'

echo "== network namespaces"
ip netns add blue
allows "by name" eval '"$ipvsadm" --netns blue -A -t 10.0.7.1:80 -s rr && "$ipvsadm" --netns blue -Ln | grep -q 10.0.7.1'
ip netns exec blue sleep 600 &
# shellcheck disable=SC2034 # a check has it
sleeper=$!
sleep 0.5
allows "of another process" eval '"$ipvsadm" --netns /proc/$sleeper/ns/net -Ln | grep -q 10.0.7.1'
allows "its rules to and from a file" eval 'ipvsadm-save -n --netns blue >/srv/blue && ipvsadm-restore --netns blue </srv/blue'
allows "by ip netns exec, from and to files out here" eval '
    ip netns exec blue "$ipvsadm" -Sn >/srv/blue.2 && cmp /srv/blue /srv/blue.2 &&
    ip netns exec blue ipvsadm-restore </srv/blue.2'
allows "ipvstop" says 10.0.7.1 ipvstop -b -n 1 -d 0.1 -N blue

echo "== the service, under systemd, which lets it gain no privileges"
rules=/etc/ipvsadm.rules settings=/etc/default/ipvsadm
[ "$name" = ipvsadm ] || { rules=/etc/$name.rules settings=/etc/default/$name; }
printf '%s' "$saved" >"$rules"
set_up true none
printf 'SAVE=true\n' >>"$settings"
ip netns delete blue
kill %%
check "a root file system for systemd" make_root
check "systemd is up" boot
check "the service is there" inside systemctl enable "$name"
inside systemctl stop "$name"
allows "no module is loaded" without_modules
allows "start" inside systemctl start "$name"
check "loads modules and rules" table_is "$saved"
check "confined" says "^$name (enforce)" inside sh -c "'$ipvsadm' -S --watch >/dev/null & sleep 1; cat /proc/\$!/attr/current; kill \$!"
for verb in reload restart stop start; do
    allows "$verb" inside systemctl $verb "$name"
done
check "the rules are loaded" table_is "$saved"
allows "metrics" inside sh -c "useradd --system prometheus; install -d -o prometheus /var/lib/prometheus/node-exporter
    systemctl start $name-metrics && grep -q 10.0.0.1 /var/lib/prometheus/node-exporter/ipvs.prom"
check "systemd ends" shut_down

echo "== everything else"
for file in /etc/shadow /root/.profile /dev/vda; do
    "$ipvsadm" --netns $file -Ln >/dev/null 2>"$work/said"
    check "$file is not opened" says 'Permission denied' cat "$work/said"
done
check "which is logged" says 'name="/etc/shadow"' denied
sed -i 's|bin/kmod mrix|bin/kmod r|' "$profile"
apparmor_parser -r "$profile"
without_modules
"$ipvsadm" -Ln >/dev/null 2>&1
check "nor is a program run that the profile does not have" says 'operation="exec"' denied

finish
