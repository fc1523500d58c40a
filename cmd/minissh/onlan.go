package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"minissh/client/lan"
)

// lanGroup is the group @lan.
const lanGroup = "lan"

// fromLAN are the options that reach hosts of @lan where they have answered, by their names.
var fromLAN = map[string][]string{}

// plainName is a name that is one word in an expression.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// onLAN is the expression of @lan: what answers there now and has the key that known_hosts has
// under its name. The rest is told, and never connected to.
func onLAN() (string, error) {
	all, _, err := neighbours()
	if err != nil {
		return "", err
	}
	var names, rest []string
	for _, n := range all {
		name := n.known.As
		if n.known.Status != lan.Known || len(n.Addresses) == 0 || !plainName.MatchString(name) {
			rest = append(rest, fmt.Sprintf("%s (%s)", n.Shown(), n.known.Status))
			continue
		}
		if fromLAN[name] == nil { // as the one that answered first
			names = append(names, name)
			fromLAN[name] = []string{"-oHostName=" + n.Addresses[0].String(),
				fmt.Sprintf("-oPort=%d", n.Port),
				fmt.Sprintf("-oHostKeyAlias=[%s]:%d", name, n.Port)}
		}
	}
	if len(rest) > 0 {
		slices.Sort(rest)
		fmt.Fprintf(os.Stderr, "minissh: on the LAN, and left out: %s\n", strings.Join(rest, ", "))
	}
	if len(names) == 0 {
		return "", errors.New("nobody on the LAN has answered whose key known_hosts has under " +
			"its name: minissh hosts lists who is there")
	}
	return strings.Join(names, ","), nil
}

// askLAN is onLAN, once for all expressions of a command line.
var askLAN = sync.OnceValues(onLAN)
