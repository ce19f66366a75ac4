//! Files that are whole or not there: they are written beside their place and renamed into it.

use super::CommandError;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// One that is being written; without [`finish`](WholeFile::finish) nothing is left of it.
pub struct WholeFile {
    path: PathBuf,
    file: NamedTempFile,
}

impl WholeFile {
    /// Nothing yet, to be at `path`.
    pub fn create(path: &Path) -> Result<WholeFile, CommandError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
        Ok(WholeFile { path: path.into(), file: file.map_err(|error| of(path, error))? })
    }

    /// Puts it in its place, and in that of what was there.
    pub fn finish(self) -> Result<(), CommandError> {
        let WholeFile { path, file } = self;
        file.persist(&path).map_err(|error| of(&path, error.error))?;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a text into its place.
pub fn write(path: &Path, text: &str) -> Result<(), CommandError> {
    let mut file = WholeFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(|error| of(path, error))?;
    file.finish()
}

/// What went wrong with the file at `path`.
pub fn of(path: &Path, error: io::Error) -> CommandError {
    CommandError::File { path: path.display().to_string(), error }
}
