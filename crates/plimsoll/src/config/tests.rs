use super::*;
use plimsoll_core::capacity::observing::Names;
use plimsoll_core::size::{GIB, MIB};
use std::fs;

#[test]
fn everything_it_can_say() {
    let text = "
limit: 2GiB
mode: safe
attempts: 3
timeout: 1h30m
job: app
store: .cache/plimsoll
env: {CI: 'true'}
clean: [dist]
retry: [{exit_code: 7, max: 2}, {text: ECONNRESET}]
modes:
  critical: {from: 3Gi, jobs_percent: 25, less_work: {GENERATE_SOURCEMAP: 'false'}}
";
    let config = parse("plimsoll.yaml", text).unwrap();
    assert_eq!(
        (config.limit_bytes, config.mode, config.attempts),
        (Some(2 * GIB), Some(Mode::Safe), Some(3))
    );
    assert_eq!(config.timeout, Some(Duration::from_secs(5400)));
    assert_eq!(config.store, Some(PathBuf::from(".cache/plimsoll")));
    assert_eq!((config.retry[0].exit_code, config.retry[0].max, config.retry[1].max), (Some(7), 2, 1));
    let critical = config.modes.spec(Mode::Critical);
    assert_eq!((critical.from_bytes, critical.jobs_percent), (3 * GIB, 25));
    assert_eq!(critical.reserve_percent, Modes::default().spec(Mode::Critical).reserve_percent);
    assert_eq!(critical.less_work_env["GENERATE_SOURCEMAP"], "false");
    assert_eq!(config.modes.spec(Mode::Safe), Modes::default().spec(Mode::Safe));
}

#[test]
fn the_shipped_example_is_understood() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plimsoll.yaml");
    let config = load(Some(&path), Path::new("/")).unwrap();
    assert_eq!((config.limit_bytes, config.retry.len()), (Some(3500 * MIB), 2));
}

#[test]
fn nothing_is_the_default() {
    let check = |text: &str| assert_eq!(parse("x", text).unwrap(), Config::default(), "{text:?}");
    check("");
    check("# only a comment\n");
    check("{}");
    check("mode: auto");
    assert_eq!(parse("x", "limit: 536870912").unwrap().limit_bytes, Some(512 * MIB));
}

#[test]
fn whom_to_observe() {
    let observe = |text: &str| {
        let text = format!("capacity: {{observe: {text}}}");
        parse("x", &text).map(|config| config.capacity.and_then(|it| it.observe).expect("it is there"))
    };
    let found = observe("{scrape: ['http://backend-0:3000/metrics']}").unwrap();
    assert_eq!(found.from, Watched::Pods(vec!["http://backend-0:3000/metrics".to_string()]));
    assert_eq!((found.every, found.names), (Duration::from_secs(30), Names::default()));
    let found = observe(
        "{prometheus: 'http://p:9090', every: 1m, labels: {job: app}, names: {roles: users, rename: {guest: participant_video}}}",
    )
    .unwrap();
    let labels = BTreeMap::from([("job".to_string(), "app".to_string())]);
    assert_eq!(found.from, Watched::Prometheus { url: "http://p:9090".to_string(), labels });
    assert_eq!(
        (found.names.roles.as_str(), found.names.rename["guest"].as_str()),
        ("users", "participant_video")
    );
    let check = |text: &str, expect: &str| {
        let error = observe(text).unwrap_err().to_string();
        assert!(error.contains(expect) && error.contains('\n'), "{text}: {error}");
    };
    check("{}", "it takes either scrape or prometheus");
    check("{scrape: [a], prometheus: b}", "it takes either scrape or prometheus");
    check("{scrape: [a, b, a]}", "scrape: 'a' is there twice");
    check("{scrape: [a], every: 6m}", "every: 360 s is out of range");
    check("{scrape: [a], every: 1500ms}", "every: 1.5 s is out of range");
    check("{scrape: [a], names: {memory: 'a b'}}", "names.memory: 'a b' is no name");
    check("{scrape: [a], names: {rename: {x: X}}}", "names.rename: role \"X\": not a name");
    check("{prometheus: a, labels: {'a-b': c}}", "labels: 'a-b' is no label");
    check("{scrape: [a], name: {}}", "did you mean 'names'?");
}

#[test]
fn mistakes_are_named_with_their_line() {
    let check = |text: &str, expect: &[&str]| {
        let error = parse("plimsoll.yaml", text).unwrap_err().to_string();
        for part in expect {
            assert!(error.contains(part), "{text:?} said {error:?}, not {part:?}");
        }
    };
    check("job: a\nlimt: 2GiB", &["plimsoll.yaml:2:", "unknown key 'limt'\ndid you mean 'limit'?"]);
    check("zebra: 1", &["plimsoll.yaml:1:", "unknown key 'zebra'\nknown are limit, mode"]);
    check("job: a\nlimit: lots", &[":2:", "'lots' is not a size"]);
    check("mode: turbo", &["'turbo' is no mode"]);
    check("timeout: soon", &["'soon' is not a duration"]);
    check("modes: {critcal: {}}", &["unknown value 'critcal'\ndid you mean 'critical'?"]);
    check("modes:\n  safe:\n    job_percent: 3", &[":3:", "did you mean 'jobs_percent'?"]);
    check("modes: {safe: {jobs_percent: 0}}", &["modes.safe.jobs_percent: 0 is out of range"]);
    check("attempts: 21", &["attempts: 21 is out of range"]);
    check("retry: [{max: 2}]", &["neither exit_code nor text"]);
    check("retry: [{exit_code: 0}]", &["exit_code 0 is no failure"]);
    check("retry: [{text: ''}]", &["text is empty"]);
    for path in ["/", "..", "a/../../b", "/tmp/x", "''", "."] {
        check(&format!("clean: [{path}]"), &["is not below the working folder"]);
    }
    check("env: {'A=B': c}", &["env: 'A=B' cannot be a variable's name"]);
    check("modes: {safe: {less_work: {'': c}}}", &["modes.safe.less_work: '' cannot be"]);
    check("modes: {safe: {from: 7GiB}}", &["modes.optimized.from: not above modes.safe.from"]);
    check("[", &["plimsoll.yaml:1:"]);
}

#[test]
fn the_nearest_up_to_the_repository_is_taken() {
    let root = tempfile::tempdir().unwrap();
    let deep = root.path().join("repo/a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(root.path().join(FILE_NAME), "job: outside").unwrap();
    assert_eq!(load(None, &deep).unwrap().job, None, "outside a repository only here");
    fs::create_dir(root.path().join("repo/.git")).unwrap();
    assert_eq!(load(None, &deep).unwrap().job, None, "not above the repository");
    fs::write(root.path().join("repo").join(FILE_NAME), "job: root").unwrap();
    assert_eq!(load(None, &deep).unwrap().job.as_deref(), Some("root"));
    fs::write(deep.join(FILE_NAME), "job: here").unwrap();
    assert_eq!(load(None, &deep).unwrap().job.as_deref(), Some("here"));
    let given = root.path().join(FILE_NAME);
    assert_eq!(load(Some(&given), &deep).unwrap().job.as_deref(), Some("outside"));
    let absent = load(Some(Path::new("absent.yaml")), &deep).unwrap_err().to_string();
    assert!(absent.starts_with("absent.yaml: "), "{absent}");
}
