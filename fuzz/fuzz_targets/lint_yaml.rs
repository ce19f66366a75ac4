//! Pipelines, values and manifests: findings are where they say, whatever the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_lint::{check, project::NoFiles, source::Source};

fuzz_target!(|text: &str| {
    for name in [".gitlab-ci.yml", "values.yaml", "package.json"] {
        let given = vec![Source { name: name.into(), text: text.into() }];
        for finding in check(given, &NoFiles).findings {
            assert!(text.get(finding.span.start..finding.span.end).is_some(), "{finding:?}");
        }
    }
});
