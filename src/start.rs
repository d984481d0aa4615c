//! How the programs start: [`program!`](crate::program) with the function that is
//! handed the words they were called with.
//!
//! They have the C library's `main` and not Rust's, for three reasons. Rust's
//! start-up opens /dev/null in place of a closed standard output, so that a
//! listing written to nowhere would look like success; it ignores SIGPIPE,
//! which must end these programs as it ends others; and it reads
//! /proc/self/maps, which is a third of what a small command costs.
//!
//! The arguments are those of `main` itself: without Rust's start-up,
//! `std::env::args_os` knows them with glibc only. The unsafe code of the
//! programs is here, but for one call in `src/gethostbyname`.

/// Defines `main`, which runs a function and exits with what it returns.
#[macro_export]
macro_rules! program {
    ($run:path) => {
        /// Where the C library hands over.
        ///
        /// # Safety
        ///
        /// `argv` holds `argc` strings, which nobody changes while the program runs.
        // The name is `unsafe` because another `main` could be linked in its place;
        // there is no other.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn main(
            argc: ::std::ffi::c_int,
            argv: *const *const ::std::ffi::c_char,
        ) -> ::std::ffi::c_int {
            let count = usize::try_from(argc).unwrap_or(0);
            let words: Vec<&[u8]> = (0..count)
                // SAFETY: as the caller promises.
                .map(|i| unsafe { ::std::ffi::CStr::from_ptr(*argv.add(i)) }.to_bytes())
                .collect();
            $run(&words).into()
        }
    };
}
