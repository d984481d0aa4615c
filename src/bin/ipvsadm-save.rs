//! ipvsadm-save, the program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ipvsadm::run::ipvsadm_save()
}
