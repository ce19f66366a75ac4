//! Certificates as an authority hands them out, by `openssl`.

use crate::cluster::Machine;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// An authority of its own.
pub fn authority(folder: &Path, name: &str) -> Certificate {
    made(folder, name, &["-addext", "basicConstraints=critical,CA:TRUE"])
}

/// A certificate for this machine, also as its guest knows it, signed by an authority.
pub fn signed(folder: &Path, name: &str, authority: &Certificate) -> Certificate {
    let (certificate, key) =
        (authority.certificate.display().to_string(), authority.key.display().to_string());
    let (guests_way, _) = Machine::APISERVER;
    let names = format!("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:{guests_way}");
    let for_whom = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", &names];
    made(folder, name, &[&["-CA", &certificate, "-CAkey", &key], for_whom.as_slice()].concat())
}

fn made(folder: &Path, name: &str, more: &[&str]) -> Certificate {
    let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", &format!("/CN={name}"), "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .args(more)
        .stderr(Stdio::null())
        .status();
    let made = made.unwrap_or_else(|error| panic!("openssl: {error}\ninstall it with make tools"));
    assert!(made.success(), "openssl made no certificate for {name}");
    Certificate { certificate, key }
}
