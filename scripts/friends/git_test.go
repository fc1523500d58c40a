//go:build linux

package friends_test

import (
	"os"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

func TestGit(t *testing.T) {
	testhost.Need(t, "git")
	p := testhost.New(t)
	d := p.Daemon()
	git := func(code int, args ...string) testhost.Ran {
		t.Helper()
		cmd := p.Command("git", args...)
		cmd.Env = append(cmd.Env, "GIT_SSH_COMMAND=minissh", "GIT_CONFIG_NOSYSTEM=1",
			"GIT_TRACE_PACKET="+p.Path("packets"),
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
			"GIT_COMMITTER_EMAIL=a@b")
		r := p.RunCmd(cmd)
		if r.Code != code {
			t.Errorf("git %q: %d instead of %d: %s", args, r.Code, code, r.Err)
		}
		return r
	}
	git(0, "init", "-q", "--bare", "-b", "main", "repo's.git")
	git(0, "init", "-q", "-b", "main", "work")
	commit := func(text string) {
		t.Helper()
		p.Write("work/file", text)
		git(0, "-C", "work", "add", "file")
		git(0, "-C", "work", "commit", "-q", "-m", "a message")
	}
	commit(strings.Repeat("much\n", 1<<18))
	remote := "box:" + p.Path("repo's.git")
	git(0, "-C", "work", "push", "-q", remote, "main")
	git(0, "clone", "-q", remote, "clone")
	// A port in the URL is given only to what answers git's probe, `minissh -G`, as ssh would.
	git(0, "clone", "-q", "ssh://127.0.0.1:"+d.Port+p.Path("repo's.git"), "by-port")
	commit("second")
	git(0, "-C", "work", "push", "-q", remote, "main")
	git(0, "-C", "by-port", "pull", "-q", "--ff-only")
	for _, copy := range []string{"work", "by-port"} {
		if p.Read(copy+"/file") != "second" {
			t.Errorf("%s/file holds %d bytes", copy, len(p.Read(copy+"/file")))
		}
	}
	// SendEnv=GIT_PROTOCOL reached git-upload-pack: it answers in git's second protocol.
	if !strings.Contains(p.Read("packets"), "< version 2") {
		t.Error("git spoke its first protocol")
	}

	git(128, "clone", "-q", "box:"+p.Path("nothing.git"), "none")
	if r := git(128, "clone", "-q", "nobody-there@"+remote, "none"); !strings.Contains(r.Err,
		"Permission denied (publickey)") {
		t.Errorf("git passes on %s", r.Err)
	}
	commit("third")
	p.Write("repo's.git/hooks/pre-receive", "#!/bin/sh\necho not today >&2\nexit 1\n")
	p.Must(os.Chmod(p.Path("repo's.git/hooks/pre-receive"), 0o700))
	if r := git(1, "-C", "work", "push", "-q", remote, "main"); !strings.Contains(r.Err,
		"not today") {
		t.Errorf("a hook's words: %s", r.Err)
	}
}
