// SPDX-License-Identifier: Apache-2.0
// Inside a look-up-table RAM of two lanes: `spied` is the word at `spy`, which the module around it chooses. Nothing is claimed here.
wire [7:0] spy;
wire [$bits({read_1, read_0})-1:0] spied = words[spy];
