//! `plimsoll crd`: what a cluster has to have before anything is changed in place.

use super::CommandError;
use plimsoll_cluster::kinds::manifests;
use std::io::Write;

/// Prints the manifests, for `kubectl apply -f -`.
pub fn run(out: &mut dyn Write) -> Result<(), CommandError> {
    for manifest in manifests() {
        let text =
            serde_saphyr::to_string(&manifest).map_err(|error| CommandError::Form(error.to_string()))?;
        write!(out, "---\n{text}")?;
    }
    Ok(())
}
