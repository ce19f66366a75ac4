//! Spawning the command: into its cgroup, with its streams, with the terminal left as it is.

use rustix::fs::fstat;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::termios::isatty;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use thiserror::Error;

/// How the build's output gets to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// A terminal: the build keeps it, colours, width and job control included; nothing is read.
    Inherit,
    /// stdout and stderr are the same file here: one pipe, so that their order stays.
    Joined,
    /// Two pipes.
    Apart,
}

impl Streams {
    /// What this process's own streams ask for.
    pub fn detect() -> Streams {
        let (out, err) = (io::stdout(), io::stderr());
        if isatty(&out) || isatty(&err) || isatty(io::stdin()) {
            return Streams::Inherit;
        }
        let same = match (fstat(&out), fstat(&err)) {
            (Ok(out), Ok(err)) => (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino),
            _ => false,
        };
        if same { Streams::Joined } else { Streams::Apart }
    }
}

/// A command about to be started.
#[derive(Debug)]
pub struct Spawn {
    /// Program and arguments; never empty.
    pub argv: Vec<OsString>,
    /// Variables to set on top of our own environment.
    pub env: Vec<(String, String)>,
    /// `cgroup.procs` files the child writes itself into before it becomes the command.
    pub cgroup_procs: Vec<File>,
    /// Descriptors the command inherits (the jobserver's pipe).
    pub inherit: Vec<RawFd>,
    /// How output is taken.
    pub streams: Streams,
}

/// Why a command could not be started.
#[derive(Debug, Error)]
pub enum SpawnError {
    /// No such program: exit 127, as shells do.
    #[error("{program}: no such command\ncheck the spelling and PATH")]
    NotFound {
        /// As given.
        program: String,
    },
    /// The program is there and cannot be executed: exit 126.
    #[error("{program}: cannot be executed: {source}\ncheck that it is a program and has the x bit")]
    NotExecutable {
        /// As given.
        program: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Something of ours: exit 125.
    #[error("cannot start a process: {0}\nthe machine may be out of processes or file descriptors")]
    Ours(io::Error),
}

/// A command that runs.
#[derive(Debug)]
pub struct Spawned {
    /// Its process id; in a process group of its own unless a terminal is involved.
    pub pid: i32,
    /// Whether it leads its own process group.
    pub own_group: bool,
    /// Its output and where it goes, to be copied ([`crate::supervise::Tee`]).
    pub pipes: Vec<(OwnedFd, OwnedFd)>,
}

impl Spawn {
    /// Starts it.
    pub fn start(self) -> Result<Spawned, SpawnError> {
        let program = self.argv[0].to_string_lossy().into_owned();
        let mut command = Command::new(&self.argv[0]);
        command.args(&self.argv[1..]).envs(self.env.iter().map(|(name, value)| (name, value)));
        let own_group = self.streams != Streams::Inherit;
        if own_group {
            command.process_group(0);
        }
        let pipes = connect(&mut command, self.streams).map_err(SpawnError::Ours)?;
        prepare(&mut command, self.cgroup_procs, self.inherit);
        match command.spawn() {
            Ok(child) => Ok(Spawned { pid: child.id() as i32, own_group, pipes }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SpawnError::NotFound { program }),
            Err(error) if is_exec_error(&error) => Err(SpawnError::NotExecutable { program, source: error }),
            Err(error) => Err(SpawnError::Ours(error)),
        }
    }
}

fn is_exec_error(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let exec = [
        Errno::ACCESS,
        Errno::NOEXEC,
        Errno::ISDIR,
        Errno::LOOP,
        Errno::NOTDIR,
        Errno::TOOBIG,
        Errno::TXTBSY,
    ];
    error.raw_os_error().is_some_and(|code| exec.iter().any(|errno| errno.raw_os_error() == code))
}

/// Gives the command its output streams; returns what has to be copied.
fn connect(command: &mut Command, streams: Streams) -> io::Result<Vec<(OwnedFd, OwnedFd)>> {
    let ours = |fd: BorrowedFd| fd.try_clone_to_owned();
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    Ok(match streams {
        Streams::Inherit => Vec::new(),
        Streams::Joined => {
            let (reader, writer) = pipe()?;
            command.stdout(Stdio::from(writer.try_clone()?)).stderr(Stdio::from(writer));
            vec![(reader, ours(io::stdout().as_fd())?)]
        }
        Streams::Apart => {
            let ((out, out_writer), (err, err_writer)) = (pipe()?, pipe()?);
            command.stdout(Stdio::from(out_writer)).stderr(Stdio::from(err_writer));
            vec![(out, ours(io::stdout().as_fd())?), (err, ours(io::stderr().as_fd())?)]
        }
    })
}

/// What the child does between fork and exec.
fn prepare(command: &mut Command, cgroup_procs: Vec<File>, inherit: Vec<RawFd>) {
    let join = move || {
        for procs in &cgroup_procs {
            // "0" means the writer itself. Not joining is no reason not to build: the parent looks afterwards.
            let _ = rustix::io::write(procs, b"0");
        }
        for fd in &inherit {
            // SAFETY: the descriptors belong to the jobserver, which outlives the spawn.
            let fd = unsafe { BorrowedFd::borrow_raw(fd.as_raw_fd()) };
            fcntl_setfd(fd, FdFlags::empty())?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec only write(2) and fcntl(2) are called, on descriptors opened before; nothing
    // allocates and no lock is taken.
    unsafe { command.pre_exec(join) };
}
