"""Right answers in other words: rewritten pieces of Python that must never be refused."""

import ast
import copy
import random
from collections.abc import Callable, Iterator

FLIPPED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq}


def rewritten(code: str, count: int, seed: int) -> Iterator[str]:
    """At most so many other forms of a right answer, none twice, each after one to four rewrites."""
    rng = random.Random(f"{seed} {code}")
    seen = {ast.unparse(ast.parse(code))}
    for _ in range(6 * count):
        tree = ast.parse(code)
        for _ in range(rng.randint(1, 4)):
            rng.choice(REWRITES)(tree, rng)
        text = ast.unparse(ast.fix_missing_locations(tree))
        if text not in seen and len(seen) <= count:
            seen.add(text)
            yield text


def _functions(tree: ast.AST) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def rename(tree: ast.Module, rng: random.Random) -> None:
    """Another name for the local variables of a function; arguments keep theirs."""
    for function in _functions(tree):
        inner = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
        free = {
            n.id
            for f in _functions(function)
            for n in ast.walk(f)
            if isinstance(n, ast.Nonlocal | ast.Global)
        }
        taken = {
            arg.arg for node in ast.walk(function) if isinstance(node, ast.arguments) for arg in node.args
        }
        names = {node.id for node in inner if isinstance(node.ctx, ast.Store)} - taken - free
        if any(isinstance(node, ast.Nonlocal | ast.Global | ast.ClassDef) for node in ast.walk(function)):
            continue
        for node in inner:
            if node.id in names:
                node.id = f"my_{node.id}"


def square(tree: ast.Module, rng: random.Random) -> None:
    """x * x for x ** 2."""

    class Change(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
            self.generic_visit(node)
            two = isinstance(node.right, ast.Constant) and node.right.value == 2
            if isinstance(node.op, ast.Pow) and two and isinstance(node.left, ast.Name):
                return ast.BinOp(node.left, ast.Mult(), copy.deepcopy(node.left))
            return node

    Change().visit(tree)


def turn(tree: ast.Module, rng: random.Random) -> None:
    """b * a for a * b, b > a for a < b."""
    for node in ast.walk(tree):
        if rng.random() < 0.5:
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and _plain(node):
                node.left, node.right = node.right, node.left
            if (
                isinstance(node, ast.Compare)
                and len(node.ops) == 1
                and type(node.ops[0]) in FLIPPED
                and _plain(node)
            ):
                node.left, node.comparators = node.comparators[0], [node.left]
                node.ops = [FLIPPED[type(node.ops[0])]()]


def _plain(node: ast.AST) -> bool:
    """Whether the order in which the parts are computed cannot matter."""
    return not any(isinstance(inner, ast.Call | ast.NamedExpr) for inner in ast.walk(node))


def otherwise(tree: ast.Module, rng: random.Random) -> None:
    """`b if not c else a` for `a if c else b`, as a statement, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp | ast.If) and node.orelse and rng.random() < 0.7:
            node.test = ast.UnaryOp(ast.Not(), node.test)
            node.body, node.orelse = node.orelse, node.body  # type: ignore[assignment]


def kept(tree: ast.Module, rng: random.Random) -> None:
    """The answer in a variable before it is returned."""
    for body in _bodies(tree):
        for i, statement in enumerate(body):
            if isinstance(statement, ast.Return) and statement.value and rng.random() < 0.8:
                body[i : i + 1] = [
                    ast.Assign([ast.Name("answer", ast.Store())], statement.value),
                    ast.Return(ast.Name("answer", ast.Load())),
                ]
                break


def looped(tree: ast.Module, rng: random.Random) -> None:
    """A loop for a list that is put together in one line."""
    for body in _bodies(tree):
        for i, statement in enumerate(body):
            value = getattr(statement, "value", None)
            if not isinstance(statement, ast.Assign | ast.Return) or not isinstance(value, ast.ListComp):
                continue
            if len(value.generators) != 1:
                continue
            (part,) = value.generators
            append = ast.Attribute(ast.Name("gathered", ast.Load()), "append", ast.Load())
            inner: ast.stmt = ast.Expr(ast.Call(append, [value.elt], []))
            for test in reversed(part.ifs):
                inner = ast.If(test, [inner], [])
            statement.value = ast.Name("gathered", ast.Load())
            body[i:i] = [
                ast.Assign([ast.Name("gathered", ast.Store())], ast.List([], ast.Load())),
                ast.For(part.target, part.iter, [inner], []),
            ]
            break


def hoisted(tree: ast.Module, rng: random.Random) -> None:
    """The first argument of the first call of a line in a variable of its own."""
    for body in _bodies(tree):
        for i, statement in enumerate(body):
            if not isinstance(statement, ast.Assign | ast.Return) or rng.random() < 0.5:
                continue
            call = statement.value
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
                first = call.args[0]
                if isinstance(first, ast.Starred | ast.GeneratorExp | ast.Lambda):
                    continue
                call.args[0] = ast.Name("first_part", ast.Load())
                body.insert(i, ast.Assign([ast.Name("first_part", ast.Store())], first))
                break


def longer(tree: ast.Module, rng: random.Random) -> None:
    """`x = x + 1` for `x += 1`, for plain names of numbers."""

    class Change(ast.NodeTransformer):
        def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
            if not isinstance(node.target, ast.Name):
                return node
            return ast.Assign(
                [node.target], ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
            )

    Change().visit(tree)


def library(tree: ast.Module, rng: random.Random) -> None:
    """np.mean(x, ...) for np.asarray(x).mean(...) and the other way round."""
    for node in ast.walk(tree):
        function = getattr(node, "func", None)
        if isinstance(node, ast.Call) and isinstance(function, ast.Attribute) and node.args:
            ours = isinstance(function.value, ast.Name) and function.value.id == "np"
            if ours and function.attr in {
                "mean",
                "sum",
                "max",
                "min",
                "argmax",
                "argmin",
                "argsort",
                "cumsum",
            }:
                array = ast.parse("np.asarray", mode="eval").body
                function.value = ast.Call(array, [node.args.pop(0)], [])


def assigned(tree: ast.Module, rng: random.Random) -> None:
    """A second name for an argument."""
    for function in _functions(tree):
        names = [arg.arg for arg in function.args.args if arg.arg != "self"]
        stored = {
            n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        names = [name for name in names if name not in stored]
        if not names or len(_functions(function)) > 1:
            continue
        name = rng.choice(names)
        for node in [n for line in function.body for n in ast.walk(line)]:
            if isinstance(node, ast.Name) and node.id == name:
                node.id = f"the_{name}"
        line = ast.Assign([ast.Name(f"the_{name}", ast.Store())], ast.Name(name, ast.Load()))
        function.body.insert(0, line)


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in list(ast.walk(tree)):
        for field in ("body", "orelse"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                yield body


Rewrite = Callable[[ast.Module, random.Random], None]
REWRITES: list[Rewrite] = [
    rename, square, turn, otherwise, kept, looped, hoisted, longer, library, assigned,
]  # fmt: skip
