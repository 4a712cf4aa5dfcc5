# SPDX-License-Identifier: MIT
#
# The tests of what answers guests once more, under clang's memory sanitizer: nothing that a guest gets is a byte that nobody wrote
# (tests/host/guest_access.c looks at each copy).

MSAN := core_domctl core_domctl_vcpu core_sysctl core_platform core_physdev core_memory core_hypercall core_evtchn core_grants_op core_sched pv_entry
MSAN_CFLAGS = $(filter-out -fsanitize=% -fno-sanitize-%,$(HOST_CFLAGS)) -fsanitize=memory -fsanitize-memory-track-origins

build/host/msan/%.o: %.c | build/.deps
	@mkdir -p $(@D)
	$(call say,clang,$@)
	$(Q)clang $(MSAN_CFLAGS) $(if $(filter hypervisor/%,$<),-ffreestanding -DDEBUG=1) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

msan_objects = $(patsubst %.c,build/host/msan/%.o,$(unit_$(1)_SRCS) $(sort $(CORE_SRCS) $(LOADER_SRCS)))
.SECONDEXPANSION:
msan_programs := $(addprefix build/host/msan/unit_,$(MSAN))
$(msan_programs): build/host/msan/unit_%: $$(call msan_objects,$$*)
	$(call say,clang,$@)
	$(Q)clang -fsanitize=memory -o $@ $^ -lcmocka

.PHONY: msan
msan: $(msan_programs) ## builds and runs the tests of what answers guests, under the memory sanitizer
	@$(PYTHON) tests/run.py $^
