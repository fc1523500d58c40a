package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"minissh/client/knownhosts"
	"minissh/client/lan"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// answerTime is how long answers are waited for.
const answerTime = time.Second

// neighbour is a host on the LAN, and what known_hosts says about it.
type neighbour struct {
	lan.Host
	known lan.Judgement
}

// neighbours are the hosts that answer on the LAN now. dropped is how many more there are.
func neighbours() (all []neighbour, dropped int, err error) {
	found, err := lan.Look(context.Background(), answerTime)
	if err != nil {
		return nil, 0, &report.Failure{What: "nobody on the LAN can be asked: " + protocol.Quote(
			err.Error()), Advice: "ip address shows whether this machine has a network",
			Cause: err}
	}
	db, err := knownHosts()
	if err != nil {
		return nil, 0, err
	}
	for _, h := range found.Hosts {
		all = append(all, neighbour{h, h.Known(db)})
	}
	return all, found.Dropped, nil
}

// listLAN is `minissh hosts` without names. Nothing is connected to.
func listLAN(o ownFlags) error {
	all, dropped, err := neighbours()
	if err != nil {
		return err
	}
	out := new(bytes.Buffer)
	switch {
	case o.has("--json"):
		err = writeJSON(out, all)
	case o.has("--ansible"):
		writeInventory(out, all)
	case len(all) == 0:
		fmt.Fprintln(os.Stderr, "minissh: nobody on the LAN has answered within a second")
		fmt.Fprintln(os.Stderr, "minissh: hint: on the other machine: minisshd --announce "+
			"--listen :7422")
	default:
		writeTable(out, all)
	}
	if err == nil {
		_, err = os.Stdout.Write(out.Bytes())
	}
	if err != nil {
		return err
	}
	warn(all, dropped)
	return nil
}

// knownHosts opens the files that count if no configuration says otherwise: those of a
// configuration are for a host, and a stranger's name must not choose among them.
func knownHosts() (*knownhosts.DB, error) {
	o, err := options.CurrentEnvironment().Parse([]string{"-F", "none", "host"})
	if err != nil {
		return nil, err
	}
	return knownhosts.Open(slices.Concat(o.UserKnownHostsFiles, o.GlobalKnownHostsFiles)...), nil
}

// shownAddresses are those that people may type; those of the link alone only if there is nothing
// else.
func (n *neighbour) shownAddresses() string {
	var words []string
	for _, a := range n.Addresses {
		if len(words) == 0 || !a.IsLinkLocalUnicast() {
			words = append(words, a.String())
		}
	}
	return strings.Join(words, ",")
}

func (n *neighbour) shownKnown() string {
	switch n.known.Status {
	case lan.Known:
		return "yes"
	case lan.Elsewhere:
		if n.known.As == "" {
			return "under a hashed name"
		}
		return "as " + shownWord(n.known.As)
	case lan.Unknown:
		return "no"
	}
	return n.known.Status.String()
}

// shownWord is a text as it is if it is one plain word, else quoted.
func shownWord(s string) string {
	if q := protocol.Quote(s); q[1:len(q)-1] != s || strings.Contains(s, " ") {
		return q
	}
	return s
}

func writeTable(out *bytes.Buffer, all []neighbour) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tADDRESS\tPORT\tFINGERPRINT\tKNOWN")
	for _, n := range all {
		fingerprint := n.Fingerprint
		if fingerprint == "" {
			fingerprint = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", n.Shown(), n.shownAddresses(), n.Port, fingerprint,
			n.shownKnown())
	}
	w.Flush()
}

// warn says on standard error what nobody should overlook.
func warn(all []neighbour, dropped int) {
	unknown := ""
	for _, n := range all {
		at := fmt.Sprintf("%s at %s", n.Shown(), n.shownAddresses())
		switch n.known.Status {
		case lan.Different:
			fmt.Fprintf(os.Stderr, "minissh: WARNING: %s announces ANOTHER HOST KEY than the one "+
				"that is known for %s (%s:%d). Somebody may pretend to be it.\n", at,
				shownWord(n.known.As), shownWord(n.known.File), n.known.Line)
		case lan.Revoked:
			fmt.Fprintf(os.Stderr, "minissh: WARNING: %s announces a host key that is REVOKED.\n",
				at)
		case lan.Unknown:
			unknown = n.Addresses[0].String()
			if n.Port != protocol.DefaultPort {
				unknown = fmt.Sprintf("%s -p %d", unknown, n.Port)
			}
		}
	}
	if dropped > 0 {
		fmt.Fprintf(os.Stderr, "minissh: WARNING: %d answers more were left out: somebody floods "+
			"the LAN with them\n", dropped)
	}
	if unknown != "" && term.IsTerminal(int(os.Stdout.Fd())) {
		fmt.Fprintln(os.Stderr, "minissh: hint: who is not known: minissh pair "+unknown+
			", with the code that minisshd pair shows there")
	}
}

// writeJSON writes one object a line.
func writeJSON(out *bytes.Buffer, all []neighbour) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, n := range all {
		line := struct {
			Name        protocol.Bytes `json:"name"`
			Addresses   []netip.Addr   `json:"addresses"`
			Port        uint16         `json:"port"`
			Fingerprint string         `json:"fingerprint,omitempty"`
			Known       string         `json:"known"`
			As          string         `json:"as,omitempty"`
			File        string         `json:"file,omitempty"`
			Line        int            `json:"line,omitempty"`
		}{protocol.Bytes(n.Name), n.Addresses, n.Port, n.Fingerprint,
			strings.ToLower(n.known.Status.String()), n.known.As, n.known.File, n.known.Line}
		if err := encoder.Encode(line); err != nil {
			return errors.New("a name cannot be written as JSON")
		}
	}
	return nil
}

// writeInventory writes Ansible's form, INI, of those whose key is known. The others are comments:
// a stranger must not become a target by itself.
func writeInventory(out *bytes.Buffer, all []neighbour) {
	fmt.Fprintln(out, "# what answered on the LAN, and has its key in known_hosts\n[minissh]")
	written := map[string]bool{}
	for _, n := range all {
		why, name := "", n.Name
		if n.known.Status == lan.Known {
			name = n.known.As
		}
		switch {
		case n.known.Status != lan.Known && n.known.Status != lan.Elsewhere:
			why = n.known.Status.String()
		case written[name]:
			why = "it has answered twice"
		case n.Shown() != n.Name || !forInventory(n.known.As) ||
			!forInventory(n.Addresses[0].String()):
			why = "its name has no place here"
		}
		if why != "" {
			fmt.Fprintf(out, "# %s %s port %d: %s\n", n.Shown(), n.shownAddresses(), n.Port, why)
			continue
		}
		written[name] = true
		fmt.Fprintf(out, "%s ansible_host=%s ansible_port=%d "+
			"ansible_ssh_common_args='-o HostKeyAlias=[%s]:%d'\n", name, n.Addresses[0], n.Port,
			n.known.As, n.Port)
	}
}

// forInventory says whether a word means nothing but itself there.
func forInventory(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("._:-", r))
	})
}
