//go:build unix

package job_test

import (
	"context"
	"strings"
	"testing"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/job"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/wildcard"
)

// stop says how the job ended, remove what it did.
func TestStopAndRemove(t *testing.T) {
	for state, want := range map[string]string{
		`"ended","exit":{"how":"cancelled","signal":"TERM"}`: "was stopped",
		`"ended","exit":{"how":"exited","code":3}`:           "exited with 3",
		`"ended","exit":{"how":"signalled","signal":"KILL"}`: "was ended by signal KILL",
		`"ended","exit":{"how":"deadline"}`:                  "was stopped by its --timeout",
		`"ended","exit":{"how":"exited"}`:                    "has ended, and how is not known",
		`"ended"`:                                            "has ended, and how is not known",
		`"lost"`: "had been lost: its keeper was " +
			"killed",
		`"lost_at_reboot"`: "had been lost when the machine",
		`"running"`:        "still runs",
		`"ended","exit":{"how":"exited","code":-3}`:            "has ended: ",
		`"ended","exit":{"how":"signalled","signal":"\u001b"}`: "has ended: ",
	} {
		var asked protocol.Open
		f := fakedaemon.New(t, answers(strings.Replace(running, `"running"`, state, 1), &asked))
		r := does(t, f, func(d *dial.Dialer, s run.Streams) int {
			return job.Stop(context.Background(), d, "build", s.Stdout)
		})
		fakedaemon.Plain(t, r.out)
		if r.code != 0 || !strings.HasPrefix(r.out, `job abcd1234 ("build") on fake `+want) ||
			*asked.Job != (protocol.Job{Do: "stop", Name: "build"}) {
			t.Errorf("%s: %+v, %+v", state, r, asked.Job)
		}
	}
	var asked protocol.Open
	f := fakedaemon.New(t, answers(running, &asked))
	r := does(t, f, func(d *dial.Dialer, s run.Streams) int {
		return job.Remove(context.Background(), d, "abcd1234", s.Stdout)
	})
	if r.code != 0 || r.out != "job abcd1234 (\"build\") on fake was removed, with its output\n" ||
		*asked.Job != (protocol.Job{Do: "remove", Name: "abcd1234"}) {
		t.Errorf("%+v, %+v", r, asked.Job)
	}
}

// A list is safe for a terminal, and as JSON it is what came, with the host.
func TestList(t *testing.T) {
	var asked protocol.Open
	records := running +
		`{"id":"eeee0000","state":"ended","command":"` + fakedaemon.Evil + `","began_ms":1000,` +
		`"stdout":1,"stderr":2,"dropped":3,"exit":{"how":"exited","code":3}}` + "\n" +
		`{"id":"` + fakedaemon.Evil + `","name":"` + fakedaemon.Evil + `","state":"` +
		fakedaemon.Evil + `","began_ms":0,"stdout":0,"stderr":0,"exit":{"how":"` +
		fakedaemon.Evil + `"}}` + "\n" +
		`{"id":"ffff0000","state":"lost_at_reboot","began_ms":1000,"stdout":0,"stderr":0}` + "\n"
	f := fakedaemon.New(t, answers(records, &asked))
	r := does(t, f, list(false))
	fakedaemon.Plain(t, r.out)
	rows := strings.Split(r.out, "\n")
	for i, want := range []string{"ID NAME STATE AGE EXIT BYTES COMMAND",
		"abcd1234 build running * days - 11 make all", "eeee0000 - ended * days 3 3+ *", "*",
		"ffff0000 - lost at reboot * days ? 0 a shell", ""} {
		got := strings.Join(strings.Fields(rows[min(i, len(rows)-1)]), " ")
		if !wildcard.Match(got, want) {
			t.Errorf("row %d: %q", i, got)
		}
	}
	if r.code != 0 || len(rows) != 6 || *asked.Job != (protocol.Job{Do: "list"}) {
		t.Errorf("%+v, %+v", r, asked.Job)
	}
	r = does(t, fakedaemon.New(t, answers(records, &asked)), list(true))
	if lines := strings.Split(r.out, "\n"); len(lines) != 5 || lines[0] != `{"host":"fake",`+
		strings.TrimSpace(running)[1:] {
		t.Errorf("%s", r.out)
	}
	fakedaemon.Plain(t, r.out)
	if r = does(t, fakedaemon.New(t, answers("", &asked)), list(false)); r.out != "no jobs\n" {
		t.Errorf("%+v", r)
	}
	if r = does(t, fakedaemon.New(t, answers("", &asked)), list(true)); r.out != "" {
		t.Errorf("%+v", r)
	}
}
