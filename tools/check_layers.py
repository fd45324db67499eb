#!/usr/bin/env python3
"""Holds the tree to tools/layers.txt: no include or link up, sideways or around, no circles, no file
without a home, heavy headers where they belong. Usage: check_layers.py [ROOT]"""

import fnmatch
import os
import re
import sys

import source_text

CODE_TOPS = ("src", "engine", "web")
CPP = (".h", ".cc")


class Room:
    def __init__(self, folder, floor, also):
        self.folder, self.floor, self.also = folder, floor, also

    def may_see(self, other):
        if other is self or other.folder in self.also:
            return True
        return self.floor is not None and other.floor is not None and other.floor < self.floor


class House:
    """The table, read."""

    def __init__(self, text):
        self.rooms, self.loose_files, self.targets, self.header_rules = {}, set(), {}, []
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            kind, rest = line.split(None, 1)
            try:
                getattr(self, "_read_" + kind)(rest)
            except (AttributeError, ValueError) as error:
                raise SystemExit(f"tools/layers.txt:{number}: cannot read this line: {line} ({error})")

    def _read_room(self, rest):
        floor, rest = rest.split(None, 1)
        self._add(int(floor), rest)

    def _read_beside(self, rest):
        self._add(None, rest)

    def _add(self, floor, rest):
        folder, _, also = rest.partition(" also ")
        self.rooms[folder.strip()] = Room(folder.strip(), floor, also.split())

    def _read_file(self, rest):
        self.loose_files.add(rest.strip())

    def _read_target(self, rest):
        name, folder = rest.split()
        self.targets[name] = folder

    def _read_header(self, rest):
        pattern, rest = rest.split(None, 1)
        globs, reason = rest.split(" : ", 1)
        self.header_rules.append((re.compile(pattern), globs.split()[1:], reason.strip()))

    def room_of(self, path):
        folder = os.path.dirname(path)
        while folder:
            if folder in self.rooms:
                return self.rooms[folder]
            folder = os.path.dirname(folder)
        return None

    def room_of_target(self, name):
        if name in self.targets:
            return self.rooms[self.targets[name]]
        for room in self.rooms.values():
            if name == "binnacle_" + re.sub(r"^src/", "", room.folder).replace("/", "_"):
                return room
        return None

    def seen(self, room):
        return [f for f, other in self.rooms.items() if other is not room and room.may_see(other)]


def check_table(house):
    """The table itself: known names, no circle among the rooms that `also` connects."""
    problems = []
    for room in house.rooms.values():
        for folder in room.also:
            if folder not in house.rooms:
                problems.append(f"tools/layers.txt: {room.folder} names an unknown room: {folder}")
    graph = {room.folder: [f for f in room.also if f in house.rooms] for room in house.rooms.values()}
    for circle in circles(graph):
        problems.append("tools/layers.txt: a circle of rooms: " + " -> ".join(circle))
    return problems


def check_homes(house, paths):
    return [
        f"{path}: no room of tools/layers.txt holds this file; move it into a room, or add the room to the "
        "table if the design has one"
        for path in paths
        if path not in house.loose_files and house.room_of(path) is None
    ]


def resolve(name, known):
    """The file of ours that a quoted include names, or None."""
    return next((p for p in ("src/" + name, name) if p in known), None)


def check_includes(house, root, paths):
    known, problems, graph = set(paths), [], {}
    for path in paths:
        room = house.room_of(path)
        if not path.endswith(CPP) or room is None:
            continue
        graph[path] = []
        for line, quoted, name in source_text.includes(source_text.read(root, path)):
            where = f"{path}:{line}: "
            problems += [where + p for p in header_problems(house, path, name)]
            if not quoted:
                continue
            target = resolve(name, known)
            if target is None:
                problems += [where + p for p in unresolved_problems(name, known)]
                continue
            graph[path].append(target)
            other = house.room_of(target)
            if other is not None and not room.may_see(other):
                problems.append(
                    f"{where}{room.folder} may not include {target}: it sees "
                    f"{', '.join(house.seen(room)) or 'no other room'}. Move what both need down, or take it "
                    "through a seam of src/model and let src/app join the two"
                )
    problems += ["a circle of includes: " + " -> ".join(c) for c in circles(graph)]
    return problems


def unresolved_problems(name, known):
    if ".." in name.split("/"):
        return [f'"{name}" goes around the table; write the path from src/']
    top = "src/" + name.split("/")[0] + "/"
    if any(p.startswith(top) for p in known):
        return [f'"{name}" does not exist; write the path from src/, or mend it']
    return []


def header_problems(house, path, name):
    return [
        f"<{name}> is only for {' '.join(globs)}: {reason}"
        for pattern, globs, reason in house.header_rules
        if pattern.search(name) and not any(fnmatch.fnmatch(path, glob) for glob in globs)
    ]


def check_own_header_first(root, paths):
    """Own header first is what shows that a header with a source compiles alone."""
    known, problems = set(paths), []
    for path in paths:
        own = path[:-3] + ".h"
        if not path.endswith(".cc") or own not in known:
            continue
        names = source_text.includes(source_text.read(root, path))
        if not names or resolve(names[0][2], known) != own:
            problems.append(f"{path}:1: include {re.sub('^src/', '', own)} first, so that the header is "
                            "seen to compile alone")
    return problems


def check_links(house, root, paths):
    problems = []
    for path in paths:
        room = house.room_of(path)
        if os.path.basename(path) != "CMakeLists.txt" or room is None:
            continue
        text = re.sub(r"#[^\n]*", "", source_text.read(root, path))
        made_here = set(re.findall(r"\badd_library\(\s*(\w+)", text))
        for match in re.finditer(r"\bbinnacle_\w+", text):
            other = None if match.group(0) in made_here else house.room_of_target(match.group(0))
            if other is not None and not room.may_see(other):
                line = source_text.line_of(text, match.start())
                problems.append(f"{path}:{line}: {room.folder} may not link {match.group(0)}; a link follows "
                                "the same table as an include (tools/layers.txt)")
    return problems


def circles(graph):
    """One circle of each set of nodes that reach each other; iterative, for deep graphs."""
    found, state, stack = [], {}, []
    for start in graph:
        if start in state:
            continue
        work = [(start, iter(graph[start]))]
        state[start] = "open"
        stack.append(start)
        while work:
            node, rest = work[-1]
            target = next(rest, None)
            if target is None:
                state[node] = "done"
                stack.pop()
                work.pop()
            elif target not in state:
                state[target] = "open"
                stack.append(target)
                work.append((target, iter(graph.get(target, ()))))
            elif state[target] == "open":
                found.append(stack[stack.index(target):] + [target])
    return found


def check(root):
    house = House(source_text.read(root, "tools/layers.txt"))
    paths = source_text.files(root, *[t for t in CODE_TOPS if os.path.isdir(os.path.join(root, t))])
    return (check_table(house) + check_homes(house, paths) + check_includes(house, root, paths) +
            check_own_header_first(root, paths) + check_links(house, root, paths))


def main():
    problems = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(problems) if problems else "layers: every include and link points down")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
