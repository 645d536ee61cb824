# SPDX-License-Identifier: Apache-2.0
"""Registers as the project's generated files tell them: include/quader.h for addresses, docs/registers.md for what a core says of itself."""

import re


def header(path):
    """Every number of quader.h by its name without QUADER_; what has an argument there is a function here."""
    names = {}
    for name, argument, text in re.findall(r"^#define QUADER_(\w+)(?:\((\w)\))? (.+)$", path.read_text(), re.MULTILINE):
        text = re.sub(r"\b(0x[0-9a-f]+|\d+)u\b", r"\1", text)
        if re.fullmatch(r"[0-9a-fx+*() ci]+", text):
            names[name] = eval(f"lambda {argument}: {text}" if argument else text)
    return names


def identity(path, core):
    """(offset, name, value) of every register of the device page for this core."""
    page = re.search(r"^## Device page.*?(?=^## )", path.read_text(), re.MULTILINE | re.DOTALL).group()
    title, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    column = title.index(core)
    return [(int(row[0], 16), row[1], int(row[column], 0)) for row in rows]
