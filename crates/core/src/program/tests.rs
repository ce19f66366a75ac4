use super::*;

fn argv(line: &str) -> Vec<String> {
    words::commands(line).into_iter().next().unwrap_or_default()
}

#[test]
fn commands_are_recognised() {
    use Runtime::{Jvm, Native, Node};
    #[rustfmt::skip]
    let rows: &[(&str, Option<&str>, Option<Runtime>, bool)] = &[
        ("tsc -p .", Some("tsc"), Some(Node), false),
        ("npx tsc", Some("tsc"), Some(Node), false),
        ("npx --yes -p typescript tsc", Some("tsc"), Some(Node), false),
        ("npm exec -- vue-tsc --noEmit", Some("vue-tsc"), Some(Node), false),
        ("./node_modules/.bin/eslint .", Some("eslint"), Some(Node), false),
        ("node node_modules/typescript/bin/tsc", Some("tsc"), Some(Node), false),
        ("node --max-old-space-size=4096 node_modules/webpack/bin/webpack.js", Some("webpack"), Some(Node), true),
        ("node build.js", Some("node"), Some(Node), false),
        ("webpack --mode production", Some("webpack"), Some(Node), true),
        ("yarn next build", Some("next"), Some(Node), true),
        ("pnpm vitest run", Some("vitest"), Some(Node), true),
        ("pnpm -r build", Some("pnpm"), Some(Node), true),
        ("cross-env NODE_ENV=production vite build", Some("vite"), Some(Node), true),
        ("NODE_ENV=test jest", Some("jest"), Some(Node), true),
        ("npx turbo run build", Some("turbo"), Some(Node), true),
        ("nx run-many -t build", Some("nx"), Some(Node), true),
        ("ng build", Some("ng"), Some(Node), true),
        ("sh -c 'tsc && vite build'", Some("vite"), Some(Node), true),
        ("bash -euo pipefail -c 'cd web; npx jest'", Some("jest"), Some(Node), true),
        ("bash -c 'node x; true'", Some("node"), Some(Node), false),
        ("env -u FOO A=b time -f %e mvn -B verify", Some("mvn"), Some(Jvm), true),
        ("./mvnw test", Some("mvn"), Some(Jvm), true),
        ("./gradlew assemble", Some("gradle"), Some(Jvm), true),
        ("java -jar app.jar", Some("java"), Some(Jvm), false),
        ("make -j8", Some("make"), Some(Native), false),
        ("nice -n 10 ninja -C out", Some("ninja"), Some(Native), false),
        ("timeout -k 5 600 cmake --build build", Some("cmake"), Some(Native), false),
        ("meson compile -C b", Some("meson"), Some(Native), false),
        ("cargo build --release", Some("cargo"), Some(Native), false),
        ("go test ./...", Some("go"), Some(Native), false),
        ("python3 -m pytest -n 16", Some("pytest"), Some(Native), false),
        ("poetry run pytest", Some("pytest"), Some(Native), false),
        ("docker build .", Some("docker"), Some(Native), false),
        ("xargs -n 1 -P 4 g++ -c", Some("cc"), Some(Native), false),
        ("echo 'npm run build'", None, None, false),
        ("npm ci", None, None, false),
        ("./build.sh", None, None, false),
        ("python3 setup.py build", None, None, false),
        ("env", None, None, false),
        ("", None, None, false),
    ];
    for (line, tool, runtime, workers) in rows {
        let seen = recognise(&argv(line), &[]);
        assert_eq!((seen.tool, seen.runtime, seen.workers), (*tool, *runtime, *workers), "{line}");
        let lone = *runtime == Some(Node) && !workers && *tool != Some("node");
        assert_eq!(seen.is_lone(), lone, "{line}");
        assert_eq!(seen.one_fewer, matches!(tool, Some("webpack" | "jest")), "{line}");
    }
}

#[test]
fn scripts_say_what_npm_runs() {
    let check = |line: &str, scripts: &[&str], tool| {
        let scripts: Vec<String> = scripts.iter().map(|text| text.to_string()).collect();
        assert_eq!(recognise(&argv(line), &scripts).tool, tool, "{line} {scripts:?}");
    };
    check("npm run build", &["tsc --noEmit && webpack"], Some("webpack"));
    check("npm run build", &["NODE_ENV=production cross-env A=1 vite build"], Some("vite"));
    check("./build.sh", &["#!/bin/sh\nset -e\n# jest is not run\nif true; then make -j4; fi"], Some("make"));
    check("npm run build", &[], None);
    check("make", &["npm run x"], Some("make"));
}

#[test]
fn package_scripts_are_found() {
    let check = |line: &str, expect: &[&str]| assert_eq!(package_scripts(&argv(line)), expect, "{line}");
    check("npm run build", &["build"]);
    check("npm run --silent build -- --x", &["build"]);
    check("npm --prefix web run build", &["build"]);
    check("npm test", &["test"]);
    check("npm ci", &[]);
    check("yarn build", &["build"]);
    check("yarn install", &[]);
    check("pnpm -r --filter ./a build", &["build"]);
    check("sh -c 'npm ci && npm run a; npm run b'", &["a", "b"]);
    check("env A=b npm run build", &["build"]);
}
