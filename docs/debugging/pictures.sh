#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the pictures of docs/debugging.md anew: runs its test, which leaves the two waves, and takes a picture of each in GTKWave.
# Needs gtkwave, xvfb and xauth (Debian: apt-get install gtkwave xvfb xauth).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
waves=$(mktemp -d)
trap 'rm -rf "$waves"' EXIT
cd "$here/../.."
QUADER_DEBUGGING=$waves cargo test --workspace --test debugging -- --nocapture
for name in broken right; do
    # Cycle 0 is where the program begins.
    code=$(awk '$1 == "$var" && $5 == "program" { print $4; exit }' "$waves/$name.vcd")
    start=$(awk -v code="$code" '/^#/ { time = substr($0, 2) } $2 == code && $1 == "b1" { print time; exit }' "$waves/$name.vcd")
    cat > "$waves/picture.tcl" <<TCL
gtkwave::setZoomRangeTimes $((start + 2030)) $((start + 2160))
for {set i 0} {\$i < 20} {incr i} { gtkwave::nop }
gtkwave::/File/Grab_To_File $here/$name.png
exit
TCL
    # From its folder, so that the window's title is the name alone.
    (cd "$waves" && xvfb-run -a -s '-screen 0 1600x900x24' gtkwave -S picture.tcl "$name.vcd" "$here/signals.gtkw" > /dev/null 2>&1)
done
