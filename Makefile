# SPDX-License-Identifier: MIT
# Lictor: Consul watch handlers and checks in C.
#
#   make                all programs into build/ (make help: this list)
#   make unit           unit tests: run it at every save
#   make check T=NAME   tests/.../test_NAME.c alone; K='*dead*' only its tests of that name
#   make test           set-up, unit tests, programs as processes, real clusters
#   make demo           three real Consul servers show what it does
#   make lint           format, clang-tidy, shellcheck, function lengths; ONLY=format one of them
#   make format         clang-format over all; make hooks checks it at each commit
#   make bench          measured ratios        make soak    tests that take longer
#   make test-ui        the checks in Consul's UI, read in a browser
#   make SAN=1 test     under AddressSanitizer and UBSan, in a directory of its own
#   make install        PREFIX=/usr, honours DESTDIR; make uninstall removes it again
#   make setup          what all of these need; setup-build, -demo, -test, -lint: what one needs
#   make compile_commands.json      for editors, in build/
#
# A program is handlers/<verb>-<noun>.c and is listed in PROGRAMS. A module is
# handlers/<folder>/<name>.c with <name>.h and is listed in its folder's line. A folder
# includes only folders that stand before it in LAYERS, and has no cycle inside.

# ---- what is built ---------------------------------------------------------
PROGRAMS := reconfigure-logging rollout-logging apply-logging index-records verify-quorum verify-clock \
            hear-clock verify-logging verify-security heartbeat lictor

LAYERS := base net consul check settings elasticsearch indexer clock cluster security shipper delivery rollout \
          mongodb command

in_base          := version error text duration boottime limits deadline program buffer base64 file trust json json_fields state digest \
                    child run_once held_since
in_net           := host url resolve unix_socket http
in_consul        := kv consul agent
in_check         := verdict problems metrics rest publish script_check check_sync check_run verify_all
in_settings      := setting_value settings settings_print policy effective credential redact service_urls settings_change settings_read
in_elasticsearch := elasticsearch probe
in_indexer       := complaint queue_line queue bulk queue_reader recent generations destination sources reading account \
                    sender forwarder intake line_reader
in_clock         := local_clock sntp figure offset_bound offsets offsets_json outlier skew_verdict clock_record clock_watch clock_state \
                    ntp_reference clock_round
in_cluster       := server_mapping membership signs quorum cluster_facts own_agent rollout_order
in_security      := finding agent_facts anonymous gossip_key agent_process file_facts certificate log_facts certificate_facts
in_shipper       := mustache file_set owned_files shipper_config retired_shippers render shipper_commands apply apply_protocol apply_client
in_delivery      := delivery delivery_gather
in_rollout       := server_record logging_verdict rolling local_state snapshot debounce claim attempt logging_memory \
                    delivery_proof acknowledged logging_metrics logging_check
in_mongodb       := mongod_conf mongodb_answer mongodb_verdict mongodb_target mongodb_nodes mongodb_check
in_command       := command status_view status_text status_json status settings_write settings_show rollout_follow set inspect acknowledge api

# verify-mongodb and what only it uses need libmongoc, and are left out where it is not installed.
MONGODB_LIBS    := libmongoc-1.0
MONGODB_PROGRAM := verify-mongodb
MONGODB_MODULES := mongodb/mongodb_ask mongodb/mongodb_gather

MODULES := $(foreach l,$(LAYERS),$(in_$l:%=$l/%))

# What each program links besides libc, by pkg-config name. --as-needed drops what a
# program does not reach, so only what a program really calls is loaded.
LIBS      := libcurl libcjson libuv libmd
TEST_LIBS := cmocka libmicrohttpd

# ---- where and how ---------------------------------------------------------
PREFIX     ?= /usr
LIBEXECDIR ?= $(PREFIX)/libexec/lictor
SBINDIR    ?= $(PREFIX)/sbin
DATADIR    ?= $(PREFIX)/share/lictor
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSUSERS   ?= $(PREFIX)/lib/sysusers.d/lictor.conf
TMPFILES   ?= $(PREFIX)/lib/tmpfiles.d/lictor.conf
DESTDIR    ?=
INSTALL    ?= install
PKG_CONFIG ?= pkg-config
VERSION    := $(shell scripts/version)

SAN    ?=
WERROR ?=
B      ?= build$(if $(SAN),/san)
V      ?=

CFLAGS   ?= -O2 -g
LDFLAGS  ?=
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wold-style-definition -Wwrite-strings -Wcast-qual -Wpointer-arith \
            -Wconversion -Wformat=2 -Wundef -Wvla -Wnull-dereference \
            -Wimplicit-fallthrough
HARDEN_C := -fstack-protector-strong -fstack-clash-protection -fPIE
HARDEN_L := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
ifneq ($(SAN),)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
HARDEN_C += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
ifneq ($(WERROR),)
WARN += -Werror
endif

# Asked once for each make, not once for each object.
PKG_CFLAGS    := $(shell $(PKG_CONFIG) --cflags $(LIBS) 2>/dev/null)
PKG_LIBS      := $(shell $(PKG_CONFIG) --libs $(LIBS) 2>/dev/null)
PKG_TEST_LIBS := $(shell $(PKG_CONFIG) --libs $(TEST_LIBS) 2>/dev/null)

# MONGODB= leaves it out although it is there.
MONGODB := $(if $(filter 0,$(shell $(PKG_CONFIG) --exists $(MONGODB_LIBS) 2>/dev/null; echo $$?)),1)
ifneq ($(MONGODB),)
PROGRAMS      += $(MONGODB_PROGRAM)
MODULES       += $(MONGODB_MODULES)
PKG_CFLAGS    += $(patsubst -I%,-isystem%,$(shell $(PKG_CONFIG) --cflags $(MONGODB_LIBS)))
PKG_MONGODB   := $(shell $(PKG_CONFIG) --libs $(MONGODB_LIBS)) -lssl -lcrypto -lpthread
endif

ALL_CPPFLAGS = -Ihandlers -D_GNU_SOURCE $(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   = -std=c11 $(WARN) $(HARDEN_C) $(SANFLAGS) $(CFLAGS)
ALL_LDFLAGS  = $(HARDEN_L) $(SANFLAGS) $(LDFLAGS)

# Programs are built twice: as installed, and with -DTEST_LIMITS into test/ (limits.h).
CORE_A      := $(B)/libcore.a
TEST_CORE_A := $(B)/test/libcore.a
BINS        := $(PROGRAMS:%=$(B)/%)
TEST_BINS   := $(PROGRAMS:%=$(B)/test/%)

# Tests: tests/<kind>/test_<name>.c becomes $(B)/<kind>/test_<name>, a unit test
# tests/unit/<folder>/test_<name>.c; both are built with TEST_LIMITS. Any other .c in
# tests/programs/, tests/cluster/ or tests/soak/ is a helper for all. They find the programs under
# test in TEST_BIN, files of the tree in SOURCE_DIR.
TEST_KINDS   := sim programs elasticsearch mongodb cluster soak bench
TESTS        := $(wildcard tests/unit/*/test_*.c) $(foreach k,$(TEST_KINDS),$(wildcard tests/$k/test_*.c))
ifeq ($(MONGODB),)
TESTS        := $(filter-out tests/mongodb/% tests/cluster/test_mongodb.c,$(TESTS))
endif
TEST_HELPERS := $(filter-out $(TESTS),$(wildcard tests/programs/*.c tests/cluster/*.c tests/soak/*.c))
tests_of      = $(patsubst tests/%.c,$(B)/%,$(filter tests/$1/%,$(TESTS)))
UNIT_BINS    := $(call tests_of,unit)
CHECK_BINS   := $(foreach k,$(TEST_KINDS),$(call tests_of,$k))
HELPERS_A    := $(B)/test/libhelpers.a
FILTER_O     := $(B)/test/obj/tests/filter.o
STAND_IN     := $(B)/test/fake-elasticsearch $(if $(MONGODB),$(B)/test/fake-mongodb)
TEST_CPPFLAGS = -DTEST_LIMITS -DTEST_BIN='"$(abspath $(B))/test"' -DSOURCE_DIR='"$(CURDIR)"' \
                -Itests/programs -Itests/cluster -Itests/soak

# A sanitizer's report must not look like a result (its default exit code is 1), and
# cmocka must not take SIGSEGV away from it (handle_segv=2).
export ASAN_OPTIONS  := exitcode=99:detect_leaks=1:handle_segv=2
export UBSAN_OPTIONS := print_stacktrace=1

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all tests help setup unit check test demo lint lint-now format hooks compile_commands.json \
        bench soak test-ui install uninstall clean

# One short line for each command; V=1 shows the command itself.
say = $(if $(V),,@echo '  $1 $(patsubst $(B)/%,%,$@)' && )

all: $(BINS)
ifeq ($(MONGODB),)
all: without_mongodb
.PHONY: without_mongodb
without_mongodb:
	@echo '$(MONGODB_PROGRAM) is left out: there is no libmongoc (scripts/setup build installs it)'
endif
help:
	@sed -n 's/^#   make/make/p' Makefile

tests: $(TEST_BINS) $(UNIT_BINS) $(CHECK_BINS) $(STAND_IN)

# ---- build -----------------------------------------------------------------
# Objects are made again when a flag changes, not when the Makefile does.
FLAGS := $(B)/flags
flags_now = $(CC) $(TEST_CPPFLAGS) $(ALL_CPPFLAGS) $(ALL_CFLAGS)
ifneq ($(strip $(flags_now)),$(strip $(file <$(FLAGS))))
.PHONY: $(FLAGS)
endif
$(FLAGS):
	$(shell mkdir -p $(@D))$(file >$@,$(flags_now))@:

# Said before gcc says which header it lacks.
ifeq ($(PKG_LIBS),)
.PHONY: no_libraries
no_libraries:
	@echo 'libraries are missing: scripts/setup build installs them' >&2; exit 1
$(FLAGS): no_libraries
endif

# The version is in one object, so that the next commit compiles no other.
STAMP := $(B)/version
ifneq ($(VERSION),$(file <$(STAMP)))
.PHONY: $(STAMP)
endif
$(STAMP):
	$(shell mkdir -p $(@D))$(file >$@,$(VERSION))@:

$(B)/obj/handlers/base/version.o: $(STAMP)
$(B)/obj/handlers/base/version.o: private ALL_CPPFLAGS += -DLICTOR_VERSION='"$(VERSION)"'

$(B)/obj/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/test/obj/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(TEST_CPPFLAGS) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(CORE_A): $(MODULES:%=$(B)/obj/handlers/%.o)
$(TEST_CORE_A): $(MODULES:%=$(B)/test/obj/handlers/%.o)
$(HELPERS_A): $(TEST_HELPERS:%.c=$(B)/test/obj/%.o)
$(CORE_A) $(TEST_CORE_A) $(HELPERS_A):
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(BINS): $(B)/%: $(B)/obj/handlers/%.o $(CORE_A)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -o $@

$(TEST_BINS): $(B)/test/%: $(B)/test/obj/handlers/%.o $(TEST_CORE_A)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -o $@

$(MONGODB_PROGRAM:%=$(B)/%) $(MONGODB_PROGRAM:%=$(B)/test/%) \
$(B)/mongodb/test_mongodb_contract: private PKG_LIBS += $(PKG_MONGODB)

$(UNIT_BINS) $(CHECK_BINS): $(B)/%: $(B)/test/obj/tests/%.o $(FILTER_O) $(HELPERS_A) $(TEST_CORE_A)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) $(PKG_TEST_LIBS) -lm -o $@

$(B)/test/fake-mongodb: $(B)/test/obj/tests/mongodb/fake_mongodb.o
	$(call say,LD)$(CC) $(ALL_LDFLAGS) $^ $(PKG_MONGODB) -o $@

$(B)/test/fake-elasticsearch: $(patsubst %.c,$(B)/test/obj/%.o,$(filter-out $(TESTS),\
             $(wildcard tests/elasticsearch/*.c))) $(TEST_CORE_A)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) $(PKG_TEST_LIBS) -lm -o $@

-include $(shell find $(B)/obj $(B)/test/obj -name '*.d' 2>/dev/null)

# ---- test ------------------------------------------------------------------
# setup-demo, setup-test, setup-lint: what that needs, and nothing else.
setup:
	scripts/setup

setup-%:
	@scripts/setup $*

unit: $(UNIT_BINS)
	@tests/run $^

# T may be in more than one folder; K may lack its stars.
T_BINS := $(filter %/test_$(T),$(UNIT_BINS) $(CHECK_BINS))
check: $(if $(T_BINS),$(BINS) $(TEST_BINS) $(STAND_IN) $(T_BINS))
	@[ -n "$(T_BINS)" ] || { echo "make check T=NAME: there is no test '$(T)', but" \
	    "$(sort $(patsubst test_%,%,$(notdir $(UNIT_BINS) $(CHECK_BINS))))" >&2; exit 1; }
	@$(if $(K),TEST_FILTER='*$(K)*') tests/run $(T_BINS)

# Under a sanitizer: unit tests, programs and these scenarios on real clusters.
SAN_CLUSTER := harness logging rollout acl quorum demo
TESTED := $(UNIT_BINS) $(call tests_of,sim) $(call tests_of,programs) $(if $(SAN),\
          $(SAN_CLUSTER:%=$(B)/cluster/test_%),\
          $(call tests_of,elasticsearch) $(call tests_of,mongodb) $(call tests_of,cluster))

# After set-up a make of its own: before it there may be no pkg-config to ask.
build_now = @$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j2)

test: setup-test
	$(build_now) all tests
	@tests/run $(TESTED)

# What takes longer: the contract on every Elasticsearch, tests/soak/.
soak: setup-test
	$(build_now) all tests
	scripts/fetch elasticsearch 7.17.9 && scripts/fetch elasticsearch opensearch
	@ELASTICSEARCH_TARGETS='stand-in 8.6.2 7.17.9 opensearch' tests/run \
	    $(call tests_of,elasticsearch) $(call tests_of,soak)

# The checks in Consul's UI, in a browser; takes the pictures of README.md.
test-ui: setup-ui
	$(build_now) all
	@tests/ui/run

# The figures alone; where one cannot be had, everything.
bench: setup-test
	$(build_now) all tests
	@for b in $(call tests_of,bench); do \
	    $$b >$$b.log 2>&1 || { cat $$b.log; exit 1; }; grep -v '^\[' $$b.log; done

demo: setup-demo
	$(build_now) all
	scripts/demo run

lint: setup-lint
	@$(MAKE) --no-print-directory lint-now

lint-now:
	@tests/lint '$(LAYERS)' '$(MODULES)' -std=c11 $(TEST_CPPFLAGS) $(ALL_CPPFLAGS)

format:
	clang-format -i $(shell find handlers tests -name '*.[ch]')

hooks:
	git config core.hooksPath .githooks

# Where editors look for it: in build/. jq quotes.
compile_commands.json: export COMPILE = $(flags_now)
compile_commands.json:
	@mkdir -p build
	@find handlers tests -name '*.c' | jq -nR --arg dir "$(CURDIR)" \
	    '[inputs | {directory: $$dir, file: ., command: (env.COMPILE + " -c " + .)}]' >build/$@

# ---- install ---------------------------------------------------------------
# lictor and its scripts are with the other programs in LIBEXECDIR, where they find each other;
# a link in SBINDIR is for people. The paths in scripts, shippers' files and units become what
# LIBEXECDIR and DATADIR say.
TOOLS   := enable disable agent.sh shipper
UNITS   := $(notdir $(wildcard scripts/systemd/*.service scripts/systemd/*.socket))
SHIPPED := $(shell find consul.d -type f)
# $(call place,FROM,TO): with the mode FROM has.
place    = $(INSTALL) -D -m $$(test -x $1 && echo 755 || echo 644) $1 "$(DESTDIR)$2" && \
           sed -i 's|/usr/libexec/lictor|$(LIBEXECDIR)|g; s|/usr/share/lictor|$(DATADIR)|g' "$(DESTDIR)$2"

install: all
	@set -e; umask 022; \
	for p in $(PROGRAMS); do $(INSTALL) -D $(B)/$$p "$(DESTDIR)$(LIBEXECDIR)/$$p"; done; \
	for t in $(TOOLS); do $(call place,scripts/$$t,$(LIBEXECDIR)/$$t); done; \
	for f in $(SHIPPED); do $(call place,$$f,$(DATADIR)/$$f); done; \
	for u in $(UNITS); do $(call place,scripts/systemd/$$u,$(UNITDIR)/$$u); done; \
	$(call place,scripts/systemd/sysusers.conf,$(SYSUSERS)); \
	$(call place,scripts/systemd/tmpfiles.conf,$(TMPFILES)); \
	$(INSTALL) -d "$(DESTDIR)$(SBINDIR)"; ln -sf "$(LIBEXECDIR)/lictor" "$(DESTDIR)$(SBINDIR)/lictor"
	@echo "installed: lictor in $(SBINDIR), the programs that Consul runs in $(LIBEXECDIR)"

# What install put there and nothing else; a directory goes when nothing is left in it.
uninstall:
	$(RM) $(PROGRAMS:%="$(DESTDIR)$(LIBEXECDIR)/%") $(TOOLS:%="$(DESTDIR)$(LIBEXECDIR)/%")
	$(RM) $(SHIPPED:%="$(DESTDIR)$(DATADIR)/%") $(UNITS:%="$(DESTDIR)$(UNITDIR)/%")
	$(RM) "$(DESTDIR)$(SBINDIR)/lictor" "$(DESTDIR)$(SYSUSERS)" "$(DESTDIR)$(TMPFILES)"
	@for d in "$(DESTDIR)$(LIBEXECDIR)" "$(DESTDIR)$(DATADIR)"; do \
	    [ ! -d "$$d" ] || find "$$d" -depth -type d -empty -delete; done

clean:
	$(RM) -r build
