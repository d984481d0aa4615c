//! What the tests on a real kernel share: a machine to run in, programs to
//! run, and the kernel's table as text. Nothing here uses the code under test.

#![allow(dead_code)] // each test binary uses its own part

pub mod ansible;
pub mod bench;
pub mod lab;
pub mod machine;
pub mod monitor;
pub mod netlink;
pub mod netns;
pub mod programs;
pub mod state;
