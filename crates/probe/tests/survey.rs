//! Surveys of fake kernels, a folder each, as v1, v2 and hybrid systems have them, with and without Kubernetes; and of cgroups that vanish.

use plimsoll_probe::cgroup::Version;
use plimsoll_probe::survey::{Choice, Found, GROUPS_MAX, Hierarchy, Reader, walk};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const MIB: u64 = 1 << 20;
const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER_ID: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const POD: &str = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice";
const UID: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
const PRESSURE: &str = "some avg10=0.12 avg60=7.39 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=3.00 avg300=0.00 total=500000\n";
/// What v1 shows for "no limit".
const V1_NONE: &str = "9223372036854771712";

struct Kernel(TempDir);

impl Kernel {
    fn new() -> Kernel {
        Kernel(tempfile::tempdir().expect("temp dir"))
    }

    fn v2() -> Kernel {
        let kernel = Kernel::new();
        kernel.put("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
        kernel.put("sys/fs/cgroup/cgroup.procs", "1\n");
        kernel
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("make folders");
        fs::write(path, text).expect("write");
    }

    fn group_v2(&self, path: &str, max: &str, pids: &str, kills: u64) {
        let file = |name: &str, text: &str| self.put(&format!("sys/fs/cgroup/{path}/{name}"), text);
        file("memory.current", "104857600\n");
        file("memory.peak", "209715200\n");
        file("memory.max", &format!("{max}\n"));
        file("memory.events", &format!("low 0\nhigh 0\nmax 12\noom 1\noom_kill {kills}\noom_group_kill 0\n"));
        file("memory.events.local", &format!("low 0\nhigh 0\nmax 12\noom 1\noom_kill {kills}\n"));
        file("memory.swap.current", "0\n");
        file("memory.pressure", PRESSURE);
        file(
            "memory.stat",
            "anon 41943040\nfile 52428800\nkernel 4194304\nsock 0\nshmem 10485760\ninactive_anon 52428800\nactive_anon 0\n\
             inactive_file 31457280\nactive_file 10485760\nunevictable 0\nslab_reclaimable 3145728\n\
             workingset_refault_anon 2\nworkingset_refault_file 7\npgmajfault 38\n",
        );
        file("cgroup.procs", pids);
        let populated = u8::from(!pids.is_empty());
        file("cgroup.events", &format!("populated {populated}\nfrozen 0\n"));
    }

    fn group_v1(&self, path: &str, pids: &str, kills: u64, limit: &str) {
        let file = |name: &str, text: &str| self.put(&format!("sys/fs/cgroup/memory/{path}/{name}"), text);
        file("memory.usage_in_bytes", "104857600\n");
        file("memory.max_usage_in_bytes", "209715200\n");
        file("memory.kmem.usage_in_bytes", "77594624\n");
        file("memory.oom_control", &format!("oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n"));
        file(
            "memory.stat",
            &format!(
                "cache 1\nrss 1\nhierarchical_memory_limit {limit}\ntotal_cache 52428800\ntotal_rss 41943040\ntotal_shmem 10485760\n\
                 total_inactive_anon 52428800\ntotal_active_anon 0\ntotal_inactive_file 31457280\ntotal_unevictable 0\n\
                 total_workingset_refault_file 7\ntotal_pgmajfault 38\n"
            ),
        );
        file("cgroup.procs", pids);
        file("tasks", pids);
    }

    fn reader(&self) -> Reader {
        Reader::new(Hierarchy::find(self.root()).expect("a hierarchy"))
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn found(&self, choice: &Choice) -> Vec<Found> {
        walk(&Hierarchy::find(self.root()).expect("a hierarchy"), choice).expect("walked").found
    }

    fn paths(&self, choice: &Choice) -> Vec<String> {
        self.found(choice).into_iter().map(|found| found.path).collect()
    }
}

#[test]
fn a_node_with_v2_and_systemd() {
    let kernel = Kernel::v2();
    let container = format!("{POD}/cri-containerd-{ID}.scope");
    kernel.group_v2("kubepods.slice", "1073741824", "", 0);
    kernel.group_v2(POD, "max", "", 3);
    kernel.group_v2(&container, "536870912", "", 2);
    kernel.group_v2(&format!("{container}/init.scope"), "max", "77\n78\n", 0);
    kernel.group_v2("system.slice/kubelet.service", "max", "5\n", 0);
    kernel.group_v2("system.slice/empty.service", "max", "", 0);
    kernel.group_v2("system.slice", "max", "", 0);
    let paths = kernel.paths(&Choice::Holding);
    assert_eq!(paths, [format!("/{container}"), "/system.slice/kubelet.service".to_string()]);
    let walked = walk(&Hierarchy::find(kernel.root()).unwrap(), &Choice::Holding).unwrap();
    assert_eq!(walked.pods, [(format!("/{POD}"), UID.to_string())]);
    assert_eq!(walked.found[0].pod_path(), Some(&*format!("/{POD}")));

    let mut reader = kernel.reader();
    let reading = reader.read(&paths[0]).expect("it is there");
    assert_eq!(reading.usage_bytes, Some(100 * MIB));
    assert_eq!(reading.peak_bytes, Some(200 * MIB));
    assert_eq!(reading.limit_bytes, Some(512 * MIB));
    assert_eq!(reading.stat.non_reclaimable_bytes(), Some(51 * MIB));
    assert_eq!(reading.stat.working_set_bytes(100 * MIB), Some(70 * MIB));
    assert_eq!((reading.stat.refaults_file, reading.stat.refaults_anon), (Some(7), Some(2)));
    assert_eq!(reading.pressure.and_then(|pressure| pressure.full).map(|full| full.total_us), Some(500_000));
    assert_eq!(reader.kills(&paths[0], true), Some(2));
    assert_eq!(reader.kills(&format!("/{POD}"), true), Some(3));
    assert_eq!(reader.processes(&paths[0], 10), [77, 78], "those below are its own");
    assert_eq!(reader.processes(&paths[0], 1), [77]);
    // The least limit upwards is another's once that is lower.
    kernel.put("sys/fs/cgroup/kubepods.slice/memory.max", "268435456\n");
    assert_eq!(
        reader.read(&paths[0]).and_then(|it| it.limit_bytes),
        Some(512 * MIB),
        "as it was when it began"
    );
    reader.begin();
    assert_eq!(reader.read(&paths[0]).and_then(|it| it.limit_bytes), Some(256 * MIB));
    assert_eq!(reader.read("/system.slice/kubelet.service").expect("there").limit_bytes, None);
}

#[test]
fn a_node_with_v1_and_no_pressure() {
    let kernel = Kernel::new();
    kernel.group_v1("", "1\n", 0, V1_NONE);
    let container = format!("kubepods/burstable/pod{UID}/{ID}");
    kernel.group_v1(&container, "77\n", 1, "268435456");
    kernel.group_v1(&format!("{container}/inner"), "78\n", 2, "268435456");
    kernel.group_v1(&format!("docker/{OTHER_ID}"), "79\n", 0, V1_NONE);
    let paths = kernel.paths(&Choice::Holding);
    assert_eq!(paths, [format!("/docker/{OTHER_ID}"), format!("/{container}")]);
    let mut reader = kernel.reader();
    assert_eq!(reader.hierarchy().version, Version::V1);
    let reading = reader.read(&paths[1]).expect("it is there");
    assert_eq!((reading.usage_bytes, reading.limit_bytes), (Some(100 * MIB), Some(256 * MIB)));
    // 74 MiB of kernel memory, of which one task and its page tables cannot account for more than 166 KiB.
    assert_eq!(reading.stat.non_reclaimable_bytes(), Some(50 * MIB + (64 << 10) + 50 * MIB / 512));
    assert_eq!(reading.pressure, None);
    assert_eq!(reader.read(&paths[0]).expect("there").limit_bytes, None);
    assert_eq!(reader.kills(&paths[1], true), Some(3));
    assert_eq!(reader.kills(&paths[1], false), Some(1));
}

#[test]
fn pressure_of_v1_is_told_by_the_hierarchy_beside_it() {
    let kernel = Kernel::new();
    kernel.group_v1("", "1\n", 0, V1_NONE);
    kernel.group_v1("system.slice/nginx.service", "7\n", 0, V1_NONE);
    kernel.put("sys/fs/cgroup/unified/cgroup.procs", "1\n");
    kernel.put("sys/fs/cgroup/unified/system.slice/nginx.service/memory.pressure", PRESSURE);
    let reading = kernel.reader().read("/system.slice/nginx.service").expect("there");
    assert_eq!(reading.pressure.map(|pressure| pressure.some.total_us), Some(1_500_000));
}

#[test]
fn what_counts_on_a_plain_host() {
    let kernel = Kernel::v2();
    kernel.group_v2("init.scope", "max", "1\n", 0);
    kernel.group_v2("system.slice/web.service", "max", "", 0);
    kernel.put("sys/fs/cgroup/system.slice/web.service/cgroup.events", "populated 1\n");
    kernel.group_v2("system.slice/web.service/worker", "max", "9\n", 0);
    kernel.group_v2(
        &format!("user.slice/user-1.slice/user@1.service/user.slice/libpod-{ID}.scope"),
        "max",
        "10\n",
        0,
    );
    kernel.group_v2("jobs/7", "max", "11\n", 0);
    kernel.group_v2("jobs", "max", "", 0);
    let libpod = format!("/user.slice/user-1.slice/user@1.service/user.slice/libpod-{ID}.scope");
    let check = |choice: Choice, expect: &[&str]| assert_eq!(kernel.paths(&choice), expect, "{choice:?}");
    check(Choice::Holding, &["/init.scope", "/jobs/7", "/system.slice/web.service", &libpod]);
    check(Choice::Fitting(vec!["/jobs*".into()]), &["/jobs", "/jobs/7", &libpod]);
    check(Choice::Fitting(vec!["/nothing".into(), "/init*".into()]), &["/init.scope", &libpod]);
}

#[test]
fn what_vanishes_or_cannot_be_read_is_not_there() {
    let kernel = Kernel::v2();
    kernel.group_v2("a.service", "max", "1\n", 1);
    kernel.group_v2("b.service", "max", "2\n", 0);
    let mut reader = kernel.reader();
    fs::remove_dir_all(kernel.root().join("sys/fs/cgroup/a.service")).expect("removed");
    assert_eq!((reader.read("/a.service"), reader.kills("/a.service", true)), (None, None));
    assert!(reader.processes("/a.service", 9).is_empty());
    // Half of it is gone.
    fs::remove_file(kernel.root().join("sys/fs/cgroup/b.service/memory.stat")).expect("removed");
    assert_eq!(reader.read("/b.service"), None);
    for (file, text) in
        [("memory.stat", ""), ("memory.peak", "x"), ("memory.max", "?\n"), ("memory.pressure", "some\n")]
    {
        kernel.put(&format!("sys/fs/cgroup/b.service/{file}"), text);
    }
    let reading = reader.read("/b.service").expect("there");
    assert_eq!((reading.usage_bytes, reading.peak_bytes, reading.limit_bytes), (Some(100 * MIB), None, None));
    assert_eq!((reading.stat.non_reclaimable_bytes(), reading.pressure), (None, None));
    assert!(Hierarchy::find(Path::new("/nowhere")).is_err());
}

#[test]
fn there_are_only_so_many() {
    let kernel = Kernel::v2();
    for number in 0..GROUPS_MAX + 7 {
        kernel.put(&format!("sys/fs/cgroup/jobs/{number}/cgroup.procs"), "1\n");
    }
    let walked = walk(&Hierarchy::find(kernel.root()).unwrap(), &Choice::Holding).unwrap();
    assert_eq!((walked.found.len(), walked.left_out), (GROUPS_MAX, 7));
}
