//! The formula: memory as a base and so much for each of a role, found from what was observed.
//!
//! Memory of a pod = base + sum over roles of coefficient times [retained](retained) count + hours it has run times a leak. What
//! people publish is the [plain] formula; it knows neither that memory [stays](stay) after people have left, nor leaks. From
//! [observations](observation), [rows] are made, of which [least squares](squares) without negatives [fit] what the data
//! can [tell apart](terms), leaning on what was published; [growth] says whether processes leak, [drift] from when on it is
//! different, [band] between what memory lies. All of that is a [profile], which is [learned](learn) anew each night, and
//! [projects](project) how much so many people will take. The [ledger] holds each projection against what came, when
//! all pods [together] were seen; [beside] puts observations beside what is expected of them.
//!
//! [`compare`] is the ruler, and [`truth`] makes up apps for it. Methods and figures: `docs/capacity.md`.

pub mod band;
pub mod beside;
pub mod compare;
pub mod drift;
pub mod fit;
pub mod growth;
pub mod learn;
pub mod ledger;
pub mod observation;
pub mod plain;
pub mod profile;
pub mod project;
pub mod retained;
pub mod rows;
pub mod squares;
pub mod stay;
pub mod terms;
pub mod together;
pub mod truth;

#[cfg(test)]
mod tests;
