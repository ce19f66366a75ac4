//! Kernel files that hold anything at all: nothing panics, and what cannot be read is never a number.

use plimsoll_core::budget::Budget;
use plimsoll_probe::cgroup::{Group, Layout, MemoryStat, Version, members};
use plimsoll_probe::psi::Pressure;
use plimsoll_probe::{gauge, host};
use proptest::prelude::*;
use std::path::Path;

const PID: u32 = 77;

/// The files of both layouts, as real kernels write them.
const V1_FILES: &[(&str, &str)] = &[
    ("proc/self/cgroup", "4:memory:/job\n3:cpu,cpuacct:/job\n0::/\n"),
    (
        "proc/self/mountinfo",
        "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
         36 31 0:33 / /sys/fs/cgroup/cpu rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n\
         41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
    ),
    (
        "proc/self/limits",
        "Max data size  2147483648 unlimited bytes\nMax address space  unlimited unlimited bytes\n",
    ),
    ("proc/meminfo", "MemTotal:  24684324 kB\nMemAvailable:  23000000 kB\nSwapTotal:  0 kB\n"),
    ("proc/sys/kernel/random/boot_id", "1b4e28ba-2fa1-11d2-883f-0016d3cca427\n"),
    ("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "150000\n"),
    ("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n"),
    ("sys/fs/cgroup/memory/job/cgroup.procs", "1\n77\n"),
    ("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "2147483648\n"),
    ("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1073741824\n"),
    ("sys/fs/cgroup/memory/job/memory.kmem.usage_in_bytes", "4194304\n"),
    ("sys/fs/cgroup/memory/job/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
    (
        "sys/fs/cgroup/memory/job/memory.stat",
        "cache 4382720\nrss 1703936\nhierarchical_memory_limit 2147483648\ntotal_cache 4382720\n\
         total_rss 1703936\ntotal_shmem 4096\ntotal_workingset_refault_file 1132\ntotal_pgmajfault 38\n\
         total_inactive_anon 1576960\ntotal_active_anon 12288\ntotal_unevictable 8192\n",
    ),
    ("sys/fs/cgroup/unified/memory.pressure", PRESSURE),
];

const V2_FILES: &[(&str, &str)] = &[
    ("proc/self/cgroup", "0::/job\n"),
    (
        "proc/self/mountinfo",
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
    ),
    ("proc/self/limits", "Max data size  unlimited unlimited bytes\n"),
    ("proc/meminfo", "MemTotal:  24684324 kB\nMemAvailable:  23000000 kB\nSwapTotal:  0 kB\n"),
    ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
    ("sys/fs/cgroup/job/cpu.max", "150000 100000\n"),
    ("sys/fs/cgroup/job/cgroup.procs", "1\n77\n"),
    ("sys/fs/cgroup/job/memory.max", "2147483648\n"),
    ("sys/fs/cgroup/job/memory.current", "1073741824\n"),
    ("sys/fs/cgroup/job/memory.swap.current", "0\n"),
    ("sys/fs/cgroup/job/memory.events", "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n"),
    ("sys/fs/cgroup/job/memory.pressure", PRESSURE),
    (
        "sys/fs/cgroup/job/memory.stat",
        "anon 1703936\nfile 4382720\nkernel 4194304\nsock 4096\nshmem 4096\ninactive_anon 1576960\n\
         active_anon 12288\nunevictable 8192\nslab_reclaimable 1048576\nworkingset_refault_file 7\npgmajfault 38\n",
    ),
];

const PRESSURE: &str = "some avg10=0.12 avg60=7.39 avg300=0.00 total=123456\n\
                        full avg10=0.00 avg60=3.00 avg300=0.00 total=2345\n";

/// Any bytes, or `real` with some bytes replaced and the end cut off.
fn wild(real: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let mutated =
        (proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), 0..=real.len())
            .prop_map(move |(changes, cut)| {
                let mut bytes = real.as_bytes().to_vec();
                for (at, byte) in changes {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
                // Mostly the whole file: a cut of few bytes is the common case of a torn read.
                bytes.truncate(if cut % 2 == 0 { bytes.len() } else { cut });
                bytes
            });
    prop_oneof![1 => proptest::collection::vec(any::<u8>(), 0..200), 4 => mutated]
}

/// A fake kernel in which every file is wild.
fn kernel(
    files: &'static [(&'static str, &'static str)],
) -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    files.iter().map(|(path, real)| wild(real).prop_map(|bytes| (*path, bytes))).collect::<Vec<_>>()
}

fn written(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("temp dir");
    for (path, bytes) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("make folders");
        std::fs::write(path, bytes).expect("write");
    }
    root
}

/// Reads all there is to read, and checks what must hold of the answers.
fn read_all(root: &Path) -> Result<Budget, TestCaseError> {
    let layout = Layout::detect(root, PID);
    let budget = gauge::collect(root, &layout, None);
    for candidate in &budget.candidates {
        prop_assert!(candidate.limit_bytes.is_some() || candidate.reason.is_some(), "{candidate:?}");
        if let (Some(bytes), Some(available)) = (budget.bytes, candidate.available_bytes()) {
            prop_assert!(bytes <= available, "{budget:?}");
        }
    }
    let _ = (host::usable_cores(&layout), host::boot_id(root));
    for group in layout.memory_groups() {
        if let (Ok(stat), Ok(fixed)) = (group.stat(), group.non_reclaimable_bytes()) {
            prop_assert!(Some(fixed) >= stat.anon, "{stat:?}");
        }
        let _ = (group.usage_bytes(), group.peak_bytes(), group.oom_kills(), group.pressure());
        prop_assert!(!members(group.dir()).contains(&0));
    }
    Ok(budget)
}

proptest! {
    #[test]
    fn any_v1_kernel_is_read(files in kernel(V1_FILES)) {
        read_all(written(&files).path())?;
    }

    #[test]
    fn any_v2_kernel_is_read(files in kernel(V2_FILES)) {
        read_all(written(&files).path())?;
    }

    #[test]
    fn any_group_is_read(files in kernel(V2_FILES), version in prop_oneof![Just(Version::V1), Just(Version::V2)]) {
        let root = written(&files);
        let group = Group::new(version, root.path().join("sys/fs/cgroup/job"));
        let _ = (group.limit_bytes(), group.hierarchical_limit_bytes(), group.stat(), group.oom_kills());
    }

    #[test]
    fn pressure_is_a_share(bytes in wild(PRESSURE)) {
        if let Some(pressure) = Pressure::parse(&String::from_utf8_lossy(&bytes)) {
            for share in [Some(pressure.some), pressure.full].into_iter().flatten() {
                let shares = [share.avg10_percent, share.avg60_percent, share.avg300_percent];
                prop_assert!(shares.iter().all(|share| (0.0..=100.0).contains(share)), "{pressure:?}");
            }
        }
    }

    /// Whatever is locked, it is counted once: between the unlocked memory and the sum of everything.
    #[test]
    fn locked_memory_is_counted_once(
        [anon, shmem, locked_anon, locked_file, kernel] in proptest::array::uniform5(0u64..1 << 40),
    ) {
        let locked_anon = locked_anon.min(anon + shmem);
        let stat = MemoryStat {
            anon: Some(anon),
            shmem: Some(shmem),
            evictable_anon: Some(anon + shmem - locked_anon),
            unevictable: Some(locked_anon + locked_file),
            kernel_unreclaimable: Some(kernel),
            ..MemoryStat::default()
        };
        prop_assert_eq!(stat.non_reclaimable_bytes(), Some(anon + shmem + locked_file + kernel));
    }
}

#[test]
fn the_files_as_they_are_give_the_budget() {
    let check = |files: &'static [(&str, &str)], name: &str| {
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_bytes().to_vec())).collect();
        let root = written(&files);
        let budget = read_all(root.path()).expect("reads");
        assert_eq!(budget.binding.as_deref(), Some(name), "{budget:#?}");
    };
    check(V1_FILES, "/sys/fs/cgroup/memory/job/memory.limit_in_bytes");
    check(V2_FILES, "/sys/fs/cgroup/job/memory.max");
}
