package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/conform"
)

func TestConformSaysWhatToType(t *testing.T) {
	for _, c := range []struct {
		args []string
		hint string
	}{
		{[]string{"conform"}, "conform --daemon python3"},
		{[]string{"conform", "--client"}, "conform --client python3"},
		{[]string{"conform", "--daemon", "--client", "x"}, "conform --client python3"},
		{[]string{"conform", "--address", "unix:/s", "x"}, "conform --address unix:PATH"},
		{[]string{"conform", "--address", "127.0.0.1:1"},
			"--identity ~/.ssh/id_ed25519 --host-key"},
		{[]string{"conform", "--daemon", "--only", "XY7", "x"}, "minissh-lab conform"},
		{[]string{"conform", "--put", "x", "--daemon", "y"}, "conform --daemon python3"},
		{[]string{"conform", "--patience", "0s", "--daemon", "x"}, "--patience 5s"},
	} {
		if code, _, errOut := lab(t, "", c.args...); code == 0 ||
			!strings.Contains(errOut, c.hint) {
			t.Errorf("%v: code %d, %s", c.args, code, errOut)
		}
	}
}

func TestConformHandsOutTheVectors(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vectors")
	if code, out, errOut := lab(t, "", "conform", "--vectors", dir); code != 0 ||
		!strings.Contains(out, "vectors") {
		t.Fatalf("code %d, %s%s", code, out, errOut)
	}
	got, err := os.ReadFile(filepath.Join(dir, "frames.txt"))
	want, err2 := os.ReadFile("../../protocol/vectors/frames.txt")
	if err != nil || err2 != nil || string(got) != string(want) {
		t.Errorf("%v %v, %d bytes", err, err2, len(got))
	}
}

// The verb's exit code and words: a daemon that holds, one that does not, and what is not a daemon
// at all.
func TestConformReports(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not run: needs Unix sockets that a Python there lacks")
	}
	python, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip("not run: needs python3")
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	daemon := []string{strings.TrimSpace(string(python)), "../../scripts/minisshd.py", "{address}"}
	words := append([]string{"conform", "--only", "SE6", "--quick", "--lang", "en", "--daemon"},
		daemon...)
	if code, out, errOut := lab(t, "", words...); code != 0 || !strings.Contains(out, "SE6(3)") {
		t.Errorf("code %d, %s%s", code, out, errOut)
	}
	words = append([]string{"conform", "--only", "SE6", "--user", me.Username + "-not", "--quick",
		"--lang", "en", "--patience", "5s", "--daemon"}, daemon...)
	if code, out, errOut := lab(t, "", words...); code != 1 ||
		!strings.Contains(out, "key_not_authorized") || !strings.Contains(errOut, "--only SE6") {
		t.Errorf("code %d, %s%s", code, out, errOut)
	}
	words = append([]string{"conform", "--only", "SE6", "--quick", "--json", "--daemon"}, daemon...)
	code, out, errOut := lab(t, "", words...)
	var r conform.Report
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil || r.Role != "daemon" ||
		r.Count(conform.Holds) != 1 {
		t.Errorf("code %d, %v, %s%s", code, err, out, errOut)
	}
	if code, _, errOut := lab(t, "", "conform", "--lang", "en", "--daemon", "false"); code != 1 ||
		!strings.Contains(errOut, "could not begin") {
		t.Errorf("code %d, %s", code, errOut)
	}
}
