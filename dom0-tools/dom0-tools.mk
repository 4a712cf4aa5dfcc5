# SPDX-License-Identifier: MIT
#
# pvctl and parvisd: the toolstack of the control domain. Both are linked from dom0-tools/lib and the loader.

TOOLS_LIB_SRCS := $(addprefix dom0-tools/lib/,build.c build_hvm.c build_pv.c cause.c clock.c config.c config_check.c config_devices.c config_ends.c config_fill.c config_firmware.c config_identity.c config_kernel.c config_malformed.c config_name.c config_nodes.c \
    config_policy.c config_policy_rows.c config_rates.c config_script.c config_schema.c config_units.c config_vdev.c config_xml.c cpus.c cpuset.c daemon.c \
    device_entry.c device_nic.c device_path.c device_system.c devices.c disk_held.c disk_rate.c disk_share.c error.c find.c findings.c host_xen.c host_xen_domain.c host_xen_event.c host_xen_memory.c host_xen_put.c host_xen_store.c host_xen_version.c \
    interrupt.c kernel_cache.c kernel_image.c lifecycle.c limit.c lock.c lock_holder.c memory.c near.c nic_script.c nic_share.c no_icu.c plain.c progress.c reap.c restart.c script_process.c state.c state_file.c store.c unpack.c uuid.c window.c)
# The schema of domain XML, as a table.
SCHEMA_TABLE := build/dom0-tools/schema_table.c
TOOLS_LIB_SRCS += $(SCHEMA_TABLE)
TOOLS_LIB_SRCS += $(addprefix dom0-tools/lib/,dump_core.c dump_core_pages.c hotplug.c kept.c mac.c new_file.c unplug.c write_all.c)
# Files as people have them are read by pvctl alone; xl's by libxlutil, of which two functions are ours.
CONFIG_FILE_SRCS := $(addprefix dom0-tools/lib/,config_file.c config_xl.c config_xl_devices.c config_xl_fill.c config_xl_keys.c config_xl_library.c config_xl_scan.c config_xl_spec.c definition.c fat_name.c)
PVCTL_SRCS := $(wildcard dom0-tools/pvctl/*.c) $(CONFIG_FILE_SRCS) dom0-tools/lib/traffic.c
PARVISD_SRCS := $(wildcard dom0-tools/parvisd/*.c)

TOOLS += build/dom0-tools/pvctl build/dom0-tools/parvisd

TOOLS_CFLAGS := -std=gnu11 $(WARN) -Iinclude -Idom0-tools/lib -I/usr/include/libxml2 -O2 -g
# pvctl is static: it starts in a third of the time. parvisd needs the shared libxenstore, as only that one has the
# thread that watches need. Neither wants ICU, which Debian's shared libxml2 brings (lib/no_icu.c).
# --no-warnings: libxml2 has a network client, which is never called, and ld warns of its name lookup.
PVCTL_LIBS := -static -Wl,--no-warnings -lncursesw -ltinfo -lxlutil -lxencall -lxenevtchn -lxengnttab -lxenforeignmemory -lxenstore -lxentoollog \
    -lxentoolcore -lxml2 -lz -llzma -lzstd -llz4 -lm
PARVISD_LIBS := -lxencall -lxenevtchn -lxengnttab -lxenforeignmemory -lxenstore \
    $(addprefix -l:,libxml2.a libz.a liblzma.a libzstd.a liblz4.a) -lm
$(SCHEMA_TABLE): dom0-tools/schema/domain.rng dom0-tools/schema/table.py | build/.deps
	@mkdir -p $(@D)
	$(Q)$(PYTHON) dom0-tools/schema/table.py $< >$@.new && mv $@.new $@

TOOLS_OBJ := build/dom0-tools/obj
tools_objects = $(patsubst %.c,$(TOOLS_OBJ)/%.o,$(1) $(TOOLS_LIB_SRCS) $(LOADER_SRCS))

$(TOOLS_OBJ)/%.o: %.c | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc $(TOOLS_CFLAGS) -I$(dir $<) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

# pvctl-VERB(1) of each verb, for the image: cut out of pvctl(1).
VERB_PAGES := build/dom0-tools/man/.made
$(VERB_PAGES): dom0-tools/pvctl/verb_pages.py docs/man/pvctl.1 build/dom0-tools/pvctl
	$(call say,man,$(@D)/pvctl-VERB.1)
	$(Q)rm -rf $(@D) && $(PYTHON) $< build/dom0-tools/pvctl docs/man/pvctl.1 $(@D) && touch $@
tools: $(VERB_PAGES)

# LOADER_SRCS is complete only when all .mk files are read: expand late.
.SECONDEXPANSION:
build/dom0-tools/pvctl: $$(call tools_objects,$$(PVCTL_SRCS))
	$(call say,link,$@)
	$(Q)gcc -o $@ $^ $(PVCTL_LIBS)

build/dom0-tools/parvisd: $$(call tools_objects,$$(PARVISD_SRCS))
	$(call say,link,$@)
	$(Q)gcc -o $@ $^ $(PARVISD_LIBS)
