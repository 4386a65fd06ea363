"""Who computes a cell changes nothing: this process, several, or a Dask cluster."""

import json

import pytest
from click.testing import CliRunner

from simulator.cli.main import cli

pytestmark = pytest.mark.xdist_group("pool")  # one answer to compare with

ASKED = ["matrix", "--json", "--on", "docker", "--on", "none", "--scenario", "fs.chroot-escape"]
ASKED += ["--scenario", "hostname.set", "--scenario", "resources.memory"]


def answer(*more):
    result = CliRunner().invoke(cli, ["--lang", "es", *ASKED, *more])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def alone():
    return answer()


def test_several_processes_give_the_same_bytes(alone):
    assert len(json.loads(alone)["cells"]) == 6
    assert answer("--jobs", "2") == alone


def test_a_dask_cluster_gives_the_same_bytes(alone):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        assert answer("--dask", cluster.scheduler_address) == alone


def test_no_cluster_is_one_clear_line():
    result = CliRunner().invoke(cli, [*ASKED, "--dask", "tcp://127.0.0.1:9"])
    assert result.exit_code != 0
    assert "no Dask cluster at tcp://127.0.0.1:9" in str(result.exception)


@pytest.mark.parametrize("address", ["nonsense://x", "127.0.0.1:notaport"])
def test_a_bad_address_is_one_clear_line(address):
    result = CliRunner().invoke(cli, [*ASKED, "--dask", address])
    assert "no Dask cluster" in str(result.exception)
