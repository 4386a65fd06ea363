"""Registries: tags, digests, shared layers, login; one that runs in a container; platforms."""

import base64
import json
from typing import Any

import pytest
from engine_client import REALTIME, Client
from test_build import build

from simulator.experiment.engine_api.hosts import HOSTS
from simulator.experiment.engine_api.machine import Machine


def auth(user: str, password: str) -> str:
    told = json.dumps({"username": user, "password": password}).encode()
    return base64.urlsafe_b64encode(told).decode()


def ask(engine: Client, place: str, who: str = "", **query: Any) -> tuple[int, str]:
    headers = {"X-Registry-Auth": who} if who else {}
    answer = engine.ask("POST", place, headers=headers, **query)
    return answer.status, answer.body.decode()


def test_pull_by_tag_and_digest_shares_layers() -> None:
    engine = Client()  # of its own: what was pulled before decides what is shared
    status, first = ask(engine, "/images/create", fromImage="nginx", tag="1.27")
    assert status == 200
    assert "Already exists" not in first
    assert "Already exists" in ask(engine, "/images/create", fromImage="redis", tag="7")[1]
    digest = next(json.loads(line)["status"].split()[1] for line in first.splitlines()
                  if "Digest: " in line)  # fmt: skip
    assert digest.startswith("sha256:")
    status, _ = ask(engine, "/images/create", fromImage="nginx", tag=digest)
    assert status == 200
    told = engine.get("/images/nginx:1.27/json").json()
    assert told["RepoDigests"] == [f"nginx@{digest}"]
    assert engine.get(f"/images/nginx@{digest}/json").json()["Id"] == told["Id"]
    status, text = ask(engine, "/images/create", fromImage="nginx", tag="0.1")
    assert status == 404
    assert "manifest for nginx:0.1 not found: manifest unknown" in text
    found = engine.get("/images/search", term="ngi").json()
    assert [one["name"] for one in found] == ["nginx"]
    assert engine.get("/distribution/nginx/json").json()["Descriptor"]["digest"] == digest


def test_a_login_opens_what_is_ones_own(engine: Client) -> None:
    good = {"username": "student", "password": "student"}
    assert engine.post("/auth", good).json()["Status"] == "Login Succeeded"
    answer = engine.post("/auth", {**good, "password": "x"})
    assert answer.status == 401
    assert "unauthorized: incorrect username or password" in answer.message
    answer = engine.post("/auth", {**good, "password": "x", "serveraddress": "private.example"})
    assert "failed with status: 401 Unauthorized" in answer.message
    engine.post("/images/busybox/tag", repo="student/box", tag="1")
    denied = "denied: requested access to the resource is denied"
    assert denied in ask(engine, "/images/student/box/push", tag="1")[1]
    assert denied in ask(engine, "/images/student/box/push", auth("teacher", "teacher"), tag="1")[1]
    assert "Pushed" in ask(engine, "/images/student/box/push", auth("student", "student"),
                           tag="1")[1]  # fmt: skip
    engine.post("/images/busybox/tag", repo="private.example/box", tag="1")
    assert "no basic auth" in ask(engine, "/images/private.example/box/push", tag="1")[1]
    who = auth("student", "student")
    assert "digest: sha256" in ask(engine, "/images/private.example/box/push", who, tag="1")[1]
    status, text = ask(engine, "/images/create", fromImage="private.example/box", tag="1")
    assert status == 500
    assert "no basic auth credentials" in text
    status, _ = ask(engine, "/images/create", who, fromImage="private.example/box", tag="1")
    assert status == 200


def test_the_registry_image_is_a_registry(engine: Client) -> None:
    engine.pull("registry")
    engine.pull("httpd")
    engine.post("/volumes/create", {"Name": "depot"})
    table = engine.create("htpasswd", "-Bbc", "/auth/users", "ana", "secret", image="httpd",
                          HostConfig={"Binds": ["users:/auth"]})  # fmt: skip
    engine.post(f"/containers/{table}/start")
    assert engine.wait(table) == 0
    host = {"PortBindings": {"5000/tcp": [{"HostPort": "5000"}]},
            "Binds": ["users:/auth", "depot:/var/lib/registry"]}  # fmt: skip
    env = ["REGISTRY_AUTH=htpasswd", "REGISTRY_AUTH_HTPASSWD_PATH=/auth/users"]
    body = {"Image": "registry", "HostConfig": host, "Env": env}
    made = engine.post("/containers/create", body).json()["Id"]
    assert engine.post(f"/containers/{made}/start").status == 204
    built = build(engine, "FROM busybox\nRUN echo ours > /ours\n", t="localhost:5000/our/box:1")
    assert "no basic auth credentials" in ask(
        engine, "/images/localhost:5000/our/box/push", tag="1")[1]  # fmt: skip
    answer = engine.post("/auth", {"username": "ana", "password": "x",
                                   "serveraddress": "localhost:5000"})  # fmt: skip
    assert answer.status == 401
    who = auth("ana", "secret")
    place = "/images/localhost:5000/our/box/push"
    assert ask(engine, place, who, tag="1")[1].count('"Pushed"') == 2
    assert ask(engine, place, who, tag="1")[1].count("Layer already exists") == 2
    engine.post("/images/busybox/tag", repo="kept", tag="1")
    engine.delete("/images/localhost:5000/our/box:1", force=1)
    assert engine.get(f"/images/{built.id}/json").status == 404
    status, text = ask(engine, "/images/create", who, fromImage="localhost:5000/our/box", tag="1")
    assert status == 200
    assert "Already exists" in text
    assert engine.get("/images/localhost:5000/our/box:1/json").json()["Id"] == built.id
    assert '"PUT /v2/our/box/manifests/1 HTTP/1.1" 201' in engine.logs(made).decode()


def test_a_registry_that_is_not_there(engine: Client) -> None:
    _, text = ask(engine, "/images/create", fromImage="localhost:5999/x", tag="1")
    assert "dial tcp 127.0.0.1:5999: connect: connection refused" in text
    _, text = ask(engine, "/images/create", fromImage="nowhere.test/x", tag="1")
    assert "dial tcp: lookup nowhere.test: no such host" in text


@pytest.mark.parametrize("name", ["debian", "ubuntu", "fedora", "raspberry"])
def test_one_image_runs_on_hosts_of_different_distributions(name: str) -> None:
    host = Client(Machine(REALTIME, host=HOSTS[name]))
    host.pull("alpine")
    made = host.run("sh", "-c", "head -n 1 /etc/os-release; uname -m", image="alpine")
    assert host.wait(made) == 0
    machine = "aarch64" if name == "raspberry" else "x86_64"
    assert host.logs(made).decode() == f'NAME="Alpine Linux"\n{machine}\n'
    told = host.get("/info").json()
    assert told["OperatingSystem"].lower().startswith(name.replace("raspberry", "debian"))
    assert told["Architecture"] == machine


def test_a_kernel_without_what_is_needed_says_which() -> None:
    host = Client(Machine(REALTIME, host=HOSTS["minimal"]))
    host.pull("alpine")
    made = host.create("true", image="alpine")
    answer = host.post(f"/containers/{made}/start")
    assert answer.status == 500
    assert answer.message.startswith("error creating overlay mount to /var/lib/docker/overlay2/")
    assert answer.message.endswith("no such device")


def test_an_image_of_another_architecture() -> None:
    host = Client(Machine(REALTIME))
    host.post("/images/create", fromImage="alpine", tag="latest", platform="linux/arm64")
    body = {"Image": "alpine", "Cmd": ["true"]}
    answer = host.post("/containers/create", body)
    assert answer.json()["Warnings"] == [
        "The requested image's platform (linux/arm64) does not match the detected host platform"
        " (linux/amd64) and no specific platform was requested"
    ]
    made = answer.json()["Id"]
    assert host.post(f"/containers/{made}/start").status == 204
    assert host.wait(made) == 255
    assert host.logs(made) == b"exec /bin/true: exec format error\n"
    answer = host.post("/containers/create", body, platform="linux/amd64")
    assert answer.status == 404
    assert "does not match the specified platform (linux/amd64)" in answer.message
    failed = build(host, "FROM --platform=linux/arm64 alpine\nRUN true\n")
    assert failed.error == "The command '/bin/sh -c true' returned a non-zero code: 255"
    answer = host.post("/images/create", fromImage="alpine", tag="3.20", platform="windows/amd64")
    assert answer.status == 400
