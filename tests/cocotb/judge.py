# SPDX-License-Identifier: Apache-2.0
"""The core as a stranger sees it: emitted Verilog, AXI models and AXI-Lite master of cocotbext-axi, answers of NumPy.

Variables: QUADER_JOBS, a folder with one folder per job; QUADER_ROOT, that of the project; QUADER_SEED."""

import logging
import os
from pathlib import Path

import bus
import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, First, RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiResp, AxiSlave
from job import Job, Memory
from registers import header, identity

ROOT = Path(os.environ["QUADER_ROOT"])
SEED = int(os.environ["QUADER_SEED"])
JOBS = {folder.name: Job(folder) for folder in sorted(Path(os.environ["QUADER_JOBS"]).iterdir())}
REGISTERS = header(ROOT / "include" / "quader.h")
CONTEXT = REGISTERS["CONTEXT"](0)
RIGHTS = {name: REGISTERS[f"RIGHT_{name}"] for name in ("READ", "WRITE", "EXECUTE")}
LIMIT_CYCLES = 400_000
# Bursts that the memory takes before it answers one.
MEMORY_QUEUE = 16


def csr(name, index=None):
    """Address of a register of the context."""
    offset = REGISTERS[f"CSR_{name}"]
    return CONTEXT + (offset if index is None else offset(index))


class Bench:
    """The core with a clock, a memory and a host."""

    @classmethod
    async def start(cls, dut, stall):
        for name in ("cocotb.quader.s_axil", "cocotb.quader.m_axi"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self = cls()
        self.dut, self.stall = dut, stall
        self.word = len(dut.m_axi_wdata) // 8
        self.memory = Memory(self.word, RIGHTS)
        dut.rst.value = 1
        cocotb.start_soon(Clock(dut.clk, 10, unit="ns").start())
        self.host = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        self.slave = AxiSlave(AxiBus.from_prefix(dut, "m_axi"), dut.clk, dut.rst, target=self.memory)
        await ClockCycles(dut.clk, 5)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 2)
        outstanding = await self.read(REGISTERS["DEVICE_OUTSTANDING"])
        self.rules = bus.Rules(dut, self.word, outstanding)
        cocotb.start_soon(self.rules.watch())
        channels = {}
        for side, port in (("memory", self.slave), ("host", self.host)):
            ways = {"write": port.write_if, "read": port.read_if}
            for way, names in (("write", "aw w b"), ("read", "ar r")):
                channels |= {f"{side} {name}": getattr(ways[way], f"{name}_channel") for name in names.split()}
        for name in ("aw", "ar"):
            channels[f"memory {name}"].queue_occupancy_limit = MEMORY_QUEUE
        bus.pause(channels, stall, SEED)
        return self

    async def read(self, address):
        answer = await self.host.read(address, 4)
        assert answer.resp == AxiResp.OKAY, f"reading register {address:#x} answers {answer.resp!r}"
        return int.from_bytes(answer.data, "little")

    async def write(self, address, value):
        answer = await self.host.write(address, value.to_bytes(4, "little"))
        assert answer.resp == AxiResp.OKAY, f"writing register {address:#x} answers {answer.resp!r}"

    async def write_wide(self, name, index, value):
        for half, part in (("LO", value & 0xFFFF_FFFF), ("HI", value >> 32)):
            await self.write(csr(f"{name}_{half}", index), part)

    async def set_up(self, job, seed):
        """Memory and registers of a job, up to the start."""
        self.memory.load(job, seed)
        await self.write_wide("PROGRAM", None, job.address)
        await self.write(csr("PROGRAM_LENGTH"), len(job.code))
        for index, base in enumerate(job.bases):
            await self.write_wide("BASE", index, base)
        for index in range(REGISTERS["WINDOWS"]):
            window = job.windows[index] if index < len(job.windows) else {"first": 0, "last": 0, "rights": 0}
            await self.write_wide("WINDOW_FIRST", index, window["first"])
            await self.write_wide("WINDOW_LAST", index, window["last"])
            await self.write(csr("WINDOW_RIGHTS", index), window["rights"])
        await self.write(csr("IRQ_MASK"), REGISTERS["CSR_IRQ_MASK_DONE_MASK"] | REGISTERS["CSR_IRQ_MASK_FAULT_MASK"])

    async def ended(self):
        """Waits for the interrupt, takes it back, and gives the state and the cause."""
        if not self.dut.irq.value:
            await First(RisingEdge(self.dut.irq), ClockCycles(self.dut.clk, LIMIT_CYCLES))
        assert self.dut.irq.value, f"no interrupt in {LIMIT_CYCLES} cycles"
        cause = await self.read(csr("IRQ_CAUSE"))
        await self.write(csr("IRQ_CAUSE"), cause)
        await ClockCycles(self.dut.clk, 2)
        assert not self.dut.irq.value, "irq stays high though its cause was cleared"
        return await self.read(csr("STATUS")), cause

    async def run(self, job, seed):
        """Runs a job to its end and judges it; gives the cycles that it took."""
        await self.set_up(job, seed)
        await self.write(csr("START"), 1)
        return await self.finish(job)

    async def finish(self, job):
        status, cause = await self.ended()
        if status != REGISTERS["STATUS_DONE"] or cause != REGISTERS["CSR_IRQ_CAUSE_DONE_MASK"]:
            fault = {name: hex(await self.read(csr(f"FAULT_{name}"))) for name in ("CAUSE", "PC", "ADDRESS_LO", "ADDRESS_HI")}
            wrong = [f"it ended with status {status}, irq_cause {cause}, fault {fault}", *self.memory.violations]
        else:
            wrong = self.memory.judge()
        if self.rules.error:
            wrong.append(self.rules.error)
        if any(self.rules.in_flight.values()):
            wrong.append(f"bursts are in flight after the end: {self.rules.in_flight}")
        await self.write(csr("SNAPSHOT"), 1)
        if (written := await self.counter("BYTES_WRITTEN")) != job.result_bytes:
            wrong.append(f"it counted {written} bytes written, and the result has {job.result_bytes}")
        assert not wrong, f"{job.folder}, stalls {self.stall}, seed {SEED}: " + "; ".join(wrong)
        cycles = await self.counter("TOTAL_CYCLES")
        print(f"{job.folder.name}, stalls {self.stall}: right, {cycles} cycles, in flight at most {self.rules.most}")
        return cycles

    async def counter(self, name):
        index = REGISTERS[f"COUNTER_{name}"]
        return await self.read(csr("COUNTER_LO", index)) | await self.read(csr("COUNTER_HI", index)) << 32


@cocotb.test()
@cocotb.parametrize(job=[cocotb.Param(job, name) for name, job in JOBS.items()], stall=list(bus.STALLS))
async def computes(dut, job, stall):
    """The result is NumPy's, and so it is the second time, without a reset; where nothing stalls, in the same cycles."""
    bench = await Bench.start(dut, stall)
    cycles = [await bench.run(job, seed) for seed in (SEED, SEED + 1)]
    assert stall != "none" or cycles[0] == cycles[1], f"{job.folder} takes {cycles} cycles"


@cocotb.test()
@cocotb.parametrize(stall=["none", "bursts"])
async def computes_one_after_the_other(dut, stall):
    """Every job follows every kind of other job in one session."""
    bench = await Bench.start(dut, stall)
    for name in [*JOBS, *reversed(JOBS)]:
        await bench.run(JOBS[name], SEED)


@cocotb.test()
@cocotb.parametrize(stall=list(bus.STALLS))
async def says_what_it_is(dut, stall):
    """The device page is that of the documentation."""
    bench = await Bench.start(dut, stall)
    core = next(iter(JOBS.values())).config
    rows = identity(ROOT / "docs" / "registers.md", core)
    assert len(rows) > 20
    for offset, name, value in rows:
        got = await bench.read(offset)
        assert got == value, f"{name} of {core} is {got:#x}, and docs/registers.md says {value:#x}"
    assert bench.rules.error is None, bench.rules.error


@cocotb.test()
@cocotb.parametrize(stall=list(bus.STALLS))
async def refuses_wrong_accesses(dut, stall):
    """What is not defined answers SLVERR and changes nothing, also in the middle of a program."""
    bench = await Bench.start(dut, stall)
    job = next(iter(JOBS.values()))
    last = max(offset for offset, _, _ in identity(ROOT / "docs" / "registers.md", job.config))
    for address in (last + 4, CONTEXT - 4, csr("IRQ_CAUSE") + 8, 2 * CONTEXT, 0xFFFC):
        answer = await bench.host.read(address, 4)
        assert (answer.resp, answer.data) == (AxiResp.SLVERR, bytes(4)), f"reading {address:#x}: {answer!r}"
        answer = await bench.host.write(address, bytes(4))
        assert answer.resp == AxiResp.SLVERR, f"writing {address:#x}: {answer!r}"
    for address, data in ((csr("STATUS"), bytes(4)), (REGISTERS["DEVICE_MAGIC"], bytes(4)), (csr("IRQ_MASK"), b"\3")):
        before = await bench.read(address)
        answer = await bench.host.write(address, data)
        assert answer.resp == AxiResp.SLVERR, f"writing {len(data)} bytes to {address:#x}: {answer!r}"
        assert await bench.read(address) == before
    await bench.set_up(job, SEED)
    await bench.write(csr("START"), 1)
    for address in (csr("BASE_LO", 0), csr("PROGRAM_LENGTH"), csr("WINDOW_RIGHTS", 0), csr("START")):
        answer = await bench.host.write(address, b"\1\0\0\0")
        assert answer.resp == AxiResp.SLVERR, f"writing {address:#x} while a program runs: {answer!r}"
    await bench.finish(job)


@cocotb.test()
@cocotb.parametrize(stall=list(bus.STALLS))
async def stops_at_a_closed_window(dut, stall):
    """Without the right to write, no byte changes, the fault is told, and after a soft reset the same job runs."""
    bench = await Bench.start(dut, stall)
    job = next(iter(JOBS.values()))
    await bench.set_up(job, SEED)
    for index, window in enumerate(job.windows):
        await bench.write(csr("WINDOW_RIGHTS", index), window["rights"] & ~RIGHTS["WRITE"])
    await bench.write(csr("START"), 1)
    assert await bench.ended() == (REGISTERS["STATUS_FAULT"], REGISTERS["CSR_IRQ_CAUSE_FAULT_MASK"])
    cause = await bench.read(csr("FAULT_CAUSE")) & REGISTERS["CSR_FAULT_CAUSE_CAUSE_MASK"]
    assert cause == REGISTERS["CAUSE_WINDOW_WRITE"], f"fault cause {cause}"
    assert bench.memory.bytes == bench.memory.before, "memory changed"
    await bench.write(csr("SOFT_RESET"), 1)
    while await bench.read(csr("STATUS")) != REGISTERS["STATUS_IDLE"]:
        pass
    await bench.run(job, SEED)
