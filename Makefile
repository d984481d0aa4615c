# make demo   a real cluster in a virtual machine, shown with this ipvsadm
# make bench  C ipvsadm and this one measured in the same machine
# make test   the whole test suite, its kernel tests in the same machine
# They install what is missing with apt-get; tests/lab/lab --help tells more.
# make install, uninstall, deb: packaging/install.mk

lab = tests/lab/lab

demo: lab
	cargo build --release
	$(lab) run tests/lab/demo

test: lab
	cargo test

bench: lab
	bench/bench

lab:
	$(lab) setup

lab-shell: lab
	$(lab) shell

.PHONY: bench demo test lab lab-shell

include packaging/install.mk
