package authorized

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every restricting option against every service, and against one that nobody thought of. A new
// service fails here until it has its column.
func TestAllows(t *testing.T) {
	services := []Service{Exec, PTY, Files, Forward, Agent, {Name: "new in 2030"}}
	for _, service := range services {
		for _, option := range service.ClosedBy {
			if !slices.Contains(restricting, option) {
				t.Errorf("%s is closed by %s, which restricts nothing", service.Name, option)
			}
		}
	}
	seen := map[string]bool{}
	for _, c := range []struct{ options, want string }{
		{`expiry-time="20300101",from="*",environment="A=1",tunnel="0"`,
			"exec pty files forward agent new"}, // none of them is about services
		{`pty,user-rc,port-forwarding,agent-forwarding,X11-forwarding`,
			"exec pty files forward agent new"},
		{`command="x"`, "exec pty"},
		{`command="x",no-pty`, "exec"},
		{`restrict`, "exec"},
		{`restrict,pty`, "exec pty"},
		{`restrict,port-forwarding`, "exec forward"},
		{`restrict,pty,port-forwarding,agent-forwarding,X11-forwarding,user-rc`,
			"exec pty forward agent"},
		{`restrict,pty,port-forwarding,command="x"`, "exec pty forward"},
		{`port-forwarding,restrict,command="x"`, "exec"},
		{`agent-forwarding,command="x"`, "exec pty agent"},
		{`agent-forwarding,restrict,command="x"`, "exec"},
		{`agent-forwarding,minissh-files="/srv/in"`, "files agent"},
		{`no-pty`, "exec files forward agent"},
		{`no-port-forwarding`, "exec pty files agent"},
		{`no-agent-forwarding`, "exec pty files forward"},
		{`no-X11-forwarding`, "exec pty files forward agent"},
		{`no-user-rc`, "exec pty files forward agent"},
		{`permitopen="a:1"`, "exec pty files forward agent"},
		{`permitlisten="1"`, "exec pty files forward agent"},
		{`minissh-files="/srv/in"`, "files"},
		{`restrict,pty,port-forwarding,minissh-files="/srv/in,ro"`, "files forward"},
	} {
		_, key := newKey(t)
		file, problems := Parse("f", []byte(c.options+" "+key))
		if len(file.Entries) != 1 {
			t.Fatal(problems)
		}
		r := &file.Entries[0].Restrictions
		var got []string
		for _, service := range services {
			if r.Allows(service) == nil {
				got = append(got, strings.Fields(service.Name)[0])
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s allows %v, want %s", c.options, got, c.want)
		}
		for _, option := range restricting {
			seen[option] = seen[option] || r.has(option)
		}
	}
	for option, tried := range seen {
		if !tried {
			t.Errorf("no row has %s", option)
		}
	}
	r := Restrictions{}
	if err := r.Allows(Service{Name: "evil\x1b[2J"}); err != nil {
		t.Errorf("an unrestricted key: %v", err)
	}
	r.NoPty = true
	if err := r.Allows(Service{Name: "evil\x1b[2J"}); err == nil ||
		strings.Contains(err.Error(), "\x1b") {
		t.Errorf("%v", err)
	}
}

// A refusal names the option that is in the line.
func TestRefusalNamesOption(t *testing.T) {
	for options, want := range map[string]string{"no-pty": "(no-pty in", "restrict": "(restrict in",
		`restrict,command="x"`: "(restrict in"} {
		_, key := newKey(t)
		file, _ := Parse("f", []byte(options+" "+key))
		if err := file.Entries[0].Allows(PTY); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", options, err)
		}
	}
}

// Every option that does not disable its line has a row in the daemon's table of what each service
// is to a key that has it.
func TestEveryOptionHasARow(t *testing.T) {
	table, err := os.ReadFile("../restrictions_test.go")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"restrict", "touch-required", "no-touch-required", "no-verify-required"}
	for _, positive := range []string{"pty", "port-forwarding", "agent-forwarding",
		"x11-forwarding", "user-rc"} {
		names = append(names, positive, "no-"+positive)
	}
	for name := range valued {
		names = append(names, name)
	}
	for _, name := range names {
		if !regexp.MustCompile("(?m)^\t\\{`([^`]*,)?" + name + "[=,`]").Match(table) {
			t.Errorf("the option %s has no row", name)
		}
	}
}
