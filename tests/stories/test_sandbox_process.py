"""The life of a sandbox org: ready, stopped, killed, started again, beside others."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.stories.org_process import COMMAND, org_running, start_org, write_tree

KEYS = [
    "http",
    "https",
    "token",
    "refresh_token",
    "ca_file",
    "client_id",
    "client_secret",
    "username",
    "password",
    "org_id",
    "user_id",
]
LEADS = "/services/data/v66.0/sobjects/Lead"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("org") / "tree")


def test_the_ready_line_says_all_a_client_needs_and_ctrl_c_is_a_clean_end(tree: Path, tmp_path: Path):
    org = start_org(tmp_path, tree)
    health = httpx.get(f"{org.told['http']}/sandbox/health").json()
    code, _said = org.interrupt()

    assert list(org.told) == KEYS
    assert health["ok"] is True
    assert health["org_id"] == org.told["org_id"]
    assert Path(org.told["ca_file"]).is_file()
    assert code == 0


def test_without_data_an_org_has_its_set_up_and_no_people(tree: Path, tmp_path: Path):
    with org_running(tmp_path, tree) as org:
        assert org.query("SELECT Id FROM Organization")[0]["Id"] == org.told["org_id"]
        assert len(org.query("SELECT Id FROM LeadStatus WHERE IsConverted = true")) == 1
        assert org.told["username"] in {user["Username"] for user in org.query("SELECT Username FROM User")}
        assert org.query("SELECT Id FROM Lead") == []


def test_a_token_of_ones_own_and_all_records_survive_a_kill(tree: Path, tmp_path: Path):
    org = start_org(tmp_path, tree, "--token", "my-own-token")
    ports = [org.told[scheme].rpartition(":")[2] for scheme in ("http", "https")]
    with org.client("my-own-token") as client:
        made = client.post(LEADS, json={"LastName": "Aline", "Company": "Alpha"}).json()
    org.process.kill()
    org.process.communicate()

    with (
        org_running(tmp_path, tree, "--http", ports[0], "--https", ports[1]) as again,
        again.client("my-own-token") as client,
    ):
        assert client.get(f"{LEADS}/{made['id']}").json()["LastName"] == "Aline"
        assert again.told == org.told


def test_fresh_empties_the_org_and_keeps_the_authority_clients_trust(tree: Path, tmp_path: Path):
    org = start_org(tmp_path, tree)
    ports = [org.told[scheme].rpartition(":")[2] for scheme in ("http", "https")]
    with org.client() as client:
        client.post(LEADS, json={"LastName": "Aline", "Company": "Alpha"})
    authority = Path(org.told["ca_file"]).read_text()
    org.interrupt()

    with org_running(tmp_path, tree, "--http", ports[0], "--https", ports[1], "--fresh") as again:
        assert again.query("SELECT Id FROM Lead") == []
        assert Path(again.told["ca_file"]).read_text() == authority


def test_two_orgs_run_side_by_side_and_do_not_know_each_other(tree: Path, tmp_path: Path):
    with org_running(tmp_path, tree) as one, org_running(tmp_path, tree) as other:
        with one.client() as client:
            client.post(LEADS, json={"LastName": "Aline", "Company": "Alpha"})

        assert len(one.query("SELECT Id FROM Lead")) == 1
        assert other.query("SELECT Id FROM Lead") == []
        with other.client(one.told["token"]) as stranger:
            assert stranger.get("/services/data/v66.0/limits").status_code == 401


def test_a_taken_port_is_said_and_nothing_is_started(tree: Path, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [*COMMAND, "start", "--org", str(tree), "--http", port, "--https", "0"],
            env={"RELANCE_HOME": str(tmp_path), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert ended.returncode == 2
    assert f"Port {port}" in ended.stderr
    assert ended.stdout == ""


def test_https_shows_a_certificate_of_the_orgs_own_authority(tree: Path, tmp_path: Path):
    with org_running(tmp_path, tree) as org:
        trusting = ssl.create_default_context(cafile=org.told["ca_file"])
        for host in ("localhost", "127.0.0.1"):
            address = org.told["https"].replace("localhost", host)
            assert httpx.get(f"{address}/services/data", verify=trusting).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{org.told['https']}/services/data")


def test_bodies_are_gzipped_both_ways(tree: Path, tmp_path: Path):
    packed = gzip.compress(json.dumps({"LastName": "Aline", "Company": "Alpha"}).encode())
    with org_running(tmp_path, tree) as org, org.client() as client:
        made = client.post(
            LEADS, content=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}
        )
        described = client.get(f"{LEADS}/describe", headers={"Accept-Encoding": "gzip"})
        plain = client.get(f"{LEADS}/describe", headers={"Accept-Encoding": "identity"})

    assert made.status_code == 201
    assert described.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert described.json() == plain.json()


def test_each_request_is_written_down_without_its_secrets(tree: Path, tmp_path: Path):
    with org_running(tmp_path, tree) as org, org.client() as client:
        client.post(LEADS, json={"LastName": "Aline", "Company": "Alpha"})
        client.post(LEADS, json={"LastName": "Bruno"})
        client.post(
            "/services/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": org.told["client_id"],
                "client_secret": org.told["client_secret"],
            },
        )
        found = client.get("/sandbox/requests", params={"method": "POST", "contains": "Aline"}).json()["requests"]
        everything = client.get("/sandbox/requests").text
        lines = json.loads(everything)["requests"]

    assert [(line["path"], line["status"], line["user_id"]) for line in found] == [(LEADS, 201, org.told["user_id"])]
    assert [line["error_code"] for line in lines] == [None, "REQUIRED_FIELD_MISSING", None]
    assert org.told["token"] not in everything
    assert org.told["client_secret"] not in everything


def test_many_requests_travel_on_one_connection(tree: Path, tmp_path: Path):
    with org_running(tmp_path, tree) as org:
        port = int(org.told["http"].rpartition(":")[2])
        ask = f"GET /services/data/ HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", port)) as line, line.makefile("rb") as answers:
            for _twice in range(2):
                line.sendall(ask)
                assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
                headers = dict(iter(lambda: answers.readline().strip().partition(b": ")[::2], (b"", b"")))
                answers.read(int(headers[b"Content-Length"]))


def test_a_bulk_load_cut_by_a_kill_is_finished_once_and_only_once(tree: Path, tmp_path: Path):
    rows = "".join(f"k-{number},Nom {number},Société {number},n{number}@n{number}.example\n" for number in range(6000))
    jobs = "/services/data/v66.0/jobs/ingest"
    org = start_org(tmp_path, tree)
    ports = [org.told[scheme].rpartition(":")[2] for scheme in ("http", "https")]
    with org.client() as client:
        job = client.post(jobs, json={"object": "Lead", "operation": "insert", "contentType": "CSV"}).json()["id"]
        client.put(f"{jobs}/{job}/batches", content=f"Relance_Id__c,LastName,Company,Email\n{rows}".encode())
        client.patch(f"{jobs}/{job}", json={"state": "UploadComplete"})
        while client.get(f"{jobs}/{job}").json()["numberRecordsProcessed"] < 400:
            time.sleep(0.01)
    org.process.kill()
    org.process.communicate()

    with org_running(tmp_path, tree, "--http", ports[0], "--https", ports[1]) as again, again.client() as client:
        while (info := client.get(f"{jobs}/{job}").json())["state"] in ("UploadComplete", "InProgress"):
            time.sleep(0.05)

        assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 6000, 0)
        counted = client.get("/services/data/v66.0/query", params={"q": "SELECT COUNT() FROM Lead"}).json()
        assert counted["totalSize"] == 6000
