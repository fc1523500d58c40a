package main

import (
	"fmt"
	"strings"
	"testing"

	"minissh/protocol/testend"
)

// lineWriter hands over what is printed, line by line.
type lineWriter struct{ lines chan string }

func (w *lineWriter) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		w.lines <- line
	}
	return len(b), nil
}

// seen returns the lines up to the first that has one of these texts.
func (w *lineWriter) seen(t *testing.T, texts ...string) string {
	t.Helper()
	var seen strings.Builder
	for {
		line := testend.Next(t, fmt.Sprintf("%q in\n%s", texts, seen.String()), w.lines)
		if line == "" {
			t.Fatalf("the output ends without %q:\n%s", texts, seen.String())
		}
		seen.WriteString(line)
		for _, text := range texts {
			if strings.Contains(line, text) {
				return seen.String()
			}
		}
	}
}

// until returns what comes after a text, on the next line that has it.
func (w *lineWriter) until(t *testing.T, text string) string {
	t.Helper()
	_, after, _ := strings.Cut(w.seen(t, text), text)
	return strings.TrimSpace(after)
}

// rest returns what is still printed until the end.
func (w *lineWriter) rest(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for line := "-"; line != ""; all.WriteString(line) {
		line = testend.Next(t, "the output ends", w.lines)
	}
	return all.String()
}
