/* SPDX-License-Identifier: MIT */
/*
 * A core dump of a domain: see dump_core.h.
 */
#include "dump_core.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/elfnote.h>

#include "interrupt.h"
#include "memory.h"
#include "new_file.h"
#include "progress.h"

#define MAGIC_PV       UINT64_C(0xf00febed)
#define MAGIC_HVM      UINT64_C(0xf00febee)
#define FORMAT_VERSION 1u

/* ABI: of a note; its name is filled up to a multiple of 4 bytes by itself. */
struct note {
    uint32_t name_size, size, type;
    char name[4];
};

struct note_header {
    uint64_t magic, nr_vcpus, nr_pages, page_size;
};

struct note_version {
    uint64_t major, minor;
    char extra[16];
    char compiler[64], compile_by[16], compile_domain[32], compile_date[32];
    char capabilities[1024];
    char changeset[64];
    uint64_t virt_start, page_size;
};

/* The section of all notes. */
struct notes {
    struct note none;
    struct note of_header;
    struct note_header header;
    struct note of_version;
    struct note_version version;
    struct note of_format;
    uint64_t format;
};

enum section { S_NULL, S_NAMES, S_NOTE, S_STATUS, S_SHARED, S_PAGES, S_NUMBERS, NR_SECTIONS };

/* ABI: the names, as they stand in the file. */
static const char names_pv[] =
    "\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_shared_info\0.xen_pages\0.xen_p2m";
static const char names_hvm[] =
    "\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_shared_info\0.xen_pages\0.xen_pfn";

struct dump {
    struct host *h;
    const struct live_domain *l;
    struct new_file file;
    Elf64_Shdr section[NR_SECTIONS];
    size_t nr_vcpus;
    struct vcpu_guest_context *contexts;
    struct shared_info *shared; /* a copy of the page; NULL: it cannot be had */
    uint64_t nr_pages, found;
    bool in_memory;          /* is the file */
    struct dump_page *pages; /* of each, all ones if there is none */
    struct error *e;
};

static bool is_pv(const struct dump *c)
{
    return c->l->d.kind == KIND_PV;
}

/* Is it still there? Of one that is not, every other error comes. */
static int check_alive(const struct dump *c)
{
    struct host_domain now;
    unsigned int n = 0;
    int rc = interrupt_check(c->l->name, c->e);

    rc = rc ? rc : c->h->ops->domain_list(c->h, c->l->d.domid, &now, 1, &n);
    if (rc)
        return error_errno(c->e, rc, "%s", c->l->name);
    if (n == 0 || now.domid != c->l->d.domid || now.dying ||
        memcmp(now.uuid, c->l->d.uuid, sizeof(now.uuid)) != 0)
        return error_set(c->e, -ESRCH, "%s: it ended before its core was written", c->l->name);
    return 0;
}

/* ---- what is read first ---- */

static int read_contexts(struct dump *c)
{
    const size_t most = (size_t)c->l->d.max_vcpu_id + 1;

    c->contexts = calloc(most, sizeof(*c->contexts));
    if (!c->contexts)
        return error_errno(c->e, -ENOMEM, "%s", c->l->name);
    for (uint32_t i = 0; i < most; i++) {
        int rc = c->h->ops->vcpu_get_context(c->h, c->l->d.domid, i, &c->contexts[c->nr_vcpus]);

        if (rc == 0)
            c->nr_vcpus++;
        else if (rc != -ENODATA) /* it was never started */
            return check_alive(c) ? c->e->code
                                  : error_errno(c->e, rc, "%s: reading vCPU %u", c->l->name, i);
    }
    return c->nr_vcpus ? 0
                       : error_set(c->e, -ENODATA, "%s: none of its vCPUs has begun", c->l->name);
}

static int read_shared(struct dump *c)
{
    uint64_t frame = c->l->d.shared_info_frame;
    int missing = 0, rc;
    void *va;

    c->shared = calloc(1, HOST_PAGE_SIZE);
    if (!c->shared)
        return error_errno(c->e, -ENOMEM, "%s", c->l->name);
    rc = c->h->ops->foreign_map_some(c->h, c->l->d.domid, &frame, 1, &missing, &va);
    if (rc == 0 && !missing)
        memcpy(c->shared, va, HOST_PAGE_SIZE);
    if (rc == 0)
        rc = c->h->ops->foreign_unmap(c->h, va, 1);
    rc = missing ? missing : rc;
    if (rc && is_pv(c))
        return check_alive(c) ? c->e->code
                              : error_errno(c->e, rc, "%s: its shared page", c->l->name);
    if (rc) {
        free(c->shared);
        c->shared = NULL;
    }
    return 0;
}

/* ---- the head of the file ---- */

static struct note note(uint32_t type, uint32_t size)
{
    return (struct note){.name_size = 4, .size = size, .type = type, .name = "Xen"};
}

static int write_notes(struct dump *c)
{
    struct host_version v;
    struct notes n = {
        .none = note(XEN_ELFNOTE_DUMPCORE_NONE, 0),
        .of_header = note(XEN_ELFNOTE_DUMPCORE_HEADER, sizeof(n.header)),
        .header = {is_pv(c) ? MAGIC_PV : MAGIC_HVM, c->nr_vcpus, c->nr_pages, HOST_PAGE_SIZE},
        .of_version = note(XEN_ELFNOTE_DUMPCORE_XEN_VERSION, sizeof(n.version)),
        .of_format = note(XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION, sizeof(n.format)),
        .format = FORMAT_VERSION,
    };
    int rc = c->h->ops->version(c->h, &v);

    if (rc)
        return error_errno(c->e, rc, "%s: the hypervisor's version", c->l->name);
    n.version.major = v.major;
    n.version.minor = v.minor;
    n.version.virt_start = v.virt_start;
    n.version.page_size = HOST_PAGE_SIZE;
#define COPY(field) memcpy(n.version.field, v.field, sizeof(n.version.field))
    COPY(extra);
    COPY(compiler);
    COPY(compile_by);
    COPY(compile_domain);
    COPY(compile_date);
    COPY(capabilities);
    COPY(changeset);
#undef COPY
    return new_file_write(&c->file, &n, sizeof(n), c->section[S_NOTE].sh_offset, c->e);
}

/* Where each section is. One that is not there has no bytes; its header is left out. */
static void lay_out(struct dump *c)
{
    uint64_t at = sizeof(Elf64_Ehdr) + NR_SECTIONS * sizeof(Elf64_Shdr);
    const uint64_t number = is_pv(c) ? sizeof(struct dump_page) : sizeof(uint64_t);
    uint32_t name = 1;
    const struct {
        uint32_t type;
        uint64_t size, align, entry;
    } want[NR_SECTIONS] = {
        [S_NAMES] = {SHT_STRTAB, sizeof(names_pv), 0, 0},
        [S_NOTE] = {SHT_NOTE, sizeof(struct notes), 0, 0},
        [S_STATUS] = {SHT_PROGBITS, c->nr_vcpus * sizeof(*c->contexts), 8, sizeof(*c->contexts)},
        [S_SHARED] = {SHT_PROGBITS, c->shared ? HOST_PAGE_SIZE : 0, 8, HOST_PAGE_SIZE},
        [S_PAGES] = {SHT_PROGBITS, c->nr_pages * HOST_PAGE_SIZE, HOST_PAGE_SIZE, HOST_PAGE_SIZE},
        [S_NUMBERS] = {SHT_PROGBITS, c->nr_pages * number, 8, number},
    };

    at -= c->shared ? 0 : sizeof(Elf64_Shdr);
    for (unsigned int i = S_NAMES; i < NR_SECTIONS; i++) {
        if (i == S_PAGES)
            at = (at + HOST_PAGE_SIZE - 1) / HOST_PAGE_SIZE * HOST_PAGE_SIZE;
        c->section[i] = (Elf64_Shdr){.sh_name = name,
                                     .sh_type = want[i].type,
                                     .sh_offset = at,
                                     .sh_size = want[i].size,
                                     .sh_addralign = want[i].align,
                                     .sh_entsize = want[i].entry};
        at += i == S_NAMES ? 0 : want[i].size;
        name += (uint32_t)strlen(names_pv + name) + 1;
    }
    c->section[S_NAMES].sh_offset = at; /* last in the file */
}

static int write_head(struct dump *c)
{
    const Elf64_Ehdr head = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT,
                    ELFOSABI_SYSV, EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_shoff = sizeof(head),
        .e_ehsize = sizeof(head),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = NR_SECTIONS - !c->shared,
        .e_shstrndx = S_NAMES,
    };
    uint64_t at = sizeof(head);
    int rc = new_file_write(&c->file, &head, sizeof(head), 0, c->e);

    for (unsigned int i = 0; i < NR_SECTIONS && rc == 0; i++) {
        if (i == S_SHARED && !c->shared)
            continue;
        rc = new_file_write(&c->file, &c->section[i], sizeof(c->section[i]), at, c->e);
        at += sizeof(c->section[i]);
    }
    rc = rc ? rc : write_notes(c);
    rc = rc ? rc
            : new_file_write(&c->file, c->contexts, c->section[S_STATUS].sh_size,
                             c->section[S_STATUS].sh_offset, c->e);
    if (rc == 0 && c->shared)
        rc = new_file_write(&c->file, c->shared, HOST_PAGE_SIZE, c->section[S_SHARED].sh_offset,
                            c->e);
    return rc;
}

/* ---- pages ---- */

static bool is_zero(const char *page)
{
    return page[0] == 0 && memcmp(page, page + 1, HOST_PAGE_SIZE - 1) == 0;
}

static int write_page(struct dump *c, const struct dump_page *p, const char *bytes)
{
    uint64_t at = c->section[S_PAGES].sh_offset + c->found * HOST_PAGE_SIZE;

    c->pages[c->found++] = *p;
    return is_zero(bytes) ? 0 : new_file_write(&c->file, bytes, HOST_PAGE_SIZE, at, c->e);
}

/* A folder in memory must not take what the control domain lives on. */
static int check_memory(const struct dump *c)
{
    if (!c->in_memory || memory_available() >= DUMP_LEAVE)
        return 0;
    return error_set(c->e, -ENOSPC, "%s: %s: the control domain has not so much memory", c->l->name,
                     c->file.path);
}

/* Those of these that are there. */
static int write_some(struct dump *c, const struct dump_page *p, unsigned int n)
{
    uint64_t frames[DUMP_STEP];
    int missing[DUMP_STEP] = {0}, rc, rc2;
    void *va;

    for (unsigned int i = 0; i < n; i++)
        frames[i] = p[i].frame;
    rc = c->h->ops->foreign_map_some(c->h, c->l->d.domid, frames, n, missing, &va);
    if (rc)
        return check_alive(c) ? c->e->code
                              : error_errno(c->e, rc, "%s: mapping its pages", c->l->name);
    for (unsigned int i = 0; i < n && rc == 0 && c->found < c->nr_pages; i++)
        if (!missing[i])
            rc = write_page(c, &p[i], (const char *)va + (size_t)i * HOST_PAGE_SIZE);
    rc2 = c->h->ops->foreign_unmap(c->h, va, n);
    return rc ? rc : rc2;
}

static int write_pages(struct dump *c)
{
    struct dump_pages p = {.h = c->h, .d = &c->l->d};
    struct dump_page some[DUMP_STEP];
    int rc = dump_pages_begin(&p, c->shared, &c->contexts[0], c->e);

    while (rc == 0 && p.next < p.end && c->found < c->nr_pages) {
        unsigned int n;

        rc = check_alive(c);
        rc = rc ? rc : check_memory(c);
        rc = rc ? rc : dump_pages_next(&p, some, &n);
        if (rc == 0 && n)
            rc = write_some(c, some, n);
        progress(c->l->name, "core", c->found < c->nr_pages ? c->found : c->nr_pages - 1,
                 c->nr_pages);
    }
    progress(c->l->name, "core", 1, 1);
    rc = rc ? rc : check_alive(c);
    return rc ? error_errno(c->e, rc, "%s: its core", c->l->name) : 0;
}

static int write_numbers(struct dump *c)
{
    uint64_t *own = NULL;
    int rc;

    if (is_pv(c))
        return new_file_write(&c->file, c->pages, c->section[S_NUMBERS].sh_size,
                              c->section[S_NUMBERS].sh_offset, c->e);
    own = calloc(c->nr_pages + 1, sizeof(*own));
    if (!own)
        return error_errno(c->e, -ENOMEM, "%s", c->l->name);
    for (uint64_t i = 0; i < c->nr_pages; i++)
        own[i] = c->pages[i].pfn;
    rc = new_file_write(&c->file, own, c->section[S_NUMBERS].sh_size,
                        c->section[S_NUMBERS].sh_offset, c->e);
    free(own);
    return rc;
}

/* ---- all of it ---- */

static int read_domain(struct dump *c)
{
    int rc = read_contexts(c);

    rc = rc ? rc : read_shared(c);
    if (rc)
        return rc;
    c->nr_pages = c->l->d.nr_pages;
    c->pages = malloc((c->nr_pages + 1) * sizeof(*c->pages));
    if (!c->pages)
        return error_errno(c->e, -ENOMEM, "%s", c->l->name);
    memset(c->pages, 0xff, (c->nr_pages + 1) * sizeof(*c->pages));
    return 0;
}

static int write_file(struct dump *c, const char *path)
{
    const Elf64_Shdr *names = &c->section[S_NAMES];
    int rc = new_file_open(&c->file, path, c->e);

    if (rc)
        return rc;
    c->in_memory = new_file_in_memory(&c->file);
    lay_out(c);
    rc = write_head(c);
    rc = rc ? rc : write_pages(c);
    rc = rc ? rc : write_numbers(c);
    if (rc == 0)
        rc = new_file_write(&c->file, is_pv(c) ? names_pv : names_hvm, names->sh_size,
                            names->sh_offset, c->e);
    if (rc == 0)
        return new_file_keep(&c->file, names->sh_offset + names->sh_size, c->e);
    new_file_drop(&c->file);
    return rc;
}

int dump_core(struct host *h, const struct live_domain *l, const char *path, bool live,
              struct error *e)
{
    struct dump c = {.h = h, .l = l, .e = e};
    bool pause = !live && !l->d.paused && !l->d.shutdown;
    int rc = pause ? h->ops->domain_pause(h, l->d.domid) : 0;

    if (rc)
        return error_errno(e, rc, "%s: pausing it", l->name);
    rc = read_domain(&c);
    rc = rc ? rc : write_file(&c, path);
    free(c.contexts);
    free(c.shared);
    free(c.pages);
    if (pause) {
        int rc2 = h->ops->domain_unpause(h, l->d.domid);

        if (rc2 && rc == 0)
            rc = error_errno(e, rc2, "%s: its core is written, but it stays paused", l->name);
    }
    return rc;
}
