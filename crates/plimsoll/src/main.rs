//! Parse, run, map to one exit code.

fn main() -> std::process::ExitCode {
    plimsoll::main()
}
