package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A saved run becomes a page and a capture; neither is written over, and a run is needed for both.
func TestRecordExports(t *testing.T) {
	dir := t.TempDir()
	run, page, capture := filepath.Join(dir, "mine.run"), filepath.Join(dir, "mine.html"),
		filepath.Join(dir, "mine.pcapng")
	text := `{"minissh-lab":"run","version":1,"began":"2026-11-30T09:00:00Z","title":"</script>"}
{"conn":1,"at":0,"kind":"open"}
{"conn":1,"at":8,"kind":"data","way":"up","data":"bHM=","segments":1}
`
	if err := os.WriteFile(run, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := lab(t, "", "record", "--lang", "en", "--open", run, "--html", page,
		"--pcap", capture)
	if code != 0 || !strings.Contains(out, "made up") ||
		!strings.Contains(out, "without a network") {
		t.Fatalf("code %d\n%s\n%s", code, out, errOut)
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(html), "</script>") != 2 || !strings.Contains(string(html), "bHM=") {
		t.Error("the page's scripts are not what they should be")
	}
	if b, err := os.ReadFile(capture); err != nil || !strings.Contains(string(b), "ls") ||
		!strings.HasPrefix(string(b), "\x0a\x0d\x0d\x0a") {
		t.Errorf("the capture: %q, %v", b, err)
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{1, "exists already", []string{"--open", run, "--html", page}},
		{2, "come with --open", []string{"--html", page}},
		{2, "takes one run", []string{"--open", run, "--beside", run, "--pcap", capture}},
		{2, "does not go with", []string{"--open", run, "--web", "--html", page}},
		{1, "is not a recorded run", []string{"--open", page, "--pcap", capture + "2"}},
	} {
		code, _, errOut := lab(t, "", append([]string{"record", "--lang", "en"}, c.args...)...)
		if code != c.code || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: code %d, %s", c.args, code, errOut)
		}
	}
}
