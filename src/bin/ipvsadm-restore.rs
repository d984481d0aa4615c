//! ipvsadm-restore, the program: everything is in the library.
#![no_main]

ipvsadm::program!(ipvsadm::run::ipvsadm_restore);
