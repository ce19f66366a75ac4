//! The pool: a fifo, or where the file system has none a pipe, in which one byte is one token.

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::{Errno, FdFlags};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Most tokens in a pool: what one page of a pipe holds, the least any pipe has, so that putting never blocks.
pub const TOKENS_MAX: u32 = 4096;
/// The clients' descriptors get numbers from here on. A script in between that opens its own 3 or 4 must not hand
/// a file of its own to a make that was told to read tokens from 3.
const CLIENT_FD_MIN: RawFd = 200;
/// The byte GNU make puts in for a token. Clients give back the byte they took.
const TOKEN: u8 = b'+';

/// An open pool. The fifo's file is removed when it is dropped.
#[derive(Debug)]
pub struct Pool {
    /// Ours, non-blocking. The clients have open files of their own, because make 4.3 makes its end non-blocking
    /// and cargo's must block.
    own: OwnedFd,
    client_read: OwnedFd,
    client_write: OwnedFd,
    path: Option<PathBuf>,
}

impl Pool {
    /// Makes a fifo in `dir`, or a pipe where that is refused.
    pub fn open(dir: &Path) -> io::Result<Pool> {
        let path = dir.join(format!("jobserver-{}", std::process::id()));
        match rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
            Ok(()) => Pool::at(&path, Some(path.clone())).inspect_err(|_| remove(&path)),
            Err(_) => {
                let (_read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
                Pool::at(Path::new(&format!("/proc/self/fd/{}", write.as_raw_fd())), None)
            }
        }
    }

    fn at(file: &Path, path: Option<PathBuf>) -> io::Result<Pool> {
        let open = |flags| rustix::fs::openat(CWD, file, flags | OFlags::CLOEXEC, Mode::empty());
        // Reading and writing at once, so that none of these opens waits for another side.
        let own = open(OFlags::RDWR | OFlags::NONBLOCK)?;
        let client_read = high(open(OFlags::RDONLY)?);
        let client_write = high(open(OFlags::WRONLY)?);
        Ok(Pool { own, client_read, client_write, path })
    }

    /// The fifo's path, for clients that open it by name.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The descriptors to read and write by, for clients that inherit them.
    pub fn client_fds(&self) -> (RawFd, RawFd) {
        (self.client_read.as_raw_fd(), self.client_write.as_raw_fd())
    }

    /// Lets the command inherit the clients' descriptors.
    pub fn attach(&self, command: &mut Command) {
        let (read, write) = self.client_fds();
        // SAFETY: between fork and exec only fcntl is called, which is async-signal-safe, on descriptors that
        // `self` holds open and that the fork has copied.
        unsafe {
            command.pre_exec(move || {
                for fd in [read, write] {
                    rustix::io::fcntl_setfd(BorrowedFd::borrow_raw(fd), FdFlags::empty())?;
                }
                Ok(())
            });
        }
    }

    /// Tokens waiting to be taken.
    pub fn waiting(&self) -> io::Result<u32> {
        let bytes = rustix::io::ioctl_fionread(&self.own)?;
        Ok(u32::try_from(bytes).unwrap_or(u32::MAX))
    }

    /// Puts tokens in; returns how many went in.
    pub fn put(&self, tokens: u32) -> io::Result<u32> {
        self.transfer(tokens, |chunk| rustix::io::write(&self.own, chunk))
    }

    /// Takes up to this many tokens out; returns how many there were.
    pub fn take(&self, tokens: u32) -> io::Result<u32> {
        self.transfer(tokens, |chunk| rustix::io::read(&self.own, chunk))
    }

    fn transfer(
        &self,
        tokens: u32,
        mut move_bytes: impl FnMut(&mut [u8]) -> rustix::io::Result<usize>,
    ) -> io::Result<u32> {
        let mut bytes = vec![TOKEN; tokens.min(TOKENS_MAX) as usize];
        match rustix::io::retry_on_intr(|| move_bytes(&mut bytes)) {
            Ok(count) => Ok(count as u32),
            Err(Errno::AGAIN) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Pool {
    /// Readable while tokens wait.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.own.as_fd()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.path.as_deref().inspect(|path| remove(path));
    }
}

/// The same open file under a number out of everybody's way, or as it is where the descriptor limit is lower.
fn high(fd: OwnedFd) -> OwnedFd {
    rustix::io::fcntl_dupfd_cloexec(&fd, CLIENT_FD_MIN).unwrap_or(fd)
}

/// A fifo that cannot be removed is not worth a word: it holds nothing.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_moves(pool: &Pool) {
        assert_eq!(pool.waiting().unwrap(), 0);
        assert_eq!(pool.take(3).unwrap(), 0, "empty, and does not wait");
        assert_eq!(pool.put(5).unwrap(), 5);
        assert_eq!(pool.waiting().unwrap(), 5);
        assert_eq!(pool.take(3).unwrap(), 3);
        assert_eq!(pool.take(9).unwrap(), 2);
        assert_eq!(pool.put(TOKENS_MAX).unwrap(), TOKENS_MAX);
    }

    #[test]
    fn tokens_move_through_a_fifo() {
        let dir = tempfile::tempdir().unwrap();
        let pool = Pool::open(dir.path()).unwrap();
        check_moves(&pool);
        let path = pool.path().unwrap().to_path_buf();
        assert!(path.exists());
        drop(pool);
        assert!(!path.exists());
    }

    #[test]
    fn tokens_move_through_a_pipe_where_no_fifo_can_be() {
        let pool = Pool::open(Path::new("/proc/no-such-folder")).unwrap();
        assert_eq!(pool.path(), None);
        check_moves(&pool);
    }

    #[test]
    fn only_an_attached_command_inherits() {
        let dir = tempfile::tempdir().unwrap();
        let pool = Pool::open(dir.path()).unwrap();
        pool.put(1).unwrap();
        let (read, write) = pool.client_fds();
        assert!(read >= CLIENT_FD_MIN && write >= CLIENT_FD_MIN);
        let script = format!("test -e /proc/self/fd/{read} && test -e /proc/self/fd/{write}");
        let run = |attach: bool| {
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            if attach {
                pool.attach(&mut command);
            }
            command.status().unwrap().success()
        };
        assert!(run(true));
        assert!(!run(false));
    }
}
