//! What is shown: one table of the series of a container, and the agent's own. `docs/agent.md` has the same table for people.

use super::exposition::{Family, Form, Text, labelled};
use super::moment::{Moment, Shown};

/// A series of a container: its family, its labels beside the container's, and its value where it has one.
struct Series {
    family: Family,
    more: &'static str,
    value: fn(&Shown) -> Option<u64>,
}

const fn gauge(name: &'static str, help: &'static str, value: fn(&Shown) -> Option<u64>) -> Series {
    Series { family: Family { name, is_counter: false, unit: Some("bytes"), help }, more: "", value }
}

const fn counter(name: &'static str, help: &'static str, value: fn(&Shown) -> Option<u64>) -> Series {
    Series { family: Family { name, is_counter: true, unit: None, help }, more: "", value }
}

/// Whole numbers of a container.
static SERIES: [Series; 13] = [
    gauge(
        "plimsoll_container_memory_usage_bytes",
        "All memory that is charged, page cache included",
        |shown| shown.reading.usage_bytes,
    ),
    gauge(
        "plimsoll_container_memory_nonreclaimable_bytes",
        "Memory that no reclaim can free: what the kernel kills for",
        |shown| shown.reading.stat.non_reclaimable_bytes(),
    ),
    gauge(
        "plimsoll_container_memory_working_set_bytes",
        "Usage without the page cache that goes first: what kubelets evict by",
        |shown| shown.reading.stat.working_set_bytes(shown.reading.usage_bytes?),
    ),
    gauge("plimsoll_container_memory_cache_bytes", "Page cache", |shown| shown.reading.stat.file),
    gauge(
        "plimsoll_container_memory_limit_bytes",
        "The least limit that holds; absent without one",
        |shown| shown.reading.limit_bytes,
    ),
    gauge("plimsoll_container_memory_request_bytes", "What the pod requests for it", |shown| {
        shown.identity.request_bytes
    }),
    gauge("plimsoll_container_memory_peak_bytes", "The highest usage since it was made", |shown| {
        shown.reading.peak_bytes
    }),
    counter("plimsoll_container_memory_major_faults", "Faults that had to read a disk", |shown| {
        shown.reading.stat.major_faults
    }),
    Series {
        more: ",kind=\"file\"",
        ..counter("plimsoll_container_memory_refaults", "Pages read back after they were evicted", |shown| {
            shown.reading.stat.refaults_file
        })
    },
    Series {
        more: ",kind=\"anon\"",
        ..counter("plimsoll_container_memory_refaults", "Pages read back after they were evicted", |shown| {
            shown.reading.stat.refaults_anon
        })
    },
    gauge(
        "plimsoll_container_nodejs_heap_used_bytes",
        "V8 heap in use, of the Node process nearest to its limit",
        |shown| Some(shown.heaps?.nearest.used_bytes),
    ),
    gauge("plimsoll_container_nodejs_heap_limit_bytes", "What that heap dies at", |shown| {
        Some(shown.heaps?.nearest.limit_bytes)
    }),
    Series {
        family: Family {
            name: "plimsoll_container_nodejs_processes",
            is_counter: false,
            unit: None,
            help: "Node processes that tell their heap",
        },
        more: "",
        value: |shown| Some(shown.heaps?.processes),
    },
];

const WAITING: Family = Family {
    name: "plimsoll_container_memory_pressure_waiting_seconds",
    is_counter: true,
    unit: Some("seconds"),
    help: "Time in which some task waited for memory",
};
const STALLED: Family = Family {
    name: "plimsoll_container_memory_pressure_stalled_seconds",
    is_counter: true,
    unit: Some("seconds"),
    help: "Time in which all tasks waited for memory",
};
const KILLS: Family = Family {
    name: "plimsoll_container_oom_kills",
    is_counter: true,
    unit: None,
    help: "Processes the kernel killed for want of memory; shown for 30 minutes after the container's end",
};
const TOTALS: Family = Family {
    name: "plimsoll_oom_kills",
    is_counter: true,
    unit: None,
    help: "The same by what outlives pods",
};

const fn plain(name: &'static str, unit: Option<&'static str>, help: &'static str) -> Family {
    Family { name, is_counter: false, unit, help }
}

/// The text, in the form that is asked for.
pub fn text(moment: &Moment, form: Form) -> String {
    // Some 20 series of 150 bytes for each.
    let mut text = Text::new(form, 4096 + moment.shown.len() * 3500);
    let mut at = 0;
    while at < SERIES.len() {
        let same =
            SERIES[at..].iter().take_while(|series| series.family.name == SERIES[at].family.name).count();
        let family = &SERIES[at..at + same];
        let series = family.iter().flat_map(|series| {
            let of = |shown: &Shown| {
                let value = (series.value)(shown)?;
                Some((format!("{}{}", shown.identity.labels, series.more), value))
            };
            moment.shown.iter().filter_map(of)
        });
        text.family(&SERIES[at].family, series);
        at += same;
    }
    pressure(&mut text, moment);
    kills(&mut text, moment);
    text.family(&plain("plimsoll_container_info", None, "Whose a container is"), infos(moment));
    agent(&mut text, moment);
    text.end()
}

fn pressure(text: &mut Text, moment: &Moment) {
    let seconds = |total_us: u64| total_us as f64 / 1e6;
    let of =
        |shown: &Shown| Some((shown.identity.labels.clone(), seconds(shown.reading.pressure?.some.total_us)));
    text.family(&WAITING, moment.shown.iter().filter_map(of));
    let of = |shown: &Shown| {
        Some((shown.identity.labels.clone(), seconds(shown.reading.pressure?.full?.total_us)))
    };
    text.family(&STALLED, moment.shown.iter().filter_map(of));
}

fn kills(text: &mut Text, moment: &Moment) {
    let rows = moment.kills.iter().map(|(row, kills)| {
        let labels = [
            ("namespace", &*row.namespace),
            ("pod", &*row.pod),
            ("container", &*row.container),
            ("cgroup", &*row.cgroup),
        ];
        (labelled(labels), *kills)
    });
    text.family(&KILLS, rows);
    let totals = moment.totals.iter().map(|(whose, kills)| {
        let labels = [
            ("namespace", &*whose.namespace),
            ("workload_kind", &*whose.workload_kind),
            ("workload", &*whose.workload),
            ("container", &*whose.container),
            ("ci_project", &*whose.ci_project),
            ("ci_job", &*whose.ci_job),
            ("ci_stage", &*whose.ci_stage),
        ];
        (labelled(labels), *kills)
    });
    text.family(&TOTALS, totals);
}

fn infos(moment: &Moment) -> impl Iterator<Item = (String, u64)> {
    moment.shown.iter().map(|shown| {
        let (identity, whose) = (&shown.identity, &shown.identity.subject.whose);
        let more = labelled([
            ("workload_kind", &*whose.workload_kind),
            ("workload", &*whose.workload),
            ("node", &*identity.node),
            ("ci_project", &*whose.ci_project),
            ("ci_job", &*whose.ci_job),
            ("ci_stage", &*whose.ci_stage),
            ("image", &*identity.image),
        ]);
        (format!("{},{more}", identity.labels), 1)
    })
}

/// The agent's own.
fn agent(text: &mut Text, moment: &Moment) {
    let one = |value: f64| std::iter::once(("", value));
    text.family(
        &plain("plimsoll_agent_cgroups", None, "Cgroups that are shown"),
        one(moment.shown.len() as f64),
    );
    let left_out = "Cgroups that are not, because there are more than 2,000 or another has the same labels";
    text.family(&plain("plimsoll_agent_left_out", None, left_out), one(moment.left_out as f64));
    let seconds = [("step=\"look\"", moment.look_seconds), ("step=\"read\"", moment.read_seconds)];
    let help = "How long it took to look who is there, and to read what each holds";
    text.family(&plain("plimsoll_agent_scan_seconds", Some("seconds"), help), seconds.into_iter());
    let blind =
        moment.blind.iter().map(|(what, is_blind)| (labelled([("what", *what)]), u8::from(*is_blind)));
    text.family(
        &plain("plimsoll_agent_blind", None, "Whether something cannot be seen; the log says why"),
        blind,
    );
    let version = labelled([("version", env!("CARGO_PKG_VERSION"))]);
    let help = "The version of this agent";
    text.family(&plain("plimsoll_agent_build_info", None, help), std::iter::once((version, 1)));
}
