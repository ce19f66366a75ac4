//! `--fix` and `--diff`: files with what rules change in them, whole or not at all.

use super::args::CheckArgs;
use super::found::Folder;
use crate::commands::{CommandError, whole_file};
use plimsoll_lint::finding::Finding;
use plimsoll_lint::fix::diff::unified;
use plimsoll_lint::fix::mended;
use plimsoll_lint::source::Source;
use std::io::Write;
use std::path::Path;

/// Shows or writes what changes; the files as they are afterwards.
pub fn mend(
    args: &CheckArgs,
    given: Vec<Source>,
    is_wanted: &dyn Fn(&Finding) -> bool,
    out: &mut dyn Write,
) -> Result<Vec<Source>, CommandError> {
    let is_stdin = args.files.iter().any(|path| path.as_os_str() == "-");
    if is_stdin && !args.diff {
        return Err(CommandError::Asked(
            "--fix: stdin cannot be changed\nuse --diff, or name the file".into(),
        ));
    }
    let changed = mended(given.clone(), &Folder, is_wanted);
    for source in &changed {
        if args.diff {
            let before = given.iter().find(|other| other.name == source.name).map(|other| other.text.clone());
            let before = before.or_else(|| plimsoll_lint::project::Files::read(&Folder, &source.name));
            out.write_all(unified(&source.name, &before.unwrap_or_default(), &source.text).as_bytes())?;
        } else {
            replace(&source.name, &source.text)?;
            eprintln!("mended: {}", source.name);
        }
    }
    let of =
        |source: Source| changed.iter().find(|other| other.name == source.name).cloned().unwrap_or(source);
    Ok(given.into_iter().map(of).collect())
}

/// The file behind links keeps its place and its rights.
fn replace(name: &str, text: &str) -> Result<(), CommandError> {
    let failed = |error| whole_file::of(Path::new(name), error);
    let path = std::fs::canonicalize(name).map_err(failed)?;
    let rights = std::fs::metadata(&path).map_err(failed)?.permissions();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().set_permissions(rights).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}
