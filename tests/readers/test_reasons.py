"""The table of reject reasons, compared with the reasons in the code."""

import ast
from pathlib import Path

import dedup
from dedup.readers.reasons import REJECT_REASONS

PACKAGE = Path(dedup.__file__).parent
TREES = [
    ast.parse(path.read_text(encoding="utf-8")) for folder in ("readers", "batch") for path in sorted((PACKAGE / folder).rglob("*.py"))
]

#: Function or class that makes a reject -> which of its arguments is the reason.
MAKERS = {
    "Reject": 1,
    "Damage": 1,
    "Break": 1,
    "MemberError": 1,
    "BrokenPage": 0,
    "_DamageError": 0,
    "_rejected": 0,
    "_note_flaw": 0,
    "reject": 1,
}


def constants():
    """Module-level names of strings, over all modules."""
    found = {}
    for tree in TREES:
        for node in tree.body:
            if isinstance(node, ast.Assign):
                for names, values in _pairs(node):
                    if isinstance(names, ast.Name) and isinstance(values, ast.Constant) and isinstance(values.value, str):
                        found[names.id] = values.value
    return found


def _pairs(node):
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        return list(zip(target.elts, node.value.elts, strict=True))
    return [(target, node.value)]


def _strings(node, named):
    """The strings that an expression may be: a literal, a constant, a branch of a condition."""
    if isinstance(node, ast.IfExp):
        return _strings(node.body, named) | _strings(node.orelse, named)
    if isinstance(node, ast.Constant):
        return {node.value}
    return {named[node.id]} if isinstance(node, ast.Name) and node.id in named else set()


def reasons_in_code():
    named, found = constants(), set()
    for node in (node for tree in TREES for node in ast.walk(tree)):
        if isinstance(node, ast.Call):
            at = MAKERS.get(ast.unparse(node.func).rpartition(".")[2])
            if at is not None and len(node.args) > at:
                found |= _strings(node.args[at], named)
        elif isinstance(node, ast.Assign):
            for target, value in _pairs(node):
                if isinstance(target, ast.Name) and target.id == "reason":
                    found |= _strings(value, named)
        elif isinstance(node, ast.FunctionDef):
            arguments = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            for argument, value in zip(arguments, node.args.defaults, strict=True):
                if argument.arg == "reason":
                    found |= _strings(value, named)
    return found


def test_the_table_lists_exactly_the_reasons_in_the_code():
    assert reasons_in_code() == set(REJECT_REASONS)


def test_every_meaning_is_one_sentence():
    for reason, meaning in REJECT_REASONS.items():
        assert meaning[0].isupper(), reason
        assert meaning.endswith("."), reason
        assert ". " not in meaning, reason
