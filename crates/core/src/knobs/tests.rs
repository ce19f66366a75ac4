use super::*;
use crate::mode::Mode;
use crate::program::recognise;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn setting() -> Setting {
    Setting {
        mode: Mode::Critical,
        jobs: 2,
        heap_bytes: Some(1024 * MIB),
        worker_heap_bytes: Some(512 * MIB),
        less_work: false,
    }
}

/// What a test may change before the plan is made.
#[derive(Default)]
struct Change {
    jobserver: Vec<(String, String)>,
    preload_path: Option<&'static str>,
    report_dir: Option<&'static str>,
    node: Option<NodeFlags>,
    java_refuses: bool,
    project: ProjectFlags,
    less_work: bool,
    mode_env: BTreeMap<String, String>,
    less_work_env: BTreeMap<String, String>,
}

/// The plan for a command in the user's environment.
fn planned(command: &str, env: &[(&str, &str)], change: Change) -> BTreeMap<String, String> {
    let argv: Vec<String> = command.split(' ').map(str::to_string).collect();
    let knobs = plan(&KnobInput {
        setting: &Setting { less_work: change.less_work, ..setting() },
        shape: &recognise(&argv, &[]),
        env: &map(env),
        budget_bytes: Some(2048 * MIB),
        jobserver: &change.jobserver,
        preload_path: change.preload_path.or(Some("/tmp/p/preload.cjs")),
        report_dir: change.report_dir,
        node: change.node.unwrap_or(NodeFlags::ALL),
        java_tool_options: !change.java_refuses,
        project: &change.project,
        mode_env: &change.mode_env,
        less_work_env: &change.less_work_env,
    });
    knobs.into_iter().map(|knob| (knob.name, knob.value)).collect()
}

/// Command, the user's environment, a variable, and what we set it to.
type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str, Option<&'static str>);

#[test]
fn the_user_wins() {
    #[rustfmt::skip]
    let rows: &[Row] = &[
        ("webpack", &[], "NODE_OPTIONS", Some("--max-old-space-size=1024 --require /tmp/p/preload.cjs")),
        ("webpack", &[("NODE_OPTIONS", "--max-old-space-size=99")], "NODE_OPTIONS", Some("--max-old-space-size=99 --require /tmp/p/preload.cjs")),
        ("webpack", &[("NODE_OPTIONS", "--max_old_space_size=99")], "NODE_OPTIONS", Some("--max_old_space_size=99 --require /tmp/p/preload.cjs")),
        ("webpack", &[("NODE_OPTIONS", "--max-old-space-size-percentage=50")], "NODE_OPTIONS", Some("--max-old-space-size-percentage=50 --require /tmp/p/preload.cjs")),
        ("webpack", &[("NODE_OPTIONS", "--enable-source-maps")], "NODE_OPTIONS", Some("--enable-source-maps --max-old-space-size=1024 --require /tmp/p/preload.cjs")),
        ("make", &[], "NODE_OPTIONS", Some("--require /tmp/p/preload.cjs")),
        ("mvn verify", &[], "NODE_OPTIONS", None),
        // It would beat `--maxWorkers` and undo `--no-file-parallelism`.
        ("vitest", &[], "VITEST_MAX_WORKERS", None),
        ("turbo run build", &[], "TURBO_CONCURRENCY", Some("2")),
        ("turbo run build", &[("TURBO_CONCURRENCY", "7")], "TURBO_CONCURRENCY", None),
        ("nx run-many -t build", &[], "NX_PARALLEL", Some("2")),
        ("nx run-many -t build", &[("NX_PARALLEL", "7")], "NX_PARALLEL", None),
        ("npm run build", &[], "npm_config_workspace_concurrency", None),
        ("pnpm -r build", &[], "npm_config_workspace_concurrency", Some("2")),
        ("pnpm -r build", &[], "pnpm_config_workspace_concurrency", Some("2")),
        ("pnpm -r build", &[("npm_config_workspace_concurrency", "7")], "npm_config_workspace_concurrency", None),
        ("pnpm -r build", &[("PNPM_CONFIG_WORKSPACE_CONCURRENCY", "7")], "pnpm_config_workspace_concurrency", None),
        ("mvn verify", &[], "JAVA_TOOL_OPTIONS", Some("-XX:+ExitOnOutOfMemoryError -Xmx512m")),
        ("mvn verify", &[], "MAVEN_OPTS", Some("-Xmx1024m")),
        ("mvn verify", &[("MAVEN_OPTS", "-Xmx3g")], "MAVEN_OPTS", None),
        ("mvn verify", &[("MAVEN_OPTS", "-Dx=y")], "MAVEN_OPTS", Some("-Dx=y -Xmx1024m")),
        ("mvn verify", &[("JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=50")], "JAVA_TOOL_OPTIONS", Some("-XX:MaxRAMPercentage=50 -XX:+ExitOnOutOfMemoryError")),
        ("mvn verify", &[("JAVA_TOOL_OPTIONS", "-XX:+CrashOnOutOfMemoryError -Xmx1g")], "JAVA_TOOL_OPTIONS", None),
        ("java -jar x.jar", &[], "JAVA_TOOL_OPTIONS", Some("-XX:+ExitOnOutOfMemoryError -Xmx1024m")),
        ("make", &[], "JAVA_TOOL_OPTIONS", None),
        ("gradle build", &[], "GRADLE_OPTS", Some("-Dorg.gradle.workers.max=2 -Dorg.gradle.jvmargs=-Xmx1024m")),
        ("gradle build", &[("GRADLE_OPTS", "-Dorg.gradle.workers.max=9")], "GRADLE_OPTS", Some("-Dorg.gradle.workers.max=9 -Dorg.gradle.jvmargs=-Xmx1024m")),
        ("gradle build", &[], "JAVA_TOOL_OPTIONS", Some("-XX:+ExitOnOutOfMemoryError")),
        ("go build", &[], "GOFLAGS", Some("-p=2")),
        ("go build", &[("GOFLAGS", "-mod=mod")], "GOFLAGS", Some("-mod=mod -p=2")),
        ("go build", &[("GOFLAGS", "-mod=mod -p=8")], "GOFLAGS", None),
        ("go build", &[("GOFLAGS", "-pgo=off")], "GOFLAGS", Some("-pgo=off -p=2")),
        ("go build", &[], "GOMEMLIMIT", Some("921MiB")),
        ("cargo build", &[], "GOMEMLIMIT", None),
        ("cargo build", &[], "CARGO_BUILD_JOBS", Some("2")),
        ("cargo build", &[("CARGO_BUILD_JOBS", "")], "CARGO_BUILD_JOBS", Some("2")),
        ("cargo build", &[("CARGO_BUILD_JOBS", "4")], "CARGO_BUILD_JOBS", None),
        ("buildctl-daemonless.sh build", &[], "BUILDKITD_FLAGS", Some("--oci-max-parallelism=2")),
        ("buildctl build", &[("BUILDKITD_FLAGS", "--debug")], "BUILDKITD_FLAGS", Some("--debug --oci-max-parallelism=2")),
        ("buildctl build", &[("BUILDKITD_FLAGS", "--oci-max-parallelism 4")], "BUILDKITD_FLAGS", None),
        ("buildctl build", &[("BUILDKITD_FLAGS", "--config=/b.toml")], "BUILDKITD_FLAGS", None),
        ("docker build", &[], "BUILDKITD_FLAGS", None),
        ("pytest -n auto", &[], "PYTEST_XDIST_AUTO_NUM_WORKERS", Some("2")),
        ("cmake --build b", &[], "CMAKE_BUILD_PARALLEL_LEVEL", None),
        ("make", &[], "PLIMSOLL_HEAP_MIB", Some("1024")),
        ("make", &[], "PLIMSOLL_MODE", Some("critical")),
        ("make", &[], "MALLOC_ARENA_MAX", None),
    ];
    for (command, env, name, expect) in rows {
        let knobs = planned(command, env, Change::default());
        assert_eq!(knobs.get(*name).map(String::as_str), *expect, "{command} {env:?} {name}");
    }
}

#[test]
fn a_refused_flag_is_not_set() {
    let knobs = planned("webpack", &[], Change { node: Some(NodeFlags::NONE), ..Change::default() });
    assert_eq!(knobs.get("NODE_OPTIONS"), None);
    let knobs = planned("mvn verify", &[], Change { java_refuses: true, ..Change::default() });
    assert_eq!(knobs.get("JAVA_TOOL_OPTIONS"), None);
}

#[test]
fn paths_with_spaces_are_quoted() {
    let knobs = planned(
        "tsc",
        &[],
        Change { preload_path: Some("/a b/p.cjs"), report_dir: Some("/r \"x"), ..Change::default() },
    );
    let expect = "--max-old-space-size=1024 --require \"/a b/p.cjs\" --report-on-fatalerror --report-compact \
                  --report-directory=\"/r \\\"x\"";
    assert_eq!(knobs["NODE_OPTIONS"], expect);
}

#[test]
fn the_projects_files_win() {
    let project = ProjectFlags {
        maven_jvm_config: Some("-Xmx2g\n".to_string()),
        gradle_properties: vec!["org.gradle.jvmargs = -Xmx3g\n".to_string()],
        go_env: vec!["GOPROXY=off\nGOFLAGS=-mod=mod\n".to_string()],
        cargo_configs: vec!["[term]\njobs = 3\n".to_string(), "[build]\njobs = 3\n".to_string()],
        buildkitd_configs: vec!["[worker.oci]\nmax-parallelism = 4\n".to_string()],
        ..ProjectFlags::default()
    };
    assert_eq!(
        planned("mvn verify", &[], Change { project: project.clone(), ..Change::default() })
            .get("MAVEN_OPTS"),
        None
    );
    let knobs = planned("gradle build", &[], Change { project: project.clone(), ..Change::default() });
    assert_eq!(knobs["GRADLE_OPTS"], "-Dorg.gradle.workers.max=2");
    let planned =
        |command, env| planned(command, env, Change { project: project.clone(), ..Change::default() });
    assert_eq!(planned("go build", &[])["GOFLAGS"], "-mod=mod -p=2");
    assert_eq!(planned("go build", &[("GOFLAGS", "-x")])["GOFLAGS"], "-x -p=2");
    assert_eq!(planned("cargo build", &[]).get("CARGO_BUILD_JOBS"), None);
    assert_eq!(planned("buildctl build", &[]).get("BUILDKITD_FLAGS"), None);
}

#[test]
fn cargo_s_jobs_are_found_in_its_configuration() {
    let check = |text: &str, expect| {
        let project = ProjectFlags { cargo_configs: vec![text.to_string()], ..ProjectFlags::default() };
        let knobs = planned("cargo build", &[], Change { project, ..Change::default() });
        assert_eq!(!knobs.contains_key("CARGO_BUILD_JOBS"), expect, "{text}");
    };
    check("[build]\nrustflags = []\njobs=1", true);
    check("build.jobs = 1\n", true);
    check("[build]\n# jobs = 1\n[net]\njobs = 1\n", false);
    check("[profile.dev]\nbuild.jobs = 1\n", false);
}

#[test]
fn numbers_of_tasks_in_the_project_s_files_stay() {
    let project = ProjectFlags { settled: BTreeSet::from(["NX_PARALLEL"]), ..ProjectFlags::default() };
    let knobs = planned("nx run-many", &[], Change { project: project.clone(), ..Change::default() });
    assert_eq!(knobs.get("NX_PARALLEL"), None);
    assert_eq!(knobs["TURBO_CONCURRENCY"], "2");
    // What the user wrote into plimsoll.yaml is set all the same.
    let mode_env = map(&[("NX_PARALLEL", "9")]);
    let knobs = planned("nx run-many", &[], Change { project, mode_env, ..Change::default() });
    assert_eq!(knobs["NX_PARALLEL"], "9");
}

#[test]
fn cmake_gets_a_level_only_where_ninja_would_count_the_cores() {
    let check = |cmake_ninja, ninja_is_client, with_jobserver: bool, expect: bool| {
        let project = ProjectFlags { cmake_ninja, ninja_is_client, ..ProjectFlags::default() };
        let jobserver = match with_jobserver {
            true => vec![("MAKEFLAGS".to_string(), " -j".to_string())],
            false => Vec::new(),
        };
        let knobs = planned(
            "cmake --build b",
            &[],
            Change { project: project.clone(), jobserver, ..Change::default() },
        );
        assert_eq!(knobs.contains_key("CMAKE_BUILD_PARALLEL_LEVEL"), expect, "{project:?} {with_jobserver}");
    };
    check(true, true, true, false);
    check(true, false, true, true);
    check(true, true, false, true);
    check(false, true, false, false);
}

#[test]
fn the_modes_own_variables_beat_ours_and_the_users_beat_them() {
    let mode_env = map(&[("CARGO_BUILD_JOBS", "1"), ("FOO", "mode")]);
    let knobs = planned("cargo build", &[("FOO", "mine")], Change { mode_env, ..Change::default() });
    assert_eq!(knobs["CARGO_BUILD_JOBS"], "1");
    assert_eq!(knobs.get("FOO"), None);
    let less_work_env = map(&[("FOO", "less")]);
    assert_eq!(planned("cargo build", &[], Change { less_work_env, ..Change::default() }).get("FOO"), None);
}

#[test]
fn less_work_leaves_debug_information_out() {
    let planned = |command: &str, env: &[(&str, &str)], less_work| {
        planned(command, env, Change { less_work, ..Change::default() })
    };
    let name = "CARGO_PROFILE_DEV_DEBUG";
    assert_eq!(planned("cargo build", &[], true)[name], "false");
    assert_eq!(planned("cargo build", &[], true)["CARGO_PROFILE_RELEASE_DEBUG"], "false");
    assert_eq!(planned("cargo build", &[], false).get(name), None);
    assert_eq!(planned("cargo build", &[(name, "1")], true).get(name), None);
    assert_eq!(planned("make", &[], true).get(name), None);
}

#[test]
fn placeholders_are_filled() {
    let check = |setting: &Setting, word: &str, expect: &str| {
        assert_eq!(fill(&[word.to_string()], setting), [expect.to_string()]);
    };
    check(&setting(), "-Xmx{heap_mib}m", "-Xmx1024m");
    check(&setting(), "-j{jobs}:{worker_heap_mib}", "-j2:512");
    check(&setting(), "{}", "{}");
    let bare = Setting { heap_bytes: None, worker_heap_bytes: None, ..setting() };
    check(&bare, "-Xmx{heap_mib}m -j{jobs}", "-Xmx{heap_mib}m -j2");
}

#[test]
fn heap_reports_are_told_from_others() {
    let check = |text: &str, expect| assert_eq!(is_heap_report(text), expect, "{text}");
    check(
        r#"{"header":{"reportVersion":4,"event":"Allocation failed","trigger":"OOMError","filename":"x"}}"#,
        true,
    );
    check("{\n  \"header\": {\n    \"reportVersion\": 3,\n    \"trigger\": \"OOMError\"", true);
    check(r#"{"header":{"reportVersion":4,"trigger":"FatalError"}}"#, false);
    check("", false);
    check("\"trigger\":\"OOMError\"", false);
}

proptest::proptest! {
    #[test]
    fn what_the_user_set_is_kept(value in "[a-z=-]{1,12}( [a-z=-]{1,12}){0,3}", command in "webpack|mvn x|go build|make|gradle x") {
        let names = ["NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "MAVEN_OPTS", "GRADLE_OPTS", "GOFLAGS", "CARGO_BUILD_JOBS"];
        let env: Vec<(&str, &str)> = names.iter().map(|name| (*name, value.as_str())).collect();
        for (name, planned) in planned(&command, &env, Change::default()) {
            if names.contains(&name.as_str()) {
                proptest::prop_assert!(planned.starts_with(&value), "{name} {planned}");
            }
        }
    }
}
