# SPDX-License-Identifier: MIT
#
# Builds, runs and tests Parvis. `make help` lists the targets.
#
# Each folder has one NAME.mk that only lists what it holds; the rules are here:
#   HV_SRCS     machine code of the hypervisor (C and nasm)          -> build/hv/PATH.o
#   CORE_SRCS   portable code of the hypervisor                      -> the same, and build/host/CC/libcore.a
#   LOADER_SRCS the start-of-day loader: portable, the tools too     -> the same
#   EFI_SRCS    the UEFI application (gnu-efi; carries parvis.bin)   -> build/efi/PATH.o -> build/parvis.efi
#   GUESTS      programs build/pvguest/NAME, with the rules that make them (pvguest/pvguest.mk)
#   TOOLS       programs build/dom0-tools/NAME, with their rules (dom0-tools/dom0-tools.mk)
#   UNIT        unit test programs (tests/unit/unit.mk says how)
# Everything is built after build/.deps, which installs the Debian packages that are missing.
# The hypervisor is built twice when asked: HV_CC=gcc into build/, HV_CC=clang into build/clang/.
#
# Two things are not obvious. The image is linked at an address outside the top 2 GB, so the code must be
# RIP-relative (-fpie -mcmodel=small, linked as a fixed-address program, no GOT). And the symbol table for
# backtraces is part of the image whose addresses it lists: it takes three links until it is at rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

HV_CC ?= gcc
PYTHON ?= python3
DEBUG ?= 0

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla
INC  := -Iinclude -Ihypervisor/include -Ihypervisor -Ibuild/generated

# Recipes say one short line each, and make the folder of what they make; V=1 shows the commands.
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
# Each line has its number among those that are to come: a dry run counts them, once, when the first is said.
count = $(shell mkdir -p build; rm -f build/.said; $(MAKE) -n COUNTING=1 HV_CC=$(HV_CC) $(MAKECMDGOALS) 2>/dev/null | grep -c '>>build/[.]said')
TOTAL = $(if $(COUNTING),0,$(eval TOTAL := $(count))$(TOTAL))
say = @[[ -d $(@D) ]] || mkdir -p $(@D); printf . >>build/.said; said=$$(<build/.said); printf '  [%3d/%d] %-8s %s\n' $${\#said} $(TOTAL) $(1) $(2)

HV_SRCS :=
CORE_SRCS :=
LOADER_SRCS :=
EFI_SRCS :=
GUESTS :=
TOOLS :=
UNIT :=
CHECKS :=
LONG_CHECKS :=
CHECK_PROGRAMS :=
FUZZ :=
FUZZERS :=

all: hv efi guests tools ## everything that runs: hypervisor, guests, tools

include $(wildcard hypervisor/*/*.mk) $(wildcard pvguest/*.mk) $(wildcard dom0-tools/*.mk)
include $(wildcard dom0-tools/dom0/*.mk)
include hypervisor/hypervisor.mk
include $(wildcard tests/*/*.mk)

# ---- what must be installed ------------------------------------------------------------------------

build/.deps: .ci/deps
	@mkdir -p build
	@.ci/deps
	@touch $@

.PHONY: all deps hv efi guests tools unit run attach debug check check-long unpacked test-programs fuzz fmt clean help
deps: build/.deps ## installs the Debian packages that are missing (apt; root or sudo)

hv: $(HV_OUT)/parvis.elf $(HV_OUT)/parvis.bin ## the hypervisor: build/parvis.elf and parvis.bin (HV_CC=clang: build/clang/; DEBUG=1, which asserts: build/debug/)
efi: $(if $(EFI_SRCS),$(HV_OUT)/parvis.efi) ## the UEFI application build/parvis.efi
guests: $(GUESTS) ## the programs of pvguest/: build/pvguest/NAME
tools: $(TOOLS) ## the control domain's programs: build/dom0-tools/NAME

# ---- running ---------------------------------------------------------------------------------------

# What a person may set; run.py reads them from the environment. What is misspelt on make's command line is refused, not ignored.
SETTINGS := SMP MEM CPU ACCEL QEMU_EXTRA FIRMWARE NETWORK TOOLSTACK DOM0_KERNEL DOM0_MODULES GUEST_DISK DATA_DISK GUEST KIND GUEST_MEM GUEST_CMDLINE GUEST_RAMDISK GUEST_VCPUS
export $(SETTINGS) MACHINE
given := $(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),$v))
misspelt := $(strip $(filter-out $(SETTINGS) DEBUG_WAIT HV_CC GUEST_CC DEBUG PYTHON V COUNTING SOURCE_DATE_EPOCH,$(given)))
$(if $(misspelt),$(if $(filter run debug,$(MAKECMDGOALS)),$(error $(misspelt): `make run` knows $(SETTINGS))))
misspelt := $(strip $(filter-out $(COMPARE_KNOWS) PYTHON V,$(given)) $(addprefix QUICK=,$(filter-out 1,$(QUICK))) $(addprefix KERNEL=,$(filter-out newer,$(KERNEL))))
$(if $(misspelt),$(if $(filter compare,$(MAKECMDGOALS)),$(error $(misspelt): `make compare` knows $(COMPARE_KNOWS); QUICK=1; KERNEL=newer, or none)))

DOM0_AS_GUEST := $(addprefix build/dom0/,vmlinuz vmlinux guest-initramfs.cpio.gz)
NEEDED_TO_RUN := $(if $(GUEST),build/parvis.bin build/dom0-tools/parvis-unpack $(filter $(GUESTS) $(DOM0_AS_GUEST),$(GUEST) $(GUEST_RAMDISK)),\
    $(if $(filter direct,$(FIRMWARE)),build/parvis.bin $(DOM0),build/parvis.img) $(addprefix build/dom0/initramfs-,$(addsuffix .cpio.gz,$(filter $(TOOLSTACKS),$(TOOLSTACK)))))

# Two `make run` in one tree would write the same files: the second waits for the first; and for what else this make was told to build.
run debug: | $(filter all image,$(MAKECMDGOALS))
wait_to_build := mkdir -p build; exec 9>build/build.lock; \
    flock -n 9 || { echo "parvis: another make builds in this tree: waiting for it"; flock 9; }
quietly := $(if $(filter 1,$(V)),,-s)

# What is wrong with the settings is said before anything is built. (Where there is no Python yet, the first build installs it.)
look_at_settings = ! command -v $(PYTHON) >/dev/null || TO_BUILD="$(NEEDED_TO_RUN)" $(PYTHON) tests/system/run.py --check

# When make has ended, by whatever signal, the machine does too.
run: ## starts Parvis in QEMU, console on the terminal (GUEST=path: that guest alone, KIND=hvm|pvh: fully virtualized; FIRMWARE=direct; TOOLSTACK=xl|libvirt: Debian's too; GUEST_DISK=path: a disk for guests; SMP MEM CPU ...)
	@$(look_at_settings)
	@$(wait_to_build); exec $(MAKE) $(quietly) $(NEEDED_TO_RUN)
	@exec setpriv --pdeathsig TERM $(PYTHON) tests/system/run.py

attach: ## a second shell of the machine that runs, from another terminal; ^] leaves it (MACHINE=number, where several run)
	@exec $(PYTHON) tests/system/attach.py

debug: ## like run, without firmware, with gdb attached to the hypervisor
	@export FIRMWARE=$(if $(GUEST),,direct); $(look_at_settings)
	@$(wait_to_build); exec $(MAKE) $(quietly) build/parvis.elf $(NEEDED_TO_RUN)
	@FIRMWARE=$(if $(GUEST),,direct) DEBUG_WAIT=1 $(PYTHON) tests/system/run.py </dev/null >build/debug.log 2>&1 & qemu=$$!; \
	    echo "the machine's console goes to build/debug.log"; \
	    gdb -q -ex 'target remote localhost:1234' -ex 'hbreak hypervisor_main' build/parvis.elf; \
	    kill $$qemu 2>/dev/null || tail -n 2 build/debug.log

# ---- testing ---------------------------------------------------------------------------------------

# First what is built, then what runs, in the order of how soon it answers; one more at a time than there are processors, as a test of a
# machine waits a fifth of its time. CHECKS: programs that other .mk files add, of which CHECK_PROGRAMS are built.
CHECK_COMMANDS = "$(PYTHON) tests/style.py" "make built-for-check" then \
    "$(PYTHON) tests/man.py" "$(PYTHON) tests/other_names.py" "$(PYTHON) tests/completion.py" "$(PYTHON) tests/data_disk.py" $(checked_units) $(msan_programs) $(call torture_for,$(TORTURE_CHECK_SECONDS)) $(fuzz_checks) \
    $(CHECKS) $(foreach t,$(SYSTEM_TESTS),"$(PYTHON) $t")

# What is downloaded, and what takes one processor long, comes first: make does what stands behind meanwhile.
unpacked: build/debian/.unpacked build/reference/.unpacked
test-programs: image reference bad-guests build/dom0/initramfs-xl.cpio.gz $$(unit_programs) $(msan_programs) $(torture_programs) $(FUZZERS) $(CHECK_PROGRAMS) $(LATENCY_PLUGIN)

# All in one make, so that no processor waits for the end of a part.
.PHONY: built-for-check hv-clang hv-debug
built-for-check: unpacked build/bench/guest-files/.made build/toolstack/xl/.unpacked all hv-clang hv-debug test-programs
hv-clang: OTHER := HV_CC=clang
hv-debug: OTHER := DEBUG=1
hv-clang hv-debug: | $(SOURCE_DATE_H)
	+@$(MAKE) hv $(OTHER) TOTAL=$(TOTAL)

fuzz: $(FUZZ) ## fuzzes each fuzzer for FUZZ_SECONDS

check: build/.deps ## builds everything with gcc and clang and runs every test; the summary is the last line
	@jobs=$$(($$(nproc) + 1)); env MAKEFLAGS="-j$$jobs --output-sync" $(PYTHON) tests/run.py --jobs $$jobs $(CHECK_COMMANDS)

check-long: build/.deps ## what takes minutes more than make check may: the models in all their bounds, many rounds of storms, other ways to what make check has
	@env MAKEFLAGS="-j$$(nproc) --output-sync" $(PYTHON) tests/run.py --timeout 14400 "make unpacked all" then "make test-programs" then "make toolstacks guest-disk" then \
	    $(LONG_CHECKS) $(fuzz_long_checks) $(call torture_for,$(TORTURE_LONG_SECONDS))

# ---- housekeeping ----------------------------------------------------------------------------------

fmt: build/.deps ## formats all C sources: braces, then clang-format
	@git ls-files '*.c' '*.h' | xargs -r $(PYTHON) tests/c_braces.py
	@git ls-files '*.c' '*.h' | xargs -r clang-format -i

clean: ## removes what was built; keeps what was downloaded
	find build -mindepth 1 -maxdepth 1 ! -name downloads -exec rm -rf {} +

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort -u | \
	    awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'
