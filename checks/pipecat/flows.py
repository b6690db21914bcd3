"""What the package ``pipecat_flows`` had before its 1.0, and ``pipecat.flows`` never did.

Facts from pipecat-ai-flows 0.0.22 and 1.4.0, and Pipecat 1.5.0 to 1.14.0: ``FlowManager.set_node`` did what
``set_node_from_config`` does, which it had too since 0.0.18, with a name of its own for the node; functions of a node
were dictionaries also; what a function led to was told beside it.
"""

from __future__ import annotations

import ast

from checks.arguments import Change, Rewrite, check_comments
from checks.pipecat.hierarchy import method
from checks.pipecat.members import is_own
from checks.pipecat.objects import owner_of
from checks.pipecat.releases import Release
from checks.project import Project
from checks.source import Source
from checks.unclear import Unclear
from checks.values import works_on_the_way

PACKAGE, HOME = "pipecat_flows", "pipecat.flows"
SINCE = Release(1, 5, 0)
SET_NODE = "set_node"
_SET_NODE_NOW = "set_node_from_config"
_PLAIN = (ast.Attribute, ast.Call, ast.Name, ast.Subscript)
_PARAMETERS = ("node_id", "node_config")
# What became of the keywords of a class.
_RETURNED = "have its handler return its result and the next node"
_KEYWORDS = {
    "FlowManager": {
        "tts": "it was not used; leave it out",
        "flow_config": "give the first node to initialize(), and have functions return the next one",
    },
    "FlowsFunctionSchema": {"transition_to": _RETURNED, "transition_callback": _RETURNED},
}
_MODULES = {"FlowManager": "manager", "FlowsFunctionSchema": "types"}
CLASSES = {
    f"{home}.{module}{name}": name
    for home in (PACKAGE, HOME)
    for name in _KEYWORDS
    for module in ("", f"{_MODULES[name]}.")
}


def lost_keywords(call: ast.Call, source: Source) -> dict[str, str]:
    """Return the keywords of a call that only the package's class took, each with what to do instead."""
    name = CLASSES.get(source.names.resolve(call.func) or "")
    known = _KEYWORDS.get(name or "", {})
    return {keyword.arg: known[keyword.arg] for keyword in call.keywords if keyword.arg in known}


def is_set_node(node: ast.Attribute, source: Source) -> bool:
    """Tell whether a method is the manager's that the package had, and surely not that of a class derived from it."""
    found = owner_of(node, source)
    if found is None or [CLASSES.get(one) for one in found.lineage.outside] != ["FlowManager"]:
        return False
    return not is_own(found.lineage, SET_NODE) and (found.is_exact or not _is_defined_in(source.project))


def _is_defined_in(project: Project) -> bool:
    """Tell whether a class of the project's that derives from anything has such a method."""
    classes = (node for user in project.mentioning(SET_NODE) for node in user.nodes(ast.ClassDef) if node.bases)
    return any(method(node, SET_NODE) is not None for node in classes)


def named_in_config(call: ast.Call, source: Source) -> Rewrite:
    """Return the change that tells a node's name in its configuration.

    Raises:
        Unclear: an admitted release may come with the package, or what the call is given is not plain.
    """
    if source.oldest < SINCE:
        raise Unclear(f"{source.oldest}, which the project admits, comes without {HOME}")
    given = dict(zip(_PARAMETERS, call.args, strict=False)) | {one.arg: one.value for one in call.keywords}
    if sorted(given, key=str) != sorted(_PARAMETERS) or len(call.args) + len(call.keywords) != 2:
        raise Unclear("what it is given is not seen")
    name, config = (given[one] for one in _PARAMETERS)
    if any(isinstance(one, ast.Starred) or works_on_the_way(one) for one in (name, config)):
        raise Unclear("what it is given is not seen")
    if _calls(name) and _calls(config):
        raise Unclear("which of its calls comes first would change")
    places = [*call.args, *call.keywords]
    start, end = source.start(places[0]), source.end(places[-1])
    assert isinstance(call.func, ast.Attribute)
    behind = source.end(call.func)
    method = Change(source.span_between(behind - len(SET_NODE), behind), _SET_NODE_NOW)
    change = Change(source.span_between(start, end), _named(name, config, source))
    check_comments(change, source)
    return Rewrite((method, change))


def _named(name: ast.expr, config: ast.expr, source: Source) -> str:
    """Return a node's configuration as text, with its name."""
    said, text = f'"name": {source.segment(name)}', source.segment(config)
    if not isinstance(config, ast.Dict):
        return f"{{**{text if isinstance(config, _PLAIN) else f'({text})'}, {said}}}"
    first = config.keys[0] if config.keys else None
    if first is None or not all(_is_another(key) for key in config.keys):
        raise Unclear("the configuration may have a name of its own")
    gap = source.text[source.start(config) + 1 : source.start(first)]
    if gap.strip():
        raise Unclear("a comment stands in front of the first key")
    return f"{{{gap}{said},{gap or ' '}{text[1:].lstrip()}"


def _calls(value: ast.expr) -> bool:
    return any(isinstance(part, ast.Call) for part in ast.walk(value))


def _is_another(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value != "name"


def is_function(node: ast.Dict, source: Source) -> bool:
    """Tell whether a dictionary is a function of a node, with what runs it or what it leads to, of flows."""
    if not source.project.holds(PACKAGE.encode()) and not source.project.holds(HOME.encode()):
        return False
    keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    if "type" not in keys or "function" not in keys:
        return False
    inner = node.values[keys.index("function")]
    if not isinstance(inner, ast.Dict):
        return False
    names = {key.value for key in inner.keys if isinstance(key, ast.Constant)}
    return "name" in names and not names.isdisjoint(("handler", "transition_to", "transition_callback"))
