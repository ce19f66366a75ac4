//! Patches.

use super::report::RightsizeReport;
use crate::commands::CommandError;
use std::path::Path;

pub(super) fn write(_folder: &Path, _report: &RightsizeReport) -> Result<(), CommandError> {
    Ok(())
}
