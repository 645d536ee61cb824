# SPDX-License-Identifier: Apache-2.0
"""The rules of bus.py on ports that break them: each fault is found, in its cycle and not before. Run: python test_bus.py"""

from types import SimpleNamespace

import bus

REQUEST = {"id": 1, "addr": 0x100, "len": 3, "size": 3, "burst": 1, "lock": 0, "cache": 3, "prot": 0, "qos": 0}
WORD = 8
LIMIT = 2


def idle():
    ports = {f"m_axi_{way}{name}": value for way in ("ar", "aw") for name, value in REQUEST.items()}
    ports |= {"m_axi_wdata": 5, "m_axi_wstrb": 0xFF, "m_axi_wlast": 0, "m_axi_rlast": 0}
    ports |= {"s_axil_bresp": 0, "s_axil_rdata": 7, "s_axil_rresp": 0}
    channels = ["m_axi_ar", "m_axi_aw", "m_axi_w", "m_axi_r", "m_axi_b", "s_axil_b", "s_axil_r"]
    return ports | {f"{channel}{wire}": 0 for channel in channels for wire in ("valid", "ready")}


def watched(*cycles):
    """What the rules say after cycles in which these ports differ from idle, and in how many cycles."""
    dut = SimpleNamespace(**{name: SimpleNamespace(value=value) for name, value in idle().items()})
    rules = bus.Rules(dut, WORD, LIMIT)
    for count, changed in enumerate(cycles, 1):
        for name, value in (idle() | changed).items():
            getattr(dut, name).value = value
        try:
            rules.cycle()
        except AssertionError as error:
            return str(error), count
    return None, len(cycles)


def offered(channel, **changed):
    return {f"{channel}valid": 1} | {f"{channel}{name}": value for name, value in changed.items()}


def taken(channel, **changed):
    return offered(channel, **changed) | {f"{channel}ready": 1}


def expect(words, *cycles):
    said, count = watched(*cycles)
    assert (said is None) == (words is None) and (words is None or words in said), f"{said!r} should have `{words}`"
    assert count == len(cycles), f"{said!r} came {len(cycles) - count} cycles early"


def main():
    channels = {"m_axi_ar": "addr", "m_axi_aw": "len", "m_axi_w": "data", "s_axil_b": "resp", "s_axil_r": "data"}
    for channel, payload in channels.items():
        expect(None, offered(channel), offered(channel), taken(channel), {}, {f"{channel}{payload}": 1})
        expect(f"{channel}valid fell", offered(channel), {})
        expect(f"{channel}valid fell", taken(channel), offered(channel), {f"{channel}ready": 1})
        expect(f"{channel}: ", offered(channel), offered(channel, **{payload: 1}))
    for way, channel in (("read", "m_axi_ar"), ("write", "m_axi_aw")):
        for name, value in (("size", 2), ("burst", 2), ("lock", 1), ("cache", 0), ("prot", 2), ("qos", 1)):
            expect(f"{way} request with {{'{name}': {value}}}", taken(channel, **{name: value}))
        expect(f"{way} request with id 2", taken(channel, id=2))
        expect("no multiple of 8", taken(channel, addr=0x104))
        expect(f"3 {way} bursts in flight", taken(channel), taken(channel), taken(channel))
    last = {"m_axi_rvalid": 1, "m_axi_rready": 1, "m_axi_rlast": 1}
    expect(None, *[taken("m_axi_ar")] * 2, last, taken("m_axi_ar"), last | taken("m_axi_ar"))
    expect("3 read", *[taken("m_axi_ar")] * 2, last | {"m_axi_rlast": 0}, taken("m_axi_ar"))
    expect("3 read", *[taken("m_axi_ar")] * 2, last | {"m_axi_rready": 0}, taken("m_axi_ar"))
    answer = {"m_axi_bvalid": 1, "m_axi_bready": 1}
    expect(None, *[taken("m_axi_aw")] * 2, answer, taken("m_axi_aw"))
    expect("3 write", *[taken("m_axi_aw")] * 2, answer | {"m_axi_bvalid": 0}, taken("m_axi_aw"))
    print("every broken rule was found")


main()
