package knownhosts

import (
	"errors"
	"strings"
	"testing"

	"minissh/protocol/keys"
)

// Every verdict under every policy: what is accepted, what is remembered, what is asked.
func TestDecide(t *testing.T) {
	key, _ := newKey(t)
	print := keys.Fingerprint(key)
	type want struct{ accept, add, asked bool }
	policies := []Policy{Ask, AcceptNew, Off, Strict, "nonsense"}
	for _, c := range []struct {
		status Status
		batch  bool
		answer string
		want   [5]want // by policy
	}{
		{Known, false, "no", [5]want{{accept: true}, {accept: true}, {accept: true}, {accept: true}, {accept: true}}},
		{KnownUnderPlainName, true, "", [5]want{{true, true, false}, {true, true, false}, {true, true, false}, {accept: true}, {accept: true}}},
		{Changed, false, "yes", [5]want{}}, // also with StrictHostKeyChecking=no
		{Revoked, false, "yes", [5]want{}},
		{Unknown, false, "yes", [5]want{{true, true, true}, {true, true, false}, {true, true, false}, {}, {}}},
		{Unknown, false, " YES \r\n", [5]want{{true, true, true}, {true, true, false}, {true, true, false}, {}, {}}},
		{Unknown, false, print, [5]want{{true, true, true}, {true, true, false}, {true, true, false}, {}, {}}},
		{Unknown, false, "no", [5]want{{asked: true}, {true, true, false}, {true, true, false}, {}, {}}},
		{Unknown, false, "", [5]want{{asked: true}, {true, true, false}, {true, true, false}, {}, {}}},
		{Unknown, true, "yes", [5]want{{}, {true, true, false}, {true, true, false}, {}, {}}},
	} {
		for i, policy := range policies {
			asked := false
			d, err := Decide(policy, Verdict{Status: c.status, Name: "[lab]:7422", Key: key,
				EntryKey: key, File: "f", Line: 1}, c.batch, func(string) (string, error) {
				asked = true
				return c.answer, nil
			})
			if got := (want{d.Accept, d.Add, asked}); got != c.want[i] {
				t.Errorf("%v, policy %s, batch %v, answer %q: %+v, want %+v", c.status, policy,
					c.batch, c.answer, got, c.want[i])
			}
			var refusal *Refusal
			if d.Accept == (err != nil) || err != nil &&
				(!errors.As(err, &refusal) || refusal.Status != c.status ||
					err.Error() != "Host key verification failed.") {
				t.Errorf("%v, policy %s: %v", c.status, policy, err)
			}
		}
	}
	if d, err := Decide(Ask, Verdict{Name: "lab", Key: key}, false, nil); err == nil || d.Accept {
		t.Error("accepted with nobody to ask")
	}
	gone := errors.New("no terminal")
	if _, err := Decide(Ask, Verdict{Name: "lab", Key: key}, false, func(string) (string, error) {
		return "yes", gone
	}); !errors.Is(err, gone) {
		t.Errorf("a failed question: %v", err)
	}
}

// After an invalid answer the question comes again, in ssh's words; the fingerprint must be exact.
func TestAskAgain(t *testing.T) {
	key, _ := newKey(t)
	answers := []string{"y", "maybe", strings.ToLower(keys.Fingerprint(key)), "yes please", "Yes"}
	var asked []string
	d, err := Decide(Ask, Verdict{Name: "lab", Key: key}, false,
		func(question string) (string, error) {
			asked = append(asked, question)
			return answers[len(asked)-1], nil
		})
	if err != nil || !d.Add || len(asked) != len(answers) {
		t.Fatalf("%+v, %v, asked %q", d, err, asked)
	}
	for _, again := range asked[1:] {
		if again != "Please type 'yes', 'no' or the fingerprint: " {
			t.Errorf("asked again with %q", again)
		}
	}
}

// Names in a known_hosts file may come from anywhere: none of their bytes reach a terminal raw.
func TestNothingRaw(t *testing.T) {
	key, line := newKey(t)
	file := write(t, "evil\x1b]0;x\a "+line+"\n\u202eneve "+line+"\n")
	v := check(t, Open(file), "lab", 7422, key)
	v.File = "a\x1bb"
	v.EntryKey = key
	text := Question(v) + strings.Join(append(ChangedWarning(v), RevokedWarning(v)...), "\n") +
		Added(v) + AddFailed(v.File)
	for _, r := range text {
		if r != '\n' && (r < ' ' || r > '~') {
			t.Fatalf("%q in %q", r, text)
		}
	}
}
