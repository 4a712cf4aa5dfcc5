/* SPDX-License-Identifier: MIT */
/*
 * Xenstore client: one request at a time, watch events queued. See xenbus.h.
 *
 * Everything the daemon writes into the ring is checked before it is used: lengths against the
 * limit of the protocol, indices by taking them modulo the ring's size.
 */
#include <xen/io/xs_wire.h>

#include <guest/kernel.h>
#include <guest/xenbus.h>

#define WATCH_QUEUE 16
#define WATCH_TEXT  256

static struct xenstore_domain_interface *ring;
static evtchn_port_t port;
static uint32_t next_id = 1;
static char payload[XENSTORE_PAYLOAD_MAX + 1];

static struct {
    char text[WATCH_TEXT]; /* path NUL token NUL */
} queue[WATCH_QUEUE];
static unsigned int queue_head, queue_count;

static void store_event(evtchn_port_t p, void *ctx)
{
    (void)p; /* waiting code looks at the ring */
    (void)ctx;
}

int xenbus_init(void)
{
    if (ring)
        return 0;
    if (!start_info->store_mfn || !start_info->store_evtchn)
        return -XEN_ENODEV;
    ring = shared_page(start_info->store_mfn);
    if (!ring)
        return -XEN_ENODEV;
    port = start_info->store_evtchn;
    event_set_handler(port, store_event, NULL);
    return 0;
}

static bool can_read(void)
{
    return READ_ONCE(ring->rsp_prod) != ring->rsp_cons;
}

static bool can_write(void)
{
    return ring->req_prod - READ_ONCE(ring->req_cons) < XENSTORE_RING_SIZE;
}

static void put(const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        if (!can_write()) {
            event_send(port);
            event_wait(can_write());
        }
        ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = *p++;
        barrier();
        WRITE_ONCE(ring->req_prod, ring->req_prod + 1);
        len--;
    }
}

static void get(void *data, size_t len)
{
    char *p = data;

    while (len) {
        if (!can_read()) {
            event_send(port);
            event_wait(can_read());
        }
        barrier();
        *p++ = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
        barrier();
        WRITE_ONCE(ring->rsp_cons, ring->rsp_cons + 1);
        len--;
    }
}

static void queue_watch(uint32_t len)
{
    unsigned int slot = (queue_head + queue_count) % WATCH_QUEUE;

    if (queue_count == WATCH_QUEUE || len >= WATCH_TEXT)
        return; /* a program that does not take its events loses the newest */
    memcpy(queue[slot].text, payload, len);
    queue[slot].text[len] = '\0';
    queue_count++;
}

/* Reads one message into payload, terminated. */
static void receive(struct xsd_sockmsg *head)
{
    get(head, sizeof(*head));
    if (head->len > XENSTORE_PAYLOAD_MAX)
        panic("xenstore message of %u bytes", head->len);
    get(payload, head->len);
    payload[head->len] = '\0';
    event_send(port);
    if (head->type == XS_WATCH_EVENT)
        queue_watch(head->len);
}

/* The daemon sends errors by name. */
static int error_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {
        {"EINVAL", XEN_EINVAL}, {"EACCES", XEN_EACCES}, {"EEXIST", XEN_EEXIST},
        {"EISDIR", XEN_EISDIR}, {"ENOENT", XEN_ENOENT}, {"ENOMEM", XEN_ENOMEM},
        {"ENOSPC", XEN_ENOSPC}, {"EAGAIN", XEN_EAGAIN}, {"EBUSY", XEN_EBUSY},
        {"EPERM", XEN_EPERM},   {"ENOSYS", XEN_ENOSYS}, {"EIO", XEN_EIO},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(errors); i++)
        if (!strcmp(errors[i].name, name))
            return errors[i].number;
    return XEN_EIO;
}

struct part {
    const char *data;
    size_t len;
};

/* Sends the parts as one request and waits for its reply. Payload length or -XEN_E*. */
static int talk(uint32_t type, xenbus_transaction_t t, const struct part *parts, unsigned int n)
{
    struct xsd_sockmsg head = {.type = type, .req_id = next_id++, .tx_id = t};
    uint32_t id = head.req_id;

    if (!ring)
        return -XEN_ENODEV;
    for (unsigned int i = 0; i < n; i++)
        head.len += (uint32_t)parts[i].len;
    if (head.len > XENSTORE_PAYLOAD_MAX)
        return -XEN_E2BIG;
    put(&head, sizeof(head));
    for (unsigned int i = 0; i < n; i++)
        put(parts[i].data, parts[i].len);
    event_send(port);
    do
        receive(&head);
    while (head.type == XS_WATCH_EVENT || head.req_id != id);
    return head.type == XS_ERROR ? -error_number(payload) : (int)head.len;
}

static int talk_strings(uint32_t type, xenbus_transaction_t t, const char *a, const char *b)
{
    struct part parts[2] = {{a, strlen(a) + 1}, {b, b ? strlen(b) + 1 : 0}};

    return talk(type, t, parts, b ? 2 : 1);
}

static int copy_reply(int len, char *buf, size_t size)
{
    size_t n;

    if (len < 0)
        return len;
    n = (size_t)len < size ? (size_t)len : size - 1;
    memcpy(buf, payload, n);
    buf[n] = '\0';
    return (int)n;
}

int xenbus_read(xenbus_transaction_t t, const char *path, char *buf, size_t size)
{
    return copy_reply(talk_strings(XS_READ, t, path, NULL), buf, size);
}

int xenbus_directory(xenbus_transaction_t t, const char *path, char *buf, size_t size)
{
    return copy_reply(talk_strings(XS_DIRECTORY, t, path, NULL), buf, size);
}

int xenbus_write(xenbus_transaction_t t, const char *path, const char *value)
{
    /* The value is what remains of the payload: no terminator. */
    struct part parts[2] = {{path, strlen(path) + 1}, {value, strlen(value)}};
    int rc = talk(XS_WRITE, t, parts, 2);

    return rc < 0 ? rc : 0;
}

int xenbus_mkdir(xenbus_transaction_t t, const char *path)
{
    int rc = talk_strings(XS_MKDIR, t, path, NULL);

    return rc < 0 ? rc : 0;
}

int xenbus_rm(xenbus_transaction_t t, const char *path)
{
    int rc = talk_strings(XS_RM, t, path, NULL);

    return rc < 0 ? rc : 0;
}

int xenbus_transaction_start(xenbus_transaction_t *t)
{
    int rc = talk_strings(XS_TRANSACTION_START, XBT_NIL, "", NULL);
    uint64_t id;

    if (rc < 0)
        return rc;
    if (!parse_number(payload, strlen(payload), &id))
        return -XEN_EIO;
    *t = (xenbus_transaction_t)id;
    return 0;
}

int xenbus_transaction_end(xenbus_transaction_t t, bool abort)
{
    int rc = talk_strings(XS_TRANSACTION_END, t, abort ? "F" : "T", NULL);

    return rc < 0 ? rc : 0;
}

int xenbus_watch(const char *path, const char *token)
{
    int rc = talk_strings(XS_WATCH, XBT_NIL, path, token);

    return rc < 0 ? rc : 0;
}

int xenbus_unwatch(const char *path, const char *token)
{
    int rc = talk_strings(XS_UNWATCH, XBT_NIL, path, token);

    return rc < 0 ? rc : 0;
}

bool xenbus_has_work(void)
{
    return queue_count || (ring && can_read());
}

bool xenbus_watch_next(char *path, size_t path_size, char *token, size_t token_size)
{
    const char *text;

    while (!queue_count && ring && can_read()) {
        struct xsd_sockmsg head;

        receive(&head); /* outside a request only watch events come */
    }
    if (!queue_count)
        return false;
    text = queue[queue_head].text;
    strlcpy(path, text, path_size);
    strlcpy(token, text + strnlen(text, WATCH_TEXT - 2) + 1, token_size);
    queue_head = (queue_head + 1) % WATCH_QUEUE;
    queue_count--;
    return true;
}
