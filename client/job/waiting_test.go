//go:build unix

package job_test

import (
	"context"
	"strings"
	"testing"

	"minissh/client/fakedaemon"
	"minissh/client/job"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Of the jobs of a host, those are told at the login that have a terminal and nobody, and those
// that are held; a daemon that says anything else is not shown.
func TestWaiting(t *testing.T) {
	record := func(id, more string) string {
		return `{"id":"` + id + `","state":"running","began_ms":1000,"stdout":0,"stderr":0` + more +
			"}\n"
	}
	pty := `,"pty":true`
	for name, c := range map[string]struct {
		records     string
		begin, ends string
	}{
		"none":     {"", "", ""},
		"pipes":    {record("abcd1234", ""), "", ""},
		"attached": {record("abcd1234", pty+`,"attached":1`), "", ""},
		"ended":    {strings.Replace(record("abcd1234", pty), "running", "ended", 1), "", ""},
		"hostile":  {record("a;reboot", pty), "", ""},
		"one":      {record("abcd1234", pty), "a shell of yours, ", "tester@fake abcd1234"},
		"held": {strings.Replace(record("held99", pty+`,"command":"vim \u001b[2Jx"`), "running",
			"held", 1), `"vim \x1b[2Jx" of yours, `, "tester@fake held99"},
		"two": {record("abcd1234", pty) + record("abcd1235", pty),
			"2 shells of yours go on at fake: minissh job list ", "tester@fake"},
	} {
		t.Run(name, func(t *testing.T) {
			daemon := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
				fakedaemon.Begin(ch, "")
				ch.Write(protocol.TypeStdout, []byte(c.records))
				ch.End(&protocol.Exit{How: protocol.HowExited, Code: new(int)})
			})
			line := job.Waiting(context.Background(), daemon.Connect(t))
			if !strings.HasPrefix(line, c.begin) || !strings.HasSuffix(line, c.ends) ||
				(line == "") != (c.begin == "") {
				t.Errorf("%q", line)
			}
		})
	}
}

// What cannot become a job is told, and what runs goes on; else the line says which job it is, when
// all that was shown has been sent.
func TestDetacher(t *testing.T) {
	sent := make(chan string, 1)
	refuses := make(chan bool, 2)
	daemon := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		if ch.Request().Service == "exec" {
			fakedaemon.Begin(ch, "/dev/pts/9")
			<-ch.Gone()
			return
		}
		if j := ch.Request().Job; j == nil || j.Do != protocol.JobAdopt || j.Channel != 1 ||
			ch.Request().CheckJob() != nil {
			t.Errorf("%+v", ch.Request())
		}
		if <-refuses {
			ch.Close(&protocol.Reason{Code: protocol.CodeBadRequest, Message: "it has no terminal"})
			return
		}
		fakedaemon.Begin(ch, "")
		text := ""
		for {
			e, err := ch.Take()
			text += string(e.Data)
			if e.EOF || err != nil {
				break
			}
		}
		sent <- text
		ch.Write(protocol.TypeStdout, []byte(running))
		ch.End(&protocol.Exit{How: protocol.HowExited, Code: new(int)})
	})
	var out output
	conn := daemon.Connect(t)
	shell, err := conn.Session.Open(&protocol.Open{Service: "exec", Shell: true})
	if err != nil {
		t.Fatal(err)
	}
	asks := func(refused func(error)) func(context.Context, []byte) error {
		return job.Detacher(&out)(conn, shell, refused)
	}
	refuses <- true
	why := make(chan error, 1)
	asks(func(err error) { why <- err })
	if err := <-why; !strings.Contains(err.Error(), "it has no terminal") {
		t.Error(err)
	}
	refuses <- false
	finish := asks(func(err error) { t.Error(err) })
	err = finish(context.Background(), []byte("what was shown"))
	if text := <-sent; err != nil || text != "what was shown" {
		t.Errorf("%v, sent %q", err, text)
	}
	if got := out.String(); !strings.HasPrefix(got, `job abcd1234 ("build") on fake; to come back: `+
		"minissh job attach ") {
		t.Errorf("%q", got)
	}
}
