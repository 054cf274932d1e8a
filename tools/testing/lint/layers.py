#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks what the layers of the module and of the tool use of each other, by the tables in architecture.md.

A layer is a folder or a file; a table names each with the layers that it may use. Reported are: a use that
no table allows, an allowed use that is not made, a file in no layer, and files that import each other in a
circle. A name is followed through `pub use` to the file that defines it. Tests inside a file are left out;
a folder of tests is checked only as a layer of its own, and not for circles.
Reported is also a module with files of its own that is not the mod.rs among them.

Not seen: a method that is called on a value whose type is not named.
"""

import pathlib
import re
import sys
from dataclasses import dataclass, field

TABLES = "Documentation/design/architecture.md"
# Of a crate: where its files are, and its root.
ROOTS = {"rust": "sgio_filter_main.rs", "tools/sgioctl/src": "lib.rs"}
# A program that has only main().
NOT_CHECKED = {"tools/sgioctl/src/main.rs"}
# Files that a `#[path]` makes a module of another folder.
ELSEWHERE = {"rust/bindings/mod.rs": ("kernel", "bindings")}

LITERAL_OR_COMMENT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(?P<hash>\#*)".*?"(?P=hash)|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^']+|[^'\\\n])'""", re.S
)
ATTRIBUTES = re.compile(r"(?:#\[(?:[^\[\]]|\[[^\]]*\])*\]\s*)+")
OF_TESTS = re.compile(r"kunit_tests|\bcfg\((?:any\()?(?:test\b|CONFIG_KUNIT)")
USE = re.compile(r"\b(?P<public>pub(?:\([^)]*\))?\s+)?use\s+(?P<tree>[^;]+);")
ITEM = re.compile(r"(?<![*\w])(?:struct|enum|union|trait|type|static|fn|const)\s+(?:mut\s+)?(\w+)")
INLINE_MODULE = re.compile(r"\bmod\s+(\w+)\s*\{")
PATH = re.compile(r"(?<![\w:$.'])[A-Za-z_]\w*(?:\s*::\s*(?:[A-Za-z_]\w*|\$\w+))*")


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def end_of_block(code, at):
    """Returns where the block ends that begins at or behind `at`, or the `;` before it."""
    depth = 0
    for index in range(at, len(code)):
        if code[index] == "{":
            depth += 1
        elif code[index] == "}":
            depth -= 1
            if depth == 0:
                return index + 1
        elif code[index] == ";" and depth == 0:
            return index + 1
    return len(code)


def code_of(text):
    """Returns a source without comments, literals, tests and attributes; all else stays in its line."""
    code = LITERAL_OR_COMMENT.sub(lambda match: blank(match[0]), text)
    at = 0
    while match := ATTRIBUTES.search(code, at):
        end = end_of_block(code, match.end()) if OF_TESTS.search(match[0]) else match.end()
        code = code[: match.start()] + blank(code[match.start() : end]) + code[end:]
        at = end
    return code


def leaves(tree, prefix=()):
    """Yields path and name of each import of a use tree; the name of a glob is `*`."""
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    if not brace:
        path, _, name = tree.partition(" as ")
        parts = prefix + tuple(part.strip() for part in path.split("::") if part.strip())
        if parts and parts[-1] == "self":
            parts = parts[:-1]
        if parts:
            yield parts, name.strip() or parts[-1]
        return
    prefix += tuple(part.strip() for part in head.split("::") if part.strip())
    depth, begin = 0, 0
    rest = rest[: rest.rindex("}")]
    for index, char in enumerate(rest + ","):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            if rest[begin:index].strip():
                yield from leaves(rest[begin:index], prefix)
            begin = index + 1


@dataclass
class Module:
    path: tuple
    file: str
    parent: "Module"
    children: dict = field(default_factory=dict)
    items: set = field(default_factory=set)
    names: dict = field(default_factory=dict)
    globs: list = field(default_factory=list)
    # (line, path) of each name in the code, and (line, path, name, whether only handed on) of each import.
    paths: list = field(default_factory=list)
    imports: list = field(default_factory=list)


class Crate:
    def __init__(self, base, root):
        self.base, self.modules = base, {}
        self.root = Module((), f"{base}/{root}", None)
        self.modules[()] = self.root
        files = sorted(pathlib.Path(base).rglob("*.rs"), key=lambda path: (len(path.parts), path.stem != "mod"))
        for file in files:
            if str(file) in NOT_CHECKED:
                continue
            path = file.relative_to(base).with_suffix("").parts
            path = () if str(file) == self.root.file else path[:-1] if path[-1] == "mod" else path
            path = ELSEWHERE.get(str(file), path)
            module = self.module(path, str(file))
            module.file = str(file)
            self.read(module, code_of(file.read_text()), 1)

    def module(self, path, file):
        if path not in self.modules:
            parent = self.modules.get(path[:-1]) or self.module(path[:-1], file)
            self.modules[path] = parent.children[path[-1]] = Module(path, file, parent)
        return self.modules[path]

    def read(self, module, code, line):
        """Reads the code of one module that begins in `line`, and that of the modules within."""
        at = 0
        while match := INLINE_MODULE.search(code, at):
            end = end_of_block(code, match.start())
            inner = code[match.end() : end - 1]
            self.read(self.module((*module.path, match[1]), module.file), inner, line + code[: match.end()].count("\n"))
            code = code[: match.start()] + blank(code[match.start() : end]) + code[end:]
            at = end
        uses = list(USE.finditer(code))
        for match in uses:
            code = code[: match.start()] + blank(match[0]) + code[match.end() :]
        module.items = set(ITEM.findall(code))
        words = set(re.findall(r"\w+", re.sub(r"\bmod\s+\w+\s*;", "", code)))
        for match in uses:
            where = line + uses_line(match)
            for path, name in leaves(match["tree"]):
                if name == "*":
                    module.globs.append(path[:-1])
                    continue
                module.names[name] = path
                handed_on = match["public"] and name not in words
                module.imports.append((where, path, bool(handed_on)))
        for match in PATH.finditer(code):
            path = tuple(part.strip() for part in match[0].split("::"))
            if len(path) > 1:
                module.paths.append((line + code[: match.start()].count("\n"), path))

    def find(self, module, path, inside=False, seen=()):
        """Returns the module that a path names, or the file of the item; None for another crate's."""
        first, rest = path[0], path[1:]
        if first == "crate" and not inside:
            found = self.root
        elif first == "self" and not inside:
            found = module
        elif first == "super":
            found = module.parent or module
        elif first in module.children and (rest or first not in module.items | module.names.keys()):
            found = module.children[first]
        elif first in module.names and (module.path, first) not in seen:
            found = self.find(module, module.names[first], False, (*seen, (module.path, first)))
            if inside and isinstance(found, str) and found in ELSEWHERE:
                # What is generated belongs to the file that gives it to others.
                return module.file
        elif first in module.items:
            return module.file
        elif (module.path, first) in seen:
            return None
        else:
            found = None
            for glob in module.globs:
                target = self.find(module, glob, False, (*seen, (module.path, first)))
                if isinstance(target, Module):
                    found = self.find(target, (first,), True, (*seen, (module.path, first)))
                if found:
                    break
            if found is None:
                return module.file if inside else None
        if isinstance(found, Module) and rest and rest[0] != "*":
            return self.find(found, rest, rest[0] != "super", seen)
        return found

    def uses(self):
        """Returns the line of the first use for each pair of files of which one uses the other."""
        uses = {}

        def add(module, line, target):
            if isinstance(target, str) and target != module.file:
                uses.setdefault((module.file, target), line)

        for module in self.modules.values():
            for line, path, handed_on in module.imports:
                if not handed_on:
                    add(module, line, self.find(module, path))
            for line, path in module.paths:
                if filled_in := [at for at, name in enumerate(path) if name.startswith("$")]:
                    # A macro fills in the name: it may be any of them.
                    target = self.find(module, path[: filled_in[0]]) if filled_in[0] else None
                    for name in {*target.children, *target.names} if isinstance(target, Module) else ():
                        found = self.find(target, (name,), True)
                        add(module, line, found.file if isinstance(found, Module) else found)
                else:
                    add(module, line, self.find(module, path))
        return uses


def uses_line(match):
    return match.string[: match.start()].count("\n")


def tables():
    """Returns the layers of each crate, with the layers that each may use."""
    found, layers = {}, None
    for line in pathlib.Path(TABLES).read_text().splitlines():
        if match := re.fullmatch(r"\| in `(.+)/` \| uses \|", line):
            layers = found.setdefault(match[1], {})
        elif layers is not None and line.startswith("| `"):
            layer, used = line.split("|")[1:3]
            layers[layer.strip(" `")] = set(re.findall(r"`([^`]+)`", used))
        elif not line.startswith("|"):
            layers = None
    return found


def layer_of(file, base, layers):
    """Returns the innermost layer that a file is in."""
    path = file.removeprefix(base + "/").removesuffix(".rs")
    while path:
        if path in layers:
            return path
        path = path.rpartition("/")[0]
    return None


def is_test(file):
    return "tests" in pathlib.Path(file).with_suffix("").parts


def circles(uses):
    """Returns the groups of files that import each other, each sorted."""
    after = {}
    for user, used in uses:
        after.setdefault(user, set()).add(used)

    def reached(file):
        seen, todo = set(), [file]
        while todo:
            for used in after.get(todo.pop(), ()):
                if used not in seen:
                    seen.add(used)
                    todo.append(used)
        return seen

    reach = {file: reached(file) for file in after}
    return sorted({tuple(sorted(other for other in reach if file in reach[other] and other in reach[file]))
                   for file in reach if file in reach[file]})


def check(base, root, layers):
    crate = Crate(base, root)
    for file in sorted({module.file for module in crate.modules.values()}):
        if pathlib.Path(file).with_suffix("").is_dir():
            yield f"{file}: belongs into the folder of its name, as mod.rs"
        if layer_of(file, base, layers) is None:
            yield f"{file}: is in no layer of {TABLES}"
    made = set()
    uses = crate.uses()
    for (user, used), line in sorted(uses.items()):
        layers_of_use = layer_of(user, base, layers), layer_of(used, base, layers)
        if None in layers_of_use or layers_of_use[0] == layers_of_use[1]:
            continue
        if is_test(user) and not is_test(layers_of_use[0]):
            continue
        made.add(layers_of_use)
        if layers_of_use[1] not in layers[layers_of_use[0]]:
            yield f"{user}:{line}: uses {used}, and layer {layers_of_use[0]} may not use layer {layers_of_use[1]}"
    for layer, allowed in layers.items():
        for other in sorted(allowed):
            if other not in layers:
                yield f"{TABLES}: {base}: {layer} uses {other}, which is no layer"
            elif (layer, other) not in made:
                yield f"{TABLES}: {base}: {layer} is allowed to use {other}, and does not"
    for circle in circles({pair: line for pair, line in uses.items() if not any(map(is_test, pair))}):
        inner = [f"{user}:{line} uses {used}" for (user, used), line in sorted(uses.items())
                 if user in circle and used in circle]
        yield "files import each other in a circle:\n    " + "\n    ".join(inner)


def main():
    allowed = tables()
    faults = [fault for base, root in ROOTS.items() for fault in check(base, root, allowed.get(base, {}))]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
