"""Does a hint name the right spot? From the kind of a mistake to words that its hint may or must not have."""

import re

# The answer's own line, or an example with what came and what was expected: right for every kind of mistake.
EVIDENCE = (
    r"\(line \d+|expected|, not |\byours\b|\byou (find|found|answered|counted?|returned|drew|cut|give)\b"
    r"|\bgives?\b|\bgave\b|\bbecame\b|\bbecomes\b|your function says|your parts have|is asked for"
    r"|your (validation side|precisions|threshold|answer is)|not where its"
)

WORDS = {
    "global random numbers": r"generator|rng|global|random|seed",
    "another type": r"type|a text|a list|a tuple|True|number|array|asked for|indices|mask|shape|return",
    "axis": r"shape|axis|row|column|number|mean over|sum",
    "line dropped": r"None|return|missing|forg|nothing|not defined|unbound|never|no ",
    "constant for an argument": r"whatever|same|fixed|other|always|all|any",
    "arguments swapped": r"swap|wrong way|order|round|upside|other",
    "order swapped": r"swap|wrong way|order|first|mixed",
    "operands swapped": r"swap|wrong way|upside|sign|minus|positive|negative",
    "in place for a copy": r"chang|copy|new",
    "keyword dropped": r"first|missing|shape|scale|same|generator|axis|step",
    "sign or not dropped": r"sign|minus|positive|negative|wrong way|down|up",
    "element dropped": r"missing|more|these are|lacks|all|which|what|look",
}

# A hint with these words sends the reader to what is right, unless the mistake is of one of these kinds.
ELSEWHERE = {
    r"global random numbers": {"global random numbers", "another name", "call forgotten"},
    r"changed what it was given|you were given": {
        "in place for a copy", "call forgotten", "another name", "line dropped", "index dropped",
    },
    r"is the line `return` missing|says? `return`\?|`return` is missing": {
        "another type", "line dropped", "early return", "call forgotten", "index dropped", "loop shortened",
        "condition fixed", "condition negated", "comparison", "axis", "another function", "operand dropped",
    },
    r"code failed in the check": set(),
}  # fmt: skip


def at_the_spot(kind: str, message: str) -> bool:
    """Whether a refusal of a mistake of this kind leads to it."""
    if any(re.search(words, message) and kind not in kinds for words, kinds in ELSEWHERE.items()):
        return False
    return bool(re.search(EVIDENCE, message) or re.search(WORDS.get(kind, "(?!)"), message, re.IGNORECASE))
