# SPDX-License-Identifier: MIT
#
# Tests of grants and of the ways into a guest: on the paravirtual guests of pv_mm_support.c, on the machine of tests/host.

GRANT_TESTS := core_grants core_grants_op core_grants_lock core_grants_fuzz pv_entry
GRANT_TEST_SRCS := tests/unit/grant_oracle.c tests/unit/grant_random.c tests/unit/pv_mm_support.c \
    $(wildcard tests/host/*.c)

UNIT += $(GRANT_TESTS)
$(foreach t,$(GRANT_TESTS),$(eval unit_$(t)_SRCS := tests/unit/$(t).c $(GRANT_TEST_SRCS)))
$(foreach t,$(GRANT_TESTS),$(eval unit_$(t)_LIBS := core))
