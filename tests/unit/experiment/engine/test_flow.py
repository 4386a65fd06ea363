"""The graph of who reached whose objects."""

import io

import networkx as nx
import pytest

from simulator.cli.present import flows
from simulator.experiment.engine import flow
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import find
from simulator.isolation.technologies.registry import parse_spec

CANARY = "object:file:host:/srv/canary/secret"


def found(scenario, spec):
    return flow.accesses(question(find(scenario)), parse_spec(spec))


def to_canary(graph):
    return [data for _from, to, data in graph.edges(data=True) if to == CANARY]


@pytest.mark.parametrize(
    ("spec", "outcome", "wall"),
    [("chroot", "allowed", ""), ("docker", "denied", "pivot-root")],
)
def test_an_access_bears_its_outcome_and_its_wall(spec, outcome, wall):
    accesses = [
        data
        for data in to_canary(flow.graph(found("fs.chroot-escape", spec)))
        if data["relation"] == "access"
    ]
    assert accesses
    assert {(data["outcome"], data["wall"]) for data in accesses} == {(outcome, wall)}


def test_a_granted_access_is_told_apart():
    told = {one.outcome for one in found("ipc.path-socket", "docker -v /:/host")}
    assert "denied" in told or "granted" in told
    shared = found("processes.list", "docker --pid=host")
    assert {one.outcome for one in shared if one.kind == "process"} == {"granted"}


def test_every_object_has_an_owner():
    graph = flow.graph(found("fs.chroot-escape", "none"))
    for node, data in graph.nodes(data=True):
        if data["type"] == "object":
            owners = [
                start
                for start, _to, edge in graph.in_edges(node, data=True)
                if edge["relation"] == "owns"
            ]
            assert owners == [f"domain:{data['owner']}"]


def test_json_and_graphml_are_read_back():
    graph = flow.graph(found("fs.chroot-escape", "docker"))
    again = nx.node_link_graph(flow.as_json(graph), edges="edges")
    assert nx.utils.graphs_equal(graph, again)
    parsed = nx.read_graphml(io.BytesIO(flow.as_graphml(graph).encode()), force_multigraph=True)
    assert set(parsed.nodes) == set(graph.nodes)
    assert parsed.number_of_edges() == graph.number_of_edges()


def test_the_picture_and_the_text_name_object_and_wall():
    listed = found("fs.chroot-escape", "docker")
    for shown in (flows.as_svg(listed, "t"), flows.as_text(listed)):
        assert "/srv/canary/secret" in shown
        assert "pivot-root" in shown


def test_a_run_that_reaches_nothing_says_so():
    assert flows.as_text(()) == "every call stayed at home\n"
    assert "every call stayed at home" in flows.as_svg((), "t")
