#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison's model: the TLB that is simulated, the constants and which are refused, and what is made of both."""
import ctypes
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import model
from canned import canned, flat, row

HERE = os.path.dirname(os.path.abspath(__file__))


class Tlb(unittest.TestCase):
    """tlb.c, as the plugin has it."""
    USER, HYPERVISOR, TEXT, MEMORY = 0x400000, 0xffff82d040000000, 0xffffffff81000000, 0xffff888000000000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.library = os.path.join(cls.folder.name, "tlb.so")
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", cls.library, os.path.join(HERE, "tlb.c")], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.tlb = ctypes.CDLL(shutil.copy(self.library, os.path.join(self.folder.name, self.id())))    # a copy has variables of its own
        for function in (self.tlb.tlb_access, self.tlb.tlb_load_cr3):
            function.argtypes, function.restype = [ctypes.c_uint64], None

    def walks(self, *addresses):
        """(by large pages, by small) that these take."""
        counts = (ctypes.c_uint64 * 2).in_dll(self.tlb, "tlb_walks")
        before = tuple(counts)
        for address in addresses:
            self.tlb.tlb_access(address)
        return tuple(now - then for now, then in zip(counts, before))

    def test_found_again(self):
        self.assertEqual(self.walks(0, 0xfff, 0x1000, 8), (2, 2))
        self.assertEqual(self.walks(0, 0x1000), (0, 0))
        self.tlb.tlb_flush()
        self.assertEqual(self.walks(0, 0x1000), (2, 2))

    def test_native(self):
        """Linux's kernel is global."""
        self.tlb.tlb_load_cr3(self.TEXT)
        self.walks(self.USER, self.TEXT, self.MEMORY)
        self.tlb.tlb_load_cr3(self.TEXT)
        self.assertEqual(self.walks(self.TEXT, self.MEMORY), (0, 0))
        self.assertEqual(self.walks(self.USER), (1, 1))

    def test_paravirtual(self):
        """User mode and the hypervisor are, and the guest's kernel is not."""
        self.tlb.tlb_load_cr3(self.HYPERVISOR)
        self.walks(self.USER, self.TEXT, self.MEMORY, self.HYPERVISOR)
        self.tlb.tlb_load_cr3(self.HYPERVISOR)
        self.assertEqual(self.walks(self.USER, self.HYPERVISOR), (0, 0))
        self.assertEqual(self.walks(self.TEXT, self.MEMORY), (2, 2))

    def test_sizes(self):
        self.tlb.tlb_load_cr3(self.TEXT)
        self.assertEqual(self.walks(*(self.TEXT + page * 4096 for page in range(600))), (2, 600))
        self.assertEqual(self.walks(*(self.USER + page * 4096 for page in range(600))), (600, 600))
        self.tlb.tlb_load_cr3(self.HYPERVISOR)      # a paravirtual kernel has no large ones
        self.assertEqual(self.walks(self.TEXT, self.TEXT + 4096, self.HYPERVISOR, self.HYPERVISOR + 4096), (3, 4))

    def test_full(self):
        """Who was used longest ago goes; twelve have place."""
        same = [self.USER + number * 128 * 4096 for number in range(13)]
        self.walks(*same[:12])
        self.assertEqual(self.walks(same[0]), (0, 0))
        self.assertEqual(self.walks(same[12]), (1, 1))
        self.assertEqual(self.walks(same[1]), (1, 1))
        self.assertEqual(self.walks(same[12], same[1]), (0, 0))


class Constants(unittest.TestCase):
    def load(self, change):
        """What load() makes of the project's constants after a change."""
        with open(os.path.join(HERE, "constants.json"), encoding="utf-8") as file:
            constants = json.load(file)
        change(constants)
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as out:
            json.dump(constants, out)
            out.flush()
            return model.load(out.name)

    def test_ours_are_good(self):
        self.load(lambda constants: None)

    def test_without_source(self):
        for source in (None, "", "  ", 7):
            with self.assertRaisesRegex(model.BadConstants, r"\.json: cr3 has no source"):
                self.load(lambda constants, source=source: constants["events"]["cr3"].update(source=source))
        with self.assertRaisesRegex(model.BadConstants, "ipc has no source"):
            self.load(lambda constants: constants["ipc"].pop("source"))
        with self.assertRaisesRegex(model.BadConstants, "cycles_of_a_miss has no source"):
            self.load(lambda constants: constants["tlb"]["cycles_of_a_miss"].pop("source"))

    def test_values(self):
        for bad in ({"low": 300}, {"high": 1}, {"typical": "186"}, {"low": -1}, {"high": None}, {"low": True}, {"high": float("inf")}):
            with self.assertRaises(model.BadConstants, msg=bad):
                self.load(lambda constants, bad=bad: constants["events"]["cr3"].update(bad))
        with self.assertRaises(model.BadConstants):
            self.load(lambda constants: constants["ipc"].update(low=0))

    def test_names(self):
        with self.assertRaises(model.BadConstants):
            self.load(lambda constants: constants["events"].pop("vmrun"))
        with self.assertRaises(model.BadConstants):
            self.load(lambda constants: constants["events"].update(lock=constants["ipc"]))
        with self.assertRaises(model.BadConstants):
            model.load(os.path.join(HERE, "no such file"))

    def test_no_json(self):
        for text in ("{", "[" * 100000, ""):
            with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                with self.assertRaisesRegex(model.BadConstants, f"^{out.name} is no JSON: ."):
                    model.load(out.name)


class Model(unittest.TestCase):
    def test_pairs(self):
        """Who came to ring 0 otherwise than by SYSCALL came by exception or the like; a SYSCALL that ends by IRET is one."""
        self.assertEqual(model.pairs({"syscall": 2, "sysret": 1, "iret": 3, "cr3": 5}),
                         {"syscall_pair": 2, "exception_pair": 2, "cr3": 5, "cr4": 0, "invlpg": 0, "vmrun": 0})
        self.assertEqual(model.pairs({"syscall": 3, "sysret": 2})["exception_pair"], 0)

    def test_sum(self):
        pv = row(1000, syscall=2, sysret=1, iret=4, cr3=3)
        self.assertEqual(model.cycles(pv, "pv", flat()), (1000, 1000, 1000))
        self.assertEqual(model.cycles(pv, "pv", flat(syscall_pair=100, exception_pair=1000, cr3=10))[1], 1000 + 200 + 3000 + 30)

    def test_walks(self):
        """They are dearer where pages are nested; those that are more with small pages are there where pages are small."""
        of = flat(cycles_of_a_miss=50, nested_factor=3, small_pages=0)
        self.assertEqual(model.cycles(row(1000, walks=12, walks_4k=20), "pv", of)[1], 1000 + 12 * 50)
        self.assertEqual(model.cycles(row(1000, walks=12, walks_4k=20), "hvm", of)[1], 1000 + 3 * 12 * 50)
        of = flat(cycles_of_a_miss=50, nested_factor=3, small_pages=0.5)
        self.assertEqual(model.cycles(row(1000, walks=12, walks_4k=20), "pvh", of)[1], 1000 + 3 * 16 * 50)
        self.assertEqual(model.walks({"walks": 3, "walks_4k": 2}), (3, 0))

    def test_ipc(self):
        constants = flat()
        constants["ipc"].update(low=0.5, typical=1, high=2)
        self.assertEqual(model.cycles(row(1000, cr3=0), "native", constants), (500, 1000, 2000))

    def test_same_cpu_for_both(self):
        """What is uncertain of both alike does not make their ratio uncertain."""
        constants = flat()
        constants["ipc"].update(low=0.5, typical=1, high=2)
        band = model.ratio(row(2000, cr3=0), "pv", row(1000, cr3=0), "native", constants)
        self.assertEqual(band, (2, 2, 2))
        self.assertEqual(model.says(band), "more")

    def test_ratio_is_within_all_corners(self):
        constants = model.load()
        found = canned()["columns"]
        for name in ("linux.null_call", "linux.fork"):
            one, other = found["parvis-pv"]["rows"][name], found["parvis-hvm"]["rows"][name]
            low, typical, high = model.ratio(one, "pv", other, "hvm", constants)
            self.assertLess(low, typical)
            self.assertLess(typical, high)
            back = model.ratio(other, "hvm", one, "pv", constants)
            self.assertAlmostEqual(back[0], 1 / high)
            self.assertAlmostEqual(back[2], 1 / low)

    def test_spread(self):
        """What the runs of one column differ by makes the ratio no surer than they are."""
        low, typical, high = model.ratio(row(1000, 100, cr3=0), "pv", row(1000, 200, cr3=0), "native", flat())
        self.assertEqual(typical, 1)
        self.assertAlmostEqual(low, 0.9 / 1.2)
        self.assertAlmostEqual(high, 1.1 / 0.8)

    def test_says(self):
        self.assertIsNone(model.says((0.9, 1.5, 2)))
        self.assertIsNone(model.says((1, 1, 1)))
        self.assertIsNone(model.says((1.005, 1.5, 2)))
        self.assertIsNone(model.says((0.5, 0.9, 0.995)))
        self.assertEqual(model.says((1.1, 1.5, 2)), "more")
        self.assertEqual(model.says((0.1, 0.5, 0.9)), "less")
        self.assertIsNone(model.says(None))

    def test_nothing_to_go_by(self):
        """Without the plugin's counts, or in another unit, there is no model."""
        self.assertIsNone(model.cycles(row(1000), "pv", flat()))
        self.assertIsNone(model.cycles({**row(3, cr3=1), "unit": "seconds"}, "pv", flat()))
        self.assertIsNone(model.ratio(row(1000), "pv", row(1000, cr3=1), "native", flat()))


if __name__ == "__main__":
    unittest.main()
