#!/bin/busybox sh
# cgroup v2 as it is: runs inside the guest, prints `ok NAME` or `not ok NAME: why` for each test.

CGROUP=/sys/fs/cgroup

fail() {
    echo "$*"
    exit 1
}

test_the_kernel_has_what_we_use() {
    mkdir $CGROUP/files
    for name in cgroup.freeze cgroup.kill memory.events memory.high memory.oom.group memory.peak memory.reclaim \
        memory.pressure; do
        [ -e $CGROUP/files/$name ] || fail "$name is missing"
    done
}

for test in $(sed -n 's/^\(test_[a-z0-9_]*\)() {$/\1/p' "$0"); do
    folder=/tmp/$test
    mkdir "$folder"
    if why=$(cd "$folder" && "$test" 2>&1); then
        echo "ok ${test#test_}"
    else
        echo "not ok ${test#test_}: $(echo "$why" | tail -n 20 | tr '\n' '|')"
    fi
done
echo "the guest is done"
