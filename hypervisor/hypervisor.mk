# SPDX-License-Identifier: MIT
#
# How the hypervisor is compiled and linked, and the same portable code as a library for the host.
# The lists of sources come from hypervisor/*/*.mk. Included by the top-level Makefile.

ifeq ($(HV_CC),gcc)
HV_OUT := build
else
HV_OUT := build/$(HV_CC)
endif
ifeq ($(DEBUG),1)
HV_OUT := $(HV_OUT)/debug
endif
HV_OBJ := $(HV_OUT)/hv

# When the source was made: the last commit, or what SOURCE_DATE_EPOCH says; core/guest/version.c tells it. Written only when it
# is another than what the file says.
SOURCE_EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null))
SOURCE_DATE := $(if $(SOURCE_EPOCH),$(shell date -u -d @$(SOURCE_EPOCH) '+%F %T UTC'),unknown)
SOURCE_DATE_H := build/generated/source_date.h
SOURCE_DATE_LINE := \#define SOURCE_DATE "$(SOURCE_DATE)"

.PHONY: another-date
$(SOURCE_DATE_H): $(if $(findstring $(SOURCE_DATE_LINE),$(file <$(SOURCE_DATE_H))),,another-date)
	@mkdir -p $(@D)
	@echo '$(SOURCE_DATE_LINE)' > $@

# Freestanding, but the compiler may know what memcpy, memcmp and the like do: a few bytes, known when it is compiled, are a few
# instructions. lib/ has the functions for the rest.
# clang reads foreign data through the GOT under -fpie unless told (last flag) that it is in this image.
# this_cpu() (port/current.h) is in place here, and a function in the host build.
# Indirect branches go through x86/thunk.asm, and returns where the compiler can (RETURN_THUNKS in x86/speculation.h).
HV_CFLAGS_both := -std=gnu11 $(WARN) $(INC) -O2 -g -ffreestanding -fbuiltin -fno-stack-protector -fpie -mcmodel=small \
    -fvisibility=hidden -include hv/hidden.h -mno-red-zone -mgeneral-regs-only -fno-asynchronous-unwind-tables \
    -fno-strict-aliasing -fno-omit-frame-pointer -fcf-protection=none -fno-common \
    -Wframe-larger-than=1280 -ftrivial-auto-var-init=zero -DDEBUG=$(DEBUG) '-Dthis_cpu()=cpu_of_stack()' $(HV_CFLAGS_EXTRA)
HV_CFLAGS_gcc := $(HV_CFLAGS_both) -mindirect-branch=thunk-extern -mindirect-branch-register \
    -mfunction-return=thunk-extern
HV_CFLAGS_clang := $(HV_CFLAGS_both) -mretpoline -mretpoline-external-thunk -fdirect-access-external-data \
    -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
HV_CFLAGS = $(HV_CFLAGS_$(HV_CC))
HV_LDFLAGS := -nostdlib -static -no-pie -z max-page-size=4096 -z noexecstack --build-id=none --no-warn-rwx-segments

HV_ALL  := $(sort $(HV_SRCS) $(CORE_SRCS) $(LOADER_SRCS))
# C becomes NAME.o, assembly NAME.asm.o: the two halves of one concept may share a name.
HV_OBJS := $(patsubst %.c,$(HV_OBJ)/%.o,$(filter %.c,$(HV_ALL))) \
    $(patsubst %.asm,$(HV_OBJ)/%.asm.o,$(filter %.asm,$(HV_ALL)))

# Anew when the flags change, too: a return that is none of x86/thunk.asm's would be a hole.
$(HV_OBJ)/%.o: %.c hypervisor/hypervisor.mk | build/.deps
	$(call say,$(HV_CC),$@)
	$(Q)$(HV_CC) $(HV_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

# nasm -MD leaves %include'd files out of the list; nasm -M has them.
NASM_INC := -I$(HV_OBJ)/ -Ihypervisor/
$(HV_OBJ)/%.asm.o: %.asm $(HV_OBJ)/x86/asm-offsets.inc $(HV_OBJ)/pv/cpu/asm-offsets.inc \
    $(HV_OBJ)/hvm/cpu/asm-offsets.inc | build/.deps
	$(call say,nasm,$@)
	$(Q)nasm -f elf64 -g -F dwarf -w+all $(NASM_INC) $< -o $@
	@nasm -M $(NASM_INC) -MT $@ $< > $(@:.o=.d)

# A file asm-offsets.c leaves lines `->NAME value` in its assembly; they become %define's. Such lines are no assembly,
# which gcc -S does not mind; offsets are the ABI's, the same for both compilers.
$(HV_OBJ)/%/asm-offsets.inc: hypervisor/%/asm-offsets.c | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc $(HV_CFLAGS_gcc) -MMD -MP -MF $(@:.inc=.d) -MT $@ -S $< -o $(@:.inc=.s)
	@sed -n 's/^.*->\([A-Za-z0-9_]*\) \$$\?\(-\?[0-9]*\).*/%define \1 \2/p' $(@:.inc=.s) > $@

# The symbol table: link without one, then with one of the right size, then with the right contents.
SYMBOLS := $(PYTHON) hypervisor/symbols.py
HV_LINK = ld $(HV_LDFLAGS) -T hypervisor/hypervisor.lds $(HV_OBJS)

$(HV_OUT)/parvis.elf: $(HV_OBJS) hypervisor/hypervisor.lds hypervisor/symbols.py
	@! readelf -rW $(HV_OBJS) | grep -E 'R_X86_64_(REX_)?GOT' || { echo "$@: code refers to a GOT"; false; }
	@$(SYMBOLS) > $(HV_OBJ)/symbols0.asm
	@nasm -f elf64 $(HV_OBJ)/symbols0.asm -o $(HV_OBJ)/symbols0.o
	$(call say,ld,$@)
	$(Q)$(HV_LINK) $(HV_OBJ)/symbols0.o -o $(HV_OBJ)/pass0.elf
	@for n in 0 1; do $(SYMBOLS) $(HV_OBJ)/pass$$n.elf > $(HV_OBJ)/symbols.asm; \
	    nasm -f elf64 $(HV_OBJ)/symbols.asm -o $(HV_OBJ)/symbols.o; \
	    $(HV_LINK) $(HV_OBJ)/symbols.o -o $(HV_OBJ)/pass$$((n + 1)).elf; done
	@mv $(HV_OBJ)/pass2.elf $@

$(HV_OUT)/parvis.bin: $(HV_OUT)/parvis.elf
	$(call say,objcopy,$@)
	$(Q)objcopy -O binary $< $@

# ---- the UEFI application: gnu-efi's start-up, our loader, parvis.bin inside ------------------------

EFI_OBJ := $(HV_OUT)/efi
EFI_LIB := /usr/lib
EFI_CFLAGS := -std=gnu11 $(WARN) $(INC) -isystem /usr/include/efi -isystem /usr/include/efi/x86_64 -O2 -g \
    -ffreestanding -fpic -fshort-wchar -fno-stack-protector -mno-red-zone -maccumulate-outgoing-args \
    -fno-strict-aliasing -fcf-protection=none -DGNU_EFI_USE_MS_ABI
EFI_OBJS := $(patsubst %,$(EFI_OBJ)/%.o,$(basename $(EFI_SRCS)))

$(EFI_OBJ)/%.o: %.c | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc $(EFI_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

# parvis.bin as data: parvis_bin .. parvis_bin_end
$(EFI_OBJ)/payload.o: $(HV_OUT)/parvis.bin
	@mkdir -p $(@D)
	@printf 'section .rodata align=4096\nglobal parvis_bin, parvis_bin_end\nparvis_bin: incbin "%s"\nparvis_bin_end:\n' \
	    $< > $(@:.o=.asm)
	$(Q)nasm -f elf64 $(@:.o=.asm) -o $@

$(HV_OUT)/parvis.efi: $(EFI_OBJS) $(EFI_OBJ)/payload.o
	$(call say,ld,$@)
	$(Q)ld -nostdlib -znocombreloc -shared -Bsymbolic --no-undefined -z noexecstack --no-warn-rwx-segments \
	    -T $(EFI_LIB)/elf_x86_64_efi.lds $(EFI_LIB)/crt0-efi-x86_64.o $^ -L$(EFI_LIB) -lefi -lgnuefi \
	    -o $(EFI_OBJ)/parvis.so
	$(Q)objcopy -j .text -j .sdata -j .data -j .rodata -j .dynamic -j .dynsym -j '.rel*' -j '.reloc' \
	    --target=efi-app-x86_64 --subsystem=10 $(EFI_OBJ)/parvis.so $@

# ---- the portable part on the host, under the sanitizers --------------------------------------------

# Reports name lines (-g1); what a debugger has of variables beyond that takes gcc a sixth of its time.
HOST_BASE := -std=gnu11 $(WARN) $(INC) -Itests/host -Idom0-tools/lib -I/usr/include/libxml2 -g1 \
    -fno-omit-frame-pointer -fno-strict-aliasing -O1
# Most unit tests are through in no time, and the compiler needs half the time when it does not make them fast. Not so what makes things
# up again and again, recounts, and judges.
WORKS_HARD := %_random.c %_oracle.c %_judge.c %_check.c %_support.c \
    $(addprefix tests/unit/,fake_% pv_random% core_shares.c core_worlds.c)
plainly = $(if $(filter-out $(WORKS_HARD),$(filter tests/unit/%,$(1))),-O0)
SANITIZE := -fsanitize=address,undefined
HOST_CFLAGS := $(HOST_BASE) $(SANITIZE) -fno-sanitize-recover=undefined

# Built by gcc, by clang (for the fuzzers too: tests/fuzz/fuzz.mk), by clang once more to count which lines run (make coverage), for
# the thread sanitizer (tests/torture) and for the memory sanitizer (tests/unit/msan.mk).
HOSTS := gcc clang coverage tsan msan
host_gcc      := gcc $(HOST_CFLAGS)
host_clang    := clang $(HOST_CFLAGS)
host_coverage := clang $(HOST_BASE) -fprofile-instr-generate -fcoverage-mapping
host_tsan     := clang $(HOST_BASE) -fsanitize=thread
host_msan     := clang $(HOST_BASE) -fsanitize=memory
host_also_clang = $(call explored,$(1))
host_link_gcc      := gcc -fuse-ld=gold $(SANITIZE)
host_link_clang    := clang -fuse-ld=lld $(SANITIZE)
host_link_tsan     := clang -fuse-ld=lld -fsanitize=thread
host_link_msan     := clang -fuse-ld=lld -fsanitize=memory
host_link_coverage := clang -fprofile-instr-generate -fsanitize=leak

define host_rules
build/host/$(1)/%.o: %.c | build/.deps
	$$(call say,$(1),$$@)
	$$(Q)$(host_$(1)) $$(call plainly,$$<) $$(call host_also_$(1),$$<) $$(HOST_CFLAGS_EXTRA) -MMD -MP -MF $$(@:.o=.d) -c $$< -o $$@

build/host/$(1)/libcore.a: $(patsubst %.c,build/host/$(1)/%.o,$(sort $(CORE_SRCS) $(LOADER_SRCS)))
	@rm -f $$@
	$$(call say,ar,$$@)
	$$(Q)ar rcs $$@ $$^
endef
$(foreach cc,$(HOSTS),$(eval $(call host_rules,$(cc))))

# The core never meets libc: on the host too it is compiled without knowledge of it, and what it has under a name of libc's is for
# itself alone.
build/host/%.o: HOST_CFLAGS_EXTRA :=
$(foreach cc,$(HOSTS),$(patsubst %.c,build/host/$(cc)/%.o,$(CORE_SRCS) $(LOADER_SRCS))): \
    HOST_CFLAGS_EXTRA := -ffreestanding -fvisibility=hidden -DDEBUG=1

# All objects that know the date: its file may not be there yet when dependencies are looked up.
$(patsubst %,%/hypervisor/core/guest/version.o,$(HV_OBJ) $(addprefix build/host/,$(HOSTS))): $(SOURCE_DATE_H)

-include $(shell find build -path build/debian -prune -o -name '*.d' -type f -print 2>/dev/null)
