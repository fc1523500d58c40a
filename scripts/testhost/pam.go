package testhost

import (
	"os"
	"os/exec"
	"path/filepath"
)

// pamHeader is what a program with PAM is built with.
const pamHeader = "/usr/include/security/pam_appl.h"

// WithPAM builds minisshd with PAM, once for all tests of a package, and gives its path.
func (p *Place) WithPAM() string {
	p.t.Helper()
	Need(p.t, "gcc")
	if _, err := os.Stat(pamHeader); err != nil {
		p.t.Skip("not run: needs " + pamHeader)
	}
	file := filepath.Join(Bin, "minisshd-pam")
	if _, err := os.Stat(file); err != nil {
		cmd := exec.Command("go", "build", "-tags", "pam", "-o", file, "minissh/cmd/minisshd")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			p.t.Fatalf("go build -tags pam: %v\n%s", err, out)
		}
	}
	return file
}
