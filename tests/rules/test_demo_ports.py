"""A second run of the demo finds its org again, whatever became of the ports."""

import socket
from contextlib import closing

from relance.cli.demo import port_of_org
from relance.cli.programs import free_port


def test_the_org_keeps_the_port_it_had(tmp_path):
    (tmp_path / "sandbox").mkdir()
    last = free_port()
    (tmp_path / "sandbox" / "demo-port").write_text(str(last))

    assert port_of_org(tmp_path) == last


def test_when_its_port_is_taken_the_org_moves_with_what_it_holds(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = other.getsockname()[1]
        org = tmp_path / "sandbox" / str(taken)
        org.mkdir(parents=True)
        (org / "org.sqlite3").write_text("leads")
        (tmp_path / "sandbox" / "demo-port").write_text(str(taken))

        port = port_of_org(tmp_path)

    assert port != taken
    assert (tmp_path / "sandbox" / str(port) / "org.sqlite3").read_text() == "leads"
    assert port_of_org(tmp_path) == port
