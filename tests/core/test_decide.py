"""The door to the verbs: none is left standing outside."""

import ast
import inspect
from typing import get_args

from ledger.core import decide as door
from ledger.core.commands import Command


def test_every_command_has_its_verb() -> None:
    tree = ast.parse(inspect.getsource(door.decide))
    arms = {
        pattern.cls.id
        for node in ast.walk(tree)
        if isinstance(node, ast.match_case)
        for pattern in ast.walk(node.pattern)
        if isinstance(pattern, ast.MatchClass) and isinstance(pattern.cls, ast.Name)
    }
    simply = {command.__name__ for command in door._SIMPLY}
    assert not arms & simply
    commands = {command.__name__ for command in get_args(Command)}
    assert arms | simply | {"AdvanceAccount"} == commands
