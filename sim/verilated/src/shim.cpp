// SPDX-License-Identifier: Apache-2.0
// The C interface of one model: a table of functions that Rust finds by the one exported symbol `verilated_rs_api`.
// ports.inc is written per model, one line PORT(index, member, "name", direction, msb, lsb) per port.
#include "Vdut.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

namespace {

struct PortInfo {
    const char* name;
    uint64_t bytes;
    int32_t direction;
    int32_t msb;
    int32_t lsb;
};

using PrintFunction = void (*)(const char* text, uint64_t length);
using WriteFunction = void (*)(void* stream, const char* text, uint64_t length);

// Thrown out of the model when the design stops itself: going on would let a loop that does not settle run for ever.
struct Stopped final {};

#if VM_TRACE
// The text of a waveform goes to Rust, which knows what becomes of it.
class Stream final : public VerilatedVcdFile {
public:
    WriteFunction function = nullptr;
    void* stream = nullptr;
    bool open(const std::string&) override { return true; }
    void close() override {}
    ssize_t write(const char* text, ssize_t length) override {
        function(stream, text, static_cast<uint64_t>(length));
        return length;
    }
};
#endif

struct Instance final {
    VerilatedContext context;
    Vdut* model = nullptr;
#if VM_TRACE
    Stream stream;  // before its user
    VerilatedVcdC* trace = nullptr;
#endif
    PrintFunction print = nullptr;
    std::string reported;  // the last line the design printed that tells of an error
    std::string error;     // why it stopped; empty while it runs
};

// The instance whose code runs on this thread, for the functions that the runtime calls without saying whose they are.
thread_local Instance* t_current = nullptr;
thread_local char t_create_error[1024] = "";

void enter(Instance* self) {
    Verilated::threadContextp(&self->context);
    t_current = self;
}

void stop(const char* file, int line, const char* message) {
    Instance* const self = t_current;
    if (!self) throw Stopped{};
    if (self->error.empty()) {
        // The runtime only knows "Verilog $stop"; what the design printed just before says why.
        if (!self->reported.empty()) self->error = self->reported;
        else if (file && file[0]) self->error = std::string{file} + ":" + std::to_string(line) + ": " + message;
        else self->error = message;
    }
    self->context.gotError(true);
    throw Stopped{};
}

template <typename Action>
int32_t guarded(Instance* self, Action action) {
    enter(self);
    try {
        action();
    } catch (const Stopped&) {
    } catch (const std::exception& e) {
        if (self->error.empty()) self->error = e.what();
    } catch (...) {
        if (self->error.empty()) self->error = "unknown C++ exception";
    }
    return self->error.empty() ? 0 : 1;
}

const PortInfo* ports(uint64_t* count) {
    static const Vdut* const m = nullptr;
    static const PortInfo table[] = {
#define PORT(index, member, name, direction, msb, lsb) {name, sizeof(m->member), direction, msb, lsb},
#include "ports.inc"
#undef PORT
        {nullptr, 0, 0, 0, 0}};
    *count = sizeof(table) / sizeof(table[0]) - 1;
    return table;
}

void addresses(Instance* self, void** out) {
#define PORT(index, member, name, direction, msb, lsb) out[index] = &self->model->member;
#include "ports.inc"
#undef PORT
    (void)self;
    (void)out;
}

void destroy(Instance* self) {
    enter(self);
#if VM_TRACE
    if (self->trace) self->trace->close();
    delete self->trace;
#endif
    delete self->model;
    t_current = nullptr;
    Verilated::threadContextp(nullptr);
    delete self;
}

Instance* create(uint32_t reset, int32_t seed, PrintFunction print) {
    // The runtime's random seed is one per library: nobody else may seed between here and the end of construction.
    static std::mutex seeding;
    const std::lock_guard<std::mutex> lock{seeding};
    Instance* const self = new Instance;
    self->print = print;
    const int32_t failed = guarded(self, [=] {
        self->context.randReset(static_cast<int>(reset));
        self->context.randSeed(seed);
#if VM_TRACE
        self->context.traceEverOn(true);
#endif
        self->model = new Vdut{&self->context, "TOP"};
    });
    if (!failed) return self;
    std::snprintf(t_create_error, sizeof(t_create_error), "%s", self->error.c_str());
    destroy(self);
    return nullptr;
}

int32_t eval(Instance* self) {
    return guarded(self, [=] { self->model->eval(); });
}

int32_t finish(Instance* self) {
    return guarded(self, [=] { self->model->final(); });
}

const char* error(Instance* self) { return self ? self->error.c_str() : t_create_error; }

int32_t finished(Instance* self) { return self->context.gotFinish(); }

void set_time(Instance* self, uint64_t time) { self->context.time(time); }

int32_t trace_open(Instance* self, WriteFunction function, void* stream) {
#if VM_TRACE
    enter(self);
    if (self->trace && self->trace->isOpen()) return 1;
    self->stream.function = function;
    self->stream.stream = stream;
    if (!self->trace) {
        self->trace = new VerilatedVcdC{&self->stream};
        self->model->trace(self->trace, 99);
    }
    // Each opening writes the whole header, and the first dump after it every value.
    self->trace->open("stream");
    return self->trace->isOpen() ? 0 : 1;
#else
    (void)self;
    (void)function;
    (void)stream;
    return 2;
#endif
}

void trace_dump(Instance* self) {
#if VM_TRACE
    if (self->trace && self->trace->isOpen()) self->trace->dump(self->context.time());
#else
    (void)self;
#endif
}

void trace_flush(Instance* self) {
#if VM_TRACE
    if (self->trace && self->trace->isOpen()) self->trace->flush();
#else
    (void)self;
#endif
}

void trace_close(Instance* self) {
#if VM_TRACE
    if (self->trace) self->trace->close();
#else
    (void)self;
#endif
}

struct Api {
    uint64_t version;
    const PortInfo* (*ports)(uint64_t*);
    Instance* (*create)(uint32_t, int32_t, PrintFunction);
    void (*addresses)(Instance*, void**);
    int32_t (*eval)(Instance*);
    int32_t (*finish)(Instance*);
    const char* (*error)(Instance*);
    int32_t (*finished)(Instance*);
    void (*set_time)(Instance*, uint64_t);
    int32_t (*trace_open)(Instance*, WriteFunction, void*);
    void (*trace_dump)(Instance*);
    void (*trace_flush)(Instance*);
    void (*trace_close)(Instance*);
    void (*destroy)(Instance*);
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const void* verilated_rs_api() {
    static const Api api = {2,        ports,    create,     addresses,  eval,        finish,      error,
                            finished, set_time, trace_open, trace_dump, trace_flush, trace_close, destroy};
    return &api;
}

extern "C" int verilated_rs_printf(const char* format, ...) {
    va_list measure, write;
    va_start(measure, format);
    va_copy(write, measure);
    const int length = std::vsnprintf(nullptr, 0, format, measure);
    va_end(measure);
    if (length > 0) {
        std::vector<char> text(static_cast<size_t>(length) + 1);
        std::vsnprintf(text.data(), text.size(), format, write);
        if (t_current) {
            const std::string line{text.data(), static_cast<size_t>(length)};
            if (line.find("%Error") != std::string::npos || line.find("%Fatal") != std::string::npos) {
                t_current->reported = line.substr(0, line.find_last_not_of("\r\n") + 1);
            }
            if (t_current->print) t_current->print(text.data(), static_cast<uint64_t>(length));
        }
    }
    va_end(write);
    return length;
}

void vl_finish(const char*, int, const char*) { Verilated::threadContextp()->gotFinish(true); }
void vl_stop(const char* file, int line, const char*) { stop(file, line, "Verilog $stop"); }
void vl_fatal(const char* file, int line, const char*, const char* message) { stop(file, line, message); }
void vl_warn(const char* file, int line, const char*, const char* message) {
    verilated_rs_printf("%%Warning: %s:%d: %s\n", file ? file : "", line, message);
}
