"""Flags from the traits, readable errors, and no passwords."""

from __future__ import annotations

import pytest

from mailconn_jupyter.commands import COMMANDS, Command, Overview
from mailconn_jupyter.commands.option_flags import chosen_options, flags_of, option_named
from mailconn_jupyter.commands.refused_words import refuse_passwords
from mailconn_jupyter.commands.wrong_usage import PasswordGiven, WrongUsage
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.connection.option_kinds import Switch

OPTIONS = {name: option for name, option in MailConnection.options().items() if name != "name"}


def chosen(line: str) -> dict[str, object]:
    return chosen_options(vars(COMMANDS["new"].parser().read(line.split())))


def test_every_option_has_a_flag_whose_help_is_the_options_own() -> None:
    text = " ".join(COMMANDS["new"].parser().format_help().split())
    for name, option in OPTIONS.items():
        assert flags_of(name)[0] in text
        assert option.help in text


def test_every_flag_sets_its_own_option_and_nothing_else() -> None:
    for name, option in OPTIONS.items():
        for flag in flags_of(name):
            if isinstance(option, Switch):
                assert chosen(f"ops {flag}") == {name: True}
                assert chosen(f"ops --no-{flag[2:]}") == {name: False}
            else:
                assert chosen(f"ops {flag} x") == chosen(f"{flag}=x ops") == {name: "x"}


def test_the_flags_of_all_options_differ() -> None:
    flags = [flag for name in OPTIONS for flag in flags_of(name)]
    assert len(flags) == len(set(flags))


def test_flags_and_names_may_be_mixed() -> None:
    found = COMMANDS["test"].parser().read(["a", "--all", "b"])
    assert (found.targets, found.all) == (["a", "b"], True)


def test_after_two_dashes_everything_is_a_name() -> None:
    assert COMMANDS["copy"].parser().read(["--", "-x", "--y"]).new == "--y"


def test_an_empty_value_is_a_value() -> None:
    assert chosen_options(vars(COMMANDS["edit"].parser().read(["ops", "--port", ""]))) == {"server_port": ""}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ops --server-hots x", r"no flag --server-hots\. Did you mean '--server-host'\?"),
        ("ops --server_host x", r"Did you mean '--server-host'\?"),
        ("ops -q", "no flag -q"),
        ("ops --host", "--host: expected one argument"),
        ("--host x", "required: NAME"),
        ("ops --use-proxy=yes", "--use-proxy takes no value"),
        ("ops two", "the second word is not a host"),
        ("ops two.example.org three", "one argument too many"),
    ],
)
def test_a_wrong_argument_is_named_with_the_near_one(line: str, words: str) -> None:
    with pytest.raises(WrongUsage, match=words):
        chosen(line)


@pytest.mark.parametrize(
    "line", ["ops --host x hunter2", "ops --hunter=hunter2", "ops -phunter2", "ops --use-proxy=hunter2"]
)
def test_an_error_repeats_no_value(line: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        chosen(line)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "new ops --password hunter2",
        "new ops --password=hunter2",
        "new ops --proxy-password hunter2",
        "new ops --proxy_password hunter2",
        "new ops --token hunter2",
        "new ops --access-token=hunter2",
        "new ops --Passwd hunter2",
        "new ops --pwd hunter2",
        "new ops --pasword hunter2",
        "new ops -password hunter2",
        "new ops \N{EM DASH}password hunter2",
        "new ops password=hunter2",
        "new ops --client-secret hunter2",
        "new ops --host smtp://ana:hunter2@mail.example.org",
        "new smtps://ana:hunt/hunter2@mail.example.org",
        "send ops --subject smtp://ana:hunter2@mail.example.org",
        "send ops 'smtp://ana:hunter2@mail.example.org'",
        "send ops socks5://:hunter2@mail.example.org:1080",
        "send ops smtp://ana@example.org:hunter2@mail.example.org",
        "send ops https://ana@example.org:hunter2@mail.example.org",
        "send ops smtp://ana:12/hunter2@mail",
        "send ops smtp://ana:12#hunter2@mail",
        "send ops my-password=hunter2",
        "send ops x.password=hunter2",
    ],
)
def test_a_password_is_refused_with_the_reason_and_what_to_do_instead(line: str) -> None:
    with pytest.raises(PasswordGiven) as caught:
        refuse_passwords(line.split())
    assert "history" in caught.value.message
    assert "%mailconn password NAME" in caught.value.hint
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["ana:hunter2@mail", "ana@example.org:hunter2@mail", "smtp://hunter2@mail", ":hunter2@mail"]
)
@pytest.mark.parametrize("flag", ["--server-host", "--host", "--proxy-host"])
def test_a_host_with_a_user_and_a_password_is_refused(flag: str, host: str) -> None:
    with pytest.raises(PasswordGiven) as caught:
        chosen(f"ops {flag} {host}")
    assert "hunter2" not in str(caught.value)


def test_no_flag_of_an_option_is_taken_for_a_password() -> None:
    for name in OPTIONS:
        for flag in flags_of(name):
            refuse_passwords([flag, f"{flag}=x", f"--no-{flag[2:]}"])


@pytest.mark.parametrize(
    "word",
    ["ops", "--port", "Ana <ana@example.org>", "a=sha256:00", "mail.example.org:587", r"C:\mail@home", "[::1]", "pass"],
)
def test_what_only_looks_like_it_is_no_password(word: str) -> None:
    refuse_passwords([word])


@pytest.mark.parametrize(
    "word",
    [
        '"CI: pass=12 fail=0"',
        "'pass=12'",
        '--subject="pass=12"',
        "token==3",
        '"http://h:3000/x by ops@example.org"',
        "https://example.org:8080/users/@ana",
        "HTTP://h:3000/a@b",
        "smtp://ana@mail.example.org:587",
        "http://h:3000/@scope/x",
        "http://h:3000?by=ops@example.org",
        "http://[::1]:3000/a@b",
        '"//srv: ops@example.org"',
    ],
)
def test_texts_in_quotes_and_urls_with_a_port_hold_no_password(word: str) -> None:
    refuse_passwords([word])


def test_no_flag_of_any_command_is_taken_for_a_password() -> None:
    for command in COMMANDS.values():
        refuse_passwords(list(command.parser().flags()))


def test_a_path_of_windows_is_a_host_of_mbox() -> None:
    assert chosen(r"ops --protocol MBOX --host C:\mail@home\in")["server_host"] == r"C:\mail@home\in"


@pytest.mark.parametrize("text", ["server-port", "server_port", "--server-port", "port", " Server-Port "])
def test_an_option_is_found_under_any_spelling(text: str) -> None:
    assert option_named(text) == "server_port"


def test_an_unknown_option_gets_the_near_one() -> None:
    with pytest.raises(WrongUsage, match=r"Did you mean '--server-port'\?"):
        option_named("servr-port")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_the_help_of_a_command_says_of_each_flag_what_it_takes_and_what_it_does(command: Command) -> None:
    parser = command.parser()
    assert " None" not in parser.format_help()
    for flag, action in parser.flags().items():
        assert action.help, flag
        assert action.nargs == 0 or action.metavar, flag


def test_what_the_overview_says_of_variables_is_no_formula_to_jupyterlab() -> None:
    html = Overview()._repr_html_()
    assert html.count("<span>$</span>") == html.count("$") > 3


def test_the_overview_has_every_command() -> None:
    lines = repr(Overview()).splitlines()
    for command in COMMANDS.values():
        assert lines[lines.index(command.line) + 1] == f"    {command.summary}"
