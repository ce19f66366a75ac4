//! `/`: the page of the service, whose files the build has put into this binary.
//!
//! It has no secrets and asks for no token; what it asks the API for does.

use super::Service;
use super::problem::{Code, Problem};
use axum::Router;
use axum::extract::Path;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

/// A file of the page.
struct File {
    path: &'static str,
    plain: &'static [u8],
    gzipped: &'static [u8],
}

/// All of them; none where the page was not built.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><title>Plimsoll capacity</title>\
<p>This binary was built without its page: run <code>make page</code> and build it again; <a href=\"/docs\">the API is there</a>.</p></html>\n";

/// Nothing but what comes from here is loaded or run, and nobody shows it inside of theirs.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
/// The name of a file changes with what is in it.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// `/` and `/assets/...`.
pub fn router() -> Router<Service> {
    Router::new().route("/", get(index)).route("/assets/{name}", get(asset))
}

async fn index(headers: HeaderMap) -> Response {
    let mut response = match FILES.iter().find(|file| file.path == "/") {
        Some(file) => file.sent(&headers),
        None => Html(NOT_BUILT).into_response(),
    };
    set(&mut response, header::CACHE_CONTROL, "no-cache");
    guard(&mut response);
    response
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let found = FILES.iter().find(|file| file.path.strip_prefix("/assets/") == Some(&name));
    let unknown = || Problem::new(Code::NotFound, "there is no such file\nload / again");
    let mut response = found.ok_or_else(unknown)?.sent(&headers);
    set(&mut response, header::CACHE_CONTROL, FOR_EVER);
    guard(&mut response);
    Ok(response)
}

impl File {
    fn sent(&self, asked: &HeaderMap) -> Response {
        let is_packed = takes_gzip(asked);
        let mut response = (if is_packed { self.gzipped } else { self.plain }).into_response();
        set(&mut response, header::CONTENT_TYPE, self.kind());
        set(&mut response, header::VARY, "accept-encoding");
        if is_packed {
            set(&mut response, header::CONTENT_ENCODING, "gzip");
        }
        response
    }

    fn kind(&self) -> &'static str {
        match self.path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/html; charset=utf-8",
        }
    }
}

fn guard(response: &mut Response) {
    set(response, header::CONTENT_SECURITY_POLICY, POLICY);
    set(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(response, header::REFERRER_POLICY, "no-referrer");
}

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// Whether `Accept-Encoding` has gzip, and not only to refuse it (RFC 9110, 12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    let lines = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().trim_start_matches("q=").parse::<f64>();
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_goes_to_who_takes_it() {
        let check = |sent: &str, expect: bool| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, sent.parse().expect("a header"))]);
            assert_eq!(takes_gzip(&headers), expect, "{sent}");
        };
        check("gzip", true);
        check("br, GZIP;q=0.5", true);
        check("br;q=1.0, gzip; q=0", false);
        check("gzip;q=0.0", false);
        check("identity", false);
        check("x-gzipped", false);
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
