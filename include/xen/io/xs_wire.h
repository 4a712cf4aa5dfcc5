/* SPDX-License-Identifier: MIT */
/*
 * What goes over the wire to xenstored: a guest's shared page, or a socket in the control domain.
 *
 * Each message is a header and len bytes. The client numbers its requests (req_id); the answer
 * has the same type and number, or type XS_ERROR with an error's name ("ENOENT") as payload.
 * Watch events come unasked, type XS_WATCH_EVENT, payload path NUL token NUL. Strings in
 * payloads end with NUL except a value that is read or written. tx_id is 0 outside transactions.
 *
 * The page has two byte rings of the same kind as the console's (io/console.h).
 *
 * What the store is: a tree of small values by which domains find each other,
 * /local/domain/<n> for each domain. A guest owns parts of its own directory, and a
 * relative path of a guest begins there: "device/vif/0/state". Values are bytes, by
 * convention text.
 *
 * A guest reads its own number:
 *
 *     header {type XS_READ, req_id 1, tx_id 0, len 6}  payload "domid" NUL
 *     header {type XS_READ, req_id 1, tx_id 0, len 1}  payload "5"
 *
 * and waits for a back end:
 *
 *     XS_WATCH  "/local/domain/0/backend/vif/5/0/state" NUL "my token" NUL   -> "OK" NUL
 *     ... XS_WATCH_EVENT  path NUL "my token" NUL, at once and at each change
 *
 * A watch fires for the node and all below it. An event says that something may have
 * changed, not what it is now: read it. Several changes may be one event.
 *
 * A transaction sees the tree as it was at its start, with its own changes; at the end
 * all of them become true at once or, when somebody else changed what it looked at,
 * none: EAGAIN, and the client does it again from the start. A client holds few at a
 * time, and not for long.
 *
 * Permissions of a node: the first says who owns it and what all others may; those
 * after it what single domains may. n nothing, r read, w write, b both.
 */
#ifndef XEN_IO_XS_WIRE_H
#define XEN_IO_XS_WIRE_H

#include <stdint.h>

/* In brackets: payload of the request -> of the answer, when not just "OK". */
enum xsd_sockmsg_type {
    XS_CONTROL,              /* command NUL args.. -> text; control domain */
    XS_DIRECTORY,            /* path NUL -> names, each with NUL */
    XS_READ,                 /* path NUL -> value */
    XS_GET_PERMS,            /* path NUL -> "n<domid>" NUL ...: owner, then others: n r w b */
    XS_WATCH,                /* path NUL token NUL; fires once at once */
    XS_UNWATCH,              /* path NUL token NUL */
    XS_TRANSACTION_START,    /* NUL -> number NUL */
    XS_TRANSACTION_END,      /* "T" or "F" NUL; EAGAIN: do it again */
    XS_INTRODUCE,            /* domid NUL mfn NUL port NUL; control domain */
    XS_RELEASE,              /* domid NUL; control domain */
    XS_GET_DOMAIN_PATH,      /* domid NUL -> path NUL */
    XS_WRITE,                /* path NUL value; makes missing parents */
    XS_MKDIR,                /* path NUL */
    XS_RM,                   /* path NUL */
    XS_SET_PERMS,            /* path NUL perms, each with NUL */
    XS_WATCH_EVENT,          /* from the daemon alone */
    XS_ERROR,                /* from the daemon alone */
    XS_IS_DOMAIN_INTRODUCED, /* domid NUL -> "T" or "F" NUL */
    XS_RESUME,               /* domid NUL; control domain: its suspend was cancelled */
    XS_SET_TARGET,           /* domid NUL target NUL; control domain */
    /* one number is out of use */
    XS_RESET_WATCHES = XS_SET_TARGET + 2, /* NUL: forget all watches and transactions */
    XS_DIRECTORY_PART,                    /* path NUL offset NUL -> generation NUL names.. */
    XS_TYPE_COUNT,                        /* one more than the last */
    XS_INVALID = 0xffff
};
#define XS_DEBUG XS_CONTROL

/* How a write may deal with what is there. */
#define XS_WRITE_NONE        "NONE"
#define XS_WRITE_CREATE      "CREATE"
#define XS_WRITE_CREATE_EXCL "CREATE|EXCL"

/*
 * 16 bytes, in the order of the machine, then len bytes of payload, at most
 * XENSTORE_PAYLOAD_MAX. Requests of one connection are answered in order, but for
 * events in between.
 */
struct xsd_sockmsg {
    uint32_t type; /* XS_* */
    /* chosen by the client, given back */
    uint32_t req_id;
    uint32_t tx_id; /* transaction, or 0 */
    /* of the payload, which follows */
    uint32_t len;
};

/* The two strings in a watch event, in this order. */
enum xs_watch_type { XS_WATCH_PATH = 0, XS_WATCH_TOKEN };

#define XENSTORE_RING_SIZE 1024
typedef uint32_t XENSTORE_RING_IDX;
#define MASK_XENSTORE_IDX(idx) ((idx) & (XENSTORE_RING_SIZE - 1))

/*
 * The page and its port are in start_info. A message may be cut anywhere by the end of
 * the ring or for want of room: copy what fits, advance, send an event, wait, go on.
 * The daemon looks at an index only modulo the ring, and drops a guest whose indices
 * differ by more than the ring holds.
 */
struct xenstore_domain_interface {
    char req[XENSTORE_RING_SIZE]; /* guest to daemon */
    /* daemon to guest, watch events too */
    char rsp[XENSTORE_RING_SIZE];
    /* cons by daemon, prod by guest */
    XENSTORE_RING_IDX req_cons, req_prod;
    /* cons by guest, prod by daemon */
    XENSTORE_RING_IDX rsp_cons, rsp_prod;
    /* XENSTORE_SERVER_FEATURE_* */
    uint32_t server_features;
    /* XENSTORE_CONNECTED or _RECONNECT */
    uint32_t connection;
    uint32_t error; /* XENSTORE_ERROR_* */
};

/*
 * Longer ones are a violation: the daemon drops the connection.
 *
 * Names are made of A-Z a-z 0-9 - / _ @ and nothing else.
 */
#define XENSTORE_PAYLOAD_MAX  4096
#define XENSTORE_ABS_PATH_MAX 3072
#define XENSTORE_REL_PATH_MAX 2048

#define XENSTORE_SERVER_FEATURE_RECONNECTION 1 /* the guest may ask for a new start */
#define XENSTORE_SERVER_FEATURE_ERROR        2 /* the daemon says in `error` what was wrong */

#define XENSTORE_CONNECTED 0
#define XENSTORE_RECONNECT 1 /* set by the guest, cleared by the daemon when it is done */

#define XENSTORE_ERROR_NONE    0
#define XENSTORE_ERROR_COMM    1 /* communication problem */
#define XENSTORE_ERROR_RINGIDX 2 /* an index is out of range */
#define XENSTORE_ERROR_PROTO   3 /* a message breaks the protocol */

#endif /* XEN_IO_XS_WIRE_H */
