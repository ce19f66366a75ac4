//! Patches: what the report says, as files to apply. Strategic merge patches for kubectl, which are kustomize
//! components too, Helm values, VPA objects, the way back, and the text of a merge request.

mod changes;
mod folder;
mod helm;
mod kustomize;
mod merge_request;
mod strategic;
#[cfg(test)]
pub(super) mod tests;
mod vpa;
mod yaml;

use super::report::RightsizeReport;
use crate::commands::CommandError;
use changes::Changes;
use std::collections::BTreeMap;
use std::path::Path;

/// Texts by their path in the folder. Names of Kubernetes are lower-case letters, digits, `-` and `.`, and a namespace
/// has a folder of its own, so no two paths are the same and none leads out of the folder.
type Files = BTreeMap<String, String>;

/// Puts the folder where it is asked for, in place of what we wrote there before; all of it or nothing.
pub(super) fn write(folder: &Path, report: &RightsizeReport) -> Result<(), CommandError> {
    folder::replace(folder, &files(report)?)
}

fn files(report: &RightsizeReport) -> Result<Files, CommandError> {
    let changes = Changes::of(report);
    let mut files = Files::from([(merge_request::FILE.to_string(), merge_request::text(report, &changes))]);
    for (namespace, workloads) in changes.by_namespace() {
        files.insert(kustomize::path(namespace), kustomize::component(namespace, &workloads)?);
        files.insert(helm::path(namespace), helm::values(namespace, &workloads)?);
        for workload in workloads {
            for way in [strategic::Way::There, strategic::Way::Back] {
                files.insert(way.path(workload), strategic::patch(workload, way)?);
            }
            files.insert(vpa::path(workload), vpa::object(workload)?);
            files.insert(vpa::status_path(workload), vpa::status(workload, &report.as_of)?);
        }
    }
    Ok(files)
}
