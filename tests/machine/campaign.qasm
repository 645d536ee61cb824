; The program of the fault campaign: every pipe, partial tiles, every kind of load and store, im2col, four dimensions, UB. b0 is read only, b1 write only, b2 both.
; It leaves the same memory whatever the buffers held before.
.equ A      0            ; L1: 13 x 37 of s8, nz
.equ B      0x800        ; 11 x 37 of s8, nz
.equ AT     0x1000       ; 21 x 18 of u8, nz, read transposed
.equ FILL   0x2000
.equ RUN    0x2400
.equ BACK   0x2600
.equ TILE   0x2800       ; results, nz
.equ FB     0x3000       ; 24 biases, scales, zero points
.equ CUBE   0x3400       ; four dimensions
.equ MOVED  0x3600       ; from UB, nz

mte2.load  dst=l1[FB] gm=b0[0x1003] rows=3 len_bytes=96 gm_stride=112 dst_stride=96  set mte1.0
mte2.load  dst=l1[A] gm=b0[0x3] rows=13 len_bytes=37 gm_stride=48 dst_stride=512 layout=nz  set mte1.1
mte2.load  dst=l1[B] gm=b0[0x400] rows=11 len_bytes=37 gm_stride=39 dst_stride=512 layout=nz  set mte1.2
mte2.load  dst=l1[AT] gm=b0[0x800] rows=21 len_bytes=18 gm_stride=32 dst_stride=1024 layout=nz  set mte1.3
mte2.fill  dst=l1[FILL] byte=0x5A rows=3 len_bytes=45 dst_stride=61  set mte3.0
mte2.load  dst=l1[RUN+1] gm=b0[0xC00] rows=4 len_bytes=64 gm_stride=64 dst_stride=80  set mte3.1

set        mte1.zero_point_a 3
mte1.loada dst=l0a[0] src=l1[A] panel_stride=512 rows=13 k=37 dtype=s8  wait mte2.1  set m.0 early
mte1.loadb dst=l0b[0] src=l1[B] panel_stride=512 rows=11 k=37 dtype=s8  wait mte2.2  set m.1 early
mte1.loadfb field=bias src=l1[FB] channel=4 count=24  wait mte2.0
mte1.loadfb field=scale src=l1[FB+96] channel=4 count=24  set fix.0
mte1.loadfb field=zero_point src=l1[FB+192] channel=4 count=24
set        mte1.zero_point_source 2
set        mte1.zero_point_channel_b 5
mte1.loada dst=l0a[4] src=l1[AT] panel_stride=1024 rows=18 k=21 dtype=u8 transpose  wait mte2.3  set m.2
mte1.loadb dst=l0b[4] src=l1[B] panel_stride=512 rows=11 k=21 dtype=s8  set m.3

set        mte1.map_height 4
set        mte1.map_width 24
set        mte1.line_stride 25
set        mte1.out_width 5
set        mte1.step_y 1
set        mte1.step_x 3
set        mte1.taps_x 2
set        mte1.tap_bytes 3
set        mte1.tap_step_y 1
set        mte1.tap_step_x 4
set        mte1.origin_y -1
set        mte1.origin_x -3
mte1.im2col dst=l0a[8] src=l1[A+3] out_y=0 out_x=1 tap_y=0 tap_x=1 tap_byte=1 rows=11 k=10 dtype=s8  set m.4
mte1.loadb dst=l0b[8] src=l1[B] panel_stride=512 rows=11 k=10 dtype=s8  set m.5

m.mmad     c=l0c[0] a=l0a[0] b=l0b[0] m=13 n=11 k=37 dtype_a=s8 dtype_b=s8  wait mte1.0 mte1.1  set fix.1 early
m.mmad     c=l0c[2] a=l0a[4] b=l0b[4] m=18 n=11 k=21 dtype_a=u8 dtype_b=s8  wait mte1.2 mte1.3
m.mmad     c=l0c[2] a=l0a[4] b=l0b[4] m=18 n=11 k=21 dtype_a=u8 dtype_b=s8 accumulate  set fix.2
m.mmad     c=l0c[4] a=l0a[8] b=l0b[8] m=11 n=11 k=10 dtype_a=s8 dtype_b=s8  wait mte1.4 mte1.5  set fix.3

set        fix.scale 0x3C23D70A
set        fix.zero_point -7
set        fix.clamp_low -100
set        fix.clamp_high 90000
fix.store  dst=b1[0x5] src=l0c[0] m=13 n=11 dst_stride=13 dtype_out=s8 relu bias channel=4  wait m.1 mte1.0
fix.store  dst=b1[0x400] src=l0c[2] m=18 n=11 dst_stride=48 dtype_out=int32 clamp  wait m.2
set        fix.zero_point 100
fix.store  dst=l1[TILE] src=l0c[2] m=18 n=11 dst_stride=1024 layout=nz dtype_out=u8 per_channel channel=4  set mte3.2
fix.store  dst=b1[0x900] src=l0c[0] m=13 n=11 dst_stride=512 layout=nz dtype_out=fp32 bias channel=6
set        fix.scale 0x51EB851F
set        fix.shift -6
fix.store  dst=b1[0x1160] src=l0c[4] m=11 n=11 dst_stride=13 dtype_out=u8 rounding=gemmlowp  wait m.3
fix.store  dst=ub[0x403] src=l0c[0] m=13 n=11 dst_stride=11 dtype_out=s8 per_channel channel=4  set mte3.6

mte3.store gm=b1[0x1003] src=l1[TILE] rows=18 len_bytes=11 gm_stride=19 src_stride=1024 layout=nz  wait fix.2
mte3.store gm=b1[0x1200] src=l1[FILL] rows=3 len_bytes=45 gm_stride=64 src_stride=61  wait mte2.0
mte3.store gm=b2[0x8] src=l1[RUN+1] rows=4 len_bytes=64 gm_stride=64 src_stride=80  wait mte2.1

set        mte2.count2 3
set        mte2.src_stride2 0x50
set        mte2.dst_stride2 0x40
set        mte2.count3 2
set        mte2.src_stride3 0x150
set        mte2.dst_stride3 0x100
mte2.load  dst=l1[CUBE] gm=b0[0xD01] rows=2 len_bytes=21 gm_stride=35 dst_stride=31  set mte3.4
set        mte2.count2 1
set        mte2.count3 1
set        mte3.count2 3
set        mte3.src_stride2 0x40
set        mte3.dst_stride2 40
set        mte3.count3 2
set        mte3.src_stride3 0x100
set        mte3.dst_stride3 119
mte3.store gm=b1[0xD02] src=l1[CUBE] rows=2 len_bytes=17 gm_stride=19 src_stride=31  wait mte2.4
set        mte3.count2 1
set        mte3.count3 1
set        mte3.dst_stride2 0
set        mte3.dst_stride3 0

mte2.load  dst=ub[0x105] gm=b0[0x40] rows=3 len_bytes=37 gm_stride=50 dst_stride=41  set mte3.5
mte2.fill  dst=ub[0x800] byte=0x77 rows=2 len_bytes=33 dst_stride=40  set mte3.7
mte3.move  dst=l1[MOVED] src=ub[0x105] rows=3 len_bytes=37 dst_stride=128 src_stride=41 layout=nz  wait mte2.5
mte3.store gm=b1[0xED0] src=l1[MOVED] rows=3 len_bytes=37 gm_stride=40 src_stride=128 layout=nz
mte3.store gm=b1[0xE10] src=ub[0x403] rows=13 len_bytes=11 gm_stride=13 src_stride=11  wait fix.6
mte3.store gm=b1[0xF50] src=ub[0x800] rows=2 len_bytes=33 gm_stride=36 src_stride=40  wait mte2.7

barrier
mte2.load  dst=l1[BACK+3] gm=b2[0x1D] rows=2 len_bytes=100 gm_stride=101 dst_stride=100  set mte3.3
mte3.store gm=b1[0x1300] src=l1[BACK+3] rows=1 len_bytes=200 gm_stride=203 src_stride=205  wait mte2.3
end
