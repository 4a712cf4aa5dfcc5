# SPDX-License-Identifier: MIT
#
# The minimal guest. pvguest/kernel/ and hypervisor/lib/ are compiled into build/guest/libkernel.a; each folder of pvguest/apps/ becomes
# a program build/pvguest/NAME, each folder of tests/guest/ that holds C a guest test build/tests/guest/NAME.
#
# The symbol table (for backtraces) lies behind the code, so the functions it names do not move when it is
# added: a first link without symbols, a second one with them.

GUEST_CC ?= gcc
GUEST_CFLAGS := -std=gnu11 $(WARN) -Iinclude -Ipvguest/include -Itests/guest/include -O2 -g -ffreestanding \
    -fno-stack-protector -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
    -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-omit-frame-pointer -fno-optimize-sibling-calls \
    -fcf-protection=none -fno-common
GUEST_LDFLAGS := -nostdlib -static -no-pie -z max-page-size=4096 -z noexecstack --build-id=none

GUEST_KERNEL_OBJS := $(patsubst %,build/guest/%.o,$(basename $(wildcard pvguest/kernel/*.c pvguest/kernel/*.asm) $(LIB_SRCS)))
GUEST_TEST_OBJS := $(patsubst %.c,build/guest/%.o,$(wildcard tests/guest/lib/*.c))

GUEST_APPS := $(notdir $(patsubst %/,%,$(dir $(wildcard pvguest/apps/*/main.c))))
GUEST_TESTS := $(notdir $(patsubst %/,%,$(dir $(wildcard tests/guest/*/main.c))))
GUESTS += $(addprefix build/pvguest/,$(GUEST_APPS)) $(addprefix build/tests/guest/,$(GUEST_TESTS))

build/guest/%.o: %.c | build/.deps
	$(call say,$(GUEST_CC),$@)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

build/guest/%.o: %.asm | build/.deps
	$(call say,nasm,$@)
	$(Q)nasm -f elf64 -g -F dwarf -w+all $< -o $@

build/guest/libkernel.a: $(GUEST_KERNEL_OBJS)
	@rm -f $@
	$(Q)ar rcs $@ $^

build/guest/libtest.a: $(GUEST_TEST_OBJS)
	@rm -f $@
	$(Q)ar rcs $@ $^

# $(1) program, $(2) its objects and libraries
define guest_program
$(1): $(2) build/guest/libkernel.a pvguest/guest.lds hypervisor/symbols.py
	@mkdir -p $$(@D) build/guest/link/$$(@F)
	$$(call say,ld,$$@)
	@d=build/guest/link/$$(@F); l() { ld $(GUEST_LDFLAGS) -T pvguest/guest.lds build/guest/pvguest/kernel/start.o \
	    --start-group $(2) build/guest/libkernel.a --end-group "$$$$1" -o "$$$$2"; }; \
	    $(PYTHON) hypervisor/symbols.py > $$$$d/empty.asm && nasm -f elf64 $$$$d/empty.asm -o $$$$d/empty.o && \
	    l $$$$d/empty.o $$$$d/first && \
	    $(PYTHON) hypervisor/symbols.py $$$$d/first > $$$$d/symbols.asm && \
	    nasm -f elf64 $$$$d/symbols.asm -o $$$$d/symbols.o && l $$$$d/symbols.o $$@
endef
objects_of = $(patsubst %,build/guest/%.o,$(basename $(wildcard $(1)/*.c $(1)/*.asm)))
$(foreach a,$(GUEST_APPS),$(eval $(call guest_program,build/pvguest/$(a),$(call objects_of,pvguest/apps/$(a)))))
$(foreach t,$(GUEST_TESTS),$(eval $(call guest_program,build/tests/guest/$(t),$(call objects_of,tests/guest/$(t)) build/guest/libtest.a)))
