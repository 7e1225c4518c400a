//! `paceline completions SHELL`

use std::error::Error;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::ExitCode;

/// Which shell.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  paceline completions bash > ~/.local/share/bash-completion/completions/paceline")]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

/// Prints what the shell reads.
pub fn start(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    generate(arguments.shell, &mut crate::Arguments::command(), "paceline", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
