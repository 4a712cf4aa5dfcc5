/* SPDX-License-Identifier: MIT */
/*
 * The states by which the two halves of a driver find together through xenstore.
 *
 * Each half has a directory (device/<kind>/<n> in the guest's home, backend/<kind>/<domid>/<n> in
 * the server's), a key `state` in it, and a watch on the other's. Usual course:
 *   front  Initialising -> Initialised (ring and port written) -> Connected -> Closing -> Closed
 *   back   Initialising -> InitWait (features written) -> Connected -> Closing -> Closed
 * The value in the store is the decimal number.
 *
 * A half changes its own state alone, after everything that the state promises is
 * written. A watch that fires tells the other to look. A value that makes no sense, or
 * none at all, is Unknown: the other is gone, or not there yet. Whoever cannot go on
 * writes why to the key `error` under /local/domain/<n>/error/ and goes to Closing.
 *
 * A disk of guest 5, as it stands in the store when both halves are connected:
 *
 *     /local/domain/5/device/vbd/51712/backend          /local/domain/0/backend/vbd/5/51712
 *                                      backend-id       0
 *                                      virtual-device   51712
 *                                      ring-ref         8
 *                                      event-channel    15
 *                                      state            4
 *     /local/domain/0/backend/vbd/5/51712/frontend      /local/domain/5/device/vbd/51712
 *                                         frontend-id   5
 *                                         physical-device  7:0
 *                                         mode          w
 *                                         sectors       204800
 *                                         state         4
 *
 * The tools write both directories with state 1 and all that is known before; each
 * half adds its own keys in its own directory. The guest may write in its half alone,
 * and can read the other.
 */
#ifndef XEN_IO_XENBUS_H
#define XEN_IO_XENBUS_H

enum xenbus_state {
    XenbusStateUnknown = 0,
    XenbusStateInitialising = 1,
    XenbusStateInitWait = 2,    /* waits for information from the other or from hotplug */
    XenbusStateInitialised = 3, /* waits for the other to connect */
    XenbusStateConnected = 4,
    XenbusStateClosing = 5, /* an error, or on the way out */
    XenbusStateClosed = 6,
    XenbusStateReconfiguring = 7, /* of a bus (PCI): part of it comes or goes */
    XenbusStateReconfigured = 8
};
typedef enum xenbus_state XenbusState;

#endif /* XEN_IO_XENBUS_H */
