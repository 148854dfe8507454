"""From the line of a magic to its arguments."""

from __future__ import annotations

import string
from datetime import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, strategies

from mailconn_jupyter.names import quote
from mailconn_jupyter.notebook.magic.expand import evaluate, expand, split, unfinished
from mailconn_jupyter.notebook.usage_error import UsageError


def arguments(line: str, **namespace: Any) -> list[str]:
    return [expand(word, namespace) for word in split(line)]


def test_words_are_separated_by_any_space() -> None:
    assert arguments(" new   ops\t--port 25 ") == ["new", "ops", "--port", "25"]


def test_both_kinds_of_quotes_hold_words_together_and_are_stripped() -> None:
    assert arguments("""show "big mail" 'small mail' --x="a b" ''""") == [
        "show",
        "big mail",
        "small mail",
        "--x=a b",
        "",
    ]


def test_a_quote_of_the_other_kind_is_a_character() -> None:
    assert arguments(""""O'Neil" 'say "hi"' """) == ["O'Neil", 'say "hi"']


def test_a_backslash_is_a_character_as_in_a_path_of_windows() -> None:
    assert arguments(r"--host C:\mail\in.mbox") == ["--host", r"C:\mail\in.mbox"]


def test_an_open_quote_is_an_error_that_repeats_nothing() -> None:
    with pytest.raises(UsageError, match="not closed") as caught:
        split('show "hunter2')
    assert "hunter2" not in str(caught.value)


def test_names_and_expressions_are_replaced_wherever_they_stand() -> None:
    server = SimpleNamespace(host="mail.example.org")
    line = "--host $server.host --port {base + 25} --user=$user@{server.host} '$user'"
    assert arguments(line, server=server, base=562, user="ana") == [
        "--host",
        "mail.example.org",
        "--port",
        "587",
        "--user=ana@mail.example.org",
        "ana",
    ]


def test_a_value_with_spaces_or_quotes_stays_one_argument() -> None:
    assert arguments("show $name {name}", name="""a "b" 'c' {d} $e""") == ["show", *["""a "b" 'c' {d} $e"""] * 2]


def test_an_expression_may_hold_quotes_braces_and_spaces() -> None:
    assert arguments("""{hosts["a }"]} "{hosts['b']}" {len({1, 2})}""", hosts={"a }": "x", "b": "y"}) == ["x", "y", "2"]


def test_a_variable_of_the_environment_is_kept_for_the_opening() -> None:
    assert arguments("${MAIL_HOST} '${USER}@x' ${HOST}:$port", MAIL_HOST="no", port=25) == [
        "${MAIL_HOST}",
        "${USER}@x",
        "${HOST}:25",
    ]


def test_doubled_dollars_and_braces_are_the_characters() -> None:
    assert arguments("$$name {{name}} 5$ $5", name="no") == ["$name", "{name}", "5$", "$5"]


@pytest.mark.parametrize("argument", ["$hots", "{hots}", "x{hots + 1}"])
def test_an_undefined_name_is_an_error_that_names_it_and_the_near_one(argument: str) -> None:
    with pytest.raises(UsageError, match=r"'hots' is not defined\. Did you mean 'host'\?"):
        arguments(f"--host {argument}", host="mail")


def test_a_dollar_does_not_find_the_functions_of_python() -> None:
    with pytest.raises(UsageError, match="'id' is not defined"):
        arguments("$id")


@pytest.mark.parametrize("result", ["id", "$id", "{id}", "str.upper"])
def test_a_name_that_only_python_has_is_no_result(result: str) -> None:
    with pytest.raises(UsageError, match=r"'(id|str)' is not defined"):
        evaluate(split(result)[0], {})
    assert evaluate(split("id")[0], {"id": 7}) == 7
    assert evaluate(split("None")[0], {}) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{m:.2f}", "1.50"),
        ("{ m :.2f}", "1.50"),
        ("{name!r}", "'a:b'"),
        ("{name!s:>5}", "  a:b"),
        ("{m != 2:d}", "1"),
        ("{when:%H:%M}", "09:30"),
        ("{rows[0:1]!a}", "['\\xe9']"),
        ("{max({'a': 1})}", "a"),
    ],
)
def test_a_value_in_a_text_is_formatted_as_in_an_f_string(text: str, said: str) -> None:
    values = {"m": 1.5, "name": "a:b", "when": time(9, 30), "rows": ["é", "b"]}
    assert expand(split(f'"{text}"')[0], values) == said


def test_a_format_that_the_value_does_not_take_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"{name:d} cannot be evaluated"):
        arguments("'{name:d}'", name="a")


def test_a_dict_in_braces_is_no_result_with_a_format() -> None:
    with pytest.raises(UsageError, match="SyntaxError"):
        evaluate(split('{"n":5}')[0], {})


def test_one_bad_argument_does_not_leave_another_unexpanded() -> None:
    words = split("$good {bad}")
    assert expand(words[0], {"good": "yes"}) == "yes"


def test_an_expression_that_fails_says_how_and_keeps_the_cause() -> None:
    with pytest.raises(UsageError, match="ZeroDivisionError") as caught:
        arguments("{1 / 0}")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("argument", ["$gone", "{gone}", "--to=$gone", "{gone or None}"])
def test_a_whole_argument_that_is_none_is_an_error_and_not_the_word(argument: str) -> None:
    with pytest.raises(UsageError, match=" is None") as caught:
        arguments(argument, gone=None)
    assert caught.value.hint == "Give it a value, or leave the argument out."
    assert arguments('"{gone}" a{gone} {gone!s} ""', gone=None) == ["None", "aNone", "None", ""]


@pytest.mark.parametrize("kind", ["list", "tuple", "array", "series", "column", "unique"])
def test_several_texts_are_written_without_their_brackets_whatever_holds_them(kind: str) -> None:
    pd, np, pl = (pytest.importorskip(name) for name in ("pandas", "numpy", "polars"))
    texts = ["ana@example.org", "bea@example.org"]
    held = {
        "list": texts,
        "tuple": tuple(texts),
        "array": np.array(texts),
        "series": pd.Series(texts),
        "column": pl.Series(texts),
        "unique": pd.Series(texts).unique(),
    }
    assert arguments("{held}", held=held[kind]) == ["ana@example.org, bea@example.org"]
    assert arguments("{held}", held=np.int64(3)) == ["3"]


def test_bad_syntax_is_said_without_a_place_that_is_not_in_the_line() -> None:
    with pytest.raises(UsageError) as caught:
        arguments("{a b}")
    assert "<string>" not in caught.value.message
    with pytest.raises(UsageError, match=r"\{\} is empty"):
        arguments("{}")


@pytest.mark.parametrize("argument", ["{", "{a", "{a['}']", "${a"])
def test_an_open_brace_is_an_error(argument: str) -> None:
    with pytest.raises(UsageError, match="brace"):
        split(argument)


def test_the_namespace_is_not_changed() -> None:
    namespace = {"a": 1}
    expand(split("{a}")[0], namespace)
    assert namespace == {"a": 1}


def test_a_line_being_typed_gives_its_words_the_fragment_and_the_open_quote() -> None:
    assert unfinished("connect 'big ma") == (["connect"], "'big ma", "'")
    assert unfinished("connect ") == (["connect"], "", "")
    assert unfinished("new x --host {a") == (["new", "x", "--host"], "{a", "")


def test_a_result_is_the_value_of_an_expression_and_a_text_in_quotes_is_a_text() -> None:
    table = {"a b": [1, 2]}
    line = """table $table {table} table["a b"] len(table['a b']) {max(table["a b"]) + 1} "table" 'n = {len(table)}' "a"+'b'"""
    values = [evaluate(word, {"table": table}) for word in split(line)]
    assert values == [table, table, table, [1, 2], 2, 3, "table", "n = 1", "ab"]
    assert values[0] is values[1] is values[2] is table


@pytest.mark.parametrize(
    ("line", "words"), [("tabel", "Did you mean 'table'"), ("1/0", "ZeroDivisionError"), ("a b", "'a'")]
)
def test_a_result_that_cannot_be_had_is_an_error(line: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluate(split(line)[0], {"table": 1})


@given(strategies.text(alphabet=string.printable + "éß日", min_size=0))
def test_a_quoted_text_is_read_back_as_it_is(text: str) -> None:
    assert arguments(f"show {quote(text)}") == ["show", text]
    assert arguments(quote(text, "'")) == [text]
