# make        the programs, in target/release
# make demo   a real cluster in a virtual machine, shown with this ipvsadm
# make test   the whole test suite, its kernel tests in such machines
#             KERNELS="bullseye bookworm trixie testing": on Linux 5.10, 6.1,
#             6.12 and 7.x
# make test-long
#             for a night: all those kernels, other architectures, more random
#             lines, always others, a minute for each fuzz target, all faults
# make faults
#             every system call of every command fails once, in every way; for
#             an hour at most
# make static the programs without shared libraries, linked with musl
# make msrv   checks that the oldest Rust of Cargo.toml compiles all of it
# make check-targets
#             compiles for ARM, i686 and s390x, and runs the unit tests there
# make fuzz   runs every fuzz target for SECONDS (10 if not said)
# make reproducible
#             builds the last commit twice, in two places, and compares
# make test-archives
#             from the archives of "make dist", without network, in new roots of
#             Debian 12 and 13: builds, tests, installs, packages; needs root and
#             mmdebstrap
# make deny   licences, advisories and sources of the libraries (cargo-deny)
# make picture
#             docs/ipvstop.svg anew, from a run in that machine
# make bench  C ipvsadm and this one measured in the same machine; BENCH has
#             options, see bench/bench --help
# They install what is missing with apt-get; tests/lab/lab --help
# tells more. What makes archives and packages and installs is in
# packaging/install.mk: dist, test-offline, deb, deb-source, rpm, srpm, install,
# uninstall.

lab = tests/lab/lab

# The Debian suites on whose kernels the kernel tests run; always on bookworm's.
KERNELS ?= bookworm

.DEFAULT_GOAL := build

demo: lab build
	$(lab) run tests/lab/demo

test: rust lab
	tests/all $(filter-out bookworm,$(KERNELS))

test-long: check-targets
	$(MAKE) fuzz SECONDS=60
	$(MAKE) faults
	IPVSADM_SEED=clock IPVSADM_RANDOM_CASES=20000 IPVSADM_LISTINGS=200 IPVSADM_ROUNDS=200 \
		IPVSADM_LAB_TIMEOUT=14400 IPVSADM_LAB_STALL=1800 \
		$(MAKE) test KERNELS="bullseye bookworm trixie testing"

faults: rust lab
	tests/faults/run

msrv:
	tests/msrv.sh

# make passes its variables on, and this one is bash's own.
fuzz: rust
	env -u SECONDS fuzz/run $(SECONDS)

reproducible:
	tests/reproducible.sh

test-archives: dist deb-source srpm
	tests/archives.sh bookworm trixie

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

.PHONY: bench check-targets demo deny faults fuzz msrv picture reproducible test test-archives test-long lab lab-shell

include packaging/install.mk
