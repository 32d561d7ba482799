# livetimingd. `make help` lists the targets; `make run` and `make test` do everything.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc
SAN     ?=
WERROR  ?= 1
B       ?= $(if $(SAN),build/san,build)
O       := $(B)/obj

PKGS    := libwebsockets libnats libuv libcjson libzip libical libcurl zlib openssl miniupnpc
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wvla -Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual -Wformat=2 -Wimplicit-fallthrough \
	-Wconversion -Wno-sign-conversion $(if $(filter 1,$(WERROR)),-Werror)
IS_GCC  := $(shell $(CC) --version 2>/dev/null | head -1 | grep -qi clang || echo 1)
WARN    += $(if $(IS_GCC),-Wlogical-op -Wduplicated-cond -Wnull-dereference)
# Variables, since their commas would end an argument of $(if).
SANITIZE := -fsanitize=address,undefined
SAN_OPT  := -O1 -g -fno-omit-frame-pointer $(SANITIZE) -fno-sanitize-recover=all
OPT     := $(if $(SAN),$(SAN_OPT),-O2 -g \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
	$(if $(IS_GCC),-ftrivial-auto-var-init=zero))
LT_CFLAGS  := -std=gnu11 -D_GNU_SOURCE -fPIC $(OPT) $(WARN) -Isrc -I$(B)/include -MMD -MP \
	-DLT_VERSION='"$(VERSION)"' -DLT_PREFIX='"$(PREFIX)"' \
	$(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
LT_LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack $(if $(SAN),$(SANITIZE))
LIBS       := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lmbedcrypto -ldl -lm -lpthread

# Layers, lowest first; each is an archive and sees only those before it (tests/arch/check_layers.sh).
LAYERS  := base calendar net router mesh race store services cli
layer_src = $(sort $(wildcard src/$(1)/*.c src/$(1)/*/*.c))
layer_obj = $(patsubst src/%.c,$(O)/%.o,$(call layer_src,$(1)))
layer_lib = $(O)/liblt_$(1).a
DAEMON_LIBS := $(foreach l,services store race mesh router net calendar base,$(call layer_lib,$(l)))
CLI_LIBS    := $(foreach l,cli store race net calendar base,$(call layer_lib,$(l)))
DAEMON_OBJ  := $(patsubst src/%.c,$(O)/%.o,$(sort $(wildcard src/*.c src/daemon/*.c)))
HEADER      := $(B)/include/livetiming/plugin.h

PLUGINS := $(filter-out template,$(notdir $(patsubst %/,%,$(wildcard plugins/*/))))
# those in check/ are for the conformance test alone: no daemon of the tests looks there
TEST_PLUGINS := $(basename $(patsubst tests/plugins/%,%,$(wildcard $(patsubst %,tests/plugins/%,*.c *.cc check/*.c check/*.cc))))
WEB_SRC := $(filter-out src/web/node_modules/%,$(wildcard src/web/*.* src/web/*/*.*))

all: $(B)/livetimingd $(B)/livetimingctl plugins $(B)/www/.built ## daemon, control program, plugins and page
plugins: $(PLUGINS:%=$(B)/plugins/%.so)

# One line a step; `make V=1` shows the whole commands.
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $@;)

# --- C ---
$(foreach l,$(LAYERS),$(eval $(call layer_lib,$(l)): $(call layer_obj,$(l))))
$(O)/liblt_%.a:
	@mkdir -p $(@D)
	$(call say,AR)rm -f $@ && ar rcs $@ $(filter %.o,$^)
$(O)/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(LT_CFLAGS) $(CFLAGS) -c -o $@ $<
# built into livetimingctl for `plugin new`; the assembler reads them, which no dependency file tells
$(O)/cli/plugin_template.o: $(wildcard plugins/template/* plugins/template/*/*)
$(HEADER): src/livetiming_plugin.h
	@mkdir -p $(@D) && cp $< $@
$(B)/livetimingd: $(DAEMON_OBJ) $(DAEMON_LIBS)
	$(call say,LD)$(CC) -pie -o $@ $(DAEMON_OBJ) -Wl,--start-group $(DAEMON_LIBS) -Wl,--end-group $(LT_LDFLAGS) $(LDFLAGS) $(LIBS)
$(B)/livetimingctl: $(CLI_LIBS)
	$(call say,LD)$(CC) -pie -o $@ -Wl,--whole-archive $(call layer_lib,cli) -Wl,--no-whole-archive $(filter-out %cli.a,$(CLI_LIBS)) \
		$(LT_LDFLAGS) $(LDFLAGS) $(LIBS)

# --- plugins: one folder each, one exported symbol, the installed header alone ---
PLUGIN_FLAGS = $(filter-out -Isrc,$(LT_CFLAGS)) -fvisibility=hidden
define plugin_rule
$(B)/plugins/$(1).so: $$(patsubst plugins/%.c,$(O)/plugins/%.o,$$(wildcard plugins/$(1)/*.c))
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) -shared -Wl,-z,defs -o $$@ $$^ $$(LT_LDFLAGS) $$(LDFLAGS) -lm
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin_rule,$(p))))
$(O)/plugins/%.o: plugins/%.c $(HEADER)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(PLUGIN_FLAGS) $(CFLAGS) -c -o $@ $<
$(B)/tests/plugins/%.so: tests/plugins/%.c $(HEADER)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(PLUGIN_FLAGS) $(CFLAGS) -shared -o $@ $< $(LT_LDFLAGS) $(LDFLAGS) -lm
$(B)/tests/plugins/%.so: tests/plugins/%.cc $(HEADER)
	@mkdir -p $(@D)
	$(call say,CXX)g++ -std=$(if $(findstring 17,$*),c++17,c++11) -Wall -Wextra -Wpedantic -Werror -fPIC -fvisibility=hidden -I$(B)/include -shared -o $@ $<

# --- page: third-party parts are bundled from npm at build time, ours are copied as they are ---
$(B)/www/.built: $(WEB_SRC) src/web/package-lock.json src/tools/build-web.sh
	$(call say,WEB)src/tools/build-web.sh $(B)/www

# --- unit tests: tests/unit/<layer>/<name>_test.c links its layer and those below ---
below_base     := base
below_calendar := calendar base
below_net      := net base
below_router   := router base
below_mesh     := mesh router net base
below_race     := race base
below_store    := store race base
below_services := services store race mesh router net calendar base
below_cli      := cli store race net calendar base
below_plugins  := race base
# libmpack and libcbor are the judges of our serializers
TEST_LIBS  := -lcmocka $(shell pkg-config --libs mpack libcbor 2>/dev/null)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/*/*_test.c))
SUPPORT_OBJ = $(patsubst tests/support/%.c,$(O)/support/%.o,$(wildcard tests/support/*.c))
# *_fake_test.c gets the loop with a hand-moved clock instead of loop_uv.c
FAKE_OBJ = $(patsubst tests/support_fake/%.c,$(O)/support_fake/%.o,$(wildcard tests/support_fake/*.c))
.SECONDARY: $(SUPPORT_OBJ) $(FAKE_OBJ)
# a plugin's parser is tested by its objects: tests/unit/plugins/<plugin>_<name>_test.c
plugin_objs = $(patsubst plugins/%.c,$(O)/plugins/%.o,$(wildcard plugins/$(firstword $(subst _, ,$(1)))/*.c))
define unit_rule
$(B)/tests/$(1)/%: tests/unit/$(1)/%.c $$(foreach l,$$(below_$(1)),$$(call layer_lib,$$(l))) $$(SUPPORT_OBJ) $$(FAKE_OBJ) $$(HEADER) \
		$$(if $$(filter plugins,$(1)),$$(PLUGINS:%=$$(B)/plugins/%.so))
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(LT_CFLAGS) -Itests -Iplugins $$(CFLAGS) -o $$@ $$< $$(if $$(filter plugins,$(1)),$$(call plugin_objs,$$*)) \
		$$(SUPPORT_OBJ) $$(if $$(filter %_fake_test,$$*),$$(FAKE_OBJ)) -Wl,--start-group $$(foreach l,$$(below_$(1)),$$(call layer_lib,$$(l))) -Wl,--end-group \
		$$(LT_LDFLAGS) $$(LDFLAGS) $$(TEST_LIBS) $$(LIBS)
endef
$(foreach l,base calendar net router mesh race store services cli plugins,$(eval $(call unit_rule,$(l))))
$(O)/support%.o: tests/support%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(LT_CFLAGS) -Itests $(CFLAGS) -c -o $@ $<

# --- fuzzing: one target a file. Here with a main that replays files; `make fuzz` builds them for libFuzzer ---
FUZZ_TARGETS := $(filter-out replay,$(basename $(notdir $(wildcard tests/fuzz/*.c))))
FUZZ_LIBS    := $(foreach l,services store race mesh router net calendar base,$(call layer_lib,$(l)))
# what of the plugins knows nothing of the host
FUZZ_OBJ     := $(patsubst %.c,$(O)/%.o,$(filter-out %_show.c %_load.c $(foreach d,$(wildcard plugins/*),$d/$(notdir $d).c), \
	$(wildcard plugins/*/*.c)))
FUZZ_OBJ     += $(addprefix $(O)/cli/assist/,rules.o plan.o ics_target.o)
fuzz_link = $(CC) $(LT_CFLAGS) -Itests/fuzz -Iplugins $(CFLAGS) $(1) -o $@ $(filter %.c,$^) $(FUZZ_OBJ) \
	-Wl,--start-group $(FUZZ_LIBS) -Wl,--end-group $(LT_LDFLAGS) $(LDFLAGS) $(LIBS)
$(B)/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(wildcard tests/fuzz/*.h) $(FUZZ_OBJ) $(FUZZ_LIBS)
	@mkdir -p $(@D)
	$(call say,LD)$(fuzz_link)
$(B)/fuzz/%: tests/fuzz/%.c $(wildcard tests/fuzz/*.h) $(FUZZ_OBJ) $(FUZZ_LIBS)
	@mkdir -p $(@D)
	$(call say,LD)$(call fuzz_link,-fsanitize=fuzzer)

build-tests: all $(UNIT_TESTS) $(FUZZ_TARGETS:%=$(B)/tests/fuzz/%) $(TEST_PLUGINS:%=$(B)/tests/plugins/%.so) ## build everything that the tests need

include src/tools/targets.mk
-include $(shell find $(O) $(B)/tests -name "*.d" 2>/dev/null)
