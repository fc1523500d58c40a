package options

import (
	"bytes"
	"context"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLikeSSH compares with `ssh -G`: both refuse, or both arrive at the same values. Intended
// differences are in doc.go, and have no row here.
func TestLikeSSH(t *testing.T) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("not run: needs ssh")
	}
	env := testEnv(t)
	if me, err := user.Current(); err == nil {
		env.User = func() string { return me.Username }
	}
	env.Getenv = func(string) (string, bool) { return "", false }
	config := write(t, filepath.Join(env.Home, "config"), `
Host a !b
  User fromfile # comment
  Port = 77
Host "quo ted" c*
  "User"	"two words"
  ConnectTimeout 2m
  Ciphers aes128-ctr
Host *
  HostName %h.example
  BatchMode yes
  StrictHostKeyChecking accept-new
  SendEnv A B
  SendEnv C
`, 0o600)
	// Keys whose defaults agree, or that a row sets.
	keys := []string{"host", "user", "hostname", "port", "addressfamily", "batchmode",
		"identitiesonly", "requesttty", "sessiontype",
		"stdinnull", "forkafterauthentication", "stricthostkeychecking", "serveralivecountmax",
		"serveraliveinterval", "connecttimeout",
		"loglevel", "remotecommand", "sendenv", "setenv", "userknownhostsfile", "hostkeyalias",
		"connectionattempts", "checkhostip", "clearallforwardings", "exitonforwardfailure",
		"pubkeyauthentication", "bindaddress", "bindinterface", "proxyjump", "proxycommand",
		"localforward", "dynamicforward", "remoteforward",
		"gatewayports", "streamlocalbindmask", "streamlocalbindunlink", "forwardagent",
		"controlmaster", "controlpath", "escapechar"}
	// Debian's ssh asks for signs of life in batch mode; known_hosts is in the home.
	const ownDefaults = "serveraliveinterval userknownhostsfile"
	for _, args := range []string{
		"u@h", "-l u h", "-lu -p 9 H x", "-p 9 -oPort=8 u@h", "u@h -l v -p5", "-oUser=v u@h",
		"-- u@h -l x", "u@h -- -l x", "u@h - -l x",
		"-p 0 u@h", "-p 65536 u@h", "-p -1 u@h", "-p", "-p 9 ssh://u@h:8", "ssh://u%41@h:8/",
		"ssh://h:8/path", "ssh://u@h:",
		"a@b@c", "@h", "-- -h", "-l -u h", "⟨-l u;x⟩ h", "⟨-lu v⟩ h", "⟨-lu -v⟩ h", "-oUser=u\\ h",
		"u@::1", "⟨u@h i⟩", "u@h$i", "u@*",
		"-A -a h", "-a -A h", "-oForwardAgent=no -A h", "-A -oForwardAgent=no h",
		"-oForwardAgent=yes -a h", "-oGatewayPorts=no -g h", "-oStdinNull=no -n h",
		"-oForkAfterAuthentication=no -f h x", "-oStdinNull=no -f h x", "-oControlMaster=no -M h",
		"-S /a -S /b h", "-oControlPath=/a -S none h", "-oEscapeChar=x -e y h", "-e y -e z h",
		"-q u@h", "-oLogLevel=verbose u@h", "-oLogLevel=DEBUG1 u@h", "-oLogLevel=x u@h",
		"-q -oLogLevel=debug3 u@h",
		"-t u@h", "-tt u@h", "-t -T u@h", "-oRequestTTY=no -t u@h", "-oRequestTTY=yes -t u@h",
		"-oRequestTTY=maybe u@h", "-T -N u@h",
		"-N u@h", "-N u@h x", "-s u@h sftp", "-s u@h", "-N -s u@h x", "-s -N u@h x", "-f u@h",
		"-f u@h x", "-fN u@h", "-W a:1 u@h", "-oSessionType=none u@h",
		"-n u@h", "-oStdinNull=yes u@h", "-46 u@h", "-oAddressFamily=inet6 u@h",
		"-oAddressFamily=7 u@h",
		"-oBatchMode=TRUE u@h", "-oBatchMode=1 u@h", "-o batchmode=yes u@h",
		"-o ⟨ BatchMode = yes⟩ u@h", "⟨-oBatchMode yes no⟩ u@h",
		"⟨-oBatchMode yes # no⟩ u@h", "⟨-oBatchMode==yes⟩ u@h", "-oBatchMode u@h",
		"-oBatchMode= u@h", "-oBatchMode=\"yes\" u@h", "-oBatchMode='yes' u@h",
		"-oBatchMode=\"yes u@h", "-oNoSuchKey=1 u@h", "-oIgnoreUnknown=No* -oNoSuchKey=1 u@h",
		"-oConnectTimeout=1m30 u@h", "-oConnectTimeout=1H u@h", "-oConnectTimeout=none u@h",
		"-oConnectTimeout=m u@h", "-oConnectTimeout=1x u@h", "-oConnectTimeout=-1 u@h",
		"-oStrictHostKeyChecking=off u@h", "-oStrictHostKeyChecking=YES u@h",
		"-oStrictHostKeyChecking=x u@h",
		"-oServerAliveInterval=1m u@h", "-oServerAliveCountMax=7 u@h",
		"-oServerAliveCountMax=x u@h", "-e ^a u@h", "-e ab u@h",
		"⟨-oSendEnv=A B⟩ -oSendEnv=C u@h", "-oSetEnv=A=b u@h", "-oSetEnv=A u@h",
		"-oSendEnv=A=b u@h", "-oSetEnv=A=b -oSetEnv=C=d u@h",
		"-oHostName=%h.x H -l u", "-oHostName=%% -l u h", "-oHostName=%x -l u h",
		"-oHostKeyAlias=x u@h",
		"-oUserKnownHostsFile=/%h-%n-%r-%p-%% -p 3 u@h", "⟨-oUserKnownHostsFile=/a /b⟩ u@h",
		"-oUserKnownHostsFile=%q u@h",
		"-oConnectionAttempts=3 u@h", "-oConnectionAttempts=0 u@h", "-oCheckHostIP=yes u@h",
		"-oClearAllForwardings=yes u@h", "-oExitOnForwardFailure=yes u@h",
		"-L 8080:a:80 u@h", "-L8080:a:80 -L 8080:a:80 -L 8081:a:80 u@h", "-L *:8080:a:80 -g u@h",
		"-L :8080:a:80 u@h", "-L localhost:8080:a:80 u@h", "-L [::1]:8080:[::2]:80 u@h",
		"-L /s:a:80 u@h", "-L 8080:a u@h",
		"-L 8080 u@h", "-L a:80 u@h", "-L 0:a:80 u@h", "-L 8080:a:0 u@h", "-L 8080:a:65536 u@h",
		"-L 65536:a:80 u@h", "-L http:a:https u@h", "-L x:a:80 u@h", "-L 1:2:3:4:5 u@h",
		"-L [::1:8080:a:80 u@h", "-L [::1]8080:a:80 u@h", "-L 8080:[a/b]:80 u@h",
		"-L a\\:b:80:c:1 u@h",
		"-L 8080:a:80: u@h", "-L ::: u@h", "-L : u@h", "-L /s u@h",
		"-oClearAllForwardings=yes -L 8080:a:80 u@h", "-L 8080:a:80 -W a:1 u@h",
		"-D 1080 -D 1080 -D localhost:1081 u@h", "-D [::1]:1080 u@h", "-D *:1080 u@h", "-D 0 u@h",
		"-D x u@h", "-D a:b:1 u@h", "-D :1080 u@h", "-D socks u@h", "-D 1080 -W a:1 u@h",
		"-L 8080:/t:80 u@h", "-L /s:a u@h",
		"-R 8080:a:80 -R 8080:a:80 -R 0:a:80 u@h", "-R b:8080:a:80 u@h", "-R *:0:[::1]:80 u@h",
		"-R /s:a:80 u@h", "-R /s:/t u@h", "-R 8080:/t u@h", "-R 8080 -R 0 u@h", "-R b:1080 u@h",
		"-R /s u@h", "-R x u@h", "-R 8080:a:0 u@h", "-R 65536:a:80 u@h", "-R a:b:c u@h",
		"-R :1080 u@h", "-R 1:2:3:4:5 u@h", "⟨-oRemoteForward=8080 a:80⟩ u@h",
		"-oRemoteForward=8080 u@h", "-oRemoteForward=8080:a:80 u@h", "-R 1080 -W a:1 u@h",
		"-R 8080:t/~x u@h",
		"-W a u@h", "-W a:b:1 u@h", "-W [::1]:1 u@h", "-W a:0 u@h", "-W a:http u@h",
		"⟨-oLocalForward=8080 a:80⟩ u@h", "⟨-oLocalForward=b:8080 [::1]:80⟩ u@h",
		"-oLocalForward=8080:a:80 u@h", "-oGatewayPorts=yes u@h", "-oGatewayPorts=x u@h",
		"-oStreamLocalBindMask=0007 u@h", "-oStreamLocalBindUnlink=yes u@h",
		"-oPubkeyAuthentication=no u@h", "-oDSAAuthentication=no u@h", "-b 127.0.0.1 u@h",
		"-B lo u@h", "-oBindAddress=x -b y u@h",
		"-c bogus u@h", "-c aes128-ctr u@h", "-c +aes128-ctr u@h", "-c -aes128-ctr u@h",
		"-m hmac-md5 u@h", "-m bogus u@h", "-Z u@h", "-y u@h", "-K u@h", "-k u@h", "-Y u@h",
		"-g u@h", "-I /lib u@h", "-A -a u@h", "-E /dev/null u@h", "-oRemoteCommand=%h u@h",
		"-oRemoteCommand=x u@h", "-oRemoteCommand=x u@h y", "-oRemoteCommand=none u@h y",
		"-oHost=x u@h", "-oMatch=x u@h", "-oInclude=x u@h",
		"-xaCkKXYgM2 -S none u@h", "-1 u@h", "-j u@h", "-c aes128-ctr -m hmac-sha1 -p3 u@h",
		"-oCiphers=aes128-ctr u@h", "-oProtocol=2 u@h",
		"-J a u@h", "-J none u@h", "-J a,b u@h", "-J x@a:5,[::1]:6,y@b u@h", "-J a, u@h",
		"-J ,a u@h", "-J a:0 u@h", "-J a: u@h", "-J a/3 u@h", "-J 1.2.3.4 u@h", "-J -a u@h",
		"-J @a u@h", "-J a -J b u@h", "-J minissh:9 u@h", "-oProxyJump=a -J b u@h",
		"-J a -oProxyCommand=x u@h", "-oProxyCommand=x -J a u@h", "-oProxyCommand=none -J a u@h",
		"-J none -oProxyCommand=x u@h", "⟨-oProxyCommand=nc %h %p⟩ u@h",
		"-oProxyCommand=none -oProxyJump=a u@h", "-oProxyJump=a -oProxyCommand=x u@h",
		"-oProxyJump=none -oProxyCommand=x u@h", "-oProxyJump=none -oProxyJump=x u@h",
		"⟨-oProxyCommand=a \"b c\" # d⟩ u@h", "⟨-oProxyJump=a # b⟩ u@h",
		"-F CONFIG a", "-F CONFIG b", "-F CONFIG -p 5 a", "-F CONFIG cd", "-F CONFIG x@quo",
		"-F CONFIG -oSendEnv=Z u@a", "-F /nonexistent u@h", "-FCONFIG u@z",
	} {
		line := strings.ReplaceAll(args, "CONFIG", config)
		if !strings.Contains(line, "-F") {
			line = "-F none " + line
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		cmd := exec.CommandContext(ctx, ssh, append([]string{"-G"}, words(line)...)...)
		theirs, sshErr := cmd.Output()
		cancel()
		o, err := env.Parse(words(line))
		if (sshErr == nil) != (err == nil) {
			t.Errorf("%s: ssh says %v, minissh %v", args, sshErr, err)
			continue
		}
		if err != nil {
			continue
		}
		var ours bytes.Buffer
		if err := o.WriteEffective(&ours); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			us, them := effective(ours.String(), key), effective(string(theirs), key)
			switch {
			case key == "port" && them == "22": // the default
			case strings.Contains(ownDefaults, key) &&
				!strings.Contains(strings.ToLower(args), key):
			case key == "loglevel" && us == "QUIET" && them == "SILENT": // two names
			case us != them:
				t.Errorf("%s: %s is %q in minissh, %q in ssh", args, key, us, them)
			}
		}
	}
}

// effective is the values of a key in the output of -G.
func effective(output, key string) string {
	var values []string
	for line := range strings.Lines(output) {
		if rest, ok := strings.CutPrefix(line, key+" "); ok {
			values = append(values, strings.TrimSpace(rest))
		}
	}
	return strings.Join(values, "|")
}

// TestKeysAreSSHs: every key that the manual page names is in the table.
func TestKeysAreSSHs(t *testing.T) {
	manual, err := exec.Command("man", "-w", "ssh_config").Output()
	if err != nil {
		t.Skip("not run: needs the manual page ssh_config(5)")
	}
	text, err := exec.Command("zcat", "-f", strings.TrimSpace(string(manual))).Output()
	if err != nil {
		t.Skip("not run: needs zcat")
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		key, ok := strings.CutPrefix(line, ".It Cm ")
		if key = strings.TrimSpace(key); !ok || key == "" || key[0] < 'A' || key[0] > 'Z' ||
			strings.Contains(key, " ") {
			continue
		}
		n++
		if keyNamed(key) == nil {
			t.Errorf("%s is missing", key)
		}
	}
	if n < 90 {
		t.Errorf("only %d keys found in the manual page", n)
	}
}
