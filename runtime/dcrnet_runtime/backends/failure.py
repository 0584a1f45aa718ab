"""Why a back end could not make a model ready, told by what it said."""

from __future__ import annotations

import re
from enum import StrEnum

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import package_command


class LoadFailure(StrEnum):
    """What stood in the way."""

    OUT_OF_MEMORY = "out of memory"
    TOO_NEW = "too new"
    MISSING_OPERATOR = "missing operator"
    DAMAGED = "damaged"
    NO_MODEL = "no model"
    ACCELERATOR = "accelerator"
    UNKNOWN = "unknown"


# In this order: "failed to allocate" also stands in what accelerators say. ONNX Runtime's
# exceptions share no base class, and most are told apart by their names alone.
_SIGNS = (
    (LoadFailure.OUT_OF_MEMORY, r"MemoryError|bad_alloc|[Ff]ailed to allocate|out of memory"),
    (
        LoadFailure.TOO_NEW,
        r"IR version|[Oo]pset \d+ is under development|opcode .*version",
    ),
    (
        LoadFailure.MISSING_OPERATOR,
        r"NotImplemented|No Op registered|not a registered function|No opset import"
        r"|[Uu]nresolved custom op|Didn't find op|Could not find an implementation",
    ),
    # What begins with no mark of TFLite's is taken for ONNX: a protobuf that cannot be parsed may
    # have been either.
    (LoadFailure.NO_MODEL, r"InvalidProtobuf|NoModel|No graph was found"),
    (
        LoadFailure.DAMAGED,
        r"InvalidGraph|InvalidArgument|Flatbuffer|No subgraph|schema version"
        r"|model_content|UnicodeDecodeError",
    ),
    (LoadFailure.ACCELERATOR, r"EPFail|EngineError|DeviceReset|ExecutionProvider|[Dd]elegate"),
)
_CODE = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : ")
_PLACE = re.compile(r"^/\S+:\d+ .*?\) (?=[A-Z])")  # file, line and signature in ONNX Runtime


def failure_of(error: Exception) -> LoadFailure:
    """What kind of failure an exception of ONNX Runtime's or of an interpreter is."""
    said = f"{type(error).__name__}: {error}"
    return next((kind for kind, sign in _SIGNS if re.search(sign, said)), LoadFailure.UNKNOWN)


def load_error(what: object, package: str, error: Exception) -> DcrnetError:
    """The error that says why ``package`` does not run ``what``, and what to do.

    Args:
        what: the model, for people.
        package: who was to run it, as ``pip`` knows it.
        error: what it raised.
    """
    why, upgrade = _first_line(error), package_command(package, options=["--upgrade"])
    match failure_of(error):
        case LoadFailure.OUT_OF_MEMORY:
            text = (
                f"{what} needs more memory than there is ({why}): free some, or use a smaller one"
            )
        case LoadFailure.TOO_NEW:
            text = f"{what} is newer than this {package} ({why}): {upgrade}, or export it again"
        case LoadFailure.MISSING_OPERATOR:
            text = (
                f"{what} has an operator that this {package} lacks ({why}): {upgrade},"
                " or use a file that dcrnet-export wrote"
            )
        case LoadFailure.DAMAGED:
            text = f"{what} is no whole ONNX or TFLite model ({why}): export or copy it again"
        case LoadFailure.NO_MODEL:
            text = (
                f"{what} is neither a whole ONNX nor a whole TFLite file: export or copy it again"
            )
        case LoadFailure.ACCELERATOR:
            text = (
                f"an accelerator does not take {what} ({why}): see to its driver, or leave"
                " `providers` out"
            )
        case LoadFailure.UNKNOWN:
            text = f"{package} does not run {what} ({why}): export it again, or use another file"
    return DcrnetError(text)


def run_error(what: object, package: str, error: Exception) -> DcrnetError:
    """The error of a model that was loaded and does not run, as :func:`load_error` tells one."""
    if failure_of(error) is LoadFailure.OUT_OF_MEMORY:
        return load_error(what, package, error)
    return DcrnetError(
        f"{package} could not compute {what} ({_first_line(error)}): the file was edited or"
        " damaged, export it again, or use another `backend`"
    )


def _first_line(error: Exception) -> str:
    lines = _CODE.sub("", str(error)).strip().splitlines()
    return _PLACE.sub("", lines[0]) if lines else type(error).__name__
