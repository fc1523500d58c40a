package options

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// configs are the blocks of testdata/configs.txt: after "$ " a command line, then a configuration
// file. They were made by chance from keys, values, criteria and comments, once.
func configs(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/configs.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split("\n"+string(text), "\n$ ")[1:]
}

// included are the files that the configurations include, in INC.
var included = map[string]string{
	"user": "User inc\n", "port": "Port 1717\n", "nested": "Include INC/user\nInclude INC/port\n",
	"a.conf": "ConnectTimeout 7\n", "b.conf": "User fromb\nConnectTimeout 8\n",
	"hostblock": "Host h\nUser hb\nHost other\nPort 9\nMatch host *.example\nPort 10\n",
}

// ownWays are keys whose values differ from ssh's by intention (doc.go), if the configuration does
// not set them: the defaults of minissh and of Debian's ssh.
const ownWays = "port userknownhostsfile globalknownhostsfile serveraliveinterval identityfile " +
	"identityagent"

// TestConfigsLikeSSH: for each configuration ssh -G and minissh -G say the same of every key that
// minissh prints, or both refuse it.
func TestConfigsLikeSSH(t *testing.T) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("not run: needs ssh")
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	env := testEnv(t)
	env.User, env.Getenv = func() string { return me.Username },
		func(string) (string, bool) { return "", false }
	inc := filepath.Join(env.Home, "inc")
	for name, text := range included {
		write(t, filepath.Join(inc, name), strings.ReplaceAll(text, "INC", inc), 0o600)
	}
	refused := 0
	for _, block := range configs(t) {
		args, text, _ := strings.Cut(block, "\n")
		file := write(t, filepath.Join(env.Home, "config"),
			strings.ReplaceAll(text, "INC", inc)+"\n", 0o600)
		line := append([]string{"-F", file}, strings.Fields(args)...)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		theirs, sshErr := exec.CommandContext(ctx, ssh, append([]string{"-G"},
			line...)...).Output()
		cancel()
		o, err := env.Parse(line)
		if (sshErr == nil) != (err == nil) {
			t.Errorf("$ %s: ssh says %v, minissh %v", block, sshErr, err)
			continue
		}
		if err != nil {
			refused++
			continue
		}
		var ours bytes.Buffer
		if err := o.WriteEffective(&ours); err != nil {
			t.Fatal(err)
		}
		compareEffective(t, block, ours.String(), string(theirs))
	}
	if n := len(configs(t)); n < 200 || refused < 5 || refused > n/2 {
		t.Errorf("%d configurations, %d of them refused", n, refused)
	}
}

// compareEffective compares what minissh prints with what ssh does.
func compareEffective(t *testing.T, block, ours, theirs string) {
	t.Helper()
	seen := map[string]bool{}
	for line := range strings.Lines(ours) {
		key, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		us, them := effective(ours, key), effective(theirs, key)
		switch {
		case seen[key], us == them:
		case strings.Contains(ownWays, key) && !strings.Contains(strings.ToLower(block), key):
		case key == "port" && them == "22" && us == "7422":
		case key == "identityfile" && us == "": // none
		// minissh prints the files that it reads, ssh the names as they are written
		case key == "identityfile" && (strings.Contains(them, "%") ||
			strings.HasPrefix(them, "~/.ssh/id_")):
		case key == "userknownhostsfile" && strings.HasSuffix(them, "/.ssh/known_hosts2"):
		case key == "sendenv" && them == us+"|"+us: // read twice, for Match final
		case key == "streamlocalbindmask", key == "syslogfacility":
			// ssh also takes those of blocks for other hosts
		case key == "loglevel" && us == "QUIET" && them == "SILENT": // two names
		default:
			t.Errorf("%s is %q in minissh, %q in ssh\n$ %s", key, us, them, block)
		}
		seen[key] = true
	}
}
