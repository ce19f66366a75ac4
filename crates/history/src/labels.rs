//! Labels: the names a series goes by.

/// A series' labels, sorted by name; `__name__` is one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Vec<(String, String)>);

impl Labels {
    /// From pairs in any order.
    pub fn new(mut pairs: Vec<(String, String)>) -> Labels {
        pairs.sort_unstable();
        Labels(pairs)
    }

    /// The value of a label; empty where there is none, as Prometheus has it.
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.binary_search_by(|(own, _)| own.as_str().cmp(name));
        found.map_or("", |index| &self.0[index].1)
    }

    /// All pairs, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
