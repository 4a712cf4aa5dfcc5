# SPDX-License-Identifier: MIT
#
# Two makes that measure or test in one tree spoil each other: what one runs, the other builds anew; and both write the same results.
# So the second one is refused, and told who is at work. The lock is held by a process that lives as long as this make, however it ends.
# A make that another one starts has its lock; one that only says what it would do (-n) needs none.
ALONE := $(filter check check-long compare bench bench-%,$(MAKECMDGOALS))
only_says := $(findstring n,$(filter-out --%,$(firstword $(MAKEFLAGS))))
take_lock = $(shell mkdir -p build; exec 9>>build/alone.lock; flock -w 2 9 || { cat build/alone.lock; exit; }; \
    echo '`make $(ALONE)`' "(pid $$PPID)" >build/alone.lock; setsid tail -f -s 0.2 --pid=$$PPID /dev/null >/dev/null 2>&1 &)
ifeq ($(if $(ALONE),$(MAKELEVEL)$(MAKE_RESTARTS)$(only_says)$(LIST)),0)
other_make := $(take_lock)
$(if $(other_make),$(error another $(other_make) runs in this tree: two would spoil each other))
endif
