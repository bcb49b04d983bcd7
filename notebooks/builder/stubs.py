"""An exercise cell as the teacher wrote it becomes the student's stub and the solution.

Pure functions of text. A region goes from # BEGIN SOLUTION to # END SOLUTION; the comments that follow a line
# STUB in it are the student's text, else it becomes `...`. On one line: `name = value  # SOLUTION`.
"""

import ast
import re

MARKER = re.compile(r"#\s*(BEGIN SOLUTION|END SOLUTION|SOLUTION|STUB)\b")
ONE_LINE = re.compile(r"\s*# SOLUTION\s*$")
BLANK = "...  # TODO: your code here"


def solution(text: str) -> str:
    """The cell without markers and without stub lines. Raises ValueError for markers out of order."""
    lines: list[str] = []
    for line, place in _places(text):
        if place in ("plain", "solution"):
            lines.append(line)
        elif place == "one line":
            lines.append(ONE_LINE.sub("", line))
    return "\n".join(lines)


def stub(text: str) -> str:
    """The cell with a blank for each solution. Raises ValueError for markers out of order."""
    lines: list[str] = []
    region: list[str] = []
    for line, place in _places(text):
        if place == "plain":
            lines.append(line)
        elif place == "one line":
            lines.append(_blank_assignment(line))
        elif place == "begin":
            indent, region = line[: len(line) - len(line.lstrip())], []
        elif place == "stub":
            region.append(_uncomment(line))
        elif place == "end":
            lines += region or [indent + BLANK]
    return "\n".join(lines)


def _places(text: str) -> list[tuple[str, str]]:
    """Each line with its place: plain, one line, begin, solution, stub mark, stub, end."""
    found: list[tuple[str, str]] = []
    inside = ""  # "", "solution" or "stub"
    for line in text.split("\n"):
        word = line.strip()
        if word == "# BEGIN SOLUTION":
            if inside:
                raise ValueError("# BEGIN SOLUTION inside another region")
            inside, place = "solution", "begin"
        elif word == "# END SOLUTION":
            if not inside:
                raise ValueError("# END SOLUTION without # BEGIN SOLUTION")
            inside, place = "", "end"
        elif re.fullmatch(r"# STUB:?", word):
            if not inside:
                raise ValueError("# STUB outside of a region # BEGIN SOLUTION ... # END SOLUTION")
            inside, place = "stub", "stub mark"
        elif re.match(r"# STUB\b", word):  # the stub on the same line
            if not inside:
                raise ValueError("# STUB outside of a region # BEGIN SOLUTION ... # END SOLUTION")
            line, place = re.sub(r"# STUB:? ?", "# ", line, count=1), "stub"
        elif inside == "stub" and (not word or word.startswith("#")):
            place = "stub"
        elif inside:
            inside = place = "solution"  # the first line of code ends a stub
        else:
            place = "one line" if ONE_LINE.search(line) else "plain"
        found.append((line, place))
    if inside:
        raise ValueError("the region # BEGIN SOLUTION is not closed by # END SOLUTION")
    if not any(place in ("end", "one line") for _, place in found):
        raise ValueError(
            "an exercise needs a region # BEGIN SOLUTION ... # END SOLUTION or a line # SOLUTION"
        )
    return found


def _uncomment(line: str) -> str:
    return re.sub(r"^(\s*)# ?", r"\1", line, count=1)


def _blank_assignment(line: str) -> str:
    """`a, b = 1, 2  # SOLUTION` becomes `a, b = ..., ...  # TODO: your answer`."""
    code = ONE_LINE.sub("", line)
    indent = code[: len(code) - len(code.lstrip())]
    try:
        (statement,) = ast.parse(code.strip()).body
    except (SyntaxError, ValueError):
        statement = None
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        name, kind = ast.unparse(statement.target), ast.unparse(statement.annotation)
        return f"{indent}{name}: {kind} = ...  # TODO: your answer"
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        raise ValueError(f"# SOLUTION on one line is for a plain assignment `name = value`: {line.strip()}")
    target = statement.targets[0]
    names = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    blanks = ", ".join(["..."] * len(names))
    return f"{indent}{', '.join(ast.unparse(name) for name in names)} = {blanks}  # TODO: your answer"
