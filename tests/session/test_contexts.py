"""TLS contexts that are kept: as long as nothing that they were made of has changed, and for one process."""

from __future__ import annotations

import os
import shutil
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.transport.contexts import kept
from mailconn_jupyter.transport.tls import TLSPolicy
from mailconn_jupyter.transport.transport_errors import TransportError
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.pipelining import PipeliningServer
from tests.support.posting import connection_to


def test_the_same_rules_and_files_have_one_context_and_others_another(certificates: Certificates) -> None:
    ca, client = str(certificates.ca.pem), str(certificates.client.pem)
    rules = [
        TLSPolicy(),
        TLSPolicy(exactly_1_2=True),
        TLSPolicy(check_identity=False),
        TLSPolicy(trusted=True),
        TLSPolicy(ca_file=ca),
        TLSPolicy(ca_file=ca, client_certificate=client, client_key=str(certificates.client.key)),
    ]
    contexts = [policy.context() for policy in rules]
    assert len({id(context) for context in contexts}) == len(rules)
    assert [policy.context() for policy in rules] == contexts


def test_files_may_be_named_by_the_home_directory(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copyfile(certificates.ca.pem, tmp_path / "ca.pem")
    shutil.copyfile(certificates.client.pem, tmp_path / "client.pem")
    shutil.copyfile(certificates.client.key, tmp_path / "client.key")
    policy = TLSPolicy(ca_file="~/ca.pem", client_certificate="~/client.pem", client_key="~/client.key")
    first = policy.context()
    assert first.cert_store_stats()["x509_ca"] > 0
    assert policy.context() is first
    # A change is seen there, too.
    os.utime(tmp_path / "ca.pem", ns=(1, 1))
    assert policy.context() is not first
    with pytest.raises(TransportError, match=r"'~nosuch-user/ca\.pem' cannot be read"):
        TLSPolicy(ca_file="~nosuch-user/ca.pem").context()


def test_no_authority_is_read_where_none_is_asked(certificates: Certificates) -> None:
    for policy in (
        TLSPolicy(pins=frozenset({certificates.good.sha256})),
        TLSPolicy(trusted=True),
        TLSPolicy(inspect=True),
    ):
        assert policy.context().cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}
    assert TLSPolicy(ca_file=str(certificates.ca.pem)).context().cert_store_stats()["x509_ca"] > 0


def test_an_authority_file_that_has_changed_is_read_again(tmp_path: Path, certificates: Certificates) -> None:
    (tmp_path / "others").mkdir()
    file, others = tmp_path / "ca.pem", make_certificates(tmp_path / "others")
    shutil.copyfile(certificates.ca.pem, file)
    with PipeliningServer(tls=certificates.good.server_context()) as server:
        connection = connection_to(server.port, certificates, ca_file=str(file))
        connect(connection).quit()
        shutil.copyfile(others.ca.pem, file)
        with pytest.raises(OpenError) as caught:
            connect(connection)
        assert caught.value.cause == "unknown-authority"
        # Also where another file of the same age has taken its place.
        os.utime(file, ns=(1, 1))
        shutil.copyfile(certificates.ca.pem, tmp_path / "new.pem")
        os.utime(tmp_path / "new.pem", ns=(1, 1))
        (tmp_path / "new.pem").replace(file)
        connect(connection).quit()
        file.unlink()
        with pytest.raises(OpenError) as caught:
            connect(connection)
        assert caught.value.cause == "ca-file"


def test_a_client_certificate_that_has_changed_is_read_again(tmp_path: Path, certificates: Certificates) -> None:
    file = tmp_path / "client.pem"
    file.write_bytes(certificates.client.pem.read_bytes() + certificates.client.key.read_bytes())
    policy = TLSPolicy(client_certificate=str(file))
    first = policy.context()
    assert policy.context() is first
    file.write_bytes(certificates.good.pem.read_bytes() + certificates.good.key.read_bytes())
    assert policy.context() is not first


def test_the_systems_authorities_are_those_that_the_environment_names_now(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PipeliningServer(tls=certificates.good.server_context()) as server:
        connection = connection_to(server.port, certificates, ca_file="")
        with pytest.raises(OpenError):
            connect(connection)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca.pem))
        connect(connection).quit()
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(OpenError):
            connect(connection)


def test_no_more_are_kept_than_a_process_needs() -> None:
    made = []

    def make() -> object:
        made.append(TLSPolicy(trusted=True)._make())
        return made[-1]

    for number in range(100):
        kept(number, make)  # type: ignore[arg-type]  # a context
    kept(99, make)  # type: ignore[arg-type]  # the same
    assert len(made) == 100
    kept(0, make)  # type: ignore[arg-type]  # the same
    assert len(made) == 101


def test_threads_open_sessions_by_one_context_at_the_same_time(certificates: Certificates) -> None:
    failures: list[BaseException] = []
    with PipeliningServer(tls=certificates.good.server_context()) as server:
        connection = connection_to(server.port, certificates)

        def work() -> None:
            try:
                for _ in range(5):
                    connect(connection).quit()
            except BaseException as error:  # noqa: BLE001  # raised below
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_makes_its_own(certificates: Certificates) -> None:
    policy = TLSPolicy(ca_file=str(certificates.ca.pem))
    parents = policy.context()
    with PipeliningServer(tls=certificates.good.server_context()) as server:
        process = os.fork()
        if not process:
            code = 1
            try:
                own = policy.context()
                connect(connection_to(server.port, certificates)).quit()
                code = 0 if own is not parents and policy.context() is own else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert policy.context() is parents


def test_threads_that_ask_at_once_wait_for_one_context() -> None:
    made, together = [], threading.Barrier(20)

    def make() -> ssl.SSLContext:
        made.append(threading.get_ident())
        # As long as the system's authorities take; whoever asks meanwhile would begin, too.
        threading.Event().wait(0.05)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def ask(_: int) -> ssl.SSLContext:
        together.wait(10)
        return kept("asked at once", make)

    with ThreadPoolExecutor(20) as pool:
        contexts = list(pool.map(ask, range(20)))
    assert len(made) == 1
    assert len(set(map(id, contexts))) == 1


def test_a_context_that_could_not_be_made_is_made_for_the_next_who_asks() -> None:
    def fails() -> ssl.SSLContext:
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        kept("made at the second time", fails)
    context = kept("made at the second time", lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    assert kept("made at the second time", fails) is context
