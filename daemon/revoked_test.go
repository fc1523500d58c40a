//go:build unix

package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/protocol"
)

// RE3: each link authorizes anew. A key that was taken out, has expired or is restricted in another
// way than when the session began ends the session; where only the address is refused, or nobody
// can tell, the session is left as it is.
func TestRevokedKeys(t *testing.T) {
	const end, leave, resume = protocol.CodeSessionEnded, protocol.CodeKeyNotAuthorized, ""
	for name, c := range map[string]struct {
		first, then string // options; "#" takes the line out
		from        string // where the second link comes from; "": from where the first one came
		mode        os.FileMode
		want        protocol.Code
	}{
		"nothing has changed":           {want: resume},
		"taken out":                     {then: "#", want: end},
		"expired":                       {then: `expiry-time="20200101"`, want: end},
		"it will expire":                {then: `expiry-time="29991231"`, want: resume},
		"a command":                     {then: `command="true"`, want: end},
		"another command":               {first: `command="cat"`, then: `command="cat "`, want: end},
		"an empty command":              {then: `command=""`, want: end},
		"no command any more":           {first: `command="cat"`, want: end},
		"restricted":                    {then: "restrict", want: end},
		"no terminal":                   {then: "no-pty", want: end},
		"a folder":                      {then: `minissh-files="/srv"`, want: end},
		"another address":               {from: "192.0.2.7", want: resume},
		"an address that is refused":    {then: `from="127.0.0.1"`, from: "192.0.2.7", want: leave},
		"no address of the client's":    {then: `from="198.51.100.1"`, want: leave},
		"from= that lets it in":         {then: `from="127.0.0.0/8"`, want: resume},
		"from= and taken out":           {first: `from="127.0.0.0/8"`, then: "#", want: end},
		"from= and expired":             {then: `from="192.0.2.7",expiry-time="20200101"`, want: end},
		"a file that others can write":  {mode: 0o666, want: leave},
		"a file that is not there":      {mode: 1, want: leave},
		"not there, and was restricted": {first: "no-pty", mode: 1, want: leave},
		"environment= without its flag": {then: `environment="A=b"`, want: resume},
	} {
		t.Run(name, func(t *testing.T) {
			l, file := authorizedLab(t, "", false)
			before := l.warm()
			write(t, file, line(l, c.first))
			r := l.resumer().mustAttach()
			ch := start(t, r.Session,
				protocol.Open{Command: protocol.Bytes("echo ready; exec cat")})
			if c.first != `command="cat"` {
				firstLine(t, ch)
			}
			write(t, file, line(l, c.then))
			switch c.mode {
			case 0:
			case 1:
				os.Remove(file)
			default:
				os.Chmod(file, c.mode)
			}
			var err error
			if c.from == "" {
				err = r.attach()
			} else {
				err = r.attachFrom(c.from)
			}
			code, message := refusedWith(err)
			if code != c.want {
				t.Fatalf("%q: %v\n%s", code, err, l.log)
			}
			if c.want == end {
				if !strings.HasPrefix(message, "this key ") ||
					!strings.HasSuffix(message, ": the session has ended, and what ran in it is "+
						"being stopped") {
					t.Errorf("the client reads %q", message)
				}
				l.log.want(t, "Session ended for tester from 127.0.0.1 port", "this key ")
				l.log.want(t, "Command ended", "how=hung_up")
				if code := r.refusal(l.guest, nil).Code; code != end {
					t.Errorf("when it asks again: %q", code)
				}
				settle(t, before)
				return
			}
			write(t, file, line(l, c.first))
			os.Chmod(file, 0o600)
			if c.want == leave {
				if err := r.attach(); err != nil {
					t.Fatalf("it was left as it was, but: %v", err)
				}
			}
			ch.Write(protocol.TypeStdin, []byte("alive"))
			ch.EOF(protocol.TypeStdin)
			if got := collect(t, ch); got.out != "alive" {
				t.Errorf("the command's output is %q, %+v", got.out, got.exit)
			}
			r.Close(nil)
			settle(t, before)
		})
	}
}

// A client that is refused for a reason that may pass was not killed, so its session is kept for as
// long as was granted, and not for ten seconds (RE4): the next attempt comes after fifteen.
func TestRefusedClientLives(t *testing.T) {
	l, file := authorizedLab(t, "", false)
	l.opts.killed = 10 * time.Second
	before := l.warm()
	r, ch := l.held("exec cat")
	held := func() int64 {
		t.Helper()
		who := l.desk.Who()
		if len(who) != 1 || !who[0].Away {
			t.Fatalf("%+v", who)
		}
		return who[0].Held
	}
	if seconds := held(); seconds > 10 {
		t.Errorf("held for %d s after a FIN", seconds)
	}
	if err := os.Rename(file, file+".new"); err != nil {
		t.Fatal(err)
	}
	if code, _ := refusedWith(r.attach()); code != protocol.CodeKeyNotAuthorized {
		t.Error(code)
	}
	if seconds := held(); seconds < 3500 || seconds > 3600 {
		t.Errorf("held for %d s after the refusal", seconds)
	}
	l.log.want(t, `msg="Session waits on from 127.0.0.1 port `, "its client lives")
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	r.mustAttach()
	ch.EOF(protocol.TypeStdin)
	collect(t, ch)
	r.Close(nil)
	settle(t, before)
}

// line is the guest's line with options.
func line(l *lab, options string) string {
	return strings.TrimSpace(options+" "+string(ssh.MarshalAuthorizedKey(l.guest.Public))) + "\n"
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Of two lines for one key, one for each address, the address decides. A client that roams to where
// its key may do something else cannot take its session there, and has it when it is back.
func TestRoamsToOtherOptions(t *testing.T) {
	l, file := authorizedLab(t, "", false)
	write(t, file, line(l, `from="127.0.0.1"`)+line(l, `command="true"`))
	before := l.warm()
	r := l.resumer().mustAttach()
	ch := start(t, r.Session, protocol.Open{Command: protocol.Bytes("echo ready; exec cat")})
	firstLine(t, ch)
	if code, message := refusedWith(r.attachFrom("192.0.2.7")); code != "key_not_authorized" ||
		!strings.Contains(message, "other options for your address") {
		t.Errorf("%s: %s", code, message)
	}
	r.mustAttach()
	ch.EOF(protocol.TypeStdin)
	if got := collect(t, ch); got.exit == nil || *got.exit.Code != 0 {
		t.Errorf("%+v", got)
	}
	r.Close(nil)
	settle(t, before)
}

// The client of a session whose key was taken out learns that from beyond loopback too, also if it
// was the last key. When the session is gone, nobody is let in there any more.
func TestRevokedLastKey(t *testing.T) {
	id, file := newKey(t), ""
	l := newLab(t, func(o *Options) {
		file = filepath.Join(o.Account.Home, "authorized_keys")
		write(t, file, string(ssh.MarshalAuthorizedKey(id.Public)))
		o.Access = access.NewFileAccess(o.Account, []string{file}, access.Trust{}, o.Log)
	}, "0.0.0.0:0")
	l.address = "127.0.0.1:" + l.address[strings.LastIndexByte(l.address, ':')+1:]
	r := l.resumer()
	r.id = id
	r.mustAttach()
	start(t, r.Session, protocol.Open{Command: protocol.Bytes("cat")})
	write(t, file, "")
	if code, _ := refusedWith(r.attach()); code != protocol.CodeSessionEnded {
		t.Errorf("%q\n%s", code, l.log)
	}
	l.until("the session is gone", func() bool { return len(l.sessions.Entries()) == 0 })
	if end := ended(l.dial()); end != "closed" {
		t.Errorf("a client sees %s", end)
	}
}
