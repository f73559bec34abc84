"""``.proto`` files to descriptors, by protoc, which grpcio-tools brings along.

protoc runs as a process of its own: once for each schema, and what it says of a bad one can be
caught. Files that Google's own packages bring (``google/protobuf``, ``google/type``) need not be
given.
"""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from ferris_beam.errors import MissingDependencyError, SchemaError

MAIN = "schema.proto"
"""The name of a file that has none."""

_PATIENCE = 60.0
_LOCATION = re.compile(r"^(?:[^\s:]*/)?schema\.proto:", re.MULTILINE)


def compiled(text: str, imports: Mapping[str, str], where: str) -> FileDescriptorSet:
    """The descriptors of a file, the last one, behind those of all that it imports.

    ``imports`` are the texts of other files by the names that they are imported under. A text may
    be what Confluent's clients for Python and .NET register instead: the descriptor in base64.
    Raises `SchemaError`; ``where`` says in it whose schema it is.
    """
    descriptor = _in_base64(text)
    if descriptor is not None:
        return _completed(descriptor, imports, where)
    return _compiled({**imports, MAIN: text}, where)


def compiled_file(path: Path) -> FileDescriptorSet:
    """Of a ``.proto``; its imports are looked for in its folder. Raises `SchemaError`."""
    return _run(path.name, [str(path.resolve().parent)], str(path))


def _compiled(texts: Mapping[str, str], where: str) -> FileDescriptorSet:
    with tempfile.TemporaryDirectory(prefix="ferris-proto-") as folder:
        for name, text in texts.items():
            _check_name(name, where)
            file = Path(folder) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return _run(MAIN, [folder], where)


def _check_name(name: str, where: str) -> None:
    """Names come from the registry: none may leave the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise SchemaError(f"{where}: {name!r} is no name to import a file by")


def _run(name: str, folders: Sequence[str], where: str) -> FileDescriptorSet:
    includes = [f"-I{folder}" for folder in (*folders, *_included())]
    with tempfile.TemporaryDirectory(prefix="ferris-proto-") as folder:
        out = Path(folder) / "out"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "grpc_tools.protoc", *includes),
                *("--include_imports", f"--descriptor_set_out={out}", name),
            ],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        if done.returncode:
            said = _LOCATION.sub("line ", done.stderr.strip())
            raise SchemaError(f"{where} is no Protobuf schema:\n{said}")
        return FileDescriptorSet.FromString(out.read_bytes())


def _included() -> list[str]:
    """The folders of the files that Google's packages bring."""
    tools = find_spec("grpc_tools")
    if tools is None:
        raise MissingDependencyError.of("grpcio-tools", "a Protobuf schema")
    found = [f"{folder}/_proto" for folder in tools.submodule_search_locations or ()]
    types = find_spec("google.type")
    for folder in types.submodule_search_locations or () if types is not None else ():
        found.append(str(Path(folder).parents[1]))
    return found


# ── descriptors in base64 ───────────────────────────────────────────────────────────────────────


def _in_base64(text: str) -> FileDescriptorProto | None:
    try:
        found = FileDescriptorProto.FromString(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, DecodeError):
        return None
    return found if found.message_type or found.enum_type else None


def _completed(
    descriptor: FileDescriptorProto, imports: Mapping[str, str], where: str
) -> FileDescriptorSet:
    """With the descriptors of what it imports, those behind that they need."""
    found = FileDescriptorSet()
    for name in descriptor.dependency:
        text = imports.get(name)
        inner = None if text is None else _in_base64(text)
        if inner is not None:
            inner.name = name
            files = _completed(inner, imports, where).file
        else:
            files = _compiled({**imports, MAIN: f'syntax = "proto3";\nimport "{name}";\n'}, where)
            files = files.file[:-1]
        known = {file.name for file in found.file}
        found.file.extend(file for file in files if file.name not in known)
    found.file.append(descriptor)
    return found
