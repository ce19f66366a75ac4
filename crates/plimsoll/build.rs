//! Embeds the page that `make page` has built, as far as it has.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = root.join("../../page/dist");
    // The folder itself is always there: what is not would be built anew each time.
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut code = String::from("&[\n");
    if dist.join("index.html").is_file() {
        embed(&mut code, "/", &dist, "index.html", &out)?;
        let assets = dist.join("assets");
        let names = fs::read_dir(&assets)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
        names.sort();
        for name in names.iter().filter(|name| !name.ends_with(".gz")) {
            embed(&mut code, &format!("/assets/{name}"), &assets, name, &out)?;
        }
    }
    code.push(']');
    fs::write(out.join("page.rs"), code)
}

/// One file, and its gzipped twin beside it. Of copies, as the page may be built anew while this is compiled.
fn embed(code: &mut String, path: &str, folder: &Path, name: &str, out: &Path) -> io::Result<()> {
    let packed = format!("{name}.gz");
    for name in [name, &packed] {
        fs::copy(folder.join(name), out.join(name))?;
    }
    let bytes = |name: &str| format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))");
    writeln!(code, "File {{ path: {path:?}, plain: {}, gzipped: {} }},", bytes(name), bytes(&packed))
        .map_err(io::Error::other)
}
