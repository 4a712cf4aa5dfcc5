# SPDX-License-Identifier: MIT
"""Reads C headers just well enough to list what an ABI consists of.

The compiler does the hard part: `gcc -E -dD` resolves conditionals, expands macros in declarations, keeps the #define
lines, and says from which file each line came. What is left is a small language: struct, union, enum and typedef at top
level. Names() holds what one set of headers declares:

    macros       name -> expansion, of macros without parameters that expand to something
    functions    names of macros with parameters
    constants    names of enumerators
    aggregates   "struct x" or a typedef's name -> [path of member, e.g. u.unbound.dom]; members of anonymous structs and
                 unions appear under their container, as in C; "[]" at the end marks an array of no stated length,
                 ":" a bit field
    typedefs     names; macros that expand to an integer type are counted here
"""
import re
import subprocess

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\w+|[^\s\w]')


class Names:
    def __init__(self):
        self.macros, self.aggregates = {}, {}
        self.functions, self.constants, self.typedefs = set(), set(), set()


class Parser:
    """Walks over the tokens of declarations and fills in Names."""

    def __init__(self, tokens, names):
        self.tokens, self.at, self.names = tokens, 0, names

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def skip_group(self, open_, close):
        """Skips from an opening bracket to behind its partner; returns what was between."""
        depth, start = 0, self.at
        while True:
            token = self.take()
            depth += (token == open_) - (token == close)
            if depth == 0:
                return self.tokens[start + 1:self.at - 1]

    def enumerators(self):
        expect = True
        for token in self.skip_group("{", "}"):
            if expect and re.match(r"[A-Za-z_]", token):
                self.names.constants.add(token)
            expect = token == ","

    def specifier(self):
        """struct/union/enum with or without tag and body. Returns (key, members); members is None without a body."""
        kind = self.take()
        tag = self.take() if re.match(r"\w", self.peek()) else None
        if self.peek() != "{":
            return None, None
        if kind == "enum":
            self.enumerators()
            return None, None
        self.take()
        members = self.members()
        if tag:
            self.names.aggregates[f"{kind} {tag}"] = members
        return tag, members

    def members(self):
        found = []
        while self.peek() != "}":
            body = None
            if self.peek() in ("struct", "union", "enum"):
                tag, body = self.specifier()
                if self.peek() == ";" and body is not None:
                    self.take()
                    if tag is None:
                        found += body
                    continue
            for name, suffix in self.declarators():
                if body is None:
                    found.append(name + (suffix if suffix in ("[]", ":") else ""))
                else:
                    found.append(name)
                    found += [f"{name}{'[0]' if suffix else ''}.{sub}" for sub in body]
        self.take()
        return found

    def declarators(self):
        """The names up to the semicolon, each with what follows it: "", "[n]", "[]" or ":"."""
        found, last, suffix = [], None, ""
        while True:
            token = self.peek()
            if token == "[":
                inner = self.skip_group("[", "]")
                suffix = suffix or ("[n]" if inner else "[]")
                continue
            if token == "(":
                self.skip_group("(", ")")
                continue
            self.take()
            if token in (",", ";"):
                if last:
                    found.append((last, suffix))
                last, suffix = None, ""
                if token == ";":
                    return found
            elif token == ":":
                suffix = ":"
            elif re.match(r"[A-Za-z_]", token) and suffix != ":":
                last = token

    def top(self):
        while self.at < len(self.tokens):
            token = self.peek()
            if token == "typedef":
                self.take()
                tag = members = None
                if self.peek() in ("struct", "union", "enum"):
                    tag, members = self.specifier()
                for name, _ in self.declarators():
                    self.names.typedefs.add(name)
                    if members is not None and tag is None:
                        self.names.aggregates[name] = members
            elif token in ("struct", "union", "enum"):
                self.specifier()
                self.declarators()
            else:
                self.take()


def read(source, flags, wanted):
    """Preprocesses the C text `source`; lists what files for which wanted(path) is true declare."""
    text = subprocess.run(["gcc", "-E", "-dD", "-x", "c", "-std=gnu11", *flags, "-"], input=source, text=True,
                          stdout=subprocess.PIPE, check=True).stdout
    names, code, use = Names(), [], False
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            use = wanted(marker.group(1))
        elif use and line.startswith("#define"):
            name, parameters, value = re.match(r"#define (\w+)(\([^)]*\))?\s*(.*)", line).groups()
            if parameters is not None:
                names.functions.add(name)
            elif re.fullmatch(r"u?int\d+_t", value):
                names.typedefs.add(name)
            elif value:
                names.macros[name] = value
        elif use and line.startswith("#undef"):
            name = line.split()[1]
            names.macros.pop(name, None)
            names.functions.discard(name)
        elif use and not line.startswith("#"):
            code.append(line)
    Parser(TOKEN.findall("\n".join(code)), names).top()
    return names
