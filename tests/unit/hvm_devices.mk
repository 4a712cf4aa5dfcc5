# SPDX-License-Identifier: MIT
#
# The devices of a fully virtualized domain, on the machine of tests/host: hvm_devices_support.c has the domain.

HVM_DEVICES := hvm_pic hvm_pit hvm_uart hvm_uart_ring hvm_ports

UNIT += $(HVM_DEVICES)
$(foreach t,$(HVM_DEVICES),$(eval unit_$(t)_SRCS := tests/unit/$(t).c tests/unit/hvm_devices_support.c $(HOST_MACHINE)))
$(foreach t,$(HVM_DEVICES),$(eval unit_$(t)_LIBS := core))

UNIT += hvm_ports_random
HVM_PORTS_RANDOM_SRCS := tests/unit/hvm_ports_random.c tests/unit/hvm_devices_support.c $(HOST_MACHINE)
unit_hvm_ports_random_SRCS := tests/unit/random_lives_test.c $(HVM_PORTS_RANDOM_SRCS)
unit_hvm_ports_random_LIBS := core
