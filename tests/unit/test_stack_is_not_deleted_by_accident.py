"""`make up` and `make down` never delete a running hub of another checkout or of an earlier one."""

import json

import pytest

from deploy import stack


class Engine:
    """A Docker engine with a stack on it, as `docker` would report it."""

    def __init__(self, folder=None, volumes=()):
        self.folder, self.volumes, self.composed = folder, list(volumes), []

    def docker(self, *arguments):
        if arguments[0] == "ps":
            return "childlink-linker-1\nchildlink-prometheus-1\n" if self.folder else ""
        if arguments[0] == "volume":
            return "\n".join(self.volumes)
        source = (
            f"{self.folder}/linker/etc"
            if arguments[-1] == "childlink-linker-1"
            else "/checkout/deploy/prometheus"
        )
        return json.dumps([{"Type": "bind", "Source": source}])

    def compose(self, *arguments, **_options):
        self.composed.append(arguments)
        return ""


@pytest.fixture
def engine(monkeypatch, tmp_path):
    found = Engine()
    monkeypatch.setattr(stack, "STACK", tmp_path / ".stack")
    monkeypatch.setattr(stack, "docker", found.docker)
    monkeypatch.setattr(stack, "compose", found.compose)
    monkeypatch.setattr(stack, "_hub", lambda: None)
    monkeypatch.delenv("CHILDLINK_PROJECT", raising=False)
    monkeypatch.delenv("CHILDLINK_DELETE", raising=False)
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115, PTH123
    return found


@pytest.mark.parametrize("step", [stack.prepare, stack.up, stack.down, stack.clean])
def test_a_second_checkout_leaves_the_running_hub_alone(engine, step, monkeypatch):
    monkeypatch.setenv("CHILDLINK_DELETE", "childlink")
    engine.folder = "/somewhere/else/.stack"
    with pytest.raises(stack.StackError, match="not this checkout's"):
        step()
    assert engine.composed == []


def test_databases_whose_keys_are_not_here_are_not_deleted(engine):
    engine.volumes = ["childlink_linker-data"]
    with pytest.raises(
        stack.StackError,
        match="another stack called 'childlink': childlink_linker-data",
    ):
        stack.prepare()
    assert engine.composed == []
    assert not stack.STACK.exists()


def test_deleting_needs_the_name_of_the_stack(engine, monkeypatch):
    engine.folder = stack.STACK
    (stack.STACK / "linker").mkdir(parents=True)
    with pytest.raises(stack.StackError, match="DELETE=childlink"):
        stack.clean()
    monkeypatch.setenv("CHILDLINK_DELETE", "childlink-test")
    with pytest.raises(stack.StackError, match="DELETE=childlink"):
        stack.clean()
    assert engine.composed == []
    assert stack.STACK.exists()
    monkeypatch.setenv("CHILDLINK_DELETE", "childlink")
    stack.clean()
    assert "--volumes" in engine.composed[0]
    assert not stack.STACK.exists()


def test_stopping_keeps_the_data(engine):
    engine.folder = stack.STACK
    (stack.STACK / "linker").mkdir(parents=True)
    stack.down()
    assert "--volumes" not in engine.composed[0]
    assert stack.STACK.exists()
