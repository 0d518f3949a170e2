"""Writes docs/reference/contracts.md from the .proto files and their comments."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import grpc_tools
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_tools import protoc

# Field numbers within the descriptors. The paths of comments consist of them.
_MESSAGES, _ENUMS, _SERVICES, _FIELDS, _VALUES, _METHODS, _PACKAGE = 4, 5, 6, 2, 2, 2, 2
_Field = FieldDescriptorProto


class _File:
    """A .proto file and its comments."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self.file = file
        self._comments = {
            tuple(at.path): at.leading_comments for at in file.source_code_info.location
        }

    def comment(self, *path: int) -> str:
        """The comment of an element, on one line."""
        return " ".join(self._comments.get(path, "").split()).replace("|", "\\|")

    def lines(self) -> Iterator[str]:
        """The file's part of the page."""
        yield from (f"## {self.file.name.removeprefix('childlink/')}", "")
        if about := self.comment(_PACKAGE):
            yield from (about, "")
        for number, service in enumerate(self.file.service):
            yield from (f"### service {service.name}", "", self.comment(_SERVICES, number), "")
            yield from ("| call | takes | gives | what |", "| --- | --- | --- | --- |")
            for place, method in enumerate(service.method):
                takes, gives = _short(method.input_type), _short(method.output_type)
                what = self.comment(_SERVICES, number, _METHODS, place)
                yield f"| `{method.name}` | `{takes}` | `{gives}` | {what} |"
            yield ""
        for number, message in enumerate(self.file.message_type):
            yield from self._message(number, message)
        for number, enum in enumerate(self.file.enum_type):
            yield from (f"### enum {enum.name}", "", self.comment(_ENUMS, number), "")
            yield from ("| number | value | what |", "| --- | --- | --- |")
            for place, value in enumerate(enum.value):
                yield (
                    f"| {value.number} | `{value.name}` |"
                    f" {self.comment(_ENUMS, number, _VALUES, place)} |"
                )
            yield ""

    def _message(self, number: int, message: DescriptorProto) -> Iterator[str]:
        yield from (f"### {message.name}", "", self.comment(_MESSAGES, number), "")
        if message.field:
            yield from ("| number | field | type | what |", "| --- | --- | --- | --- |")
            for place, field in enumerate(message.field):
                what = self.comment(_MESSAGES, number, _FIELDS, place)
                yield f"| {field.number} | `{field.name}` | {_type(message, field)} | {what} |"
            yield ""


def _type(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    name = (
        _short(field.type_name)
        if field.type_name
        else _Field.Type.Name(field.type).removeprefix("TYPE_").lower()
    )
    if field.label == _Field.LABEL_REPEATED:
        return f"repeated `{name}`"
    if field.proto3_optional:
        return f"optional `{name}`"
    return f"`{name}`" + (
        f", one of {message.oneof_decl[field.oneof_index].name}"
        if field.HasField("oneof_index")
        else ""
    )


def _short(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def render(proto: Path) -> str:
    """The whole page."""
    paths = sorted(str(path.relative_to(proto)) for path in proto.glob("childlink/**/*.proto"))
    lines = [
        "# Contracts",
        "",
        (
            "The messages between the parts of childlink, from the comments of"
            " `proto/childlink`. The wire messages are sealed and travel on Kafka; the"
        ),
        (
            "services use gRPC. Published contracts may only be extended: `make check`"
            " compares them with `proto/baseline.binpb`."
        ),
        "",
    ]
    for file in _parse(proto, paths):
        lines += _File(file).lines()
    return "\n".join(lines)


def _parse(proto: Path, paths: Sequence[str]) -> list[FileDescriptorProto]:
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "set.binpb"
        arguments = [
            "protoc",
            f"-I{proto}",
            f"-I{well_known}",
            "--include_source_info",
            f"--descriptor_set_out={output}",
        ]
        if protoc.main([*arguments, *paths]):
            raise SystemExit("the contracts cannot be read")
        return sorted(
            FileDescriptorSet.FromString(output.read_bytes()).file, key=lambda file: file.name
        )
