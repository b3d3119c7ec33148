package ir

import (
	"fmt"
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokWord
	tokString
	tokPunct
)

// token is a lexical element of the text form. text is a word, the contents of
// a string, or a punctuation mark.
type token struct {
	kind tokenKind
	text string
	at   int // offset in the source
}

// is reports whether t is the given punctuation mark or bare word.
func (t token) is(text string) bool {
	return t.text == text && (t.kind == tokPunct || t.kind == tokWord)
}

// String describes t for messages.
func (t token) String() string {
	switch t.kind {
	case tokEnd:
		return "the end of the text"
	case tokString:
		if len(t.text) > 40 {
			return "a string"
		}
		return strconv.Quote(t.text)
	}
	return fmt.Sprintf("%q", shorten(t.text))
}

func shorten(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

// lexer splits the text form into tokens.
type lexer struct {
	src string
	pos int
}

// syntaxError is what the parser abandons a text with.
type syntaxError struct{ error }

// fail abandons the text with the place in the message.
func (l *lexer) fail(at int, format string, args ...any) {
	line := 1 + strings.Count(l.src[:at], "\n")
	col := at - strings.LastIndexByte(l.src[:at], '\n')
	panic(syntaxError{fmt.Errorf("line %d, column %d: %w", line, col, fmt.Errorf(format, args...))})
}

// space skips white space and comments.
func (l *lexer) space() {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			l.pos++
		case strings.HasPrefix(l.src[l.pos:], "//"):
			n := strings.IndexByte(l.src[l.pos:], '\n')
			if n < 0 {
				n = len(l.src) - l.pos
			}
			l.pos += n
		default:
			return
		}
	}
}

func (l *lexer) next() token {
	l.space()
	at := l.pos
	rest := l.src[at:]
	switch {
	case rest == "":
		return token{tokEnd, "", at}
	case rest[0] == '"':
		return l.str()
	case strings.HasPrefix(rest, "->"), strings.HasPrefix(rest, "::"):
		l.pos += 2
		return token{tokPunct, rest[:2], at}
	case isWordByte(rest[0]):
		n := 1
		for n < len(rest) && isWordByte(rest[n]) && !strings.HasPrefix(rest[n:], "//") {
			n++
		}
		l.pos += n
		return token{tokWord, rest[:n], at}
	case strings.IndexByte("()[]{},=:@#*!?", rest[0]) >= 0:
		l.pos++
		return token{tokPunct, rest[:1], at}
	}
	l.fail(at, "unexpected character %q", rest[0])
	return token{}
}

// str reads a string quoted as in Go.
func (l *lexer) str() token {
	at := l.pos
	for i := at + 1; i < len(l.src); i++ {
		switch l.src[i] {
		case '\\':
			i++
		case '\n':
			l.fail(at, "the string does not end on its line")
		case '"':
			text, err := strconv.Unquote(l.src[at : i+1])
			if err != nil {
				l.fail(at, "the string has an escape that Go does not know")
			}
			l.pos = i + 1
			return token{tokString, text, at}
		}
	}
	l.fail(at, "the string does not end")
	return token{}
}
