//! The program: the command line in a process of its own.

use paceline_cli::ExitCode;

/// The system's allocator keeps what a job has freed in pieces that it cannot use again (decision 0010).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let itself = std::env::current_exe().map(Into::into).unwrap_or_else(|_| "paceline".into());
    paceline_cli::run(std::env::args_os(), vec![itself])
}
