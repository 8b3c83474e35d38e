"""Formulas of losses and activations: as text, as mathematics in figures, and with numbers put in.

A record has its formula and the derivative as an expression each, such as `(y - t)**2` and
`2 * (y - t)`; whatever is shown of them is made here.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from downslope.numerals import rounded

Given = Mapping[str, float | str]  # parts of a formula, and the number or name in their place
MINUS = "\N{MINUS SIGN}"
_TIMES = "\N{MULTIPLICATION SIGN}"
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_WORDS = {
    "Phi": "Φ is the distribution function of the standard normal distribution and φ its density"
}
_COMPARED = {
    ast.Lt: (operator.lt, "<", "<"),
    ast.LtE: (operator.le, "\N{LESS-THAN OR EQUAL TO}", r"\leq"),
    ast.Gt: (operator.gt, ">", ">"),
    ast.GtE: (operator.ge, "\N{GREATER-THAN OR EQUAL TO}", r"\geq"),
    ast.Eq: (operator.eq, "=", "="),
}
_COMPUTED = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
CHOICE, SUM, PRODUCT, POWER, WHOLE = range(5)  # how tightly a part of a formula holds together


@dataclass(frozen=True)
class Equation:
    """A function of one number and its derivative, as formulas.

    Attributes:
        result: What the function is called, such as "L".
        variable: What its number is called, such as "y".
        formula: The function, as an expression.
        derivative: Its derivative, likewise; empty where it is not known.
    """

    result: str
    variable: str
    formula: str
    derivative: str

    def put(self, values: Given) -> Equation:
        """The same with numbers or other names in place of parts, and without what is 0 or 1."""
        return replace(
            self,
            formula=simplified(put(self.formula, values)),
            derivative=simplified(put(self.derivative, values)),
        )

    @property
    def slope_name(self) -> str:
        """The derivative's name: "dL/dy", or "dL/dy_i" where each output has its own."""
        index = "" if "[i]" not in self.derivative else "_j" if "[j]" in self.derivative else "_i"
        return f"d{self._name}/d{self.variable}{index}"

    @property
    def _name(self) -> str:
        return f"{self.result}_i" if "[i]" in self.formula else self.result

    def __str__(self) -> str:
        """Return both: "L = (y − 500)²,  dL/dy = 2 (y − 500)"; nothing without a formula."""
        return ",  ".join(self.lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """The function, and its derivative; what is not known is left out."""
        named = (self._name, self.formula), (self.slope_name, self.derivative)
        return tuple(f"{name} = {written(one)}" for name, one in named if one)

    def slope(self, values: Given, found: float, digits: int = 6, *, short: bool = False) -> str:
        """The derivative with numbers: "dL/dy = 2 (y − 500) = 2 (350 − 500) = −300".

        Args:
            values: The numbers.
            found: What it comes to.
            digits: Of all numbers.
            short: Whether the formula without numbers is left out.
        """
        steps = [self.slope_name]
        if self.derivative:
            steps += [written(self.derivative, digits)] * (not short)
            steps += [written(put(self.derivative, values), digits)]
        return " = ".join(dict.fromkeys([*steps, written(found, digits)]))

    @property
    def mathtext(self) -> tuple[str, ...]:
        """Both for a figure."""
        above, below = self.slope_name.split("/")
        found = (
            (f"{self._name} =", self.formula),
            (rf"\dfrac{{{above}}}{{{below}}} =", self.derivative),
        )
        return tuple(f"${name} {mathtext(one)}$" for name, one in found if mathtext(one))


def written(formula: str | float, digits: int = 6) -> str:
    """A formula as people write it, such as "2 (y − t)"; what is no expression as it is."""
    tree = _tree(repr(float(formula)) if not isinstance(formula, str) else formula)
    return str(formula) if tree is None else _Text(digits).of(tree)


def mathtext(formula: str) -> str:
    """A formula as matplotlib sets it, without the $ around it; empty what is no expression."""
    tree = _tree(formula)
    return "" if tree is None else _Mathtext(6).of(tree)


def explained(formula: str) -> str:
    """What the names in a formula stand for, where that has to be said."""
    return "; ".join(words for name, words in _WORDS.items() if re.search(rf"\b{name}\b", formula))


def put(formula: str, values: Given) -> str:
    """A formula with numbers or other names in place of parts; choices by them are made.

    Args:
        formula: The formula; what is no expression stays as it is.
        values: What is put there, by the part whose place it takes, such as "t" or "z[i]".
    """
    tree = _tree(formula)
    return formula if tree is None else ast.unparse(_Put(values).visit(tree))


def simplified(formula: str) -> str:
    """A formula without factors 1 and terms 0."""
    tree = _tree(formula)
    return formula if tree is None else ast.unparse(_Simplify().visit(tree))


def _tree(formula: str) -> ast.expr | None:
    """The parts of a formula; None where it is not an expression that can be written."""
    try:
        tree = ast.parse(formula, mode="eval").body
        _Text(6).of(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree


def _number(node: ast.AST) -> float | None:
    """What a part comes to, if it has numbers alone."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            found = _number(inner)
            return None if found is None else -found
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _COMPUTED:
            pair = _number(left), _number(right)
            if None in pair or (pair[1] == 0 and isinstance(sign, ast.Div)):
                return None
            return _COMPUTED[type(sign)](*pair)
        case ast.Call(func=ast.Name(id="abs"), args=[inner]):
            found = _number(inner)
            return None if found is None else abs(found)
    return None


def _without_minus(node: ast.expr) -> ast.expr | None:
    """A part that begins with a minus, without it."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return inner
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as sign, right=right):
            positive = _without_minus(left)
            return None if positive is None else ast.BinOp(positive, sign, right)
    return None


class _Put(ast.NodeTransformer):
    """Puts numbers and names in, and takes the branch that the numbers decide."""

    def __init__(self, values: Given) -> None:
        self.values = {part.replace(" ", ""): one for part, one in values.items()}

    def visit(self, node: ast.AST) -> ast.AST:
        part = ast.unparse(node).replace(" ", "") if isinstance(node, ast.expr) else ""
        if part not in self.values:
            return super().visit(node)
        one = self.values[part]
        return ast.parse(one if isinstance(one, str) else repr(float(one)), mode="eval").body

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.test, ast.Compare):
            compare = _COMPARED[type(node.test.ops[0])][0]
            pair = _number(node.test.left), _number(node.test.comparators[0])
            if None not in pair:
                return node.body if compare(*pair) else node.orelse
        return node


class _Simplify(ast.NodeTransformer):
    """Leaves out what changes nothing; numbers that tell something stay: 2 (350 − 500)."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if _number(node.operand) == 0 else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        left, right = _number(node.left), _number(node.right)
        negative = ast.UnaryOp(ast.USub(), node.right)
        if isinstance(node.op, ast.Mult):
            if 0 in (left, right):
                return ast.Constant(0)
            if left in (1, -1):
                return node.right if left == 1 else negative
            return node.left if right == 1 else node
        if isinstance(node.op, ast.Add | ast.Sub):
            if {left, right} <= {0, 1}:
                return ast.parse(repr(_number(node)), mode="eval").body
            if right == 0:
                return node.left
            if left == 0:
                return node.right if isinstance(node.op, ast.Add) else negative
        return node


class _Text:
    """Writes a formula as text, with brackets only where they are needed."""

    def __init__(self, digits: int) -> None:
        self.digits = digits

    def of(self, node: ast.expr, least: int = CHOICE) -> str:
        """A part, in brackets if it holds together less tightly than `least`."""
        text, tightness = self.part(node)
        return text if tightness >= least else self.bracketed(text)

    def part(self, node: ast.expr) -> tuple[str, int]:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.number(rounded(value, self.digits).replace("-", MINUS)), WHOLE
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return f"{MINUS}{self.of(inner, PRODUCT)}", SUM
            case ast.Name(id=name):
                return self.name(name), WHOLE
            case ast.Subscript(value=value, slice=index):
                return self.below(self.of(value, POWER), self.of(index)), WHOLE
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                return f"[{self.compared(left, sign, right)}]", WHOLE
            case ast.IfExp(test=ast.Compare(left=left, ops=[sign], comparators=[right])):
                condition = self.compared(left, sign, right)
                return self.choice(self.of(node.body), condition, self.of(node.orelse)), CHOICE
            case ast.BinOp(left=ast.UnaryOp(op=ast.USub(), operand=left), op=ast.Mult()):
                return self.part(ast.UnaryOp(ast.USub(), ast.BinOp(left, ast.Mult(), node.right)))
            case ast.BinOp():
                return self.operation(node)
            case ast.Call(func=ast.Name(id="sum"), args=[ast.GeneratorExp() as each]):
                index = self.of(each.generators[0].target)
                return self.sum_over(index, self.of(each.elt, PRODUCT)), POWER
            case ast.Call(func=ast.Name(id="abs"), args=[inner]):
                return f"|{self.of(inner)}|", WHOLE
            case ast.Call(func=ast.Name(id="exp"), args=[inner]):
                return self.exponential(self.of(inner)), WHOLE
            case ast.Call(func=ast.Name(id=name), args=inner):
                return f"{self.function(name)}({', '.join(map(self.of, inner))})", WHOLE
        raise ValueError(ast.dump(node))

    def operation(self, node: ast.BinOp) -> tuple[str, int]:
        left, right = node.left, node.right
        match node.op:
            case ast.Add() | ast.Sub():
                minus = isinstance(node.op, ast.Sub)
                if (positive := _without_minus(right)) is not None:  # y - -3 is y + 3
                    minus, right = not minus, positive
                told = self.of(right, PRODUCT if minus else SUM)
                return f"{self.of(left, SUM)} {MINUS if minus else '+'} {told}", SUM
            case ast.Mult():
                told = self.of(left, PRODUCT), self.of(right, POWER)
                return self.times(*told), PRODUCT
            case ast.Div():
                return self.divided(left, right)
            case ast.Pow():
                return self.power(self.of(left, WHOLE), self.of(right, WHOLE)), POWER
        raise ValueError(ast.dump(node))

    def compared(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> str:
        return f"{self.of(left)} {_COMPARED[type(sign)][1]} {self.of(right)}"

    def bracketed(self, text: str) -> str:
        return f"({text})"

    def number(self, text: str) -> str:
        return text

    def name(self, name: str) -> str:
        return {"Phi": "Φ", "phi": "φ"}.get(name, name)

    def function(self, name: str) -> str:
        return self.name(name)

    def below(self, text: str, index: str) -> str:
        return f"{text}_{index}"

    def choice(self, one: str, condition: str, other: str) -> str:
        return f"{one} for {condition}, else {other}"

    def sum_over(self, index: str, text: str) -> str:
        return f"Σ_{index} {text}"

    def exponential(self, text: str) -> str:
        return f"exp({text})"

    def times(self, left: str, right: str) -> str:
        sign = f" {_TIMES} " if right[0].isdigit() else " "
        return f"{left}{sign}{right}"

    def divided(self, left: ast.expr, right: ast.expr) -> tuple[str, int]:
        return f"{self.of(left, PRODUCT)} / {self.of(right, POWER)}", PRODUCT

    def power(self, base: str, exponent: str) -> str:
        if exponent.isdigit():
            return f"{base}{exponent.translate(_SUPERSCRIPTS)}"
        return f"{base}^{exponent}"


class _Mathtext(_Text):
    """Writes a formula in matplotlib's mathtext."""

    def compared(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> str:
        return f"{self.of(left)} {_COMPARED[type(sign)][2]} {self.of(right)}"

    def bracketed(self, text: str) -> str:
        return rf"\left({text}\right)"

    def number(self, text: str) -> str:
        return text.replace(MINUS, "-").replace(",", "{,}")

    def name(self, name: str) -> str:
        greek = {"Phi": r"\Phi", "phi": r"\varphi"}
        return greek.get(name, name if len(name) == 1 else rf"\mathrm{{{name}}}")

    def below(self, text: str, index: str) -> str:
        return f"{text}_{{{index}}}"

    def choice(self, one: str, condition: str, other: str) -> str:
        return rf"{one}\;\mathrm{{for}}\;{condition},\;\mathrm{{else}}\;{other}"

    def sum_over(self, index: str, text: str) -> str:
        return rf"\Sigma_{{{index}}}\,{text}"

    def exponential(self, text: str) -> str:
        return f"e^{{{text}}}"

    def times(self, left: str, right: str) -> str:
        sign = r" \times " if right[0].isdigit() else r"\,"
        return f"{left}{sign}{right}"

    def divided(self, left: ast.expr, right: ast.expr) -> tuple[str, int]:
        return rf"\dfrac{{{self.of(left)}}}{{{self.of(right)}}}", POWER

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"
