; SPDX-License-Identifier: Apache-2.0
; A matrix product puts a scrambled text in order: C = A x B, where B is a permutation.
;
;   quader run examples/hello.qasm --mem examples/hello.txt --out hello-out.txt
;
; The memory image examples/hello.txt is a text of 27 lines of 17 bytes, 16 characters and a line end, counted from 0:
;
;   line 1..4    A, 4 x 16: the scrambled text, a uint8 per character
;   line 6..21   B, 16 x 16: characters `0` and `1`, uint8; with the zero point 48, the code of `0`, they are 0 and 1
;   line 23..26  room for C, 4 x 16
;
; All base registers hold the address of the image, so b0[x] is byte x of it.

.equ LINE   17                  ; bytes from one line to the next
.equ A_L1   0                   ; where A lies in L1: one panel of 4 rows x 32 bytes
.equ B_L1   512                 ; where B lies in L1: one panel of 16 rows x 32 bytes
.equ PANEL  512                 ; bytes of a panel; there is only one of each, so the stride is never used

; Parameters of the pipes. A `set` waits in the queue of its pipe, in front of what uses it.
set mte1.zero_point_b 48        ; subtracted from every element of B
set fix.scale 1.0               ; int32 sums times 1.0 ...
set fix.zero_point 0            ; ... plus 0, saturated to uint8

; MTE2: global memory to L1, into the nz layout that MTE1 reads. The flags tell MTE1 when each matrix is there.
mte2.load  dst=l1[A_L1] gm=b0[1*LINE] rows=4  len_bytes=16 gm_stride=LINE dst_stride=PANEL layout=nz  set mte1.0
mte2.load  dst=l1[B_L1] gm=b0[6*LINE] rows=16 len_bytes=16 gm_stride=LINE dst_stride=PANEL layout=nz  set mte1.1

; MTE1: L1 to the operand buffers. B lies as k x n, and the cube wants one row per column of C: `transpose` turns it.
mte1.loada dst=l0a[0] src=l1[A_L1] panel_stride=PANEL rows=4  k=16 dtype=u8            wait mte2.0  set m.0
mte1.loadb dst=l0b[0] src=l1[B_L1] panel_stride=PANEL rows=16 k=16 dtype=u8 transpose  wait mte2.1  set m.1

; M: the cube. All 4 x 16 x 16 products and their sums, in int32.
m.mmad     c=l0c[0] a=l0a[0] b=l0b[0] m=4 n=16 k=16 dtype_a=u8 dtype_b=u8  wait mte1.0 mte1.1  set fix.0

; FIX: int32 to uint8, and out to global memory. The stride leaves the line ends alone.
fix.store  dst=b0[23*LINE] src=l0c[0] m=4 n=16 dst_stride=LINE dtype_out=u8  wait m.0

end
