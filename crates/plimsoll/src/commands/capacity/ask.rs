//! The two ways to ask: a server by HTTP, or a store of this machine by the very same handlers.

use super::CommandError;
use crate::commands::cluster::block_on;
use crate::commands::serve::url;
use crate::config;
use crate::server::Service;
use crate::server::access::Access as Served;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use clap::Args;
use plimsoll_capacity::Database;
use plimsoll_history::server::access::{Access, tls};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tower::ServiceExt;
use ureq::Agent;

/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
const NAME_A_TOKEN: &str = "name a file with a token that it knows by --token-file";
/// So long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Whom to ask.
#[derive(Debug, Args)]
pub struct WayArgs {
    /// A server to ask, as http://127.0.0.1:7676
    #[arg(long, value_name = "URL", env = "PLIMSOLL_SERVER", global = true)]
    server: Option<String>,
    /// A file with the token for it
    #[arg(long, value_name = "FILE", global = true, requires = "server")]
    token_file: Option<PathBuf>,
    /// Without a server: what is kept, a file or postgres://USER@HOST/DATABASE
    #[arg(
        long,
        value_name = "FILE|URL",
        env = "PLIMSOLL_CAPACITY_STORE",
        hide_env_values = true,
        default_value = "plimsoll-capacity.db",
        global = true
    )]
    store: String,
    /// Without a server: configuration, `-` for stdin [default: plimsoll.yaml here or above, up to the repository's root]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

impl WayArgs {
    /// A server's URL, or a store; a file has to be there.
    pub fn at(at: &str, token_file: Option<&Path>, config: Option<&Path>) -> Result<WayArgs, CommandError> {
        let is_server = at.starts_with("http://") || at.starts_with("https://");
        if !is_server && !at.contains("://") {
            let path = at.strip_prefix("sqlite:").unwrap_or(at);
            let input = |error| CommandError::Input { path: path.to_string(), error };
            std::fs::metadata(path).map_err(input)?;
        }
        Ok(WayArgs {
            server: is_server.then(|| at.to_string()),
            token_file: token_file.map(Path::to_path_buf),
            store: at.to_string(),
            config: config.map(Path::to_path_buf),
        })
    }
}

/// Whom to ask, ready.
pub enum Way {
    Server { agent: Agent, url: String, token: Option<String> },
    Store { url: String, capacity: Box<config::Capacity> },
}

impl Way {
    pub fn of(args: &WayArgs) -> Result<Way, CommandError> {
        let Some(server) = &args.server else {
            let found = config::load(args.config.as_deref(), &std::env::current_dir()?)?;
            return Ok(Way::Store {
                url: url(&args.store),
                capacity: Box::new(found.capacity.unwrap_or_default()),
            });
        };
        let read = |path: &PathBuf| {
            let input = |error| CommandError::Input { path: path.display().to_string(), error };
            std::fs::read_to_string(path).map(|text| text.trim().to_string()).map_err(input)
        };
        let token = args.token_file.as_ref().map(read).transpose()?;
        let mut config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT));
        if server.starts_with("https:") {
            config = config.tls_config(tls(&Access::default())?);
        }
        Ok(Way::Server { agent: config.build().into(), url: server.trim_end_matches('/').to_string(), token })
    }

    pub fn get(&self, path: &str) -> Result<Value, CommandError> {
        self.ask(Method::GET, path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value, CommandError> {
        self.ask(Method::POST, path, Some(body))
    }

    pub fn delete(&self, path: &str) -> Result<Value, CommandError> {
        self.ask(Method::DELETE, path, None)
    }

    /// All pages.
    pub fn list(&self, state: Option<&str>, owner: Option<&str>) -> Result<Value, CommandError> {
        let mut query = "limit=500".to_string();
        for (key, value) in [("state", state), ("owner", owner)] {
            if let Some(value) = value {
                query = format!("{query}&{key}={}", escaped(value));
            }
        }
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("/api/capacity/schedule?{query}{cursor}"))?;
            if let Some(found) = page["reservations"].as_array_mut() {
                all.append(found);
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={}", escaped(next)),
                None => return Ok(serde_json::json!({"reservations": all})),
            }
        }
    }

    /// Copies the store.
    pub fn backup(&self, to: &Path) -> Result<(), CommandError> {
        let Way::Store { url, .. } = self else {
            let text = "a server copies nothing\ncopy its store where that is, with --store";
            return Err(CommandError::Asked(text.to_string()));
        };
        block_on(async {
            let database = Database::open(url).await?;
            let copied = database.backup(to).await;
            database.close().await;
            Ok(copied?)
        })
    }

    fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, CommandError> {
        let (status, text) = match self {
            Way::Server { agent, url, token } => by_http(agent, url, token.as_deref(), method, path, body)?,
            Way::Store { url, capacity } => block_on(async {
                let database = Database::open(url).await?;
                let router = Service::new(database.clone(), (**capacity).clone()).router(Served::Everybody);
                let answer = by_hand(router, method, path, body).await;
                database.close().await;
                answer
            })?,
        };
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if (200..300).contains(&status) {
            Ok(answer)
        } else {
            let problem = super::shown::problem(status, &answer);
            Err(CommandError::Asked(match (self, problem.split_once('\n')) {
                // Whoever asks by HTTP has headers to send; here there is a flag.
                (Way::Server { url, .. }, Some((why, _))) if status == 401 => {
                    format!("{url}: {why}\n{NAME_A_TOKEN}")
                }
                _ => problem,
            }))
        }
    }
}

fn by_http(
    agent: &Agent,
    url: &str,
    token: Option<&str>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, String), CommandError> {
    let mut request = Request::builder().method(method).uri(format!("{url}{path}"));
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let failed = |error: &dyn std::fmt::Display| {
        CommandError::Asked(format!("{url}: {error}\ncheck --server and --token-file"))
    };
    let answer = match body {
        Some(body) => {
            let request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
            agent.run(request.map_err(|error| failed(&error))?)
        }
        None => agent.run(request.body(()).map_err(|error| failed(&error))?),
    };
    let mut answer = answer.map_err(|error| failed(&error))?;
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    Ok((answer.status().as_u16(), text.map_err(|error| failed(&error))?))
}

async fn by_hand(
    router: Router,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, String), CommandError> {
    let request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
    let request = request.body(body).map_err(|error| CommandError::Asked(error.to_string()))?;
    let Ok(answer) = router.oneshot(request).await;
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), ANSWER_BYTES_MAX as usize).await;
    let bytes = bytes.map_err(|error| CommandError::Asked(error.to_string()))?;
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

/// As a part of a URL.
pub fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
