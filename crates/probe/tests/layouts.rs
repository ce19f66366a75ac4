//! Fake kernels: a folder per layout met in the field, and the budget that follows from it.

use plimsoll_core::budget::Budget;
use plimsoll_probe::cgroup::{Layout, Version};
use plimsoll_probe::{gauge, host};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// Our pid in every fake kernel.
const PID: u32 = 4242;
/// What v1 shows for "no limit".
const V1_NONE: &str = "9223372036854771712";

/// A fake kernel: `files` are paths and contents; a host with 8 GiB available is added where they name none.
struct Kernel(TempDir);

impl Kernel {
    fn new(cgroup: &str, mountinfo: &str, files: &[(&str, &str)]) -> Kernel {
        let kernel = Kernel(tempfile::tempdir().expect("temp dir"));
        kernel.put("proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\nSwapTotal: 0 kB\n");
        kernel.put("proc/self/limits", "Max data size  unlimited unlimited bytes\n");
        kernel.put("proc/self/cgroup", cgroup);
        kernel.put("proc/self/mountinfo", mountinfo);
        files.iter().for_each(|(path, text)| kernel.put(path, text));
        kernel
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("make folders");
        fs::write(path, text).expect("write");
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn layout(&self) -> Layout {
        Layout::detect(self.root(), PID)
    }

    fn budget(&self) -> Budget {
        gauge::collect(self.root(), &self.layout(), None)
    }

    fn binds(&self, bytes: u64, name: &str) {
        let budget = self.budget();
        assert_eq!((budget.bytes, budget.binding.as_deref()), (Some(bytes), Some(name)), "{budget:#?}");
    }

    fn memory_dir(&self) -> PathBuf {
        let dir = self.layout().memory.expect("a memory hierarchy").dir;
        Path::new("/").join(dir.strip_prefix(self.root()).expect("below the root"))
    }
}

const V2_MOUNT: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const V2_MOUNT_RO: &str = "30 23 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n";

#[test]
fn v2_container_with_its_own_namespace() {
    let kernel = Kernel::new(
        "0::/\n",
        V2_MOUNT_RO,
        &[
            ("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n"),
            ("sys/fs/cgroup/cgroup.procs", "1\n4242\n"),
            ("sys/fs/cgroup/memory.max", "2147483648\n"),
            (
                "sys/fs/cgroup/memory.stat",
                "anon 104857600\nfile 900000000\nshmem 52428800\ninactive_anon 157286400\nactive_anon 0\nunevictable 0\nkernel 20971520\nslab_reclaimable 10485760\n",
            ),
            ("sys/fs/cgroup/cpu.max", "150000 100000\n"),
        ],
    );
    kernel.binds(2 * GIB - 160 * MIB, "/sys/fs/cgroup/memory.max");
    let place = kernel.layout().memory.expect("memory");
    assert_eq!((place.version, place.read_only), (Version::V2, true));
    assert_eq!(host::quota_cores(&kernel.layout()), Some(2));
}

#[test]
fn v2_limit_of_a_parent_binds() {
    let stat = "anon 0\nfile 0\n";
    let kernel = Kernel::new(
        "0::/ci.slice/job.scope\n",
        V2_MOUNT,
        &[
            ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
            ("sys/fs/cgroup/ci.slice/memory.max", "1073741824\n"),
            ("sys/fs/cgroup/ci.slice/memory.stat", "anon 268435456\nfile 0\n"),
            ("sys/fs/cgroup/ci.slice/job.scope/memory.max", "4294967296\n"),
            ("sys/fs/cgroup/ci.slice/job.scope/memory.stat", stat),
        ],
    );
    kernel.binds(768 * MIB, "/sys/fs/cgroup/ci.slice/memory.max");
    assert_eq!(kernel.memory_dir(), Path::new("/sys/fs/cgroup/ci.slice/job.scope"));
}

#[test]
fn k8s_pod_v2_limit_on_the_pod() {
    let kernel = Kernel::new(
        "0::/kubepods.slice/pod1.slice/cri-1.scope\n",
        V2_MOUNT_RO,
        &[
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
            ("sys/fs/cgroup/kubepods.slice/memory.max", "15032385536\n"),
            ("sys/fs/cgroup/kubepods.slice/memory.stat", "anon 1000\n"),
            ("sys/fs/cgroup/kubepods.slice/pod1.slice/memory.max", "3221225472\n"),
            ("sys/fs/cgroup/kubepods.slice/pod1.slice/memory.stat", "anon 1073741824\n"),
            ("sys/fs/cgroup/kubepods.slice/pod1.slice/cri-1.scope/memory.max", "max\n"),
            ("sys/fs/cgroup/kubepods.slice/pod1.slice/cri-1.scope/memory.stat", "anon 1000\n"),
        ],
    );
    kernel.binds(2 * GIB, "/sys/fs/cgroup/kubepods.slice/pod1.slice/memory.max");
    let budget = kernel.budget();
    assert_eq!(budget.candidates[0].limit_bytes, None);
    assert_eq!(budget.candidates[0].reason.as_deref(), Some("no limit set"));
}

#[test]
fn v1_docker_container_sees_its_own_folder_only() {
    let kernel = Kernel::new(
        "9:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/docker/abc\n",
        "40 30 0:31 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n\
         41 30 0:32 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n",
        &[
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n"),
            (
                "sys/fs/cgroup/memory/memory.stat",
                "rss 5\ntotal_rss 104857600\ntotal_shmem 0\ntotal_cache 700000000\nhierarchical_memory_limit 1073741824\n",
            ),
            ("sys/fs/cgroup/memory/memory.kmem.usage_in_bytes", "4194304\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ],
    );
    kernel.binds(GIB - 104 * MIB, "/sys/fs/cgroup/memory/memory.limit_in_bytes");
    assert_eq!(host::quota_cores(&kernel.layout()), Some(3));
}

#[test]
fn v1_limit_above_the_container_is_told_by_the_hierarchical_one() {
    let kernel = Kernel::new(
        "9:memory:/pod/abc\n",
        "40 30 0:31 /pod/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
        &[
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", V1_NONE),
            ("sys/fs/cgroup/memory/memory.stat", "total_rss 1048576\nhierarchical_memory_limit 536870912\n"),
        ],
    );
    kernel.binds(511 * MIB, "/sys/fs/cgroup/memory/memory.stat hierarchical_memory_limit");
}

#[test]
fn v1_hybrid_nested() {
    let kernel = Kernel::new(
        "4:memory:/ci/job\n3:cpuset:/\n0::/\n",
        "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
         41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
        &[
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", V1_NONE),
            ("sys/fs/cgroup/memory/ci/memory.limit_in_bytes", "2147483648\n"),
            ("sys/fs/cgroup/memory/ci/memory.stat", "total_rss 1073741824\n"),
            ("sys/fs/cgroup/memory/ci/job/memory.limit_in_bytes", "1879048192\n"),
            (
                "sys/fs/cgroup/memory/ci/job/memory.stat",
                "total_rss 0\nhierarchical_memory_limit 1879048192\n",
            ),
            ("sys/fs/cgroup/unified/cgroup.controllers", "\n"),
        ],
    );
    kernel.binds(GIB, "/sys/fs/cgroup/memory/ci/memory.limit_in_bytes");
    let layout = kernel.layout();
    assert_eq!(layout.memory.expect("memory").version, Version::V1);
    assert_eq!(layout.unified.expect("unified").dir, kernel.root().join("sys/fs/cgroup/unified"));
}

#[test]
fn a_mount_from_outside_our_namespace_is_searched_for_our_pid() {
    let kernel = Kernel::new(
        "0::/\n",
        "30 23 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        &[
            ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
            ("sys/fs/cgroup/cgroup.procs", "1\n"),
            ("sys/fs/cgroup/a/cgroup.procs", "2\n"),
            ("sys/fs/cgroup/b/c/cgroup.procs", "7\n4242\n"),
            ("sys/fs/cgroup/b/c/memory.max", "1073741824\n"),
            ("sys/fs/cgroup/b/c/memory.stat", "anon 0\n"),
        ],
    );
    assert_eq!(kernel.memory_dir(), Path::new("/sys/fs/cgroup/b/c"));
    kernel.binds(GIB, "/sys/fs/cgroup/b/c/memory.max");
}

#[test]
fn nothing_mounted_leaves_the_host() {
    let kernel = Kernel::new("9:memory:/docker/abc\n0::/\n", "22 1 8:1 / / rw - ext4 /dev/sda rw\n", &[]);
    kernel.binds(8 * GIB, "MemAvailable");
    let reason = kernel.budget().candidates[0].reason.clone().expect("a reason");
    assert!(reason.contains("is mounted"), "{reason}");
}

#[test]
fn nothing_readable_has_no_budget_and_says_why() {
    let empty = tempfile::tempdir().expect("temp dir");
    let layout = Layout::detect(empty.path(), PID);
    let budget = gauge::collect(empty.path(), &layout, None);
    assert_eq!((budget.bytes, &budget.binding), (None, &None));
    assert!(budget.candidates.iter().all(|candidate| candidate.reason.is_some()), "{budget:#?}");
    let budget = gauge::collect(empty.path(), &layout, Some(GIB));
    assert_eq!((budget.bytes, budget.binding.as_deref()), (Some(GIB), Some("--limit")));
}

#[test]
fn garbage_is_no_number() {
    let kernel = Kernel::new(
        "0::/\n::\nx\n",
        V2_MOUNT,
        &[
            ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
            ("sys/fs/cgroup/memory.max", "lots\n"),
            ("sys/fs/cgroup/memory.stat", "anon\nanon x\n\n"),
        ],
    );
    kernel.binds(8 * GIB, "MemAvailable");
    assert_eq!(kernel.budget().candidates[0].reason.as_deref(), Some("not a limit: \"lots\""));
}

#[test]
fn an_rlimit_binds() {
    let kernel =
        Kernel::new("", "", &[("proc/self/limits", "Max address space  1073741824 unlimited bytes\n")]);
    kernel.binds(GIB, "RLIMIT_AS");
}
