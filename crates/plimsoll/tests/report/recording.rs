//! What a Prometheus of the shop has recorded in two weeks.

use plimsoll_core::size::MIB;
use plimsoll_real::write::Series;

const DAY_MS: i64 = 24 * 3_600_000;
const STEP_MS: i64 = 5 * 60_000;

/// What a Prometheus of the shop has recorded.
pub struct Recording {
    pub to_ms: i64,
}

impl Recording {
    fn times(&self) -> impl Iterator<Item = i64> {
        (self.to_ms - 14 * DAY_MS + STEP_MS..=self.to_ms).step_by(STEP_MS as usize)
    }

    fn is_this_week(&self, at_ms: i64) -> bool {
        at_ms > self.to_ms - 7 * DAY_MS
    }

    fn series(&self, metric: &str, labels: &[(&str, &str)], value: &dyn Fn(i64) -> Option<f64>) -> Series {
        Series::new(metric, labels, self.times().filter_map(|at_ms| Some((at_ms, value(at_ms)?))).collect())
    }

    /// What a container uses, requests and is limited to, in MiB.
    fn container(
        &self,
        (pod, kind, owner): (&str, &str, &str),
        used: &dyn Fn(i64) -> f64,
        request: &dyn Fn(i64) -> f64,
        limit: f64,
    ) -> Vec<Series> {
        let own = [("namespace", "shop"), ("pod", pod), ("container", owner)];
        let memory = [&own[..], &[("resource", "memory"), ("unit", "byte")]].concat();
        let mib = |of: f64| Some(of * MIB as f64);
        vec![
            self.series("container_memory_working_set_bytes", &own, &|at_ms| mib(used(at_ms) * 1.05)),
            self.series("container_memory_rss", &own, &|at_ms| mib(used(at_ms))),
            self.series(
                "kube_pod_owner",
                &[("namespace", "shop"), ("pod", pod), ("owner_kind", kind), ("owner_name", owner)],
                &|_| Some(1.0),
            ),
            self.series("kube_pod_container_resource_requests", &memory, &|at_ms| mib(request(at_ms))),
            self.series("kube_pod_container_resource_limits", &memory, &|_| mib(limit)),
        ]
    }

    /// Up and down within a day by a tenth.
    fn daily(&self, at_ms: i64) -> f64 {
        1.0 + 0.1 * (at_ms as f64 / DAY_MS as f64 * std::f64::consts::TAU).sin()
    }

    pub fn all(&self) -> Vec<Series> {
        let grown = |at_ms: i64| if self.is_this_week(at_ms) { 420.0 } else { 300.0 };
        let halved = |at_ms: i64| if self.is_this_week(at_ms) { 2048.0 } else { 4096.0 };
        let mut all = self.container(
            ("web-0", "StatefulSet", "web"),
            &|at_ms| grown(at_ms) * self.daily(at_ms),
            &|_| 512.0,
            2048.0,
        );
        for pod in ["api-0", "api-1"] {
            all.extend(self.container(
                (pod, "StatefulSet", "api"),
                &|at_ms| 100.0 * self.daily(at_ms),
                &halved,
                4096.0,
            ));
        }
        all.extend(self.container(
            ("worker-0", "StatefulSet", "worker"),
            &|at_ms| 180.0 * self.daily(at_ms),
            &|_| 256.0,
            256.0,
        ));
        // Killed on the fifth day, and twice on the tenth.
        let killed = |at_ms: i64| {
            let since = |day: i64| at_ms >= self.to_ms - (14 - day) * DAY_MS;
            f64::from(u8::from(since(5))) + 2.0 * f64::from(u8::from(since(10)))
        };
        let worker = [("namespace", "shop"), ("pod", "worker-0"), ("container", "worker")];
        all.push(
            self.series("kube_pod_container_status_restarts_total", &worker, &|at_ms| Some(killed(at_ms))),
        );
        let oom = [&worker[..], &[("reason", "OOMKilled")]].concat();
        all.push(self.series("kube_pod_container_status_last_terminated_reason", &oom, &|at_ms| {
            (killed(at_ms) > 0.0).then_some(1.0)
        }));
        let counted = |namespace: &str,
                       kind: &str,
                       workload: &str,
                       container: &str,
                       project: &str,
                       job: &str,
                       value: &dyn Fn(i64) -> Option<f64>| {
            let labels = [
                ("namespace", namespace),
                ("workload_kind", kind),
                ("workload", workload),
                ("container", container),
                ("ci_project", project),
                ("ci_job", job),
                ("ci_stage", ""),
                ("instance", "node-1"),
            ];
            self.series("plimsoll_oom_kills_total", &labels, value)
        };
        // The agent has counted the worker's kills too, and those of a job whose counter begins with its first kill.
        all.push(counted("shop", "StatefulSet", "worker", "worker", "", "", &|at_ms| Some(killed(at_ms))));
        let first = self.to_ms - 2 * DAY_MS;
        all.push(counted("ci", "", "", "build", "group/shop", "package", &|at_ms| {
            (at_ms >= first).then_some(2.0)
        }));
        for (node, price) in [("one", 0.004), ("two", 0.006)] {
            all.push(self.series("node_ram_hourly_cost", &[("node", node)], &|_| Some(price)));
        }
        all
    }
}
