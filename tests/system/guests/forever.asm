; SPDX-License-Identifier: MIT
; A guest that never stops: after one line it loops with events masked, and answers nobody.
default rel
%include "guest.inc"
start:
    say "forever: looping"
.loop:
    jmp .loop
