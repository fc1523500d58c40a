package nodeset

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	groups := map[string]string{"web": "web[1-3]", "all": "@web,db1", "self": "@self", "a1": "x1",
		"a2": "x2"}
	group := func(name string) (string, error) {
		if g, ok := groups[name]; ok {
			return g, nil
		}
		return "", errors.New("no group " + name)
	}
	for expression, want := range map[string]string{
		"":                        "",
		"web[01-03,10]":           "web01 web02 web03 web10",
		"web[1-2]-[a,b]":          "web1-a web1-b web2-a web2-b",
		"n[1-10/3]":               "n1 n4 n7 n10",
		"n[08-11]":                "n08 n09 n10 n11",
		"n[8-11]":                 "n8 n9 n10 n11",
		"n[0-2]":                  "n0 n1 n2",
		"[1-2].x":                 "1.x 2.x",
		"n[1-5]!n[2-3]":           "n1 n4 n5",
		"n[1-5]&n[3-9]^n4":        "n3 n5",
		"a b , c\n":               "a b c",
		"me@h[1-2]:22,h3":         "h3 me@h1:22 me@h2:22",
		"@all!web2":               "db1 web1 web3",
		"@a[1-2]":                 "x1 x2",
		"a[1-2]b[1-2]!a1b[1-2],z": "a2b1 a2b2 z",
		"n[5,1,3]":                "n1 n3 n5",
	} {
		got, err := Parse(expression, group)
		if err != nil || strings.Join(got.Names(), " ") != want {
			t.Errorf("%q: %v, %v, not %s", expression, got.Names(), err, want)
		}
	}
	for expression, want := range map[string]string{
		"n[1-3":                      "not closed",
		"n]1[":                       "do not fit",
		"n[[1]]":                     "do not fit",
		"n[3-1]":                     "ends before it begins",
		"n[a-b]":                     "not a range",
		"n[1-]":                      "not a range",
		"n[-1]":                      "not a range",
		"n[5/2]":                     "not a range",
		"n[1-5/0]":                   "the step",
		"n[]":                        "missing between",
		"n[1,]":                      "missing between",
		"a,,b":                       "missing before",
		",a":                         "missing before",
		"a,":                         "missing after",
		"n[001-3]":                   "different lengths",
		"n[8-010]":                   "different lengths",
		"n[1-99999]":                 "more than",
		"n[1-999]m[1-999]":           "more than",
		"n[0-18446744073709551616]":  "not a range",
		"n[1-40000],m[1-40000]":      "more than",
		"n[0-9223372036854775807]":   "more than",
		"@self":                      "one in itself",
		"@none":                      "no group none",
		"n[1-3,2-9223372036854775]x": "more than",
	} {
		got, err := Parse(expression, group)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", expression, got, err)
		}
	}
	if _, err := Parse("@web", nil); err == nil {
		t.Error("a group where there are none")
	}
}

// What is folded is the same set, and as short as nodeset's for one number in each name.
func TestFold(t *testing.T) {
	for names, want := range map[string]string{
		"":                          "",
		"a":                         "a",
		"n1 n2 n3":                  "n[1-3]",
		"n1 n01 n02 n2 n9":          "n[1-2,01-02,9]",
		"n08 n09 n10":               "n[08-10]",
		"n9 n10 n11 n13":            "n[9-11,13]",
		"u@a1:22 u@a2:22":           "u@a[1-2]:22",
		"a1b1 a1b2 a2b1 a2b2 a3b1":  "a3b1,a[1-2]b[1-2]",
		"10.0.0.1 10.0.0.2 x":       "10.0.0.[1-2],x",
		"n99999999999999999999 n07": "n[07,99999999999999999999]",
	} {
		if got := Of(strings.Fields(names)...).Fold(); got != want {
			t.Errorf("%s: %s, not %s", names, got, want)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := Of()
		for range random.IntN(30) {
			name := fmt.Sprintf("%c%0*d", 'a'+random.IntN(2), random.IntN(4), random.IntN(15))
			if random.IntN(2) > 0 {
				name += fmt.Sprintf("-%d", random.IntN(4))
			}
			s.has[name] = true
		}
		again, err := Parse(s.Fold(), nil)
		if err != nil || !slices.Equal(again.Names(), s.Names()) {
			t.Fatalf("%v: %s, %v", s.Names(), s.Fold(), err)
		}
	}
}

// nodeset(1) of clustershell expands the same, and reads what we fold.
func TestAsNodeset(t *testing.T) {
	if _, err := exec.LookPath("nodeset"); err != nil {
		t.Skip("not run: needs clush")
	}
	for _, expression := range []string{"web[01-03,10],x", "n[1-10/3]", "n[1-5]!n[2-3]", "a b",
		"n[1-5]&n[3-9]^n4", "n[1-3]p[01-02]", "n[5,1,3]", "u@h[1-3]:22", "n[01-02,1-2]", "n[0-100]",
		"n[1-9]!n[2-8]!n9", "a[1-2]b[1-3]^a1b2", "10.0.0.[1-12]", "n[098-102]"} {
		ours, err := Parse(expression, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, given := range []string{expression, ours.Fold()} {
			out, err := exec.Command("nodeset", "-e", "--", given).Output()
			theirs := strings.Fields(string(out))
			slices.SortFunc(theirs, Compare)
			if err != nil || !slices.Equal(theirs, ours.Names()) {
				t.Errorf("%q: nodeset has %v, %v; we have %v", given, theirs, err, ours.Names())
			}
		}
	}
}

// No expression takes long or much, and what is folded can be read.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"web[01-20,30]!web3", "a&b^c", "n[1-9/2]-[a,b]", "@x,y", "[",
		"a[1-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if strings.ContainsAny(expression, "\x00") {
			return
		}
		s, err := Parse(expression, nil)
		if err != nil {
			return
		}
		for _, name := range s.Names() {
			if strings.ContainsAny(name, operators+"@ \t\n[]") {
				return // between brackets anything is a word
			}
		}
		again, err := Parse(s.Fold(), nil)
		if err != nil || !slices.Equal(again.Names(), s.Names()) {
			t.Errorf("%q: %q, %v", s.Names(), s.Fold(), err)
		}
	})
}
