# make demo   a real cluster in a virtual machine, shown with this ipvsadm
# make test   the whole test suite, its kernel tests in the same machine
# Both install what is missing with apt-get; tests/lab/lab --help tells more.
# make install, uninstall, deb: packaging/install.mk

lab = tests/lab/lab

demo: lab
	cargo build --release
	$(lab) run tests/lab/demo

test: lab
	cargo test

lab:
	$(lab) setup

lab-shell: lab
	$(lab) shell

.PHONY: demo test lab lab-shell

include packaging/install.mk
