# SPDX-License-Identifier: MIT
#
# Unit tests of the toolstack: on a model of the machine (fake_host.c), which can refuse any call.

TOOLS_CONFIG_SRCS := $(addprefix dom0-tools/lib/,config.c config_check.c config_devices.c config_ends.c config_fill.c config_firmware.c config_identity.c config_kernel.c config_malformed.c config_name.c \
    config_nodes.c config_policy.c config_policy_rows.c config_rates.c config_script.c config_schema.c config_units.c config_vdev.c config_xml.c cpuset.c disk_rate.c error.c findings.c mac.c near.c plain.c uuid.c) $(SCHEMA_TABLE)
TOOLS_XL_SRCS := $(addprefix dom0-tools/lib/,config_file.c config_xl.c config_xl_devices.c config_xl_fill.c config_xl_keys.c config_xl_library.c config_xl_scan.c config_xl_spec.c)
TOOLS_FAKE_SRCS := $(addprefix tests/unit/,fake_host.c fake_evtchn.c fake_memory.c fake_store.c)

UNIT += tools_config tools_config_each tools_config_random
unit_tools_config_SRCS := tests/unit/tools_config.c $(TOOLS_CONFIG_SRCS)
unit_tools_config_LIBS := -lxml2
unit_tools_config_each_SRCS := tests/unit/tools_config_each.c $(TOOLS_CONFIG_SRCS)
unit_tools_config_each_LIBS := -lxml2
unit_tools_config_random_SRCS := tests/unit/tools_config_random.c $(TOOLS_CONFIG_SRCS)
unit_tools_config_random_LIBS := -lxml2

UNIT += tools_config_longest
unit_tools_config_longest_SRCS := tests/unit/tools_config_longest.c dom0-tools/lib/state_file.c dom0-tools/lib/write_all.c $(TOOLS_CONFIG_SRCS)
unit_tools_config_longest_LIBS := -lxml2

UNIT += tools_config_memory
unit_tools_config_memory_SRCS := tests/unit/tools_config_memory.c $(TOOLS_CONFIG_SRCS)
unit_tools_config_memory_LIBS := -lxml2 $(foreach f,malloc calloc realloc strdup strndup xmlRegexpCompile xmlRegexpExec,-Wl,--wrap=$f)

UNIT += tools_config_files tools_config_policy tools_config_script tools_config_xl tools_config_xl_bad tools_config_xl_each tools_near
unit_tools_config_files_SRCS := tests/unit/tools_config_files.c $(TOOLS_CONFIG_SRCS) $(TOOLS_XL_SRCS)
unit_tools_config_files_LIBS := -lxml2 -l:libxlutil.a
unit_tools_config_policy_SRCS := tests/unit/tools_config_policy.c $(TOOLS_CONFIG_SRCS)
unit_tools_config_policy_LIBS := -lxml2
unit_tools_config_script_SRCS := tests/unit/tools_config_script.c $(TOOLS_CONFIG_SRCS) $(TOOLS_XL_SRCS)
unit_tools_config_script_LIBS := -lxml2 -l:libxlutil.a
unit_tools_config_xl_SRCS := tests/unit/tools_config_xl.c $(TOOLS_CONFIG_SRCS) $(TOOLS_XL_SRCS)
unit_tools_config_xl_LIBS := -lxml2 -l:libxlutil.a
unit_tools_config_xl_each_SRCS := tests/unit/tools_config_xl_each.c $(TOOLS_CONFIG_SRCS) $(TOOLS_XL_SRCS)
unit_tools_config_xl_each_LIBS := -lxml2 -l:libxlutil.a
unit_tools_config_xl_bad_SRCS := tests/unit/tools_config_xl_bad.c $(TOOLS_CONFIG_SRCS) $(TOOLS_XL_SRCS)
unit_tools_config_xl_bad_LIBS := -lxml2 -l:libxlutil.a -Wl,--wrap=strndup
unit_tools_near_SRCS := tests/unit/tools_near.c dom0-tools/lib/near.c
unit_tools_near_LIBS :=

# All of the toolstack but the real machine, and the loader (whose list may come later: expanded late).
TOOLS_ALL_SRCS = $(LOADER_SRCS) $(TOOLS_CONFIG_SRCS) $(addprefix dom0-tools/lib/,build.c build_hvm.c build_pv.c cause.c cpus.c daemon.c device_entry.c device_nic.c device_path.c script_process.c device_system.c devices.c disk_held.c disk_share.c dump_core.c dump_core_pages.c find.c hotplug.c \
    interrupt.c kept.c kernel_cache.c kernel_image.c lifecycle.c limit.c lock.c lock_holder.c memory.c new_file.c nic_script.c nic_share.c progress.c reap.c restart.c state.c state_file.c store.c unpack.c unplug.c window.c write_all.c)
TOOLS_ALL_LIBS := -lxml2 -lz -llzma -lzstd -llz4
# top has a screen, plot computes
TOOLS_ALL_LIBS += -lncursesw -ltinfo -lm

TOOLS_LIFECYCLE_SRCS = dom0-tools/lib/clock.c $(addprefix tests/unit/,lifecycle_support.c loader_support.c loader_judge.c) $(TOOLS_FAKE_SRCS) $(TOOLS_ALL_SRCS)

UNIT += tools_lifecycle
unit_tools_lifecycle_SRCS = tests/unit/tools_lifecycle.c $(TOOLS_LIFECYCLE_SRCS)
unit_tools_lifecycle_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_kinds
unit_tools_kinds_SRCS = tests/unit/tools_kinds.c $(TOOLS_LIFECYCLE_SRCS)
unit_tools_kinds_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_top
unit_tools_top_SRCS = tests/unit/tools_top.c tests/unit/pvctl_support.c $(PVCTL_SRCS) $(TOOLS_LIFECYCLE_SRCS)
unit_tools_top_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a

UNIT += tools_top_screen
unit_tools_top_screen_SRCS = tests/unit/tools_top_screen.c tests/unit/pvctl_support.c $(PVCTL_SRCS) $(TOOLS_LIFECYCLE_SRCS)
unit_tools_top_screen_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a

UNIT += tools_dump_core
unit_tools_dump_core_SRCS = tests/unit/tools_dump_core.c $(TOOLS_LIFECYCLE_SRCS)
unit_tools_dump_core_LIBS := $(TOOLS_ALL_LIBS) $(foreach f,memory_available new_file_in_memory,-Wl,--wrap=$f)

UNIT += tools_names
unit_tools_names_SRCS = tests/unit/tools_names.c $(TOOLS_LIFECYCLE_SRCS)
unit_tools_names_LIBS := $(TOOLS_ALL_LIBS)

TOOLS_DAEMON_SRCS = tests/unit/daemon_support.c $(addprefix dom0-tools/parvisd/,aside.c carried.c child.c client.c client_ask.c collector.c console.c console_file.c events.c former.c history.c policy.c pts.c \
    reaper.c tell_once.c tty.c) \
    $(TOOLS_FAKE_SRCS) $(TOOLS_ALL_SRCS)

UNIT += tools_console
unit_tools_console_SRCS = tests/unit/tools_console.c $(TOOLS_DAEMON_SRCS)
unit_tools_console_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_console_taken
unit_tools_console_taken_SRCS = tests/unit/tools_console_taken.c $(TOOLS_DAEMON_SRCS)
unit_tools_console_taken_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_late
unit_tools_late_SRCS = tests/unit/tools_late.c $(PVCTL_PROCESS_SRCS) $(PVCTL_SRCS) $(TOOLS_DAEMON_SRCS)
unit_tools_late_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a -Wl,--wrap=poll

UNIT += tools_faults
unit_tools_faults_SRCS = tests/unit/tools_faults.c dom0-tools/lib/traffic.c $(TOOLS_LIFECYCLE_SRCS)
unit_tools_faults_LIBS := $(TOOLS_ALL_LIBS) -Wl,--wrap=open -Wl,--wrap=opendir

UNIT += tools_former
unit_tools_former_SRCS = tests/unit/tools_former.c $(TOOLS_DAEMON_SRCS)
unit_tools_former_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_tty
unit_tools_tty_SRCS = tests/unit/tools_tty.c $(TOOLS_DAEMON_SRCS)
unit_tools_tty_LIBS := $(TOOLS_ALL_LIBS) -Wl,--wrap=opendir

UNIT += tools_reader
unit_tools_reader_SRCS = tests/unit/tools_reader.c $(PVCTL_SRCS) $(TOOLS_DAEMON_SRCS)
unit_tools_reader_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a $(foreach f,open stat unlink,-Wl,--wrap=$f)

PVCTL_PROCESS_SRCS := tests/unit/pvctl_process.c tests/unit/loader_support.c
UNIT += tools_pvctl_ends
unit_tools_pvctl_ends_SRCS = tests/unit/tools_pvctl_ends.c $(PVCTL_PROCESS_SRCS) $(PVCTL_SRCS) $(TOOLS_DAEMON_SRCS)
unit_tools_pvctl_ends_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a -Wl,--wrap=poll

UNIT += tools_events
unit_tools_events_SRCS = tests/unit/tools_events.c $(TOOLS_DAEMON_SRCS)
unit_tools_events_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_daemon
unit_tools_daemon_SRCS = tests/unit/tools_daemon.c $(TOOLS_DAEMON_SRCS)
unit_tools_daemon_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_ends
unit_tools_ends_SRCS = tests/unit/tools_ends.c $(TOOLS_DAEMON_SRCS)
unit_tools_ends_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_again
unit_tools_again_SRCS = tests/unit/tools_again.c $(TOOLS_DAEMON_SRCS)
unit_tools_again_LIBS := $(TOOLS_ALL_LIBS) -Wl,--wrap=calloc

UNIT += tools_new_file
unit_tools_new_file_SRCS = tests/unit/tools_new_file.c $(TOOLS_DAEMON_SRCS)
unit_tools_new_file_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_cause
unit_tools_cause_SRCS = tests/unit/tools_cause.c $(TOOLS_DAEMON_SRCS)
unit_tools_cause_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_host_xen
unit_tools_host_xen_SRCS := tests/unit/tools_host_xen.c dom0-tools/lib/host_xen_domain.c
unit_tools_host_xen_LIBS :=

UNIT += tools_aside
unit_tools_aside_SRCS = tests/unit/tools_aside.c $(TOOLS_DAEMON_SRCS)
unit_tools_aside_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_child
unit_tools_child_SRCS := tests/unit/tools_child.c dom0-tools/parvisd/child.c dom0-tools/lib/plain.c dom0-tools/lib/script_process.c
unit_tools_child_LIBS :=

UNIT += tools_preserved
unit_tools_preserved_SRCS = tests/unit/tools_preserved.c $(TOOLS_DAEMON_SRCS)
unit_tools_preserved_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_carried
unit_tools_carried_SRCS = tests/unit/tools_carried.c $(TOOLS_DAEMON_SRCS)
unit_tools_carried_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_parvisd
unit_tools_parvisd_SRCS = tests/unit/tools_parvisd.c $(addprefix dom0-tools/parvisd/,log.c parvisd.c) $(TOOLS_DAEMON_SRCS)
unit_tools_parvisd_LIBS := $(TOOLS_ALL_LIBS) -Wl,--wrap=poll

PVCTL_SRCS := $(wildcard dom0-tools/pvctl/*.c) $(TOOLS_XL_SRCS) $(addprefix dom0-tools/lib/,definition.c fat_name.c traffic.c)
UNIT += tools_pvctl
unit_tools_pvctl_SRCS = tests/unit/tools_pvctl.c dom0-tools/lib/clock.c $(PVCTL_SRCS) $(TOOLS_ALL_SRCS)
unit_tools_pvctl_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a

UNIT += tools_pvctl_cpus
unit_tools_pvctl_cpus_SRCS = tests/unit/tools_pvctl_cpus.c tests/unit/pvctl_support.c $(PVCTL_SRCS) $(TOOLS_LIFECYCLE_SRCS)
unit_tools_pvctl_cpus_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a

UNIT += tools_verbs
unit_tools_verbs_SRCS = tests/unit/tools_verbs.c tests/unit/pvctl_support.c $(PVCTL_SRCS) $(TOOLS_LIFECYCLE_SRCS)
unit_tools_verbs_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a

UNIT += tools_wishes
unit_tools_wishes_SRCS = tests/unit/tools_wishes.c tests/unit/pvctl_support.c $(PVCTL_SRCS) $(TOOLS_LIFECYCLE_SRCS)
unit_tools_wishes_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a

UNIT += tools_define
unit_tools_define_SRCS = tests/unit/tools_define.c tests/unit/pvctl_support.c $(PVCTL_SRCS) $(TOOLS_LIFECYCLE_SRCS)
unit_tools_define_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a

UNIT += tools_define_killed
unit_tools_define_killed_SRCS := tests/unit/tools_define_killed.c $(addprefix dom0-tools/lib/,clock.c definition.c fat_name.c interrupt.c limit.c lock.c lock_holder.c progress.c new_file.c write_all.c) $(TOOLS_CONFIG_SRCS) $(TOOLS_XL_SRCS)
unit_tools_define_killed_LIBS := -lxml2 -l:libxlutil.a

UNIT += tools_define_fat
unit_tools_define_fat_SRCS := tests/unit/tools_define_fat.c $(addprefix dom0-tools/lib/,clock.c definition.c fat_name.c interrupt.c limit.c lock.c lock_holder.c progress.c write_all.c) $(TOOLS_CONFIG_SRCS) $(TOOLS_XL_SRCS)
unit_tools_define_fat_LIBS := -lxml2 -l:libxlutil.a

UNIT += tools_define_faults
unit_tools_define_faults_SRCS := tests/unit/tools_define_faults.c $(filter-out tests/unit/tools_define_fat.c,$(unit_tools_define_fat_SRCS))
unit_tools_define_faults_LIBS := -lxml2 -l:libxlutil.a $(foreach f,open opendir read readdir unlinkat,-Wl,--wrap=$f)

UNIT += tools_log
unit_tools_log_SRCS = tests/unit/tools_log.c $(PVCTL_PROCESS_SRCS) $(PVCTL_SRCS) $(TOOLS_DAEMON_SRCS)
unit_tools_log_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a -Wl,--wrap=poll

UNIT += tools_rename
unit_tools_rename_SRCS = tests/unit/tools_rename.c $(PVCTL_PROCESS_SRCS) $(PVCTL_SRCS) $(TOOLS_DAEMON_SRCS)
unit_tools_rename_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a -Wl,--wrap=poll

UNIT += tools_end_all
unit_tools_end_all_SRCS = tests/unit/tools_end_all.c tests/unit/pvctl_support.c $(PVCTL_SRCS) $(TOOLS_LIFECYCLE_SRCS)
unit_tools_end_all_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a $(foreach f,limit_set now_ms,-Wl,--wrap=$f)

UNIT += tools_killed
unit_tools_killed_SRCS = tests/unit/tools_killed.c tests/unit/killed_calls.c tests/unit/loader_support.c tests/unit/loader_judge.c $(TOOLS_DAEMON_SRCS)
unit_tools_killed_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_hotplug_killed
unit_tools_hotplug_killed_SRCS = tests/unit/tools_hotplug_killed.c tests/unit/killed_calls.c $(TOOLS_DAEMON_SRCS)
unit_tools_hotplug_killed_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_rename_killed
unit_tools_rename_killed_SRCS = tests/unit/tools_rename_killed.c tests/unit/killed_calls.c $(TOOLS_DAEMON_SRCS)
unit_tools_rename_killed_LIBS := $(TOOLS_ALL_LIBS)

UNIT += tools_store_put
unit_tools_store_put_SRCS := tests/unit/tools_store_put.c dom0-tools/lib/host_xen_put.c
unit_tools_store_put_LIBS :=

UNIT += tools_store_lost
unit_tools_store_lost_SRCS := tests/unit/tools_store_lost.c $(addprefix dom0-tools/lib/,clock.c host_xen_put.c host_xen_store.c limit.c)
unit_tools_store_lost_LIBS := -lxenstore -lxentoolcore

UNIT += tools_kernel_cache
unit_tools_kernel_cache_SRCS = tests/unit/tools_kernel_cache.c tests/unit/kernel_cache_support.c tests/fuzz/kernel_pack.c $(addprefix dom0-tools/lib/,clock.c config_name.c error.c interrupt.c kernel_cache.c kernel_image.c limit.c \
    lock.c lock_holder.c memory.c plain.c progress.c restart.c state.c state_file.c store.c unpack.c uuid.c write_all.c)
unit_tools_kernel_cache_LIBS := -lz -llzma -lzstd -llz4 $(foreach f,unpack memory_available clock_gettime fstat fstatfs,-Wl,--wrap=$f)

UNIT += tools_cpuset
unit_tools_cpuset_SRCS := tests/unit/tools_cpuset.c dom0-tools/lib/cpuset.c
unit_tools_cpuset_LIBS :=

UNIT += tools_progress
unit_tools_progress_SRCS := tests/unit/tools_progress.c tests/fuzz/kernel_pack.c $(addprefix dom0-tools/lib/,clock.c error.c plain.c progress.c unpack.c)
unit_tools_progress_LIBS := -lz -llzma -lzstd -llz4 -Wl,--wrap=clock_gettime

UNIT += tools_resize
unit_tools_resize_SRCS := tests/unit/tools_resize.c dom0-tools/resize/resize.c dom0-tools/lib/clock.c
unit_tools_resize_LIBS := -lutil

UNIT += tools_lock
unit_tools_lock_SRCS := tests/unit/tools_lock.c $(addprefix dom0-tools/lib/,clock.c config_name.c error.c interrupt.c limit.c lock.c lock_holder.c plain.c progress.c restart.c state.c \
    state_file.c store.c uuid.c write_all.c)
unit_tools_lock_LIBS := -Wl,--wrap=limit_set

UNIT += tools_plain
unit_tools_plain_SRCS := tests/unit/tools_plain.c dom0-tools/lib/plain.c
unit_tools_plain_LIBS :=

UNIT += tools_devices
unit_tools_devices_SRCS := tests/unit/tools_devices.c $(TOOLS_FAKE_SRCS) \
    $(addprefix dom0-tools/lib/,clock.c config_name.c device_entry.c device_nic.c device_path.c devices.c disk_held.c disk_rate.c disk_share.c script_process.c device_system.c interrupt.c limit.c lock.c lock_holder.c progress.c mac.c nic_script.c nic_share.c plain.c restart.c state.c state_file.c store.c error.c uuid.c write_all.c)
unit_tools_devices_LIBS :=

UNIT += tools_reap
unit_tools_reap_SRCS := tests/unit/tools_reap.c $(TOOLS_FAKE_SRCS) \
    $(addprefix dom0-tools/lib/,clock.c config_name.c device_entry.c device_nic.c device_path.c devices.c disk_held.c disk_rate.c disk_share.c script_process.c device_system.c interrupt.c limit.c lock.c lock_holder.c progress.c mac.c nic_script.c nic_share.c plain.c reap.c restart.c state.c state_file.c store.c error.c uuid.c write_all.c)
unit_tools_reap_LIBS := -Wl,--wrap=limit_set

UNIT += tools_nic_script
unit_tools_nic_script_SRCS := tests/unit/tools_nic_script.c $(TOOLS_FAKE_SRCS) \
    $(addprefix dom0-tools/lib/,clock.c config_name.c device_entry.c device_nic.c device_path.c devices.c disk_held.c disk_rate.c disk_share.c script_process.c device_system.c interrupt.c limit.c lock.c lock_holder.c progress.c mac.c nic_script.c nic_share.c plain.c reap.c restart.c state.c state_file.c store.c error.c uuid.c write_all.c)
unit_tools_nic_script_LIBS :=

UNIT += tools_nic_script_bad
unit_tools_nic_script_bad_SRCS := tests/unit/tools_nic_script_bad.c $(TOOLS_FAKE_SRCS) \
    $(addprefix dom0-tools/lib/,clock.c config_name.c device_entry.c device_nic.c device_path.c devices.c disk_held.c disk_rate.c disk_share.c script_process.c device_system.c interrupt.c limit.c lock.c lock_holder.c progress.c mac.c nic_script.c nic_share.c plain.c reap.c restart.c state.c state_file.c store.c error.c uuid.c write_all.c)
unit_tools_nic_script_bad_LIBS :=

UNIT += tools_hotplug
unit_tools_hotplug_SRCS = tests/unit/tools_hotplug.c tests/unit/pvctl_support.c $(PVCTL_SRCS) $(TOOLS_LIFECYCLE_SRCS)
unit_tools_hotplug_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a

UNIT += tools_hotplug_script
unit_tools_hotplug_script_SRCS = tests/unit/tools_hotplug_script.c tests/unit/pvctl_support.c $(PVCTL_SRCS) $(TOOLS_LIFECYCLE_SRCS)
unit_tools_hotplug_script_LIBS := $(TOOLS_ALL_LIBS) -l:libxlutil.a

UNIT += tools_disk_rates
unit_tools_disk_rates_SRCS := tests/unit/tools_disk_rates.c $(TOOLS_FAKE_SRCS) $(TOOLS_CONFIG_SRCS) \
    $(addprefix dom0-tools/lib/,clock.c device_entry.c device_nic.c device_path.c devices.c disk_held.c disk_share.c script_process.c device_system.c interrupt.c limit.c lock.c lock_holder.c progress.c nic_script.c nic_share.c restart.c state.c state_file.c store.c write_all.c)
unit_tools_disk_rates_LIBS := -lxml2

UNIT += tools_drivers
unit_tools_drivers_SRCS := tests/unit/tools_drivers.c $(TOOLS_FAKE_SRCS) \
    $(addprefix dom0-tools/lib/,clock.c config_name.c device_entry.c device_nic.c device_path.c devices.c disk_held.c disk_rate.c disk_share.c script_process.c device_system.c interrupt.c limit.c lock.c lock_holder.c progress.c mac.c nic_script.c nic_share.c plain.c restart.c state.c state_file.c store.c error.c uuid.c write_all.c)
unit_tools_drivers_LIBS :=

UNIT += tools_device_entries
unit_tools_device_entries_SRCS := tests/unit/tools_device_entries.c $(TOOLS_FAKE_SRCS) \
    $(addprefix dom0-tools/lib/,clock.c config_name.c device_entry.c device_nic.c device_path.c devices.c disk_held.c disk_rate.c disk_share.c script_process.c device_system.c interrupt.c limit.c lock.c lock_holder.c progress.c mac.c nic_script.c nic_share.c plain.c restart.c state.c state_file.c store.c error.c uuid.c write_all.c)
unit_tools_device_entries_LIBS :=

UNIT += tools_uuid
unit_tools_uuid_SRCS := tests/unit/tools_uuid.c dom0-tools/lib/uuid.c
unit_tools_uuid_LIBS := -Wl,--wrap=getrandom

UNIT += tools_linux
unit_tools_linux_SRCS := tests/unit/tools_linux.c $(addprefix dom0-tools/lib/,script_process.c device_system.c disk_held.c disk_rate.c disk_share.c device_path.c error.c plain.c)
unit_tools_linux_LIBS := $(foreach f,open close stat access fopen opendir ioctl if_nametoindex,-Wl,--wrap=$f)

UNIT += tools_loop_parts
unit_tools_loop_parts_SRCS := $(subst tools_linux,tools_loop_parts,$(unit_tools_linux_SRCS))
unit_tools_loop_parts_LIBS := $(foreach f,open close access fopen opendir ioctl,-Wl,--wrap=$f)

UNIT += tools_rate_held
unit_tools_rate_held_SRCS := tests/unit/tools_rate_held.c dom0-tools/lib/disk_rate.c
unit_tools_rate_held_LIBS := $(foreach f,fopen usleep,-Wl,--wrap=$f)

# "host.h" is the toolstack's here, not that of tests/host.
$(foreach cc,$(HOSTS),$(patsubst %.c,build/host/$(cc)/%.o,$(TOOLS_FAKE_SRCS) tests/unit/daemon_support.c tests/unit/killed_calls.c tests/unit/lifecycle_support.c tests/unit/pvctl_process.c tests/unit/pvctl_support.c $(wildcard tests/unit/tools_*.c \
    dom0-tools/parvisd/*.c))): \
    HOST_CFLAGS_EXTRA := -iquote dom0-tools/lib -iquote dom0-tools/parvisd
# This one looks into pvctl's tables.
$(foreach cc,$(HOSTS),$(foreach t,tools_define tools_verbs,build/host/$(cc)/tests/unit/$t.o)): \
    HOST_CFLAGS_EXTRA := -iquote dom0-tools/lib -iquote dom0-tools/parvisd -iquote dom0-tools/pvctl
# Programs are called by tests, which have a main() of their own.
$(foreach cc,$(HOSTS),build/host/$(cc)/dom0-tools/parvisd/parvisd.o): \
    HOST_CFLAGS_EXTRA := -iquote dom0-tools/lib -iquote dom0-tools/parvisd -Dmain=parvisd_main -Wno-missing-prototypes
$(foreach cc,$(HOSTS),$(patsubst %.c,build/host/$(cc)/%.o,$(PVCTL_SRCS))): \
    HOST_CFLAGS_EXTRA := -iquote dom0-tools/lib -iquote dom0-tools/pvctl -Dmain=pvctl_main -Wno-missing-prototypes

$(foreach cc,$(HOSTS),build/host/$(cc)/dom0-tools/resize/resize.o): HOST_CFLAGS_EXTRA := -Dmain=resize_main -Wno-missing-prototypes

# parvis-domain(5) says all that the schema knows.
CHECKS += tests/domain_manual.py
