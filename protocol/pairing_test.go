package protocol

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"minissh/protocol/vectors"
)

// This package computes the example of PAIRING.md.
func TestPairingExample(t *testing.T) {
	text, err := os.ReadFile("PAIRING.md")
	if err != nil {
		t.Fatal(err)
	}
	code := PairingCode("0123456789AB")
	if code.Shown() != "0123-4567-89AB-E" {
		t.Error(code.Shown())
	}
	transcript := PairingTranscript([]byte(strings.Repeat("\x11", 32)), []byte("host"),
		[]byte("client"), "alice")
	for _, side := range []string{PairingClient, PairingDaemon} {
		shown := regexp.MustCompile("(?m)^    " + side + "  ([0-9a-f]{64})$").FindSubmatch(text)
		if shown == nil || string(shown[1]) != hex.EncodeToString(code.Prove(side, transcript)) {
			t.Errorf("%s: %x", side, code.Prove(side, transcript))
		}
	}
}

func TestPairingVectors(t *testing.T) {
	for _, v := range vectors.Read("pairing.txt") {
		t.Run(v.Name, func(t *testing.T) {
			if v.Has("refused") {
				if code, err := ParsePairingCode(v.Text("refused")); err == nil {
					t.Fatalf("it is taken for %q", code)
				}
				return
			}
			code := PairingCode(v.Text("code"))
			if code.Shown() != v.Text("shown") {
				t.Errorf("shown as %s", code.Shown())
			}
			for _, typed := range append(v.All("typed"), v.Text("shown")) {
				if got, err := ParsePairingCode(typed); err != nil || got != code {
					t.Errorf("%q typed: %q, %v", typed, got, err)
				}
			}
			transcript := PairingTranscript(v.Bytes("exporter"), v.Bytes("host"), v.Bytes("client"),
				v.Text("user"))
			for key, side := range map[string]string{"proof": PairingClient,
				"answer": PairingDaemon} {
				proof := code.Prove(side, transcript)
				if hex.EncodeToString(proof) != v.Text(key) ||
					!code.Proves(side, transcript, proof) {
					t.Errorf("%s: %x", key, proof)
				}
			}
		})
	}
}

// Every bit of what is proved counts, and so do the code and the side.
func TestPairingBinds(t *testing.T) {
	code := PairingCode("0123456789AB")
	base := code.Prove(PairingClient, PairingTranscript([]byte("x"), []byte("host"),
		[]byte("client"), "alice"))
	for name, other := range map[string][]byte{
		"exporter": code.Prove(PairingClient, PairingTranscript([]byte("y"), []byte("host"),
			[]byte("client"), "alice")),
		"host key": code.Prove(PairingClient, PairingTranscript([]byte("x"), []byte("hosT"),
			[]byte("client"), "alice")),
		"client key": code.Prove(PairingClient, PairingTranscript([]byte("x"), []byte("host"),
			[]byte("clienT"), "alice")),
		"user": code.Prove(PairingClient, PairingTranscript([]byte("x"), []byte("host"),
			[]byte("client"), "root")),
		"borders": code.Prove(PairingClient, PairingTranscript([]byte("x"), []byte("hostc"),
			[]byte("lient"), "alice")),
		"side": code.Prove(PairingDaemon, PairingTranscript([]byte("x"), []byte("host"),
			[]byte("client"), "alice")),
		"code": PairingCode("0123456789AC").Prove(PairingClient,
			PairingTranscript([]byte("x"), []byte("host"), []byte("client"), "alice")),
	} {
		if string(other) == string(base) {
			t.Errorf("the %s is not part of the proof", name)
		}
	}
	transcript := PairingTranscript([]byte("x"), []byte("host"), []byte("client"), "alice")
	for _, wrong := range [][]byte{nil, {}, base[:31], append(base[:31:31], base[31]^1)} {
		if code.Proves(PairingClient, transcript, wrong) {
			t.Errorf("%x is not a proof", wrong)
		}
	}
	if !code.Proves(PairingClient, transcript, base) {
		t.Error("a proof is refused")
	}
}

// A code survives how people type; a wrong character and two that changed places are noticed (PA1).
func TestPairingCode(t *testing.T) {
	seen := map[PairingCode]bool{}
	for range 200 {
		code := NewPairingCode()
		if seen[code] {
			t.Fatal("the same code twice")
		}
		seen[code] = true
		shown := code.Shown()
		for _, typed := range []string{
			shown, strings.ToLower(shown), strings.ReplaceAll(shown, "-", ""), " " +
				strings.ReplaceAll(shown, "-", " ") + "\r\n",
			strings.NewReplacer("0", "o", "1", "l").Replace(shown),
			strings.ReplaceAll(shown, "1", "I"),
		} {
			if got, err := ParsePairingCode(typed); err != nil || got != code {
				t.Fatalf("%q of %q: %q, %v", typed, shown, got, err)
			}
		}
		plain := strings.ReplaceAll(shown, "-", "")
		for i := range len(plain) {
			for _, c := range crockford {
				wrong := plain[:i] + string(c) + plain[i+1:]
				if _, err := ParsePairingCode(wrong); err == nil && wrong != plain &&
					!(plain[i] == '0' && c == 'Z' || plain[i] == 'Z' && c == '0') {
					t.Fatalf("%q was taken for %q", wrong, plain)
				}
			}
			if i > 0 && i < len(code) && plain[i] != plain[i-1] && plain[i-1:i+1] != "0Z" &&
				plain[i-1:i+1] != "Z0" {
				if _, err := ParsePairingCode(plain[:i-1] + plain[i:i+1] + plain[i-1:i] +
					plain[i+1:]); err == nil {
					t.Fatalf("characters %d and %d of %q changed places", i, i+1, plain)
				}
			}
		}
	}
	for _, typed := range []string{"", "-", "0123-4567-89AB", "0123-4567-89AB-EE",
		"0123-4567-89AB-U", "0123-4567-89AB-ſ", strings.Repeat("0", 1<<16), "０123-4567-89AB-E"} {
		if code, err := ParsePairingCode(typed); err == nil {
			t.Errorf("%.20q became %q", typed, code)
		} else if len(typed) > 4 && strings.Contains(err.Error(), typed[:5]) {
			t.Errorf("the error shows what was typed: %v", err)
		}
	}
}

// What is said in pairing is not shown (RULES A13).
func TestPairIsHidden(t *testing.T) {
	frame, err := AppendMessage(nil, TypePair, 0, &Pair{Protocol: ALPN, User: "alice",
		Proof: strings.Repeat("ab", 32)})
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewReader(strings.NewReader(string(frame))).Next()
	if err != nil {
		t.Fatal(err)
	}
	if shown := Describe(f, 1000); strings.Contains(shown, "abab") {
		t.Error(shown)
	}
}
