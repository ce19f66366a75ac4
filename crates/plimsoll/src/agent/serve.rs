//! The agent at work: it looks, answers who scrapes, and sends where it is told to.

use super::exposition::Form;
use super::otlp::Otlp;
use super::{Agent, metrics};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::routing::get;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

/// Alarms are heard again after this: whoever comes to a limit all the time does not keep us busy.
const DEAF_FOR: Duration = Duration::from_millis(20);
/// The thread that waits for alarms looks up after this, as what it waits on may have changed.
const WAIT: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

/// One agent, for all who ask.
pub type Shared = Arc<Mutex<Agent>>;

/// The agent, for whoever has the turn.
pub fn turn(agent: &Shared) -> MutexGuard<'_, Agent> {
    // What was half done when somebody panicked is done anew at each look.
    agent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks each `interval`, and whenever the kernel has killed somebody, until it is dropped.
pub async fn look(agent: Shared, interval: Duration) {
    let alarm = Arc::new(Notify::new());
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    turn(&agent).look();
    listen(&agent, alarm.clone());
    loop {
        tokio::select! {
            _ = ticks.tick() => turn(&agent).look(),
            () = alarm.notified() => turn(&agent).hear(),
        }
    }
}

/// A thread that sleeps until there is an alarm. It ends with the process.
fn listen(agent: &Shared, alarm: Arc<Notify>) {
    let agent = Arc::downgrade(agent);
    let listening = std::thread::Builder::new().name("alarms".into()).stack_size(64 << 10);
    let spawned = listening.spawn(move || {
        while let Some(agent) = agent.upgrade() {
            let alarms: Vec<OwnedFd> =
                turn(&agent).alarms().into_iter().filter_map(|fd| fd.try_clone_to_owned().ok()).collect();
            drop(agent);
            let mut waiting: Vec<PollFd> = alarms.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
            let woken = poll(&mut waiting, Some(&WAIT));
            if woken.is_ok_and(|count| count > 0) {
                alarm.notify_one();
                std::thread::sleep(DEAF_FOR);
            }
        }
    });
    // Without it kills are found at the next look.
    if let Err(error) = spawned {
        eprintln!("plimsoll agent: no thread for alarms: {error}");
    }
}

/// Sends what there is each `every`, until it is dropped. What cannot be sent is said once, and not sent later: counters go on.
pub async fn send(agent: Shared, otlp: Otlp, every: Duration) {
    let mut said = String::new();
    loop {
        tokio::time::sleep(every).await;
        let moment = turn(&agent).moment();
        let (body, sender) = (otlp.body(&moment), otlp.clone());
        let sent = tokio::task::spawn_blocking(move || sender.send(&body)).await;
        let trouble = match sent {
            Ok(Ok(())) => String::new(),
            Ok(Err(error)) => error,
            Err(error) => error.to_string(),
        };
        if trouble != said {
            match &*trouble {
                "" => eprintln!("plimsoll agent: sends to {} now", otlp.url()),
                trouble => eprintln!("plimsoll agent: cannot send to {}: {trouble}", otlp.url()),
            }
            said = trouble;
        }
    }
}

/// Answers until the process ends.
pub async fn answer(listener: TcpListener, agent: Shared) {
    let router = Router::new()
        .route("/metrics", get(text))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ok\n" }))
        .with_state(agent);
    // It ends with the process only.
    let _ = axum::serve(listener, router).await;
}

async fn text(State(agent): State<Shared>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let form = Form::accepted(accept);
    let moment = turn(&agent).moment();
    ([(header::CONTENT_TYPE, form.content_type())], metrics::text(&moment, form))
}
