//! What Plimsoll itself costs: wall and CPU of a build, start-up, and memory.

use crate::Failure;
use crate::confine::{self, Order};
use crate::table::median;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Files of the build, and functions in each: some seconds of CPU for two compilers.
const FILES: usize = 8;
const FUNCTIONS: usize = 400;
/// Between two looks at Plimsoll's memory.
const LOOK: Duration = Duration::from_millis(20);

/// Measures all and prints it.
pub fn overhead(bench: &Path, plimsoll: &Path, pairs: usize, starts: usize) -> Result<(), Failure> {
    let work = bench.join("work/overhead");
    generate(&work)?;
    let build = ["make", "-s", "-j2"].map(str::to_string).to_vec();
    let mut under = vec![plimsoll.to_string_lossy().into_owned(), "run".into()];
    under.extend(["--store".into(), work.join("store").to_string_lossy().into_owned(), "--".into()]);
    under.extend(build.clone());
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for pair in 0..=pairs {
        // By turns, so that what else the machine does, or which goes first, falls on both alike.
        let swapped = pair % 2 == 1;
        let (first, second) = if swapped { (&under, &build) } else { (&build, &under) };
        let (first, second) = (timed(&work, first)?, timed(&work, second)?);
        let (plain, under) = if swapped { (second, first) } else { (first, second) };
        if pair > 0 {
            walls.push(under.0 / plain.0);
            cpus.push(under.1 / plain.1);
        }
    }
    let plain_start = start_ms(&["true"], starts)?;
    let plimsoll_text = plimsoll.to_string_lossy();
    let under_start = start_ms(&[plimsoll_text.as_ref(), "run", "--", "true"], starts)?;
    let rss_kib = peak_rss_kib(&work, &under)?;
    let tell = |name: &str, value: Option<f64>, unit: &str, goal: &str| match value {
        Some(value) => println!("{name:<42} {value:>8.3} {unit:<4} {goal}"),
        None => println!("{name:<42}  not measured"),
    };
    println!("{pairs} pairs of make -j2 over {FILES} C files, {starts} starts; medians");
    tell("wall under plimsoll / plain", median(walls), "x", "goal 1.010");
    tell("CPU under plimsoll / plain", median(cpus), "x", "goal 1.010");
    tell("start of true", median(plain_start), "ms", "");
    tell("start of plimsoll run -- true", median(under_start), "ms", "goal 10 above true");
    tell("plimsoll's own peak memory (VmHWM)", rss_kib.map(|kib| kib as f64 / 1024.0), "MiB", "goal 10");
    Ok(())
}

fn generate(work: &Path) -> Result<(), Failure> {
    fs::create_dir_all(work)?;
    for file in 0..FILES {
        let functions = (0..FUNCTIONS).map(|number| {
            format!("int f{file}_{number}(int a, int b) {{ int s = {number}; for (int i = 0; i < a; i++) {{ if (i % 3) s += i * b; else s ^= (s << 2) + i; }} return s; }}\n")
        });
        fs::write(work.join(format!("f{file}.c")), functions.collect::<String>())?;
    }
    let objects: Vec<String> = (0..FILES).map(|file| format!("f{file}.o")).collect();
    let makefile = format!("all: {}\n%.o: %.c\n\t$(CC) -O2 -c -o $@ $<\n", objects.join(" "));
    Ok(fs::write(work.join("Makefile"), makefile)?)
}

/// Wall and CPU of a build from scratch, in milliseconds.
fn timed(work: &Path, command: &[String]) -> Result<(f64, f64), Failure> {
    clean(work)?;
    let mut order = Order::new("overhead", command.to_vec(), work.to_path_buf());
    order.log = Some(work.join("build.log"));
    let measured = confine::measure(&order)?;
    if measured.exit_code != 0 {
        return Err(format!(
            "{}: exit {}\nsee {}",
            command.join(" "),
            measured.exit_code,
            work.join("build.log").display()
        )
        .into());
    }
    Ok((measured.wall_ms as f64, measured.cpu_ms.max(1) as f64))
}

fn clean(work: &Path) -> Result<(), Failure> {
    for file in 0..FILES {
        let _ = fs::remove_file(work.join(format!("f{file}.o")));
    }
    Ok(())
}

fn start_ms(command: &[&str], starts: usize) -> Result<Vec<f64>, Failure> {
    let one = || -> Result<f64, Failure> {
        let started = Instant::now();
        let mut command_line = Command::new(command[0]);
        command_line
            .args(&command[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    };
    (0..starts).map(|_| one()).collect()
}

/// Highest resident memory of the process itself over one build; none where it ended unseen.
fn peak_rss_kib(work: &Path, command: &[String]) -> Result<Option<u64>, Failure> {
    clean(work)?;
    let mut process = Command::new(&command[0])
        .args(&command[1..])
        .current_dir(work)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut highest = None;
    while process.try_wait()?.is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
        let seen = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
        highest = highest.max(seen);
        sleep(LOOK);
    }
    Ok(highest)
}
