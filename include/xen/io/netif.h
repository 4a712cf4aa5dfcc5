/* SPDX-License-Identifier: MIT */
/*
 * Network interfaces: front end in the guest, back end where the network is.
 *
 * Two rings. tx: the guest asks to send a granted buffer and is told when it may have it back. rx:
 * it hands in empty granted buffers and gets them back filled. Named from the guest's side.
 *
 * Keys in xenstore. Back end: feature-rx-copy (always 1), feature-sg, feature-gso-tcpv4,
 * feature-gso-tcpv6, feature-no-csum-offload, feature-ipv6-csum-offload,
 * feature-split-event-channels, multi-queue-max-queues, feature-multicast-control. Front end:
 * tx-ring-ref, rx-ring-ref, event-channel (or event-channel-tx and -rx), request-rx-copy (1),
 * feature-rx-notify, feature-sg, and so on; mac is written by the tools.
 *
 * A packet is one slot, or several chained by *_more_data; after the first slot of it,
 * *_extra_info announces slots of type netif_extra_info. In tx the first slot's `size` is that of
 * the whole packet, the others' of their part; in rx each of its part.
 *
 * The control ring (hashes to choose a queue) is used by few; numbers and layouts follow below.
 *
 * How an interface comes up, both sides by the states of xenbus.h:
 *
 *     back   InitWait: features written          front  reads them, makes two rings and a channel,
 *                                                       writes tx-ring-ref, rx-ring-ref,
 *                                                       event-channel, request-rx-copy: Initialised
 *     back   maps the rings, binds the channel,
 *            joins the bridge: Connected         front  Connected: fills rx with empty pages
 *
 * Sending one packet of 1500 bytes that lies in one page: one tx request {gref,
 * offset, flags 0, id, size 1500}; push; event if asked for. When the response with
 * that id comes, its grant is no longer in use: revoke it and free the page. status
 * tells whether it went out.
 *
 * Sending 9000 bytes in three pages, to be cut into segments by the other side:
 *
 *     slot 0   size 9000 (the whole packet), flags more_data | extra_info | csum_blank
 *     slot 1   netif_extra_info {type GSO, flags 0, u.gso {size 1448, type TCPV4}}
 *     slot 2   size of the second part, flags more_data
 *     slot 3   size of the third part, flags 0
 *
 * Four slots take four responses: that of slot 1 has status NULL. The first part's own
 * size is the whole less the others.
 *
 * Receiving: the guest keeps rx filled with granted empty pages. The back end copies a
 * packet in and answers {id, offset, flags, status = bytes}. A packet of several pages
 * is several responses with more_data; an extra one stands between as a slot of the
 * same size. After taking them the guest puts new pages in. A guest that puts none in
 * loses packets, which is its way to say "slower".
 *
 * Checksums: csum_blank says that the sender has left the TCP or UDP checksum as the
 * sum of the pseudo-header alone, for whoever sends it over a wire to complete;
 * data_validated that it is right or does not matter. Between two guests of one
 * machine nobody ever computes one.
 *
 * Trust, for a back end: offset + size must stay in the page; chains must end within
 * XEN_NETIF_NR_SLOTS_MIN slots; a first slot's size must be at least the sum of the
 * others'. A front end that breaks this is disconnected. For a front end: status is a
 * length only when it is positive, and at most what is left of its page.
 */
#ifndef XEN_IO_NETIF_H
#define XEN_IO_NETIF_H

#include <xen/grant_table.h>
#include <xen/io/ring.h>

/*
 * Slots that a packet may take at most, as every back end must cope with.
 *
 * 64 KiB in pages of 4 KiB, badly aligned, are 17 parts, and one more slot tells of
 * segmentation. A front end that keeps to it works with every back end. No packet is
 * longer than XEN_NETIF_MAX_TX_SIZE bytes.
 */
#define XEN_NETIF_NR_SLOTS_MIN 18
#define XEN_NETIF_MAX_TX_SIZE  0xFFFF

/*
 * Flags of a tx request. The second pair are about slots: both may be set in one.
 */
#define _NETTXF_csum_blank     0
#define NETTXF_csum_blank      (1U << _NETTXF_csum_blank) /* checksum not filled in yet */
#define _NETTXF_data_validated 1
#define NETTXF_data_validated  (1U << _NETTXF_data_validated) /* no need to check it */
#define _NETTXF_more_data      2
#define NETTXF_more_data       (1U << _NETTXF_more_data) /* the packet goes on in the next slot */
#define _NETTXF_extra_info     3
#define NETTXF_extra_info      (1U << _NETTXF_extra_info) /* the next slot is a netif_extra_info */

/*
 * 12 bytes. id is the front end's own number for the request: an index into its table
 * of pages on the way. The grant must allow reading; the back end only copies from it.
 */
struct netif_tx_request {
    grant_ref_t gref;
    uint16_t offset; /* in the page */
    uint16_t flags;  /* NETTXF_* */
    uint16_t id;     /* given back */
    uint16_t size;   /* bytes, see above */
};
typedef struct netif_tx_request netif_tx_request_t;

/*
 * One for each request slot and each extra slot, in any order of packets.
 */
struct netif_tx_response {
    uint16_t id;
    /* NETIF_RSP_*; NULL for extra slots */
    int16_t status;
};
typedef struct netif_tx_response netif_tx_response_t;

/*
 * id again comes back; most front ends use the slot's index. The grant must allow
 * writing.
 */
struct netif_rx_request {
    uint16_t id; /* given back */
    uint16_t pad;
    /* an empty page, writable */
    grant_ref_t gref;
};
typedef struct netif_rx_request netif_rx_request_t;

/*
 * Flags of an rx response, with the meanings of those of tx seen from the receiver: it
 * can believe data_validated as far as it believes its back end.
 */
#define _NETRXF_data_validated 0
#define NETRXF_data_validated  (1U << _NETRXF_data_validated)
#define _NETRXF_csum_blank     1
#define NETRXF_csum_blank      (1U << _NETRXF_csum_blank)
#define _NETRXF_more_data      2
#define NETRXF_more_data       (1U << _NETRXF_more_data)
#define _NETRXF_extra_info     3
#define NETRXF_extra_info      (1U << _NETRXF_extra_info)
#define _NETRXF_gso_prefix     4
#define NETRXF_gso_prefix      (1U << _NETRXF_gso_prefix) /* the older way of GSO */

/*
 * When status is negative the page came back empty. A packet's flags are those of its
 * first slot, but for more_data, which each slot has for itself.
 */
struct netif_rx_response {
    uint16_t id;
    uint16_t offset; /* in the page */
    uint16_t flags;  /* NETRXF_* */
    /* bytes, or NETIF_RSP_* when negative */
    int16_t status;
};
typedef struct netif_rx_response netif_rx_response_t;

/* A slot of tx or rx that tells more about the packet. */
#define XEN_NETIF_EXTRA_TYPE_NONE      0
#define XEN_NETIF_EXTRA_TYPE_GSO       1 /* to be cut in segments */
#define XEN_NETIF_EXTRA_TYPE_MCAST_ADD 2 /* wants this multicast address */
#define XEN_NETIF_EXTRA_TYPE_MCAST_DEL 3
#define XEN_NETIF_EXTRA_TYPE_HASH      4
#define XEN_NETIF_EXTRA_TYPE_MAX       5
#define _XEN_NETIF_EXTRA_FLAG_MORE     0
#define XEN_NETIF_EXTRA_FLAG_MORE      (1U << _XEN_NETIF_EXTRA_FLAG_MORE) /* another one follows */
#define XEN_NETIF_GSO_TYPE_NONE        0
#define XEN_NETIF_GSO_TYPE_TCPV4       1
#define XEN_NETIF_GSO_TYPE_TCPV6       2

/*
 * It takes the place of a request or response, hence its 8 bytes. With FLAG_MORE
 * another one follows. GSO: size is the payload of each segment (TCP's maximum segment
 * size). MCAST_ADD, MCAST_DEL: an address that the guest wants to hear, when the back
 * end filters; sent without a packet. HASH: what the back end computed over the
 * packet, so that the guest can spread packets over vCPUs.
 */
struct netif_extra_info {
    /* XEN_NETIF_EXTRA_TYPE_* */
    uint8_t type;
    /* XEN_NETIF_EXTRA_FLAG_* */
    uint8_t flags;
    union {
        struct {
            /* of a segment's payload */
            uint16_t size;
            /* XEN_NETIF_GSO_TYPE_* */
            uint8_t type;
            uint8_t pad;
            uint16_t features; /* 0 */
        } gso;
        struct {
            uint8_t addr[6];
        } mcast;
        struct {
            /* _XEN_NETIF_CTRL_HASH_TYPE_* */
            uint8_t type;
            /* XEN_NETIF_CTRL_HASH_ALGORITHM_* */
            uint8_t algorithm;
            uint8_t value[4];
        } hash;
        uint16_t pad[3];
    } u;
};
typedef struct netif_extra_info netif_extra_info_t;

/*
 * DROPPED is no fault: the network was full. ERROR: the request made no sense, or its
 * grant failed.
 */
#define NETIF_RSP_DROPPED (-2)
#define NETIF_RSP_ERROR   (-1)
#define NETIF_RSP_OKAY    0
#define NETIF_RSP_NULL    1 /* no response: the slot was an extra one */

DEFINE_RING_TYPES(netif_tx, struct netif_tx_request, struct netif_tx_response);
DEFINE_RING_TYPES(netif_rx, struct netif_rx_request, struct netif_rx_response);

/*
 * The control ring (feature-ctrl-ring): which hash the back end uses to choose a
 * queue.
 *
 * Queues: with multi-queue-num-queues = n each queue has its own pair of rings, in
 * queue-0 .. queue-(n-1). Without a control ring the sender of packets to the guest
 * chooses by a hash of its own. With one, the guest sets algorithm, key, types of
 * packets, and a table from hash to queue.
 */
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV4         0
#define XEN_NETIF_CTRL_HASH_TYPE_IPV4          (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV4)
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP     1
#define XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP      (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP)
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV6         2
#define XEN_NETIF_CTRL_HASH_TYPE_IPV6          (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV6)
#define _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP     3
#define XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP      (1 << _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)
#define XEN_NETIF_CTRL_HASH_ALGORITHM_NONE     0
#define XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ 1

/*
 * The arguments are in data[]. A request that hands over an array names it by a grant:
 * the back end copies it and lets go before it answers. ADD and DEL_GREF_MAPPING
 * announce pages that stay mapped, which saves a mapping for each packet.
 */
#define XEN_NETIF_CTRL_TYPE_INVALID               0
#define XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS        1 /* -> types that can be set */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS        2 /* data[0]: types */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_KEY          3 /* data: grant, bytes */
#define XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE 4 /* -> entries */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE 5 /* data[0]: entries */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING      6 /* data: grant, entries, first */
#define XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM    7 /* data[0]: algorithm */
#define XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE 8
#define XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING      9
#define XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING      10
struct xen_netif_ctrl_request {
    uint16_t id;
    /* XEN_NETIF_CTRL_TYPE_* */
    uint16_t type;
    uint32_t data[3];
};

/*
 * BUFFER_OVERFLOW: more than the back end can hold. A back end without control ring
 * offers none.
 */
#define XEN_NETIF_CTRL_STATUS_SUCCESS           0
#define XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED     1
#define XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER 2
#define XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW   3
struct xen_netif_ctrl_response {
    uint16_t id;
    uint16_t type;
    /* XEN_NETIF_CTRL_STATUS_* */
    uint32_t status;
    uint32_t data;
};

#define _XEN_NETIF_CTRLF_GREF_readonly 0
#define XEN_NETIF_CTRLF_GREF_readonly  (1U << _XEN_NETIF_CTRLF_GREF_readonly)

/*
 * An element of the array that ADD and DEL_GREF_MAPPING name.
 */
struct xen_netif_gref {
    grant_ref_t ref;
    uint16_t flags;
    uint16_t status; /* out */
};

DEFINE_RING_TYPES(xen_netif_ctrl, struct xen_netif_ctrl_request, struct xen_netif_ctrl_response);

#endif /* XEN_IO_NETIF_H */
