; SPDX-License-Identifier: MIT
; A guest that floods its console, without end.
default rel
%include "guest.inc"
start:
    say "flood: the same line again and again and again, as fast as it goes, for as long as I live"
    jmp start
