"""A module of PyTorch as a graph of operators: torch.export runs its forward method once, on
tensors without numbers, and writes down what is called.
"""

from __future__ import annotations

import copy
import itertools
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.importers.torch_calls import Call, Read, mapped, refuse_other_numbers
from crn_nn_tellurium.importers.torch_operators import FILLED, is_known, translated
from crn_nn_tellurium.operators import Graph, Identity, Node, unsupported

_PASSED_OVER = (torch.nn.Flatten, torch.nn.Dropout, torch.nn.Identity)
"""What may stand before the first operator, and takes vectors as they are."""


def graph_of(module: torch.nn.Module, example_input: Any) -> Graph:
    """The graph of a module that is no longer trained, for one sample.

    Raises
    ------
    InputError
        If the example does not fit.
    NetworkError
        If it cannot be traced, or an operator has no counterpart.
    """
    try:
        # the user's own stays as it is, with its mode, device and numbers
        own = _copied(module).eval().cpu()
        example = _example(own, example_input)
        with warnings.catch_warnings(), _without_log():
            # what forward keeps in the copy, nobody reads there
            warnings.filterwarnings("ignore", "The tensor attributes? .* assigned during export")
            warnings.filterwarnings("ignore", "Attempted to insert a get_attr Node", UserWarning)
            # PyTorch 2.13 warns of a way of its own
            warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)
            # 2.6 would trace strictly, which it does eight times a process
            graph = _translated(torch.export.export(own, example, strict=False))
    except (InputError, NetworkError):
        raise
    except Exception as error:  # whatever their forward method raises, and torch.export's many
        reason = str(error).strip().split("\n")[0]
        raise NetworkError(
            f"from_torch: {type(module).__name__} cannot be traced with the example input:"
            f" {reason}; expected a forward method of tensors, whose way does not depend on their"
            " numbers"
        ) from error
    _refuse_mixing(own, example)
    return graph


def _copied(module: torch.nn.Module) -> torch.nn.Module:
    """A copy, of modules as well that keep what they computed: pruned ones, say."""
    kept = [value for one in module.modules() for value in vars(one).values()]
    computed = (v for v in kept if isinstance(v, torch.Tensor) and not v.is_leaf)
    # PyTorch copies no tensor that remembers how it was made
    return copy.deepcopy(module, {id(value): value.detach().clone() for value in computed})


def _translated(program: torch.export.ExportedProgram) -> Graph:
    """The graph of a program, in which what is not known here is what PyTorch itself makes it of:
    einsum a product of matrices, say.
    """
    if table := _spellings(program):
        try:
            return _Translation(_without_changes(program, table)).graph()
        except NetworkError:
            pass  # said below by the name that the module has for it
    return _Translation(_without_changes(program, {})).graph()


def _spellings(program: torch.export.ExportedProgram) -> dict[Any, Any]:
    """How to spell out all operators that are not known here, if the program calls one."""
    if all(_is_known(node.target) for node in program.graph.nodes if _is_call(node)):
        return {}
    # what they are made of may need the same
    table = torch.export.default_decompositions()
    return {target: made for target, made in table.items() if not _is_known(target)}


def _without_changes(
    program: torch.export.ExportedProgram, table: dict[Any, Any]
) -> torch.export.ExportedProgram:
    """The same with what it changes in place made anew, and a table's operators spelled out."""
    nodes = program.graph.nodes
    # a part without gradients, say, has no schema, and is put in its place
    has_parts = any(node.op == "get_attr" for node in nodes)
    # which takes as long as the export
    if table or has_parts or any(_is_seen(node) for node in nodes if _is_call(node)):
        program = program.run_decompositions(table)
    program.graph.eliminate_dead_code()
    return program


def _is_known(target: Any) -> bool:
    return is_known(Call(target, "", (), {}).name)


def _is_seen(node: Any) -> bool:
    """Whether a call changes a tensor in place that anything else may read."""
    if not node.target._schema.is_mutable:
        return False
    changed = node.args[0]
    if not _is_call(changed) or len(changed.users) > 1:
        return True
    # a view shares its numbers with what it is of
    aliases = (one.alias_info for one in changed.target._schema.returns)
    return any(alias is not None and not alias.is_write for alias in aliases)


def _example(module: torch.nn.Module, given: Any) -> tuple[torch.Tensor, ...]:
    """One sample of each input, in the module's own type of numbers."""
    if given is None:
        given = torch.zeros(1, _width(module))
    tensors = given if isinstance(given, list | tuple) else (given,)
    for tensor in tensors:
        if not isinstance(tensor, torch.Tensor):
            raise InputError(
                f"example_input: got {type(tensor).__name__}; expected a tensor, or a tuple of"
                " them, one for each input"
            )
        if not tensor.ndim or not len(tensor) or not tensor.dtype.is_floating_point:
            raise InputError(
                f"example_input has shape {tuple(tensor.shape)} and type {tensor.dtype}; expected"
                " floating point numbers, at least one sample along the first axis"
            )
    kinds = [p.dtype for p in module.parameters() if p.dtype.is_floating_point]
    # a copy, since a forward method may change its inputs
    samples = (tensor[:1].detach().cpu().clone() for tensor in tensors)
    return tuple(sample.to(kinds[0]) if kinds else sample for sample in samples)


def _width(module: torch.nn.Module) -> int:
    """How many numbers the first operator reads, if that is a linear one."""
    leaves = [one for one in module.modules() if not any(one.children())]
    first = next((one for one in leaves if not isinstance(one, _PASSED_OVER)), None)
    if not isinstance(first, torch.nn.Linear):
        raise InputError(
            f"from_torch: the first operator is {type(first).__name__}, which does not tell the"
            " shape of its input as a Linear does; give example_input=, a tensor with a sample or"
            " more along its first axis; to the command, --shape"
        )
    return first.in_features


def _refuse_mixing(module: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> None:
    """Refuse a module whose answer for a sample depends on those beside it."""
    others = tuple(torch.cat([one, 1 + 2 * one]) for one in example)
    try:
        with torch.no_grad():
            alone, again, together = (
                _only(module(*(one.clone() for one in x))) for x in (example, example, others)
            )
    except RuntimeError:
        return  # of one sample at a time it mixes none, and half precision is not for every CPU
    if not (isinstance(alone, torch.Tensor) and isinstance(together, torch.Tensor)):
        return
    if not together.ndim:
        raise NetworkError(
            f"from_torch: {type(module).__name__} gives one number for all samples; expected one"
            " row a sample"
        )
    if not torch.allclose(alone, again, rtol=0, atol=0, equal_nan=True):
        raise NetworkError(
            f"from_torch: {type(module).__name__} gives another answer each time that it is called,"
            " since it changes numbers that it reads; expected one that keeps what it reads"
        )
    near = torch.finfo(example[0].dtype).eps ** 0.5
    # squeeze() takes the axis of a single sample away as well
    first = together[:1].flatten()
    same = first.shape == alone.flatten().shape and torch.allclose(
        first, alone.flatten(), rtol=near, atol=near, equal_nan=True
    )
    if len(together) == 2 and not same:
        raise NetworkError(
            f"from_torch: what {type(module).__name__} makes of a sample depends on the samples"
            " beside it, in eval() mode too; expected operators of one sample at a time"
        )


def _only(result: Any) -> Any:
    """What a tuple, a list or a dictionary of one holds: the export takes it as one result."""
    while isinstance(result, tuple | list | dict) and len(result) == 1:
        (result,) = result.values() if isinstance(result, dict) else result
    return result


class _Translation:
    """A program's nodes, one after another: each a number, a Read, or a call of several results."""

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        self.program = program
        self.inputs: dict[str, tuple[int, ...]] = {}
        self.nodes: list[Node] = []
        self.values: dict[Any, Any] = {}
        paths = [_path(node) for node in program.graph.nodes if _is_call(node)]
        self.alone = {path for path in paths if path and paths.count(path) == 1}

    def graph(self) -> Graph:
        """The graph."""
        given = self.program.graph_signature.input_specs
        specs = {spec.arg.name: spec for spec in given}
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self.values[node] = self._placeholder(node, specs[node.name])
            elif node.op == "call_function":
                self.values[node] = self._called(node)
            elif node.op == "get_attr":  # of what a branch or a loop would run
                self.values[node] = None
            else:
                (outputs,) = node.args
        kinds = [spec.kind for spec in self.program.graph_signature.output_specs]
        # what a forward method changes in place is listed among them
        own = torch.export.graph_signature.OutputKind.USER_OUTPUT
        outputs = [one for one, kind in zip(outputs, kinds, strict=True) if kind == own]
        if len(outputs) != 1 or not isinstance(end := self.values.get(outputs[0]), Read):
            raise NetworkError(
                f"from_torch: the module gives {len(outputs)} result(s); expected one tensor that"
                " depends on the inputs"
            )
        if end.name in self.inputs:
            # a graph ends with a node
            self.nodes.append(Node("output", Identity(), (end.name,), "identity"))
            end = Read("output", end.shape)
        return Graph(self.inputs, tuple(self.nodes), end.name)

    def _placeholder(self, node: Any, spec: Any) -> Any:
        if spec.kind is torch.export.graph_signature.InputKind.USER_INPUT:
            if "val" not in node.meta or not isinstance(node.meta["val"], torch.Tensor):
                return getattr(spec.arg, "value", None)
            shape = tuple(node.meta["val"].shape)
            self.inputs[node.name] = shape
            return Read(node.name, shape)
        state = self.program.state_dict
        return _doubled(state[spec.target] if spec.target in state else self._constant(spec))

    def _constant(self, spec: Any) -> Any:
        return self.program.constants[spec.target]

    def _called(self, node: Any) -> Any:
        args, keywords = mapped((node.args, node.kwargs), torch.fx.Node, self.values.__getitem__)
        name, value = self._name(node), node.meta.get("val")
        call = Call(node.target, name, tuple(args), dict(keywords))
        if call.name == "getitem":
            several, item = args
            if not isinstance(several, Call):
                return several[item]
            name = several.where if len(node.args[0].users) == 1 else f"{several.where}[{item}]"
            call = Call(several.target, name, several.args, several.keywords, item)
        elif not call.reads or call.name in FILLED:
            return self._folded(call)
        elif isinstance(value, list | tuple):
            return call  # until it is known which of its results is meant
        if not isinstance(value, torch.Tensor):
            if call.name.startswith("_assert"):
                return None
            raise unsupported(call.name, name, "it makes no tensor")
        refuse_other_numbers(call, value)
        operator, reads = translated(call)
        name, shape = self._unused(name), tuple(value.shape)
        self.nodes.append(Node(name, operator, tuple(one.name for one in reads), call.name, shape))
        return Read(name, shape)

    def _unused(self, name: str) -> str:
        """A submodule may be called like a function that stands beside it."""
        taken = {*self.inputs, *(node.name for node in self.nodes)}
        numbered = (f"{name} ({number})" for number in itertools.count(2))
        return next(one for one in itertools.chain([name], numbered) if one not in taken)

    def _folded(self, call: Call) -> Any:
        """What a call makes of constants, or of shapes, alone."""
        tags = getattr(call.target, "tags", ())
        if torch.Tag.nondeterministic_seeded in tags:
            raise unsupported(call.name, call.where, "it draws random numbers")
        plain = mapped((call.args, call.keywords), torch.dtype, _double)
        plain = mapped(plain, Read, lambda read: torch.zeros(read.shape, dtype=torch.double))
        args, keywords = mapped(plain, torch.device, lambda _: torch.device("cpu"))
        return mapped(call.target(*args, **keywords), torch.Tensor, _doubled)

    def _name(self, node: Any) -> str:
        """Where a node stands: its module's path, with its own name if that has several."""
        path = _path(node)
        if path in self.alone and path not in self.inputs:
            return path
        return f"{path}.{node.name}" if path else str(node.name)


@contextmanager
def _without_log() -> Iterator[None]:
    """What cannot be traced is said once, and not in PyTorch's log as well."""
    logger = logging.getLogger("torch")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _is_call(node: Any) -> bool:
    return node.op == "call_function" and hasattr(node.target, "_schema")


def _path(node: Any) -> str:
    """The path of the module that a node belongs to; a second call of it has a mark."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return str(stack[-1][0]) if stack else ""


def _double(kind: torch.dtype) -> torch.dtype:
    return torch.double if kind.is_floating_point else kind


def _doubled(tensor: torch.Tensor) -> torch.Tensor:
    """On the CPU, and in doubles if it holds floating point numbers of any kind."""
    tensor = tensor.detach().cpu()
    return tensor.to(_double(tensor.dtype))
