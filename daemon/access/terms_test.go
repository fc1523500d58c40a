package access

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"minissh/daemon/match"
	"minissh/daemon/process"
)

// linesOf are Match lines.
func linesOf(t *testing.T, texts ...string) (lines []*match.Line) {
	t.Helper()
	for _, text := range texts {
		line, err := match.Parse(strings.Fields(text))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// What a user could get counts each section that could hold, with those that certainly do. Terms
// are built once for each combination, and are wrong or unknown by name.
func TestBook(t *testing.T) {
	var built [][]int
	book, err := NewBook(process.Account{}, linesOf(t, "user ann", "user bob",
		"address 192.0.2.7", "user ann address ::1", "key SHA256:x", "group staff"),
		func(holding []int) (*Terms, error) {
			built = append(built, holding)
			terms := &Terms{MaxChannels: len(holding)}
			for _, i := range holding {
				if i != 4 { // which admits nobody else
					terms.Policy.Allow = append(terms.Policy.Allow, string(rune('a'+i)))
				}
			}
			return terms, nil
		})
	if err != nil || len(built) != 7 { // all six alone, and none
		t.Fatal(built, err)
	}
	at := &match.Login{User: "ann", Groups: func() ([]string, error) { return nil, nil }}
	ways, err := book.ways(at)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, terms := range ways {
		got = append(got, strings.Join(terms.Policy.Allow, ""))
	}
	if want := []string{"a", "ac", "ad"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	here := *at
	here.Addr, here.Key = netip.MustParseAddr("192.0.2.7"), "SHA256:x"
	first, err := book.Terms(&here)
	if err != nil || strings.Join(first.Policy.Allow, "") != "ac" || first.MaxChannels != 3 {
		t.Errorf("%+v, %v", first, err)
	}
	before := len(built)
	if again, _ := book.Terms(&here); again != first || len(built) != before {
		t.Error("it was built again")
	}
	if named := book.named(); !slices.Equal(named, []string{"a", "b", "c", "d", "f"}) {
		t.Error(named)
	}
	unknown := here
	unknown.Groups = func() ([]string, error) { return nil, errors.New("no answer") }
	if _, err := book.Terms(&unknown); err == nil {
		t.Error("terms without knowing the groups")
	}
	if _, err := book.ways(&unknown); err == nil {
		t.Error("ways without knowing the groups")
	}
}

// Terms that no login may get are refused when a book is made, and memory for them is bounded.
func TestBookRefuses(t *testing.T) {
	for _, wrong := range []Terms{{Policy: Policy{Allow: []string{"a@b"}}},
		{Files: []string{"%x"}}} {
		if _, err := NewBook(process.Account{}, linesOf(t, "all"),
			func(holding []int) (*Terms, error) {
				if terms := wrong; len(holding) > 0 {
					return &terms, nil
				}
				return &Terms{}, nil
			}); err == nil {
			t.Errorf("%+v", wrong)
		}
	}
	var lines []string
	for range 11 {
		lines = append(lines, "all")
	}
	book, err := NewBook(process.Account{}, linesOf(t, lines...),
		func([]int) (*Terms, error) { return &Terms{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	for n := range 1 << 11 { // each combination
		var holding []int
		for i := range 11 {
			if n>>i&1 == 1 {
				holding = append(holding, i)
			}
		}
		if _, err := book.of(holding); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(book.built); n > 1000 {
		t.Errorf("%d are remembered", n)
	}
}

// An account is confined or nothing starts: without ids to become, and where the directory cannot
// be named.
func TestConfined(t *testing.T) {
	ann := process.Account{Name: "ann", UID: 7, Home: "/home/ann",
		Credential: &process.Credential{UID: 7, GID: 8}}
	for _, c := range []struct {
		acct process.Account
		dir  string
		uid  uint32
		root string
	}{{ann, "/srv/%u", 7, "/srv/ann"}, {ann, "%h/%%x", 7, "/home/ann/%x"}, {ann, "/srv/%x", 7, "."},
		{process.Account{Name: "me"}, "/srv", 65534, "."}} {
		p := Permits{Chroot: c.dir}
		as := p.confined(c.acct).Credential
		if as.Root != c.root || as.UID != c.uid {
			t.Errorf("%s: %+v", c.dir, as)
		}
	}
	if ann.Credential.Root != "" {
		t.Error("the account itself was changed")
	}
	for _, dir := range []string{"srv", "/srv/..", "/srv/", "/srv//x", "/%x", "%u/x", "/srv/%"} {
		if CheckRoot(dir) == nil {
			t.Errorf("%q may be a root", dir)
		}
	}
}
