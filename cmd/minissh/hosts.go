package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"minissh/client/report"
)

// hosts is `minissh hosts EXPRESSION`: it folds names of hosts, expands or counts them, as
// nodeset(1). Without an expression it lists the LAN (lan.go).
func hosts(o ownFlags) error {
	const advice = "minissh hosts -e 'web[01-20,30]!web07'"
	names, listing := o.has("-e") || o.has("-c"), o.has("--json") || o.has("--ansible")
	switch {
	case o.has("--json") && o.has("--ansible"):
		return &report.Failure{What: "--json and --ansible cannot be combined",
			Advice: "minissh hosts --json"}
	case listing && (names || len(o.rest) > 0):
		return &report.Failure{What: "--json and --ansible list what answers on the LAN, and " +
			"take no names", Advice: "minissh hosts --json"}
	case len(o.rest) == 0 && !names:
		return listLAN(o)
	case len(o.rest) == 0:
		return &report.Failure{What: "minissh hosts -e and -c need names of hosts",
			Advice: advice}
	}
	var all []string
	for _, word := range o.rest {
		if word == "-" {
			text, err := io.ReadAll(io.LimitReader(os.Stdin, mostHosts+1))
			if err != nil {
				return err
			}
			if len(text) > mostHosts {
				return &report.Failure{What: fmt.Sprintf("standard input has more than %d bytes",
					mostHosts)}
			}
			word = string(text)
		}
		all = append(all, word)
	}
	set, err := expand(strings.Join(all, " "))
	if err != nil {
		return err
	}
	switch {
	case o.has("-c"):
		fmt.Println(set.Len())
	case o.has("-e"):
		fmt.Println(strings.Join(set.Names(), " "))
	default:
		fmt.Println(set.Fold())
	}
	return nil
}

// mostHosts is how long the names on standard input may be, in bytes.
const mostHosts = 16 << 20
