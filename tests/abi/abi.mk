# SPDX-License-Identifier: MIT
#
# `make abi`: include/xen against Debian's libxen-dev, docs/abi-coverage.md against include/xen.
CHECKS += tests/abi/compare.py
.PHONY: abi
abi: build/.deps ## include/xen against libxen-dev: every constant, size and offset; the coverage table
	$(Q)$(PYTHON) tests/abi/compare.py
