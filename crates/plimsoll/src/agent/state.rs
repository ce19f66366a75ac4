//! Kills, kept over a restart of the agent.

use super::blind::{Blind, What};
use plimsoll_core::kills::{Kept, Ledger};
use plimsoll_probe::host::boot_id;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Of what is written here, some 2,000 totals and as many cgroups, none is longer.
const FILE_MAX_BYTES: u64 = 16 << 20;
/// Form of the file.
const SCHEMA: &str = "plimsoll.agent/1";

#[derive(Serialize, Deserialize)]
struct File {
    schema: String,
    boot_id: String,
    kills: Kept,
}

/// Where it is kept, if anywhere.
pub struct State {
    path: Option<PathBuf>,
    boot_id: String,
}

impl State {
    /// What was kept, and where the next is. A file that cannot be read is left as it is until there is something to write.
    pub fn open(path: Option<&Path>, root: &Path, blind: &mut Blind) -> (State, Ledger) {
        let boot_id = boot_id(root).unwrap_or_default();
        let mut ledger = Ledger::default();
        if let Some(path) = path {
            match read(path) {
                Ok(Some(file)) => {
                    let is_same_boot = !boot_id.is_empty() && file.boot_id == boot_id;
                    ledger = Ledger::resume(file.kills, is_same_boot);
                    blind.set(What::State, None);
                }
                Ok(None) => blind.set(What::State, None),
                Err(error) => blind.set(What::State, Some(format!("{}: {error}", path.display()))),
            }
        }
        (State { path: path.map(Path::to_path_buf), boot_id }, ledger)
    }

    /// Puts the file in its place as a whole.
    pub fn write(&self, ledger: &Ledger, blind: &mut Blind) {
        let Some(path) = &self.path else { return };
        let file = File { schema: SCHEMA.to_string(), boot_id: self.boot_id.clone(), kills: ledger.keep() };
        let written = write(path, &file).err();
        blind.set(What::State, written.map(|error| format!("{}: {error}", path.display())));
    }
}

fn read(path: &Path) -> io::Result<Option<File>> {
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(FILE_MAX_BYTES).read_to_string(&mut text)?;
    let file: File = serde_json::from_str(&text)?;
    if file.schema != SCHEMA {
        return Err(io::Error::other(format!("its schema is {}, not {SCHEMA}", file.schema)));
    }
    Ok(Some(file))
}

fn write(path: &Path, file: &File) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut next = tempfile::NamedTempFile::new_in(folder)?;
    next.write_all(serde_json::to_string(file)?.as_bytes())?;
    next.as_file().sync_data()?;
    next.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::kills::{Look, Row, Subject, Whose};
    use std::sync::Arc;

    fn killed(ledger: &mut Ledger) {
        let subject = Subject {
            path: "/a".into(),
            pod: None,
            row: Arc::new(Row::default()),
            whose: Arc::new(Whose::default()),
        };
        ledger.look(&Look { logged: vec![subject], ..Look::default() });
    }

    #[test]
    fn what_cannot_be_read_is_no_reason_to_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/kills.json");
        let blind = |blind: &Blind| blind.all().collect::<Vec<_>>();
        let mut seen = Blind::default();
        let (state, mut ledger) = State::open(Some(&path), Path::new("/"), &mut seen);
        killed(&mut ledger);
        state.write(&ledger, &mut seen);
        assert_eq!(blind(&seen), [("state", false)]);
        let (state, ledger) = State::open(Some(&path), Path::new("/"), &mut seen);
        assert_eq!(ledger.totals().map(|(_, kills)| kills).sum::<u64>(), 1);
        for wrong in [
            "",
            "{",
            "{\"schema\":\"x\",\"boot_id\":\"\",\"kills\":{\"totals\":[],\"groups\":[],\"pods\":[]}}",
        ] {
            fs::write(&path, wrong).expect("a file");
            let (_, ledger) = State::open(Some(&path), Path::new("/"), &mut seen);
            assert_eq!((blind(&seen), ledger.totals().count()), (vec![("state", true)], 0), "{wrong}");
        }
        state.write(&ledger, &mut seen);
        assert_eq!(blind(&seen), [("state", false)]);
        let (state, ledger) = State::open(Some(Path::new("/proc/nowhere/kills")), Path::new("/"), &mut seen);
        state.write(&ledger, &mut seen);
        assert_eq!(blind(&seen), [("state", true)]);
    }
}
