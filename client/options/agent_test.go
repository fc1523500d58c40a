package options

import "testing"

// Which agent is lent: none, that of IdentityAgent, a variable's, or one by its path. The last of
// -A and -a counts, as in ssh, and else the first word (ssh_config(5), ForwardAgent).
func TestLentAgent(t *testing.T) {
	for args, want := range map[string]string{
		"h": "", "-A h": "/run/agent", "-a -A h": "/run/agent", "-A -a h": "",
		"-oForwardAgent=no -A h": "/run/agent", "-A -oForwardAgent=no h": "/run/agent",
		"-oForwardAgent=yes -a h": "", "-oForwardAgent=no -oForwardAgent=yes h": "",
		"-oForwardAgent=YES h": "/run/agent", "-oForwardAgent=true h": "/run/agent",
		"-oForwardAgent=false h": "", "-A -oIdentityAgent=none h": "",
		"-A -oIdentityAgent=/other h": "/other", "-oForwardAgent=/its/own h": "/its/own",
		"-oForwardAgent=$OTHER h": "/by/name", "-oForwardAgent=$UNSET h": "",
		"-oForwardAgent=~/%u -l u h": "HOME/me", "-oForwardAgent=${OTHER}.2 h": "/by/name.2",
	} {
		env := testEnv(t)
		getenv := env.Getenv
		env.Getenv = func(name string) (string, bool) {
			switch name {
			case "SSH_AUTH_SOCK":
				return "/run/agent", true
			case "OTHER":
				return "/by/name", true
			}
			return getenv(name)
		}
		if want == "HOME/me" {
			want = env.Home + "/me"
		}
		if got := mustParse(t, env, words(args)...).LentAgent; got != want {
			t.Errorf("%s: %q, not %q", args, got, want)
		}
	}
}
