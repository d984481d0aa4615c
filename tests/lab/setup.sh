# shellcheck shell=bash
# Gets what the lab needs, once: host packages, kernels, the guest's root.
# Everything is made beside its place in the cache and moved there when whole.
# lab sets lab_dir, cache and kernel.
# shellcheck disable=SC2154

# The oldest Debian whose C library is not older than this host's: programs that
# were built here run there.
choose_guest() {
    local libc
    libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || libc='glibc 2.36'
    libc=${libc#* }
    case $(printf '%s\n' "$libc" 2.36 2.41 | sort -V | grep -nxm 1 "$libc") in
        1:* | 1) guest_suite=bookworm ;;
        2:*) guest_suite=trixie ;;
        *) guest_suite=sid ;;
    esac
}

# What the initramfs loads to reach the root file system.
boot_modules=(virtio_pci virtio_blk squashfs overlay 9p 9pnet_virtio virtio_console)

# The part of the kernel's modules that a machine without hardware can use.
guest_modules=(arch crypto fs lib net drivers/block drivers/char drivers/net/bonding
    drivers/net/ipvlan drivers/net/vxlan drivers/virtio)

# Program and the package that brings it.
host_programs=(
    qemu-system-x86_64:qemu-system-x86
    mmdebstrap:mmdebstrap
    mksquashfs:squashfs-tools
    busybox:busybox-static
    modprobe:kmod
    cpio:cpio
    flock:util-linux
    rpmbuild:rpm
    dh:debhelper
    dh_apparmor:dh-apparmor
    xz:xz-utils
    shellcheck:shellcheck
    zstd:zstd
)

# Everything for $kernel. Quick when nothing is missing.
setup() {
    choose_guest
    kernel_dir=$cache/kernel-$(kernel_recipe | hash)/$kernel
    root_image=$cache/root-$(root_recipe | hash).squashfs
    initramfs=$kernel_dir/initramfs-$(hash <"$lab_dir/init")
    accel_file=$cache/accel
    is_complete && return
    mkdir -p "$cache"
    with_lock make_missing
}

hash() {
    sha256sum | cut -c1-12
}

is_complete() {
    have_host_programs && [ -e "$kernel_dir/vmlinux" ] && [ -e "$root_image" ] &&
        [ -e "$initramfs" ] && [ -e "$accel_file" ]
}

with_lock() {
    local lock
    exec {lock}>"$cache/lock"
    if ! flock -n "$lock"; then
        note "waiting for another setup"
        flock "$lock"
    fi
    work=$(mktemp -d "$cache/tmp.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    "$@" >&2
    rm -rf "$work"
    trap - EXIT
    exec {lock}>&-
}

make_missing() {
    find "$cache" -maxdepth 1 -name 'tmp.*' ! -path "$work" -exec rm -rf {} +
    have_host_programs || install_host_programs
    [ -e "$kernel_dir/vmlinux" ] || make_kernel
    [ -e "$initramfs" ] || make_initramfs
    [ -e "$root_image" ] || make_root
    [ -e "$accel_file" ] || choose_accelerator
}

# --- the host ---------------------------------------------------------------

have_host_programs() {
    local entry
    for entry in "${host_programs[@]}"; do
        find_program "${entry%%:*}" >/dev/null || return
    done
}

# Users often have no sbin in their PATH.
find_program() {
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1"
}

install_host_programs() {
    local entry missing=()
    for entry in "${host_programs[@]}"; do
        find_program "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
    done
    note "installing ${missing[*]}"
    as_root true || die "these packages are missing, and this user cannot install them: ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
        --no-install-recommends "${missing[@]}" >"$work/apt.log" 2>&1 ||
        update_and_install "${missing[@]}"
}

update_and_install() {
    as_root apt-get update -qq >"$work/apt.log" 2>&1 &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
            --no-install-recommends "$@" >>"$work/apt.log" 2>&1 && return
    tail -n 20 "$work/apt.log"
    die "apt-get could not install $*"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n -- "$@"
    fi
}

# --- the Debian archive -----------------------------------------------------

# The mirror that this host's apt uses for Debian itself.
debian_mirror() {
    local mirror=${IPVSADM_LAB_MIRROR:-}
    [ -n "$mirror" ] || mirror=$(apt-get indextargets --format "\$(REPO_URI) \$(RELEASE)" \
        'Created-By: Packages' 'Origin: Debian' 'Component: main' |
        awk '$2 !~ /-/ { print $1; exit }')
    [ -n "$mirror" ] ||
        die "apt knows no Debian mirror on this host (run apt-get update, or set IPVSADM_LAB_MIRROR)"
    printf '%s' "${mirror%/}"
}

# A private apt for one suite, so that the host's own lists stay as they are.
make_apt() {
    local suite=$1 dir=$work/apt-$1 keyring mirror
    keyring=$(debian_keyring) && mirror=$(debian_mirror) || exit
    mkdir -p "$dir/lists/partial" "$dir/archives/partial"
    touch "$dir/status"
    printf 'deb [signed-by=%s] %s %s main\n' \
        "$keyring" "$mirror" "$suite" >"$dir/sources.list"
    cat >"$dir/apt.conf" <<EOF
Dir::Etc::SourceList "$dir/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "$dir";
Dir::State::Status "$dir/status";
Dir::Cache "$dir";
APT::Architecture "amd64";
APT::Sandbox::User "";
Acquire::Languages "none";
APT::Update::Error-Mode "any";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
EOF
    export APT_CONFIG=$dir/apt.conf
    apt-get update -qq >"$work/apt.log" 2>&1 && return
    cat "$work/apt.log"
    die "cannot read the package list of Debian $suite"
}

debian_keyring() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -e "$keyring" ] || die "$keyring is missing (package debian-archive-keyring)"
    printf '%s' "$keyring"
}

# --- the kernel -------------------------------------------------------------

make_kernel() {
    local tree=$work/kernel-tree out=$work/kernel version
    note "fetching the kernel of Debian $kernel"
    (make_apt "$kernel" && download_kernel "$tree")
    version=$(kernel_version "$tree")
    mkdir -p "$out" "${kernel_dir%/*}"
    printf '%s\n' "$version" >"$out/version"
    extract_vmlinux "$(find "$tree" -name 'vmlinuz*' | head -n 1)" "$out/vmlinux"
    select_modules "$tree" "$version" "$out/modules"
    pack_squashfs "$out/modules" "$out/modules.squashfs"
    rm -rf "$kernel_dir"
    mv "$out" "$kernel_dir"
}

# What a kernel's place in the cache depends on: change it with what is made.
kernel_recipe() {
    printf '%s\n' 'two indexes' "${guest_modules[@]}"
}

# The packages of the kernel that linux-image-amd64 depends on. Newer suites
# split them, with dependencies of one and the same version.
download_kernel() {
    local packages deb
    mapfile -t packages < <(kernel_packages linux-image-amd64 | sort -u)
    [ ${#packages[@]} -gt 0 ] || die "Debian $kernel has no kernel package"
    mkdir "$work/debs"
    (cd "$work/debs" && apt-get download -qq "${packages[@]}") || die "download failed: ${packages[*]}"
    for deb in "$work"/debs/*.deb; do
        dpkg -x "$deb" "$1"
    done
}

kernel_packages() {
    local package
    apt-cache show --no-all-versions "$1" | sed -n 's/^Depends: //p' | tr ',' '\n' |
        sed -En 's/^ *(linux-(image|base|binary|modules)-[0-9][^ ]*).*/\1/p' |
        while read -r package; do
            printf '%s\n' "$package"
            kernel_packages "$package"
        done
}

kernel_version() {
    basename "$(find "$1" -path '*/modules/*/kernel' -prune -printf '%h\n' | head -n 1)"
}

# A guest without KVM takes seconds to decompress its kernel: boot it
# decompressed. The offsets are those of the Linux x86 boot protocol.
extract_vmlinux() {
    local image=$1 out=$2 setup_sectors offset length
    setup_sectors=$(read_le "$image" 0x1f1 1)
    offset=$(((setup_sectors + 1) * 512 + $(read_le "$image" 0x248 4)))
    length=$(($(read_le "$image" 0x24c 4) - 4))
    tail -c "+$((offset + 1))" "$image" | head -c "$length" >"$work/payload" || true
    { xz -dcq --single-stream "$work/payload" || zstd -dcq "$work/payload"; } >"$out" 2>/dev/null ||
        cp "$image" "$out"
}

read_le() {
    od -An -j "$(($2))" -N "$3" -t "u$3" "$1" | tr -d ' '
}

# Makes usr/lib/modules/VERSION in $3, decompressed, with its index.
select_modules() {
    local tree=$1 version=$2 out=$3 from to dir
    from=$(find "$tree" -type d -path "*/modules/$version")
    to=$out/usr/lib/modules/$version
    mkdir -p "$to/kernel/drivers/net"
    cp "$from"/modules.* "$to/"
    for dir in "${guest_modules[@]}"; do
        [ ! -d "$from/kernel/$dir" ] || cp -al "$from/kernel/$dir" "$to/kernel/$(dirname "$dir")/"
    done
    find "$from/kernel/drivers/net" -maxdepth 1 -type f -exec cp -l -t "$to/kernel/drivers/net" {} +
    find "$to" -name '*.ko.xz' -exec xz -d --force {} +
    find "$to" -name '*.ko.zst' -exec zstd -dq --rm {} +
    index_modules "$out/usr" "$version"
}

# One index as it is, and one as if there were no IPVS.
index_modules() {
    local usr=$1 version=$2 modules=$1/lib/modules/$2 ipvs=kernel/net/netfilter/ipvs
    mv "$modules/$ipvs" "$work/ipvs"
    "$(find_program depmod)" -b "$usr" "$version"
    mkdir "$modules/index-no-ipvs"
    cp "$modules"/modules.* "$modules/index-no-ipvs/"
    mv "$work/ipvs" "$modules/$ipvs"
    "$(find_program depmod)" -b "$usr" "$version"
}

pack_squashfs() {
    "$(find_program mksquashfs)" "$1" "$2" -all-root "${squashfs_options[@]}" >/dev/null
}

# The host caches the file; decompression would only cost the guest.
squashfs_options=(-noI -noD -noF -noX -no-progress -quiet)

make_initramfs() {
    local dir=$work/initramfs version number=10 module
    version=$(<"$kernel_dir/version")
    mkdir -p "$dir"/{bin,dev,proc,modules,lower/root,lower/modules,upper,root}
    cp "$(find_program busybox)" "$dir/bin/busybox"
    cp "$lab_dir/init" "$dir/init"
    chmod 755 "$dir/init"
    while read -r module; do
        cp "$module" "$dir/modules/$number-$(basename "$module")"
        number=$((number + 1))
    done < <(modules_in_order "$version")
    (cd "$dir" && find . | cpio -o -H newc -R 0:0 --quiet) >"$work/initramfs.cpio"
    mv "$work/initramfs.cpio" "$initramfs"
}

modules_in_order() {
    "$(find_program modprobe)" -d "$kernel_dir/modules/usr" -S "$1" -a --show-depends "${boot_modules[@]}" |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# --- the root file system ---------------------------------------------------

guest_packages() {
    sed 's/#.*//' "$lab_dir/packages" | xargs | tr ' ' ','
}

root_recipe() {
    guest_packages
    printf '%s\n' "$guest_suite" "${squashfs_options[@]}"
}

make_root() {
    note "building the guest's root file system (Debian $guest_suite, takes a minute or two)"
    (
        build_root_tar "deb [signed-by=$(debian_keyring)] $(debian_mirror) $guest_suite main"
    ) || die "mmdebstrap failed, see above (it needs root, sudo without a password, or the package uidmap)"
    "$(find_program mksquashfs)" - "$work/root.squashfs" -tar "${squashfs_options[@]}" \
        <"$work/root.tar" >/dev/null 2>&1 || die "mksquashfs failed"
    mv "$work/root.squashfs" "$root_image"
}

build_root_tar() {
    local valid mmdebstrap
    # A mirror that stands still, as of a snapshot, has lists past their time;
    # where this host takes those, the guest does.
    valid=$(apt-config dump --format '%v' Acquire::Check-Valid-Until)
    mmdebstrap=(mmdebstrap --quiet --variant=minbase --architectures=amd64
        "--include=$(guest_packages)" --aptopt='Acquire::Languages "none"'
        "--aptopt=Acquire::Check-Valid-Until \"${valid:-true}\""
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io
        "$guest_suite" - "$1")
    if as_root true 2>/dev/null; then
        as_root "${mmdebstrap[@]}" >"$work/root.tar"
    else
        "${mmdebstrap[@]}" >"$work/root.tar"
    fi
}

# --- the accelerator --------------------------------------------------------

# KVM only where it is proved to start a guest: /dev/kvm alone proves nothing.
choose_accelerator() {
    local accel=tcg
    if grep -qE '\<(vmx|svm)\>' /proc/cpuinfo && [ -w /dev/kvm ] && kvm_boots; then
        accel=kvm
    fi
    printf '%s\n' "$accel" >"$accel_file"
}

kvm_boots() {
    echo kvm >"$accel_file"
    timeout 60 "$lab_dir/lab" run --kernel "$kernel" true >/dev/null 2>&1 </dev/null
}
