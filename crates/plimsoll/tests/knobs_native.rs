//! Knobs of compilers, build tools and test runners, seen by the real ones through the built binary. `dev/tools`
//! installs what Debian has not; a test whose tool is missing says so and ends.

#[allow(dead_code)]
mod common;

use common::steps::{Steps, is_missing};
use std::fs;

#[test]
fn go_builds_as_many_packages_as_there_are_jobs() {
    if is_missing(&["go"]) {
        return;
    }
    let steps = Steps::new();
    let is_build = format!("case \"$*\" in *-V=full*) ;; */compile*) {} || exit 1 ;; esac", steps.step());
    steps.script("wrap", &format!("{is_build}\nexec \"$@\"\n"));
    steps.bench.file("go.mod", "module m\n\ngo 1.19\n");
    // Packages without imports need nothing of the standard library to be built.
    ["a", "b", "c"]
        .iter()
        .for_each(|name| steps.bench.file(&format!("{name}/x.go"), &format!("package {name}\n")));
    let wrap = steps.bench.path("wrap").display().to_string();
    // `-a`: what an earlier run has built is built again.
    let build = ["go", "build", "-a", "-toolexec", &wrap];
    let plain = [&build[..], &["./..."]].concat();
    let asks = [&build[..], &["-p", "2", "./..."]].concat();
    steps.check(&plain, ("GOFLAGS", "-p=2"), &asks);
    // What `go env -w` has written is the user's too, and the variable would hide it.
    steps.bench.file("env", "GOFLAGS=-p=2\n");
    steps.run(&[("GOENV", &steps.bench.path("env").display().to_string())], &plain);
    assert_eq!(steps.most_at_once(1), 2);
}

#[test]
fn a_go_program_collects_at_its_share_of_the_budget() {
    if is_missing(&["go"]) {
        return;
    }
    let steps = Steps::new();
    steps.bench.file("go.mod", "module m\n\ngo 1.19\n");
    let print = "import \"runtime/debug\"\n\nfunc main() { println(\"limit\", debug.SetMemoryLimit(-1)) }\n";
    steps.bench.file("main.go", &format!("package main\n\n{print}"));
    let budget: u64 = 2 << 30;
    let ours = format!("limit {}\n", (budget / 100 * 90) >> 20 << 20);
    let said = steps.run(&[], &["go", "run", "."]);
    assert!(said.contains(&ours), "{ours} {said}");
    let said = steps.run(&[("GOMEMLIMIT", "500MiB")], &["go", "run", "."]);
    assert!(said.contains(&format!("limit {}\n", 500 << 20)), "{said}");
}

/// A project of three steps for CMake, configured for the first ninja of the path.
fn cmake_project(steps: &Steps, generator: &str) {
    let target = format!("  add_custom_target(${{name}} ALL COMMAND {})\n", steps.step());
    let text = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(x NONE)\nforeach(name a b c)\n{target}endforeach()\n"
    );
    steps.bench.file("CMakeLists.txt", &text);
    steps.run(&[], &["cmake", "-G", generator, "-B", "b"]);
}

#[test]
fn cmake_tells_an_old_ninja_of_the_jobs() {
    let mut old = Steps::new();
    old.first = "ninja-1.11/bin";
    if is_missing(&["cmake"]) || !common::tools().join(old.first).join("ninja").exists() {
        eprintln!("skipped: no cmake, or no old ninja in target/tools; run dev/tools");
        return;
    }
    cmake_project(&old, "Ninja");
    let asks = ["cmake", "--build", "b", "-j", "2"];
    old.check(&asks[..3], ("CMAKE_BUILD_PARALLEL_LEVEL", "2"), &asks);
}

#[test]
fn cmake_s_make_runs_no_more_than_asked() {
    if is_missing(&["cmake", "make"]) {
        return;
    }
    let steps = Steps::new();
    cmake_project(&steps, "Unix Makefiles");
    let asks = ["cmake", "--build", "b", "--parallel", "2"];
    steps.check(&asks[..3], ("CMAKE_BUILD_PARALLEL_LEVEL", "2"), &asks);
}

#[test]
fn a_new_ninja_takes_its_jobs_from_the_jobserver() {
    if is_missing(&["ninja", "cmake", "meson"]) {
        return;
    }
    let steps = Steps::new();
    let rule = format!("rule step\n  command = {}\n", steps.step());
    steps.bench.file("build.ninja", &format!("{rule}build a: step\nbuild b: step\nbuild c: step\n"));
    steps.run(&[], &["ninja"]);
    assert_eq!(steps.most_at_once(1), 1, "ninja");
    steps.check_asked(&["ninja", "-j2"]);
    cmake_project(&steps, "Ninja");
    steps.run(&[], &["cmake", "--build", "b"]);
    assert_eq!(steps.most_at_once(1), 1, "cmake");
    let target =
        format!("  custom_target(n, output: n, command: '{}', build_by_default: true)\n", steps.step());
    steps
        .bench
        .file("meson.build", &format!("project('x')\nforeach n : ['a', 'b', 'c']\n{target}endforeach\n"));
    steps.run(&[], &["meson", "setup", "m"]);
    steps.run(&[], &["meson", "compile", "-C", "m"]);
    assert_eq!(steps.most_at_once(1), 1, "meson");
    steps.check_asked(&["meson", "compile", "-C", "m", "-j", "2"]);
}

#[test]
fn make_takes_its_jobs_from_the_jobserver() {
    if is_missing(&["make"]) {
        return;
    }
    let steps = Steps::new();
    steps.bench.file("Makefile", &format!("all: a b c\na b c:\n\t{}\n", steps.step()));
    // A plain make runs one job at a time because its author wanted that.
    steps.run(&[], &["make"]);
    assert_eq!(steps.most_at_once(1), 1);
    steps.check_asked(&["make", "-j2"]);
    // The user's own jobs are asked for like those of the command.
    steps.run(&[("MAKEFLAGS", "-j2")], &["make", "all"]);
    assert_eq!((steps.most_at_once(2), steps.most_at_once(1)), (2, 1));
}

const PACKAGE: &str = "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";

#[test]
fn jobs_in_cargo_s_configuration_stand() {
    let steps = Steps::new();
    steps.bench.file("Cargo.toml", PACKAGE);
    steps.bench.file(".cargo/config.toml", "[build]\njobs = 3\n");
    steps.bench.file(
        "build.rs",
        "fn main() { std::fs::write(\"jobs\", std::env::var(\"NUM_JOBS\").unwrap()).unwrap() }",
    );
    steps.bench.file("src/lib.rs", "");
    steps.run(&[], &["cargo", "check", "--offline"]);
    assert_eq!(fs::read_to_string(steps.bench.path("jobs")).expect("the jobs"), "3");
}

/// A build script is told of its profile; this one's memory is refused as long as there is debug information.
const BUILD_SCRIPT: &str = r#"fn main() {
    if std::env::var("DEBUG").unwrap() != "false" {
        eprintln!("virtual memory exhausted: Cannot allocate memory");
        std::process::exit(1);
    }
}"#;

#[test]
fn less_work_builds_a_crate_without_debug_information() {
    let steps = Steps::new();
    steps.bench.file("Cargo.toml", &format!("{PACKAGE}[profile.release]\ndebug = true\n"));
    steps.bench.file("build.rs", BUILD_SCRIPT);
    steps.bench.file("src/lib.rs", "pub fn f(x: u32) -> u32 { x + 1 }\n");
    for (command, folder) in
        [(&["cargo", "build"][..], "debug"), (&["cargo", "build", "--release"], "release")]
    {
        steps.run(&[], command);
        let library = fs::read(steps.bench.path(&format!("target/{folder}/liba.rlib"))).expect("a library");
        assert!(!library.windows(11).any(|bytes| bytes == b".debug_info"), "{command:?}");
        assert!(steps.bench.report()["attempts"].as_array().expect("attempts").len() > 1, "{command:?}");
    }
}

#[test]
fn ctest_runs_no_more_than_asked() {
    if is_missing(&["ctest"]) {
        return;
    }
    let steps = Steps::new();
    let test = |name: &str| format!("add_test({name} {})\n", steps.step());
    steps.bench.file("CTestTestfile.cmake", &["a", "b", "c"].map(test).concat());
    steps.check_asked(&["ctest", "--output-on-failure", "-j", "2"]);
}

#[test]
fn xdist_runs_no_more_than_asked() {
    if is_missing(&["pytest"]) {
        return;
    }
    let steps = Steps::new();
    let run = format!("subprocess.run('{}', check=True)", steps.step());
    let tests = ["a", "b", "c"].map(|name| format!("def test_{name}(): {run}\n")).concat();
    steps.bench.file("test_a.py", &format!("import subprocess\n{tests}"));
    steps.check_asked(&["pytest", "-p", "no:cacheprovider", "-n", "2", "test_a.py"]);
}

/// Threads of one process that allocate, all alive at once, and then glibc's own word on its arenas.
const ARENAS: &str = "
import ctypes, threading
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(7)
def allocate():
    libc.malloc(100000)
    together.wait()
    together.wait()
for _ in range(6): threading.Thread(target=allocate).start()
together.wait()
file = ctypes.c_void_p(libc.fopen(b'arenas', b'w'))
libc.malloc_info(0, file)
libc.fclose(file)
together.wait()
";

#[test]
fn glibc_keeps_to_two_arenas() {
    if is_missing(&["python3"]) {
        return;
    }
    let steps = Steps::new();
    steps.bench.file("arenas.py", ARENAS);
    let arenas = |env: &[(&str, &str)]| {
        steps.run(env, &["python3", "arenas.py"]);
        fs::read_to_string(steps.bench.path("arenas")).expect("glibc's word").matches("<heap nr=").count()
    };
    assert_eq!(arenas(&[]), 2);
    assert_eq!(arenas(&[("MALLOC_ARENA_MAX", "4")]), 4);
}
