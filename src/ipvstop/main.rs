//! ipvstop, the program: everything is in the library.
#![no_main]

ipvsadm::program!(ipvstop::run);
