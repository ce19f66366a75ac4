//! Embeds the page that `make page` has built, as far as it has.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = root.join("../../page/dist");
    // The folder itself is always there: what is not would be built anew each time.
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut code = String::from("&[\n");
    if dist.join("index.html").is_file() {
        embed(&mut code, "/", &dist.join("index.html"))?;
        let assets = fs::read_dir(dist.join("assets"))?.map(|entry| entry.map(|it| it.file_name()));
        let mut names: Vec<_> = assets.collect::<Result<_, _>>()?;
        names.sort();
        for name in names.iter().filter_map(|name| name.to_str()).filter(|name| !name.ends_with(".gz")) {
            embed(&mut code, &format!("/assets/{name}"), &dist.join("assets").join(name))?;
        }
    }
    code.push(']');
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("page.rs"), code)
}

/// One file, and its gzipped twin beside it.
fn embed(code: &mut String, path: &str, file: &Path) -> io::Result<()> {
    let plain = file.canonicalize()?;
    let gzipped = PathBuf::from(format!("{}.gz", plain.display()));
    writeln!(
        code,
        "File {{ path: {path:?}, plain: include_bytes!({plain:?}), gzipped: include_bytes!({gzipped:?}) }},"
    )
    .map_err(io::Error::other)
}
