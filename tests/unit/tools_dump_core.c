/* SPDX-License-Identifier: MIT */
/*
 * Core dumps of domains on a model of the machine: each file is read by a strict reader of the
 * format, and each page in it held against the frame that the model has. Then guests that tell
 * nothing, or wrong things, about their pages; and all that may go wrong, which leaves no file and
 * no mapping, and the domain running.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include "dump_core.h"
#include "fake_parts.h"
#include "interrupt.h"
#include "lifecycle_support.h"
#include "new_file.h"
#include "state.h"

static uint32_t domid;
static char *path, *bytes;
static size_t size;

static bool in_memory; /* is the core */
static uint64_t available;
bool __wrap_new_file_in_memory(const struct new_file *file);
uint64_t __wrap_memory_available(void);

bool __wrap_new_file_in_memory(const struct new_file *file)
{
    return file->fd >= 0 && in_memory;
}

uint64_t __wrap_memory_available(void)
{
    return available;
}

static struct live_domain whole(void)
{
    struct live_domain l;
    struct error e = {0};

    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), 0);
    return l;
}

static int setup(void **state)
{
    int rc = lifecycle_setup(state);

    if (rc)
        return rc;
    in_memory = false;
    domid = start("web");
    fake_domain(f, domid)->d.paused = false;
    path = strdup(state_path("core"));
    return 0;
}

static int teardown(void **state)
{
    free(path);
    free(bytes);
    bytes = NULL;
    return lifecycle_teardown(state);
}

static int dump(struct error *e)
{
    struct live_domain l = whole();

    memset(e, 0, sizeof(*e));
    return dump_core(&f->host, &l, path, false, e);
}

/* ---- the strict reader ---- */

static const Elf64_Shdr *section(const char *name)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)bytes;
    const Elf64_Shdr *all = (const Elf64_Shdr *)(bytes + head->e_shoff), *found = NULL;
    const Elf64_Shdr *names = &all[head->e_shstrndx];

    for (unsigned int i = 0; i < head->e_shnum; i++) {
        assert_true(all[i].sh_offset + all[i].sh_size <= size);
        assert_true(all[i].sh_name < names->sh_size);
        if (strcmp(bytes + names->sh_offset + all[i].sh_name, name) == 0) {
            assert_null(found);
            found = &all[i];
        }
    }
    return found;
}

static void read_file(void)
{
    FILE *file = fopen(path, "r");
    struct stat st;
    const Elf64_Ehdr *head;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    size = (size_t)st.st_size;
    free(bytes);
    bytes = malloc(size);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    assert_true(st.st_blocks * 512 < st.st_size); /* zeroes are holes */
    head = (const Elf64_Ehdr *)bytes;
    assert_memory_equal(head->e_ident, ELFMAG "\2\1\1\0\1\0\0\0\0\0\0", EI_NIDENT - 1);
    assert_int_equal(head->e_type, ET_CORE);
    assert_int_equal(head->e_machine, EM_X86_64);
    assert_int_equal(head->e_phnum, 0);
    assert_int_equal(head->e_shstrndx, 1);
    assert_int_equal(section(".shstrtab")->sh_offset + section(".shstrtab")->sh_size, size);
}

/* The body of the next note; its kind and size must be these. */
static const void *take_note(const char **at, uint32_t type, uint32_t want)
{
    uint32_t word[3];
    const char *body = *at + 16;

    memcpy(word, *at, sizeof(word));
    assert_int_equal(word[0], 4);
    assert_int_equal(word[1], want);
    assert_int_equal(word[2], type);
    assert_memory_equal(*at + 12, "Xen", 4);
    *at = body + want;
    return body;
}

static void check_notes(uint64_t magic, uint64_t pages)
{
    const Elf64_Shdr *s = section(".note.Xen");
    const char *at = bytes + s->sh_offset;
    const uint64_t *header, *version, *format;

    assert_int_equal(s->sh_type, SHT_NOTE);
    take_note(&at, 0x2000000, 0);
    header = take_note(&at, 0x2000001, 32);
    version = take_note(&at, 0x2000002, 1280);
    format = take_note(&at, 0x2000003, 8);
    assert_ptr_equal(at, bytes + s->sh_offset + s->sh_size);
    assert_int_equal(header[0], magic);
    assert_int_equal(header[1], 1);
    assert_int_equal(header[2], pages);
    assert_int_equal(header[3], 4096);
    assert_int_equal(version[0], 4);
    assert_int_equal(version[1], 17);
    assert_int_equal(version[159], 4096);
    assert_int_equal(*format, 1);
}

/* Each page that the file has is the domain's, by its number and its bytes. Returns how many. */
static uint64_t check_pages(void)
{
    const Elf64_Shdr *pages = section(".xen_pages"), *p2m = section(".xen_p2m");
    const Elf64_Shdr *numbers = p2m ? p2m : section(".xen_pfn");
    uint64_t n = pages->sh_size / 4096, found = 0, last = 0;
    bool seen[FAKE_FRAMES] = {false};

    assert_int_equal(pages->sh_entsize, 4096);
    assert_int_equal(pages->sh_offset % 4096, 0);
    assert_int_equal(numbers->sh_size, n * numbers->sh_entsize);
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t *at =
            (const uint64_t *)(bytes + numbers->sh_offset + i * numbers->sh_entsize);
        uint64_t frame = fake_frame_at(f, domid, p2m ? at[1] : at[0]);

        if (at[0] == UINT64_MAX) {
            assert_int_equal(p2m ? at[1] : UINT64_MAX, UINT64_MAX);
            continue;
        }
        assert_int_equal(found, i); /* those that are not there stand at the end */
        assert_true(i == 0 || at[0] > last);
        last = at[0];
        assert_int_not_equal(frame, UINT64_MAX);
        assert_false(seen[frame]);
        seen[frame] = true;
        assert_memory_equal(bytes + pages->sh_offset + i * 4096, fake_frame(f, frame), 4096);
        found++;
    }
    return found;
}

static const uint64_t *p2m_of(uint64_t pfn)
{
    const Elf64_Shdr *p2m = section(".xen_p2m");
    const uint64_t *at = (const uint64_t *)(bytes + p2m->sh_offset);

    for (uint64_t i = 0; i < p2m->sh_size / 16; i++)
        if (at[2 * i] == pfn)
            return &at[2 * i];
    return NULL;
}

/* ---- what comes out ---- */

static void dumps(uint64_t pages)
{
    struct error e;

    if (dump(&e))
        fail_msg("%s", e.text);
    read_file();
    check_notes(0xf00febed, fake_domain(f, domid)->d.nr_pages);
    assert_int_equal(check_pages(), pages);
    assert_false(fake_domain(f, domid)->d.paused);
}

static void a_small_guest(void **state)
{
    const struct fake_domain *d = fake_domain(f, domid);

    (void)state;
    dumps(d->d.nr_pages);
    assert_int_equal(section(".xen_prstatus")->sh_size, sizeof(d->context));
    assert_memory_equal(bytes + section(".xen_prstatus")->sh_offset, &d->context,
                        sizeof(d->context));
    assert_memory_equal(bytes + section(".xen_shared_info")->sh_offset,
                        fake_frame(f, d->d.shared_info_frame), 4096);
    assert_null(section(".xen_pfn"));
    /* As the builder laid it out: its kernel is at 1 MiB. */
    assert_non_null(p2m_of(0x100));
    /* What is there already is replaced, and a paused domain stays paused. */
    fake_domain(f, domid)->d.paused = true;
    unlink(path);
    symlink("elsewhere", path);
    struct error e;
    assert_int_equal(dump(&e), 0);
    assert_true(fake_domain(f, domid)->d.paused);
    read_file();
}

static struct shared_info *shared(void)
{
    return fake_frame(f, fake_domain(f, domid)->d.shared_info_frame);
}

static struct start_info *find_start_info(void)
{
    for (uint64_t i = 0; i < FAKE_FRAMES; i++)
        if (f->owner[i] == domid + 1 && memcmp(fake_frame(f, i), "xen-3.0-x86_64", 14) == 0)
            return fake_frame(f, i);
    fail_msg("no start information");
    return NULL;
}

static void a_published_list(void **state)
{
    struct start_info *info = find_start_info();

    (void)state;
    shared()->arch.max_pfn = info->nr_pages;
    shared()->arch.p2m_vaddr = info->mfn_list;
    shared()->arch.p2m_cr3 = fake_domain(f, domid)->context.ctrlreg[3];
    memset(info->magic, 0, sizeof(info->magic));
    dumps(fake_domain(f, domid)->d.nr_pages);
}

static void a_published_tree(void **state)
{
    uint64_t frame[4], *leaf[2];
    const struct fake_domain *d = fake_domain(f, domid);

    (void)state;
    dumps(d->d.nr_pages); /* tells the frames */
    for (unsigned int i = 0; i < 4; i++) {
        frame[i] = fake_take_frame(f, domid);
        memset(fake_frame(f, frame[i]), 0xff, 4096);
    }
    leaf[0] = fake_frame(f, frame[2]);
    leaf[1] = fake_frame(f, frame[3]);
    for (uint64_t pfn = 0; pfn < 1024; pfn++)
        if (p2m_of(pfn))
            leaf[pfn / 512][pfn % 512] = p2m_of(pfn)[1];
    ((uint64_t *)fake_frame(f, frame[0]))[0] = frame[1];
    memcpy(fake_frame(f, frame[1]), &frame[2], 16);
    shared()->arch.max_pfn = 1024;
    shared()->arch.pfn_to_mfn_frame_list_list = frame[0];
    memset(find_start_info()->magic, 0, 32);
    dumps(d->d.nr_pages);
    /* Pages that it does not name are none: a ballooned guest, or one that lies. */
    leaf[0][7] = leaf[0][8] = UINT64_MAX;
    leaf[0][9] = FAKE_FRAMES + 5;
    leaf[0][10] = UINT64_C(1) << 63 | 1;
    dumps(d->d.nr_pages - 4);
    shared()->arch.max_pfn = UINT64_MAX;
    dumps(d->d.nr_pages - 4);
    shared()->arch.pfn_to_mfn_frame_list_list = UINT64_MAX;
    shared()->arch.max_pfn = UINT64_MAX; /* it is not looked for ever */
    f->calls = 0;
    dumps(0);
    assert_true(f->calls < 100000);
}

static void refused(const char *says)
{
    struct error e;

    assert_int_not_equal(dump(&e), 0);
    if (!strstr(e.text, says))
        fail_msg("it said: %s", e.text);
    assert_false(fake_domain(f, domid)->d.paused);
}

static void a_guest_that_does_not_tell(void **state)
{
    uint64_t *top = fake_frame(f, fake_domain(f, domid)->context.ctrlreg[3] / 4096);

    (void)state;
    memset(find_start_info()->magic, 0, 32);
    refused("does not tell which pages it has");
    /* A table whose entries lead to itself, 13,824 times the lowest, and to nothing that can be
     * read is not walked to the end. */
    for (unsigned int i = 0; i < 512; i++)
        top[i] = i < 24 ? fake_domain(f, domid)->context.ctrlreg[3] | 1
                        : UINT64_C(4096) * (FAKE_FRAMES + 5) | 1;
    f->calls = 0;
    refused("does not tell which pages it has");
    assert_true(f->calls > 2048 && f->calls < 10000);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_pvh_guest(void **state)
{
    struct domain_config c = config("pvh");
    struct live_domain l;
    struct error e = {0};

    (void)state;
    c.kind = KIND_PVH;
    if (try_start(&c, &e))
        fail_msg("%s", e.text);
    assert_int_equal(lifecycle_find(&f->host, "pvh", &l, &e), 0);
    domid = l.d.domid;
    if (dump_core(&f->host, &l, path, true, &e))
        fail_msg("%s", e.text);
    read_file();
    check_notes(0xf00febee, l.d.nr_pages);
    assert_int_equal(check_pages(), l.d.nr_pages);
    assert_null(section(".xen_p2m"));
    assert_int_equal(section(".xen_pfn")->sh_entsize, 8);
}

/* ---- what goes wrong ---- */

static void nothing_is_left(void)
{
    DIR *dir = opendir(state_path("."));
    const struct dirent *de;

    while ((de = readdir(dir)) != NULL)
        if (strncmp(de->d_name, "core", 4) == 0)
            fail_msg("%s is left after %s failed", de->d_name, f->failed_call);
    closedir(dir);
    for (unsigned int i = 0; i < FAKE_MAPPINGS; i++)
        assert_null(f->mappings[i].va);
}

static void each_call_that_fails(void **state)
{
    struct live_domain l = whole();
    uint64_t n = 1;
    int rc;

    (void)state;
    do {
        struct error e = {0};

        f->calls = 0;
        f->fail_at = n++;
        f->fail_with = -ENOMEM;
        rc = dump_core(&f->host, &l, path, false, &e);
        assert_int_equal(rc != 0, e.code != 0);
        if (rc && strcmp(f->failed_call, "fake_domain_unpause") != 0) {
            nothing_is_left();
            assert_false(fake_domain(f, domid)->d.paused);
        }
    } while (f->calls >= f->fail_at && n < 100000);
    assert_true(n > 10);
    assert_int_equal(rc, 0);
}

static void a_signal(void **state)
{
    struct live_domain l = whole();
    struct error e = {0};

    (void)state;
    f->calls = 0;
    f->signal_at = 8;
    interrupt_catch();
    assert_int_equal(dump_core(&f->host, &l, path, false, &e), -EINTR);
    assert_non_null(strstr(e.text, "web: interrupted by SIGTERM"));
    nothing_is_left();
    assert_false(fake_domain(f, domid)->d.paused);
    signal(SIGTERM, SIG_IGN); /* not for us */
    interrupt_release();
    signal(SIGTERM, SIG_DFL);
}

static void a_domain_that_ends(void **state)
{
    struct live_domain l = whole(), other = l;
    struct error e = {0};

    (void)state;
    other.d.uuid[0] ^= 1;
    assert_int_equal(dump_core(&f->host, &other, path, true, &e), -ESRCH);
    assert_string_equal(e.text, "web: it ended before its core was written");
    nothing_is_left();
    f->domains[1].d.dying = true;
    e.code = 0;
    assert_int_equal(dump_core(&f->host, &l, path, true, &e), -ESRCH);
    nothing_is_left();
    reap("web", "destroyed");
    e.code = 0;
    assert_int_equal(dump_core(&f->host, &l, path, true, &e), -ESRCH);
    assert_string_equal(e.text, "web: it ended before its core was written");
    nothing_is_left();
}

/* A core in the control domain's memory stops before that is short; one on a disk does not ask. */
static void a_core_in_memory(void **state)
{
    (void)state;
    in_memory = true;
    available = DUMP_LEAVE - 1;
    refused("core: the control domain has not so much memory");
    nothing_is_left();
    available = DUMP_LEAVE;
    dumps(whole().d.nr_pages);
    in_memory = false;
    available = 0;
    dumps(whole().d.nr_pages);
}

static void a_place_that_will_not_do(void **state)
{
    struct rlimit whole_limit, limit;
    char deep[5000];

    (void)state;
    free(path);
    path = strdup("/dev/null");
    refused("/dev/null: it is a device, a pipe or a socket, not a regular file");
    free(path);
    path = strdup(state_path("names"));
    refused("names: it is a directory, not a regular file");
    free(path);
    path = strdup(state_path("no/core"));
    refused("no/core: No such file or directory");
    memset(deep, 'x', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    free(path);
    path = strdup(deep);
    refused("File name too long");
    free(path);
    path = strdup(state_path("core"));
    getrlimit(RLIMIT_FSIZE, &whole_limit);
    limit = whole_limit;
    limit.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    refused("core: File too large");
    setrlimit(RLIMIT_FSIZE, &whole_limit);
    nothing_is_left();
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(a_small_guest),    T(a_published_list),
                                       T(a_published_tree), T(a_guest_that_does_not_tell),
                                       T(a_pvh_guest),      T(each_call_that_fails),
                                       T(a_signal),         T(a_domain_that_ends),
                                       T(a_core_in_memory), T(a_place_that_will_not_do)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
