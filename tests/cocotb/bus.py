# SPDX-License-Identifier: Apache-2.0
"""Rules of AXI that the models of cocotbext-axi do not check, and the pauses of their channels."""

import random

from cocotb.triggers import RisingEdge

STALLS = {
    "none": None,
    "some": lambda rng: chances(rng, 0.3),
    "many": lambda rng: chances(rng, 0.8),
    "bursts": lambda rng: bursts(rng),
}


def chances(rng, probability):
    while True:
        yield rng.random() < probability


def bursts(rng):
    """Long silence and long talk in turn."""
    while True:
        for pause in (True, False):
            yield from [pause] * rng.randint(1, 40)


def pause(channels, stall, seed):
    """Every channel pauses on its own."""
    if STALLS[stall] is not None:
        for name, channel in channels.items():
            channel.set_pause_generator(STALLS[stall](random.Random(f"{seed} {stall} {name}")))


class Channel:
    """One channel whose payload the core drives: once valid, it stays valid and the same until it is ready."""

    def __init__(self, dut, prefix, payload):
        self.name = prefix
        self.valid, self.ready = getattr(dut, f"{prefix}valid"), getattr(dut, f"{prefix}ready")
        self.payload = {name: getattr(dut, f"{prefix}{name}") for name in payload.split()}
        self.held = None

    def sample(self):
        """The payload of a transfer, or None; raises if what was offered before is not offered any more."""
        if not self.valid.value:
            assert self.held is None, f"{self.name}valid fell without {self.name}ready"
            return None
        now = {name: int(signal.value) for name, signal in self.payload.items()}
        assert self.held is None or now == self.held, f"{self.name}: {self.held} became {now} while it waited"
        taken = bool(self.ready.value)
        self.held = None if taken else now
        return now if taken else None


class Rules:
    """Watches the ports of the core in every cycle."""

    def __init__(self, dut, word, limit):
        self.dut, self.word, self.limit = dut, word, limit
        address = "id addr len size burst lock cache prot qos"
        self.requests = {"read": Channel(dut, "m_axi_ar", address), "write": Channel(dut, "m_axi_aw", address)}
        self.others = [Channel(dut, "m_axi_w", "data strb last"), Channel(dut, "s_axil_b", "resp"), Channel(dut, "s_axil_r", "data resp")]
        self.in_flight = {"read": 0, "write": 0}
        self.most = {"read": 0, "write": 0}
        self.cycles = 0
        self.error = None

    async def watch(self):
        edge = RisingEdge(self.dut.clk)
        while self.error is None:
            await edge
            self.cycles += 1
            try:
                self.cycle()
            except AssertionError as error:
                self.error = f"in cycle {self.cycles}: {error}"

    def cycle(self):
        dut = self.dut
        if dut.m_axi_rvalid.value and dut.m_axi_rready.value and dut.m_axi_rlast.value:
            self.in_flight["read"] -= 1
        if dut.m_axi_bvalid.value and dut.m_axi_bready.value:
            self.in_flight["write"] -= 1
        for way, channel in self.requests.items():
            request = channel.sample()
            if request is not None:
                self.request(way, request)
        for channel in self.others:
            channel.sample()

    def request(self, way, request):
        """The promises of docs/integration.md."""
        fixed = {"size": self.word.bit_length() - 1, "burst": 1, "lock": 0, "cache": 3, "prot": 0, "qos": 0}
        wrong = {name: request[name] for name, value in fixed.items() if request[name] != value}
        assert not wrong, f"{way} request with {wrong}"
        assert request["id"] in (0, 1), f"{way} request with id {request['id']}"
        assert request["addr"] % self.word == 0, f"{way} request of {request['addr']:#x}, which is no multiple of {self.word}"
        self.in_flight[way] += 1
        self.most[way] = max(self.most[way], self.in_flight[way])
        assert self.in_flight[way] <= self.limit, f"{self.in_flight[way]} {way} bursts in flight, and {self.limit} are promised"
