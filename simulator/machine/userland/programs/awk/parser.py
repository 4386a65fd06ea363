"""From the words of an awk program to a tree of tuples: ``(kind, parts ...)``."""

from typing import Any, NamedTuple, TypeAlias, cast

from simulator.machine.userland.programs.awk.words import AwkError, Token, tokens, unescaped

Node: TypeAlias = tuple[Any, ...]
_ASSIGN = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "^=", "**="))
_COMPARE = frozenset(("<", "<=", "!=", "==", ">", ">="))
_DEEPEST = 100


class Program(NamedTuple):
    """Rules as (pattern, action), and functions by name as (parameters, body)."""

    begin: list[Node]
    rules: list[tuple[Any, Any]]
    end: list[Node]
    functions: dict[str, tuple[list[str], Node]]


class Parser:
    """Recursive descent."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    @property
    def now(self) -> Token:
        """The word that comes next."""
        return self.tokens[self.at]

    def take(self) -> Token:
        """That word, and go on."""
        self.at += 1
        return self.tokens[self.at - 1]

    def is_(self, *texts: str) -> bool:
        """Whether the next word is one of these marks or keywords."""
        return self.now.text in texts and self.now.kind in ("mark", "keyword")

    def accept(self, *texts: str) -> bool:
        """Go on past one of these marks or keywords, if it comes next."""
        if self.is_(*texts):
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        """Go on past a mark that must come next. Raises ``AwkError``."""
        if not self.accept(text):
            raise AwkError("Unexpected token", self.now.line)

    def lines(self) -> None:
        """Go on past ends of lines."""
        while self.now.kind == "newline":
            self.at += 1

    def ends(self) -> None:
        """Go on past ends of lines and semicolons."""
        while self.now.kind == "newline" or self.is_(";"):
            self.at += 1

    def program(self) -> Program:
        """Everything. Raises ``AwkError``."""
        made = Program([], [], [], {})
        self.ends()
        while self.now.kind != "end":
            if self.accept("function", "func"):
                self._function(made)
            elif self.accept("BEGIN"):
                made.begin.append(self.block())
            elif self.accept("END"):
                made.end.append(self.block())
            else:
                pattern = None if self.is_("{") else self.expression()
                if self.accept(","):
                    self.lines()
                    pattern = ("range", pattern, self.expression(), [False])
                made.rules.append((pattern, self.block() if self.is_("{") else None))
            self.ends()
        return made

    def _function(self, made: Program) -> None:
        name = self.take().text
        self.need("(")
        names: list[str] = []
        while not self.accept(")"):
            names.append(self.take().text)
            self.accept(",")
            self.lines()
        self.lines()
        made.functions[name] = (names, self.block())

    def block(self) -> Node:
        """``{ ... }``."""
        self.need("{")
        found: list[Node] = []
        self.ends()
        while not self.accept("}"):
            if self.now.kind == "end":
                raise AwkError("Unexpected token", self.now.line)
            found.append(self.statement())
            self.ends()
        return ("block", found)

    def statement(self) -> Node:
        """One statement, with what ends it."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise AwkError("Unexpected token", self.now.line)
        made = self._compound() or self._simple()
        self.depth -= 1
        return made

    def _compound(self) -> Node | None:
        if self.is_("{"):
            return self.block()
        if self.accept(";"):
            return ("block", [])
        if self.accept("if"):
            condition = self._condition()
            body = self._body()
            mark = self.at
            self.ends()
            if self.accept("else"):
                return ("if", condition, body, self._body())
            self.at = mark
            return ("if", condition, body, None)
        if self.accept("while"):
            return ("while", self._condition(), self._body())
        if self.accept("do"):
            body = self._body()
            self.ends()
            self.need("while")
            return ("do", body, self._condition())
        return self._for() if self.accept("for") else None

    def _condition(self) -> Node:
        self.need("(")
        made = self.expression()
        self.need(")")
        return made

    def _body(self) -> Node:
        self.lines()
        return self.statement()

    def _for(self) -> Node:
        self.need("(")
        ahead = [one.text for one in self.tokens[self.at : self.at + 4]]
        if self.now.kind == "name" and ahead[1] == "in" and ahead[3] == ")":
            self.at += 4
            return ("forin", ahead[0], ahead[2], self._body())
        first = None if self.is_(";") else self.expression()
        self.need(";")
        self.lines()
        condition = None if self.is_(";") else self.expression()
        self.need(";")
        self.lines()
        step = None if self.is_(")") else self.expression()
        self.need(")")
        return ("for", first, condition, step, self._body())

    def _simple(self) -> Node:
        made = self._plain()
        if not (self.now.kind in ("newline", "end") or self.is_(";", "}")):
            raise AwkError("Unexpected token", self.now.line)
        self.accept(";")
        return made

    def _plain(self) -> Node:
        for word in ("next", "break", "continue"):
            if self.accept(word):
                return (word,)
        if self.accept("exit", "return"):
            word = self.tokens[self.at - 1].text
            bare = self.now.kind == "newline" or self.is_(";", "}")
            return (word, None if bare else self.expression())
        if self.accept("delete"):
            name = self.take().text
            return ("delete", name, self._subscript() if self.accept("[") else None)
        if self.accept("print", "printf"):
            return self._print(self.tokens[self.at - 1].text)
        return ("do-expr", self.expression())

    def _print(self, word: str) -> Node:
        values: list[Node] = []
        if not (self.now.kind == "newline" or self.is_(";", "}", ">", ">>", "|")):
            values.append(self.expression(out=True))
            while self.accept(","):
                self.lines()
                values.append(self.expression(out=True))
            if len(values) == 1 and values[0][0] == "group":
                values = list(values[0][1])
        where = None
        if self.is_(">", ">>", "|"):
            where = (self.take().text, self.concatenation())
        return (word, values, where)

    # -- expressions; ``out``: a bare ``>`` sends the output of print somewhere

    def expression(self, *, out: bool = False) -> Node:
        """One expression, with assignments and ``?:``."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise AwkError("Unexpected token", self.now.line)
        left: Node = self._or(out=out)
        if self.accept("?"):
            self.lines()
            yes = self.expression(out=out)
            self.lines()
            self.need(":")
            self.lines()
            left = ("?", left, yes, self.expression(out=out))
        elif self.now.kind == "mark" and self.now.text in _ASSIGN:
            if left[0] not in ("var", "item", "field"):
                raise AwkError("Unexpected token", self.now.line)
            sign = self.take().text
            self.lines()
            left = ("=", sign.rstrip("=").replace("**", "^"), left, self.expression(out=out))
        self.depth -= 1
        return left

    def _or(self, *, out: bool) -> Node:
        left: Node = self._and(out=out)
        while self.accept("||"):
            self.lines()
            left = ("||", left, self._and(out=out))
        return left

    def _and(self, *, out: bool) -> Node:
        left: Node = self._in(out=out)
        while self.accept("&&"):
            self.lines()
            left = ("&&", left, self._in(out=out))
        return left

    def _in(self, *, out: bool) -> Node:
        left: Node = self._match(out=out)
        while self.accept("in"):
            left = ("in", list(left[1]) if left[0] == "group" else [left], self.take().text)
        return left

    def _match(self, *, out: bool) -> Node:
        left: Node = self._compare(out=out)
        while self.is_("~", "!~"):
            sign = self.take().text
            left = (sign, left, self._compare(out=out))
        return left

    def _compare(self, *, out: bool) -> Node:
        left: Node = self.concatenation()
        while self.now.kind == "mark" and (self.now.text in _COMPARE or self.now.text == "|"):
            if self.now.text == "|":
                if self.tokens[self.at + 1].text != "getline":
                    return left
                self.at += 2
                left = ("getline", "|", left, self._target())
                continue
            if out and self.now.text == ">":
                return left
            sign = self.take().text
            left = ("cmp", sign, left, self.concatenation())
        return left

    def concatenation(self) -> Node:
        """Values side by side."""
        left: Node = self._sum()
        while self._begins():
            left = ("cat", left, self._sum())
        return left

    def _begins(self) -> bool:
        if self.now.kind in ("number", "string", "name", "builtin", "call", "regex"):
            return True
        return self.is_("$", "!", "(", "-", "+", "++", "--") and not self.is_("in")

    def _sum(self) -> Node:
        left: Node = self._product()
        while self.is_("+", "-"):
            sign = self.take().text
            left = ("op", sign, left, self._product())
        return left

    def _product(self) -> Node:
        left: Node = self._unary()
        while self.is_("*", "/", "%"):
            sign = self.take().text
            left = ("op", sign, left, self._unary())
        return left

    def _unary(self) -> Node:
        if self.accept("!"):
            return ("!", self._unary())
        if self.accept("-"):
            return ("neg", self._unary())
        if self.accept("+"):
            return ("num", self._unary())
        return self._power()

    def _power(self) -> Node:
        left: Node = self._step()
        if self.accept("^", "**"):
            return ("op", "^", left, self._unary() if self.is_("-", "+", "!") else self._power())
        return left

    def _step(self) -> Node:
        if self.is_("++", "--"):
            sign = self.take().text
            return ("pre", sign, self._primary())
        made = self._primary()
        if made[0] in ("var", "item", "field") and self.is_("++", "--"):
            return ("post", self.take().text, made)
        return made

    def _target(self) -> Node | None:
        """Where getline puts what it reads."""
        return self._primary() if self.now.kind == "name" or self.is_("$") else None

    def _subscript(self) -> list[Node]:
        found = [self.expression()]
        while self.accept(","):
            found.append(self.expression())
        self.need("]")
        return found

    def _primary(self) -> Node:
        one = self.take()
        if one.kind == "number":
            return ("const", float(int(one.text, 16) if one.text[:2] in ("0x", "0X") else one.text))
        if one.kind == "string":
            return ("const", unescaped(one.text[1:-1]))
        if one.kind == "regex":
            return ("regex", one.text)
        if one.kind in ("builtin", "call"):
            arguments = self._arguments() if self.accept("(") else []
            return (one.kind, one.text, arguments)
        if one.kind == "name":
            if self.accept("["):
                return ("item", one.text, self._subscript())
            return ("var", one.text)
        if one.text == "$":
            return ("field", self._step() if self.is_("++", "--") else self._primary())
        if one.text == "(":
            return self._group()
        if one.text == "getline":
            target = self._target()
            return ("getline", "<" if self.accept("<") else "", self._source(), target)
        raise AwkError("Unexpected token", one.line)

    def _source(self) -> Node | None:
        return self._primary() if self.tokens[self.at - 1].text == "<" else None

    def _group(self) -> Node:
        self.lines()
        found = [self.expression()]
        self.lines()
        while self.accept(","):
            self.lines()
            found.append(self.expression())
        self.need(")")
        return ("group", found) if len(found) > 1 else ("paren", found[0])

    def _arguments(self) -> list[Node]:
        found: list[Node] = []
        self.lines()
        while not self.accept(")"):
            found.append(self.expression())
            self.lines()
            if not self.is_(")"):
                self.need(",")
                self.lines()
        return found


def arrays(node: Any) -> set[str]:
    """The names that a body uses as arrays."""
    found: set[str] = set()
    todo: list[Any] = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, (list, tuple)):
            parts = list(cast("list[Any]", one))
            todo += parts
            if parts and parts[0] == "item":
                found.add(parts[1])
            if parts and parts[0] in ("in", "forin"):
                found.add(parts[2])
            if parts[:2] == ["builtin", "split"] and len(parts[2]) > 1:
                found.add(str(parts[2][1][1]))
    return found
