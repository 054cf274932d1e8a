#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows that layers.py finds what it is there to find: each case is a small crate with its table."""

import os
import pathlib
import tempfile
import unittest

import layers

GOOD = {
    "lib.rs": "mod a;\nmod b;\n",
    "a.rs": "use crate::b::B;\n#[cfg(test)]\nmod tests { use crate::lib_only::X; }\n",
    "b/mod.rs": "mod c;\npub use c::C;\npub struct B;\n",
    "b/c.rs": "pub struct C;\n// use crate::a::A;\nconst TEXT: &str = \"use crate::a::A;\";\n",
}
LAYERS = {"lib": set(), "a": {"b"}, "b": set()}


class Layers(unittest.TestCase):
    def faults(self, files, uses=LAYERS):
        with tempfile.TemporaryDirectory() as directory:
            for name, text in {**GOOD, **files}.items():
                path = pathlib.Path(directory, "src", name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            before = os.getcwd()
            os.chdir(directory)
            try:
                return "\n".join(layers.check("src", "lib.rs", uses))
            finally:
                os.chdir(before)

    def test_what_is_allowed_is_silent(self):
        self.assertEqual(self.faults({}), "")

    def test_a_use_that_is_not_allowed(self):
        for use in ("use crate::a::A;", "use super::super::a::{self, A};", "fn f() { crate::a::f() }",
                    "use super::super::a; fn f() { a::f() }", "pub(crate) use crate::a::A; fn f(_: A) {}"):
            self.assertIn("src/b/c.rs:1: uses src/a.rs, and layer b may not use layer a",
                          self.faults({"b/c.rs": use, "a.rs": "use crate::b::B; pub struct A; pub fn f() {}"}), use)

    def test_a_name_that_is_handed_on_is_its_file_s(self):
        self.assertIn("src/a.rs:1: uses src/b/c.rs", self.faults({"a.rs": "use crate::b::C;"}, {**LAYERS, "a": set()}))

    def test_an_allowed_use_that_nobody_makes(self):
        self.assertIn("a is allowed to use b, and does not", self.faults({"a.rs": ""}))

    def test_a_file_without_a_layer(self):
        self.assertIn("src/d.rs: is in no layer", self.faults({"d.rs": ""}))

    def test_a_file_beside_the_folder_of_its_name(self):
        self.assertIn("src/a.rs: belongs into the folder of its name", self.faults({"a/d.rs": ""}))

    def test_a_circle_between_files_of_one_layer(self):
        circle = self.faults({"b/c.rs": "use super::B; pub struct C;", "b/mod.rs": "mod c; pub struct B(c::C);"})
        self.assertIn("in a circle:\n    src/b/c.rs:1 uses src/b/mod.rs\n    src/b/mod.rs:1 uses src/b/c.rs", circle)

    def test_a_circle_that_a_macro_hides(self):
        circle = self.faults({"a.rs": "use crate::b; macro_rules! m { ($x:ident) => { b::$x::C }; } pub struct A;",
                              "b/c.rs": "use crate::a::A; pub struct C;"}, {**LAYERS, "b": {"a"}})
        self.assertIn("circle", circle)


if __name__ == "__main__":
    unittest.main()
