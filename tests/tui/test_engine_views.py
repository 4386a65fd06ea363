"""A Docker Engine seen from outside: layers, overlay, networks, volumes, requests."""

import asyncio
import functools

import pytest

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.present.engine import happened
from simulator.classroom.tui.present.engine.disk import Disk, size
from simulator.classroom.tui.present.engine.happened import happenings
from simulator.classroom.tui.present.engine.inside import first_process, shown
from simulator.classroom.tui.present.engine.requests import daemon, requests
from simulator.classroom.tui.present.engine.stack import Stack, Stacks, Storey, difference, stacks
from simulator.classroom.tui.present.step import Tone
from simulator.classroom.tui.present.views import VIEWS, engine_view
from simulator.classroom.tui.screens.home import HomeScreen
from simulator.classroom.tui.screens.layers import LayersDialog
from simulator.classroom.tui.screens.play import PlayScreen
from simulator.classroom.tui.screens.requests import RequestsDialog
from simulator.experiment.engine.executor import open_whole
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.kernel.task import Task
from tests.tui.screen import screen_text, until

CHANGES = "echo x >> /etc/os-release; rm /etc/passwd; touch /new; echo kept > /data/x"


@functools.cache
def timeline():
    session, _ = open_whole(load_world("docker"), parse_spec("none"))
    for line in (
        "docker network create front",
        "docker volume create kept",
        "docker run -d --name web -p 8080:80 nginx",
        "docker run -d --name cache -v kept:/data --network front redis",
        f"docker run --name box -v /data alpine sh -c '{CHANGES}'",
    ):
        session.shell("host", line)
    return session.kernels[0].timeline


def world():
    return timeline().at(len(timeline()))


def container(name):
    return next(one for one in Disk(world()).containers() if one.Name == name)


def text(view, name="box", *, inside=False):
    lines = engine_view(view, world(), container(name), inside=inside)
    return "\n".join(line.text for line in lines)


def test_a_shared_layer_is_marked_and_counted_once():
    told = text("layers")

    assert told.count("shared by 2 images") == 2
    sizes = [layer.size for layer in Disk(world()).layers().values()]
    assert told.endswith(f"on disk once: {size(sum(sizes))}")


def test_an_overlay_shows_copy_ups_whiteouts_and_new_files():
    told = text("layers", inside=True)

    assert "⇡ /etc/os-release  copied up from 2" in told
    assert "✗ /etc/passwd  whiteout" in told
    assert "+ /new" in told


def test_a_bridge_is_drawn_with_its_cables_and_published_ports():
    told = text("bridges")

    assert "■ docker0  172.17.0.1/16" in told
    assert "eth0 172.17.0.2  web" in told
    assert "0.0.0.0:8080 ─▶ docker-proxy " in told
    assert "⇅ enp3s0  NAT: outside they appear as 192.0.2.10" in told
    assert "bridge  bridge  172.17.0.0/16" in told
    assert "eth0 172.18.0.2  cache" in told
    assert "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-dest" in told
    assert "-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP" in told
    assert "-P FORWARD DROP" in told


def test_a_network_of_ones_own_has_names():
    assert "found as cache" in text("bridges", "cache", inside=True)
    assert "found as" not in text("bridges", "web", inside=True)


def test_volumes_are_told_from_the_writable_layer():
    assert "◀ cache /data  running" in text("volumes")
    taken, left = text("volumes", "cache", inside=True).split("outlives it")
    assert "✗ its layer" in taken
    assert "✓ /data ◀ kept" in left
    taken, left = text("volumes", "box", inside=True).split("outlives it")
    assert "✗ /data  anonymous volume" in taken
    assert "nothing" in left


def test_each_layer_has_its_size_its_maker_and_what_it_changes():
    found = stacks(world())
    nginx = next(one for one in found.stacks if one.name == "nginx:latest")
    own, *layers = nginx.storeys
    assert (own.name, own.container) == ("web", True)
    assert [one.shared for one in layers] == [1, 1, 2]
    assert sum(one.size for one in layers) == nginx.size
    top = difference(world(), layers[0].id)
    assert any(one.mark == "+" and one.path == "/docker-entrypoint.sh" for one in top.changes)
    second = {one.path: one.mark for one in difference(world(), layers[1].id).changes}
    assert second["/etc"] == "·"
    marks = {one.path: one.mark for one in difference(world(), container("box").ID).changes}
    assert marks["/etc/os-release"] == "⇡"
    assert marks["/etc/passwd"] == "✗"
    assert marks["/new"] == "+"
    assert difference(world(), "gone") is None


def test_events_are_told_in_their_order_and_each_container_has_its_own():
    told = happenings(timeline().events)
    lines = [line.text.split(" ", 1)[1] for line in happened.lines(told)]
    assert lines[:2] == ["network create front  type=bridge", "volume create kept  driver=local"]
    assert lines.index("container create web  image=nginx") < lines.index(
        "container start web  image=nginx"
    )
    own = [line.text for line in happened.inside(told, container("box"))]
    assert own[-1].endswith("container die box  exitCode=0 image=alpine")
    assert not [text for text in own if " web" in text]


def test_before_anything_was_done_there_is_nothing_to_see():
    early = timeline().at(0)
    assert not Disk(early).there
    assert [line.text for line in engine_view("layers", early, None, inside=False)] == [
        "no image yet"
    ]


def test_the_sandboxs_side_shows_a_container_that_runs():
    newest = shown(world())
    assert newest.Name == "cache"
    assert shown(world(), 1).Name == "web"
    assert world().row(Task, first_process(world(), newest)).domain == newest.ID
    assert first_process(world(), container("box")) is None


def test_every_request_has_its_status_and_the_calls_below_it():
    events = timeline().events
    found = requests(events, daemon(world()))
    told = [(one.method, one.target.partition("?")[0], one.status) for one in found]

    assert ("POST", "/networks/create", 201) in told
    assert ("POST", "/images/create", 200) in told
    starts = [one for one in found if one.target.endswith("/start")]
    assert [one.status for one in starts] == [204, 204, 204]
    calls = [events[number - 1].call.name for number in starts[-1].calls]
    assert {"mount", "clone", "pivot_root", "seccomp", "execve"} <= set(calls)


def test_what_a_containers_program_reads_is_no_request():
    found = requests(timeline().events, daemon(world()))
    assert all(one.target.startswith("/") and one.status for one in found)
    assert not [one for one in found if one.target == "/"]


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_the_views_follow_the_others_and_a_request_leads_to_its_call(size):
    async with VitrinaApp().run_test(size=size) as pilot:
        pilot.app.play("docker.copy-up", "none")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, PlayScreen)
        await pilot.press("n", "n")
        assert "images and layers" in screen_text(pilot.app)
        assert "Container box" in screen_text(pilot.app)
        assert not [one for one in screen.run.steps if one.tone is Tone.LEAK]
        await pilot.press("v", "v", "v")
        assert "container create box" in screen_text(pilot.app)
        await pilot.press("y")
        assert "⇡ /etc/os-release" in screen_text(pilot.app)
        await pilot.press("escape", "d")
        assert isinstance(pilot.app.screen, RequestsDialog)
        assert "/containers/create" in screen_text(pilot.app)
        await pilot.press("down", "enter", "enter")
        assert pilot.app.screen is screen
        assert screen.run.steps[screen.cursor - 1].call.startswith("read(")


async def test_where_no_engine_runs_there_are_neither_views_nor_requests():
    async with VitrinaApp().run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "d")
        screen = pilot.app.screen
        assert isinstance(screen, PlayScreen)
        first = screen.view_number
        await pilot.press(*["v"] * len(VIEWS))
        assert screen.view_number == first


async def test_layers_are_left_while_the_engine_still_answers():
    """In whichever turn of its removal the answer comes: what it would be shown in may be gone."""
    found = Stacks(size=1, stacks=[Stack("image", 1, [Storey("id", "layer", 1)])])
    app = VitrinaApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for turns in range(8, 32):

            async def slow(_ident, turns=turns):
                for _turn in range(turns):
                    await asyncio.sleep(0)

            dialog = LayersDialog(found, slow)
            await app.push_screen(dialog)
            dialog.dismiss(None)
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))
