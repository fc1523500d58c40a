package main

import (
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"minissh/daemon/pam"
	"minissh/protocol"
)

// pamRules are where PAM looks for the rules of its service, in this order (pam.d(5)). Without one
// of them it would take those of "other", which are for services that nobody has thought of.
var pamRules = []string{"/etc/pam.d/" + pam.Name, "/usr/lib/pam.d/" + pam.Name}

// asksPAM says whether PAM is asked about logins: yes if root's daemon can, unless --pam says
// otherwise.
func (s *settings) asksPAM(c *cli.Context) (bool, error) {
	how := c.String("pam")
	switch {
	case how != "yes" && how != "no" && how != "":
		return false, fmt.Errorf("--pam is yes or no, not %s", protocol.Quote(how))
	case how == "no", how == "" && (!pam.Built || !s.all):
		return false, nil
	case !pam.Built:
		return false, advise("--pam yes: this program was built without PAM",
			"the packages have it, and so has: go build -tags pam ./cmd/minisshd")
	case !s.all:
		return false, fmt.Errorf("--pam yes is for a daemon that runs as root: this one serves %s "+
			"alone", s.account.Name)
	case !slices.ContainsFunc(pamRules, func(file string) bool {
		_, err := os.Stat(file)
		return err == nil
	}):
		return false, advise("--pam: there are no rules for PAM in "+pamRules[0],
			"put scripts/service/minisshd.pam there, or turn PAM off: --pam no")
	}
	return true, nil
}

// pamService asks PAM for a daemon; nil: it is not asked. One account's logins that wait for it may
// take half of the places of those who have not logged in.
func (s *settings) pamService(startups int, log *slog.Logger) *pam.Service {
	if !s.policy.PAM {
		return nil
	}
	return pam.New(s.account, max(startups/2, 1), log)
}

// pam says who knows which accounts are locked, and what a session gets.
func (k *check) pam(set *settings) {
	switch {
	case !set.all:
	case set.policy.PAM:
		k.say("PAM is asked about each login, as the service %s: it knows which accounts are "+
			"locked or expired, and is not asked here", pam.Name)
	case !pam.Built:
		k.say("PAM is not asked: this program was built without it (go build -tags pam)")
	default:
		k.say("PAM is not asked (--pam no)")
	}
}
