//! Blocks that the real promtool has made and the real Prometheus deletes from, read by us and by promtool.

use plimsoll_history::tsdb::Folder;
use plimsoll_history::{Labels, Point, Range, Selector, Sink};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Times and values, these as bits, by series. A time that comes twice is there once.
type Found = BTreeMap<Labels, BTreeMap<i64, u64>>;

const ALL: Range = Range { from_ms: i64::MIN, to_ms: i64::MAX };
/// When a block begins: they are cut every two hours of Unix time.
const START_MS: i64 = 1_699_999_200_000;
const MINUTE_MS: i64 = 60_000;
const BYTES: &str = "container_memory_working_set_bytes";
const RSS: &str = "container_memory_rss";
/// What may be in a value of a label.
const ODD: &str = r#"a "quoted" \ pod, ünïcode 雪=1}"#;

fn tool(name: &str) -> Command {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin").join(name);
    Command::new(if own.exists() { own } else { name.into() })
}

/// Runs promtool's `tsdb` and gives what it prints.
fn promtool(arguments: &[&str]) -> String {
    let done = tool("promtool").arg("tsdb").args(arguments).output();
    let done = done.expect("promtool cannot be started; install it with: make tools");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Five hours of three metrics and two namespaces, with what real history has: gaps, pods that come and go, NaNs.
fn openmetrics(shift_ms: i64) -> String {
    let mut text = String::new();
    for (number, metric) in [RSS, BYTES, "up"].iter().enumerate() {
        let _ = writeln!(text, "# TYPE {metric} gauge");
        for (namespace, pod) in [("shop", "web-1"), ("shop", ODD), ("till", "web-1"), ("", "nowhere")] {
            let pod = pod.replace('\\', r"\\").replace('"', r#"\""#);
            for minute in 0..300 {
                let is_late = pod.starts_with('a') && minute < 130;
                let is_missed = namespace == "till" && minute % 7 == 3;
                if is_late || is_missed || (100..115).contains(&minute) {
                    continue;
                }
                // A bit off the minute, as scrapes are.
                let at_ms = START_MS + minute * MINUTE_MS + (minute * minute + number as i64) % 13 + shift_ms;
                let value = match minute % 50 {
                    17 => "NaN".to_string(),
                    18 => "+Inf".to_string(),
                    19 => "0.1".to_string(),
                    _ => (5_000_000 + minute * 4096 % 99_991).to_string(),
                };
                let namespace = Some(namespace).filter(|name| !name.is_empty());
                let namespace = namespace.map_or(String::new(), |name| format!("namespace=\"{name}\","));
                let (at_s, at_ms) = (at_ms / 1000, at_ms % 1000);
                let _ = writeln!(text, "{metric}{{{namespace}pod=\"{pod}\"}} {value} {at_s}.{at_ms:03}");
            }
        }
    }
    text + "# EOF\n"
}

/// Adds blocks to a folder, and what makes it look like a server's to promtool.
fn create(folder: &Path, text: &str) {
    std::fs::create_dir_all(folder.join("wal")).unwrap();
    let input = folder.join("input.txt");
    std::fs::write(&input, text).unwrap();
    promtool(&["create-blocks-from", "openmetrics", input.to_str().unwrap(), folder.to_str().unwrap()]);
    std::fs::remove_file(input).unwrap();
}

/// What promtool says is in a folder, but for NaNs.
fn dumped(folder: &Path) -> Found {
    let mut found = Found::new();
    for line in promtool(&["dump", folder.to_str().unwrap()]).lines() {
        let (labels, reading) = line.rsplit_once("} ").unwrap();
        let (value, at_ms) = reading.split_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        if !value.is_nan() {
            let points = found.entry(labels_of(labels.strip_prefix('{').unwrap())).or_default();
            points.insert(at_ms.parse().unwrap(), value.to_bits());
        }
    }
    assert!(!found.is_empty());
    found
}

/// Labels as Go quotes them; of what it escapes, we have only quotes and backslashes.
fn labels_of(text: &str) -> Labels {
    let (mut pairs, mut rest) = (Vec::new(), text);
    while let Some((name, quoted)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut chars = quoted.chars();
        loop {
            match chars.next().unwrap() {
                '"' => break,
                '\\' => value.push(chars.next().filter(|escaped| r#""\"#.contains(*escaped)).unwrap()),
                plain => value.push(plain),
            }
        }
        pairs.push((name.to_string(), value));
        rest = chars.as_str().trim_start_matches(", ");
    }
    Labels::new(pairs)
}

#[derive(Default)]
struct Seen {
    found: Found,
    of: Labels,
}

impl Sink for Seen {
    fn series(&mut self, labels: &Labels) {
        self.of = labels.clone();
    }

    fn points(&mut self, points: &[Point]) {
        let found = self.found.entry(self.of.clone()).or_default();
        found.extend(points.iter().map(|point| (point.at_ms, point.value.to_bits())));
    }
}

fn seen(folder: &Path, selector: &Selector, range: Range) -> Found {
    let mut seen = Seen::default();
    Folder::open(folder).unwrap().read(selector, range, &mut seen).unwrap();
    seen.found
}

/// What a selector takes of what has been found, in a range.
fn taken(found: &Found, selector: &Selector, range: Range) -> Found {
    let mut taken = found.clone();
    taken.retain(|labels, points| {
        points.retain(|at_ms, _| range.has(*at_ms));
        selector.takes(labels) && !points.is_empty()
    });
    taken
}

fn blocks(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.join("meta.json").exists()).collect()
}

#[test]
fn reads_what_promtool_reads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    create(folder, &openmetrics(0));
    assert_eq!(blocks(folder).len(), 3, "two hours each");
    let dumped = dumped(folder);
    let check = |selector: Selector, from: i64, to: i64, series: usize| {
        let range = Range { from_ms: START_MS + from * MINUTE_MS, to_ms: START_MS + to * MINUTE_MS };
        let seen = seen(folder, &selector, range);
        assert_eq!(seen, taken(&dumped, &selector, range), "{selector:?} {range:?}");
        assert_eq!(seen.len(), series, "{selector:?} {range:?}");
    };
    let bytes = || Selector::metric(BYTES);
    check(bytes(), 0, 400, 4);
    check(Selector::metric(RSS), 0, 400, 4);
    check(Selector::metric("nothing"), 0, 400, 0);
    check(bytes().equal("namespace", "shop"), 0, 400, 2);
    check(bytes().equal("namespace", "shop").equal("pod", ODD), 0, 400, 1);
    check(bytes().equal("namespace", ""), 0, 400, 1);
    check(bytes().present("namespace"), 0, 400, 3);
    check(bytes().equal("pod", "web-1"), 119, 121, 2);
    check(bytes(), 90, 129, 3);
    check(bytes(), 101, 113, 0);
    check(bytes(), -200, -1, 0);
    check(bytes(), 290, 299, 4);
    check(bytes(), 400, 500, 0);
    let check = |label: &str, range: Range, expect: &[&str]| {
        let values = Folder::open(folder).unwrap().values(label, BYTES, range).unwrap();
        assert_eq!(values.iter().map(String::as_str).collect::<Vec<_>>(), expect);
    };
    let first_hour = Range { from_ms: START_MS, to_ms: START_MS + 60 * MINUTE_MS };
    check("namespace", ALL, &["shop", "till"]);
    check("pod", ALL, &[ODD, "nowhere", "web-1"]);
    check("pod", first_hour, &["nowhere", "web-1"]);
}

#[test]
fn blocks_may_overlap() {
    let folder = tempfile::tempdir().unwrap();
    // The same readings twice, and as many others between them.
    [0, 0, 30_000].iter().for_each(|shift_ms| create(folder.path(), &openmetrics(*shift_ms)));
    let dumped = dumped(folder.path());
    let bytes = Selector::metric(BYTES);
    assert_eq!(seen(folder.path(), &bytes, ALL), taken(&dumped, &bytes, ALL));
}

/// A Prometheus on a folder, which ends with this.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path) -> Server {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let config = folder.join("prometheus.yml");
        std::fs::write(&config, "global: {}\n").unwrap();
        let child = tool("prometheus")
            .args(["--web.enable-admin-api", "--storage.tsdb.retention.time=100y", "--log.level=error"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.display()))
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus cannot be started; install it with: make tools");
        let server = Server { child, port };
        let started = Instant::now();
        while !server.ask("GET /-/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            assert!(started.elapsed() < Duration::from_secs(60), "prometheus does not get ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn ask(&self, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        let headers = "Host: localhost\r\nContent-Length: 0\r\nConnection: close";
        write!(stream, "{request} HTTP/1.1\r\n{headers}\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_deleted_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    create(folder, &openmetrics(0));
    let before = dumped(folder);
    let snapshot = {
        let server = Server::start(folder);
        let of = format!("match[]={BYTES}%7Bpod=%22web-1%22%7D");
        let (from_s, to_s) = (START_MS / 1000 + 90 * 60, START_MS / 1000 + 150 * 60);
        let deletion = format!("POST /api/v1/admin/tsdb/delete_series?{of}&start={from_s}&end={to_s}");
        let deleted = server.ask(&deletion).unwrap();
        assert!(deleted.starts_with("HTTP/1.1 204"), "{deleted}");
        let taken = server.ask("POST /api/v1/admin/tsdb/snapshot?skip_head=true").unwrap();
        let (_, name) = taken.split_once(r#""name":""#).expect(&taken);
        folder.join("snapshots").join(name.split_once('"').unwrap().0)
    };
    std::fs::create_dir(snapshot.join("wal")).unwrap();
    let stones = |block: &PathBuf| std::fs::metadata(block.join("tombstones")).unwrap().len();
    assert!(blocks(&snapshot).iter().any(|block| stones(block) > 9), "none but empty tombstones");
    let bytes = Selector::metric(BYTES);
    for place in [folder, &snapshot] {
        let after = dumped(place);
        assert_eq!(seen(place, &bytes, ALL), taken(&after, &bytes, ALL));
        let count = |found: &Found| found.values().map(BTreeMap::len).sum::<usize>();
        assert!(count(&after) + 60 < count(&before));
    }
}

/// What is remembered of a block when it is asked again is of that block.
#[test]
fn a_folder_may_be_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), &openmetrics(0));
    let dumped = dumped(folder.path());
    let blocks = Folder::open(folder.path()).unwrap();
    for metric in [BYTES, RSS, BYTES] {
        for namespace in blocks.values("namespace", metric, ALL).unwrap() {
            let selector = Selector::metric(metric).equal("namespace", &namespace);
            let mut seen = Seen::default();
            blocks.read(&selector, ALL, &mut seen).unwrap();
            assert_eq!(seen.found, taken(&dumped, &selector, ALL));
        }
    }
}

/// Whatever byte of a real block changes, and wherever its files end: what is read is right, or it is an error.
#[test]
fn no_change_of_a_real_block_goes_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let text = openmetrics(0);
    let is_kept =
        |line: &&str| line.starts_with("# TYPE") || (line.contains("web-1") && line.contains(" 50"));
    let lines: Vec<&str> = text.lines().filter(is_kept).collect();
    create(folder.path(), &(lines.join("\n") + "\n# EOF\n"));
    let block = blocks(folder.path()).remove(0);
    let bytes = Selector::metric(BYTES);
    let expect = seen(&block, &bytes, ALL);
    assert_eq!(expect.len(), 2);
    let mut errors = 0;
    let mut check = |name: &str| {
        let mut seen = Seen::default();
        match Folder::open(&block).and_then(|folder| folder.read(&bytes, ALL, &mut seen)) {
            Ok(()) => assert_eq!(seen.found, expect, "{name}"),
            Err(_) => errors += 1,
        }
        let _ = Folder::open(&block).and_then(|folder| folder.values("namespace", BYTES, ALL));
    };
    for name in ["index", "chunks/000001", "tombstones"] {
        let path = block.join(name);
        let whole = std::fs::read(&path).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        for (place, byte) in whole.iter().enumerate() {
            file.write_all_at(&[byte ^ 1 << (place % 8)], place as u64).unwrap();
            check(name);
            file.write_all_at(&[*byte], place as u64).unwrap();
        }
        for length in (0..whole.len()).rev() {
            file.set_len(length as u64).unwrap();
            check(name);
        }
        file.write_all_at(&whole, 0).unwrap();
    }
    assert!(errors > 1000, "{errors}");
}
