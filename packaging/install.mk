# Installation and the Debian package. The Makefile includes this; it works
# alone too: make -f packaging/install.mk install DESTDIR=/tmp/tree

PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec/ipvsadm
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
CARGO_TARGET_DIR ?= target

programs = ipvsadm ipvsadm-save ipvsadm-restore
release = $(CARGO_TARGET_DIR)/release
filled = sed 's|@SBINDIR@|$(SBINDIR)|; s|@LIBEXECDIR@|$(LIBEXECDIR)|; s|@SYSCONFDIR@|$(SYSCONFDIR)|'

.PHONY: build install uninstall deb test-install

build:
	cargo build --release --locked

# Root need not have cargo: what is built already is taken as it is.
$(addprefix $(release)/,$(programs)):
	cargo build --release --locked

install: $(addprefix $(release)/,$(programs))
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(LIBEXECDIR) $(MANDIR)/man8 $(UNITDIR) \
		$(BASHDIR) $(ZSHDIR) $(FISHDIR) $(SYSCONFDIR)/default)
	install -m 755 $(addprefix $(release)/,$(programs)) $(DESTDIR)$(SBINDIR)
	install -m 644 $(addsuffix .8,$(addprefix man/,$(programs))) $(DESTDIR)$(MANDIR)/man8
	$(filled) packaging/ipvsadm-service >$(DESTDIR)$(LIBEXECDIR)/ipvsadm-service
	chmod 755 $(DESTDIR)$(LIBEXECDIR)/ipvsadm-service
	$(filled) packaging/ipvsadm.service >$(DESTDIR)$(UNITDIR)/ipvsadm.service
	chmod 644 $(DESTDIR)$(UNITDIR)/ipvsadm.service
	install -m 644 completions/_ipvsadm $(DESTDIR)$(ZSHDIR)/_ipvsadm
	install -m 644 completions/ipvsadm.bash $(DESTDIR)$(BASHDIR)/ipvsadm
	install -m 644 completions/ipvsadm.fish $(DESTDIR)$(FISHDIR)/ipvsadm.fish
	for also in ipvsadm-save ipvsadm-restore; do \
		ln -sf ipvsadm $(DESTDIR)$(BASHDIR)/$$also && \
		ln -sf ipvsadm.fish $(DESTDIR)$(FISHDIR)/$$also.fish || exit; done
	test -e $(DESTDIR)$(SYSCONFDIR)/default/ipvsadm || \
		install -m 644 packaging/ipvsadm.default $(DESTDIR)$(SYSCONFDIR)/default/ipvsadm
	test -e $(DESTDIR)$(SYSCONFDIR)/ipvsadm.rules || \
		install -m 644 packaging/ipvsadm.rules $(DESTDIR)$(SYSCONFDIR)/ipvsadm.rules

# Settings and rules stay.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,$(programs)) \
		$(addprefix $(DESTDIR)$(MANDIR)/man8/,$(addsuffix .8,$(programs))) \
		$(addprefix $(DESTDIR)$(BASHDIR)/,$(programs)) \
		$(addprefix $(DESTDIR)$(FISHDIR)/,$(addsuffix .fish,$(programs))) \
		$(DESTDIR)$(ZSHDIR)/_ipvsadm $(DESTDIR)$(UNITDIR)/ipvsadm.service \
		$(DESTDIR)$(LIBEXECDIR)/ipvsadm-service
	-rmdir $(DESTDIR)$(LIBEXECDIR)

deb: build
	rm -f $(CARGO_TARGET_DIR)/ipvsadm_*.deb
	packaging/build-deb $(release) $(CARGO_TARGET_DIR)

# The completions in real shells, then the package, its service and the
# README's commands, in one machine; then the package under systemd.
test-install: deb lab
	$(lab) run -- sh -c 'tests/completions.py $(release) && \
		tests/package.sh $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
	$(lab) run -- sh -c 'tests/systemd.sh $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
