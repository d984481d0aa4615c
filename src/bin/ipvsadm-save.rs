//! ipvsadm-save, the program: everything is in the library.
#![no_main]

#[path = "../start.rs"]
mod start;

use ipvsadm::run::ipvsadm_save as run;
