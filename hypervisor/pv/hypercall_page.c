/* SPDX-License-Identifier: MIT */
/*
 * The hypercall page: a page of the guest, one stub of 32 bytes a hypercall, that the guest calls
 * at number * 32. RCX and R11 are kept for the caller, since SYSCALL clobbers them. The iret stub
 * is jumped at and does not come back; what it pushes is the top of struct iret_context.
 */
#include <parvis/string.h>
#include <pv/pv_bits.h>
#include <xen/xen.h>

#define STUB_SIZE 32

static const uint8_t call_stub[] = {
    0x51,                /* push rcx    */
    0x41, 0x53,          /* push r11    */
    0xb8, 0,    0, 0, 0, /* mov eax, nr */
    0x0f, 0x05,          /* syscall     */
    0x41, 0x5b,          /* pop r11     */
    0x59,                /* pop rcx     */
    0xc3,                /* ret         */
};
#define CALL_STUB_NR 4

static const uint8_t iret_stub[] = {
    0x51,                /* push rcx    */
    0x41, 0x53,          /* push r11    */
    0x50,                /* push rax    */
    0xb8, 0,    0, 0, 0, /* mov eax, nr */
    0x0f, 0x05,          /* syscall     */
};
#define IRET_STUB_NR 5

void pv_fill_hypercall_page(void *page)
{
    uint8_t *stub = page;

    memset(page, 0xcc, PAGE_SIZE);
    for (uint32_t nr = 0; nr < PAGE_SIZE / STUB_SIZE; nr++, stub += STUB_SIZE) {
        if (nr == __HYPERVISOR_iret) {
            memcpy(stub, iret_stub, sizeof(iret_stub));
            memcpy(stub + IRET_STUB_NR, &nr, sizeof(nr));
        } else {
            memcpy(stub, call_stub, sizeof(call_stub));
            memcpy(stub + CALL_STUB_NR, &nr, sizeof(nr));
        }
    }
}
