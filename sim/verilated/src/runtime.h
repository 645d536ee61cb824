// SPDX-License-Identifier: Apache-2.0
// Included before everything else: $fatal, $stop and $finish are answered by shim.cpp instead of ending the process,
// and what the design prints goes to Rust.
#ifndef VERILATED_RS_RUNTIME_H_
#define VERILATED_RS_RUNTIME_H_
#define VL_USER_FINISH
#define VL_USER_STOP
#define VL_USER_FATAL
#define VL_USER_WARN
extern "C" __attribute__((visibility("hidden"))) int verilated_rs_printf(const char* format, ...);
#define VL_PRINTF verilated_rs_printf
#endif
