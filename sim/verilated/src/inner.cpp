// SPDX-License-Identifier: Apache-2.0
// Behind shim.cpp in a model with signals that are looked at from outside: finds one of them by its name.
#include "verilated_syms.h"

// shape: bytes, bits and number of its elements. Returns 0, or 1 without such a scope, 2 without such a signal there, 3 for arrays of arrays.
extern "C" __attribute__((visibility("default"))) int32_t verilated_rs_inner(void* instance, const char* scope,
                                                                            const char* name, void** address,
                                                                            uint64_t* shape) {
    Instance* const self = static_cast<Instance*>(instance);
    const std::string path = std::string{"TOP."} + scope;
    const VerilatedScope* const found = self->context.scopeFind(path.c_str());
    if (!found) return 1;
    const VerilatedVar* const signal = found->varFind(name);
    if (!signal) return 2;
    if (signal->udims() > 1 || (signal->udims() == 1 && signal->low(1) != 0)) return 3;
    *address = signal->datap();
    shape[0] = signal->entSize();
    shape[1] = signal->entBits();
    shape[2] = signal->udims() ? static_cast<uint64_t>(signal->elements(1)) : 1;
    return 0;
}
