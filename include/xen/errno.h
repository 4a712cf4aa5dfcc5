/* SPDX-License-Identifier: MIT */
/*
 * Error numbers of the hypercall ABI.
 *
 * A hypercall answers with a number in rax: zero or more is success (some calls return a
 * count or an identifier), and a small negative number is the error, -XEN_E<name>. The
 * numbers are frozen here, not taken from the C library of guest or hypervisor, because both
 * ends must agree even when they were built against different libraries. Most of them happen
 * to equal Linux's numbers; nothing may rely on that.
 *
 * The list is a table: XEN_ERRNO_TABLE(ROW) expands ROW(name, number, "sentence") for each
 * error, so that the constants below, a name printer in the log, and a message table in the
 * tools are all made from the same rows:
 *
 *     #define ROW(name, number, text) [number] = #name,
 *     static const char *const errno_names[] = { XEN_ERRNO_TABLE(ROW) };
 *
 * Two names are aliases (EWOULDBLOCK, EDEADLOCK) and therefore stand outside the table.
 * XEN_ERESTART never reaches a guest: inside the hypervisor it says "re-issue this call".
 *
 * How to read an answer in C: `long r = call(...); if (r < 0) error is -r`. A result
 * is never between -4095 and -1 but as an error; addresses are not returned.
 *
 * Which are worth a second try: EAGAIN and EBUSY, when the caller can wait for what is
 * in use. ENOMEM may be met by giving memory back. All others say that the same call
 * will fail again.
 *
 * Where an error comes from is in the log: each refusal that a domain causes has a
 * line with the domain, the hypercall, the field and the rule (`pvctl dmesg`); a few a
 * second of one domain at most.
 */
#ifndef XEN_ERRNO_H
#define XEN_ERRNO_H

/* clang-format off */

/*
 * How a row is used by the three who need it: the enum below makes XEN_EPERM and the
 * rest; the log prints the name; the tools print the sentence after what they tried. A
 * number that is not in the table is shown as a number.
 *
 * What the commonest mean in nearly every call, beside what each call says of them:
 *
 *     EPERM     the caller is no control domain, or not that of the domain it names
 *     ESRCH     a domain number that is nobody's, or whose domain is dying
 *     ENOENT    a vCPU that the domain does not have
 *     EFAULT    an address in an argument could not be read or written, in part or whole
 *     EINVAL    a value is outside what the call takes; the log line names it
 *     E2BIG     more elements than the call takes at once: make several calls
 *     ENOBUFS   the buffer is too small for the whole answer; ask with a null handle for its size
 *     ENOSPC    a table with a fixed number of places is full: ports, handles, vectors
 *     ENOMEM    the machine or the domain's limit has no more pages
 *     EEXIST    it is there already; often as good as success
 *     EBUSY     somebody else uses it
 *     ENOSYS    a call or command that is not known: go without it
 *     EOPNOTSUPP  known, and not built: go without it
 *     EACCES    a control call of another interface version
 */
#define XEN_ERRNO_TABLE(ROW)                                                             \
    ROW(EPERM,           1, "the caller's privilege does not cover this")                \
    ROW(ENOENT,          2, "no such vCPU, port or object")                              \
    ROW(ESRCH,           3, "no such domain")                                            \
    ROW(EINTR,           4, "interrupted before completion")                             \
    ROW(EIO,             5, "the device failed")                                         \
    ROW(ENXIO,           6, "no such device or address")                                 \
    ROW(E2BIG,           7, "the list is longer than allowed")                           \
    ROW(ENOEXEC,         8, "not an image that can be run")                              \
    ROW(EBADF,           9, "bad handle")                                                \
    ROW(ECHILD,         10, "no child")                                                  \
    ROW(EAGAIN,         11, "not now; try again")                                        \
    ROW(ENOMEM,         12, "out of memory, or over the domain's limit")                 \
    ROW(EACCES,         13, "interface version mismatch, or access denied")              \
    ROW(EFAULT,         14, "a guest address could not be read or written")              \
    ROW(EBUSY,          16, "in use")                                                    \
    ROW(EEXIST,         17, "exists already")                                            \
    ROW(EXDEV,          18, "spans two devices or regions")                              \
    ROW(ENODEV,         19, "no such device or mode")                                    \
    ROW(ENOTDIR,        20, "not a directory")                                           \
    ROW(EISDIR,         21, "is a directory")                                            \
    ROW(EINVAL,         22, "an argument is out of range or inconsistent")               \
    ROW(ENFILE,         23, "table full")                                                \
    ROW(EMFILE,         24, "too many open handles")                                     \
    ROW(ENOSPC,         28, "no free slot, or not enough room in the buffer")            \
    ROW(EROFS,          30, "read-only")                                                 \
    ROW(EMLINK,         31, "too many links")                                            \
    ROW(EDOM,           33, "argument outside the domain of the function")               \
    ROW(ERANGE,         34, "result does not fit")                                       \
    ROW(EDEADLK,        35, "would deadlock")                                            \
    ROW(ENAMETOOLONG,   36, "name too long")                                             \
    ROW(ENOLCK,         37, "no lock available")                                         \
    ROW(ENOSYS,         38, "this operation does not exist here")                        \
    ROW(ENOTEMPTY,      39, "not empty")                                                 \
    ROW(ENODATA,        61, "nothing to return")                                         \
    ROW(ETIME,          62, "the time asked for has passed")                             \
    ROW(EBADMSG,        74, "malformed message")                                         \
    ROW(EOVERFLOW,      75, "value too large")                                           \
    ROW(EILSEQ,         84, "illegal sequence")                                          \
    ROW(ERESTART,       85, "re-issue (internal to the hypervisor)")                     \
    ROW(ENOTSOCK,       88, "not a socket")                                              \
    ROW(EMSGSIZE,       90, "message too long")                                          \
    ROW(EOPNOTSUPP,     95, "known, but not supported here")                             \
    ROW(EADDRINUSE,     98, "address in use")                                            \
    ROW(EADDRNOTAVAIL,  99, "address not available")                                     \
    ROW(ENOBUFS,       105, "buffer too small")                                          \
    ROW(EISCONN,       106, "connected already")                                         \
    ROW(ENOTCONN,      107, "not connected")                                             \
    ROW(ETIMEDOUT,     110, "timed out")                                                 \
    ROW(ECONNREFUSED,  111, "connection refused")

enum xen_errno {
#define XEN_ERRNO_CONSTANT(name, number, text) XEN_##name = number,
    XEN_ERRNO_TABLE(XEN_ERRNO_CONSTANT)
#undef XEN_ERRNO_CONSTANT
    XEN_EWOULDBLOCK = XEN_EAGAIN,
    XEN_EDEADLOCK   = XEN_EDEADLK,
};
/* clang-format on */

#endif /* XEN_ERRNO_H */
