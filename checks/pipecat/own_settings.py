"""Services of the project's own that take what Pipecat keeps in ``_settings`` for a dictionary.

Facts from the wheels: until 0.0.103 ``AIService`` kept a dictionary there, of which it and the classes that are made to
be derived from used nothing but to put in what a frame brought for the keys it had. From 0.0.104 on it keeps a
``ServiceSettings``, a dataclass with no items, and ``AIService.start`` calls its ``validate_complete``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.arguments import Change, Rewrite
from checks.guards import asks_for, catches, tests_version
from checks.pipecat import timeline
from checks.pipecat.hierarchy import Lineage, is_of_library, lineage, method
from checks.pipecat.members import heirs, is_bound, is_set_from_outside
from checks.pipecat.releases import Release
from checks.receivers import is_self_attribute, is_super_call
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear, if_clear

SETTINGS = "_settings"
DIFFERENCE = "settings that a frame brings no longer reach it then"
_OWN_NAME = "_own_settings"
_SERVICE = "pipecat.services.ai_service.AIService"
_KEPT = "pipecat.services.settings.ServiceSettings"
# Bases that never read a key which they do not know.
_KINDS = ("ai", "image", "llm", "stt", "tts", "vision", "websocket")
_BASES = tuple(f"pipecat.services.{kind}_service." for kind in _KINDS)
_OF_DICTIONARIES = ("copy", "get", "items", "keys", "pop", "setdefault", "update", "values")


def since(release: Release) -> Release | None:
    """Return the release from which on settings are kept in an object, None where one does not do so yet."""
    if not timeline.exists(_KEPT, release):
        return None
    return timeline.history(_KEPT)[0][0]


def line_of(node: ast.Attribute, source: Source) -> Lineage | None:
    """Return the lineage of the service around ``self._settings``, None where its settings are not surely Pipecat's."""
    owner = source.names.enclosing_class(node) if is_self_attribute(node, source) else None
    line = lineage(owner, source) if owner is not None else None
    if owner is None or line is None or _SERVICE not in line.names or since(source.project.target) is None:
        return None
    lines = (line, *heirs(owner, source))
    for one in lines:
        if not one.is_whole or not all(is_of_library(above, source) for above in one.outside if above != "abc.ABC"):
            return None
        if any(is_bound(SETTINGS, above, home) or above.keywords or above.decorator_list for home, above in one.own):
            return None
    if is_set_from_outside(SETTINGS, source) or tests_version(node, source) or asks_for(SETTINGS, node, source):
        return None
    return line


def makes_dictionary(node: ast.Attribute, line: Lineage, source: Source) -> bool:
    """Tell whether ``self._settings`` is given a dictionary, and nothing else, and is so when the service starts."""
    values = [value for home, one in line.own for value in _given(one, home)]
    if not values or not all(_is_dictionary(value) for value in values):
        return False
    if _is_tested(line):
        return False
    function = source.names.enclosing_function(node)
    later = (one for one in ast.walk(function) if is_super_call(one, "__init__")) if function is not None else ()
    if any(isinstance(one, ast.Call) and one.lineno > node.lineno for one in later):
        return False  # Pipecat puts its own there
    return all(_starts_above(one) for _, one in line.own)


def is_used_as_dictionary(node: ast.Attribute, source: Source) -> bool:
    """Tell whether an attribute is given something, or asked for items."""
    return isinstance(node.ctx, ast.Store) or _is_asked_for_items(node, source)


def _is_asked_for_items(node: ast.Attribute, source: Source) -> bool:
    match source.parent(node):
        case ast.Subscript(value=value):
            return value is node
        case ast.keyword(arg=None):
            return True
        case ast.Dict(keys=keys, values=values):
            return any(value is node and key is None for key, value in zip(keys, values, strict=True))
        case _:
            return False


def has_no_items(node: ast.Attribute, line: Lineage, source: Source) -> bool:
    """Tell whether the project gives nothing to ``self._settings``, so that it is Pipecat's."""
    if is_replaced(line):
        return False
    lines = (line, *heirs(line.own[0][1], line.own[0][0]))
    if any(source.project.paths_mentioning(name) for name in ("__getitem__", "ServiceSettings")):
        return False  # settings of the project's own may have items
    return not any(_is_tested(one) for one in lines) and not catches(node, source, "TypeError", at_large=False)


def is_replaced(line: Lineage) -> bool:
    """Tell whether the project's classes, those derived from it among them, put something in the settings' place."""
    lines = (line, *heirs(line.own[0][1], line.own[0][0]))
    return any(True for one in lines for home, owner in one.own for _ in _given(owner, home))


def is_to_be_renamed(line: Lineage) -> bool:
    """Tell whether what a class puts there is a dictionary that can have another name."""
    home, owner = line.own[0]
    stores = [one for one in _asked(owner, home) if not isinstance(one.ctx, ast.Load)]
    return any(
        makes_dictionary(one, line, home) and if_clear(renamed, one, line, home)[0] is not None for one in stores
    )


def has_plain_bases(line: Lineage, target: Release) -> bool:
    """Tell whether all that a service derives from outside the project is made to be derived from."""
    bases = (timeline.canonical(one, target) for one in line.outside)
    return all(one.startswith(_BASES) or one == "abc.ABC" for one in bases)


def renamed(node: ast.Attribute, line: Lineage, source: Source) -> Rewrite:
    """Return the changes that keep the dictionary under a name of its own.

    Raises:
        Unclear: others may use it, it may be used as something else, or a release that the project admits fills it.
    """
    oldest = source.oldest
    if since(oldest) is None:
        raise Unclear(f"{oldest}, which the project admits, puts into it what a frame brings")
    owner = line.own[0][1]
    if len(line.own) > 1 or heirs(owner, source) or not has_plain_bases(line, source.project.target):
        raise Unclear("other classes may use it")
    if method(owner, "_update_settings") is not None or source.project.paths_mentioning(_OWN_NAME):
        raise Unclear("")
    uses = list(_asked(owner, source))
    if len(list(_given(owner, source))) > 1 or not all(one is node or _is_use(one, source) for one in uses):
        raise Unclear("what is done with it is not plain")
    if _is_used_elsewhere(source):
        raise Unclear("it is asked for from elsewhere")
    ends = (source.end(one) for one in uses)
    changes = tuple(Change(source.span_between(end - len(SETTINGS), end), _OWN_NAME) for end in ends)
    return Rewrite(changes, Fix.UNSAFE)


def _asked(owner: ast.ClassDef, source: Source) -> Iterator[ast.Attribute]:
    """Yield every ``self._settings`` in a class's methods."""
    for node in source.named(ast.Attribute, (SETTINGS,)):
        if is_self_attribute(node, source) and source.names.enclosing_class(node) is owner:
            yield node


def _given(owner: ast.ClassDef, source: Source) -> Iterator[ast.expr | None]:
    """Yield what a class puts there; None for what cannot be told."""
    for node in _asked(owner, source):
        if not isinstance(node.ctx, ast.Load):
            parent = source.parent(node)
            is_only = isinstance(parent, ast.AnnAssign) or (isinstance(parent, ast.Assign) and len(parent.targets) == 1)
            yield parent.value if isinstance(parent, (ast.Assign, ast.AnnAssign)) and is_only else None


def _is_dictionary(value: ast.expr | None) -> bool:
    match value:
        case ast.Dict() | ast.DictComp() | ast.Call(func=ast.Name(id="dict")):
            return True
        case _:
            return False


def _is_tested(line: Lineage) -> bool:
    """Tell whether the project's classes ask what ``_settings`` is."""
    for home, owner in line.own:
        for node in _asked(owner, home):
            call = home.parent(node)
            if isinstance(call, ast.Call) and node in call.args and isinstance(call.func, ast.Name):
                if call.func.id in ("isinstance", "hasattr", "type", "is_dataclass"):
                    return True
    return False


def _starts_above(owner: ast.ClassDef) -> bool:
    """Tell whether what a class does at the start includes what its bases do."""
    start = method(owner, "start")
    return start is None or any(is_super_call(part, "start") for part in ast.walk(start))


def _is_use(node: ast.Attribute, source: Source) -> bool:
    """Tell whether ``self._settings`` is used as nothing but a dictionary, and not handed to anybody."""
    if _is_asked_for_items(node, source):
        return True
    parent = source.parent(node)
    call = source.parent(parent) if isinstance(parent, ast.Attribute) and parent.attr in _OF_DICTIONARIES else None
    return isinstance(call, ast.Call) and call.func is parent


def _is_used_elsewhere(source: Source) -> bool:
    """Tell whether anything in the project asks an object but its own for ``_settings``, or names it in a string."""
    for user in source.project.mentioning(SETTINGS):
        if not all(is_self_attribute(one, user) for one in user.named(ast.Attribute, (SETTINGS,))):
            return True
        if any(one.value == SETTINGS for one in user.nodes(ast.Constant)):
            return True
    return False
