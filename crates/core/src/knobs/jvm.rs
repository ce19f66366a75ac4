//! The JVM: the build's own heap, the heaps of the JVMs it forks, and an exit code that says "out of memory".

use super::{Knob, KnobInput, flags, knob, mib};

/// Flags that size a heap.
const HEAP_FLAGS: [&str; 4] = ["-Xmx", "-XX:MaxHeapSize", "-XX:MaxRAMPercentage", "-XX:MaxRAM="];
/// Without it a JVM that is out of heap exits with 1, like any failure; with it 3 (measured on JDK 17).
const EXIT_FLAG: &str = "-XX:+ExitOnOutOfMemoryError";
/// What a user may have chosen to happen instead.
const OUT_OF_MEMORY_FLAGS: [&str; 4] =
    [EXIT_FLAG, "-XX:-ExitOnOutOfMemoryError", "-XX:+CrashOnOutOfMemoryError", "-XX:OnOutOfMemoryError"];
/// Variables every JVM reads; a heap in one of them is the user's choice for all.
const EVERY_JVM: [&str; 3] = ["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"];

/// Everything for a command whose main process is a JVM.
pub fn knobs(input: &KnobInput) -> Vec<Knob> {
    let setting = input.setting;
    let mut knobs = Vec::new();
    match input.shape.tool {
        Some("mvn") => {
            knobs.extend(tool_options(input, setting.worker_heap_bytes));
            knobs.extend(maven_options(input));
        }
        Some("gradle") => {
            // Gradle gives its test JVMs a heap of their own on the command line, 512 MiB where the build says nothing.
            knobs.extend(tool_options(input, None));
            knobs.extend(gradle_options(input));
        }
        _ => knobs.extend(tool_options(input, setting.heap_bytes)),
    }
    knobs
}

fn heap_is_users(input: &KnobInput) -> bool {
    EVERY_JVM.iter().any(|name| input.user(name).is_some_and(|value| flags::has(value, &HEAP_FLAGS)))
}

/// `JAVA_TOOL_OPTIONS` reaches every JVM below, forked test JVMs too; a flag on the command line beats it.
fn tool_options(input: &KnobInput, heap_bytes: Option<u64>) -> Option<Knob> {
    if !input.java_tool_options {
        return None;
    }
    let user = input.user("JAVA_TOOL_OPTIONS");
    let mut ours = Vec::new();
    if !user.is_some_and(|value| flags::has(value, &OUT_OF_MEMORY_FLAGS)) {
        ours.push(EXIT_FLAG.to_string());
    }
    if let Some(heap_bytes) = heap_bytes.filter(|_| !heap_is_users(input)) {
        ours.push(format!("-Xmx{}m", mib(heap_bytes)));
    }
    let reason = "a full heap exits with 3; heap of each forked JVM by the budget";
    (!ours.is_empty()).then(|| knob("JAVA_TOOL_OPTIONS", flags::append(user, &ours), reason))
}

/// Maven's own JVM: `MAVEN_OPTS` is on its command line and beats `JAVA_TOOL_OPTIONS`.
fn maven_options(input: &KnobInput) -> Option<Knob> {
    let user = input.user("MAVEN_OPTS");
    let project = input.project.maven_jvm_config.as_deref();
    let is_set = [user, project].into_iter().flatten().any(|value| flags::has(value, &HEAP_FLAGS));
    let heap_bytes = input.setting.heap_bytes.filter(|_| !is_set && !heap_is_users(input))?;
    let ours = [format!("-Xmx{}m", mib(heap_bytes))];
    Some(knob("MAVEN_OPTS", flags::append(user, &ours), "heap of Maven's own JVM by the budget"))
}

/// Gradle reads `-Dorg.gradle.*` from `GRADLE_OPTS` before `gradle.properties`.
fn gradle_options(input: &KnobInput) -> Option<Knob> {
    let user = input.user("GRADLE_OPTS");
    let is_set = |key: &str| {
        user.is_some_and(|value| flags::has(value, &[&format!("-D{key}=")]))
            || input.project.gradle_properties.iter().flat_map(|text| text.lines()).any(|line| {
                line.trim_start()
                    .strip_prefix(key)
                    .is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
            })
    };
    let mut ours = Vec::new();
    if !is_set("org.gradle.workers.max") {
        ours.push(format!("-Dorg.gradle.workers.max={}", input.setting.jobs));
    }
    if let Some(heap_bytes) =
        input.setting.heap_bytes.filter(|_| !is_set("org.gradle.jvmargs") && !heap_is_users(input))
    {
        // One flag only: a second one would need a space, and quotes that not every launcher takes off.
        ours.push(format!("-Dorg.gradle.jvmargs=-Xmx{}m", mib(heap_bytes)));
    }
    let reason = "heap of Gradle's daemon and its workers by the budget";
    (!ours.is_empty()).then(|| knob("GRADLE_OPTS", flags::append(user, &ours), reason))
}
