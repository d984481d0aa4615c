# shellcheck shell=bash
# Runs the machine. Host and guest share a run directory: it brings the command
# in, and its output and exit status out (see guest). This file reads what
# parse_options (lab) and setup (setup.sh) have set.
# shellcheck disable=SC2154

# Kernel parameters. With randomised addresses QEMU cannot use its translations
# of a program again, and an exec takes four times as long. The others halve the
# time of a boot: no self-tests, no security modules, nothing verified or
# traced that no test looks at.
# shellcheck disable=SC2054 # the commas are the kernel's
quick=(norandmaps nokaslr mitigations=off cryptomgr.notests lsm= audit=0 rodata=off
    init_on_alloc=0 rcupdate.rcu_expedited=1 tsc=reliable no_timer_check
    random.trust_cpu=on
    initcall_blacklist=load_system_certificate_list,init_kprobe_trace)

run_command() {
    local status=0
    make_run_dir
    choose_shares
    write_command "${command[@]}"
    build_qemu -serial "file:$run_dir/console"
    connect_stdin
    write_settings
    timeout=${timeout:-${IPVSADM_LAB_TIMEOUT:-1800}}
    timeout --foreground -k 5 "$timeout" "${qemu[@]}" <&"$stdin" >"$run_dir/qemu" 2>&1 &
    qemu_pid=$!
    follow "$run_dir/stdout" &
    follow "$run_dir/stderr" >&2 &
    wait "$qemu_pid" || status=$?
    [ -z "$stdin_pid" ] || kill "$stdin_pid" 2>/dev/null || true
    wait
    finish "$status"
}

run_shell() {
    [ -t 0 ] || die "shell needs a terminal"
    make_run_dir
    choose_shares
    write_command bash -il
    build_qemu -serial "file:$run_dir/console" -device virtio-serial-pci \
        -chardev "stdio,id=tty,signal=off" -device "virtconsole,chardev=tty"
    guest_tty=/dev/hvc0
    write_settings
    timeout --foreground -k 5 "${timeout:-0}" "${qemu[@]}" || true
    finish 0
}

make_run_dir() {
    run_dir=$(mktemp -d "${TMPDIR:-/tmp}/ipvsadm-lab.XXXXXX")
    stdin_pid='' qemu_pid='' guest_tty='' guest_stdin=no
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    touch "$run_dir"/{stdout,stderr,console,qemu,shares}
    cp "$lab_dir/guest" "$run_dir/guest"
}

clean_up() {
    local pid
    for pid in $stdin_pid $qemu_pid; do
        kill "$pid" 2>/dev/null || true
    done
    rm -rf "$run_dir"
}

# --- what the guest sees ----------------------------------------------------

choose_shares() {
    local top dir
    top=$(git rev-parse --show-toplevel 2>/dev/null) || top=$PWD
    for dir in "$top" "${CARGO_TARGET_DIR:-}" "${shares[@]}"; do
        [ -z "$dir" ] || share ro "$(realpath -m "$dir")"
    done
    if [ -e "$top/Cargo.toml" ]; then
        mkdir -p "$top/target/lab-out"
        share rw "$top/target/lab-out"
    fi
}

# Adds a directory that exists and is not inside one that is shared already.
share() {
    local mode=$1 dir=$2 tag
    [ -d "$dir" ] && [ "$dir" != / ] || return 0
    if [ "$mode" = ro ] && is_shared "$dir"; then
        return
    fi
    tag=share$(wc -l <"$run_dir/shares")
    printf '%s %s %s\n' "$tag" "$mode" "$dir" >>"$run_dir/shares"
}

is_shared() {
    local dir
    while read -r _ _ dir; do
        [[ $1/ != "$dir"/* ]] || return 0
    done <"$run_dir/shares"
    return 1
}

# A script that is the caller's command in the caller's place.
write_command() {
    local name
    {
        printf 'cd -- %q\n' "$PWD"
        for name in $(compgen -e); do
            case $name in
                LANG | TERM | NO_COLOR | IPVSADM* | LAB_* | LC_* | CARGO* | RUST*)
                    printf 'export %s=%q\n' "$name" "${!name}" ;;
            esac
        done
        printf 'export IPVSADM_LAB=1\n'
        [ ! -t 0 ] || printf 'stty %s 2>/dev/null\n' "$(stty size | sed 's/\(.*\) /rows \1 cols /')"
        printf 'exec'
        printf ' %q' "$@"
        printf '\n'
    } >"$run_dir/command"
}

write_settings() {
    printf 'lab_%s=%s\n' ipvs "$ipvs" tty "$guest_tty" stdin "$guest_stdin" \
        stall "$stall" >"$run_dir/settings"
}

# --- the machine ------------------------------------------------------------

build_qemu() {
    local disk parameters=" ${quick[*]} "
    [ "$apparmor" = no ] || parameters=${parameters/ lsm= audit=0 / lsm=apparmor apparmor=1 }
    qemu=(qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot
        -machine q35 -smp "$cpus" -m "$memory"
        -kernel "$kernel_dir/vmlinux" -initrd "$initramfs"
        -append "console=ttyS0 quiet loglevel=4 panic=-1 reboot=t$parameters")
    case $(<"$accel_file") in
        kvm) qemu+=(-accel kvm -cpu host) ;;
        *) qemu+=(-accel "tcg,thread=multi" -cpu max) ;;
    esac
    [ -z "$plugin" ] || qemu+=(-plugin "$(realpath "${plugin%%,*}")${plugin#"${plugin%%,*}"}")
    add_disk "$root_image" on
    add_disk "$kernel_dir/modules.squashfs" on
    for disk in "${disks[@]}"; do
        add_disk "$disk" off
    done
    add_shares
    qemu+=("$@")
}

add_disk() {
    local id=disk${#qemu[@]}
    qemu+=(-drive "if=none,id=$id,file=${1//,/,,},format=raw,readonly=$2"
        -device "virtio-blk-pci,drive=$id")
}

add_shares() {
    local tag mode dir
    add_share run rw "$run_dir"
    while read -r tag mode dir; do
        add_share "$tag" "$mode" "$dir"
    done <"$run_dir/shares"
}

# A comma in a value of QEMU's is written twice.
add_share() {
    local options=id=$1,security_model=none,multidevs=remap
    [ "$2" = rw ] || options+=,readonly=on
    qemu+=(-fsdev "local,path=${3//,/,,},$options" -device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}

# Through a copy of our own, because QEMU makes what it reads non-blocking. A
# terminal stays with the caller.
connect_stdin() {
    if [ -t 0 ] || [ /dev/stdin -ef /dev/null ] || ! [ -e /dev/stdin ]; then
        exec {stdin}</dev/null
        return
    fi
    local caller
    exec {caller}<&0 {stdin}< <(exec cat <&"$caller")
    stdin_pid=$!
    guest_stdin=yes
    qemu+=(-device virtio-serial-pci -chardev "stdio,id=stdin,signal=off"
        -device "virtserialport,nr=1,chardev=stdin")
}

follow() {
    exec tail -c +1 -s 0.1 -f --pid="$qemu_pid" "$1" 2>/dev/null
}

finish() {
    local status=$1
    if [ -s "$run_dir/status" ]; then
        exit "$(<"$run_dir/status")"
    fi
    case $status in
        124 | 137) note "the machine was stopped after $timeout seconds" ;;
        *) note "the machine died" ;;
    esac
    note "its console ends like this:"
    cat "$run_dir/qemu" "$run_dir/console" | console_end | sed 's/^/    /' >&2
    exit 125
}

# The last lines, or all from where the kernel says that it is lost.
console_end() {
    awk '/Kernel panic|BUG:|Oops/ && !panic { panic = NR }
        { line[NR] = $0 }
        END { for (i = panic && panic < NR - 20 ? panic : NR - 19; i <= NR && i < panic + 40 || i <= NR && !panic; i++)
            if (i in line) print line[i] }'
}
