//! All files of one call: they are read together, so that a job is judged by the runner beside it.

use crate::document::text::Text;
use crate::document::{Node, SyntaxError, toml, yaml};
use crate::gitlab::Pipeline;
use crate::gitlab::include::Loader;
use crate::gitlab::job::Job;
use crate::gitlab::runner::Runner;
use crate::kind::{self, Kind};
use crate::kubernetes::autoscaler::Autoscaler;
use crate::kubernetes::quota::{self, Bound};
use crate::kubernetes::{Workload, objects};
use crate::runs::{self, Run};
use crate::source::{Source, Span};
use std::collections::BTreeSet;

/// Where files are asked for that were not given: what a pipeline includes.
pub trait Files {
    /// The text of a file; `None` where there is none.
    fn read(&self, name: &str) -> Option<String>;
    /// The names of files that a pattern means (`*`, `**`), in order.
    fn names(&self, pattern: &str) -> Vec<String>;
}

/// There are no others.
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Option<String> {
        None
    }

    fn names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// All that rules look at.
#[derive(Debug, Default)]
pub struct Project {
    /// Texts: those that were given, then those that were asked for.
    pub sources: Vec<Source>,
    /// What each of those that were given is.
    pub kinds: Vec<Kind>,
    /// Jobs of all pipelines.
    pub jobs: Vec<Job>,
    /// Runners.
    pub runners: Vec<Runner>,
    /// What makes pods.
    pub workloads: Vec<Workload>,
    /// What scales them by memory.
    pub autoscalers: Vec<Autoscaler>,
    /// What namespaces allow.
    pub bounds: Vec<Bound>,
    /// A LimitRange gives limits to containers that have none.
    pub gives_limits: bool,
    /// `buildkitd.toml`s.
    pub buildkits: Vec<Node>,
    /// What runs.
    pub runs: Vec<Run>,
    /// What does not parse.
    pub syntax: Vec<SyntaxError>,
}

impl Project {
    /// Reads what was given, and asks for what that includes.
    pub fn of(given: Vec<Source>, files: &dyn Files) -> Project {
        let kinds: Vec<Kind> = given.iter().map(|source| kind::of(&source.name, &source.text)).collect();
        let mut project = Project { sources: given, kinds, ..Project::default() };
        project.read_settings();
        project.read_pipelines(files);
        project.read_runs();
        project.syntax.sort_by_key(|error| error.span);
        project.syntax.dedup();
        project
    }

    /// The bytes of a file as they are written.
    pub fn raw(&self, span: Span) -> &str {
        let text = self.sources.get(span.file).map(|source| source.text.as_str()).unwrap_or_default();
        text.get(span.start..span.end).unwrap_or_default()
    }

    fn of_kind(&self, kind: Kind) -> Vec<usize> {
        (0..self.kinds.len()).filter(|file| self.kinds[*file] == kind).collect()
    }

    fn whole(&self, file: usize) -> Text {
        let text = &self.sources[file].text;
        Text::plain(Span { file, start: 0, end: text.len() }, text)
    }

    /// Everything but pipelines, which are judged by it.
    fn read_settings(&mut self) {
        for file in self.of_kind(Kind::Runner) {
            match toml::parse(&self.whole(file)) {
                Ok(tree) => self.runners.extend(Runner::all(&tree)),
                Err(error) => self.syntax.push(error),
            }
        }
        for file in self.of_kind(Kind::RunnerValues) {
            for tree in self.yaml(file) {
                let inner = tree.at(&["runners", "config"]).and_then(|node| node.located(&self.sources));
                match inner.map(|text| toml::parse(&text)) {
                    Some(Ok(tree)) => self.runners.extend(Runner::all(&tree)),
                    Some(Err(error)) => self.syntax.push(error),
                    None => {}
                }
            }
        }
        for file in self.of_kind(Kind::Buildkit) {
            match toml::parse(&self.whole(file)) {
                Ok(tree) => self.buildkits.push(tree),
                Err(error) => self.syntax.push(error),
            }
        }
        for file in self.of_kind(Kind::Package) {
            self.yaml(file);
        }
        for file in self.of_kind(Kind::Kubernetes) {
            for object in objects(self.yaml(file)) {
                self.workloads.extend(Workload::of(&object));
                self.autoscalers.extend(Autoscaler::all(&object));
                self.bounds.extend(Bound::all(&object));
                self.gives_limits |= quota::gives_limits(&object);
            }
        }
    }

    fn yaml(&mut self, file: usize) -> Vec<Node> {
        let (documents, error) = yaml::parse(file, &self.sources[file].text);
        self.syntax.extend(error);
        documents
    }

    /// Each pipeline once: a file that another includes is a part of that one.
    fn read_pipelines(&mut self, files: &dyn Files) {
        let given = self.of_kind(Kind::Pipeline);
        let is_root = |file: &usize| kind::by_name(&self.sources[*file].name) == Some(Kind::Pipeline);
        let (roots, others): (Vec<usize>, Vec<usize>) = given.into_iter().partition(is_root);
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        for file in roots.into_iter().chain(others) {
            if taken.contains(&file) {
                continue;
            }
            let (pipeline, errors) = Loader::new(&mut self.sources, files).pipeline(file);
            self.syntax.extend(errors);
            if let Some(pipeline) = pipeline {
                taken.extend(&pipeline.files);
                self.read_jobs(&pipeline, file);
            }
        }
    }

    fn read_jobs(&mut self, pipeline: &Pipeline, root: usize) {
        let folder = self.sources[root]
            .name
            .rsplit_once('/')
            .map_or(String::new(), |(folder, _)| format!("{folder}/"));
        for job in pipeline.jobs() {
            self.runs.extend(runs::of_job(&self.sources, &job, &self.runners, &folder));
            self.jobs.push(job);
        }
    }

    fn read_runs(&mut self) {
        self.runs.extend(self.runners.iter().map(|runner| runs::of_runner(&self.sources, runner)));
        for workload in &self.workloads {
            let of = |container| runs::of_container(&self.sources, workload, container);
            self.runs.extend(workload.containers.iter().map(of));
        }
        for kind in [Kind::Shell, Kind::Dockerfile, Kind::Package, Kind::Jvm, Kind::Gradle] {
            for file in self.of_kind(kind) {
                self.runs.extend(runs::of_file(&self.sources, file, kind));
            }
        }
    }
}
