# make        the programs, in target/release
# make demo   a real cluster in a virtual machine, shown with this ipvsadm
# make test   the whole test suite, its kernel tests in the same machine
# make static the programs without shared libraries, linked with musl
# make msrv   checks that the oldest Rust of Cargo.toml compiles all of it
# make bench  C ipvsadm and this one measured in the same machine; BENCH has
#             options, see bench/bench --help
# They install what is missing with apt-get; tests/lab/lab --help
# tells more. install, uninstall, deb and rpm are in packaging/install.mk.

lab = tests/lab/lab

.DEFAULT_GOAL := build

demo: lab build
	$(lab) run tests/lab/demo

# What is cheap comes first.
test: lab
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked
	tests/msrv.sh --if-there
	cargo test --locked
	$(MAKE) test-static
	$(MAKE) test-install

msrv:
	tests/msrv.sh

bench: lab
	bench/bench $(BENCH)

lab:
	$(lab) setup

lab-shell: lab deb
	$(lab) shell

.PHONY: bench demo msrv test lab lab-shell

include packaging/install.mk
