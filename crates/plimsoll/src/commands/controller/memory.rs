//! What the controller knows, in the cluster: whoever leads next goes on where it stopped.
//!
//! What is under way is small and stored before anything is done by it. What is known of use is stored now and then, some
//! hundred containers in an object: it costs a few requests, and a loss of it costs minutes of following anew.

use crate::commands::CommandError;
use kube::Client;
use plimsoll_cluster::pieces::Pieces;
use plimsoll_core::controller::Controller;
use plimsoll_core::controller::courses::Courses;
use plimsoll_core::controller::sizing::{ContainerId, Subject};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Stored so often.
const KEEP_EACH: Duration = Duration::from_secs(600);
/// Containers in one piece.
const PIECE_CONTAINERS: usize = 500;

pub(super) struct Memory {
    courses: Pieces,
    known: Pieces,
    kept: Instant,
}

impl Memory {
    pub fn new(client: &Client) -> Memory {
        Memory {
            courses: Pieces::new(client, "controller-courses"),
            known: Pieces::new(client, "controller-known"),
            kept: Instant::now(),
        }
    }

    /// What was known; what cannot be read is learnt anew, and what was known at another pace too.
    pub async fn recall(&self, every_ms: i64, learn_ms: i64) -> Result<Controller, CommandError> {
        let mut controller = Controller::new(every_ms, learn_ms);
        let pieces = self.known.read().await?;
        let whole = pieces.get(&0).and_then(|text| serde_json::from_slice::<Controller>(text).ok());
        if let Some(whole) = whole.filter(|whole| whole.sizing.every_ms() == every_ms) {
            controller = whole;
            for text in pieces.range(1..).map(|(_, text)| text) {
                let subjects = serde_json::from_slice::<Vec<(ContainerId, Subject)>>(text);
                controller.sizing.add(subjects.unwrap_or_default());
            }
        }
        controller.sizing.learn_for(learn_ms);
        let courses = self.courses.read().await?;
        let courses = courses.get(&0).map(|text| serde_json::from_slice::<Courses>(text));
        controller.courses = match courses {
            Some(courses) => courses.map_err(|error| CommandError::Form(error.to_string()))?,
            None => Courses::default(),
        };
        Ok(controller)
    }

    /// Stores what is under way, where it has changed.
    pub async fn keep_courses(&mut self, controller: &Controller) -> Result<(), CommandError> {
        self.courses.write(0, &text(&controller.courses)?).await?;
        Ok(())
    }

    /// Stores what is known, where it was long ago.
    pub async fn keep_now_and_then(&mut self, controller: &Controller) -> Result<(), CommandError> {
        if self.kept.elapsed() < KEEP_EACH {
            return Ok(());
        }
        self.keep(controller).await
    }

    /// Stores what is known.
    pub async fn keep(&mut self, controller: &Controller) -> Result<(), CommandError> {
        self.kept = Instant::now();
        let mut whole = controller.clone();
        whole.courses = Courses::default();
        let (sizing, subjects) = whole.sizing.into_parts();
        whole.sizing = sizing;
        self.known.write(0, &text(&whole)?).await?;
        let mut count = 1;
        for piece in subjects.chunks(PIECE_CONTAINERS) {
            self.known.write(count, &text(&piece)?).await?;
            count += 1;
        }
        self.known.trim(count, b"[]").await?;
        Ok(())
    }
}

fn text(of: &impl Serialize) -> Result<Vec<u8>, CommandError> {
    serde_json::to_vec(of).map_err(|error| CommandError::Form(error.to_string()))
}
