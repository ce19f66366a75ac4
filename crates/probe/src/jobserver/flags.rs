//! Flags: what is written into `MAKEFLAGS` and `CARGO_MAKEFLAGS`, so that clients find the jobserver and no other
//! program stumbles over it.
//!
//! - make 4.2 and 4.3 know descriptors (`R,W`) only and stop with an error at `fifo:PATH` (measured); from 4.4
//!   they know both.
//! - ninja from 1.13 reads `MAKEFLAGS` and wants the fifo; the last `--jobserver-auth` counts.
//! - cargo and rustc read `CARGO_MAKEFLAGS` first and know both, but cargo hands on what it got to the makes and
//!   cmakes that build scripts start.
//! - `-jN` on a command line turns the jobserver off (make, ninja) or is ignored with a warning (cargo), so it is
//!   taken off and becomes the limit of the tokens.
//! - A plain `make` in the tree runs one job at a time because its author wanted that. It must not become parallel
//!   by our doing, so ninja's fifo stands behind ` -- `, where make expects variables and takes it for one.

use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};

/// Variables a client may find a jobserver in, the one cargo prefers first.
pub const VARIABLES: [&str; 3] = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];

/// How clients reach the pool: by inherited descriptors, and by path where there is a fifo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Descriptors to read and to write by.
    pub fds: (RawFd, RawFd),
    /// The fifo.
    pub path: Option<PathBuf>,
}

/// How a client wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `--jobserver-auth=fifo:PATH`
    Fifo,
    /// `--jobserver-auth=R,W`
    Pipe,
}

/// The clients on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clients {
    /// What GNU make wants; `None` without one from 4.2.
    pub make: Option<Kind>,
    /// Whether ninja is a client.
    pub ninja: bool,
    /// What cargo is given: what the makes below it can read.
    pub cargo: Kind,
}

/// Tells the clients from what `make --version` and `ninja --version` print; `None` where there is no such program.
pub fn detect(make_version: Option<&str>, ninja_version: Option<&str>) -> Clients {
    let make = make_version
        .and_then(|text| text.strip_prefix("GNU Make "))
        .and_then(version)
        .filter(|version| *version >= (4, 2))
        .map(|version| if version >= (4, 4) { Kind::Fifo } else { Kind::Pipe });
    let ninja = ninja_version.and_then(version).is_some_and(|version| version >= (1, 13));
    // An older make than 4.2 would choke on a fifo as 4.3 does.
    let fifo_is_safe = make_version.is_none() || make == Some(Kind::Fifo);
    Clients { make, ninja, cargo: if fifo_is_safe { Kind::Fifo } else { Kind::Pipe } }
}

/// Major and minor number at the start of the text.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim_start().split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// A kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// GNU make.
    Make,
    /// ninja.
    Ninja,
    /// cargo.
    Cargo,
}

/// A command without the jobs it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Which client the command is.
    pub client: Client,
    /// The command line that is left.
    pub command: Vec<OsString>,
    /// The jobs asked for, at least one; [`u32::MAX`] for make's bare `-j`.
    pub jobs: u32,
}

/// What becomes of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Environment {
    /// A jobserver is there already, named by this variable: it is left alone, and ours is of no use.
    Outer(&'static str),
    /// Variables to set.
    Set(Vec<(&'static str, String)>),
}

/// The variables that tell `clients` of the jobserver. `user` looks up the environment as the user has it; `taken`
/// is what [`take_jobs`] found on the command line.
pub fn environment(
    auth: &Auth,
    clients: Clients,
    taken: Option<&Taken>,
    user: impl Fn(&str) -> Option<String>,
) -> Environment {
    let has_jobserver =
        |value: &str| value.contains("--jobserver-auth=") || value.contains("--jobserver-fds=");
    let outer = VARIABLES.into_iter().find(|name| user(name).is_some_and(|value| has_jobserver(&value)));
    if let Some(name) = outer {
        return Environment::Outer(name);
    }
    let mut set = vec![("CARGO_MAKEFLAGS", format!("-j {}", auth.flag(clients.cargo)))];
    let users = user("MAKEFLAGS").unwrap_or_default();
    let make_jobs = taken.filter(|taken| taken.client == Client::Make).map(|taken| taken.jobs);
    set.extend(makeflags(auth, clients, make_jobs, &users).map(|value| ("MAKEFLAGS", value)));
    Environment::Set(set)
}

/// `MAKEFLAGS` with the jobserver, or `None` where nobody who would read it should.
fn makeflags(auth: &Auth, clients: Clients, make_jobs: Option<u32>, users: &str) -> Option<String> {
    let (flags, variables) = match users.split_once("-- ") {
        Some((flags, variables)) => (flags.trim_end(), Some(variables)),
        None => (users.trim_end(), None),
    };
    let asked = make_jobs.or_else(|| split_jobs(flags.split_whitespace().map(OsStr::new), true).1);
    let for_make = clients.make.filter(|_| asked.is_some()).map(|kind| auth.flag(kind));
    let fifo = auth.path.is_some().then(|| auth.flag(Kind::Fifo));
    let for_ninja = fifo.filter(|fifo| clients.ninja && for_make.as_ref() != Some(fifo));
    if for_make.is_none() && for_ninja.is_none() {
        return None;
    }
    let dash_j = make_jobs.map(|jobs| if jobs == u32::MAX { "-j".into() } else { format!("-j{jobs}") });
    let mut value = flags.to_string();
    for flag in dash_j.into_iter().chain(for_make) {
        value = format!("{value} {flag}");
    }
    if variables.is_some() || for_ninja.is_some() {
        value.push_str(" --");
    }
    for variable in variables.map(str::to_string).into_iter().chain(for_ninja) {
        value = format!("{value} {variable}");
    }
    Some(value)
}

impl Auth {
    fn flag(&self, kind: Kind) -> String {
        match (&self.path, kind) {
            (Some(path), Kind::Fifo) => format!("--jobserver-auth=fifo:{}", path.display()),
            _ => format!("--jobserver-auth={},{}", self.fds.0, self.fds.1),
        }
    }
}

/// The jobs a command asks for that our jobserver can reach; [`u32::MAX`] for make's bare `-j`.
pub fn jobs_asked(command: &[OsString], clients: Clients) -> Option<u32> {
    let client = client(command, clients)?;
    split_jobs(command[1..].iter().map(OsString::as_os_str), client == Client::Make).1
}

fn client(command: &[OsString], clients: Clients) -> Option<Client> {
    match Path::new(command.first()?).file_name()?.to_str()? {
        "make" | "gmake" if clients.make.is_some() => Some(Client::Make),
        "ninja" if clients.ninja => Some(Client::Ninja),
        "cargo" => Some(Client::Cargo),
        _ => None,
    }
}

/// Takes `-jN` off the command line of a client that our jobserver can reach. `None` where the command is none, or
/// asks for no number of jobs.
pub fn take_jobs(command: &[OsString], auth: &Auth, clients: Clients) -> Option<Taken> {
    let client = client(command, clients).filter(|client| *client != Client::Ninja || auth.path.is_some())?;
    let (program, arguments) = command.split_first()?;
    let (rest, jobs) = split_jobs(arguments.iter().map(OsString::as_os_str), client == Client::Make);
    let kept = std::iter::once(program.clone()).chain(rest.into_iter().map(OsStr::to_os_string));
    Some(Taken { client, command: kept.collect(), jobs: jobs? })
}

/// The words that do not speak of jobs (`-j8`, `-j 8`, `--jobs=8`), and the jobs of those that do, the last of which
/// counts. `bare` says whether `-j` alone means any number.
fn split_jobs<'a>(words: impl Iterator<Item = &'a OsStr>, bare: bool) -> (Vec<&'a OsStr>, Option<u32>) {
    let (mut rest, mut jobs) = (Vec::new(), None);
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            rest.push(word);
            rest.extend(words);
            break;
        }
        let text = word.to_str().unwrap_or_default();
        let number = text.strip_prefix("--jobs=").or(text.strip_prefix("--jobs")).or(text.strip_prefix("-j"));
        let asked = match number {
            Some("") => {
                words.next_if(|next| count(next).is_some()).and_then(count).or(bare.then_some(u32::MAX))
            }
            Some(number) => count(OsStr::new(number)),
            None => None,
        };
        // What is not understood, such as `-jx`, is the client's to complain about.
        match asked {
            Some(_) => jobs = asked,
            None => rest.push(word),
        }
    }
    (rest, jobs)
}

fn count(word: &OsStr) -> Option<u32> {
    word.to_str()?.parse().ok().filter(|jobs| *jobs > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_by_version() {
        let check = |make: Option<&str>, ninja: Option<&str>, expect: (Option<Kind>, bool, Kind)| {
            let clients = detect(make, ninja);
            assert_eq!((clients.make, clients.ninja, clients.cargo), expect, "{make:?} {ninja:?}");
        };
        check(None, None, (None, false, Kind::Fifo));
        check(
            Some("GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu"),
            Some("1.11.1"),
            (Some(Kind::Pipe), false, Kind::Pipe),
        );
        check(Some("GNU Make 4.4.1\n"), Some("1.13.0"), (Some(Kind::Fifo), true, Kind::Fifo));
        check(
            Some("GNU Make 4.2.1"),
            Some("1.13.2.git.kitware.jobserver-pipe-1"),
            (Some(Kind::Pipe), true, Kind::Pipe),
        );
        check(Some("GNU Make 3.81"), None, (None, false, Kind::Pipe));
        check(Some("usage: make [-BeikNnqrSstWwX]"), None, (None, false, Kind::Pipe));
        check(None, Some("2.0"), (None, true, Kind::Fifo));
        check(None, Some("unknown"), (None, false, Kind::Fifo));
    }

    #[test]
    fn makeflags_for_who_reads_them() {
        let auth = Auth { fds: (200, 201), path: Some("/t/f".into()) };
        let check = |make: &str, ninja: &str, make_jobs, users: &str, expect: Option<&str>| {
            let flags = makeflags(&auth, detect(Some(make), Some(ninja)), make_jobs, users);
            assert_eq!(flags.as_deref(), expect, "make {make}, ninja {ninja}, {make_jobs:?}, '{users}'");
        };
        let (old, new, ninja) = ("GNU Make 4.3", "GNU Make 4.4", "1.13.1");
        check(old, "1.11.1", None, "", None);
        check(old, "1.11.1", None, "k", None);
        check(old, "1.11.1", None, "-j8", Some("-j8 --jobserver-auth=200,201"));
        check(old, "1.11.1", Some(8), "", Some(" -j8 --jobserver-auth=200,201"));
        check(old, "1.11.1", Some(u32::MAX), "k", Some("k -j --jobserver-auth=200,201"));
        check(new, "1.11.1", Some(8), "", Some(" -j8 --jobserver-auth=fifo:/t/f"));
        check(new, ninja, Some(8), "", Some(" -j8 --jobserver-auth=fifo:/t/f"));
        check(old, ninja, None, "", Some(" -- --jobserver-auth=fifo:/t/f"));
        check(new, ninja, None, "k", Some("k -- --jobserver-auth=fifo:/t/f"));
        check(
            old,
            ninja,
            None,
            "-j4 -- V=1",
            Some("-j4 --jobserver-auth=200,201 -- V=1 --jobserver-auth=fifo:/t/f"),
        );
        check(old, "1.11.1", None, " -j4 -- V=1", Some(" -j4 --jobserver-auth=200,201 -- V=1"));
    }

    #[test]
    fn an_outer_jobserver_is_left_alone() {
        let auth = Auth { fds: (200, 201), path: None };
        let check = |name: &str, value: &str, expect: Environment| {
            let user = |asked: &str| (asked == name).then(|| value.to_string());
            assert_eq!(environment(&auth, detect(None, None), None, user), expect, "{name}={value}");
        };
        check("MAKEFLAGS", " -j8 --jobserver-auth=3,4", Environment::Outer("MAKEFLAGS"));
        check("MFLAGS", "--jobserver-fds=3,4 -j", Environment::Outer("MFLAGS"));
        check("CARGO_MAKEFLAGS", "-j --jobserver-auth=fifo:/x", Environment::Outer("CARGO_MAKEFLAGS"));
        let ours = vec![("CARGO_MAKEFLAGS", "-j --jobserver-auth=200,201".to_string())];
        check("MAKEFLAGS", "k", Environment::Set(ours));
    }

    #[test]
    fn jobs_are_taken_off_a_client() {
        let auth = Auth { fds: (200, 201), path: Some("/t/f".into()) };
        let clients = detect(Some("GNU Make 4.3"), Some("1.13.0"));
        let check = |command: &str, expect: Option<(&str, u32)>| {
            let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
            let taken = take_jobs(&words, &auth, clients).map(|taken| {
                (taken.command.join(OsStr::new(" ")).into_string().unwrap_or_default(), taken.jobs)
            });
            assert_eq!(taken, expect.map(|(rest, jobs)| (rest.to_string(), jobs)), "{command}");
        };
        check("make -j8 all", Some(("make all", 8)));
        check("/usr/bin/make -j 8 -k", Some(("/usr/bin/make -k", 8)));
        check("gmake --jobs=3", Some(("gmake", 3)));
        check("make -j all", Some(("make all", u32::MAX)));
        check("make --jobs 4 -j2", Some(("make", 2)));
        check("make -jx", None);
        check("make all", None);
        check("ninja -C out -j8", Some(("ninja -C out", 8)));
        check("ninja -j0", None);
        check("cargo test --release -j 2 -- -j 9", Some(("cargo test --release -- -j 9", 2)));
        check("cargo build -j default", None);
        check("cargo build --jobs-file", None);
        check("sh -c make -j8", None);
    }

    #[test]
    fn jobs_stay_on_what_cannot_be_reached() {
        let auth = Auth { fds: (200, 201), path: None };
        let check = |command: &[&str], clients: Clients| {
            let words: Vec<OsString> = command.iter().map(OsString::from).collect();
            assert_eq!(take_jobs(&words, &auth, clients), None, "{command:?} {clients:?}");
        };
        check(&["make", "-j8"], detect(Some("GNU Make 3.81"), None));
        check(&["ninja", "-j8"], detect(None, Some("1.11.1")));
        check(&["ninja", "-j8"], detect(None, Some("1.13.0"))); // there is no fifo
    }
}
