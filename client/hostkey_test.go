//go:build unix

package client

import (
	"fmt"
	"strings"
	"testing"

	"minissh/client/options"
	"minissh/protocol/keys"
)

// Where nobody can be asked about an unknown host, the refusal says what to compare and what to type.
func TestUnknownHostHint(t *testing.T) {
	for name, change := range map[string]func(*Dialer){
		"nobody to ask": func(d *Dialer) {},
		"no terminal":   func(d *Dialer) { d.Ask = &asker{answer: func(string) (string, error) { return "", ErrNobodyToAsk }} },
		"batch mode":    func(d *Dialer) { d.Options.BatchMode = true },
		"strict":        func(d *Dialer) { d.Options.StrictHostKeyChecking = options.StrictYes },
	} {
		f := newFake(t)
		var target string
		r := f.run(t, func(d *Dialer) { forget(d); change(d); target = Target(d.Options) })
		want := fmt.Sprintf("minissh: hint: its ED25519 key is %s, which minisshd shows there when it starts to listen; if it is the same: "+
			"minissh -o StrictHostKeyChecking=accept-new %s, or connect once from a terminal\n", keys.Fingerprint(f.host.Public), target)
		if r.code != 255 || !strings.HasSuffix(r.said, "minissh: Host key verification failed.\n"+want) {
			t.Errorf("%s: %d, %s", name, r.code, r.said)
		}
	}
}
