# SPDX-License-Identifier: MIT
#
# Fuzzing of the toolstack with libFuzzer: `make fuzz-config` (domain XML), `make fuzz-xl` (xl's format) and `make fuzz-daemon` (parvisd, its guests' store entries
# and rings, its clients), for FUZZ_SECONDS each. What leaks is said at the end: looking after each input takes most of the time.

fuzz_config_SRCS = tests/fuzz/fuzz_config.c $(TOOLS_CONFIG_SRCS)
fuzz_config_LIBS := -lxml2
fuzz_xl_SRCS = tests/fuzz/fuzz_xl.c $(TOOLS_CONFIG_SRCS) $(TOOLS_XL_SRCS)
fuzz_xl_LIBS := -lxml2 -l:libxlutil.a
fuzz_daemon_SRCS = tests/fuzz/fuzz_daemon.c $(TOOLS_DAEMON_SRCS)
fuzz_daemon_LIBS = $(TOOLS_ALL_LIBS)

build/host/clang/tests/fuzz/fuzz_config.o build/host/clang/tests/fuzz/fuzz_xl.o build/host/clang/tests/fuzz/fuzz_daemon.o: \
    HOST_CFLAGS_EXTRA := -iquote dom0-tools/lib -iquote dom0-tools/parvisd -iquote tests/unit

# The words that the schema knows, for the fuzzer's dictionary, and characters that XML reads as others where they stand as they are.
build/fuzz/domain.dict: dom0-tools/schema/domain.rng
	@mkdir -p $(@D)
	@grep -oE '(name="[^"]*"|<value>[^<]*)' $< | sed 's/.*[">]\(..*\)"\?$$/\1/; s/"$$//; s/.*/"&"/' | sort -u > $@
	@printf '"%s"\n' '&#9;' '&#10;' '&#13;' >> $@

build/fuzz/config_seeds: tests/fuzz/config_seeds.c tests/unit/tools_config.h $(SCHEMA_TABLE) | build/.deps
	@mkdir -p $(@D)
	$(Q)clang -std=gnu11 $(WARN) -Idom0-tools/lib -o $@ $< $(TOOLS_CONFIG_SRCS) -I/usr/include/libxml2 -Iinclude -lxml2

# The keys of the good files, and what stands before a value in their lists.
build/fuzz/xl.dict: $(wildcard tests/unit/config_files/*.cfg) tests/unit/tools_config_xl.h
	@mkdir -p $(@D)
	@grep -ohE '[a-z_]+ ?=|(phy|file|tap|aio):' $^ | sed 's/.*/"&"/' | sort -u > $@

.PHONY: fuzz-config fuzz-xl fuzz-daemon
FUZZ += fuzz-config fuzz-xl fuzz-daemon
FUZZERS += build/fuzz/fuzz_config build/fuzz/fuzz_xl build/fuzz/fuzz_daemon
fuzz-config: build/fuzz/fuzz_config build/fuzz/config_seeds build/fuzz/domain.dict ## fuzzes the reader of domain XML, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/config
	@build/fuzz/config_seeds > build/fuzz/corpus/config/good
	@cp tests/unit/config_files/*.xml build/fuzz/corpus/config/
	build/fuzz/fuzz_config -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=4096 -dict=build/fuzz/domain.dict \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/config

fuzz-xl: build/fuzz/fuzz_xl build/fuzz/xl.dict ## fuzzes the reader of xl's files, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/xl
	@cp tests/unit/config_files/*.cfg build/fuzz/corpus/xl/
	build/fuzz/fuzz_xl -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=4096 -dict=build/fuzz/xl.dict \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/xl

fuzz-daemon: build/fuzz/fuzz_daemon ## fuzzes parvisd with what guests and clients can do to it, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/daemon
	build/fuzz/fuzz_daemon -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=1024 -len_control=0 -close_fd_mask=2 -detect_leaks=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/daemon
