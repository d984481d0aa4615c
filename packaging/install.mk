# Installation and the packages. The Makefile includes this; it works alone too:
# make -f packaging/install.mk install DESTDIR=/tmp/tree

PREFIX ?= /usr
# With SUFFIX=-rs, everything has another name, so that it can be beside C ipvsadm:
# ipvsadm-rs, ipvsadm-save-rs ..., ipvstop-rs too, for what this installs and removes
# is nobody else's.
SUFFIX ?=
# With NO_IPVSTOP=1, neither ipvstop nor what draws its screen.
NO_IPVSTOP ?=
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec/ipvsadm$(SUFFIX)
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/ipvsadm$(SUFFIX)
DOCDIR ?= $(PREFIX)/share/doc/ipvsadm$(SUFFIX)
SYSCONFDIR ?= /etc
# What the service is called.
UNIT ?= ipvsadm$(SUFFIX)
# With OPENRC=1, a service of OpenRC takes the unit's place. It has its files where
# Gentoo and Alpine have them, and a start loads the rules, as theirs does.
ifeq ($(OPENRC),1)
RULES ?= /var/lib/ipvsadm$(SUFFIX)/rules-save
SETTINGS ?= $(SYSCONFDIR)/conf.d/$(UNIT)
AUTO ?= true
endif
RULES ?= $(SYSCONFDIR)/ipvsadm$(SUFFIX).rules
SETTINGS ?= $(SYSCONFDIR)/default/$(UNIT)
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
ifneq ($(word 2,$(DESTDIR)),)
$(error DESTDIR must not have spaces: $(DESTDIR))
endif

without_ipvstop = $(filter 1,$(NO_IPVSTOP))
programs = ipvsadm ipvsadm-save ipvsadm-restore $(if $(without_ipvstop),,ipvstop)
packages = $(if $(without_ipvstop),-p ipvsadm)
release = $(CARGO_TARGET_DIR)/release
service = $(if $(filter 1,$(OPENRC)),$(INITDIR)/$(UNIT),$(UNITDIR)/$(UNIT).service)
metrics_units = $(if $(filter 1,$(OPENRC)),,metrics.service metrics.timer)
data = ipvsadm.schema.json prometheus/ipvs.rules.yml prometheus/ipvs-dashboard.json
guide = guide.md guide.zh-CN.md $(patsubst docs/%,%,$(wildcard docs/figures/*.svg))
# The manuals name Debian's places.
places = s|/etc/ipvsadm\.rules|$(RULES)|g; s|/etc/default/ipvsadm|$(SETTINGS)|g; \
	s|/usr/libexec/ipvsadm|$(LIBEXECDIR)|; s|/usr/share/ipvsadm|$(DATADIR)|; s|/usr/share/doc/ipvsadm|$(DOCDIR)|; \
	s|AUTO="false"|AUTO="$(AUTO)"|; s|SAVE="false"|SAVE="$(SAVE)"|; \
	s|@SBINDIR@|$(SBINDIR)|; s|@LIBEXECDIR@|$(LIBEXECDIR)|; \
	s|@METRICS@|$(METRICS)|; s|@METRICS_DIR@|$(patsubst %/,%,$(dir $(METRICS)))|; \
	s|@METRICS_USER@|$(METRICS_USER)|; s|@RULES@|$(RULES)|; s|@SETTINGS@|$(SETTINGS)|; \
	s|@AUTO@|$(AUTO)|; s|@SAVE@|$(SAVE)|
# Each program by its name here, where that is a word, but not in "C ipvsadm".
suffixed = s,(^|[^[:alnum:]_./@-])(ipvsadm(-save|-restore)?|ipvstop)([^[:alnum:]_@.-]|\.[^[:alnum:]]|\.?$$),\1\2@SUFFIX@\4,g
names = s/C ipvsadm/C @ipvsadm/g; $(suffixed); $(suffixed); s/@SUFFIX@/$(SUFFIX)/g; s/C @ipvsadm/C ipvsadm/g
# In manuals, the service by its own; the word that -R skips is always the same.
services = /^The word$$/{n; b;}; s/^(\.Ql) ipvsadm( ,)?$$/\1 $(UNIT)\2/; s/(systemctl reload|rc-service) ipvsadm/\1 $(UNIT)/
# In scripts, the programs that they call, and the service.
called = s,@SBINDIR@/(ipvsadm(-save|-restore)?),$(SBINDIR)/\1$(SUFFIX),; \
	s|\(ipvsadm-save|&$(SUFFIX)|; s|ipvsadm\.service |$(UNIT).service |
# Only a service of another name can be beside that of C ipvsadm's package.
beside = $(if $(filter ipvsadm,$(UNIT)),/^. Beside C ipvsadm/$(comma)/^ConditionPath/d)
completed = sed -E '$(names); $(if $(without_ipvstop),/^complete -c ipvstop/d; /^(complete|.compdef) /s/ ipvstop[^ ]*$$//)'
comma = ,

static_release = $(CARGO_TARGET_DIR)/$(shell uname -m)-unknown-linux-musl/release

.PHONY: build rust static install uninstall dist deb deb-source rpm srpm test-offline test-static test-install

build: rust
	packaging/cargo build --release --locked $(packages)

rust:
	packaging/get-rust

# The same as one file each, for any Linux.
static:
	packaging/build-static

# The archives of a release, in target/dist.
dist:
	packaging/dist

# What needs neither a kernel nor the network: unit tests, and documents against
# the programs.
test-offline: rust
	CARGO_NET_OFFLINE=true packaging/fetch
	cargo test --locked --offline --workspace --lib --test docs
	cargo test --locked --offline --workspace --doc

# Root need not have cargo: what is built already is taken as it is.
$(addprefix $(release)/,$(programs)):
	packaging/cargo build --release --locked $(packages)

install: $(addprefix $(release)/,$(programs))
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(LIBEXECDIR) $(MANDIR)/man8 $(DATADIR) $(DOCDIR)/figures \
		$(dir $(service)) $(BASHDIR) $(ZSHDIR) $(FISHDIR) $(dir $(RULES) $(SETTINGS)))
	for program in $(programs); do \
		install -m 755 $(release)/$$program $(DESTDIR)$(SBINDIR)/$$program$(SUFFIX) || exit; done
	umask 022 && for page in $(programs); do \
		sed -E '$(places); $(services); $(names)' man/$$page.8 >$(DESTDIR)$(MANDIR)/man8/$$page$(SUFFIX).8 || exit; done
	umask 022 && for script in ipvsadm-service ipvsadm-metrics; do \
		sed -E '$(called); $(places)' packaging/$$script >$(DESTDIR)$(LIBEXECDIR)/$$script && \
		chmod 755 $(DESTDIR)$(LIBEXECDIR)/$$script || exit; done
	umask 022 && for unit in $(metrics_units); do \
		sed -E '$(places); $(names)' packaging/ipvsadm-$$unit >$(DESTDIR)$(UNITDIR)/$(UNIT)-$$unit || exit; done
	umask 022 && sed -E '$(beside); $(places); $(names)' \
		packaging/ipvsadm.$(if $(filter 1,$(OPENRC)),openrc,service) >$(DESTDIR)$(service)
	chmod $(if $(filter 1,$(OPENRC)),755,644) $(DESTDIR)$(service)
	install -m 644 $(addprefix docs/,$(data)) $(DESTDIR)$(DATADIR)
	for file in $(guide); do \
		install -m 644 docs/$$file $(DESTDIR)$(DOCDIR)/$$file || exit; done
	umask 022 && $(completed) completions/_ipvsadm >$(DESTDIR)$(ZSHDIR)/_ipvsadm$(SUFFIX)
	umask 022 && $(completed) completions/ipvsadm.bash >$(DESTDIR)$(BASHDIR)/ipvsadm$(SUFFIX)
	umask 022 && $(completed) completions/ipvsadm.fish >$(DESTDIR)$(FISHDIR)/ipvsadm$(SUFFIX).fish
	for also in $(filter-out ipvsadm,$(programs)); do \
		ln -sf ipvsadm$(SUFFIX) $(DESTDIR)$(BASHDIR)/$$also$(SUFFIX) && \
		ln -sf ipvsadm$(SUFFIX).fish $(DESTDIR)$(FISHDIR)/$$also$(SUFFIX).fish || exit; done
	umask 022 && test -e $(DESTDIR)$(SETTINGS) || test -L $(DESTDIR)$(SETTINGS) || \
		sed -E '$(places)' packaging/ipvsadm.default >$(DESTDIR)$(SETTINGS)
	test -e $(DESTDIR)$(RULES) || test -L $(DESTDIR)$(RULES) || \
		install -m 644 packaging/ipvsadm.rules $(DESTDIR)$(RULES)

# Settings and rules stay.
installed = $(addsuffix $(SUFFIX),$(programs))

uninstall:
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,$(installed)) \
		$(addprefix $(DESTDIR)$(MANDIR)/man8/,$(addsuffix .8,$(installed))) \
		$(addprefix $(DESTDIR)$(BASHDIR)/,$(installed)) \
		$(addprefix $(DESTDIR)$(FISHDIR)/,$(addsuffix .fish,$(installed))) \
		$(DESTDIR)$(ZSHDIR)/_ipvsadm$(SUFFIX) $(DESTDIR)$(service) \
		$(addprefix $(DESTDIR)$(UNITDIR)/$(UNIT)-,$(metrics_units)) \
		$(addprefix $(DESTDIR)$(LIBEXECDIR)/,ipvsadm-service ipvsadm-metrics) \
		$(addprefix $(DESTDIR)$(DATADIR)/,$(notdir $(data))) \
		$(addprefix $(DESTDIR)$(DOCDIR)/,$(guide))
	-rmdir $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR) $(DESTDIR)$(DOCDIR)/figures $(DESTDIR)$(DOCDIR)

# Debian's tools want debian/ at the top of where they build, and leave what they
# make beside that: ipvsadm, which replaces C's package, and ipvsadm-rs, which is beside
# it. -d: Rust need not come from Debian.
deb_top = $(abspath $(CARGO_TARGET_DIR))/deb

deb: build
	@command -v dh >/dev/null && command -v dh_apparmor >/dev/null || \
		{ echo "make deb needs debhelper and dh-apparmor (apt install debhelper dh-apparmor)" >&2; exit 1; }
	rm -rf $(deb_top) $(CARGO_TARGET_DIR)/ipvsadm_*.deb $(CARGO_TARGET_DIR)/ipvsadm-rs_*.deb
	mkdir -p $(deb_top)/tree
	cp -R packaging/debian $(deb_top)/tree
	cd $(deb_top)/tree && TOP='$(CURDIR)' NO_IPVSTOP=$(NO_IPVSTOP) DEB_BUILD_OPTIONS=noautodbgsym \
		dpkg-buildpackage --build=binary --no-sign -d >../log 2>&1 || { cat ../log; exit 1; }
	mv $(deb_top)/ipvsadm_*.deb $(deb_top)/ipvsadm-rs_*.deb $(CARGO_TARGET_DIR)

# The source package, from the archives, in target/deb-source.
deb-source: dist
	packaging/deb-source

# Red Hat's layout. The spec builds what is not built yet. Debian's rpm knows no
# installed packages, and so no build dependencies.
rpm_top = $(abspath $(CARGO_TARGET_DIR))/rpm
# Neither the machine nor the time stands in the packages.
rpm_flags = --quiet --nodeps --define '_topdir $(rpm_top)' --define '_buildhost localhost' \
	--define 'source_date_epoch_from_changelog 1' --define 'clamp_mtime_to_source_date_epoch 1' \
	--define 'use_source_date_epoch_as_buildtime 1'

rpm: build
	@command -v rpmbuild >/dev/null || { echo "make rpm needs rpmbuild (on Debian, apt install rpm)" >&2; exit 1; }
	rm -rf $(rpm_top) $(CARGO_TARGET_DIR)/ipvsadm-*.rpm
	rpmbuild $(rpm_flags) -bb --build-in-place --nocheck $(if $(without_ipvstop),--without ipvstop) \
		packaging/ipvsadm.spec
	mv $(rpm_top)/RPMS/*/*.rpm $(CARGO_TARGET_DIR)

# rpm keeps the spec with its macros expanded, the folders of this machine among them,
# and the times of the sources.
srpm: dist
	@command -v rpmbuild >/dev/null || { echo "make srpm needs rpmbuild (on Debian, apt install rpm)" >&2; exit 1; }
	rm -rf $(rpm_top)
	mkdir -p $(rpm_top)/SOURCES
	install -m 644 $(CARGO_TARGET_DIR)/dist/ipvsadm-*.zst packaging/ipvsadm.spec $(rpm_top)/SOURCES
	cd $(rpm_top)/SOURCES && \
		touch -d "$$(sed -n '/^%changelog/{n; s/^\* \([A-Za-z0-9 ]* 20[0-9][0-9]\).*/\1/p}' ipvsadm.spec) UTC" * && \
		rpmbuild $(rpm_flags) -bs --define '_sourcedir .' --define '_builddir /builddir' \
			--define '_buildrootdir /buildroot' --define '_smp_mflags %{nil}' ipvsadm.spec
	mv $(rpm_top)/SRPMS/*.src.rpm $(CARGO_TARGET_DIR)/dist

test-static: static build lab
	tests/paths.sh $(static_release) $(release)
	$(lab) run -- tests/static.sh $(static_release) $(release)

openrc_tree = $(abspath $(CARGO_TARGET_DIR))/openrc

# What "make install" makes under other names and without ipvstop. The completions in
# real shells, then the package, its service and the README's commands, in one
# machine; then the package beside C ipvsadm's, the packages under systemd, the service
# as those who mean harm use it, what AppArmor lets the programs do, and what "make
# install" makes for OpenRC.
test-install: lab deb rpm
	tests/install.sh
	$(lab) run -- sh -c 'tests/completions.py $(release) && \
		tests/package.sh $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
	$(lab) run -- sh -c 'tests/alternatives.sh $(CARGO_TARGET_DIR)/ipvsadm-rs_*.deb $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
	$(lab) run -- sh -c 'tests/systemd.sh $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
	$(lab) run -- sh -c 'tests/rpm.sh $(CARGO_TARGET_DIR)/ipvsadm-*.rpm'
	$(lab) run -- sh -c 'tests/service.sh $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
	$(lab) run --apparmor -- sh -c 'tests/apparmor.sh $(CARGO_TARGET_DIR)/ipvsadm_*.deb'
	rm -rf $(openrc_tree)
	$(MAKE) install OPENRC=1 DESTDIR=$(openrc_tree)
	$(lab) run -- tests/openrc.sh $(openrc_tree)
	$(MAKE) uninstall OPENRC=1 DESTDIR=$(openrc_tree)
	test "$$(cd $(openrc_tree) && find . ! -type d | sort | xargs)" = \
		"./etc/conf.d/ipvsadm ./var/lib/ipvsadm/rules-save"
