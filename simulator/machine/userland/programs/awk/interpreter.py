"""Running an awk program: statements and expressions on a tree that the parser made."""

import math
import re
from typing import Any

from simulator.machine.userland.options import UsageError
from simulator.machine.userland.process import Process
from simulator.machine.userland.programs.awk import values
from simulator.machine.userland.programs.awk.parser import Node, Program, arrays
from simulator.machine.userland.programs.awk.streams import Streams
from simulator.machine.userland.programs.awk.values import Input, Value, number, text, truth
from simulator.machine.userland.programs.awk.words import AwkError
from simulator.machine.userland.programs.text import posix_classes, regex

Array = dict[str, Value]
_STEPS = 64
_LONGEST = 1 << 24
_DEEPEST = 60


class Leave(Exception):
    """``next``, ``break``, ``continue``, ``exit``, ``return``."""

    def __init__(self, kind: str, value: Value = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.value = value


class Interpreter:
    """One program with its variables and its present record."""

    def __init__(self, sys: Process, program: Program) -> None:
        self.sys = sys
        self.program = program
        self.streams = Streams(sys)
        self.globals: dict[str, Any] = {
            "FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n", "SUBSEP": "\x1c", "CONVFMT": "%.6g",
            "OFMT": "%.6g", "NR": 0.0, "FNR": 0.0, "NF": 0.0, "RSTART": 0.0, "RLENGTH": -1.0,
            "FILENAME": "", "ENVIRON": {key: Input(one) for key, one in sys.env.items()},
        }  # fmt: skip
        self.frames: list[dict[str, Any]] = []
        self.record = ""
        self.fields: list[str] = []
        self.seed = 0.0
        self.next_seed = 1
        self.input: Any = None
        self._steps = 0

    # -- variables

    def scope(self, name: str) -> dict[str, Any]:
        """Where a name lives: the function's own, or everybody's."""
        if self.frames and name in self.frames[-1]:
            return self.frames[-1]
        return self.globals

    def array(self, name: str) -> Array:
        """An array, made when it is first used."""
        place = self.scope(name)
        if not isinstance(place.get(name), dict):
            place[name] = {}
        return place[name]

    def told(self, name: str) -> str:
        """A variable as a text."""
        return text(self.globals.get(name), self.globals["CONVFMT"])

    def set_record(self, record: str) -> None:
        """$0, and its fields by FS."""
        self.record = record
        self.fields = self.split(record, self.told("FS"))
        self.globals["NF"] = float(len(self.fields))

    def split(self, record: str, separator: str) -> list[str]:
        """A text in fields."""
        if separator == " ":
            return record.split()
        if not record:
            return []
        if len(separator) == 1 and separator != "\\":
            return record.split(separator)
        return self.pattern(separator).split(record) if separator else list(record)

    def pattern(self, spelled: str) -> "re.Pattern[str]":
        """An extended regular expression."""
        found = regex(posix_classes(spelled))
        return re.compile(re.sub(r"\(\?!", "(", found.pattern)) if "(?!" in spelled else found

    def _join(self) -> None:
        self.record = self.told("OFS").join(self.fields)

    async def assign(self, target: Node, value: Value) -> Value:
        """Give a variable, an element or a field a value."""
        if target[0] == "var":
            self.scope(target[1])[target[1]] = value
            if target[1] == "NF" and not self.frames:
                count = max(int(number(value)), 0)
                self.fields = (self.fields + [""] * count)[:count]
                self._join()
        elif target[0] == "item":
            self.array(target[1])[await self.subscript(target[2])] = value
        elif target[0] == "field":
            await self._set_field(int(number(await self.value(target[1]))), value)
        else:
            raise AwkError("Unexpected token")
        return value

    async def _set_field(self, at: int, value: Value) -> None:
        told = text(value, self.globals["CONVFMT"])
        if at < 0 or at > _LONGEST // 64:
            raise AwkError("Access to negative field")
        if not at:
            self.set_record(told)
            return
        self.fields += [""] * (at - len(self.fields))
        self.fields[at - 1] = told
        self.globals["NF"] = float(len(self.fields))
        self._join()

    async def subscript(self, parts: list[Node]) -> str:
        """The key of an element."""
        told = [self.text(await self.value(one)) for one in parts]
        return self.told("SUBSEP").join(told)

    def text(self, value: Value) -> str:
        """As CONVFMT says."""
        return text(value, self.globals["CONVFMT"])

    # -- statements

    async def run(self, node: Node | None) -> None:
        """One statement. Raises ``Leave``, ``AwkError``."""
        if node is None:
            return
        self._steps += 1
        if self._steps % _STEPS == 0:
            await self.sys.pause()
        await getattr(self, _STATEMENTS[node[0]])(node)

    async def _block(self, node: Node) -> None:
        for one in node[1]:
            await self.run(one)

    async def _if(self, node: Node) -> None:
        await self.run(node[2] if truth(await self.value(node[1])) else node[3])

    async def _inside(self, body: Node | None) -> bool:
        """One turn of a loop; False when it is left."""
        try:
            await self.run(body if body is not None else ("block", []))
        except Leave as leave:
            if leave.kind == "break":
                return False
            if leave.kind != "continue":
                raise
        return True

    async def _while(self, node: Node) -> None:
        while truth(await self.value(node[1])):
            if not await self._inside(node[2]):
                return

    async def _do(self, node: Node) -> None:
        while await self._inside(node[1]):
            if not truth(await self.value(node[2])):
                return

    async def _for(self, node: Node) -> None:
        if node[1] is not None:
            await self.value(node[1])
        while node[2] is None or truth(await self.value(node[2])):
            if not await self._inside(node[4]):
                return
            if node[3] is not None:
                await self.value(node[3])

    async def _forin(self, node: Node) -> None:
        for key in list(self.array(node[2])):
            await self.assign(("var", node[1]), Input(key))
            if not await self._inside(node[3]):
                return

    async def _leave(self, node: Node) -> None:
        kind, *rest = node
        raise Leave(kind, await self.value(rest[0]) if rest and rest[0] is not None else None)

    async def _delete(self, node: Node) -> None:
        if node[2] is None:
            self.array(node[1]).clear()
        else:
            self.array(node[1]).pop(await self.subscript(node[2]), None)

    async def _print(self, node: Node) -> None:
        found = [await self.value(one) for one in node[1]]
        if node[0] == "printf":
            told = values.printf(self.text(found[0]) if found else "", found[1:])
        elif not found:
            told = self.record + self.told("ORS")
        else:
            shown = [text(one, self.globals["OFMT"]) for one in found]
            told = self.told("OFS").join(shown) + self.told("ORS")
        if node[2] is None:
            await self.sys.out(told)
        else:
            sign, where = node[2]
            await self.streams.write(sign, self.text(await self.value(where)), told)

    async def _do_expr(self, node: Node) -> None:
        await self.value(node[1])

    # -- expressions

    async def value(self, node: Node) -> Value:
        """What an expression is. Raises ``AwkError``."""
        self._steps += 1
        if self._steps % (_STEPS * 8) == 0:
            await self.sys.pause()
        return await getattr(self, _VALUES[node[0]])(node)

    async def _const(self, node: Node) -> Value:
        return node[1]

    async def _regex(self, node: Node) -> Value:
        return float(self.pattern(node[1]).search(self.record) is not None)

    async def _var(self, node: Node) -> Value:
        found = self.scope(node[1]).get(node[1])
        return None if isinstance(found, dict) else found

    async def _item(self, node: Node) -> Value:
        return self.array(node[1]).setdefault(await self.subscript(node[2]), None)

    async def _field(self, node: Node) -> Value:
        at = int(number(await self.value(node[1])))
        if at < 0:
            raise AwkError("Access to negative field")
        if not at:
            return Input(self.record)
        return Input(self.fields[at - 1]) if at <= len(self.fields) else None

    async def _paren(self, node: Node) -> Value:
        return await self.value(node[1])

    async def _group(self, node: Node) -> Value:
        return await self.subscript(node[1])

    async def _choice(self, node: Node) -> Value:
        return await self.value(node[2] if truth(await self.value(node[1])) else node[3])

    async def _assigned(self, node: Node) -> Value:
        given = await self.value(node[3])
        if node[1]:
            given = self.computed(node[1], number(await self.value(node[2])), number(given))
        return await self.assign(node[2], given)

    async def _or(self, node: Node) -> Value:
        return float(truth(await self.value(node[1])) or truth(await self.value(node[2])))

    async def _and(self, node: Node) -> Value:
        return float(truth(await self.value(node[1])) and truth(await self.value(node[2])))

    async def _in(self, node: Node) -> Value:
        return float(await self.subscript(node[1]) in self.array(node[2]))

    async def _match(self, node: Node) -> Value:
        left = self.text(await self.value(node[1]))
        spelled = node[2][1] if node[2][0] == "regex" else self.text(await self.value(node[2]))
        found = self.pattern(spelled).search(left) is not None
        return float(found == (node[0] == "~"))

    async def _compare(self, node: Node) -> Value:
        left, right = await self.value(node[2]), await self.value(node[3])
        order = values.compared(left, right, self.globals["CONVFMT"])
        return float({"<": order < 0, "<=": order <= 0, "==": order == 0, "!=": order != 0,
                      ">": order > 0, ">=": order >= 0}[node[1]])  # fmt: skip

    async def _concatenated(self, node: Node) -> Value:
        told = self.text(await self.value(node[1])) + self.text(await self.value(node[2]))
        if len(told) > _LONGEST:
            raise UsageError("out of memory")
        return told

    async def _operation(self, node: Node) -> Value:
        left = number(await self.value(node[2]))
        return self.computed(node[1], left, number(await self.value(node[3])))

    def computed(self, sign: str, a: float, b: float) -> float:
        """Arithmetic on doubles."""
        if sign in ("/", "%") and not b:
            raise AwkError("Division by zero")
        try:
            match sign:
                case "+":
                    return a + b
                case "-":
                    return a - b
                case "*":
                    return a * b
                case "/":
                    return a / b
                case "%":
                    return math.fmod(a, b)
                case _:
                    return math.pow(a, b)
        except (OverflowError, ValueError):
            return math.nan if sign == "^" and a < 0 else math.inf

    async def _negated(self, node: Node) -> Value:
        return float(not truth(await self.value(node[1])))

    async def _minus(self, node: Node) -> Value:
        return -number(await self.value(node[1]))

    async def _plus(self, node: Node) -> Value:
        return number(await self.value(node[1]))

    async def _step(self, node: Node) -> Value:
        before = number(await self.value(node[2]))
        after = before + (1 if node[1] == "++" else -1)
        await self.assign(node[2], after)
        return before if node[0] == "post" else after

    async def _getline(self, node: Node) -> Value:
        kind, source, target = node[1:]
        records = self.input
        if source is not None:
            name = self.text(await self.value(source))
            records = await self.streams.records(kind, name)
            if records is None:
                return -1.0
        record = await records.next(self.told("RS"))
        if record is None:
            return 0.0
        if kind != "<":
            self.globals["NR"] = number(self.globals["NR"]) + 1
            if not kind:
                self.globals["FNR"] = number(self.globals["FNR"]) + 1
        await self.assign(target or ("field", ("const", 0.0)), Input(record))
        return 1.0

    async def _called(self, node: Node) -> Value:
        name, given = node[1], node[2]
        if name not in self.program.functions:
            raise AwkError("Call to undefined function")
        names, body = self.program.functions[name]
        if len(self.frames) >= _DEEPEST:
            raise UsageError("out of memory")
        frame: dict[str, Any] = {}
        for at, own in enumerate(names):
            frame[own] = None
            if at < len(given):
                one = given[at]
                found = self.scope(one[1]).get(one[1]) if one[0] == "var" else None
                if one[0] == "var" and found is None and own in arrays(body):
                    found = self.array(one[1])
                frame[own] = found if isinstance(found, dict) else await self.value(one)
        self.frames.append(frame)
        try:
            await self.run(body)
        except Leave as leave:
            if leave.kind != "return":
                raise
            return leave.value
        finally:
            self.frames.pop()
        return None

    async def _builtin(self, node: Node) -> Value:
        from simulator.machine.userland.programs.awk.functions import FUNCTIONS

        return await FUNCTIONS[node[1]](self, node[2])


_STATEMENTS = {
    "block": "_block", "if": "_if", "while": "_while",
    "do": "_do", "for": "_for", "forin": "_forin",
    "next": "_leave", "break": "_leave", "continue": "_leave",
    "exit": "_leave", "return": "_leave", "delete": "_delete",
    "print": "_print", "printf": "_print", "do-expr": "_do_expr",
}  # fmt: skip
_VALUES = {
    "const": "_const", "regex": "_regex", "var": "_var",
    "item": "_item", "field": "_field", "paren": "_paren",
    "group": "_group", "?": "_choice", "=": "_assigned",
    "||": "_or", "&&": "_and", "in": "_in",
    "~": "_match", "!~": "_match", "cmp": "_compare",
    "cat": "_concatenated", "op": "_operation", "!": "_negated",
    "neg": "_minus", "num": "_plus", "pre": "_step",
    "post": "_step", "getline": "_getline", "call": "_called",
    "builtin": "_builtin",
}  # fmt: skip
