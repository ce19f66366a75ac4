//! Knobs of Maven and Gradle, seen by the real ones through the built binary. `dev/tools` fetches the plugin that
//! forks JVMs, so that the tests are offline; a test whose tool is missing says so and ends.

#[allow(dead_code)]
mod common;

use common::steps::{Steps, is_missing};
use common::tools;

/// With less two workers' heaps do not fit beside the main one, and fewer are started at once.
const ROOM_FOR_TWO: &str = "3GiB";

/// The numbers that stand behind a word in what a tool printed.
fn numbers_after(word: &str, said: &str) -> Vec<u64> {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    said.split(word).skip(1).filter_map(|rest| digits(rest.trim_start()).parse().ok()).collect()
}

/// Whether a JVM tells of this heap: rounded up to its regions, or without the part it copies into.
fn is_heap(said_mib: u64, set_mib: u64) -> bool {
    (set_mib * 9 / 10..=set_mib + 2).contains(&said_mib)
}

fn heap_mib(steps: &Steps) -> u64 {
    steps.bench.report()["attempts"][0]["heap_bytes"].as_u64().expect("a heap") >> 20
}

#[test]
fn maven_itself_has_the_main_heap() {
    if is_missing(&["mvn"]) {
        return;
    }
    let steps = Steps::new();
    // The JVM's own table of its flags comes before Maven's version.
    let said_mib = |env: &[(&str, &str)]| {
        let said = steps.run(env, &["mvn", "-v"]).replace(" = ", " ");
        let worker_mib = numbers_after("JAVA_TOOL_OPTIONS: -XX:+ExitOnOutOfMemoryError -Xmx", &said);
        (numbers_after("size_t MaxHeapSize ", &said)[0] >> 20, worker_mib)
    };
    let (ours_mib, worker_mib) = said_mib(&[("MAVEN_OPTS", "-XX:+PrintFlagsFinal")]);
    assert!(is_heap(ours_mib, heap_mib(&steps)), "{ours_mib}");
    assert!(!is_heap(ours_mib, worker_mib[0]), "the workers have another: {worker_mib:?}");
    assert_eq!(said_mib(&[("MAVEN_OPTS", "-XX:+PrintFlagsFinal -Xmx300m")]).0, 300);
    assert_eq!(said_mib(&[("JAVA_TOOL_OPTIONS", "-XX:+PrintFlagsFinal -Xmx300m")]).0, 300);
}

#[test]
fn surefire_forks_as_many_jvms_as_asked_with_the_workers_heap() {
    let maven = tools().join("maven");
    if is_missing(&["mvn"]) || !maven.join("complete").exists() {
        eprintln!("skipped: no mvn, or no surefire in target/tools; run dev/tools");
        return;
    }
    let steps = Steps::within(ROOM_FOR_TWO, 1.5);
    steps.bench.file("pom.xml", include_str!("maven/pom.xml"));
    let maven = maven.canonicalize().expect("a path").display().to_string();
    let repository = format!("-Dmaven.repo.local={maven}/repository");
    let classes = format!("-Dclasses={maven}/classes");
    let said =
        steps.check_asked(&["mvn", "-o", "-B", "-DforkCount=2", &repository, &classes, "surefire:test"]);
    let (heaps, set) = (numbers_after("heap=", &said), numbers_after("wanted=", &said));
    assert!(heaps.len() >= 4 && heaps.len() == set.len(), "{said}");
    assert!(heaps.iter().zip(&set).all(|(said_mib, set_mib)| is_heap(*said_mib, *set_mib)), "{said}");
}

/// Prints the workers and the heap of the daemon; with more workers than one its memory is refused.
const GRADLE: &str = r#"
task show { doLast {
  def workers = gradle.startParameter.maxWorkerCount
  println "workers=$workers heap=${Runtime.runtime.maxMemory() >> 20}"
  if (workers > 1) throw new GradleException("virtual memory exhausted: Cannot allocate memory")
} }
"#;

#[test]
fn gradle_has_its_heap_and_its_workers() {
    if is_missing(&["gradle"]) {
        return;
    }
    let steps = Steps::within(ROOM_FOR_TWO, 1.5);
    steps.bench.file("build.gradle", GRADLE);
    let own = steps.bench.path("gradle").display().to_string();
    let show = ["gradle", "--offline", "--no-daemon", "-q", "show"];
    let run = |command: &[&str]| {
        let said = steps.run(&[("GRADLE_USER_HOME", &own)], command);
        (numbers_after("workers=", &said), numbers_after("heap=", &said))
    };
    let (workers, heaps) = run(&show);
    assert_eq!(workers, [1]);
    assert!(is_heap(heaps[0], heap_mib(&steps)), "{heaps:?}");
    steps.bench.file("gradle/gradle.properties", "org.gradle.jvmargs=-Xmx150m\n");
    let (workers, heaps) = run(&[&show[..], &["--max-workers=2"]].concat());
    assert_eq!(workers, [2, 1], "the number asked for stands until it has died");
    assert!(is_heap(heaps[0], 150), "the user's own heap: {heaps:?}");
}
