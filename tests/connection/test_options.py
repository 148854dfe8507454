from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from traitlets import TraitError

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.connection.expansion import expand, has_variable
from mailconn_jupyter.connection.option_kinds import Switch
from mailconn_jupyter.connection.trusted_hosts import Trust
from mailconn_jupyter.errors import MailConnError, OptionError
from mailconn_jupyter.formatting import did_you_mean

HEX = "0123456789abcdef" * 4
PORT_HINT = "A port is a whole number from 1 to 65535."
HOST_HINT = "For example: smtp.example.org or 192.0.2.7"
HOSTS_HINT = "Hosts are separated by spaces: mail.example.org, *, or mail.example.org=sha256:HEX"
PIN_HINT = "A pin is host=sha256: and the 64 hexadecimal digits that %mailconn test shows."

BAD: list[tuple[str, Any, str, str]] = [
    ("name", "", "Connection name: a connection needs a name.", "Any text will do, for example: ops"),
    ("name", " \t", "Connection name: a connection needs a name.", "Any text will do, for example: ops"),
    ("name", None, "Connection name: None is not text.", ""),
    ("name", "a\nb", "Connection name: 'a\\nb' contains a control character, such as a line break.", ""),
    ("name", "\ud800", "Connection name: '\\ud800' contains a control character, such as a line break.", ""),
    ("name", "a\u2028b", "Connection name: 'a\\u2028b' contains a control character, such as a line break.", ""),
    ("name", "x" * 201, "Connection name: the name has 201 characters; at most 200 are allowed.", ""),
    (
        "protocol",
        "SMPT",
        "Connection protocol: 'SMPT' is not one of SMTP, IMAP, POP3, MBOX, GRAPH. Did you mean 'SMTP'?",
        "",
    ),
    ("protocol", None, "Connection protocol: None is not one of SMTP, IMAP, POP3, MBOX, GRAPH.", ""),
    ("server_host", 7, "Server host: 7 is not text.", ""),
    (
        "server_host",
        "smtp://mail",
        "Server host: 'smtp://mail' is a URL.",
        "Give the host alone, for example: smtp.example.org",
    ),
    ("server_host", "mail:25", "Server host: 'mail:25' includes a port.", "Give the port in its own option."),
    ("server_host", "[::1]:25", "Server host: '[::1]:25' includes a port.", "Give the port in its own option."),
    ("server_host", "two hosts", "Server host: 'two hosts' is not a host name.", HOST_HINT),
    ("server_host", "mail..example", "Server host: 'mail..example' is not a host name.", HOST_HINT),
    ("server_host", "1:2:3", "Server host: '1:2:3' is not a host name.", HOST_HINT),
    ("server_host", "a/b", "Server host: 'a/b' is not a host name.", HOST_HINT),
    ("server_host", "a\0b", "Server host: 'a\\x00b' contains a control character, such as a line break.", ""),
    ("server_port", 70000, "Server port: 70000 is not a port.", PORT_HINT),
    ("server_port", 0, "Server port: 0 is not a port.", PORT_HINT),
    ("server_port", -1, "Server port: -1 is not a port.", PORT_HINT),
    ("server_port", 25.0, "Server port: 25.0 is not a port.", PORT_HINT),
    ("server_port", True, "Server port: True is not a port.", PORT_HINT),
    ("server_port", "smtp", "Server port: 'smtp' is not a port.", PORT_HINT),
    ("server_port", "٢٥", "Server port: '٢٥' is not a port.", PORT_HINT),
    ("use_authentication", "maybe", "Use authentication?: 'maybe' is neither on nor off.", ""),
    ("use_xoauth2", 2, "Use XOAuth2?: 2 is neither on nor off.", ""),
    ("username", None, "Username: None is not text.", ""),
    ("username", "ana\r\nRSET", "Username: 'ana\\r\\nRSET' contains a control character, such as a line break.", ""),
    ("use_secure_authentication", None, "Use secure authentication?: None is neither on nor off.", ""),
    (
        "secure_authentication_type",
        "TLS1.3",
        "Secure authentication type: 'TLS1.3' is not one of SSL, TLS, TLS1.2. Did you mean 'TLS1.2'?",
        "",
    ),
    ("check_server_identity", [], "Check server identity?: [] is neither on nor off.", ""),
    ("trusted_hosts", "a.example, b.example", "Trusted hosts: 'a.example,' is not a host.", HOSTS_HINT),
    ("trusted_hosts", "*.example", "Trusted hosts: '*.example' is not a host.", HOSTS_HINT),
    ("trusted_hosts", "mail:465", "Trusted hosts: 'mail:465' is not a host.", HOSTS_HINT),
    ("trusted_hosts", f"=sha256:{HEX}", f"Trusted hosts: '=sha256:{HEX}' is not a host.", HOSTS_HINT),
    ("trusted_hosts", "a=", "Trusted hosts: 'a=' is not a pin.", PIN_HINT),
    ("trusted_hosts", "a=sha256:12", "Trusted hosts: 'a=sha256:12' is not a pin.", PIN_HINT),
    ("trusted_hosts", f"a=md5:{HEX}", f"Trusted hosts: 'a=md5:{HEX}' is not a pin.", PIN_HINT),
    ("trusted_hosts", f"*=sha256:{HEX}", f"Trusted hosts: '*=sha256:{HEX}' is not a pin.", PIN_HINT),
    ("trusted_hosts", ["a.example", 7], "Trusted hosts: 7 is not text.", ""),
    (
        "trusted_hosts",
        {"a.example": f"sha256:{HEX}"},
        f"Trusted hosts: {{'a.example': 'sha256:{HEX}'}} is not text.",
        "",
    ),
    ("server_port", np.int64(70000), "Server port: 70000 is not a port.", PORT_HINT),
    ("use_proxy", "2", "Use proxy?: '2' is neither on nor off.", ""),
    (
        "proxy_type",
        "SOCKS",
        "Proxy type: 'SOCKS' is not one of SOCKS5, SOCKS4, HTTP. Did you mean 'SOCKS5'?",
        "",
    ),
    (
        "proxy_host",
        "http://p:3128",
        "Proxy host: 'http://p:3128' is a URL.",
        "Give the host alone, for example: smtp.example.org",
    ),
    ("proxy_port", 65536, "Proxy port: 65536 is not a port.", PORT_HINT),
    ("proxy_username", b"x", "Proxy username: b'x' is not text.", ""),
    ("authorization_id", 1, "Authorization identity: 1 is not text.", ""),
    ("use_environment_proxy", "perhaps", "Use the environment's proxy?: 'perhaps' is neither on nor off.", ""),
    (
        "sasl_mechanism",
        "PLANE",
        (
            "Login mechanism: 'PLANE' is not one of SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5, "
            "XOAUTH2, OAUTHBEARER, EXTERNAL. Did you mean 'PLAIN'?"
        ),
        "",
    ),
    (
        "oauth_issuer",
        "gmail",
        "OAuth issuer: 'gmail' is not an issuer.",
        "Give microsoft, google, or a URL such as https://login.example.org",
    ),
    (
        "oauth_issuer",
        "https://ana:pw@login.test",
        "OAuth issuer: what is given is not an issuer.",
        "Give microsoft, google, or a URL such as https://login.example.org",
    ),
    ("oauth_client_id", 1, "OAuth client id: 1 is not text.", ""),
    ("oauth_tenant", 1, "OAuth tenant: 1 is not text.", ""),
    (
        "oauth_flow",
        "devise",
        "OAuth flow: 'devise' is not one of device, link, client_credentials, service_account. Did you mean 'device'?",
        "",
    ),
    ("oauth_scope", 1, "OAuth scope: 1 is not text.", ""),
    ("password_command", "a\nb", "Password command: 'a\\nb' contains a control character, such as a line break.", ""),
    ("client_certificate", 1, "Client certificate: 1 is not text.", ""),
    ("client_key", "a\nb", "Client key: 'a\\nb' contains a control character, such as a line break.", ""),
    ("ca_file", 1, "Authority file: 1 is not text.", ""),
    ("smime_certificate", 1, "S/MIME certificate: 1 is not text.", ""),
    ("smime_key", "a\nb", "S/MIME key: 'a\\nb' contains a control character, such as a line break.", ""),
    ("save_sent_to", 1, "Save sent mail to: 1 is not text.", ""),
    ("smime_folder", None, "Certificates of others: None is not text.", ""),
    ("signature", "a\nb", "Signature: 'a\\nb' contains a control character, such as a line break.", ""),
    ("from_address", "a\nb", "From address: 'a\\nb' contains a control character, such as a line break.", ""),
    (
        "helo_name",
        "two words",
        "HELO name: 'two words' is not a host name.",
        "For example: notebook.example.org or [192.0.2.7]",
    ),
    ("timeout", 0, "Timeout: 0 is out of range: more than 0 and at most 3600 seconds.", ""),
    ("timeout", "nan", "Timeout: 'nan' is out of range: more than 0 and at most 3600 seconds.", ""),
    ("timeout", True, "Timeout: True is out of range: more than 0 and at most 3600 seconds.", ""),
    ("timeout", "long", "Timeout: 'long' is not a number of seconds.", ""),
    ("timeout", 10**400, f"Timeout: {str(10**400)[:199]}… is not a number of seconds.", ""),
    ("deadline", 3601, "Deadline: 3601 is out of range: more than 0 and at most 3600 seconds.", ""),
    ("allow_plaintext_password", "sure", "Allow a password in plain text?: 'sure' is neither on nor off.", ""),
]


@pytest.mark.parametrize(("trait", "value", "message", "hint"), BAD)
def test_a_bad_value_is_told_exactly_and_sets_nothing(trait: str, value: Any, message: str, hint: str) -> None:
    with pytest.raises(OptionError) as info:
        MailConnection(**{trait: value})
    assert (info.value.trait, info.value.message, info.value.hint) == (trait, message, hint)
    stored = MailConnection(name="ops")
    before = stored.as_dict()
    with pytest.raises(OptionError):
        setattr(stored, trait, value)
    with pytest.raises(OptionError):
        stored.update(**{"allow_plaintext_password": True, trait: value})
    assert stored.as_dict() == before


def test_every_option_has_a_bad_value_in_this_test() -> None:
    assert {trait for trait, *_ in BAD} == set(MailConnection.options())


GOOD: list[tuple[str, Any, Any]] = [
    ("name", "  e\u0301quipe ", "équipe"),
    ("name", "👩‍💻", "👩‍💻"),
    ("protocol", "pop", "POP3"),
    ("protocol", " imap ", "IMAP"),
    ("protocol", "graph", "GRAPH"),
    ("server_host", "[2001:db8::1]", "2001:db8::1"),
    ("server_host", "fe80::1%eth0", "fe80::1%eth0"),
    ("server_host", "::ffff:192.0.2.7", "::ffff:192.0.2.7"),
    ("server_host", "bücher.example", "bücher.example"),
    ("server_host", "mail.example.org.", "mail.example.org."),
    ("server_host", "my_host", "my_host"),
    ("server_host", "${MAIL_HOST}", "${MAIL_HOST}"),
    ("server_port", "2525", 2525),
    ("server_port", 65535, 65535),
    ("server_port", "", None),
    ("server_port", "  ", None),
    ("server_port", " ${PORT} ", "${PORT}"),
    ("use_authentication", "Yes", True),
    ("use_proxy", "off", False),
    ("use_proxy", 1, True),
    ("secure_authentication_type", "tls 1.2", "TLS1.2"),
    ("secure_authentication_type", "ssl", "SSL"),
    ("trusted_hosts", "  a.example   [::1]  * ", "a.example [::1] *"),
    ("trusted_hosts", ["b.example", "a.example"], "b.example a.example"),
    ("trusted_hosts", {"b.example", f"a.example=sha256:{HEX}"}, f"a.example=sha256:{HEX} b.example"),
    ("trusted_hosts", pd.Series(["b.example", "*"]), "b.example *"),
    ("trusted_hosts", (), ""),
    ("server_port", np.int64(2525), 2525),
    ("server_port", pd.Series([2525]).iloc[0], 2525),
    ("server_port", np.array(2525), 2525),
    ("use_proxy", np.bool_(True), True),
    ("timeout", np.float32(2.5), 2.5),
    ("timeout", np.int64(3), 3.0),
    ("deadline", pd.Series([2.5]).iloc[0], 2.5),
    ("username", np.str_("ana"), "ana"),
    ("timeout", "2.5", 2.5),
    ("deadline", 3600, 3600.0),
]


@pytest.mark.parametrize(("trait", "value", "kept"), GOOD)
def test_a_good_value_is_kept_in_one_form(trait: str, value: Any, kept: object) -> None:
    found = getattr(MailConnection(**{trait: value}), trait)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize("trait", ["server_host", "proxy_host", "trusted_hosts"])
@pytest.mark.parametrize("value", ["ana:geheim@mail.example.org", "smtp://ana:geheim@mail.example.org"])
def test_a_password_that_was_typed_into_a_host_is_not_repeated(trait: str, value: str) -> None:
    with pytest.raises(OptionError) as info:
        MailConnection(**{trait: value})
    assert "geheim" not in str(info.value)
    assert "contains an @" in info.value.message


def test_the_path_of_an_mbox_file_is_kept_as_it_is() -> None:
    assert MailConnection(server_host=" /var/mail/a:b@c ", protocol="MBOX").server_host == " /var/mail/a:b@c "
    with pytest.raises(OptionError, match="control character"):
        MailConnection(server_host="/var/mail\0", protocol="MBOX")


def test_an_unknown_option_is_told_with_the_near_one() -> None:
    with pytest.raises(OptionError) as info:
        MailConnection(server_hots="a")  # type: ignore[call-arg]  # that is what is told
    assert info.value.message == "MailConnection() has no keyword 'server_hots'. Did you mean 'server_host'?"


def test_the_names_that_people_use_for_the_servers_own_options_lead_to_them() -> None:
    options: dict[str, Any] = {"host": "mail.example.org", "port": 25}
    for word, meant in ("host", "server_host"), ("port", "server_port"):
        with pytest.raises(OptionError, match=rf"MailConnection\(\) has no keyword {word!r}. Did you mean {meant!r}\?"):
            MailConnection(**{word: options[word]})


def test_a_password_leads_to_no_option() -> None:
    for word in "password", "proxy_password", "token", "secret":
        with pytest.raises(OptionError) as info:
            MailConnection(**{word: "x"})
        assert info.value.message == f"MailConnection() has no keyword {word!r}."
        assert info.value.hint == "Passwords are kept separately: mailconn.set_password(name) asks for one."


def test_the_options_are_the_constructors_keywords_with_their_defaults() -> None:
    shown = inspect.signature(MailConnection).parameters
    declared = MailConnection.options()
    assert list(shown) == list(declared)
    fresh = MailConnection()
    for name, parameter in shown.items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default == getattr(fresh, name)
        assert f"    {name}: {declared[name].help}\n" in (MailConnection.__doc__ or "")
    for method in MailConnection.update, MailConnection.copy:
        assert list(inspect.signature(method).parameters) == ["self", *declared]


def test_naming_an_option_can_turn_on_only_the_switch_that_it_needs() -> None:
    declared = MailConnection.options()
    assert [name for name, option in declared.items() if option.turns_on] == ["username", "proxy_host", "oauth_issuer"]
    assert all(isinstance(declared[option.needs], Switch) for option in declared.values() if option.turns_on)


def test_an_option_error_is_what_callers_of_traitlets_and_of_python_catch() -> None:
    with pytest.raises(OptionError) as info:
        MailConnection(timeout=0)
    assert isinstance(info.value, TraitError)
    assert isinstance(info.value, ValueError)
    assert isinstance(info.value, MailConnError)


def test_pins_and_trusted_hosts_are_found_without_regard_to_case_and_to_colons_in_the_digits() -> None:
    colons = ":".join(HEX[at : at + 2] for at in range(0, 64, 2)).upper()
    trust = MailConnection(
        trusted_hosts=f"Self.Example A.Example=SHA256:{colons} a.example=sha256:{'0' * 64} [::1]"
    ).trust
    assert trust.trusts("self.example")
    assert trust.trusts("::1")
    assert not trust.trusts("a.example")
    assert trust.pins_of("A.EXAMPLE") == {HEX, "0" * 64}
    assert trust.pins_of("self.example") == frozenset()
    assert not trust.everything
    everything = MailConnection(trusted_hosts="*").trust
    assert everything.trusts("anything")
    assert MailConnection().trust.hosts == frozenset()


def test_variables_are_found_and_replaced() -> None:
    assert has_variable("a${B}c")
    assert not has_variable("a$B ${")
    assert not has_variable(7)
    assert expand("${A}-${B}", {"A": "1", "B": "${A}"}, label="Username", trait="username") == "1-${A}"
    with pytest.raises(OptionError) as info:
        expand("${NOPE}", {}, label="Username", trait="username")
    assert info.value.message == "Username: the environment has no variable 'NOPE'."
    assert info.value.hint == "Set NOPE before the kernel starts, or with %env in this notebook."
    assert info.value.trait == "username"


def test_did_you_mean_proposes_only_what_is_near() -> None:
    assert did_you_mean("OPSS", ["Ops", "weekly"]) == " Did you mean 'Ops'?"
    assert did_you_mean("qwertz", ["Ops", "weekly"]) == ""


def test_what_an_option_keeps_can_be_written_as_json_and_read_again() -> None:
    for trait, value, _ in GOOD:
        connection = MailConnection(**{trait: value})
        again = MailConnection(**json.loads(json.dumps(connection.as_dict())))
        assert again == connection


def test_trusted_hosts_with_a_variable_are_parsed_when_it_is_known() -> None:
    connection = MailConnection(name="a", server_host="h", trusted_hosts="${PINS}")
    assert connection.resolved({"PINS": f"h=sha256:{HEX}"}).trust.pins_of("h") == {HEX}
    with pytest.raises(OptionError, match=r"what \$\{PINS\} stands for") as caught:
        connection.resolved({"PINS": "h=nothing"})
    assert caught.value.hint.startswith("A pin is host=sha256:")
    assert isinstance(MailConnection.options()["trusted_hosts"], Trust)
