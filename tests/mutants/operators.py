"""Mistakes, one at a time: mutants of a piece of Python, made on its syntax tree."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ARITHMETIC = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div, ast.Add], ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div, ast.Mult], ast.Mod: [ast.FloorDiv], ast.Pow: [ast.Mult], ast.MatMult: [ast.Mult],
    ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd],
}  # fmt: skip
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE], ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE], ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.In: [ast.NotIn],
    ast.NotIn: [ast.In], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is],
}  # fmt: skip
TWINS = {
    "any": ["all"], "all": ["any"], "min": ["max"], "max": ["min"], "argmin": ["argmax"],
    "argmax": ["argmin"], "sum": ["mean"], "mean": ["sum", "median"], "floor": ["ceil"], "ceil": ["floor"],
    "round": ["floor"], "zeros": ["ones"], "ones": ["zeros"], "minimum": ["maximum"], "maximum": ["minimum"],
    "sin": ["cos"], "cos": ["sin"], "std": ["var"], "var": ["std"], "zeros_like": ["ones_like"],
    "append": ["extend"], "log": ["log2"], "exp": ["expm1"], "ReLU": ["Sigmoid"], "relu": ["sigmoid"],
    "train": ["eval"], "eval": ["train"], "cumsum": ["cumprod"], "unique": ["sort"], "flip": ["roll"],
    "permutation": ["choice"],
}  # fmt: skip
# Calls that are easily forgotten: `f(x, ...)` becomes `x`, and `x.f(...)` becomes `x`.
FORGOTTEN = {
    "abs", "sqrt", "sorted", "reversed", "copy", "deepcopy", "clip", "clamp", "astype", "int", "float",
    "detach", "flatten", "reshape", "ravel", "sigmoid", "softmax", "relu", "log", "exp", "round", "mean",
    "sum", "squeeze", "set", "unique", "sort", "flip", "permutation", "zero_grad", "item", "max", "min",
    "square", "T",
}  # fmt: skip

TYPES = {
    "float32": ["int", "float"], "float64": ["int"], "float": ["int"], "int": ["float", "bool"],
    "int64": ["float"], "bool": ["int"], "uint8": ["float"],
}  # fmt: skip
REDUCING = {"sum", "mean", "max", "min", "argmax", "argmin", "std", "var", "any", "all", "cumsum"}


@dataclass(frozen=True)
class Mutant:
    """A changed piece of code: the kind of the mistake, the line, that line before and after."""

    kind: str
    line: int
    change: str
    code: str


def mutants(code: str, keep: Callable[[ast.AST], bool] = lambda node: True) -> list[Mutant]:
    """All mutants of a piece of code, each with one mistake, none twice; keep: which nodes may change."""
    tree = ast.parse(code)
    plain = ast.unparse(tree)
    seen, found = {plain}, []
    for index, node in enumerate(ast.walk(tree)):
        if not keep(node):
            continue
        for kind, change in _changes(tree, node):
            other = copy.deepcopy(tree)
            twin = next(twin for place, twin in enumerate(ast.walk(other)) if place == index)
            try:
                change(other, twin)
                text = ast.unparse(ast.fix_missing_locations(other))
                compile(text, "mutant", "exec")
            except (SyntaxError, ValueError, TypeError, AttributeError):
                continue
            if text not in seen:
                seen.add(text)
                found.append(Mutant(kind, getattr(node, "lineno", 0), _difference(plain, text), text))
    return found


def _difference(before: str, after: str) -> str:
    one, two = before.split("\n"), after.split("\n")
    gone = next((a.strip() for a, b in zip(one, two, strict=False) if a != b), "")
    new = next((b.strip() for a, b in zip(one, two, strict=False) if a != b), "")
    return f"{gone}  ->  {new}"


Change = Callable[[ast.AST, ast.AST], None]  # of the whole tree, and of the node in it


def _changes(tree: ast.AST, node: ast.AST) -> Iterator[tuple[str, Change]]:
    for make in (_operators, _values, _calls, _places, _loops, _statements, _names):
        yield from make(tree, node)


def _operators(tree: ast.AST, node: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.BinOp | ast.AugAssign):
        for other in ARITHMETIC.get(type(node.op), []):
            yield "arithmetic", lambda _, n, other=other: setattr(n, "op", other())
    if isinstance(node, ast.BinOp):
        yield "operand dropped", lambda root, n: _swap_in(root, n, n.left)
        yield "operand dropped", lambda root, n: _swap_in(root, n, n.right)
        if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.MatMult | ast.Pow):
            yield "operands swapped", _swap_operands
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            for other in COMPARISONS.get(type(operator), []):
                yield "comparison", lambda _, n, i=i, other=other: n.ops.__setitem__(i, other())
    if isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield "and / or", lambda _, n: setattr(n, "op", other())
        for i in range(len(node.values)):
            yield "condition dropped", lambda root, n, i=i: _drop_value(root, n, i)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield "sign or not dropped", lambda root, n: _swap_in(root, n, n.operand)
    if isinstance(node, ast.IfExp | ast.If):
        for value in (True, False):
            yield "condition fixed", lambda _, n, value=value: setattr(n, "test", ast.Constant(value))
        yield "condition negated", lambda _, n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))


def _values(tree: ast.AST, node: ast.AST) -> Iterator[tuple[str, Change]]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    new: list[object] = []
    if isinstance(value, bool):
        new = [not value]
    elif isinstance(value, int):
        new = [value + 1, value - 1]
    elif isinstance(value, float):
        new = [value * 1.25 + (value == 0), 0.0 if value else 1.0]
    elif isinstance(value, str):
        new = sorted(_words(tree) - {value}) if len(value) > 1 else [c for c in "abcd" if c != value]
    for other in new:
        yield "constant", lambda _, n, other=other: setattr(n, "value", other)


def _words(tree: ast.AST) -> set[str]:
    """The texts of a piece of code, its docstrings left out."""
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return {text for text in texts if len(text) < 40}


def _calls(tree: ast.AST, node: ast.AST) -> Iterator[tuple[str, Change]]:
    if not isinstance(node, ast.Call):
        return
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    for other in TWINS.get(name, []):
        yield (
            "another function",
            lambda _, n, other=other: setattr(
                n.func, "attr" if isinstance(n.func, ast.Attribute) else "id", other
            ),
        )
    if name in FORGOTTEN:
        module = (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and (function.value.id in ("np", "torch", "math", "copy", "F"))
        )
        if node.args and (module or isinstance(function, ast.Name)):
            yield "call forgotten", lambda root, n: _swap_in(root, n, n.args[0])
        elif isinstance(function, ast.Attribute) and not module:
            yield "call forgotten", lambda root, n: _swap_in(root, n, n.func.value)
    if len(node.args) >= 2 and not any(isinstance(arg, ast.Starred) for arg in node.args[:2]):
        yield "arguments swapped", _swap_arguments
    for i, keyword in enumerate(node.keywords):
        yield "keyword dropped", lambda _, n, i=i: n.keywords.pop(i)
        if keyword.arg in ("axis", "dim") and isinstance(keyword.value, ast.Constant):
            other = 1 if keyword.value.value == 0 else 0
            yield "axis", lambda _, n, i=i, other=other: setattr(n.keywords[i], "value", ast.Constant(other))
    for i, argument in enumerate(node.args):
        kind = argument.attr if isinstance(argument, ast.Attribute) else getattr(argument, "id", "")
        for other in TYPES.get(kind, []):
            yield "dtype", lambda _, n, i=i, other=other: n.args.__setitem__(i, ast.Name(other, ast.Load()))
    for i, keyword in enumerate(node.keywords):
        if keyword.arg == "dtype":
            for other in ("int", "float", "bool"):
                yield (
                    "dtype",
                    lambda _, n, i=i, other=other: setattr(
                        n.keywords[i], "value", ast.Name(other, ast.Load())
                    ),
                )
    if name in REDUCING and not any(keyword.arg in ("axis", "dim") for keyword in node.keywords):
        for axis in (0, -1):
            yield (
                "axis",
                lambda _, n, axis=axis: n.keywords.append(ast.keyword("axis", ast.Constant(axis))),
            )
    if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in ("rng", "generator"):
        yield (
            "global random numbers",
            lambda _, n: setattr(n.func, "value", ast.parse("np.random", mode="eval").body),
        )


def _places(tree: ast.AST, node: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.Slice):
        for side in ("lower", "upper", "step"):
            if getattr(node, side) is not None:
                yield "slice", lambda _, n, side=side: setattr(n, side, None)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == 0:
        yield "first for last", lambda _, n: setattr(n, "slice", ast.UnaryOp(ast.USub(), ast.Constant(1)))
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) >= 2:
        yield "indices swapped", lambda _, n: n.slice.elts.__setitem__(slice(0, 2), n.slice.elts[1::-1])
    if isinstance(node, ast.Tuple | ast.List) and len(node.elts) >= 2 and isinstance(node.ctx, ast.Load):
        yield "order swapped", lambda _, n: n.elts.__setitem__(slice(0, 2), n.elts[1::-1])


def _loops(tree: ast.AST, node: ast.AST) -> Iterator[tuple[str, Change]]:
    """Loops over a part, and parts of literals, subscripts and comprehensions that are left out."""
    if isinstance(node, ast.For | ast.comprehension):
        for part in ("[1:]", "[:-1]", "[:1]", "[::-1]"):
            yield (
                "loop shortened" if part != "[::-1]" else "loop backwards",
                lambda _, n, part=part: setattr(
                    n, "iter", ast.parse(f"list({ast.unparse(n.iter)}){part}", mode="eval").body
                ),
            )
    if isinstance(node, ast.comprehension):
        for i in range(len(node.ifs)):
            yield "condition dropped", lambda _, n, i=i: n.ifs.pop(i)
    if isinstance(node, ast.Set | ast.List | ast.Tuple) and not isinstance(
        getattr(node, "ctx", None), ast.Store
    ):
        for i in range(len(node.elts)):
            yield "element dropped", lambda _, n, i=i: n.elts.pop(i)
    if isinstance(node, ast.Dict):
        for i in range(len(node.values)):
            yield "element dropped", lambda _, n, i=i: (n.keys.pop(i), n.values.pop(i))
            if i:
                yield "order swapped", lambda _, n, i=i: _swap_lines(n.values, i - 1)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield "index dropped", lambda root, n: _swap_in(root, n, n.value)


def _statements(tree: ast.AST, node: ast.AST) -> Iterator[tuple[str, Change]]:
    for field in ("body", "orelse"):
        body = getattr(node, field, None)
        if not isinstance(body, list):
            continue
        for i, statement in enumerate(body):
            if _is_text(statement) or isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import):
                continue
            yield "line dropped", lambda _, n, i=i, field=field: getattr(n, field).__setitem__(i, ast.Pass())
            after = body[i + 1] if i + 1 < len(body) else None
            if after is not None and not isinstance(after, ast.FunctionDef | ast.ClassDef):
                yield "lines swapped", lambda _, n, i=i, field=field: _swap_lines(getattr(n, field), i)
            last = body[-1]
            if isinstance(last, ast.Return) and isinstance(statement, ast.For | ast.While):
                yield (
                    "early return",
                    lambda _, n, i=i, field=field: getattr(n, field)[i].body.append(
                        copy.deepcopy(getattr(n, field)[-1])
                    ),
                )
    if isinstance(node, ast.Break):
        yield "break", lambda root, n: _swap_in(root, n, ast.Continue())
    if isinstance(node, ast.Continue):
        yield "break", lambda root, n: _swap_in(root, n, ast.Break())
    if (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.BinOp)
        and [ast.unparse(target) for target in node.targets] == [ast.unparse(node.value.left)]
    ):
        yield (
            "in place for a copy",
            lambda root, n: _swap_in(root, n, ast.AugAssign(n.targets[0], n.value.op, n.value.right)),
        )
    if isinstance(node, ast.Return) and node.value is not None:
        for word in ("int", "list", "float", "str", "bool"):
            yield (
                "another type",
                lambda _, n, word=word: setattr(
                    n, "value", ast.Call(ast.Name(word, ast.Load()), [n.value], [])
                ),
            )


def _names(tree: ast.AST, node: ast.AST) -> Iterator[tuple[str, Change]]:
    """A name of the function for another one of it, and constants for its arguments."""
    if not (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)):
        return
    function = _around(tree, node)
    if function is None:
        return
    arguments = [arg.arg for arg in function.args.args if arg.arg != "self"]
    local = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if node.id in arguments:
        for value in (0, 1, 2, 16, 0.5):
            yield (
                "constant for an argument",
                lambda root, n, value=value: _swap_in(root, n, ast.Constant(value)),
            )
    if node.id in {*arguments, *local}:
        for other in sorted({*arguments, *local} - {node.id}):
            yield "another name", lambda _, n, other=other: setattr(n, "id", other)


def _around(tree: ast.AST, node: ast.AST) -> ast.FunctionDef | None:
    found = None
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef) and any(inner is node for inner in ast.walk(outer)):
            found = outer
    return found


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _swap_in(root: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put a node where another one is."""
    for parent in ast.walk(root):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
                return
            if isinstance(value, list) and any(item is old for item in value):
                value[next(i for i, item in enumerate(value) if item is old)] = new
                return
    raise ValueError("nowhere in the tree")


def _swap_operands(_: ast.AST, node: ast.AST) -> None:
    node.left, node.right = node.right, node.left  # type: ignore[attr-defined]


def _swap_arguments(_: ast.AST, node: ast.AST) -> None:
    node.args[0], node.args[1] = node.args[1], node.args[0]  # type: ignore[attr-defined]


def _swap_lines(body: list[ast.stmt], i: int) -> None:
    body[i], body[i + 1] = body[i + 1], body[i]


def _drop_value(root: ast.AST, node: ast.AST, i: int) -> None:
    values = [value for k, value in enumerate(node.values) if k != i]  # type: ignore[attr-defined]
    if len(values) == 1:
        _swap_in(root, node, values[0])
    else:
        node.values = values  # type: ignore[attr-defined]
