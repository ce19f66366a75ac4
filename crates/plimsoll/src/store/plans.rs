//! Plans that were carried out from this machine: a copy of what the cluster has of each, for the day on which it has lost it.
//!
//! One file a plan, which only its owner may read. It is written when something of weight has changed, before that is acted
//! upon; which of two copies is the later one is told by how many times the cluster's had been written.

use super::file::{self, Found, Locked, listed};
use plimsoll_cluster::access::Address;
use plimsoll_core::rollout::{Journal, SCHEMA};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The form of a file.
const VERSION: u32 = 1;
/// Plans of one folder; beyond it those that were at work longest ago are forgotten, but none that is under way.
const PLANS_MAX: usize = 100;
/// Files that are read at the most.
const LIST_MAX: usize = 1_000;
/// A plan says what runs where.
const MODE: u32 = 0o600;
/// The longest name of a plan: it is a label in the cluster.
const ID_MAX: usize = 63;

/// A copy of a plan's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    version: u32,
    /// Of which cluster.
    pub address: Address,
    /// How many times the cluster's had been written.
    pub revision: u64,
    /// What it said.
    pub journal: Journal,
}

/// All that are kept in a store.
#[derive(Debug, Clone)]
pub struct Plans {
    folder: PathBuf,
}

impl Plans {
    /// Those of the store in this folder.
    pub fn of(store: &Path) -> Plans {
        Plans { folder: store.join("plans") }
    }

    /// The copy of a plan, if there is one, and a note where there is something else.
    pub fn get(&self, id: &str) -> (Option<Kept>, Option<String>) {
        let Some(path) = self.path(id) else { return (None, None) };
        match read(&path) {
            Found::Whole(kept) => (Some(*kept), None),
            Found::Nothing => (None, None),
            Found::Newer(note) | Found::Unreadable(note) => (None, Some(note)),
            Found::Corrupt(why) => {
                (None, Some(format!("{}: not understood ({why}), passed over", path.display())))
            }
        }
    }

    /// All copies, by the names of their files, and a note for each file that is something else.
    pub fn all(&self) -> (Vec<Kept>, Vec<String>) {
        let mut paths = listed(&self.folder);
        paths.sort();
        let (mut all, mut notes) = (Vec::new(), Vec::new());
        for id in paths.iter().rev().take(LIST_MAX).rev().filter_map(|path| path.file_stem()?.to_str()) {
            let (kept, note) = self.get(id);
            all.extend(kept);
            notes.extend(note);
        }
        (all, notes)
    }

    /// Keeps a copy in place of the one there was. What is not understood is set aside, and a note says where; what a newer
    /// Plimsoll wrote stays.
    pub fn keep(
        &self,
        address: &Address,
        revision: u64,
        journal: &Journal,
    ) -> Result<Option<String>, (PathBuf, io::Error)> {
        let path = self.path(&journal.plan.id);
        let path =
            path.ok_or_else(|| (self.folder.clone(), io::Error::other("the plan's name is no file's")))?;
        let kept = Kept { version: VERSION, address: address.clone(), revision, journal: journal.clone() };
        let written = || {
            let lock = Locked::open(&path)?;
            let note = match read(&path) {
                Found::Whole(_) | Found::Nothing => None,
                Found::Corrupt(why) => Some(lock.set_aside(&why)),
                Found::Newer(why) | Found::Unreadable(why) => return Err(io::Error::other(why)),
            };
            lock.replace(&serde_json::to_vec(&kept)?, MODE)?;
            self.forget_oldest(&path);
            Ok(note)
        };
        written().map_err(|error| (path.clone(), error))
    }

    /// Keeps the folder within [`PLANS_MAX`]; what is not understood is nobody's to remove.
    fn forget_oldest(&self, written: &Path) {
        let paths = listed(&self.folder);
        let many = paths.len().saturating_sub(PLANS_MAX);
        if many == 0 {
            return;
        }
        let over = |path: &PathBuf| match read(path) {
            Found::Whole(kept) if kept.journal.is_over() && path != written => Some(kept.journal.last_ms),
            _ => None,
        };
        let mut over: Vec<_> = paths.iter().filter_map(|path| Some((over(path)?, path))).collect();
        over.sort();
        for (_, path) in over.into_iter().take(many) {
            // What cannot be removed stays.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Where a plan's copy is; `None` where its name is none that we give.
    fn path(&self, id: &str) -> Option<PathBuf> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        let is_name =
            !id.is_empty() && id.len() <= ID_MAX && !id.starts_with('.') && id.chars().all(is_plain);
        is_name.then(|| self.folder.join(format!("{id}.json")))
    }
}

fn read(path: &Path) -> Found<Kept> {
    match file::read::<Kept>(path, VERSION) {
        Found::Whole(kept) if kept.journal.schema != SCHEMA => {
            Found::Newer(format!("{}: of another plimsoll, left alone", path.display()))
        }
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::inventory::Inventory;
    use plimsoll_core::plan::planner::{Settings, plan};
    use plimsoll_core::plan::{Budget, Plan};
    use plimsoll_core::rollout::Phase;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn journal(id: &str, at_ms: i64, is_over: bool) -> Journal {
        let settings = Settings {
            id: id.into(),
            parent: None,
            made_ms: at_ms,
            evidence_ms: at_ms,
            way: None,
            budget: Budget::default(),
        };
        let nothing = Inventory::default();
        let plan: Plan = plan(&nothing, &[], &settings);
        let mut journal = Journal::begin(plan, &nothing, at_ms);
        if is_over {
            journal.phase = Phase::Applied { at_ms };
        }
        journal
    }

    fn address() -> Address {
        Address { server: "https://one:6443".into(), authority: None }
    }

    #[test]
    fn kept_for_its_owner_and_got_again() {
        let folder = tempfile::tempdir().unwrap();
        let plans = Plans::of(folder.path());
        assert_eq!(plans.get("p"), (None, None));
        let journal = journal("p", 1, false);
        assert_eq!(plans.keep(&address(), 7, &journal).unwrap(), None);
        let kept = Kept { version: VERSION, address: address(), revision: 7, journal };
        assert_eq!(plans.get("p"), (Some(kept.clone()), None));
        assert_eq!(plans.all(), (vec![kept], Vec::new()));
        let mode = fs::metadata(folder.path().join("plans/p.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_not_understood_is_passed_over_and_never_lost() {
        let folder = tempfile::tempdir().unwrap();
        let plans = Plans::of(folder.path());
        plans.keep(&address(), 1, &journal("p", 1, false)).unwrap();
        let path = folder.path().join("plans/p.json");
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let (kept, note) = plans.get("p");
        assert!(kept.is_none() && note.unwrap().contains("passed over"));
        let note = plans.keep(&address(), 2, &journal("p", 1, false)).unwrap().unwrap();
        let aside = folder.path().join("plans/p.corrupt-1");
        assert!(note.contains(aside.to_str().unwrap()), "{note}");
        assert_eq!(fs::read_to_string(aside).unwrap(), whole[..whole.len() / 2]);
        for newer in
            [whole.replace("\"version\":1", "\"version\":2"), whole.replace("rollout/1", "rollout/2")]
        {
            fs::write(&path, &newer).unwrap();
            assert!(plans.get("p").1.unwrap().contains("left alone"));
            plans.keep(&address(), 3, &journal("p", 1, false)).unwrap_err();
            assert_eq!(fs::read_to_string(&path).unwrap(), newer);
        }
    }

    #[test]
    fn a_name_is_no_path() {
        let folder = tempfile::tempdir().unwrap();
        let plans = Plans::of(&folder.path().join("store"));
        for id in ["", "..", "../p", "/p", ".p", "a/b", &"p".repeat(64)] {
            plans.keep(&address(), 1, &journal(id, 1, false)).unwrap_err();
            assert_eq!(plans.get(id), (None, None), "{id}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn those_that_are_over_are_forgotten_first() {
        let folder = tempfile::tempdir().unwrap();
        let plans = Plans::of(folder.path());
        // The oldest is under way.
        for number in 0..PLANS_MAX as i64 + 3 {
            plans.keep(&address(), 1, &journal(&format!("p{number:03}"), number, number > 0)).unwrap();
        }
        let left: Vec<String> = plans.all().0.iter().map(|kept| kept.journal.plan.id.clone()).collect();
        assert_eq!((left.len(), &left[..3]), (PLANS_MAX, &["p000", "p004", "p005"].map(String::from)[..]));
    }
}
