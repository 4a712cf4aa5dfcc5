# SPDX-License-Identifier: MIT
#
# Unit tests of the toolstack: on a model of the machine (fake_host.c), which can refuse any call.

TOOLS_CONFIG_SRCS := $(addprefix dom0-tools/lib/,config.c config_check.c config_schema.c config_xml.c error.c uuid.c)
TOOLS_FAKE_SRCS := tests/unit/fake_host.c tests/unit/fake_store.c

UNIT += tools_config
unit_tools_config_SRCS := tests/unit/tools_config.c $(TOOLS_CONFIG_SRCS)
unit_tools_config_LIBS := -lxml2
