//! Sources as they are written on the command line.

use super::HistoryError;
use super::server::Way;
use super::server::access::Authorization;
use super::table::Format;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where history is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `csv:FILE` or `parquet:FILE`, or a file whose name ends so.
    File(Format, PathBuf),
    /// `tsdb:DIR`, or a folder.
    Blocks(PathBuf),
    /// `http://...` or `https://...`, found out; `prometheus:URL` or `victoriametrics:URL`.
    Server(Address),
}

/// A server's address, without who we are to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Without user and password.
    pub url: String,
    /// How it may be read from, the best way first.
    pub ways: &'static [Way],
    /// What stood before the `@`.
    pub authorization: Option<Authorization>,
}

const FOUND_OUT: &[Way] = &[Way::RemoteRead, Way::Export, Way::Query];
const PROMETHEUS: &[Way] = &[Way::RemoteRead, Way::Query];
const VICTORIA_METRICS: &[Way] = &[Way::Export, Way::Query];

impl FromStr for Source {
    type Err = HistoryError;

    fn from_str(text: &str) -> Result<Source, HistoryError> {
        let unknown = || HistoryError::UnknownSource(without_password(text));
        let (kind, rest) = text.split_once(':').unwrap_or(("", text));
        match kind {
            "http" | "https" => return address(text, FOUND_OUT).map(Source::Server).ok_or_else(unknown),
            "prometheus" => return address(rest, PROMETHEUS).map(Source::Server).ok_or_else(unknown),
            "victoriametrics" => {
                return address(rest, VICTORIA_METRICS).map(Source::Server).ok_or_else(unknown);
            }
            "tsdb" => return Ok(Source::Blocks(PathBuf::from(rest))),
            _ => {}
        }
        if let Some(format) = Format::named(kind) {
            return Ok(Source::File(format, PathBuf::from(rest)));
        }
        let path = PathBuf::from(text);
        if path.is_dir() {
            return Ok(Source::Blocks(path));
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).and_then(Format::named);
        ending.map(|format| Source::File(format, path)).ok_or_else(unknown)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Source::File(_, path) | Source::Blocks(path) => path.display().fmt(f),
            Source::Server(address) => f.write_str(&address.url),
        }
    }
}

fn address(url: &str, ways: &'static [Way]) -> Option<Address> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let (user, host) = host.rsplit_once('@').map_or((None, host), |(user, host)| (Some(user), host));
    let authorization = user.map(|user| {
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        Authorization::Basic(user.to_string(), password.to_string())
    });
    (!host.is_empty()).then(|| Address { url: format!("{scheme}://{host}{path}"), ways, authorization })
}

/// What may be shown of a source that was not understood.
fn without_password(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((before, after)) => format!("{}...@{after}", before.split_inclusive("://").next().unwrap_or("")),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_written() {
        let check = |text: &str, expect: Option<(Format, &str)>| {
            let expect = expect.map(|(format, path)| Source::File(format, PathBuf::from(path)));
            assert_eq!(text.parse::<Source>().ok(), expect, "{text}");
        };
        check("csv:usage.txt", Some((Format::Csv, "usage.txt")));
        check("csv:-", Some((Format::Csv, "-")));
        check("parquet:/data/x:y.parquet", Some((Format::Parquet, "/data/x:y.parquet")));
        check("usage.csv", Some((Format::Csv, "usage.csv")));
        assert_eq!("tsdb:/x".parse::<Source>().ok(), Some(Source::Blocks("/x".into())));
        assert_eq!("/".parse::<Source>().ok(), Some(Source::Blocks("/".into())));
        check("usage.xlsx", None);
        check("", None);
    }

    #[test]
    fn servers_as_written() {
        type Expect = (&'static str, &'static [Way], Option<(&'static str, &'static str)>);
        let check = |text: &str, expect: Option<Expect>| {
            let expect = expect.map(|(url, ways, user)| {
                let authorization =
                    user.map(|(user, password)| Authorization::Basic(user.into(), password.into()));
                Source::Server(Address { url: url.into(), ways, authorization })
            });
            assert_eq!(text.parse::<Source>().ok(), expect, "{text}");
        };
        check("http://localhost:9090", Some(("http://localhost:9090", FOUND_OUT, None)));
        check(
            "https://u:p@host/prometheus/",
            Some(("https://host/prometheus/", FOUND_OUT, Some(("u", "p")))),
        );
        check("prometheus:http://host:9090", Some(("http://host:9090", PROMETHEUS, None)));
        check("victoriametrics:http://host", Some(("http://host", VICTORIA_METRICS, None)));
        check("prometheus:host:9090", None);
        check("http://", None);
        let error = "ftp://me:secret@host/x".parse::<Source>().unwrap_err().to_string();
        assert!(!error.contains("secret") && error.contains("host/x"), "{error}");
    }
}
