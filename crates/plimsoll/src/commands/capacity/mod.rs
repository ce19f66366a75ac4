//! `plimsoll capacity`: what the API of capacity has, on the command line; against a server, or a store of this machine.

mod ask;
mod shown;

use super::CommandError;
use super::form::Form;
use ask::Way;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  plimsoll capacity status
  plimsoll capacity project --participants 20 --video --experimenters 3
  plimsoll capacity schedule add --start 2027-03-15T09:00:00 --zone Europe/Berlin --minutes 60 --participants 20 --video
  plimsoll capacity backup copy.db --store /var/lib/plimsoll/capacity.db
  plimsoll capacity --server https://capacity.example.org --token-file token schedule list --output json";

/// `plimsoll capacity`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CapacityArgs {
    #[command(flatten)]
    way: ask::WayArgs,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = Form::Table, global = true)]
    output: Form,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what there is, and how many more of whom would fit
    Status,
    /// Say how much memory so many people will take
    Project(PeopleArgs),
    /// Show what is known of the app's memory, and how
    Profiling,
    /// Show how many pods are wanted, and what was done about it
    Scaling,
    /// Reserve, list, show and cancel
    #[command(subcommand)]
    Schedule(Schedule),
    /// Copy a store that is a file, also while it is served
    Backup {
        /// The copy, a file that is not there yet
        file: PathBuf,
    },
}

/// Who is expected.
#[derive(Debug, Args)]
struct PeopleArgs {
    /// How many participants
    #[arg(long, value_name = "N")]
    participants: Option<u64>,
    /// They have video
    #[arg(long)]
    video: bool,
    /// How many experimenters
    #[arg(long, value_name = "N")]
    experimenters: Option<u64>,
    /// How many of another role
    #[arg(long = "role", value_name = "ROLE=N", value_parser = role)]
    roles: Vec<(String, u64)>,
    /// How long it takes, in minutes
    #[arg(long, value_name = "N")]
    minutes: Option<u32>,
}

#[derive(Debug, Subcommand)]
enum Schedule {
    /// Reserve
    Add(Box<AddArgs>),
    /// List reservations
    List {
        /// Only those in one state
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// Only those of one owner
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
    },
    /// Show a reservation
    Show {
        /// Which
        id: String,
    },
    /// Cancel a reservation, or what is still to come of a series
    Cancel {
        /// Which
        id: String,
        /// It is the id of a series
        #[arg(long)]
        series: bool,
    },
}

#[derive(Debug, Args)]
struct AddArgs {
    #[command(flatten)]
    people: PeopleArgs,
    /// When it starts: RFC 3339, or local time with --zone
    #[arg(long, value_name = "TIME")]
    start: String,
    /// The zone of a local time, as Europe/Berlin
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// In how many rooms they are
    #[arg(long, value_name = "N")]
    rooms: Option<u32>,
    /// When it comes again, as FREQ=WEEKLY;COUNT=4
    #[arg(long, value_name = "RRULE")]
    recurrence: Option<String>,
    /// Wait where there is no place
    #[arg(long)]
    wait: bool,
    /// Say what would be answered, and keep nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is known of the app's memory, from a server (`http://..`) or a store that is there, a file or a database's URL.
pub(super) fn profiling(
    at: &str,
    token_file: Option<&Path>,
    config: Option<&Path>,
) -> Result<Value, CommandError> {
    Way::of(&ask::WayArgs::at(at, token_file, config)?)?.get("/api/capacity/profiling")
}

/// Asks, and shows the answer.
pub fn run(args: &CapacityArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let way = Way::of(&args.way)?;
    let (answer, table): (Value, fn(&Value) -> String) = match &args.what {
        What::Backup { file } => return way.backup(file),
        What::Status => (way.get("/api/capacity/status")?, shown::status),
        What::Profiling => (way.get("/api/capacity/profiling")?, shown::profiling),
        What::Scaling => (way.get("/api/capacity/scaling")?, shown::scaling),
        What::Project(people) => {
            (way.post("/api/capacity/project", &Value::Object(people.body()))?, shown::projection)
        }
        What::Schedule(Schedule::Add(add)) => {
            (way.post("/api/capacity/schedule", &add.body())?, shown::decision)
        }
        What::Schedule(Schedule::List { state, owner }) => {
            (way.list(state.as_deref(), owner.as_deref())?, shown::list)
        }
        What::Schedule(Schedule::Show { id }) => (way.get(&one(id))?, shown::reservation),
        What::Schedule(Schedule::Cancel { id, series: false }) => (way.delete(&one(id))?, shown::reservation),
        What::Schedule(Schedule::Cancel { id, series: true }) => {
            (way.delete(&format!("/api/capacity/series/{}", ask::escaped(id)))?, shown::list)
        }
    };
    let text = args.output.text(&answer, table)?;
    Ok(out.write_all(text.as_bytes())?)
}

fn one(id: &str) -> String {
    format!("/api/capacity/schedule/{}", ask::escaped(id))
}

fn role(text: &str) -> Result<(String, u64), String> {
    let parts = text.split_once('=').and_then(|(role, count)| Some((role.to_string(), count.parse().ok()?)));
    parts.ok_or_else(|| format!("'{text}' is not ROLE=N, such as observer=3"))
}

impl PeopleArgs {
    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        let mut say =
            |key: &str, value: Option<Value>| value.map(|value| body.insert(key.to_string(), value));
        say("expected_participants", self.participants.map(Value::from));
        say("experimenters", self.experimenters.map(Value::from));
        say("duration_minutes", self.minutes.map(Value::from));
        say("features", self.video.then(|| json!({"video_chat": true})));
        let roles: Map<String, Value> =
            self.roles.iter().map(|(role, count)| (role.clone(), json!(count))).collect();
        say("roles", (!roles.is_empty()).then_some(Value::Object(roles)));
        body
    }
}

impl AddArgs {
    fn body(&self) -> Value {
        let mut body = self.people.body();
        let mut say =
            |key: &str, value: Option<Value>| value.map(|value| body.insert(key.to_string(), value));
        say("start", Some(json!(self.start)));
        say("time_zone", self.zone.clone().map(Value::from));
        say("title", self.title.clone().map(Value::from));
        say("rooms", self.rooms.map(Value::from));
        say("recurrence", self.recurrence.clone().map(Value::from));
        say("may_wait", self.wait.then_some(json!(true)));
        say("dry_run", self.dry_run.then_some(json!(true)));
        Value::Object(body)
    }
}
