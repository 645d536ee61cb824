# SPDX-License-Identifier: Apache-2.0
"""A job that `quader ... --program` wrote: its files, and the memory that they ask for."""

import json
import random

import numpy as np
import reference

PAGE = 4096


class Job:
    """What job.json says, with the operands as arrays."""

    def __init__(self, folder):
        self.folder = folder
        text = json.loads((folder / "job.json").read_text())
        self.config, self.kind = text["config"], text["kind"]
        self.spec = text[self.kind]
        self.bases, self.windows = text["bases"], text["windows"]
        self.code = (folder / text["program"]["file"]).read_bytes()
        self.address = text["program"]["address"]
        self.operands, self.places = {}, [(self.address, self.code)]
        for operand in text["operands"]:
            numbers = np.fromfile(folder / operand["file"], np.dtype(operand["dtype"]).newbyteorder("<"))
            self.operands[operand["name"]] = numbers.reshape(operand["shape"])
            self.places.append((operand["address"], numbers.tobytes()))
        for array in text["given"]:
            numbers = np.fromfile(folder / array["file"], np.dtype(array["dtype"]).newbyteorder("<"))
            self.operands[array["name"]] = numbers.reshape(array["shape"])
        self.result_address, self.dtype = text["result"]["address"], text["result"]["dtype"]
        self.shape = tuple(text["result"]["shape"])
        self.result_bytes = int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize

    def expected(self):
        """The result by NumPy; nothing of it comes from quader but the operands."""
        result = reference.KINDS[self.kind](self.spec, self.operands, self.dtype)
        assert result.shape == self.shape, f"{self.folder.name}: job.json says {self.shape}, the operands make {result.shape}"
        return result


class Memory:
    """The memory behind the core: random bytes, and over them what the job needs. It answers an access that no window allows with an error, and
    remembers it."""

    def __init__(self, word, rights):
        self.word, self.rights = word, rights

    def load(self, job, seed):
        """Forgets everything and holds this job."""
        self.job = job
        size = max(window["last"] for window in job.windows) + 1 + PAGE
        self.bytes = bytearray(random.Random(seed).randbytes(size))
        for address, data in job.places:
            self.bytes[address : address + len(data)] = data
        self.before = bytes(self.bytes)
        self.written = bytearray(size)
        self.violations = []

    def allows(self, first, last, right):
        return any(w["first"] <= first and last <= w["last"] for w in self.job.windows if w["rights"] & right)

    async def read(self, address, length):
        # The bus reads whole words: those that hold a byte of a window.
        first, last = address, address + length - 1
        readable = self.rights["READ"] | self.rights["EXECUTE"]
        windows = [w for w in self.job.windows if w["rights"] & readable]
        if not any(w["first"] <= last and first <= w["last"] for w in windows):
            self.refuse("read", first, last)
        return bytes(self.bytes[address : address + length])

    async def write(self, address, data):
        last = address + len(data) - 1
        if not self.allows(address, last, self.rights["WRITE"]):
            self.refuse("write", address, last)
        self.bytes[address : last + 1] = data
        self.written[address : last + 1] = b"\1" * len(data)

    def refuse(self, what, first, last):
        self.violations.append(f"{what} of {first:#x} to {last:#x}, which no window allows")
        raise PermissionError(self.violations[-1])

    def judge(self):
        """What is wrong after the end of the program, in sentences."""
        job, wrong = self.job, list(self.violations)
        first, last = job.result_address, job.result_address + job.result_bytes
        for address, (before, after) in enumerate(zip(self.before, self.bytes)):
            if (before != after or self.written[address]) and not first <= address < last:
                wrong.append(f"byte {address:#x} is outside the result and was written: {before:#04x} became {after:#04x}")
                break
        missing = self.written[first:last].count(0)
        if missing:
            wrong.append(f"{missing} bytes of the result were never written")
        expected = job.expected()
        got = np.frombuffer(bytes(self.bytes[first:last]), np.dtype(job.dtype).newbyteorder("<")).reshape(job.shape)
        places = np.argwhere(got != expected)
        if len(places):
            shown = ", ".join(f"{list(map(int, place))} is {got[tuple(place)]}, not {expected[tuple(place)]}" for place in places[:4])
            wrong.append(f"{len(places)} of {got.size} elements are wrong: {shown}")
        return wrong
