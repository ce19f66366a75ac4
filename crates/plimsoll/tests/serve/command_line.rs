//! `plimsoll capacity`: the same answers from a server and from a store, as tables and as JSON.

use crate::common::PLIMSOLL;
use crate::served::in_hours;
use crate::{CONFIG, Place};
use serde_json::Value;
use std::process::{Command, Output};

/// Asks a store of its own, or a server.
struct Asker<'a> {
    place: &'a Place,
    server: Option<&'a str>,
}

impl Asker<'_> {
    fn ask(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(PLIMSOLL);
        command.arg("capacity").args(arguments).current_dir(self.place.folder.path());
        match self.server {
            Some(url) => command.args(["--server", url]),
            None => command.args(["--store", "capacity.db"]),
        };
        command.output().expect("plimsoll starts")
    }

    fn said(&self, arguments: &[&str]) -> String {
        let output = self.ask(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Everything it has, once.
    fn tour(&self) {
        let projected = self.said(&["project", "--participants", "20", "--video", "--experimenters", "3"]);
        assert!(
            projected.contains("475 MB") && projected.contains("nothing was observed yet"),
            "{projected}"
        );
        let start = in_hours(30);
        let add = [
            "schedule",
            "add",
            "--start",
            &start,
            "--minutes",
            "60",
            "--participants",
            "10",
            "--video",
            "--title",
            "pilot",
        ];
        let dry = self.said(&[&add[..], &["--dry-run"]].concat());
        assert!(dry.contains("confirmed"), "{dry}");
        let made = self.said(&[&add[..], &["-o", "json"]].concat());
        let made: Value = serde_json::from_str(&made).expect("JSON");
        let id = made["reservation"]["id"].as_str().expect("an id");
        let list = self.said(&["schedule", "list", "--state", "confirmed"]);
        assert!(
            list.contains(id) && list.contains("10 participant_video") && list.contains("pilot"),
            "{list}"
        );
        let mut huge = add.to_vec();
        huge[7] = "400";
        let refused = self.ask(&huge);
        let said = String::from_utf8_lossy(&refused.stderr).to_string();
        assert_eq!(refused.status.code(), Some(125), "{said}");
        assert!(said.contains("participant_video would fit") && said.lines().count() == 2, "{said}");
        assert!(self.said(&["schedule", "cancel", id]).contains("cancelled"));
        let rule = ["--recurrence", "FREQ=DAILY;COUNT=2", "-o", "json"];
        let weekly: Value = serde_json::from_str(&self.said(&[&add[..], &rule].concat())).expect("JSON");
        let series = weekly["reservation"]["series_id"].as_str().expect("a series");
        let cancelled = self.said(&["schedule", "cancel", "--series", series]);
        assert_eq!(cancelled.matches("cancelled").count(), 2, "{cancelled}");
        assert!(self.said(&["status", "-o", "yaml"]).contains("available_slots:"));
        assert!(self.said(&["status"]).contains("participant_no_video"));
        assert!(self.said(&["profiling"]).contains("experimenter"));
        assert!(self.said(&["scaling"]).contains("by nothing, a dry run"));
    }
}

#[test]
fn a_store_and_a_server_are_asked_alike() {
    let place = Place::new(CONFIG);
    Asker { place: &place, server: None }.tour();
    let served = place.serve(&[]);
    Asker { place: &place, server: Some(&served.url) }.tour();
    drop(served);
    let gone = Asker { place: &place, server: Some("http://127.0.0.1:1") }.ask(&["status"]);
    let said = String::from_utf8_lossy(&gone.stderr).to_string();
    assert!(gone.status.code() == Some(125) && said.contains("check --server"), "{said}");
}
