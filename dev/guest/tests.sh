#!/bin/busybox sh
# cgroup v2 as it is: runs inside the guest, prints `ok NAME` or `not ok NAME: why` for each test.
# Each test has a folder of its own to work in, and boxes: cgroups as a container runtime makes them.

CGROUP=/sys/fs/cgroup
# What a container runtime does to the cgroups of an unprivileged container.
READ_ONLY="mount -o bind $CGROUP $CGROUP && mount -o remount,bind,ro $CGROUP"

fail() {
    echo "$*"
    cat said 2>/dev/null
    grep -oE '"(outcome|cause|kernel_kills|freezes|peak_bytes|jobs|kind)": *[^,}]*' report.json 2>/dev/null
    exit 1
}

# is WHAT EXPECTED ACTUAL
is() {
    [ "$2" = "$3" ] || fail "$1 is '$3', not '$2'"
}

# one_of WHAT ACTUAL EXPECTED...
one_of() {
    local what=$1 actual=$2
    shift 2
    case " $* " in
        *" $actual "*) ;;
        *) fail "$what is '$actual', not one of: $*" ;;
    esac
}

# at_least WHAT LEAST ACTUAL
at_least() {
    [ "$3" -ge "$2" ] 2>/dev/null || fail "$1 is '$3', not $2 or more"
}

# says WORDS: plimsoll's own lines hold them.
says() {
    grep -q "$1" said || fail "it does not say '$1':"
}

# box NAME LIMIT_MIB [GROUP]: a container's cgroup; with GROUP=1 the kernel kills all of it or nothing, as a
# kubelet sets it.
box() {
    mkdir "$CGROUP/$1"
    echo $(($2 << 20)) >"$CGROUP/$1/memory.max"
    echo "${3:-0}" >"$CGROUP/$1/memory.oom.group"
}

# run_in BOX FLAGS -- COMMAND: plimsoll as the box's only process, with a store and a report in the test's folder;
# `.` is the machine's own cgroup. $prepare is done before, seen by it alone; $as is put before the command.
run_in() {
    local box=$1
    shift
    timeout 60 unshare -m sh -c '
        echo 0 >"$0/cgroup.procs"
        eval "$prepare"
        exec $as plimsoll run --store store --report report.json "$@"' "$CGROUP/$box" "$@" >output 2>said
}

# field NAME: the first such field of the report.
field() {
    grep -o "\"$1\": *[^,}]*" report.json | head -n 1 | sed 's/^[^:]*: *//; s/"//g'
}

# event BOX NAME: a counter of the box itself, without those below it.
event() {
    sed -n "s/^$2 //p" "$CGROUP/$1/memory.events.local"
}

test_the_kernel_has_what_we_use() {
    mkdir $CGROUP/files
    for name in cgroup.freeze cgroup.kill memory.events memory.events.local memory.high memory.oom.group memory.peak \
        memory.pressure memory.reclaim; do
        [ -e $CGROUP/files/$name ] || fail "$name is missing"
    done
}

test_a_kernel_kill_is_counted_in_the_build_s_own_cgroup() {
    box kill 256
    run_in kill --limit 96MiB -- eater 200
    one_of "the exit code" $? 86 87
    is outcome out_of_memory "$(field outcome)"
    is kind cgroup "$(field kind)"
    at_least kernel_kills 1 "$(field kernel_kills)"
    is "kills in the box itself" 0 "$(event kill oom_kill)"
}

test_a_hidden_kernel_kill_is_seen() {
    box hidden 256
    run_in hidden --limit 96MiB -- sh -c 'eater 200; true'
    is "the exit code" 0 $?
    at_least kernel_kills 1 "$(field kernel_kills)"
}

test_a_group_kill_takes_the_build_and_leaves_us() {
    box group 128 1
    run_in group -- eater 300
    one_of "the exit code" $? 86 87
    is outcome out_of_memory "$(field outcome)"
    is "kills in the box itself" 0 "$(event group oom_kill)"
}

test_after_a_group_kill_of_all_the_retry_starts_below() {
    box whole 128 1
    # A neighbour in the container takes the last of its memory, and the kernel takes all of the container.
    export prepare="$READ_ONLY"
    command='[ -e again ] || eater 40 0 30000'
    run_in whole -- sh -c "$command" &
    sleep 3
    sh -c 'echo 0 >"$0/cgroup.procs"; exec eater 300' $CGROUP/whole
    wait $!
    is "the exit code" 137 $?
    at_least "kills of the whole box" 1 "$(sed -n 's/^oom_group_kill //p' $CGROUP/whole/memory.events.local)"
    mkdir $CGROUP/whole_again
    echo $((128 << 20)) >$CGROUP/whole_again/memory.max
    touch again
    run_in whole_again -- sh -c "$command"
    is "the exit code of the retry" 0 $?
    says 'did not come back'
}

test_a_limit_in_a_parent_binds() {
    box parent 300
    echo +memory >$CGROUP/parent/cgroup.subtree_control
    box parent/inner 500
    sh -c 'echo 0 >"$0/cgroup.procs"; exec plimsoll budget -o json' $CGROUP/parent/inner >report.json 2>said
    is "the exit code" 0 $?
    at_least "300 MiB less the budget" 0 $(((300 << 20) - $(field bytes)))
    grep -q '"binding".*parent' report.json || fail "binding is $(field binding)"
}

test_a_cgroup_mounted_read_only_is_no_obstacle() {
    box read_only 200
    export prepare="$READ_ONLY"
    run_in read_only -- sh -c 'eater 60 300 2000; exit 7'
    is "the exit code" 7 $?
    is kind processes "$(field kind)"
    at_least "200 MiB less the budget" 0 $(((200 << 20) - $(field bytes)))
    at_least peak_bytes $((50 << 20)) "$(field peak_bytes)"
    says 'no cgroup for the build'
}

test_nothing_mounted_is_no_obstacle() {
    box nothing 200
    export prepare="umount $CGROUP"
    run_in nothing -- sh -c 'exit 7'
    is "the exit code" 7 $?
    is kind processes "$(field kind)"
    says 'no cgroup for the build'
}

test_the_first_process_of_a_container_reaps_and_ends_as_the_build() {
    box first 200
    export as='unshare -p -f --mount-proc'
    run_in first -- sh -c 'for i in 1 2 3; do (sleep 0.1 &); done; sleep 1; grep -l "^State:.Z" /proc/[0-9]*/status; exit 7'
    is "the exit code" 7 $?
    is "the list of zombies" '' "$(cat output)"
}

test_a_plain_user_comes_through() {
    box plain 200
    chmod 777 .
    export as='su -s /bin/env -- builder'
    run_in plain -- sh -c 'id -u; exit 7'
    is "the exit code" 7 $?
    is "the user" 1000 "$(cat output)"
    at_least "200 MiB less the budget" 0 $(((200 << 20) - $(field bytes)))
}

test_parallel_steps_that_do_not_fit_wait_for_each_other() {
    run_in . --limit 320MiB -- sh -c 'for i in 1 2 3 4 5 6 7 8; do eater 90 400 100 || touch died & done; wait; [ ! -e died ]'
    is "the exit code" 0 $?
    is kernel_kills 0 "$(field kernel_kills)"
    at_least freezes 1 "$(field freezes)"
}

# metric NAME [LABELS]: the value of a series of the agent's whose labels have that in them, without what follows the point.
metric() {
    wget -qO- http://127.0.0.1:9677/metrics | sed -n "s/^$1{[^}]*$2[^}]*} \([0-9]*\).*/\1/p" | head -n 1
}

test_the_agent_sees_a_container_under_pressure_and_its_kill_when_it_is_gone() {
    # As a kubelet and a runtime with the cgroupfs driver make them.
    pod=$CGROUP/kubepods/burstable/pod12345678-1234-1234-1234-123456789abc
    container=$pod/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    for group in $CGROUP/kubepods $CGROUP/kubepods/burstable $pod; do
        mkdir $group
        echo +memory >$group/cgroup.subtree_control
    done
    mkdir $container
    echo $((96 << 20)) >$container/memory.max
    echo 1 >$container/memory.oom.group
    ip link set lo up
    timeout 60 plimsoll agent --interval 1s --state agent.json >said 2>&1 &
    agent=$!
    sh -c 'echo 0 >"$0/cgroup.procs"; exec eater 60 300 20000' $container &
    sleep 4
    here='0123456789abcdef'
    at_least nonreclaimable_bytes $((55 << 20)) "$(metric plimsoll_container_memory_nonreclaimable_bytes $here)"
    is limit_bytes $((96 << 20)) "$(metric plimsoll_container_memory_limit_bytes $here)"
    at_least peak_bytes $((55 << 20)) "$(metric plimsoll_container_memory_peak_bytes $here)"
    at_least "stalled seconds" 0 "$(metric plimsoll_container_memory_pressure_stalled_seconds_total $here)"
    is "blind to psi" 0 "$(metric plimsoll_agent_blind 'what="psi"')"
    # Whoever fills it is killed, the container with it, and what counted that is gone before anybody looks again.
    sh -c 'echo 0 >"$0/cgroup.procs"; exec eater 300' $container
    while ! rmdir $container 2>/dev/null; do :; done
    sleep 3
    at_least oom_kills_total 1 "$(metric plimsoll_oom_kills_total)"
    kill $agent
    wait $agent
    is "the agent's exit code" 0 $?
    grep -q '"' agent.json || fail "no state was kept"
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
