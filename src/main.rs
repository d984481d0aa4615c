//! ipvsadm, the program: everything is in the library.
#![no_main]

mod start;

use ipvsadm::run::ipvsadm as run;
