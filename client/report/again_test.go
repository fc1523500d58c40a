package report_test

import (
	"testing"

	"minissh/client/options"
	"minissh/client/report"
)

// What is typed again has what decides who is reached, quoted for a shell.
func TestAgain(t *testing.T) {
	o, err := options.Parse([]string{"-F", "none", "-i", "it's", "-p7", "-J", "a,b:2", "me@there"})
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Again(o); got != `-F none -i 'it'\''s' -J a,b:2 -p 7 me@there` {
		t.Error(got)
	}
}
