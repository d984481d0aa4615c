# Installation and the packages. The Makefile includes this; it works alone too:
# make -f packaging/install.mk install DESTDIR=/tmp/tree

PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec/ipvsadm
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/ipvsadm
SYSCONFDIR ?= /etc
# With OPENRC=1, a service of OpenRC takes the unit's place. It has its files where
# Gentoo and Alpine have them, and a start loads the rules, as theirs does.
ifeq ($(OPENRC),1)
RULES ?= /var/lib/ipvsadm/rules-save
SETTINGS ?= $(SYSCONFDIR)/conf.d/ipvsadm
AUTO ?= true
endif
RULES ?= $(SYSCONFDIR)/ipvsadm.rules
SETTINGS ?= $(SYSCONFDIR)/default/ipvsadm
# What holds where the settings do not say: whether the service loads the rules
# when it starts, and saves them when it stops.
AUTO ?= false
SAVE ?= false
# Where the timer of the metrics has node_exporter's textfile collector read them, and
# whose folder that is.
METRICS ?= /var/lib/prometheus/node-exporter/ipvs.prom
METRICS_USER ?= prometheus
UNITDIR ?= $(PREFIX)/lib/systemd/system
INITDIR ?= $(SYSCONFDIR)/init.d
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
CARGO_TARGET_DIR ?= target

programs = ipvsadm ipvsadm-save ipvsadm-restore ipvstop
release = $(CARGO_TARGET_DIR)/release
service = $(if $(filter 1,$(OPENRC)),$(INITDIR)/ipvsadm,$(UNITDIR)/ipvsadm.service)
metrics_units = $(if $(filter 1,$(OPENRC)),,ipvsadm-metrics.service ipvsadm-metrics.timer)
data = ipvsadm.schema.json prometheus/ipvs.rules.yml prometheus/ipvs-dashboard.json
# The manuals name Debian's places.
filled = sed 's|@SBINDIR@|$(SBINDIR)|; s|@LIBEXECDIR@|$(LIBEXECDIR)|; \
	s|@METRICS@|$(METRICS)|; s|@METRICS_DIR@|$(patsubst %/,%,$(dir $(METRICS)))|; \
	s|@METRICS_USER@|$(METRICS_USER)|; s|@RULES@|$(RULES)|; s|@SETTINGS@|$(SETTINGS)|; \
	s|@AUTO@|$(AUTO)|; s|@SAVE@|$(SAVE)|; \
	s|/etc/ipvsadm\.rules|$(RULES)|g; s|/etc/default/ipvsadm|$(SETTINGS)|g; \
	s|/usr/libexec/ipvsadm|$(LIBEXECDIR)|; s|/usr/share/ipvsadm|$(DATADIR)|; \
	s|AUTO="false"|AUTO="$(AUTO)"|; s|SAVE="false"|SAVE="$(SAVE)"|'

static_release = $(CARGO_TARGET_DIR)/$(shell uname -m)-unknown-linux-musl/release

.PHONY: build rust static install uninstall deb rpm test-static test-install

build: rust
	cargo build --release --locked

rust:
	packaging/get-rust

# The same as one file each, for any Linux.
static:
	packaging/build-static

# Root need not have cargo: what is built already is taken as it is.
$(addprefix $(release)/,$(programs)):
	cargo build --release --locked

install: $(addprefix $(release)/,$(programs))
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(LIBEXECDIR) $(MANDIR)/man8 $(DATADIR) \
		$(dir $(service)) $(BASHDIR) $(ZSHDIR) $(FISHDIR) $(dir $(RULES) $(SETTINGS)))
	install -m 755 $(addprefix $(release)/,$(programs)) $(DESTDIR)$(SBINDIR)
	umask 022 && for page in $(addsuffix .8,$(programs)); do \
		$(filled) man/$$page >$(DESTDIR)$(MANDIR)/man8/$$page || exit; done
	umask 022 && for script in ipvsadm-service ipvsadm-metrics; do \
		$(filled) packaging/$$script >$(DESTDIR)$(LIBEXECDIR)/$$script && \
		chmod 755 $(DESTDIR)$(LIBEXECDIR)/$$script || exit; done
	umask 022 && for unit in $(metrics_units); do \
		$(filled) packaging/$$unit >$(DESTDIR)$(UNITDIR)/$$unit || exit; done
	umask 022 && $(filled) packaging/ipvsadm.$(if $(filter 1,$(OPENRC)),openrc,service) >$(DESTDIR)$(service)
	chmod $(if $(filter 1,$(OPENRC)),755,644) $(DESTDIR)$(service)
	install -m 644 $(addprefix docs/,$(data)) $(DESTDIR)$(DATADIR)
	install -m 644 completions/_ipvsadm $(DESTDIR)$(ZSHDIR)/_ipvsadm
	install -m 644 completions/ipvsadm.bash $(DESTDIR)$(BASHDIR)/ipvsadm
	install -m 644 completions/ipvsadm.fish $(DESTDIR)$(FISHDIR)/ipvsadm.fish
	for also in $(filter-out ipvsadm,$(programs)); do \
		ln -sf ipvsadm $(DESTDIR)$(BASHDIR)/$$also && \
		ln -sf ipvsadm.fish $(DESTDIR)$(FISHDIR)/$$also.fish || exit; done
	umask 022 && test -e $(DESTDIR)$(SETTINGS) || test -L $(DESTDIR)$(SETTINGS) || \
		$(filled) packaging/ipvsadm.default >$(DESTDIR)$(SETTINGS)
	test -e $(DESTDIR)$(RULES) || test -L $(DESTDIR)$(RULES) || \
		install -m 644 packaging/ipvsadm.rules $(DESTDIR)$(RULES)

# Settings and rules stay.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,$(programs)) \
		$(addprefix $(DESTDIR)$(MANDIR)/man8/,$(addsuffix .8,$(programs))) \
		$(addprefix $(DESTDIR)$(BASHDIR)/,$(programs)) \
		$(addprefix $(DESTDIR)$(FISHDIR)/,$(addsuffix .fish,$(programs))) \
		$(DESTDIR)$(ZSHDIR)/_ipvsadm $(DESTDIR)$(service) \
		$(addprefix $(DESTDIR)$(UNITDIR)/,$(metrics_units)) \
		$(addprefix $(DESTDIR)$(LIBEXECDIR)/,ipvsadm-service ipvsadm-metrics) \
		$(addprefix $(DESTDIR)$(DATADIR)/,$(notdir $(data)))
	-rmdir $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR)

# Debian's tools want debian/ at the top of where they build, and leave what they
# make beside that. -d: Rust need not come from Debian.
deb_top = $(abspath $(CARGO_TARGET_DIR))/deb

deb: build
	@command -v dh >/dev/null || { echo "make deb needs debhelper (apt install debhelper)" >&2; exit 1; }
	rm -rf $(deb_top) $(CARGO_TARGET_DIR)/ipvsadm_*.deb
	mkdir -p $(deb_top)/tree
	cp -R packaging/debian $(deb_top)/tree
	cd $(deb_top)/tree && TOP='$(CURDIR)' DEB_BUILD_OPTIONS=noautodbgsym \
		dpkg-buildpackage --build=binary --no-sign -d >../log 2>&1 || { cat ../log; exit 1; }
	mv $(deb_top)/ipvsadm_*.deb $(CARGO_TARGET_DIR)

# Red Hat's layout. The spec builds what is not built yet. Debian's rpm knows no
# installed packages, and so no build dependencies.
rpm_top = $(abspath $(CARGO_TARGET_DIR))/rpm

rpm: build
	@command -v rpmbuild >/dev/null || { echo "make rpm needs rpmbuild (on Debian, apt install rpm)" >&2; exit 1; }
	rm -rf $(rpm_top) $(CARGO_TARGET_DIR)/ipvsadm-*.rpm
	rpmbuild --quiet -bb --build-in-place --nodeps --define '_topdir $(rpm_top)' packaging/ipvsadm.spec
	mv $(rpm_top)/RPMS/*/*.rpm $(CARGO_TARGET_DIR)

test-static: static build lab
	$(lab) run -- tests/static.sh $(static_release) $(release)

openrc_tree = $(abspath $(CARGO_TARGET_DIR))/openrc

# The completions in real shells, then the package, its service and the
# README's commands, in one machine; then the packages under systemd, the service
# as those who mean harm use it, and what "make install" makes for OpenRC.
test-install: lab deb rpm
	$(lab) run -- sh -c 'tests/completions.py $(release) && \
		tests/package.sh $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
	$(lab) run -- sh -c 'tests/systemd.sh $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
	$(lab) run -- sh -c 'tests/rpm.sh $(CARGO_TARGET_DIR)/ipvsadm-*.rpm'
	$(lab) run -- sh -c 'tests/service.sh $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
	rm -rf $(openrc_tree)
	$(MAKE) install OPENRC=1 DESTDIR=$(openrc_tree)
	$(lab) run -- tests/openrc.sh $(openrc_tree)
	$(MAKE) uninstall OPENRC=1 DESTDIR=$(openrc_tree)
	test "$$(cd $(openrc_tree) && find . ! -type d | sort | xargs)" = \
		"./etc/conf.d/ipvsadm ./var/lib/ipvsadm/rules-save"
