/* SPDX-License-Identifier: MIT */
/*
 * Files as people have them, in the forms that virt-install, virt-manager, libvirt, Ganeti,
 * xen-tools and people write: tests/unit/config_files. Beside each, NAME.said has all that is found
 * in it: the last line is what it is taken for, or "refused". What is accepted is written as XML
 * and read again, strictly, to the same.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "config_file.h"
#include "tools_config.h"

#define FILES "tests/unit/config_files"

static const struct config_how lax = {.strict = false};

static void reads_again(const struct domain_config *c)
{
    char *first = domain_config_to_xml(c, -1), *second;
    struct domain_config again;
    struct error e;

    if (parse(first, &again, &e))
        fail_msg("%s in\n%s", e.text, first);
    second = domain_config_to_xml(&again, -1);
    assert_string_equal(first, second);
    domain_config_free(&again);
    free(first);
    free(second);
}

/* All that is found, as NAME.said has it. */
static char *said_of(const char *path)
{
    struct domain_config c;
    struct findings f = {0};
    char *out = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&out, &len);

    assert_non_null(to);
    if (config_file_read(path, &lax, &c, &f)) {
        findings_print(&f, "", "", to);
        fprintf(to, "refused\n");
    } else {
        findings_print(&f, "", "", to);
        fprintf(to, "%s, kind %s\n", c.name, kind_name(c.kind));
        reads_again(&c);
        domain_config_free(&c);
    }
    findings_free(&f);
    fclose(to);
    return out;
}

static char *text_of(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *from = fopen(path, "r");

    if (!from || getdelim(&text, &size, EOF, from) < 0)
        fail_msg("%s: %s", path, strerror(errno));
    fclose(from);
    return text;
}

static int is_input(const struct dirent *d)
{
    return d->d_name[0] != '.' && !strstr(d->d_name, ".said");
}

static void all_files(void **state)
{
    struct dirent **list;
    int n = scandir(FILES, &list, is_input, alphasort);

    (void)state;
    assert_in_range(n, 14, 100);
    for (int i = 0; i < n; i++) {
        char path[512], *said, *wanted;

        snprintf(path, sizeof(path), FILES "/%s", list[i]->d_name);
        said = said_of(path);
        strcat(path, ".said");
        wanted = text_of(path);
        if (strcmp(said, wanted) != 0)
            fail_msg("%s: it is said\n%s\nwanted:\n%s", path, said, wanted);
        free(said);
        free(wanted);
        free(list[i]);
    }
    free(list);
}

/* What other programs wrote into the file stands in what they get back. */
static void metadata_is_kept(void **state)
{
    static const char xml[] =
        "<domain type='xen' xmlns:o='urn:outer'><name>a</name>"
        "<metadata>\n  <o:note at=' x '>  two  blanks  </o:note><i:b xmlns:i='urn:inner'/>"
        "</metadata><memory>8192</memory><os><type>linux</type><kernel>/k</kernel></os></domain>";
    struct domain_config c;
    struct findings f = {0};
    char *out;

    (void)state;
    assert_int_equal(domain_config_xml(xml, strlen(xml), &lax, &c, &f), 0);
    out = domain_config_to_xml(&c, -1);
    assert_non_null(strstr(out, "<metadata"));
    assert_non_null(strstr(out, "xmlns:o=\"urn:outer\""));
    assert_non_null(strstr(out, "at=\" x \">  two  blanks  </o:note>"));
    assert_non_null(strstr(out, "<i:b xmlns:i=\"urn:inner\"/>"));
    reads_again(&c);
    free(out);
    domain_config_free(&c);
    findings_free(&f);
}

static int read_path(const char *path, char *said, size_t size)
{
    struct domain_config c;
    struct findings f = {0};
    struct error e = {0};
    int rc = config_file_read(path, &lax, &c, &f);

    if (rc)
        rc = findings_first(&f, config_file_name(path), &e);
    else
        domain_config_free(&c);
    snprintf(said, size, "%s", e.text);
    findings_free(&f);
    return rc;
}

static void what_is_no_file(void **state)
{
    char said[800];

    (void)state;
    assert_int_equal(read_path("/no/such.xml", said, sizeof(said)), -ENOENT);
    assert_string_equal(said, "/no/such.xml: No such file or directory");
    assert_int_equal(read_path("/tmp", said, sizeof(said)), -EINVAL);
    assert_string_equal(said, "/tmp: not a regular file");
    assert_int_equal(read_path("/dev/null", said, sizeof(said)), -EINVAL);
    assert_string_equal(said, "/dev/null: not a regular file");
}

static int read_bytes(const char *bytes, size_t len, char *said, size_t size)
{
    int fd = memfd_create("stdin", 0), old = dup(STDIN_FILENO), rc;

    assert_int_equal(write(fd, bytes, len), len);
    lseek(fd, 0, SEEK_SET);
    dup2(fd, STDIN_FILENO);
    rc = read_path("-", said, size);
    dup2(old, STDIN_FILENO);
    close(old);
    close(fd);
    return rc;
}

static void standard_input_and_its_format(void **state)
{
    static const char cfg[] = "\xef\xbb\xbfname = \"a\"\nmemory = 64\nkernel = \"/k\"\n";
    static const char marked[] = "\xef\xbb\xbf \n<domain type='xen'><name>a</name>"
                                 "<memory>8192</memory><os><type>linux</type>"
                                 "<kernel>/k</kernel></os></domain>";
    char said[800], *large = malloc((1u << 20) + 1);

    (void)state;
    assert_int_equal(read_bytes(good, sizeof(good) - 1, said, sizeof(said)), 0);
    assert_int_equal(read_bytes(cfg, sizeof(cfg) - 1, said, sizeof(said)), 0);
    assert_int_equal(read_bytes(cfg + 3, sizeof(cfg) - 4, said, sizeof(said)), 0);
    /* libxml2 takes the mark, but no blanks behind it before a declaration: there is none */
    assert_int_equal(read_bytes(marked, sizeof(marked) - 1, said, sizeof(said)), 0);
    assert_int_equal(read_bytes("", 0, said, sizeof(said)), -EINVAL);
    assert_string_equal(said, "standard input: the file is empty");
    assert_int_equal(read_bytes("\x7f"
                                "ELF\0\0",
                                6, said, sizeof(said)),
                     -EINVAL);
    assert_string_equal(said, "standard input: neither domain XML nor a file of xl: it is no text");
    for (int i = 1; i <= 3; i++) { /* a mark that is cut off, and one with nothing behind it */
        assert_int_equal(read_bytes("\xef\xbb\xbf", i, said, sizeof(said)), -EINVAL);
        assert_null(strstr(said, "MiB"));
    }
    assert_int_equal(read_bytes("{ \"a\": 1 }", 10, said, sizeof(said)), -EINVAL);
    assert_non_null(strstr(said, "standard input:1: near `{': outside of quotes there are keys"));
    for (int i = 0; i < 2; i++) {
        memset(large, i ? '#' : ' ', (1u << 20) + 1);
        assert_int_equal(read_bytes(large, (1u << 20) + 1, said, sizeof(said)), -EFBIG);
        assert_string_equal(said, "standard input: more than 1 MiB");
    }
    free(large);
}

/* A disk is what is there, whatever the file calls it; what is nowhere stays as it is called. */
static void kinds_of_disks(void **state)
{
    char path[] = "/tmp/parvis-test-XXXXXX", file[] = "/tmp/parvis-test-XXXXXX", text[256];
    int fd = mkstemp(path), cfg = mkstemp(file);
    struct domain_config c;
    struct findings f = {0};

    (void)state;
    snprintf(text, sizeof(text),
             "name='a'\nmemory=64\nkernel='/k'\n"
             "disk=['phy:%s,xvda,w', 'file:/no/such,xvdb,w', 'phy:no/such,xvdc,w']\n",
             path);
    assert_int_equal(write(cfg, text, strlen(text)), strlen(text));
    assert_int_equal(config_file_read(file, &lax, &c, &f), 0);
    assert_int_equal(c.disks[0].kind, DISK_FILE);
    assert_int_equal(c.disks[1].kind, DISK_FILE);
    assert_int_equal(c.disks[2].kind, DISK_BLOCK);
    assert_string_equal(c.disks[2].source, "/dev/no/such");
    domain_config_free(&c);
    findings_free(&f);
    close(fd);
    close(cfg);
    unlink(path);
    unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_files),       cmocka_unit_test(metadata_is_kept),
        cmocka_unit_test(what_is_no_file), cmocka_unit_test(standard_input_and_its_format),
        cmocka_unit_test(kinds_of_disks),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    xmlRelaxNGCleanupTypes();
    xmlCleanupParser();
    return rc;
}
