# make        the programs, in target/release
# make demo   a real cluster in a virtual machine, shown with this ipvsadm
# make test   the whole test suite, its kernel tests in the same machine
#             KERNELS="bullseye bookworm trixie testing": on Linux 5.10, 6.1,
#             6.12 and 7.x
# make static the programs without shared libraries, linked with musl
# make msrv   checks that the oldest Rust of Cargo.toml compiles all of it
# make check-targets
#             compiles for ARM, i686 and s390x, and runs the unit tests there
# make fuzz   runs every fuzz target for SECONDS (10 if not said)
# make deny   licences, advisories and sources of the libraries (cargo-deny)
# make picture
#             docs/ipvstop.svg anew, from a run in that machine
# make bench  C ipvsadm and this one measured in the same machine; BENCH has
#             options, see bench/bench --help
# They install what is missing with apt-get; tests/lab/lab --help
# tells more. install, uninstall, deb and rpm are in packaging/install.mk.

lab = tests/lab/lab

# The Debian suites on whose kernels the kernel tests run.
KERNELS ?= bookworm
kernel_tests = safety compliance traffic clients formats churn without_ipvs

define on_kernel
IPVSADM_KERNEL=$(1) tests/step $(1) cargo test --locked $(addprefix --test ,$(kernel_tests))

endef

.DEFAULT_GOAL := build

demo: lab build
	$(lab) run tests/lab/demo

# What is cheap comes first.
test: rust lab
	tests/step lint tests/lint.sh
	tests/step msrv tests/msrv.sh --if-there
	tests/step deny tests/deny.sh --if-there
	tests/step bookworm cargo test --locked
	$(foreach kernel,$(filter-out bookworm,$(KERNELS)),$(call on_kernel,$(kernel)))
	tests/step static $(MAKE) test-static
	tests/step install $(MAKE) test-install

msrv:
	tests/msrv.sh

# make passes its variables on, and this one is bash's own.
fuzz: rust
	env -u SECONDS fuzz/run $(SECONDS)

deny:
	tests/deny.sh

check-targets:
	tests/targets.sh

bench: lab
	bench/bench $(BENCH)

picture: lab build
	$(lab) run --stall 0 docs/picture $${CARGO_TARGET_DIR:-target}/release >target/ipvstop.svg
	mv target/ipvstop.svg docs/ipvstop.svg

lab:
	$(lab) setup

lab-shell: lab deb
	$(lab) shell

.PHONY: bench check-targets demo deny fuzz msrv picture test lab lab-shell

include packaging/install.mk
