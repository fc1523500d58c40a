package authorized

import "testing"

// What a key may connect to (FO6), and how that is told.
func TestMayOpen(t *testing.T) {
	for _, c := range []struct {
		options  string
		host     string
		port     int
		may      bool
		describe string
	}{
		{`pty`, "a", 1, true, ""},
		{`pty`, "", 0, true, ""}, // a Unix socket
		{`permitopen="a:1"`, "a", 1, true, `permitopen="a:1"`},
		{`permitopen="a:1"`, "A", 1, false, `permitopen="a:1"`},
		{`permitopen="a:1"`, "a", 2, false, `permitopen="a:1"`},
		{`permitopen="a:1"`, "", 0, false, `permitopen="a:1"`},
		{`permitopen="*:*"`, "", 0, false, `permitopen="*:*"`},
		{`permitopen="*:*"`, "b", 9, true, `permitopen="*:*"`},
		{`permitopen="a:*"`, "b", 9, false, `permitopen="a:*"`},
		{`permitopen="a:http"`, "a", 80, true, `permitopen="a:http"`},
		{`permitopen="[::1]:1",permitopen="b/2"`, "::1", 1, true,
			`permitopen="[::1]:1" permitopen="b/2"`},
		{`permitopen="[::1]:1",permitopen="b/2"`, "b", 2, true,
			`permitopen="[::1]:1" permitopen="b/2"`},
		{`command="x",port-forwarding`, "a", 1, true, `command="x" port-forwarding`},
		{`restrict,port-forwarding`, "a", 1, true, `restrict port-forwarding`},
	} {
		_, key := newKey(t)
		file, problems := Parse("f", []byte(c.options+" "+key))
		if len(file.Entries) != 1 {
			t.Fatal(problems)
		}
		r := &file.Entries[0].Restrictions
		if err := r.MayOpen(c.host, c.port); (err == nil) != c.may {
			t.Errorf("%s: %s:%d: %v", c.options, c.host, c.port, err)
		}
		if got := r.Describe(); got != c.describe {
			t.Errorf("%s is told as %q", c.options, got)
		}
	}
}

// Where a key may listen (FO7), and how that is told.
func TestMayListen(t *testing.T) {
	for _, c := range []struct {
		options  string
		host     string
		port     int
		socket   bool
		may      bool
		describe string
	}{
		{`pty`, "localhost", 1, false, true, ""},
		{`pty`, "", 0, true, true, ""},
		{`permitlisten="8080"`, "localhost", 8080, false, true, `permitlisten="8080"`},
		{`permitlisten="8080"`, "", 8080, false, true, `permitlisten="8080"`},
		{`permitlisten="8080"`, "localhost", 80, false, false, `permitlisten="8080"`},
		{`permitlisten="8080"`, "localhost", 0, false, false, `permitlisten="8080"`},
		{`permitlisten="8080"`, "", 0, true, false, `permitlisten="8080"`},
		{`permitlisten="localhost:8080"`, "localhost", 8080, false, true,
			`permitlisten="localhost:8080"`},
		{`permitlisten="localhost:8080"`, "127.0.0.1", 8080, false, false,
			`permitlisten="localhost:8080"`},
		{`permitlisten="localhost:8080"`, "", 8080, false, false,
			`permitlisten="localhost:8080"`},
		{`permitlisten="10.0.0.?:*"`, "10.0.0.7", 0, false, true, `permitlisten="10.0.0.?:*"`},
		{`permitlisten="[::1]:80",permitlisten="*:81"`, "::1", 80, false, true,
			`permitlisten="[::1]:80" permitlisten="*:81"`},
		{`permitlisten="[::1]:80",permitlisten="*:81"`, "x", 81, false, true,
			`permitlisten="[::1]:80" permitlisten="*:81"`},
		{`permitlisten="*:*"`, "", 0, true, false, `permitlisten="*:*"`},
	} {
		_, key := newKey(t)
		file, problems := Parse("f", []byte(c.options+" "+key))
		if len(file.Entries) != 1 {
			t.Fatal(problems)
		}
		r := &file.Entries[0].Restrictions
		if err := r.MayListen(c.host, c.port, c.socket); (err == nil) != c.may {
			t.Errorf("%s: %s:%d: %v", c.options, c.host, c.port, err)
		}
		if got := r.Describe(); got != c.describe {
			t.Errorf("%s is told as %q", c.options, got)
		}
	}
}
