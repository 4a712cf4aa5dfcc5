/* SPDX-License-Identifier: MIT */
/*
 * A configuration as people have it: see config_file.h.
 */
#include "config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_xl.h"

#define UTF8_MARK "\xef\xbb\xbf" /* editors of Windows begin a file with it */

const char *config_file_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* Of UTF-16 each other byte is 0; it begins with a mark, and is left to the parser of XML. */
static bool begins_as_xml(const char *text, size_t len)
{
    size_t at = len >= 3 && memcmp(text, UTF8_MARK, 3) == 0 ? 3 : 0;

    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return true;
    while (at < len && text[at] && strchr(CONFIG_BLANKS, text[at]))
        at++;
    return at == len || text[at] == '<';
}

/* libvirt and xl take a block device for one, and a file, whatever the configuration calls it.
 * Where there is nothing yet, it stays as that has it. */
void config_settle_disks(struct domain_config *c)
{
    struct stat st;

    for (size_t i = 0; i < c->nr_disks; i++) {
        if (stat(c->disks[i].source, &st) == 0 && (S_ISBLK(st.st_mode) || S_ISREG(st.st_mode)))
            c->disks[i].kind = S_ISBLK(st.st_mode) ? DISK_BLOCK : DISK_FILE;
    }
}

int config_text_read(const char *text, size_t len, const struct config_how *how,
                     struct domain_config *out, struct findings *f)
{
    if (begins_as_xml(text, len))
        return domain_config_xml(text, len, how, out, f);
    if (len >= 3 && memcmp(text, UTF8_MARK, 3) == 0) {
        text += 3;
        len -= 3;
    }
    return config_xl_read(text, len, how, out, f);
}

static int read_all(int fd, const struct config_how *how, struct domain_config *out,
                    struct findings *f)
{
    char *buf = malloc(CONFIG_MAX_FILE + 1);
    size_t len = 0;
    ssize_t n = 1;
    int rc;

    while (buf && n > 0 && len <= CONFIG_MAX_FILE) {
        n = read(fd, buf + len, CONFIG_MAX_FILE + 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    rc = !buf ? -ENOMEM : n < 0 ? -errno : 0;
    if (rc)
        findings_error(f, rc, 0, "%s", error_reason(rc));
    else
        rc = config_text_read(buf, len, how, out, f);
    f->unread = !buf || n < 0 || rc == -ENOMEM;
    if (rc == 0)
        config_settle_disks(out);
    free(buf);
    return rc;
}

/* The standard input may be anything; a name is that of a file, not of a device or a pipe by
 * mistake.
 */
int config_file_read(const char *path, const struct config_how *how, struct domain_config *out,
                     struct findings *f)
{
    struct stat st;
    int fd, rc;

    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, how, out, f);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        f->unread = errno != ENOENT;
        findings_error(f, -errno, 0, "%s", strerror(errno));
        return f->code;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        findings_error(f, -EINVAL, 0, "not a regular file");
        rc = f->code;
    } else {
        rc = read_all(fd, how, out, f);
    }
    close(fd);
    return rc;
}
