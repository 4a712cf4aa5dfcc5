# SPDX-License-Identifier: MIT
#
# Models of what CPUs do to each other (docs/models.md), checked with spin: what takes seconds in `make check`, all in `make check-long`.

.PHONY: models
CHECKS += "$(PYTHON) tests/models/models.py"
# It takes all processors, and most of the memory: what stands behind begins when it has ended.
LONG_CHECKS := "$(PYTHON) tests/models/models.py --long" then $(LONG_CHECKS)
models: build/.deps ## checks the models of what CPUs do to each other (NAME.pml, mutants), the quick ones
	@$(PYTHON) tests/models/models.py
