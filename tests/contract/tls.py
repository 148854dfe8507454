"""What an attacker or a careless server does around TLS."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from tests.contract.faults import Contract, no_credential_in
from tests.contract.kit import Do
from tests.servers.certificates import Certificates
from tests.servers.script import Close, Pause, Send, Silence, StartTLS
from tests.servers.steps import Step

STARTTLS: dict[str, Any] = {"use_secure_authentication": True, "secure_authentication_type": "TLS"}
FROM_THE_START: dict[str, Any] = {"use_secure_authentication": True, "secure_authentication_type": "SSL"}


class TLSFaults(Contract):
    """Faults before, in and after the handshake."""

    def asked(self) -> list[Step]:
        """The conversation up to the command that begins TLS."""
        return [*self.kit.offer("PLAIN", starttls=True), Do(self.kit.asked_for_tls)]

    def test_starttls_stripped_from_the_offer_ends_the_opening(self) -> None:
        met = self.meet(self.kit.offer("PLAIN"), stage="secure", cause="no-starttls", **STARTTLS)
        assert len(met.lines) == 2
        no_credential_in(met.lines)

    def test_starttls_offered_and_then_refused_ends_the_opening(self) -> None:
        script = [*self.asked(), Do(self.kit.refuse_tls)]
        self.meet(script, stage="secure", cause="starttls-refused", **STARTTLS)

    def test_a_reply_in_the_segment_of_the_go_ahead_is_an_injection(self) -> None:
        script = [*self.asked(), Do(lambda talk: self.kit.go_ahead(talk, also=self.kit.injection()))]
        self.meet(script, stage="secure", cause="injected", **STARTTLS)

    @pytest.mark.parametrize("later", [0.0, 0.05])
    def test_a_reply_in_a_segment_after_the_go_ahead_is_an_injection(self, later: float) -> None:
        script = [*self.asked(), Do(self.kit.go_ahead), Pause(later), Send(self.kit.injection()), Silence()]
        met = self.meet(script, stage="secure", cause="injected", **STARTTLS)
        no_credential_in(met.lines)

    def test_what_was_said_before_the_handshake_does_not_count_after_it(self, certificates: Certificates) -> None:
        # The mechanisms of the plain link are an attacker's to write; after the handshake there are none.
        script = [
            *self.asked(),
            Do(self.kit.go_ahead),
            StartTLS(certificates.good.server_context()),
            *self.kit.tell(),
        ]
        ca_file = str(certificates.ca.pem)
        met = self.meet(script, stage="authenticate", cause="no-login", ca_file=ca_file, **STARTTLS)
        no_credential_in(met.lines)

    @pytest.mark.parametrize("options", [STARTTLS, FROM_THE_START], ids=["STARTTLS", "TLS"])
    def test_a_server_silent_in_the_handshake_is_left_at_the_timeout(self, options: dict[str, Any]) -> None:
        start = [*self.asked(), Do(self.kit.go_ahead)] if options is STARTTLS else []
        self.meet([*start, Silence()], stage="secure", cause="tls-silent", timeout=0.5, **options)

    @pytest.mark.parametrize("options", [STARTTLS, FROM_THE_START], ids=["STARTTLS", "TLS"])
    @pytest.mark.parametrize("reset", [False, True])
    def test_a_server_that_hangs_up_in_the_handshake_is_said_to_have(
        self, options: dict[str, Any], reset: bool
    ) -> None:
        start = [*self.asked(), Do(self.kit.go_ahead)] if options is STARTTLS else []
        self.meet([*start, Pause(0.02), Close(reset=reset)], stage="secure", cause="closed", **options)

    @pytest.mark.parametrize("heard", [0, socket.MSG_PEEK], ids=["read", "unread"])
    def test_a_server_that_hangs_up_after_the_client_began_is_said_to_have(self, heard: int) -> None:
        # What it has not read makes a reset of the close.
        began = Do(lambda talk: talk._sock.recv(65536, heard))
        met = self.meet([began, Close()], stage="secure", cause="closed", **FROM_THE_START)
        assert met.error.message.endswith("The server closed the link before TLS was agreed.")

    def test_a_server_that_speaks_first_has_no_tls_from_the_first_byte(self) -> None:
        self.meet([Do(self.kit.greet), Silence()], stage="secure", cause="wrong-tls-type", **FROM_THE_START)

    @pytest.mark.parametrize("options", [STARTTLS, FROM_THE_START], ids=["STARTTLS", "TLS"])
    @pytest.mark.parametrize(
        ("which", "cause"),
        [("self_signed", "unknown-authority"), ("expired", "expired"), ("other_name", "name-mismatch")],
    )
    def test_a_bogus_certificate_ends_the_opening_before_anything_secret(
        self, which: str, cause: str, options: dict[str, Any], certificates: Certificates
    ) -> None:
        bogus = getattr(certificates, which)
        start = [*self.asked(), Do(self.kit.go_ahead)] if options is STARTTLS else []
        # The second connection only looks at the certificate, to say what it is.
        scripts = [
            [*start, StartTLS(bogus.server_context(), refused=True)],
            [*start, StartTLS(bogus.server_context())],
        ]
        met = self.meet(*scripts, stage="secure", cause=cause, ca_file=str(certificates.ca.pem), **options)
        assert met.report.pin == f"localhost=sha256:{bogus.sha256}"
        no_credential_in(met.lines)

    def test_a_server_that_knows_no_modern_tls_ends_the_opening(self, certificates: Certificates) -> None:
        context = certificates.good.server_context()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        script = [*self.asked(), Do(self.kit.go_ahead), StartTLS(context, refused=True)]
        self.meet(script, stage="secure", cause="tls-version", ca_file=str(certificates.ca.pem), **STARTTLS)
