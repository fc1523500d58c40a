//go:build unix

package hostile_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"minissh/scripts/testhost"
)

// The audit log has every command, whole, with its end, also of a daemon that is killed; and
// copies, lines of the prompt, jobs and logins that were refused.
func TestAudit(t *testing.T) {
	p := testhost.New(t)
	file := p.Path("audit.json")
	d := p.Daemon("--audit", file)
	long := "exit 3 # " + strings.Repeat("x", 100_000)
	if r := p.Run("minissh", "box", long); r.Code != 3 {
		t.Fatalf("%+v", r)
	}
	copied := p.Run("minissh", "cp", p.Write("some file", "text"), "box:"+p.Path("copied"))
	refused := p.Run("minissh", "-l", "nobody-here", "box", "true")
	prompt := p.Command("minissh", "prompt", "box")
	prompt.Stdin = strings.NewReader("echo one\necho two\n")
	told := p.RunCmd(prompt)
	job := p.Run("minissh", "--detach", "box", "true 'a job'")
	if copied.Code != 0 || refused.Code != 255 || told.Code != 0 || job.Code != 0 {
		t.Errorf("%+v %+v %+v %+v", copied, refused, told, job)
	}
	hanging := p.Start(p.Command("minissh", "box", "echo begun; exec sleep 290"))
	hanging.Out.Await(t, "begun")
	p.Must(d.Cmd.Process.Signal(syscall.SIGKILL))
	<-d.Done
	count := map[string]int{}
	for i, entry := range auditEntries(t, file) {
		event, _ := entry["event"].(string)
		count[event]++
		if entry["seq"] != float64(i+1) {
			t.Errorf("entry %d has the number %v", i+1, entry["seq"])
		}
		switch {
		case event == "request" && entry["command"] == long:
			count["the long one"]++
		case event == "command_ended" && entry["code"] == 3.0:
			count["its end"]++
		case event == "request" && (entry["command"] == "echo one" || entry["command"] ==
			"echo two"):
			count["lines"]++
		}
	}
	for event, want := range map[string]int{"the long one": 1, "its end": 1, "lines": 2,
		"starting_transfer": 1, "transfer_ended": 1, "starting_job": 1, "login_refused": 1,
		"login": 5, "session_ended": 4} {
		if count[event] != want {
			t.Errorf("%s: %d times, not %d", event, count[event], want)
		}
	}
}

// auditEntries are the lines of a file, each of which must be one JSON object.
func auditEntries(t *testing.T, file string) (list []map[string]any) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var entry map[string]any
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatalf("%v in %.300q", err, lines.Text())
		}
		list = append(list, entry)
	}
	return list
}
