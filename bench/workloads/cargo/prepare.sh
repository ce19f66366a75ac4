# One crate of many alike modules: as deterministic as generated code is, as heavy for rustc as we like.
set -e
modules=200
mkdir -p src
cp "$CASE/Cargo.toml.template" Cargo.toml
for i in $(seq 1 "$modules"); do sed "s/@N@/$i/g" "$CASE/module.rs.template"; done > src/lib.rs.new
cmp -s src/lib.rs.new src/lib.rs || mv src/lib.rs.new src/lib.rs
