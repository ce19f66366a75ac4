//! The URL of a server, taken apart: where it is, and who we are to it.

use super::access::Authorization;
use crate::HistoryError;
use percent_encoding::percent_decode_str;
use std::net::IpAddr;
use ureq::http::Uri;

const FORM: &str = "write it as http://HOST:PORT or https://HOST/PATH";

/// Where a server is.
#[derive(Debug, PartialEq, Eq)]
pub struct Base {
    /// Without user, password and slashes at its end: a path can be appended.
    pub url: String,
    /// User and password, if the URL had them.
    pub authorization: Option<Authorization>,
    /// Whether it is on this machine.
    pub is_loopback: bool,
}

impl Base {
    /// From what somebody wrote; errors do not repeat the password.
    pub fn parse(url: &str) -> Result<Base, HistoryError> {
        let wrong = |problem: &str, advice| {
            // However wrong it is, what is before the last @ may be a password.
            let shown = url.rsplit_once('@').map_or(url, |(_, host)| host);
            HistoryError::server(shown, problem, advice)
        };
        if url.contains(['?', '#']) {
            return Err(wrong("a server's URL has no query", "leave out what begins with ? or #"));
        }
        let uri: Uri = url.parse().map_err(|_| wrong("this is not a URL", FORM))?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong("a server's URL begins with http:// or https://", FORM));
        };
        if uri.path().contains('@') {
            return Err(wrong("there is an @ in its path", "write a / in a password as %2F"));
        }
        let (user, place) = match authority.as_str().rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority.as_str()),
        };
        let port = &place[authority.host().len().min(place.len())..];
        if authority.host().is_empty() || !port.is_empty() && authority.port_u16().is_none() {
            return Err(wrong("the host or port in it is not valid", FORM));
        }
        Ok(Base {
            url: format!("{scheme}://{place}{}", uri.path().trim_end_matches('/')),
            authorization: user.map(authorization),
            is_loopback: is_loopback(authority.host()),
        })
    }
}

fn authorization(user: &str) -> Authorization {
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Authorization::Basic(plain(user), plain(password))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_apart() {
        let check = |url: &str, expect: &str, user: Option<(&str, &str)>, is_loopback: bool| {
            let authorization =
                user.map(|(user, password)| Authorization::Basic(user.into(), password.into()));
            let expect = Base { url: expect.into(), authorization, is_loopback };
            assert_eq!(Base::parse(url).unwrap(), expect, "{url}");
        };
        check("http://prom:9090", "http://prom:9090", None, false);
        check("https://prom/a/b//", "https://prom/a/b", None, false);
        check("HTTP://prom/", "http://prom", None, false);
        check("http://127.0.0.1:9090/", "http://127.0.0.1:9090", None, true);
        check("http://[::1]:9090/x", "http://[::1]:9090/x", None, true);
        check("http://[2001:db8::1]", "http://[2001:db8::1]", None, false);
        check("http://LocalHost:1", "http://LocalHost:1", None, true);
        check("http://me:s%40%2Fcret@prom:1/x/", "http://prom:1/x", Some(("me", "s@/cret")), false);
        check("http://me@prom", "http://prom", Some(("me", "")), false);
    }

    #[test]
    fn mistakes_are_named_without_the_password() {
        let check = |url: &str, expect: &str| {
            assert_eq!(Base::parse(url).unwrap_err().to_string(), expect, "{url}");
        };
        check("prom:9090", &format!("prom:9090: a server's URL begins with http:// or https://\n{FORM}"));
        check("", &format!(": this is not a URL\n{FORM}"));
        check("ftp://prom", &format!("ftp://prom: a server's URL begins with http:// or https://\n{FORM}"));
        check("http://me:secret@", &format!(": this is not a URL\n{FORM}"));
        check("http://me:se cret@prom", &format!("prom: this is not a URL\n{FORM}"));
        check(
            "http://prom:99999",
            &format!("http://prom:99999: the host or port in it is not valid\n{FORM}"),
        );
        check("http://me:secret@prom:x", &format!("prom:x: the host or port in it is not valid\n{FORM}"));
        check("http://me:1/secret@prom", "prom: there is an @ in its path\nwrite a / in a password as %2F");
        check(
            "http://me:secret@prom/graph?g0=up",
            "prom/graph?g0=up: a server's URL has no query\nleave out what begins with ? or #",
        );
    }
}
