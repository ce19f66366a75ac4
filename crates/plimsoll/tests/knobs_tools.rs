//! Knobs, seen by the real tools: Node and Java. A test whose tool is missing says so and ends.

use plimsoll::{shim, sniff};
use plimsoll_core::attempt::Setting;
use plimsoll_core::knobs::{KnobInput, NodeFlags, ProjectFlags, is_heap_report, plan};
use plimsoll_core::mode::Mode;
use plimsoll_core::program::recognise;
use plimsoll_core::size::MIB;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Prints the heap limit in MiB, the cores and the memory that Node sees: in the main process, a child of it and
/// a worker thread.
const SHOW: &str = r#"
const os = require('os'), v8 = require('v8');
const role = process.argv[2] || 'main';
const mib = Math.round(v8.getHeapStatistics().heap_size_limit / 1048576);
console.log(role, mib, os.availableParallelism(), os.cpus().length, os.totalmem() / 1048576);
if (role === 'main') {
  require('child_process').execFileSync(process.execPath, [__filename, 'child'], { stdio: 'inherit' });
  new (require('worker_threads').Worker)(__filename, { argv: ['thread'] });
}
"#;
const FILL: &str = "const a = []; for (;;) a.push(new Array(1000).fill({}));";
const HEAP_JAVA: &str = "class Heap { public static void main(String[] a) {
    System.out.println(Runtime.getRuntime().maxMemory() >> 20);
    var l = new java.util.ArrayList<byte[]>(); while (a.length > 0) l.add(new byte[1 << 20]); } }";

struct Fixture {
    dir: tempfile::TempDir,
    env: BTreeMap<String, String>,
    heap_bytes: u64,
    preload: String,
    report: bool,
}

impl Fixture {
    fn new(heap_mib: u64) -> Fixture {
        let dir = tempfile::tempdir().expect("a temp folder");
        let preload = shim::write(dir.path()).expect("the preload").display().to_string();
        let env = BTreeMap::from([("PATH".to_string(), std::env::var("PATH").expect("a PATH"))]);
        Fixture { dir, env, heap_bytes: heap_mib * MIB, preload, report: false }
    }

    fn with_env(mut self, name: &str, value: &str) -> Fixture {
        self.env.insert(name.to_string(), value.to_string());
        self
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    fn with_input<T>(&self, argv: &[&str], f: impl FnOnce(KnobInput, &Path) -> T) -> T {
        let argv: Vec<String> = argv.iter().map(|word| word.to_string()).collect();
        let setting = Setting {
            mode: Mode::Critical,
            jobs: 1,
            heap_bytes: Some(self.heap_bytes),
            worker_heap_bytes: Some(self.heap_bytes / 2),
            less_work: false,
        };
        let dir = self.dir.path().display().to_string();
        let input = KnobInput {
            setting: &setting,
            shape: &recognise(&argv, &[]),
            env: &self.env,
            budget_bytes: Some(1024 * MIB),
            jobserver: &[],
            preload_path: Some(&self.preload),
            report_dir: self.report.then_some(dir.as_str()),
            node: NodeFlags::NONE,
            java_tool_options: false,
            project: &ProjectFlags::default(),
            mode_env: &BTreeMap::new(),
            less_work_env: &BTreeMap::new(),
        };
        f(input, self.dir.path())
    }

    fn node_flags(&self) -> NodeFlags {
        self.with_input(&["node"], |input, dir| sniff::node_flags(&input, dir))
    }

    /// Runs the command with the knobs that passed the check.
    fn run(&self, argv: &[&str]) -> Output {
        self.with_input(argv, |input, dir| {
            let node = sniff::node_flags(&input, dir);
            let java_tool_options = sniff::java_tool_options(&input, dir);
            let knobs = plan(&KnobInput { node, java_tool_options, ..input });
            let knobs = knobs.into_iter().map(|knob| (knob.name, knob.value));
            let mut command = Command::new(argv[0]);
            command.args(&argv[1..]).current_dir(dir).env_clear().envs(&self.env).envs(knobs);
            command.output().expect("the tool starts")
        })
    }
}

fn is_missing(program: &str) -> bool {
    let is_missing = Command::new(program).arg("--version").output().is_err();
    if is_missing {
        eprintln!("skipped: no {program} here");
    }
    is_missing
}

/// Role -> heap limit in MiB, cores by either count, memory in MiB.
fn shown(output: &Output) -> BTreeMap<String, Vec<u64>> {
    assert!(output.status.success(), "{output:?}");
    let line = |line: &str| {
        let mut words = line.split(' ');
        let role = words.next()?.to_string();
        Some((role, words.map(|word| word.parse().expect("a number")).collect()))
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(line).collect()
}

#[test]
fn the_main_node_has_its_heap_and_its_children_theirs() {
    if is_missing("node") {
        return;
    }
    let fixture = Fixture::new(700);
    let shown = shown(&fixture.run(&["node", &fixture.file("show.cjs", SHOW)]));
    // V8 counts its young generation too, 48 MiB on Node 20.
    assert!((700..800).contains(&shown["main"][0]), "{shown:?}");
    assert!((350..450).contains(&shown["child"][0]), "{shown:?}");
    // A worker thread's heap may grow as large as its process's: no environment changes that.
    assert!((700..800).contains(&shown["thread"][0]), "{shown:?}");
    for role in ["main", "child", "thread"] {
        assert_eq!(shown[role][1..], [1, 1, 1024], "{role}");
    }
}

#[test]
fn npm_is_not_the_main_node() {
    if is_missing("npm") {
        return;
    }
    let fixture = Fixture::new(700);
    fixture.file("show.cjs", SHOW);
    fixture.file("package.json", r#"{"scripts":{"build":"node show.cjs"}}"#);
    let shown = shown(&fixture.run(&["npm", "run", "--silent", "build"]));
    assert!((700..800).contains(&shown["main"][0]), "{shown:?}");
    assert!((350..450).contains(&shown["child"][0]), "{shown:?}");
}

#[test]
fn esm_imports_see_the_truth_too() {
    if is_missing("node") {
        return;
    }
    let fixture = Fixture::new(700);
    let text =
        "import { availableParallelism as n, totalmem } from 'os'; console.log(n(), totalmem() / 1048576);";
    let output = fixture.run(&["node", &fixture.file("show.mjs", text)]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1 1024\n");
}

#[test]
fn the_users_heap_stays() {
    if is_missing("node") {
        return;
    }
    let fixture = Fixture::new(700).with_env("NODE_OPTIONS", "--max-old-space-size=200");
    let shown = shown(&fixture.run(&["node", &fixture.file("show.cjs", SHOW)]));
    assert!((200..300).contains(&shown["main"][0]), "{shown:?}");
    assert!((200..300).contains(&shown["child"][0]), "{shown:?}");
}

#[test]
fn no_flag_of_ours_stops_node() {
    if is_missing("node") {
        return;
    }
    assert_eq!(Fixture::new(700).node_flags(), NodeFlags::ALL);
    let mut fixture = Fixture::new(700);
    fixture.preload = "/nowhere/preload.cjs".to_string();
    assert_eq!(fixture.node_flags(), NodeFlags { heap: true, ..NodeFlags::NONE });
    // The user's own flag already makes Node exit with 9: nothing of ours is added to that.
    let fixture = Fixture::new(700).with_env("NODE_OPTIONS", "--optimize-for-size");
    assert_eq!(fixture.node_flags(), NodeFlags::NONE);
    assert_eq!(fixture.run(&["node", "-e", "0"]).status.code(), Some(9));
}

#[test]
fn a_user_s_flag_that_stops_node_is_named() {
    if is_missing("node") {
        return;
    }
    let check = |options: &str, expect: Option<&str>| {
        let fixture = Fixture::new(512).with_env("NODE_OPTIONS", options);
        let said = fixture.with_input(&["node"], |input, dir| sniff::node_refusal(&input, dir));
        assert_eq!(said.is_some(), expect.is_some(), "{said:?}");
        assert!(expect.is_none_or(|flag| said.is_some_and(|said| said.contains(flag))));
    };
    check("--max-old-space-size=6144 --optimize-for-size --gc-interval=100", Some("--optimize-for-size"));
    check("--max-old-space-size=6144", None);
}

#[test]
fn a_node_that_never_starts_is_not_waited_for() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new(512).with_env("NODE_OPTIONS", "--inspect-brk");
    let node = fixture.file("node", "#!/bin/sh\nexec /bin/sleep 60\n");
    fs::set_permissions(node, fs::Permissions::from_mode(0o755)).expect("a program");
    let path = fixture.dir.path().display().to_string();
    let fixture = fixture.with_env("PATH", &path);
    let started = std::time::Instant::now();
    let said = fixture.with_input(&["node"], |input, dir| sniff::node_refusal(&input, dir));
    assert_eq!(said, None);
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn a_full_heap_leaves_a_report() {
    if is_missing("node") {
        return;
    }
    let mut fixture = Fixture::new(60);
    fixture.report = true;
    assert!(!fixture.run(&["node", "-e", FILL]).status.success());
    let files = fs::read_dir(fixture.dir.path()).expect("the folder").flatten().map(|file| file.path());
    let reports: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(is_heap_report(&fs::read_to_string(&reports[0]).expect("a report")));
}

#[test]
fn a_full_jvm_exits_with_3_and_a_flag_on_the_command_line_wins() {
    if is_missing("java") || is_missing("javac") {
        return;
    }
    let fixture = Fixture::new(64);
    let source = fixture.file("Heap.java", HEAP_JAVA);
    let compiled =
        Command::new("javac").args(["-d", "."]).arg(source).current_dir(fixture.dir.path()).status();
    assert!(compiled.expect("javac starts").success());
    let full = fixture.run(&["java", "-cp", ".", "Heap", "fill"]);
    assert_eq!(full.status.code(), Some(3), "{full:?}");
    let heap_mib = |argv: &[&str]| String::from_utf8_lossy(&fixture.run(argv).stdout).trim().parse::<u64>();
    let ours = heap_mib(&["java", "-cp", ".", "Heap"]).expect("a number");
    assert!((60..=64).contains(&ours), "{ours}");
    let own = heap_mib(&["java", "-Xmx200m", "-cp", ".", "Heap"]).expect("a number");
    assert!((190..=200).contains(&own), "{own}");
}

#[test]
fn package_scripts_are_followed() {
    let fixture = Fixture::new(64);
    let package =
        r#"{"scripts":{"build":"npm run check && echo ok","check":"tsc","prebuild":"eslint .","x":"jest"}}"#;
    fixture.file("package.json", package);
    fixture.file("build.sh", "#!/bin/bash\nmake -j4\n");
    let check = |argv: &[&str], tool| {
        let argv: Vec<String> = argv.iter().map(|word| word.to_string()).collect();
        let scripts = sniff::scripts(fixture.dir.path(), &argv);
        assert_eq!(recognise(&argv, &scripts).tool, tool, "{argv:?} {scripts:?}");
    };
    check(&["npm", "run", "check"], Some("tsc"));
    check(&["npm", "run", "x"], Some("jest"));
    check(&["npm", "run", "build"], Some("eslint"));
    check(&["npm", "run", "absent"], None);
    check(&["./build.sh"], Some("make"));
    check(&["bash", "build.sh"], Some("make"));
}
