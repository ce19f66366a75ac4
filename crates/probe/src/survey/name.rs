//! Whose a cgroup is, by its path: what container runtimes and systemd call theirs.
//!
//! | path ends with | made by |
//! |---|---|
//! | `kubepods/burstable/podUID/ID` | a kubelet with the driver cgroupfs |
//! | `kubepods-burstable-podUID.slice/cri-containerd-ID.scope` | with systemd; `crio-ID.scope`, `docker-ID.scope` likewise |
//! | `kubepods-burstable-podUID.slice:cri-containerd:ID` | containerd without systemd below a kubelet with it |
//! | `docker/ID`, `docker-ID.scope`, `libpod-ID.scope`, `nerdctl-ID.scope` | Docker, Podman, nerdctl |
//! | `NAME.service`, `NAME.scope` | systemd |

/// Digits of a container's id, which is a SHA-256 in hexadecimal with all runtimes.
const ID_CHARS: usize = 64;
/// What is shown of an id, as `docker ps` does.
const SHORT_ID_CHARS: usize = 12;

/// What a cgroup is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A container.
    Container(Container),
    /// A pod with its containers below.
    Pod {
        /// The pod's uid as the kubelet knows it: of a static pod that is not what the API calls it.
        uid: String,
    },
    /// A service or scope of systemd.
    Unit(String),
    /// Anything else, with the last part of its path.
    Plain(String),
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Of its pod; `None` outside of Kubernetes.
    pub pod_uid: Option<String>,
    /// Its id, whole.
    pub id: String,
}

impl Container {
    /// The id as people see it.
    pub fn short_id(&self) -> &str {
        self.id.get(..SHORT_ID_CHARS).unwrap_or(&self.id)
    }
}

impl Name {
    /// What the cgroup at a path below the hierarchy's top is.
    pub fn of(path: &str) -> Name {
        let path = path.trim_end_matches('/');
        let (above, last) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some((pod, id)) = of_mixed(last) {
            return Name::Container(Container { pod_uid: Some(pod), id });
        }
        if let Some(id) = container_id(last) {
            return Name::Container(Container { pod_uid: nearest_pod(above), id });
        }
        if let Some(uid) = pod_uid(last) {
            return Name::Pod { uid };
        }
        match last.rsplit_once('.') {
            Some((name, "service" | "scope")) if !name.is_empty() => Name::Unit(last.to_string()),
            _ => Name::Plain(last.to_string()),
        }
    }
}

/// The container a path lies in, itself included: its path and what it is.
pub fn container_above(path: &str) -> Option<(&str, Container)> {
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).find_map(|above| match Name::of(above) {
        Name::Container(container) => Some((above, container)),
        _ => None,
    })
}

/// The folder above.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

fn nearest_pod(path: &str) -> Option<String> {
    path.rsplit('/').find_map(pod_uid)
}

/// `podUID` or `...-podUID.slice`, where systemd's form has `_` for `-`.
fn pod_uid(part: &str) -> Option<String> {
    let (uid, is_slice) = match part.strip_suffix(".slice") {
        Some(name) => (name.rsplit_once("-pod")?.1, true),
        None => (part.strip_prefix("pod")?, false),
    };
    let uid = if is_slice { uid.replace('_', "-") } else { uid.to_string() };
    is_uid(&uid).then_some(uid)
}

/// A UUID, or the hash that a static pod has instead.
fn is_uid(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let lengths = text.split('-').map(str::len);
    (lengths.clone().eq([8, 4, 4, 4, 12]) || lengths.eq([32])) && text.split('-').all(is_hex)
}

fn is_id(text: &str) -> bool {
    text.len() == ID_CHARS && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// `ID`, or `RUNTIME-ID.scope`; conmon, which minds a container, is none.
fn container_id(part: &str) -> Option<String> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    let id = match name.rsplit_once('-') {
        Some((runtime, id)) if !runtime.contains("conmon") => id,
        Some(_) => return None,
        None => name,
    };
    is_id(id).then(|| id.to_string())
}

fn of_mixed(part: &str) -> Option<(String, String)> {
    let mut fields = part.split(':');
    let (slice, _runtime, id) = (fields.next()?, fields.next()?, fields.next()?);
    (fields.next().is_none() && is_id(id)).then_some(())?;
    Some((pod_uid(slice)?, id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const UID: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
    const UID_: &str = "1b4e28ba_2fa1_11d2_883f_0016d3cca427";

    #[test]
    fn paths_as_they_are_met() {
        let check = |path: &str, expect: Name| assert_eq!(Name::of(path), expect, "{path}");
        let container = |uid: Option<&str>| {
            Name::Container(Container { pod_uid: uid.map(str::to_string), id: ID.to_string() })
        };
        let slices = "/kubepods.slice/kubepods-burstable.slice";
        check(&format!("/kubepods/burstable/pod{UID}/{ID}"), container(Some(UID)));
        check(&format!("/kubepods/pod{UID}/{ID}"), container(Some(UID)));
        for runtime in ["cri-containerd", "crio", "docker"] {
            let path = format!("{slices}/kubepods-burstable-pod{UID_}.slice/{runtime}-{ID}.scope");
            check(&path, container(Some(UID)));
        }
        let kind = "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice";
        let kind = format!("{kind}/kubelet-kubepods-besteffort-pod{UID_}.slice");
        check(&format!("{kind}/cri-containerd-{ID}.scope"), container(Some(UID)));
        check(&kind, Name::Pod { uid: UID.into() });
        let mixed = format!(
            "/system.slice/containerd.service/kubepods-burstable-pod{UID_}.slice:cri-containerd:{ID}"
        );
        check(&mixed, container(Some(UID)));
        // A static pod: the kubelet's hash of its manifest.
        let hash = "0123456789abcdef0123456789abcdef";
        check(&format!("/kubepods/burstable/pod{hash}/{ID}"), container(Some(hash)));
        check(&format!("/kubepods/pod{UID}"), Name::Pod { uid: UID.into() });
        check(&format!("/kubepods.slice/kubepods-pod{UID_}.slice"), Name::Pod { uid: UID.into() });
        for path in [
            "/docker/ID",
            "/system.slice/docker-ID.scope",
            "/machine.slice/libpod-ID.scope",
            "/system.slice/nerdctl-ID.scope",
            "/default/ID",
        ] {
            check(&path.replace("ID", ID), container(None));
        }
        check("/system.slice/nginx.service", Name::Unit("nginx.service".into()));
        check("/user.slice/user-1.slice/session-2.scope", Name::Unit("session-2.scope".into()));
        let conmon = format!("crio-conmon-{ID}.scope");
        check(&format!("/machine.slice/{conmon}"), Name::Unit(conmon.clone()));
        for (path, last) in [
            ("/system.slice", "system.slice"),
            ("/kubepods/podnot-a-uid", "podnot-a-uid"),
            ("/kubepods/burstable", "burstable"),
            ("/.service", ".service"),
            ("/a b/c\"d", "c\"d"),
            ("", ""),
        ] {
            check(path, Name::Plain(last.into()));
        }
    }

    #[test]
    fn what_a_container_makes_is_its_own() {
        let check = |path: &str, expect: Option<&str>| {
            assert_eq!(container_above(path).map(|(path, _)| path), expect, "{path}");
        };
        let own = format!("/kubepods/pod{UID}/{ID}");
        check(&own, Some(&own));
        check(&format!("{own}/init.scope"), Some(&own));
        check(&format!("{own}/docker/{ID}"), Some(&own));
        check("/system.slice/nginx.service", None);
        check("", None);
        let (_, container) = container_above(&own).expect("a container");
        assert_eq!(container.short_id(), "0123456789ab");
    }

    proptest! {
        /// Whatever a path is, it is named, and what is taken for an id or uid is one.
        #[test]
        fn any_path_is_named(path in "(/[a-z0-9_.:é-]{0,70}){0,6}") {
            if let Name::Container(container) = Name::of(&path) {
                prop_assert!(is_id(&container.id) && path.contains(&container.id));
            }
            if let Some((above, _)) = container_above(&path) {
                prop_assert!(path.starts_with(above));
            }
        }
    }
}
