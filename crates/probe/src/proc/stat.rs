//! `/proc/PID/stat` and `statm`: the fields a watcher needs (proc(5)).

/// `PF_FORKNOEXEC` of Linux's `include/linux/sched.h`, in the field `flags`.
const FORKED_NO_EXEC: u64 = 0x40;

/// Fields of `/proc/PID/stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Name, cut to 15 bytes by the kernel; may contain anything but a NUL.
    pub comm: String,
    /// State: R, S, D, T, Z, ...
    pub state: char,
    /// Parent.
    pub ppid: i32,
    /// It was forked and has not become another program: it may share its parent's pages.
    pub forked: bool,
    /// User and system time, in clock ticks.
    pub cpu_ticks: u64,
    /// Its threads.
    pub threads: u32,
    /// Start, in clock ticks after boot; with the pid it names a process for good.
    pub start_ticks: u64,
}

impl Stat {
    /// Parses the file; `None` when it is not one. The name ends at the *last* parenthesis.
    pub fn parse(text: &str) -> Option<Stat> {
        let (open, close) = (text.find('(')?, text.rfind(')')?);
        let comm = text.get(open + 1..close)?.to_string();
        let fields: Vec<&str> = text.get(close + 1..)?.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Stat {
            comm,
            state: fields.first()?.chars().next()?,
            ppid: fields.get(1)?.parse().ok()?,
            forked: number(6)? & FORKED_NO_EXEC != 0,
            cpu_ticks: number(11)?.checked_add(number(12)?)?,
            threads: fields.get(17)?.parse().ok()?,
            start_ticks: number(19)?,
        })
    }
}

/// Private memory from `/proc/PID/statm`, in bytes: resident less file-backed and shared pages.
pub fn private_bytes(statm: &str, page_bytes: u64) -> Option<u64> {
    let mut fields = statm.split_whitespace().skip(1).map(|field| field.parse::<u64>().ok());
    let (resident, shared) = (fields.next()??, fields.next()??);
    Some(resident.saturating_sub(shared).saturating_mul(page_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let line = "42 (a (b) c\n) S 7 42 42 0 -1 4194560 100 0 3 0 250 50 1 2 20 0 1 0 9876 1000 200 18446744073709551615";
        let expect = Stat {
            comm: "a (b) c\n".into(),
            state: 'S',
            ppid: 7,
            forked: false,
            cpu_ticks: 300,
            threads: 1,
            start_ticks: 9876,
        };
        assert_eq!(Stat::parse(line), Some(expect));
        assert_eq!(private_bytes("5000 1200 200 10 0 300 0\n", 4096), Some(1000 * 4096));
        let own = std::fs::read_to_string("/proc/self/stat").unwrap();
        assert!(Stat::parse(&own).is_some_and(|stat| stat.start_ticks > 0));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = String::from_utf8_lossy(&bytes);
            let _ = (Stat::parse(&text), private_bytes(&text, 4096));
        }

        /// Whatever a process calls itself, its numbers are read.
        #[test]
        fn any_name_is_read(comm in "[^\\x00]{0,15}", start_ticks in any::<u64>()) {
            let line = format!("42 ({comm}) R 7 42 42 0 -1 4194368 0 0 0 0 250 50 1 2 20 0 1 0 {start_ticks} 1 2");
            let expect = Stat { comm, state: 'R', ppid: 7, forked: true, cpu_ticks: 300, threads: 1, start_ticks };
            prop_assert_eq!(Stat::parse(&line), Some(expect));
        }
    }
}
