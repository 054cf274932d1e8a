# SPDX-License-Identifier: GPL-2.0
#
# Two ways to build. With KDIR: like any out-of-tree module, by the toolchain
# of that kernel build tree. Without: in a Debian build root that is prepared
# first, for kernels that come with it, which are what the tests run.

TESTING := tools/testing
KERNEL ?= stock
ifeq ($(filter stock rt test debug race,$(KERNEL)),)
$(error KERNEL is stock, rt, test, debug or race, not '$(KERNEL)')
endif

ifneq ($(KDIR),)

RELEASE = $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)
OUT = $(CURDIR)/build/$(RELEASE)
KBUILD = $(MAKE) -C $(KDIR) M=$(CURDIR) MO=$(OUT)

.PHONY: modules modules_install clean check-kdir
modules: check-kdir
	@mkdir -p $(OUT)
	+$(KBUILD) modules
	@echo "built build/$(RELEASE)/sgio_filter.ko"

modules_install: modules
	+$(KBUILD) modules_install

clean: check-kdir
	rm -rf $(OUT)

check-kdir:
	@RUSTC='$(RUSTC)' $(TESTING)/setup/check-kdir $(KDIR)

else

IN_ROOT := $(TESTING)/setup/in-root
VM := $(TESTING)/vm/run

.PHONY: help
help:
	@echo 'On a machine with nothing prepared (each target does the set-up it needs):'
	@echo '  make demo      show what the filter does, on the stock kernel in a VM'
	@echo '  make test      build, lint, and test on the stock and the test kernel (ONLY=pattern: some)'
	@echo '  make test-debug  all scenarios, on a kernel with KASAN and more (ONLY=pattern)'
	@echo '  make test-race   some scenarios, on a kernel with KCSAN          (ONLY=pattern)'
	@echo '  make test-rt     the scenarios on the distribution'\''s PREEMPT_RT kernel (ONLY=pattern)'
	@echo '  make test-tracing  the kernel'\''s own tests of ftrace and livepatch, without and with the module'
	@echo '  make fuzz      fuzz the policy and the tool      (SECONDS=600 ONLY=decide)'
	@echo '  make coverage  what the tests of the policy and the tool run (FILES=rust/policy/parse.rs)'
	@echo '  make miri      the tests of the policy under Miri, where it is installed'
	@echo '  make bench     measure, and write Documentation/performance.md'
	@echo '  make pictures  draw those of the documentation anew, from the tables of the documents'
	@echo '  make lint      formatting, clippy, ABI files, scripts'
	@echo '  make modules   build/$$KERNEL/sgio_filter.ko           (KERNEL=stock|rt|test|debug|race)'
	@echo '  make vm        run a command in a VM        (KERNEL= RUN="..." SHARE=dir)'
	@echo '  make scenario  one, in a VM as its head says   (NAME=93-persistence KERNEL=)'
	@echo '  make shell     a shell in a VM                          (KERNEL= SHARE=)'
	@echo '  make tool      sgioctl, in build/bin'
	@echo '  make install   sgioctl, its pages, completions, udev rule and unit (PREFIX= DESTDIR=)'
	@echo '  make uninstall takes that away again'
	@echo '  make deb       Debian packages of tool and module, in build/deb'
	@echo '  make programs  the test programs for the guest, in build/bin'
	@echo '  make setup     build root, stock kernel, test kernel; setup-stock: less'
	@echo '  make clean     remove build/'
	@echo 'Against a Rust-enabled kernel build tree of your own:'
	@echo '  make KDIR=tree [RUSTC=rustc] [modules|modules_install|clean]'

.PHONY: setup setup-root setup-stock setup-test setup-debug setup-race setup-rt setup-guests setup-deb
setup:
	@$(TESTING)/setup/setup all

setup-root setup-stock setup-test setup-debug setup-race setup-rt setup-guests setup-deb: setup-%:
	@$(TESTING)/setup/setup $*

.PHONY: modules programs
modules: setup-$(KERNEL)
	@$(TESTING)/setup/build-module $(KERNEL)

programs: setup-root
	@$(IN_ROOT) make --no-print-directory -C $(TESTING)/programs OUT=/sgio/build/bin

# Static, so that what the build root makes runs on Debian 12 and 13 alike. cargo wants the target
# named, or the flag would be for its own helpers too.
TARGET := x86_64-unknown-linux-gnu
.PHONY: tool install uninstall
tool: setup-root
	@$(IN_ROOT) --cwd /sgio/src/tools env CARGO_TARGET_DIR=/sgio/build/tools \
		RUSTFLAGS='-C target-feature=+crt-static' \
		cargo build --quiet --release --locked -p sgioctl --target $(TARGET)
	@mkdir -p build/bin && cp build/tools/$(TARGET)/release/sgioctl build/bin/sgioctl

# install does not build: root installs what a user has built by 'make tool'. build/bin is what
# virtual machines run, where the tests put a build of their own.
install uninstall:
	@$(MAKE) --no-print-directory -C tools/sgioctl $@ BINARY=$(CURDIR)/build/tools/$(TARGET)/release/sgioctl

.PHONY: deb
deb: setup-deb
	@tools/packaging/deb

.PHONY: vm scenario shell
vm: modules programs
	@$(if $(RUN),,echo "make vm: say what to run by RUN='command'" >&2; exit 1;) \
	$(VM) --kernel $(KERNEL) $(if $(SHARE),--share '$(SHARE)') -- '$(subst ','\'',$(value RUN))'

scenario: modules programs tool
	@$(TESTING)/vm/scenario $(KERNEL) '$(NAME)'

shell: modules programs
	@$(VM) --kernel $(KERNEL) $(if $(SHARE),--share '$(SHARE)') --timeout 86400 \
		--interactive -- 'exec bash -l'

.PHONY: fuzz coverage miri
fuzz: setup-root
	@tools/fuzz/fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(ONLY)

coverage: setup-root
	@$(TESTING)/coverage $(FILES)

miri:
	@$(TESTING)/miri

.PHONY: lint test test-tracing test-debug test-race test-rt test-guests matrix pictures demo bench
lint: setup
	@$(TESTING)/lint/lint

test:
	@$(TESTING)/run-tests $(if $(ONLY),'$(ONLY)')

test-guests: setup-guests
	@$(MAKE) --no-print-directory modules programs tool KERNEL=stock
	@$(TESTING)/guests/run

pictures: setup-root
	@$(IN_ROOT) python3 -B $(TESTING)/pictures/performance.py Documentation/performance.md Documentation/performance
	@$(IN_ROOT) python3 -B $(TESTING)/pictures/matrix.py Documentation/guest-matrix.md Documentation/guest-matrix.svg

# The document is written from what this run measured, and from nothing else.
matrix: setup-guests
	@$(MAKE) --no-print-directory modules programs tool KERNEL=stock
	@$(TESTING)/guests/run --matrix
	@$(IN_ROOT) python3 -B $(TESTING)/guests/document.py build/results/guests/share/matrix.json Documentation

test-debug test-race test-rt: test-%:
	@$(TESTING)/run-tests --kernel $* $(if $(ONLY),'$(ONLY)')

test-tracing: setup-stock
	@$(MAKE) --no-print-directory modules programs KERNEL=stock
	@$(TESTING)/tracing/run

bench: setup-stock
	@$(MAKE) --no-print-directory modules programs tool KERNEL=stock
	@$(TESTING)/bench/bench

demo: setup-stock
	@$(MAKE) --no-print-directory modules programs tool KERNEL=stock
	@$(VM) --kernel stock -- /sgio/src/tools/testing/scenarios/demo/demo.sh

.PHONY: clean
clean:
	rm -rf build

endif
