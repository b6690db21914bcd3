"""A service's own context that is built by its name, and the one context that takes its place.

Facts from the wheels: Anthropic's and Bedrock's take a ``system`` beside what ``OpenAILLMContext`` takes, which their
service lost until 0.0.108 on the way to its aggregators. From 1.0.0 on a system message that comes first in an
``LLMContext`` goes to those services as their system prompt, if it is not alone. Messages in a service's own format an
``LLMContext`` does not understand.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import NamedTuple

from checks.arguments import Argument, Change, arguments_of, check_comments
from checks.guards import is_none
from checks.pipecat import timeline
from checks.pipecat.contexts import (
    CONTEXT,
    GONE_SINCE,
    Tools,
    kind_of_tools,
    known_classes,
    old_name,
    tools_given,
)
from checks.pipecat.moves import is_annotation
from checks.source import Source
from checks.unclear import Unclear
from checks.values import assigned, given_by, works_on_the_way

CONTEXTS = (
    "pipecat.services.anthropic.llm.AnthropicLLMContext",
    "pipecat.services.aws.llm.AWSBedrockLLMContext",
    "pipecat.services.google.llm.GoogleLLMContext",
)
LOST = "the service of old lost the system message on the way, which comes first in the context now"
OWN_FORMAT = "its messages were a service's own and in its format, and now are as they were given"
_TAKEN = ("messages", "tools", "system")
# What puts messages into a context.
_GIVEN = ("add_message", "add_messages", "set_messages")
# Where it keeps them, and what puts one, or several, into a list.
_LISTS = ("messages", "_messages")
_GROWS = ("append", "extend")
# What is mended whichever context it is asked of.
_MENDED = ("get_messages_for_logging", "get_messages_for_persistent_storage")
# What only these contexts had, and names by which a context goes where its class is not seen.
_OWN = ("system", "system_message", "turns_above_cache_threshold", "get_messages_with_cache_control_markers")
_CALLED = ("context", "_context", "ctx", "_ctx")
_ROLES = ("system", "user", "assistant")


class Built(NamedTuple):
    """A call that builds a service's own context, and what it is given of messages."""

    call: ast.Call
    messages: ast.expr | None
    system: ast.keyword | None


def check_uses(imported: dict[ast.alias, str], source: Source) -> None:
    """Raise Unclear unless services' own contexts are only built and named in annotations, and hold plain messages."""
    for alias, old in imported.items():
        if old in CONTEXTS:
            _check_name(alias.asname or alias.name, source)
    for node in source.nodes(ast.Attribute):
        _check_attribute(node, source)
    for name in _OWN:
        for user in source.project.mentioning(name):
            for node in user.named(ast.Attribute, (name,)):
                if user.segment(node.value).rpartition(".")[2] in _CALLED:
                    where = f"line {node.lineno} of {user.path.name}"
                    raise Unclear(f"{where} asks a context for its {name}, which was a service's own")
    for call in source.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _GIVEN and _is_own(call.func.value, source):
            _check_given(call, source)
    for node in source.named(ast.Attribute, _LISTS):
        if _is_own(node.value, source):
            _check_list(node, source)


def built(source: Source) -> list[Built]:
    """Return the calls of a file that build services' own contexts.

    Raises:
        Unclear: not all that one is given is seen, or is something that no other context takes.
    """
    return [_taken_apart(call, source) for call in source.nodes(ast.Call) if is_named(call.func, source)]


def is_named(node: ast.expr, source: Source) -> bool:
    """Tell whether an expression names one of the classes."""
    dotted = source.names.resolve(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
    return dotted is not None and old_name(dotted, source) in CONTEXTS


def with_system_first(source: Source) -> Iterator[Change]:
    """Yield the changes by which the system message that a context is given becomes the first of its messages."""
    for one in built(source):
        if one.system is not None:
            yield _system_first(one, one.system, source)


def _check_name(local: str, source: Source) -> None:
    for use in source.named(ast.Name, (local,)):
        if not is_named(use, source) or _is_called(use, source) or is_annotation(use, source):
            continue
        raise Unclear(f"line {use.lineno} does more with {local} than build one")


def _is_called(use: ast.Name, source: Source) -> bool:
    above = source.parent(use)
    return isinstance(above, ast.Call) and above.func is use


def _is_own(node: ast.expr, source: Source) -> bool:
    return not known_classes(node, source).isdisjoint(CONTEXTS)


def _check_list(messages: ast.Attribute, source: Source) -> None:
    """Raise Unclear where something else than a plain message comes into the list that a context keeps."""
    above = source.parent(messages)
    call = source.parent(above) if isinstance(above, ast.Attribute) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _GROWS:
        _check_given(call, source)
    elif isinstance(above, (ast.Attribute, ast.AugAssign)) or not _is_read(messages, above):
        raise Unclear(f"line {messages.lineno} changes the messages of a context, which were a service's own")


def _is_read(node: ast.Attribute, above: ast.AST | None) -> bool:
    return isinstance(node.ctx, ast.Load) and not (
        isinstance(above, ast.Subscript) and not isinstance(above.ctx, ast.Load)
    )


def _check_attribute(node: ast.Attribute, source: Source) -> None:
    """Raise Unclear where something is asked of a context that was a service's own alone."""
    if node.attr in _MENDED:
        return
    for owner in known_classes(node.value, source).intersection(CONTEXTS):
        release = next((one for one in source.releases if not timeline.defines(CONTEXT, node.attr, one)), None)
        last = timeline.last_with(owner, source.project.target)
        if release is not None and timeline.defines(owner, node.attr, last):
            raise Unclear(f"the context of {release} has no {node.attr}, which line {node.lineno} asks for")


def _check_given(call: ast.Call, source: Source) -> None:
    assert isinstance(call.func, ast.Attribute)
    values = [*call.args, *(one.value for one in call.keywords)]
    if len(values) != 1:
        raise Unclear(f"not all that {call.func.attr} is given in line {call.lineno} is seen")
    if call.func.attr in ("add_message", "append"):
        _check_messages([values[0]], source)
    else:
        _check_messages(_listed(values[0], source), source)


def _taken_apart(call: ast.Call, source: Source) -> Built:
    names = [one.arg for one in call.keywords]
    if len(call.args) > len(_TAKEN) - 1 or any(isinstance(one, ast.Starred) for one in call.args):
        raise Unclear(f"not all that the context of line {call.lineno} is given is seen")
    stranger = next((name for name in names if name not in _TAKEN), "")
    if stranger != "":
        raise Unclear(f"what says the {stranger or '**'} that the context of line {call.lineno} is given is not known")
    given = {one.arg: one for one in call.keywords}
    messages = call.args[0] if call.args else given["messages"].value if "messages" in given else None
    if messages is not None:
        _check_messages(_listed(messages, source), source)
    return Built(call, messages, given.get("system"))


def _listed(value: ast.expr, source: Source) -> list[ast.expr]:
    """Return the messages that are written out in a list, here or where its one name is bound."""
    written = value
    if isinstance(value, ast.Name):
        values = [given_by(binding.node, source) for binding in source.names.bindings(value)]
        if len(values) == 1 and values[0] is not None and not _grows(value, source):
            written = values[0]
    if not isinstance(written, ast.List):
        raise Unclear(f"that the messages of line {value.lineno} are in no service's own format is not seen")
    return written.elts


def _grows(name: ast.Name, source: Source) -> bool:
    """Tell whether something is asked of a list, or done to it, but that it is handed on."""
    uses = source.named(ast.Name, (name.id,))
    return any(isinstance(source.parent(use), (ast.Attribute, ast.Subscript, ast.AugAssign)) for use in uses)


def _check_messages(messages: Collection[ast.expr], source: Source) -> None:
    """Raise Unclear unless messages are written out, of a role and a content that every context understands."""
    for message in messages:
        keys = message.keys if isinstance(message, ast.Dict) else []
        items = {
            key.value: value
            for key, value in zip(keys, message.values if isinstance(message, ast.Dict) else [], strict=True)
            if isinstance(key, ast.Constant)
        }
        role = items.get("role")
        is_plain = items.keys() == {"role", "content"} and len(keys) == 2
        if not is_plain or not isinstance(role, ast.Constant) or role.value not in _ROLES:
            raise Unclear(f"that the message of line {message.lineno} is in no service's own format is not seen")
        if not _is_text(items["content"], source):
            raise Unclear(f"that the message of line {message.lineno} is plain text is not seen")


def _is_text(content: ast.expr, source: Source) -> bool:
    """Tell whether a content may be taken for text: nothing that is written out is anything else."""
    if isinstance(content, ast.Name):
        values = [assigned(binding.node, source) for binding in source.names.bindings(content)]
        return all(value is None or isinstance(value, ast.Name) or _is_text(value, source) for value in values)
    if isinstance(content, ast.Constant):
        return isinstance(content.value, str)
    return not isinstance(content, (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp))


def _system_first(one: Built, system: ast.keyword, source: Source) -> Change:
    """Return the change that puts a system message in front of a context's messages."""
    if works_on_the_way(system.value) or _may_be_nothing(system.value, source):
        raise Unclear(f"whether there is a system message in line {system.lineno} is not seen")
    oldest = source.oldest
    if oldest < GONE_SINCE:
        raise Unclear(f"what a service of {oldest}, which the project admits, makes of a system message is not known")
    tools = tools_given(one.call, source)
    if tools is not None:
        value = tools.value if isinstance(tools, ast.keyword) else tools
        if kind_of_tools(value, source) is not Tools.FIT:
            raise Unclear(f"both its tools and its system message in line {system.lineno} are to change")
    arguments = arguments_of(one.call, source)
    own = arguments.of(system)
    text = own.text.partition("=")[2].lstrip()
    message = f'{{"role": "system", "content": {text}}}'
    if one.messages is None:
        items = [item._replace(text=f"messages=[{message}]") if item is own else item for item in arguments.items]
    else:
        holder = next(
            item
            for item in arguments.items
            if one.messages in (item.node, item.node.value if isinstance(item.node, ast.keyword) else None)
        )
        put = _put_first(message, one.messages, holder, source)
        items = [put if item is holder else item for item in arguments.items if item is not own]
    change = arguments.changed(items, source)
    check_comments(change, source)
    return change


def _put_first(message: str, messages: ast.expr, holder: Argument, source: Source) -> Argument:
    """Return the argument that holds a context's messages with one more in front of them."""
    if not isinstance(messages, ast.List):
        raise Unclear(f"the messages of line {messages.lineno} are a list that something else may use")
    if any('"system"' in source.segment(one) or "'system'" in source.segment(one) for one in messages.elts):
        raise Unclear(f"there are two system messages for the context of line {messages.lineno}")
    head, _, rest = holder.text.partition("[")
    if not messages.elts:
        return holder._replace(text=f"{head}[{message}]")
    blank = rest[: len(rest) - len(rest.lstrip())]
    if "\n" in blank:
        return holder._replace(text=f"{head}[{blank}{message},{rest}")
    if rest.lstrip().startswith("#"):
        raise Unclear("a comment stands in front of the first message")
    return holder._replace(text=f"{head}[{message}, {rest.lstrip()}")


def _may_be_nothing(value: ast.expr, source: Source) -> bool:
    """Tell whether a value says, or may say, that there is no system message."""
    if is_none(value) or (source.names.resolve(value) or "").endswith(".NOT_GIVEN"):
        return True
    match value:
        case ast.Constant(value=text):
            return not text
        case ast.IfExp(body=body, orelse=orelse):
            return _may_be_nothing(body, source) or _may_be_nothing(orelse, source)
        case ast.BoolOp(op=ast.Or(), values=[*_, last]):
            return _may_be_nothing(last, source)
        case ast.BoolOp():
            return True
        case ast.Call(func=ast.Attribute(attr="get" | "getenv") | ast.Name(id="getenv"), args=[_], keywords=[]):
            return True
        case ast.Name():
            return any(_gives_nothing(binding.node, source) for binding in source.names.bindings(value))
        case _:
            return False


def _gives_nothing(binding: ast.AST, source: Source) -> bool:
    """Tell whether what gives a name its value gives it, or may give it, none."""
    if isinstance(binding, ast.arg):
        return _is_left_out(binding, source)
    above = source.parent(binding)
    if isinstance(above, ast.AnnAssign) and _admits_none(above.annotation, source):
        return True
    given = assigned(binding, source)
    return given is not None and not isinstance(given, ast.Name) and _may_be_nothing(given, source)


def _admits_none(annotation: ast.expr, source: Source) -> bool:
    noted = source.segment(annotation)
    return "None" in noted or "Optional" in noted


def _is_left_out(parameter: ast.arg, source: Source) -> bool:
    """Tell whether a parameter is None by default, or may be by its annotation."""
    taken = source.parent(parameter)
    if parameter.annotation is not None and _admits_none(parameter.annotation, source):
        return True
    if not isinstance(taken, ast.arguments):
        return False
    placed = [*taken.posonlyargs, *taken.args]
    defaults = dict(zip(placed[len(placed) - len(taken.defaults) :], taken.defaults, strict=True))
    named = {one: value for one, value in zip(taken.kwonlyargs, taken.kw_defaults, strict=True) if value is not None}
    default = {**defaults, **named}.get(parameter)
    return default is not None and is_none(default)
