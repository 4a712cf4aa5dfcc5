# SPDX-License-Identifier: MIT
"""A strict reader of core dumps in Xen's format (docs/misc/dump-core-format.txt of Xen's sources): what is not as it says is an error."""
import struct

NONE = 0xffffffffffffffff
NOTES = {0x2000000: "none", 0x2000001: "header", 0x2000002: "xen_version", 0x2000003: "format_version"}


class Core:
    """One file, whole in memory."""

    def __init__(self, data):
        self.data = data
        head = struct.unpack_from("<16sHHIQQQIHHHHHH", data)
        assert head[0] == b"\x7fELF\2\1\1\0\1" + bytes(7), head[0]
        assert (head[1], head[2], head[3]) == (4, 62, 1), "no core of x86-64"
        assert head[5] == 0 and head[10] == 0, "it has program headers"
        offset, size, count, names = head[6], head[11], head[12], head[13]
        assert size == 64
        rows = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]
        self.sections = {}
        for row in rows:
            at = rows[names][4] + row[0]
            name = data[at:data.index(b"\0", at)].decode()
            assert name not in self.sections and row[4] + row[5] <= len(data), name
            self.sections[name] = row
        self.notes = self.read_notes()
        self.magic, self.nr_vcpus, self.nr_pages, page_size = struct.unpack("<4Q", self.notes["header"])
        assert page_size == 4096 and self.notes["format_version"] == struct.pack("<Q", 1)
        assert len(self.body(".xen_prstatus")) == self.nr_vcpus * self.sections[".xen_prstatus"][9]
        assert self.sections[".xen_pages"][5] == self.nr_pages * 4096 and self.sections[".xen_pages"][4] % 4096 == 0
        self.pages = self.read_pages()

    def body(self, name):
        row = self.sections[name]
        return self.data[row[4]:row[4] + row[5]]

    def read_notes(self):
        body, at, notes = self.body(".note.Xen"), 0, {}
        while at < len(body):
            name_size, size, kind = struct.unpack_from("<III", body, at)
            assert name_size == 4 and body[at + 12:at + 16] == b"Xen\0"
            notes[NOTES[kind]] = body[at + 16:at + 16 + size]
            at += 16 + size
        assert list(notes) == list(NOTES.values()) and at == len(body)
        return notes

    def read_pages(self):
        """{number: its place in .xen_pages}; in order, those that are not there last."""
        pv = ".xen_p2m" in self.sections
        assert pv == (self.magic == 0xf00febed) and pv != (".xen_pfn" in self.sections)
        body, step = self.body(".xen_p2m" if pv else ".xen_pfn"), 16 if pv else 8
        assert len(body) == self.nr_pages * step
        numbers = [struct.unpack_from("<Q", body, i * step)[0] for i in range(self.nr_pages)]
        there = [n for n in numbers if n != NONE]
        assert numbers[:len(there)] == there == sorted(set(there))
        return {n: i for i, n in enumerate(there)}

    def page(self, number):
        start = self.sections[".xen_pages"][4] + self.pages[number] * 4096
        return self.data[start:start + 4096]
