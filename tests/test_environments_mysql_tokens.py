"""Tokens of MySQL's dialect."""

from hypothesis import given
from hypothesis import strategies as st

from tinysmith.environments._mysql_tokens import closing, quoted, split_at, string_value, tokens_of


class TestTokensOf:
    def test_kinds(self) -> None:
        """Strings, names, numbers and signs are told apart; comments and blanks vanish."""
        sql = "SELECT `a b`, \"x\", 1.5e3 -- why\n# also\n/* and */ FROM t <=> 'y''z'"
        assert [(token.kind, token.text) for token in tokens_of(sql)] == [
            ("name", "SELECT"),
            ("name", "`a b`"),
            ("sign", ","),
            ("string", '"x"'),
            ("sign", ","),
            ("number", "1.5e3"),
            ("name", "FROM"),
            ("name", "t"),
            ("sign", "<=>"),
            ("string", "'y''z'"),
        ]

    @given(st.text(alphabet="ab1 '\"`\\;-/*#(),.\n\u00e9", max_size=60))
    def test_any_text(self, text: str) -> None:
        """Any text has tokens, in order and each at its place."""
        tokens = tokens_of(text)
        assert all(text[token.start :].startswith(token.text) for token in tokens)
        assert [token.start for token in tokens] == sorted({token.start for token in tokens})

    def test_names(self) -> None:
        """A name is known in lower case without its backticks; other kinds have no name, strings no word."""
        name, bare, string, sign = tokens_of("`Big``Name` Select 'from' +")
        assert (name.name, bare.name, string.name, sign.name) == ("big`name", "select", "", "")
        assert (bare.word, string.word, sign.word) == ("SELECT", "", "+")


class TestStrings:
    def test_escapes(self) -> None:
        """MySQL's escapes are read, unknown ones stand for themselves."""
        assert string_value(r"'a\nb\'c\qd''e\%'") == "a\nb'cqd'e\\%"
        assert string_value('"say ""hi"" to \'\'me"') == "say \"hi\" to ''me"

    @given(st.text(alphabet="a'\"\\\n", max_size=20))
    def test_quoted(self, value: str) -> None:
        """A value that is quoted for SQLite holds no single quote that would end it."""
        inner = quoted(value)[1:-1]
        assert inner.replace("''", "").count("'") == 0
        assert inner.replace("''", "'") == value

    def test_nul(self) -> None:
        """A NUL is left out, since it would end SQLite's text."""
        assert quoted("a\0b") == "'ab'"


class TestParts:
    def test_closing(self) -> None:
        """The parenthesis that closes is found, or the end."""
        tokens = tokens_of("f ( a ( b ) c ) d (")
        assert closing(tokens, 1) == 7
        assert closing(tokens, 9) == 10

    def test_split(self) -> None:
        """Only words outside of parentheses cut."""
        parts = split_at(tokens_of("a, f(b, c), d"), ",")
        assert [[token.text for token in part] for part in parts] == [["a"], ["f", "(", "b", ",", "c", ")"], ["d"]]
