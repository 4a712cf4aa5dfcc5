/* SPDX-License-Identifier: MIT */
/*
 * Direct start: from what a multiboot 1 loader (qemu -kernel) leaves in memory to struct boot_info.
 *
 * Entered in long mode with the low 4 GiB mapped at 0, where the loader put everything. All that is
 * needed of its structures is copied; the modules stay where they are and are marked in the memory
 * map. parvis.cfg is one of the modules.
 */
#include <core/base/log.h>
#include <hv/boot_config.h>
#include <hv/x86_init.h>
#include <parvis/string.h>
#include <port/machine.h>
#include <port/upcalls.h>

struct multiboot_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
    uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};
#define MBI_CMDLINE (1u << 2)
#define MBI_MODS    (1u << 3)
#define MBI_MMAP    (1u << 6)

struct multiboot_module {
    uint32_t start, end, string, reserved;
};

struct multiboot_mmap { /* size counts what follows it */
    uint32_t size;
    uint64_t start, length;
    uint32_t type;
} __packed;

void __noreturn direct_main(uint32_t mbi_at, uint64_t phys);
void __noreturn efi_main_high(const struct boot_info *bi, uint64_t phys);

static struct boot_info boot_info;

#define BOOT_ASSERT(ok, ...)                                                                       \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            log_error(__VA_ARGS__);                                                                \
            machine_stop(STOP_NOT_STARTED);                                                        \
        }                                                                                          \
    } while (0)

static const void *low(uint32_t address)
{
    return (const void *)(uint64_t)address;
}

static void read_memory_map(struct boot_info *bi, const struct multiboot_info *mbi)
{
    const char *at = low(mbi->mmap_addr), *end = at + mbi->mmap_length;
    int rc = 0;

    BOOT_ASSERT(mbi->flags & MBI_MMAP, "direct start: the loader gave no memory map");
    while (at + sizeof(struct multiboot_mmap) <= end) {
        const struct multiboot_mmap *e = (const struct multiboot_mmap *)at;

        rc |= memmap_add(bi, e->start, e->length, e->type);
        at += e->size + sizeof(e->size);
    }
    rc |= memmap_set(bi, image_phys, (uint64_t)(image_end - image_start), BOOT_MEM_IMAGE);
    BOOT_ASSERT(!rc, "direct start: the memory map has more than %u entries", BOOT_MAX_MEM);
}

/* The loader's string of a module is its path, then perhaps arguments: the name is the last part of
 * the path. */
static void set_module_name(struct boot_module *m, const char *string)
{
    size_t n = 0;

    for (const char *s = string; *s && *s != ' '; s++) {
        if (*s == '/')
            n = 0;
        else if (n < sizeof(m->name) - 1)
            m->name[n++] = *s;
    }
    m->name[n] = 0;
}

static void read_modules(struct boot_info *bi, const struct multiboot_info *mbi)
{
    const struct multiboot_module *mods = low(mbi->mods_addr);
    uint32_t count = mbi->flags & MBI_MODS ? mbi->mods_count : 0;

    BOOT_ASSERT(count <= BOOT_MAX_MODULES, "direct start: %u modules; at most %u are possible",
                count, BOOT_MAX_MODULES);
    for (uint32_t i = 0; i < count; i++) {
        struct boot_module *m = &bi->modules[bi->nr_modules++];
        uint64_t page = mods[i].start & PAGE_MASK;

        m->start = mods[i].start;
        m->size = mods[i].end - mods[i].start;
        set_module_name(m, low(mods[i].string));
        BOOT_ASSERT(!memmap_set(bi, page, ROUND_UP((uint64_t)mods[i].end, PAGE_SIZE) - page,
                                BOOT_MEM_LOADER),
                    "direct start: the memory map is too long");
    }
}

static void say_modules(const struct boot_info *bi)
{
    if (!bi->nr_modules)
        log_error("no modules were given (qemu: -initrd \"parvis.cfg,KERNEL,...\")");
    for (unsigned int i = 0; i < bi->nr_modules; i++)
        log_error("module %u: %s, %lu bytes", i, bi->modules[i].name, bi->modules[i].size);
}

static void read_config(struct boot_info *bi)
{
    struct config_error error;
    int index;

    BOOT_ASSERT(!config_parse_cmdline(bi, &error), "%s", error.text);
    debug_exit_port = (uint16_t)bi->debug_exit;
    index = config_module(bi, "parvis.cfg");
    if (index < 0) {
        say_modules(bi);
        BOOT_ASSERT(false, "there is no parvis.cfg among the modules");
    }
    if (config_parse(bi, low((uint32_t)bi->modules[index].start), bi->modules[index].size,
                     config_module, &error)) {
        say_modules(bi);
        BOOT_ASSERT(false, "%s", error.text);
    }
    BOOT_ASSERT(!config_parse_cmdline(bi, &error), "%s", error.text);
}

void direct_main(uint32_t mbi_at, uint64_t phys)
{
    const struct multiboot_info *mbi = low(mbi_at);
    struct boot_info *bi = &boot_info;

    image_phys = phys;
    uart_init(1);
    config_defaults(bi);
    strlcpy(bi->loader, "direct", sizeof(bi->loader));
    if (mbi->flags & MBI_CMDLINE)
        strlcpy(bi->cmdline, low(mbi->cmdline), sizeof(bi->cmdline));
    read_memory_map(bi, mbi);
    read_modules(bi, mbi);
    read_config(bi);
    hypervisor_main(bi);
}

/* Entered from boot/efi.c: all is in bi already, which lies in memory that will be reused. */
void efi_main_high(const struct boot_info *bi, uint64_t phys)
{
    image_phys = phys;
    boot_info = *bi;
    hypervisor_main(&boot_info);
}
