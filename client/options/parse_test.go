package options

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"minissh/protocol"
	"time"
)

// TestForms: where options may come and how their values may be written (SSH_CONTRACT rules 1, 2,
// 4), and that the first value wins.
func TestForms(t *testing.T) {
	tests := []struct {
		args string
		want string // user@host:port command
	}{
		{"h", "me@h:7422"},
		{"h ls -l", "me@h:7422 ls|-l"},
		{"h -p 5 ls -p 6", "me@h:5 ls|-p|6"},
		{"-p5 h", "me@h:5"},
		{"-Tp5 h", "me@h:5"},
		{"-xp 5 h", "me@h:5"},
		{"-lU h", "U@h:7422"},
		{"-l U a@h -l V", "U@h:7422"},
		{"a@h -l V -oUser=W", "a@h:7422"},
		{"a@b@c", "a@b@c:7422"},
		{"h -- ls -- -l", "me@h:7422 ls|--|-l"},
		{"-- h ls", "me@h:7422 ls"},
		{"-- h -l U", "me@h:7422 -l|U"},
		{"-p 5 -- h -- x", "me@h:5 --|x"},
		{"h - x", "me@h:7422 -|x"},
		{"-oPort=5 h", "me@h:5"},
		{"-o Port=5 -p 6 h", "me@h:5"},
		{"-p 6 -o Port=5 h", "me@h:6"},
		{"⟨-oPort 5⟩ h", "me@h:5"},
		{"-o ⟨ Port=5⟩ h", "me@h:5"},
		{"-o ⟨port = 5⟩ h", "me@h:5"},
		{"-o ⟨PORT\t5 ⟩ h", "me@h:5"},
		{"-o ⟨\"Port\" \"5\"⟩ h", "me@h:5"},
		{"-o ⟨Port=5 # sshd's is 22⟩ h", "me@h:5"},
		{"-o ⟨User=\"a b\"⟩ h", "a b@h:7422"},
		{"-oHostName=real h", "me@real:7422"},
		{"-oHostName=%h.example.org -oHostName=x Foo", "me@foo.example.org:7422"},
		{"H", "me@h:7422"},
		{"ssh://u@h:9", "u@h:9"},
		{"ssh://u@h:9 -p 8", "u@h:9"},
		{"-p 8 ssh://h:9/ x", "me@h:8 x"},
		{"minissh://h", "me@h:7422"},
		{"MINISSH://u%40v;x=y@h", "u@v@h:7422"},
		{"ssh://[::1]:9", "me@[::1]:9"},
		{"::1", "me@[::1]:7422"},
		{"u@[::1]", "u@[::1]:7422"},
		{"[::1]:9", "me@[::1]:9"},
		{"[h]:9 x", "me@h:9 x"},
		{"fe80::1%eth0", "me@[fe80::1%eth0]:7422"},
		{"unix:/run/x@y", "me@unix:/run/x@y"},
		{"u@unix:/run/x@y ls", "u@unix:/run/x@y ls"},
		{"-oHostName=unix:/s h", "me@unix:/s"},
		{"try", "me@try:7422"},
		{"h 你好 \xd6", "me@h:7422 你好|\xd6"},
		{"--exec h prog ⟨a b⟩ --timeout 3", "me@h:7422 prog|a b|--timeout|3"},
		{"h --timeout=90 --exec x", "me@h:7422 x"},
	}
	for _, test := range tests {
		o := mustParse(t, testEnv(t), words(test.args)...)
		got := o.User + strings.TrimPrefix(o.String(), shown(o.User))
		if len(o.Command) > 0 {
			got += " " + strings.Join(o.Command, "|")
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.args, got, test.want)
		}
	}
}

// TestFields: what single options set.
func TestFields(t *testing.T) {
	tests := []struct {
		args  string
		field string
		want  any
	}{
		{"-q h", "LogLevel", LevelQuiet}, {"-v h", "LogLevel", LevelDebug1}, {"-vv h", "LogLevel", LevelDebug2},
		{"-vvvvv h", "LogLevel", LevelDebug3}, {"-q -v h", "LogLevel", LevelDebug1}, {"-v -q h", "LogLevel", LevelQuiet},
		{"-oLogLevel=error h", "LogLevel", LevelError}, {"-q -oLogLevel=error h", "LogLevel", LevelQuiet}, {"h", "LogLevel", LevelInfo},
		{"-t h x", "RequestTTY", TTYYes}, {"-t h -t x", "RequestTTY", TTYForce}, {"-tT h x", "RequestTTY", TTYNo},
		{"-oRequestTTY=no -t h x", "RequestTTY", TTYYes}, {"-T -oRequestTTY=force h x", "RequestTTY", TTYNo},
		{"-N h", "SessionType", SessionNone}, {"-N h", "RequestTTY", TTYNo}, {"-oSessionType=none h", "SessionType", SessionNone},
		{"-s h sftp", "SessionType", SessionSubsystem}, {"-W a:1 h", "StdioForward", &protocol.Target{Host: "a", Port: 1}},
		{"-W /run/a h", "StdioForward", &protocol.Target{Path: protocol.Bytes("/run/a")}}, {"-W a:1 h", "SessionType", SessionNone},
		{"-f h x", "StdinNull", true}, {"-f h x", "ForkAfterAuthentication", true}, {"-n h", "StdinNull", true}, {"h", "StdinNull", false},
		{"-e ^a h", "EscapeChar", 1}, {"-e none h", "EscapeChar", -1}, {"-e% h", "EscapeChar", int('%')}, {"h", "EscapeChar", int('~')},
		{"-4 -6 h", "AddressFamily", "inet6"}, {"-oAddressFamily=any -4 h", "AddressFamily",
			"inet"}, {"-6 h", "AddressFamily", "inet6"}, {"h", "AddressFamily", "any"},
		{"-oBatchMode=YES h", "BatchMode", true}, {"-oBatchMode=false h", "BatchMode", false},
		{"-oConnectTimeout=1m30 h", "ConnectTimeout", 90 * time.Second}, {"-oConnectTimeout=none h", "ConnectTimeout", time.Duration(0)},
		{"-oConnectTimeout=1w2D3h h", "ConnectTimeout", (9*24 + 3) * time.Hour},
		{"--timeout 1.5s h x", "Timeout", 1500 * time.Millisecond}, {"h --timeout=2m --timeout=5 x", "Timeout", 2 * time.Minute},
		{"--exec h x", "Exec", true}, {"h --keylog /k x", "KeyLog", "/k"}, {"--keylog=k h x", "KeyLog", "k"}, {"h x --keylog /k", "KeyLog", ""},
		{"h", "StrictHostKeyChecking", StrictAsk}, {"-oStrictHostKeyChecking=OFF h", "StrictHostKeyChecking", StrictNo},
		{"-oStrictHostKeyChecking=accept-new h", "StrictHostKeyChecking", StrictAcceptNew},
		{"-oStrictHostKeyChecking=true h", "StrictHostKeyChecking", StrictYes},
		{"h", "IdentityAgent", "/run/agent.sock"}, {"-oIdentityAgent=none h", "IdentityAgent", ""},
		{"-oIdentityAgent=SSH_AUTH_SOCK h", "IdentityAgent", "/run/agent.sock"}, {"-oIdentityAgent=$NUMBER h", "IdentityAgent", "7"},
		{"-oIdentityAgent=/a/${NUMBER}/%r/%n x@h", "IdentityAgent", "/a/7/x/h"},
		{"-oIdentityFile=/k%%%u -oidentityfile=/l -oIdentityFile=/l h", "IdentityFiles", []string{"/k%me", "/l"}},
		{"-oIdentityFile=none h", "DefaultIdentityFiles", []string(nil)}, {"-oIdentityFile=none h", "IdentityFiles", []string(nil)},
		{"⟨-oUserKnownHostsFile=/a '/b c'⟩ h", "UserKnownHostsFiles", []string{"/a", "/b c"}},
		{"-oUserKnownHostsFile=none h", "UserKnownHostsFiles", []string(nil)},
		{"-oGlobalKnownHostsFile=/dev/null h", "GlobalKnownHostsFiles", []string{"/dev/null"}},
		{"-oHashKnownHosts=yes h", "HashKnownHosts", true}, {"-oIdentitiesOnly=yes h", "IdentitiesOnly", true},
		{"⟨-oSetEnv=A=b C=\"d e\"⟩ -oSetEnv=E=f h", "SetEnv", []string{"A=b", "C=d e"}},
		{"⟨-oRemoteCommand=a # \"b⟩ h", "RemoteCommand", `a # "b`}, {"-E /log h", "LogFile", "/log"},
		{"-Q protocol-version", "Answer", []string{"2"}}, {"-Q mac", "Answer", []string{}},
		{"-Qcompression -j", "Answer", []string{"none"}},
		{"h", "UserGiven", false}, {"u@h", "UserGiven", true}, {"-V -Q", "Version", true}, {"--help", "Help", true}, {"h --version", "Version", true},
	}
	for _, test := range tests {
		o := mustParse(t, testEnv(t), words(test.args)...)
		got := reflect.ValueOf(o).Elem().FieldByName(test.field).Interface()
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %s is %#v, want %#v", test.args, test.field, got, test.want)
		}
	}
}

// TestErrors holds what a person reads after a mistake, and the hint.
func TestErrors(t *testing.T) {
	tests := []struct{ args, err, hint string }{
		{"", "no host was given", "[user@]host names one; minissh try needs none"},
		{"-v", "no host was given", "[user@]host names one; minissh try needs none"},
		{"-j h", "unknown option -j", "minissh --help"},
		{"-vé h", "unknown option -é", "minissh --help"},
		{"--colour h", "unknown option --colour", "minissh --help"},
		{"--exec=1 h", "--exec takes no value", "minissh --help"},
		{"h -p", "-p needs a value after it", "minissh --help"},
		{"h --timeout", "--timeout needs a value after it", "minissh --help"},
		{"h --keylog=", "--keylog needs the name of a file", "minissh --keylog FILE host command"},
		{"-oKeyLog=/k h", "-o: there is no option KeyLog", "minissh --help"},
		{"--timeout soon h", "--timeout: soon is not a time (like 90, 90s or 1m30s)", "minissh --timeout 90s host command"},
		{"--timeout 0 h", "--timeout: 0 is not a time above 0", "minissh --timeout 90s host command"},
		{"--timeout=-1s h", "--timeout: -1s is not a time above 0", "minissh --timeout 90s host command"},
		{"-p 0 h", "-p: bad port 0 (1 to 65535)", "minissh --help"},
		{"-p 65536 h", "-p: bad port 65536 (1 to 65535)", "minissh --help"},
		{"-p ssh h", "-p: bad port ssh (1 to 65535)", "minissh --help"},
		{"-1 h", "version 1 of the SSH protocol is gone, and minissh never spoke it", "leave out -1"},
		{"-oPrt=1 h", "-o: there is no option Prt", "-o Port=…"},
		{"-oQuux=1 h", "-o: there is no option Quux", "minissh --help"},
		{"-oPort h", "-o: no value after Port", "minissh -o Port=value host"},
		{"-oPort= h", "-o: no value after Port", "minissh -o Port=value host"},
		{"⟨-oPort=1 2⟩ h", "-o: Port takes one value, and 2 is left over", "minissh -o Port=value host"},
		{"-oUser=\"x h", "-o: a quote is not closed", "minissh -o User=value host"},
		{"-oPort=22#c h", "-o Port: bad port 22#c (1 to 65535)", ""},
		{"-oPort=5 -oPort=0 h", "-o Port: bad port 0 (1 to 65535)", ""},
		{"-o # h", "-o # is not an option", "minissh -o Key=value host"},
		{"-oHost=x h", "-o: Host can be in a file only", "put it into a file and name that with -F"},
		{"-oInclude=x h", "-o: Include can be in a file only", "put it into a file and name that with -F"},
		{"-oBatchMode=maybe h", "-o BatchMode: maybe is neither yes nor no", ""},
		{"-oConnectTimeout=99999999999w h", "-o ConnectTimeout: 99999999999w is not a time (like 90, 90s or 1m30s)", ""},
		{"-oConnectTimeout=4294967295w h", "-o ConnectTimeout: 4294967295w is not a time (like 90, 90s or 1m30s)", ""},
		{"-oLogLevel=loud h", "-o LogLevel: loud is not a log level (QUIET, FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG2, DEBUG3)", ""},
		{"-e ab h", "-e: bad escape character ab (one character, ^ and a letter, or none)", "minissh --help"},
		{"@h", "@h: there is no user before the @", "minissh user@host command"},
		{"u@", "u@ names no host", "minissh [user@]host command"},
		{"-- -h", "-h is not the name of a host", "minissh [user@]host command"},
		{"u@-h", "-h is not the name of a host", "minissh [user@]host command"},
		{"-l -u h", "-u is not the name of a user", "minissh user@host command"},
		{"-lu\x1b[m h", `"u\x1b[m" is not the name of a user`, "minissh user@host command"},
		{"h\x1b]0;x\x07", `"h\x1b]0;x\a" is not the name of a host`, "minissh [user@]host command"},
		{"-oHostName=$(x) h", "$(x) is not the name of a host", "minissh [user@]host command"},
		{"-oHostName=%d h", "HostName: %d is not known here (%% is a percent sign)", ""},
		{"h:22 ls", "h:22: the port does not belong to the host", "minissh -p 22 h"},
		{"h:/dir", "h:/dir: the port does not belong to the host", "minissh host command, with a blank between the two"},
		{"[::1", "[::1 is not a host", "minissh [::1]:7422 command"},
		{"ssh://h:x", "ssh://h:x: bad port x (1 to 65535)", "minissh -p 7422 host command"},
		{"ssh://h/dir/x", "ssh://h/dir/x: an address of a host has no path", "leave out what follows the host"},
		{"unix:", "unix: names no socket", "minissh unix:/path/of/socket command"},
		{"-N -s h", "-s does not go together with -N, -s or SessionType", ""},
		{"-s h", "-s needs the name of a subsystem", "minissh -s host sftp"},
		{"-f h", "Cannot fork into background without a command to execute.", "minissh -f host command"},
		{"--exec h", "--exec needs a program and its arguments", "minissh --exec host program argument…"},
		{"-oRemoteCommand=x h y", "there is a command here and a RemoteCommand in the configuration", "minissh -o RemoteCommand=none host command"},
		{"-oIdentityFile=/${NOPE} h", "IdentityFile: the environment variable NOPE is not set", ""},
		{"-F /nonexistent/file h", "/nonexistent/file: cannot be read: no such file or directory", "-F none does without configuration files"},
	}
	for _, test := range tests {
		_, err := testEnv(t).Parse(words(test.args))
		var hinter Hinter
		if err == nil || !errors.As(err, &hinter) {
			t.Errorf("%s: error %v (%T)", test.args, err, err)
			continue
		}
		if err.Error() != test.err || hinter.Hint() != test.hint {
			t.Errorf("%s:\n got %q hint %q\nwant %q hint %q", test.args, err, hinter.Hint(),
				test.err, test.hint)
		}
	}
}

// TestRefuse: what this version cannot do yet is refused by name, unless the value asks for
// nothing.
func TestRefuse(t *testing.T) {
	const noKey = "no key may be shown (PubkeyAuthentication no, or PreferredAuthentications " +
		"without publickey), and minissh logs in with keys alone"
	tests := []struct{ args, want string }{
		{"h", "<nil>"},
		{"-t h x", "<nil>"}, {"-tt h x", "<nil>"}, {"-f h x", "<nil>"}, {"-oRequestTTY=force -e none h x", "<nil>"},
		{"-oProxyUseFdpass=yes h", "<nil>"},
		{"-oProxyUseFdpass=yes -oProxyCommand=x h", "-o ProxyUseFdpass is not in this version (with ProxyCommand: a command that passes a socket on)"},
		{"-AaXxYyCKkg2 -S x -c aes128-ctr -m hmac-sha1 -P t -I lib h", "<nil>"},
		{"-oTunnel=no -oForwardAgent=yes -oCiphers=aes128-ctr -oTag=x h", "<nil>"},
		{"-oTunnel=yes h", "-o Tunnel is not in this version (a tunnel device)"},
		{"-oVerifyHostKeyDNS=ask h", "-o VerifyHostKeyDNS is not in this version (host keys from the DNS)"},
		{"-oRefuseConnection=moved h", "RefuseConnection: moved"},
		{"-oPubkeyAuthentication=no h", noKey}, {"-oDSAAuthentication=no h", noKey}, {"-oPreferredAuthentications=password h", noKey},
		{"-oPubkeyAuthentication=no unix:/s", "<nil>"}, {"-oPreferredAuthentications=gssapi-with-mic,publickey h", "<nil>"},
		{"-M h", "<nil>"}, {"-M -S none h", "<nil>"}, {"-S /s h", "<nil>"},
		{"-oControlMaster=auto -oControlPath=/s h x", "<nil>"},
		{"-M -N -S /s h", "<nil>"}, {"-O forward -S /s h", "<nil>"}, {"-N -oControlMaster=no -M h", "<nil>"},
		{"⟨-oLocalForward=1 h:2⟩ -L 1:h:2 -R 1:h:2 -D 1 -oClearAllForwardings=yes h", "<nil>"},
		{"-R 1:h:2 h", "<nil>"},
	}
	for _, test := range tests {
		o := mustParse(t, testEnv(t), words(test.args)...)
		if got := fmt.Sprint(o.Refuse()); got != test.want {
			t.Errorf("%s: %s, want %s", test.args, got, test.want)
		}
	}
}

func TestIdentityThatIsNotThere(t *testing.T) {
	env := testEnv(t)
	key := write(t, filepath.Join(env.Home, "key"), "", 0o600)
	o := mustParse(t, env, "-i", "/nowhere/key", "-i", "~/key", "h")
	if !slices.Equal(o.IdentityFiles, []string{key}) || len(o.Warnings) != 1 ||
		o.Warnings[0] != "identity file /nowhere/key is left out: no such file or directory" {
		t.Errorf("files %q, warnings %q", o.IdentityFiles, o.Warnings)
	}
	o = mustParse(t, env, "-i", "/nowhere/key", "h")
	if len(o.DefaultIdentityFiles) != 6 {
		t.Errorf("default files %q", o.DefaultIdentityFiles)
	}
}

// FuzzParse: no argument makes the parser panic, and what it accepts is sound.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"-p\x005\x00h\x00x", "-oPort=5\x00[::1]:9", "ssh://u@h:1/",
		"-o\x00 User=\"a\"\x00h", "u@unix:/x"} {
		f.Add(seed)
	}
	env := testEnv(f)
	f.Fuzz(func(t *testing.T, joined string) {
		args := []string{"-F", "none"}
		args = append(args, strings.Split(joined, "\x00")...)
		if strings.Contains(joined, "F") {
			return // must not read files of this machine
		}
		o, err := env.Parse(args)
		if err != nil || o.Version || o.Help {
			return
		}
		if o.Port < 1 || o.Port > 65535 || (o.HostName == "") == (o.Socket == "") ||
			strings.HasPrefix(o.HostName, "-") ||
			o.UserGiven && (o.User == "" || o.User[0] == '-') {
			t.Errorf("%q gives %+v", args, o)
		}
	})
}

// String shows where the connection goes, as user@host:port or user@unix:PATH.
func (o *Options) String() string {
	switch {
	case o.Socket != "":
		return shown(o.User) + "@" + unixPrefix + shown(o.Socket)
	case strings.Contains(o.HostName, ":"):
		return fmt.Sprintf("%s@[%s]:%d", shown(o.User), shown(o.HostName), o.Port)
	}
	return fmt.Sprintf("%s@%s:%d", shown(o.User), shown(o.HostName), o.Port)
}
