//! `plimsoll serve`: the API of capacity.

use super::CommandError;
use super::controller::Told;
use crate::config::{self, Config};
use crate::server::Service;
use crate::server::access::{Access, Scope};
use crate::server::secret::{random_hex, sha256_hex};
use crate::store;
use clap::{Args, ValueHint};
use plimsoll_capacity::Database;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(super) const EXAMPLES: &str = "\
Examples:
  plimsoll serve
  plimsoll serve --store /var/lib/plimsoll/capacity.db
  plimsoll serve --new-token experiments --scope reserve >> tokens.yaml
  plimsoll serve --listen 0.0.0.0:7676 --tokens tokens.yaml --store postgres://plimsoll@db/plimsoll";

/// So long those are waited for who have asked, when it ends; Kubernetes kills after 30 s.
const END_WITHIN: Duration = Duration::from_secs(20);

/// `plimsoll serve`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Where it is served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7676")]
    listen: SocketAddr,
    /// Where it is kept: a file, or postgres://USER@HOST/DATABASE for several replicas
    #[arg(
        long,
        value_name = "FILE|URL",
        env = "PLIMSOLL_CAPACITY_STORE",
        hide_env_values = true,
        default_value = "plimsoll-capacity.db"
    )]
    store: String,
    /// Folder of what this machine remembers of builds and plans, which are shown too [env: PLIMSOLL_STORE]
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_STORE", hide_env = true, value_hint = ValueHint::DirPath)]
    state: Option<PathBuf>,
    /// Who is let in: a file of tokens; without, everybody on this machine
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Configuration, `-` for stdin [default: plimsoll.yaml here or above, up to the repository's root]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Make a token, print its entry for --tokens, and the token itself on stderr
    #[arg(long, value_name = "NAME", conflicts_with_all = ["listen", "tokens", "config"])]
    new_token: Option<String>,
    /// What the new token allows
    #[arg(long, value_name = "SCOPE", default_value = "read", requires = "new_token")]
    scope: Scope,
}

/// Serves until it is told to end.
pub fn run(args: &ServeArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    if let Some(name) = &args.new_token {
        return new_token(name, args.scope, out);
    }
    let access = match &args.tokens {
        Some(file) => Access::read(file)?,
        None if args.listen.ip().is_loopback() => Access::Everybody,
        None => return Err(CommandError::Open(args.listen)),
    };
    let folder = std::env::current_dir()?;
    let Config { capacity, .. } = config::load(args.config.as_deref(), &folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(CommandError::Output)?.block_on(async {
        access.open().await.map_err(CommandError::Cluster)?;
        let database = Database::open(&url(&args.store)).await?;
        let state = store::folder(args.state.as_deref(), |name| std::env::var(name).ok(), &folder);
        let service = Service::new(database.clone(), capacity.unwrap_or_default()).with_local(state);
        let listener = tokio::net::TcpListener::bind(args.listen).await;
        let listener = listener.map_err(|error| CommandError::Listen { address: args.listen, error })?;
        writeln!(out, "serving at http://{}, its API at /docs", listener.local_addr()?)?;
        out.flush()?;
        let mut told = Told::new()?;
        let worker = service.clone();
        tokio::spawn(async move { worker.work().await });
        let (router, ended) = (service.router(access), Arc::new(tokio::sync::Notify::new()));
        let begun = ended.clone();
        let told = async move {
            told.wait().await;
            service.end();
            begun.notify_one();
        };
        // Who has asked is answered, as long as that does not take too long.
        let late = async {
            ended.notified().await;
            tokio::time::sleep(END_WITHIN).await;
        };
        let served = axum::serve(listener, router).with_graceful_shutdown(told).into_future();
        tokio::select! {
            served = served => served?,
            () = late => {}
        }
        database.close().await;
        Ok(())
    })
}

/// A store as a URL: what names no database is a file.
pub(super) fn url(store: &str) -> String {
    if store.contains("://") || store.starts_with("sqlite:") {
        store.to_string()
    } else {
        format!("sqlite:{store}")
    }
}

/// A token nobody can guess, and what is kept of it.
fn new_token(name: &str, scope: Scope, out: &mut dyn Write) -> Result<(), CommandError> {
    let token =
        random_hex::<32>().map_err(|error| CommandError::Output(std::io::Error::other(error.to_string())))?;
    let entry = serde_json::json!([{"name": name, "scope": scope, "sha256": sha256_hex(&token)}]);
    writeln!(out, "tokens: {entry}")?;
    eprintln!("{token}");
    Ok(())
}
