//! The table of tools.

use super::words::name;
use super::{Runtime, Shape};

/// A program's name, the tool it is, its runtime, and whether it starts workers with heaps of their own.
type Row = (&'static str, &'static str, Runtime, bool);

use Runtime::{Jvm, Native, Node};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("tsc", "tsc", Node, false),
    ("tspc", "tsc", Node, false),
    ("vue-tsc", "vue-tsc", Node, false),
    ("svelte-check", "svelte-check", Node, false),
    ("eslint", "eslint", Node, false),
    ("stylelint", "stylelint", Node, false),
    ("prettier", "prettier", Node, false),
    ("mocha", "mocha", Node, false),
    ("typedoc", "typedoc", Node, false),
    ("node", "node", Node, false),
    ("nodejs", "node", Node, false),
    ("webpack", "webpack", Node, true),
    ("webpack-cli", "webpack", Node, true),
    ("vue-cli-service", "webpack", Node, true),
    ("react-scripts", "webpack", Node, true),
    ("craco", "webpack", Node, true),
    ("rspack", "rspack", Node, true),
    ("next", "next", Node, true),
    ("nuxt", "nuxt", Node, true),
    ("nuxi", "nuxt", Node, true),
    ("vite", "vite", Node, true),
    ("rollup", "rollup", Node, true),
    ("astro", "vite", Node, true),
    ("remix", "vite", Node, true),
    ("tsup", "rollup", Node, true),
    ("gatsby", "gatsby", Node, true),
    ("docusaurus", "docusaurus", Node, true),
    ("storybook", "storybook", Node, true),
    ("build-storybook", "storybook", Node, true),
    ("parcel", "parcel", Node, true),
    ("ng", "ng", Node, true),
    ("jest", "jest", Node, true),
    ("vitest", "vitest", Node, true),
    ("ava", "ava", Node, true),
    ("playwright", "playwright", Node, true),
    ("turbo", "turbo", Node, true),
    ("nx", "nx", Node, true),
    ("lerna", "lerna", Node, true),
    ("mvn", "mvn", Jvm, true),
    ("mvnw", "mvn", Jvm, true),
    ("mvnd", "mvn", Jvm, true),
    ("gradle", "gradle", Jvm, true),
    ("gradlew", "gradle", Jvm, true),
    ("sbt", "sbt", Jvm, true),
    ("ant", "ant", Jvm, false),
    ("java", "java", Jvm, false),
    ("javac", "javac", Jvm, false),
    ("kotlinc", "kotlinc", Jvm, false),
    ("scalac", "scalac", Jvm, false),
    ("make", "make", Native, false),
    ("gmake", "make", Native, false),
    ("ninja", "ninja", Native, false),
    ("ninja-build", "ninja", Native, false),
    ("samu", "ninja", Native, false),
    ("cmake", "cmake", Native, false),
    ("ctest", "ctest", Native, false),
    ("meson", "meson", Native, false),
    ("bazel", "bazel", Native, false),
    ("cargo", "cargo", Native, false),
    ("cross", "cargo", Native, false),
    ("rustc", "rustc", Native, false),
    ("maturin", "cargo", Native, false),
    ("wasm-pack", "cargo", Native, false),
    ("go", "go", Native, false),
    ("golangci-lint", "go", Native, false),
    ("gcc", "cc", Native, false),
    ("g++", "cc", Native, false),
    ("cc", "cc", Native, false),
    ("c++", "cc", Native, false),
    ("clang", "cc", Native, false),
    ("clang++", "cc", Native, false),
    ("esbuild", "esbuild", Native, false),
    ("swc", "swc", Native, false),
    ("biome", "biome", Native, false),
    ("pytest", "pytest", Native, false),
    ("py.test", "pytest", Native, false),
    ("tox", "pytest", Native, false),
    ("nox", "pytest", Native, false),
    ("docker", "docker", Native, false),
    ("podman", "docker", Native, false),
    ("buildah", "docker", Native, false),
    ("buildctl", "buildctl", Native, false),
    ("buildctl-daemonless.sh", "buildctl", Native, false),
];

/// Tools that start a worker for each core they are told of but one: terser-webpack-plugin's `parallel` and jest's
/// `maxWorkers` by default (both read in their sources).
const ONE_FEWER: &[&str] = &["webpack", "jest"];

/// Tools whose main process only hands out work.
const LIGHT_MAIN: &[&str] = &["jest", "vitest", "ava", "playwright", "turbo", "nx", "lerna"];

/// Files a tool is started by when `node` is given its path.
#[rustfmt::skip]
const FOLDERS: &[(&str, &str)] = &[
    ("node_modules/typescript/", "tsc"),
    ("node_modules/@angular/cli/", "ng"),
    ("node_modules/vitest/", "vitest"),
    ("node_modules/jest", "jest"),
    ("node_modules/eslint/", "eslint"),
    ("node_modules/webpack", "webpack"),
    ("node_modules/vite/", "vite"),
    ("node_modules/next/", "next"),
    ("node_modules/rollup/", "rollup"),
];

/// What this command (no wrapper before it) is, where it is known.
pub fn shape(argv: &[String]) -> Option<Shape> {
    let row = |name: &str| ROWS.iter().find(|row| row.0 == name);
    let shape = |(_, tool, runtime, workers): &Row| Shape {
        tool: Some(tool),
        runtime: Some(*runtime),
        workers: *workers,
        light_main: LIGHT_MAIN.contains(tool),
        one_fewer: ONE_FEWER.contains(tool),
    };
    let program = argv.first()?;
    if program == "pnpm"
        && argv[1..].iter().any(|word| matches!(word.as_str(), "-r" | "--recursive" | "recursive"))
    {
        return Some(Shape {
            tool: Some("pnpm"),
            runtime: Some(Node),
            workers: true,
            light_main: true,
            one_fewer: false,
        });
    }
    // Not every `tsc` is in a folder of that name, but `node_modules/typescript/lib/tsc.js` is one twice.
    let in_folder =
        FOLDERS.iter().find(|(folder, _)| program.contains(folder) && !program.contains("/.bin/"));
    row(name(program)).or_else(|| row(in_folder?.1)).map(shape)
}
