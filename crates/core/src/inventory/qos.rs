//! Classes of service: a pod's may not change while it runs, and decides who is evicted first
//! (<https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/>).

use super::{Container, Sizes};

/// The class of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Every container has limits for CPU and memory, and requests that are the same.
    Guaranteed,
    /// Something is requested or limited.
    Burstable,
    /// Nothing is.
    BestEffort,
}

/// Of a pod with these containers, each with its memory as it would be.
pub fn class<'a>(containers: impl Iterator<Item = (&'a Container, &'a Sizes)> + Clone) -> Class {
    let names_nothing = |(container, sizes): (&Container, &Sizes)| {
        let (request, limit) = &container.cpu;
        [request, limit].iter().all(|cpu| cpu.is_none())
            && sizes.requested_bytes() == 0
            && sizes.limit.is_none()
    };
    let is_guaranteed = |(container, sizes): (&Container, &Sizes)| {
        let (cpu_request, cpu_limit) = &container.cpu;
        let cpu = cpu_limit.is_some() && (cpu_request.is_none() || cpu_request == cpu_limit);
        let limit = sizes.limit_bytes();
        cpu && limit.is_some() && limit == Some(sizes.requested_bytes())
    };
    if containers.clone().all(names_nothing) {
        Class::BestEffort
    } else if containers.clone().all(is_guaranteed) {
        Class::Guaranteed
    } else {
        Class::Burstable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::quantity::Quantity;

    #[test]
    fn by_the_rules() {
        let check = |containers: &[(&str, &str, &str, &str)], expect: Class| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
            let memory = |text: &str| some(text).map(|text| Quantity::try_from(text).expect("memory"));
            let all: Vec<Container> = containers
                .iter()
                .map(|(cpu_request, cpu_limit, request, limit)| Container {
                    name: "a".into(),
                    sizes: Sizes { request: memory(request), limit: memory(limit) },
                    cpu: (some(cpu_request), some(cpu_limit)),
                    restarts_on_resize: false,
                    fixed_bounds: Vec::new(),
                })
                .collect();
            assert_eq!(
                class(all.iter().map(|container| (container, &container.sizes))),
                expect,
                "{containers:?}"
            );
        };
        check(&[("", "", "", "")], Class::BestEffort);
        check(&[("", "", "64Mi", "")], Class::Burstable);
        check(&[("1", "1", "64Mi", "65536Ki")], Class::Guaranteed);
        check(&[("", "1", "", "64Mi")], Class::Guaranteed);
        check(&[("1", "1", "64Mi", "128Mi")], Class::Burstable);
        check(&[("1", "1", "64Mi", "64Mi"), ("", "", "", "")], Class::Burstable);
    }
}
