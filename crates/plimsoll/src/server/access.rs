//! Who asks, and what they may: bearer tokens with a scope each.
//!
//! Of a token only its SHA-256 is kept. All of them are compared with what was sent, in the same time whether one is right or
//! not. Whose another token is the cluster may be [asked](super::review). Without tokens everybody on this machine may do
//! everything, and nobody else is listened to.

use super::problem::{Code, Problem};
use super::review::{Reviewer, Rules};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use plimsoll_cluster::ClusterError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use thiserror::Error;

/// A longer file of tokens is none, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What somebody may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See everything.
    Read,
    /// Reserve, and change what they have reserved themselves.
    Reserve,
    /// Change what others have reserved, and send observations.
    Admin,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// As what their reservations and the audit log know them.
    pub name: Arc<str>,
    /// What they may do.
    pub scope: Scope,
}

impl Principal {
    /// Refuses who may not do so much.
    pub fn may(&self, scope: Scope) -> Result<(), Problem> {
        if self.scope >= scope {
            return Ok(());
        }
        let needed = serde_json::to_value(scope).unwrap_or_default();
        let text = format!("the token of '{}' has not the scope {needed}\nask for one that has", self.name);
        Err(Problem::new(Code::Forbidden, text))
    }

    /// For whom somebody reserves: for themselves, and for others as an administrator.
    pub fn owner(&self, asked: Option<&str>) -> Result<String, Problem> {
        let owner = asked.unwrap_or(&self.name);
        if *owner != *self.name {
            self.may(Scope::Admin)?;
        }
        Ok(owner.to_string())
    }
}

/// A token that is known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    name: String,
    scope: Scope,
    #[serde(deserialize_with = "digest")]
    sha256: [u8; 32],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tokens: Vec<Token>,
    kubernetes: Option<Rules>,
}

/// Who is let in.
#[derive(Debug, Clone)]
pub enum Access {
    /// Everybody, who comes from this machine.
    Everybody,
    /// Who has one of these tokens.
    Tokens(Arc<Tokens>),
}

/// All who are let in.
#[derive(Debug)]
pub struct Tokens {
    known: Vec<Known>,
    /// Whom the cluster knows.
    reviewer: Option<Reviewer>,
}

/// Somebody who is let in, by the SHA-256 of their token.
#[derive(Debug, Clone)]
struct Known {
    principal: Principal,
    sha256: [u8; 32],
}

/// Why nobody can be let in.
#[derive(Debug, Error)]
pub enum AccessError {
    /// The file cannot be read.
    #[error("{path}: {error}\ncheck --tokens and that it can be read")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is not as it should be.
    #[error("{path}: {why}\nmake an entry with plimsoll serve --new-token NAME")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Access {
    /// Reads a file of tokens: `tokens`, a list of `name`, `scope` and `sha256`; and `kubernetes`, the scopes of those whom the
    /// cluster knows.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, is no such file, lets in nobody, or has two tokens of one name.
    pub fn read(path: &Path) -> Result<Access, AccessError> {
        use std::io::Read;
        let unreadable = |error| AccessError::Unreadable { path: path.to_path_buf(), error };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
        Access::parse(&text).map_err(|why| AccessError::Invalid { path: path.to_path_buf(), why })
    }

    fn parse(text: &str) -> Result<Access, String> {
        // What is wrong may be told, but not with the line it stands on: that could be a token.
        let file: File = serde_saphyr::from_str(text).map_err(|error| {
            let at = error.location().map(|at| format!("line {}: ", at.line())).unwrap_or_default();
            format!(
                "{at}neither tokens, a list of name, scope (read, reserve, admin) and sha256 (64 hex digits), \
                 nor kubernetes, with audience, users and groups"
            )
        })?;
        let mut known: Vec<Known> = Vec::new();
        for Token { name, scope, sha256 } in file.tokens {
            if known.iter().any(|other| *other.principal.name == *name) {
                return Err(format!("two tokens are named '{name}'"));
            }
            known.push(Known { principal: Principal { name: name.into(), scope }, sha256 });
        }
        let reviewer = file.kubernetes.map(Rules::validate).transpose()?.map(Reviewer::new);
        if known.is_empty() && reviewer.is_none() {
            return Err("no token in it".to_string());
        }
        Ok(Access::Tokens(Arc::new(Tokens { known, reviewer })))
    }

    /// Finds the way to the cluster, if it is to be asked.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub async fn open(&self) -> Result<(), ClusterError> {
        if let Access::Tokens(tokens) = self
            && let Some(reviewer) = &tokens.reviewer
        {
            reviewer.open().await?;
        }
        Ok(())
    }

    /// Who asks, by the headers of the request.
    ///
    /// # Errors
    ///
    /// Where nobody knows the token, or there is none.
    pub async fn principal(&self, headers: &HeaderMap) -> Result<Principal, Problem> {
        let tokens = match self {
            Access::Everybody => return Ok(Principal { name: "local".into(), scope: Scope::Admin }),
            Access::Tokens(tokens) => tokens,
        };
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = |sent: &str| {
            let (scheme, token) = sent.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_string())
        };
        let Some(token) = sent.and_then(bearer) else {
            let text = "no token\nsend Authorization: Bearer TOKEN";
            return Err(Problem::new(Code::Unauthorized, text));
        };
        let sha256: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for one in &tokens.known {
            if bool::from(one.sha256.ct_eq(&sha256)) {
                found = Some(one.principal.clone());
            }
        }
        if let (None, Some(reviewer)) = (&found, &tokens.reviewer) {
            let theirs = reviewer.principal(&token, sha256).await?;
            // Nobody gets what is another's by being called the same elsewhere.
            found = theirs.filter(|it| tokens.known.iter().all(|one| one.principal.name != it.name));
        }
        let text = "nobody knows the token\nask who runs this for one";
        found.ok_or_else(|| Problem::new(Code::Unauthorized, text))
    }
}

fn digest<'de, D: serde::Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(from)?;
    let byte = |at: usize| text.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let bytes: Option<Vec<u8>> = (0..64).step_by(2).map(byte).collect();
    let bytes = bytes.filter(|_| text.len() == 64).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| serde::de::Error::custom("not a SHA-256"))
}

/// Lets in who may: reading takes the scope `read`, anything else `reserve`; handlers ask for more where it takes more.
pub async fn check(
    State(access): State<Access>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let principal = access.principal(request.headers()).await?;
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    principal.may(if is_read { Scope::Read } else { Scope::Reserve })?;
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::secret::sha256_hex;

    fn file(name: &str, scope: &str, token: &str) -> String {
        format!("tokens:\n- name: {name}\n  scope: {scope}\n  sha256: {}\n", sha256_hex(token))
    }

    #[test]
    fn who_has_a_token_is_known_by_its_name() {
        let access = Access::parse(&file("page", "reserve", "s3cret")).expect("tokens");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let check = |sent: Option<&str>, expect: Result<Scope, &str>| {
            let mut headers = HeaderMap::new();
            if let Some(sent) = sent {
                headers.insert(header::AUTHORIZATION, sent.parse().expect("a header"));
            }
            let found = runtime
                .block_on(access.principal(&headers))
                .map(|it| it.scope)
                .map_err(|problem| problem.code());
            assert_eq!(found, expect, "{sent:?}");
        };
        check(Some("Bearer s3cret"), Ok(Scope::Reserve));
        check(Some("bearer s3cret"), Ok(Scope::Reserve));
        check(Some("Bearer s3cre"), Err("unauthorized"));
        check(Some("Bearer "), Err("unauthorized"));
        check(Some("Basic s3cret"), Err("unauthorized"));
        check(None, Err("unauthorized"));
    }

    #[test]
    fn each_scope_may_do_what_those_before_it_may() {
        let check = |has, needs, expect| {
            let principal = Principal { name: "one".into(), scope: has };
            assert_eq!(principal.may(needs).is_ok(), expect, "{has:?} {needs:?}");
        };
        check(Scope::Read, Scope::Read, true);
        check(Scope::Read, Scope::Reserve, false);
        check(Scope::Reserve, Scope::Admin, false);
        check(Scope::Admin, Scope::Reserve, true);
    }

    #[test]
    fn a_file_that_is_not_right_is_refused_and_not_shown() {
        let check = |text: &str, expect: &str| {
            let error = Access::parse(text).expect_err(text);
            assert!(error.contains(expect) && !error.contains("s3cret"), "{error}");
        };
        check("tokens: []", "no token in it");
        check("tokens:\n- name: a\n  scope: read\n  sha256: s3cret\n", "sha256 (64 hex digits)");
        check("tokens:\n- name: a\n  scope: root\n  token: s3cret\n", "neither tokens, a list of name");
        check("kubernetes: {audience: '', users: {ann: read}}", "audience is empty");
        check("kubernetes: {audience: plimsoll}", "neither users nor groups");
        check("kubernetes: {users: {ann: read}}", "neither tokens, a list");
        let twice = file("a", "read", "1") + &file("a", "read", "2").replace("tokens:\n", "");
        check(&twice, "two tokens are named 'a'");
    }
}
