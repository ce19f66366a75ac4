#!/bin/bash
# dev/guest/run.sh: the static binary under a real cgroup v2, in a QEMU guest made of Debian's cloud kernel and a
# busybox. Needs no root and no KVM: it boots in 3 s under emulation.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Boot and tests took 19 to 45 s on 2 cores; a guest that hangs must not hang the CI job.
TIMEOUT_S=300
here=dev/guest
work=$here/work
release=target/x86_64-unknown-linux-musl/release

if ! command -v qemu-system-x86_64 >/dev/null; then
    printf 'skipped: no qemu-system-x86_64 here, so nothing was tested under a real cgroup v2\n'
    exit 0
fi

kernel_package() {
    apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p'
}

# Unpacked, not installed: only the image itself is wanted, and no root is needed.
fetch_kernel() {
    rm -rf "$work/deb"
    mkdir -p "$work/deb"
    (cd "$work/deb" && apt-get download -qq -o APT::Sandbox::User=root "$(kernel_package)")
    dpkg-deb --fsys-tarfile "$work"/deb/*.deb | tar -x -C "$work/deb" --wildcards './boot/vmlinuz-*'
    mv "$work"/deb/boot/vmlinuz-* "$work/vmlinuz"
    rm -r "$work/deb"
}

make_initramfs() {
    local root=$work/root
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp}
    cp "$(command -v busybox)" "$root/bin/busybox"
    cp "$release/plimsoll" "$release/examples/eater" "$root/bin/"
    cp $here/init $here/tests.sh "$root/"
    printf 'root:x:0:0::/:/bin/sh\nbuilder:x:1000:1000::/tmp:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nbuilder:x:1000:\n' >"$root/etc/group"
    (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$work/initramfs"
}

mkdir -p "$work"
[ -e "$work/vmlinuz" ] || fetch_kernel
make_initramfs

timeout --foreground "$TIMEOUT_S" qemu-system-x86_64 \
    -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 \
    -kernel "$work/vmlinuz" -initrd "$work/initramfs" -append 'console=ttyS0 quiet panic=-1' \
    -nographic -monitor none -nic none -no-reboot </dev/null | tr -d '\r' >"$work/console" || true

grep -E '^(ok|not ok) ' "$work/console" || true
passed=$(grep -c '^ok ' "$work/console" || true)
failed=$(grep -c '^not ok ' "$work/console" || true)
printf '%d passed, %d failed\n' "$passed" "$failed"
if ! grep -q '^the guest is done' "$work/console"; then
    printf 'the guest did not come to its end within %d s; its last lines:\n' "$TIMEOUT_S"
    tail -n 30 "$work/console"
    exit 1
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
