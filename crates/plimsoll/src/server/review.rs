//! Tokens that the Kubernetes API knows: whose they are it says, what they may our file does.

use super::access::{Principal, Scope};
use super::problem::{Code, Problem};
use plimsoll_cluster::ClusterError;
use plimsoll_cluster::access::Access;
use plimsoll_cluster::token_review::{Identity, review};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OnceCell, Semaphore};

/// So long what was said of a token holds: one that is taken back is let in for as long.
const KEPT: Duration = Duration::from_secs(60);
/// Tokens of which it is kept.
const ANSWERS_MAX: usize = 10_000;
/// A longer token is none, in bytes.
const TOKEN_BYTES_MAX: usize = 16 << 10;
/// Tokens that are asked about at the same time.
const AT_ONCE: usize = 16;

/// What whom the cluster knows may do: the most of what their name and their groups may.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Tokens have to be meant for it.
    audience: String,
    /// By name, like `system:serviceaccount:NAMESPACE:NAME`.
    #[serde(default)]
    users: BTreeMap<String, Scope>,
    /// By group, like `system:serviceaccounts:NAMESPACE`.
    #[serde(default)]
    groups: BTreeMap<String, Scope>,
}

/// Asks the cluster whose a token is.
pub struct Reviewer {
    rules: Rules,
    client: OnceCell<kube::Client>,
    /// By the token's SHA-256.
    answers: Mutex<HashMap<[u8; 32], (Instant, Answer)>>,
    at_once: Semaphore,
}

/// What was found out about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// It is nobody's.
    Nobody,
    /// Of somebody who may nothing here.
    NoScope(String),
    /// Of somebody who may.
    Known(Principal),
}

impl std::fmt::Debug for Reviewer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reviewer").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Rules {
    /// Checks what types cannot say.
    pub fn validate(self) -> Result<Rules, String> {
        match (self.audience.is_empty(), self.users.is_empty() && self.groups.is_empty()) {
            (true, _) => {
                Err("kubernetes: audience is empty, so any token of the cluster would do".to_string())
            }
            (_, true) => {
                Err("kubernetes: neither users nor groups are there, so nobody may anything".to_string())
            }
            _ => Ok(self),
        }
    }

    fn answer(&self, identity: Option<Identity>) -> Answer {
        let Some(Identity { user, groups }) = identity else { return Answer::Nobody };
        let of_groups = groups.iter().filter_map(|group| self.groups.get(group));
        match self.users.get(&user).into_iter().chain(of_groups).max() {
            Some(scope) => Answer::Known(Principal { name: user.into(), scope: *scope }),
            None => Answer::NoScope(user),
        }
    }
}

impl Answer {
    fn principal(self) -> Result<Option<Principal>, Problem> {
        match self {
            Answer::Nobody => Ok(None),
            Answer::Known(principal) => Ok(Some(principal)),
            Answer::NoScope(name) => {
                let text =
                    format!("'{name}' may do nothing here\nname them, or a group of theirs, in --tokens");
                Err(Problem::new(Code::Forbidden, text))
            }
        }
    }
}

impl Reviewer {
    /// By these rules.
    pub fn new(rules: Rules) -> Reviewer {
        let answers = Mutex::new(HashMap::new());
        Reviewer { rules, client: OnceCell::new(), answers, at_once: Semaphore::new(AT_ONCE) }
    }

    /// Finds the way to the cluster; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub async fn open(&self) -> Result<&kube::Client, ClusterError> {
        self.client.get_or_try_init(async || Access::default().client().await).await
    }

    /// Whose a token is; `None` where it is nobody's.
    ///
    /// # Errors
    ///
    /// Where they may nothing here, or the cluster does not answer.
    pub async fn principal(&self, token: &str, sha256: [u8; 32]) -> Result<Option<Principal>, Problem> {
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return Ok(None);
        }
        if let Some(answer) = self.known(&sha256, Instant::now()) {
            return answer.principal();
        }
        let Ok(_turn) = self.at_once.acquire().await else { return Ok(None) };
        // Others may have asked meanwhile about the same.
        if let Some(answer) = self.known(&sha256, Instant::now()) {
            return answer.principal();
        }
        let identity = match self.open().await {
            Ok(client) => review(client, token, &self.rules.audience).await,
            Err(error) => Err(error),
        };
        let identity = identity.map_err(|error| {
            eprintln!("{error}");
            Problem::new(Code::Unavailable, "the cluster does not say whose the token is\ntry again").after(2)
        })?;
        let answer = self.rules.answer(identity);
        self.keep(sha256, answer.clone(), Instant::now());
        answer.principal()
    }

    fn known(&self, sha256: &[u8; 32], now: Instant) -> Option<Answer> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, answer) = answers.get(sha256)?;
        (now.saturating_duration_since(*at) < KEPT).then(|| answer.clone())
    }

    fn keep(&self, sha256: [u8; 32], answer: Answer, now: Instant) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= ANSWERS_MAX {
            answers.retain(|_, (at, _)| now.saturating_duration_since(*at) < KEPT);
        }
        if answers.len() < ANSWERS_MAX {
            answers.insert(sha256, (now, answer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_that_name_and_groups_may() {
        let rules: Rules = serde_json::from_value(serde_json::json!({
            "audience": "plimsoll", "users": {"ann": "reserve"}, "groups": {"readers": "read", "admins": "admin"},
        }))
        .expect("rules");
        let check = |identity: Option<(&str, &[&str])>, expect: Answer| {
            let identity = identity.map(|(user, groups)| Identity {
                user: user.to_string(),
                groups: groups.iter().map(|group| group.to_string()).collect(),
            });
            assert_eq!(rules.answer(identity), expect);
        };
        let known = |name: &str, scope| Answer::Known(Principal { name: name.into(), scope });
        check(None, Answer::Nobody);
        check(Some(("ann", &[])), known("ann", Scope::Reserve));
        check(Some(("ann", &["readers"])), known("ann", Scope::Reserve));
        check(Some(("ann", &["readers", "admins"])), known("ann", Scope::Admin));
        check(Some(("bob", &["readers"])), known("bob", Scope::Read));
        check(Some(("eve", &["others"])), Answer::NoScope("eve".to_string()));
    }

    #[test]
    fn what_was_said_holds_for_a_minute() {
        let rules: Rules = serde_json::from_value(serde_json::json!({"audience": "a"})).expect("rules");
        let (reviewer, start) = (Reviewer::new(rules), Instant::now());
        reviewer.keep([1; 32], Answer::Nobody, start);
        assert_eq!(reviewer.known(&[1; 32], start + Duration::from_secs(59)), Some(Answer::Nobody));
        assert_eq!(reviewer.known(&[1; 32], start + KEPT), None);
        assert_eq!(reviewer.known(&[2; 32], start), None);
    }
}
