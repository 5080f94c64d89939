//! The program of a worker: it is started as the zygote, which forks the others.

fn main() {
    let role = std::env::args().nth(1).unwrap_or_default();
    std::process::exit(subpy_core::process::main(&role));
}
