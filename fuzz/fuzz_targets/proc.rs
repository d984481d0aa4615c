#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ipvsadm::fuzzing::proc(input));
