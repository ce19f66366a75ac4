//! Who we are to a server and whom we take it for: what is sent, what is trusted, and that secrets are never shown.

mod common;

use common::reading::*;
use common::{All, Scripted};
use plimsoll_history::server::access::{Access, Authorization};
use plimsoll_history::server::{Server, Way};
use plimsoll_real::certificates::{Certificate, authority, signed};
use plimsoll_real::guarded_prometheus;
use std::path::Path;
use std::process::Command;

const ALL_WAYS: [Way; 3] = [Way::RemoteRead, Way::Export, Way::Query];
const SECRET: &str = "s3cret-of-tests";
/// bcrypt of [`SECRET`].
const SECRET_HASH: &str = "$2b$04$M6DniO.I0jx3/GS2boH5veIJlHjo/NKSmXi7WebqbCezoXQFKwG8i";

fn bearer() -> Option<Authorization> {
    Some(Authorization::Bearer(SECRET.into()))
}

fn basic(password: &str) -> Option<Authorization> {
    Some(Authorization::Basic("plimsoll".into(), password.into()))
}

#[test]
fn headers_go_along_with_every_request() {
    let check = |user: &str, access: &Access, authorization: Option<&str>, tenant: Option<&str>| {
        for way in ALL_WAYS {
            let scripted = Scripted::start(move |asked, answer| match (asked.path.as_str(), way) {
                ("/api/v1/read", Way::RemoteRead) => answer.body(STREAMED, ""),
                (path, Way::Export) if path.starts_with("/api/v1/export") => answer.body(LINES, ""),
                (path, Way::Query) if path.starts_with("/api/v1/query") => {
                    answer.body(JSON, r#"{"status":"success","data":{"result":[]}}"#);
                }
                _ => answer.status(404, "", ""),
            });
            let url = scripted.url.replace("http://", &format!("http://{user}"));
            let server = Server::open(&url, access, &ALL_WAYS).unwrap();
            assert_eq!(server.way(), way);
            server.read(&[selector()], RANGE, &mut All::default()).unwrap();
            let asked = scripted.asked();
            assert!(asked.len() >= 2);
            for asked in asked {
                let header = |name: &str| asked.headers.get(name).map(String::as_str);
                assert_eq!((header("authorization"), header("x-scope-orgid")), (authorization, tenant));
                assert_eq!(header("user-agent"), Some(concat!("plimsoll/", env!("CARGO_PKG_VERSION"))));
            }
        }
    };
    let basic_header = Some("Basic cGxpbXNvbGw6czNjcmV0LW9mLXRlc3Rz");
    check("", &Access::default(), None, None);
    check("", &Access { authorization: bearer(), ..access() }, Some("Bearer s3cret-of-tests"), None);
    check("", &Access { authorization: basic(SECRET), ..access() }, basic_header, None);
    check("plimsoll:s3cret%2Dof-tests@", &access(), basic_header, None);
    check("a:b@", &Access { authorization: basic(SECRET), ..access() }, basic_header, None);
    check("", &Access { tenant: Some("team-a|team-b".into()), ..access() }, None, Some("team-a|team-b"));
}

/// A server may repeat what it was sent, and somebody looks at what we hold.
#[test]
fn secrets_are_never_shown() {
    let check = |user: &str, authorization: Option<Authorization>| {
        let access = Access { authorization, ..access() };
        for status in [200, 302, 400, 500] {
            let scripted = Scripted::start(move |asked, answer| {
                let sent = asked.headers.get("authorization").unwrap();
                match (asked.number, status) {
                    (0, _) => answer.body(STREAMED, ""),
                    (_, 200) => answer.body(&format!("text/{sent}/{SECRET}"), ""),
                    (_, 302) => answer.status(302, &format!("location: /?{sent}&{SECRET}\r\n"), ""),
                    (_, status) => answer.status(status, "", &format!("{sent} {SECRET} is not welcome")),
                }
            });
            let url = scripted.url.replace("http://", &format!("http://{user}"));
            let server = Server::open(&url, &access, &[Way::RemoteRead]).unwrap();
            let error = server.read(&[selector()], RANGE, &mut All::default()).unwrap_err();
            let text = format!("{error}\n{error:?}\n{server:?}\n{access:?}");
            assert!(text.contains("(secret)"), "{text}");
            for secret in [SECRET, "cGxpbXNvbGw6czNjcmV0LW9mLXRlc3Rz"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    };
    check("", bearer());
    check("", basic(SECRET));
    check(&format!("plimsoll:{SECRET}@"), None);
}

#[test]
fn what_no_header_can_have_is_refused() {
    let check = |access: &Access, expect: &str| {
        let error = Server::open("http://me:pw@prom:1/", access, &ALL_WAYS).unwrap_err();
        assert_eq!(error.to_string(), format!("http://prom:1: {expect}"));
    };
    let token = Authorization::Bearer("one\ntwo".into());
    check(
        &Access { authorization: Some(token), ..access() },
        "the token has characters that no token has\n\
         check that its file has the token and nothing else, in one line",
    );
    check(
        &Access { tenant: Some("a\r\nx: y".into()), ..access() },
        "the tenant has characters that no tenant has\ncheck --tenant",
    );
}

#[test]
fn a_wait_without_end_is_taken_for_a_long_one() {
    let (_scripted, server) =
        opened(Way::RemoteRead, &Access { timeout_seconds: Some(u64::MAX), ..access() }, |_, answer| {
            answer.body(STREAMED, "");
        });
    server.read(&[selector()], RANGE, &mut All::default()).unwrap();
    let access = Access { retry_wait_ms: Some(u64::MAX), ..access() };
    let (_scripted, server) = opened(Way::RemoteRead, &access, |_, answer| answer.status(503, "", ""));
    assert!(server.read(&[selector()], RANGE, &mut All::default()).is_err());
}

/// What the first line of an error and its advice say; or the way that was found.
fn opens(url: &str, access: &Access) -> Result<Way, (String, String)> {
    Server::open(url, access, &ALL_WAYS).map(|server| server.way()).map_err(|error| {
        let text = error.to_string();
        let (problem, advice) = text.split_once('\n').unwrap();
        (problem.to_string(), advice.to_string())
    })
}

fn fails(opened: Result<Way, (String, String)>, problem: &str, advice: &str) {
    let (seen_problem, seen_advice) = opened.unwrap_err();
    assert!(seen_problem.contains(problem), "{seen_problem}");
    assert_eq!(seen_advice, advice);
}

fn web_config(server: &Certificate, more: &str) -> String {
    let (certificate, key) = (server.certificate.display(), server.key.display());
    format!("tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n{more}")
}

#[test]
fn authorities_and_users() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (ours, other) = (authority(path, "ours"), authority(path, "other"));
    let config = web_config(
        &signed(path, "server", &ours),
        &format!("basic_auth_users:\n  plimsoll: {SECRET_HASH}\n"),
    );
    let prometheus = guarded_prometheus(path, &config);
    let url = prometheus.url.as_str();
    let with = |ca: Option<&Certificate>, authorization: Option<Authorization>| Access {
        ca: ca.map(|ca| ca.certificate.clone()),
        authorization,
        retry_wait_ms: Some(100),
        ..Access::default()
    };

    let name_it = "name the certificates of the authority that signed its own with --ca";
    fails(opens(url, &with(None, None)), "invalid peer certificate: UnknownIssuer", name_it);
    fails(opens(url, &with(Some(&other), None)), "invalid peer certificate: ", name_it);

    let who = "give a token (--token-file or PLIMSOLL_TOKEN) or a user (--user)";
    fails(opens(url, &with(Some(&ours), None)), "status 401: Unauthorized", who);
    fails(opens(url, &with(Some(&ours), basic("wrong"))), "status 401: Unauthorized", who);
    assert_eq!(opens(url, &with(Some(&ours), basic(SECRET))), Ok(Way::RemoteRead));
    let with_user = url.replace("https://", &format!("https://plimsoll:{SECRET}@"));
    assert_eq!(opens(&with_user, &with(Some(&ours), None)), Ok(Way::RemoteRead));
    let by_name = url.replace("127.0.0.1", "localhost");
    assert_eq!(opens(&by_name, &with(Some(&ours), basic(SECRET))), Ok(Way::RemoteRead));

    // TLS where there is none, and none where there is.
    fails(
        opens(&url.replace("https", "http"), &with(None, None)),
        "status 400: Client sent an HTTP request to an HTTPS server.",
        "check the URL; Mimir, Cortex and Thanos may want a --tenant",
    );
    let folder = tempfile::tempdir().unwrap();
    let plain = plimsoll_real::prometheus(folder.path(), &[]);
    fails(
        opens(&plain.url.replace("http", "https"), &with(None, None)),
        "received corrupt message of type InvalidContentType",
        "it may not speak TLS on this port: try http://",
    );
}

#[test]
fn certificates_of_our_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (ours, other) = (authority(path, "ours"), authority(path, "other"));
    let (client, stranger) = (signed(path, "client", &ours), signed(path, "stranger", &other));
    let more = format!(
        "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {}\n",
        ours.certificate.display()
    );
    let prometheus = guarded_prometheus(path, &web_config(&signed(path, "server", &ours), &more));
    let with = |identity: Option<(&Path, &Path)>| Access {
        ca: Some(ours.certificate.clone()),
        identity: identity.map(|(certificate, key)| (certificate.into(), key.into())),
        retry_wait_ms: Some(100),
        ..Access::default()
    };
    let of = |one: &Certificate| with(Some((&one.certificate, &one.key)));
    let url = prometheus.url.as_str();

    let name_it = "it may ask for a certificate of yours: name it and its key with --cert and --key";
    for without in [with(None), of(&stranger)] {
        // Who still sends when the server hangs up does not come to read its alert.
        let (problem, advice) = opens(url, &without).unwrap_err();
        let ends = ["received fatal alert: ", "Broken pipe", "Connection reset"];
        assert!(ends.iter().any(|end| problem.contains(end)), "{problem}");
        assert_eq!(advice, name_it);
    }
    assert_eq!(opens(url, &of(&client)), Ok(Way::RemoteRead));

    let whole = "check that it is a whole PEM file";
    let missing = path.join("missing.pem");
    let check = |certificate: &Path, key: &Path, problem: &str, advice: &str| {
        fails(opens(url, &with(Some((certificate, key)))), problem, advice);
    };
    check(&client.certificate, &stranger.key, "it is not the key of ", whole);
    check(&client.certificate, &client.certificate, "client.pem: ", whole);
    check(&client.key, &client.key, "client.key: there is no certificate in it", whole);
    check(&client.certificate, &missing, "missing.pem: ", "check that it is there and may be read");
    let broken = path.join("broken.pem");
    let pem = |kind: &str| format!("-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n");
    std::fs::write(&broken, pem("CERTIFICATE") + &pem("PRIVATE KEY")).unwrap();
    check(&broken, &client.key, "client.key: it is not the key of ", whole);
    check(&client.certificate, &broken, "broken.pem: ", whole);
    let ca = Access { ca: Some(client.key.clone()), ..Access::default() };
    fails(opens(url, &ca), "client.key: there is no certificate in it", whole);
}

/// Run by itself with a proxy in its environment, where nobody listens.
#[test]
fn loopback_is_asked_directly() {
    let (_scripted, server) = opened(Way::RemoteRead, &access(), |_, answer| answer.body(STREAMED, ""));
    server.read(&[selector()], RANGE, &mut All::default()).unwrap();
    if std::env::var_os("ALL_PROXY").is_some() {
        let elsewhere = opens("http://prometheus.invalid", &access());
        return fails(elsewhere, "Connection refused", "check that it runs and can be reached from here");
    }
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "loopback_is_asked_directly"])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("ALL_PROXY", format!("http://127.0.0.1:{}", plimsoll_real::free_port()))
        .output()
        .unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
}
